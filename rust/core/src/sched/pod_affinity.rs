//! Pod affinity and anti-affinity: which other pods a pod wants near, or keeps away from.

use crate::base::{StrId, Text, Value};
use crate::labels::{LabelSetId, LabelSets, Resolved, Selector};
use crate::store::Store;

use super::pod_info::PodInfo;

/// Where the pods of a term are looked for.
#[derive(Clone, Debug, PartialEq)]
enum Namespaces {
    /// In the namespace of the pod that has the term.
    Own(Option<StrId>),
    /// In the namespaces of these names, and in those with such labels.
    Chosen { names: Vec<Text>, selector: Selector },
}

/// One `PodAffinityTerm`.
#[derive(Clone, Debug, PartialEq)]
pub struct AffinityTerm {
    /// `topologyKey`.
    pub key: Text,
    selector: Selector,
    namespaces: Namespaces,
}

/// `podAffinity` and `podAntiAffinity` of a pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PodAffinity {
    /// Required terms of affinity.
    pub required: Vec<AffinityTerm>,
    /// Required terms of anti-affinity.
    pub required_anti: Vec<AffinityTerm>,
    /// Preferred terms with their weights, those of anti-affinity below zero.
    pub preferred: Vec<(AffinityTerm, i64)>,
}

impl PodAffinity {
    /// Reads the affinity of a pod in a namespace; nothing when it has no such terms.
    pub fn read(spec: &Value, namespace: Option<StrId>) -> Option<Box<Self>> {
        let affinity = spec.get("affinity")?;
        let required = |side: &str| {
            let terms = affinity.list_at(&[side, "requiredDuringSchedulingIgnoredDuringExecution"]);
            terms.iter().map(|term| AffinityTerm::read(term, namespace)).collect()
        };
        let preferred = |side: &str, sign: i64| {
            let path = [side, "preferredDuringSchedulingIgnoredDuringExecution"];
            let read = |weighted: &Value| {
                let term = weighted.get("podAffinityTerm").unwrap_or(&Value::Null);
                let weight = weighted.int_at(&["weight"]).unwrap_or(0);
                (AffinityTerm::read(term, namespace), sign * weight)
            };
            affinity.list_at(&path).iter().map(read).collect::<Vec<_>>()
        };
        let mut own = Self {
            required: required("podAffinity"),
            required_anti: required("podAntiAffinity"),
            preferred: preferred("podAffinity", 1),
        };
        own.preferred.extend(preferred("podAntiAffinity", -1));
        let any = own.topology_keys().next().is_some();
        any.then(|| Box::new(own))
    }

    /// The topology keys it names.
    pub fn topology_keys(&self) -> impl Iterator<Item = &Text> {
        let preferred = self.preferred.iter().map(|(term, _)| term);
        self.required.iter().chain(&self.required_anti).chain(preferred).map(|term| &term.key)
    }
}

impl AffinityTerm {
    fn read(term: &Value, namespace: Option<StrId>) -> Self {
        // A selector that cannot be read was refused when the pod was written.
        let selector = |field: &str| {
            let selector = term.get(field).unwrap_or(&Value::Null);
            Selector::from_label_selector(selector).unwrap_or(Selector::nothing())
        };
        let names = term.list_at(&["namespaces"]).iter().filter_map(Value::as_str);
        let names: Vec<Text> = names.map(Text::from).collect();
        let asks = term.get("namespaceSelector").is_some_and(|selector| !selector.is_null());
        let namespaces = if names.is_empty() && !asks {
            Namespaces::Own(namespace)
        } else {
            Namespaces::Chosen { names, selector: selector("namespaceSelector") }
        };
        Self {
            key: term.str_at(&["topologyKey"]).unwrap_or_default().into(),
            selector: selector("labelSelector"),
            namespaces,
        }
    }

    /// Whether the term is about a pod, given the labels of that pod's namespace.
    pub fn is_about(&self, pod: &PodInfo, namespace_labels: LabelSetId, store: &Store) -> bool {
        let reaches = match &self.namespaces {
            Namespaces::Own(own) => *own == pod.namespace,
            Namespaces::Chosen { names, selector } => {
                let name = pod.namespace.map_or("", |id| store.strings.text(id));
                names.iter().any(|have| have == name)
                    || selector.matches(&store.sets.get(namespace_labels))
            }
        };
        reaches && self.selector.matches(&store.sets.get(pod.labels))
    }

    /// The term with its namespaces looked up, to be asked about many pods.
    pub fn resolve<'a>(&'a self, store: &'a Store) -> ResolvedTerm<'a> {
        let (mut namespaces, mut everywhere) = (Vec::new(), false);
        match &self.namespaces {
            Namespaces::Own(own) => namespaces.push(*own),
            Namespaces::Chosen { names, selector } => {
                let listed = names.iter().filter_map(|name| store.strings.find(name));
                namespaces.extend(listed.map(Some));
                if !selector.is_everything() {
                    namespaces.extend(selected(selector, store).map(Some));
                }
                // Kubernetes goes on to hold the selector against a namespace without labels,
                // so that one that asks for no label reaches everywhere.
                everywhere = selector.matches(&store.sets.get(LabelSets::empty()));
            }
        }
        let selector = store.sets.resolve(&self.selector);
        ResolvedTerm { key: &self.key, selector, namespaces, everywhere }
    }
}

/// The names of the namespaces with certain labels.
fn selected<'a>(selector: &'a Selector, store: &'a Store) -> impl Iterator<Item = StrId> + 'a {
    let rows = store.table(store.kinds.namespace).iter();
    let selected = rows.filter(|(_, row)| {
        let body = row.body.as_ref().expect("an object has a body");
        !selector.is_nothing() && selector.matches(&store.sets.get(body.labels))
    });
    selected.filter_map(|(_, row)| store.strings.find(&row.name.text(&store.strings)))
}

/// The labels of a pod's namespace; none when there is no such namespace.
pub fn namespace_labels(pod: &PodInfo, store: &Store) -> LabelSetId {
    let name = pod.namespace.map(|id| store.strings.text(id));
    let namespace = name.and_then(|name| store.find(store.kinds.namespace, None, name));
    let body = namespace.and_then(|id| store.body(id));
    body.map_or(LabelSets::empty(), |body| body.labels)
}

/// A term with its namespaces looked up.
pub struct ResolvedTerm<'a> {
    /// `topologyKey`.
    pub key: &'a Text,
    selector: Resolved<'a>,
    namespaces: Vec<Option<StrId>>,
    everywhere: bool,
}

impl ResolvedTerm<'_> {
    /// Whether the term is about a pod.
    pub fn is_about(&self, pod: &PodInfo) -> bool {
        (self.everywhere || self.namespaces.contains(&pod.namespace))
            && self.selector.matches(pod.labels)
    }
}
