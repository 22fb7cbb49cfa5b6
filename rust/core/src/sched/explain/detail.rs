//! Which of a pod's own terms a no is about, as bits.
//!
//! | plugin | bit n stands for |
//! |---|---|
//! | NodeAffinity | the n-th of [`Requirement::list`] is not met |
//! | NodePorts | the n-th host port is taken |
//! | InterPodAffinity | the n-th term of affinity is not met; from bit 32 on, of anti-affinity |
//!
//! Others have none: their reasons say it all.

use crate::base::{Map, Text, Value};
use crate::labels::LabelSets;
use crate::sched::cycle::Cycle;
use crate::sched::node_selector::{Matcher, NodeSelector};
use crate::sched::nodes::NodeView;
use crate::sched::plugins::{Filter, node_affinity, node_ports};
use crate::sched::pod_affinity::namespace_labels;
use crate::sched::pod_info::PodInfo;
use crate::sched::status::Rejection;

/// Requirements that have a bit.
const BITS: usize = 64;
/// Pods that keep others away that are named.
const NAMED: usize = 64;

/// One condition a pod puts on its node.
pub struct Requirement {
    /// Where it stands in the pod.
    pub field: Text,
    selector: NodeSelector,
}

impl Requirement {
    /// What a pod's spec requires: `nodeSelector` by key, then the terms in order, expressions
    /// before fields.
    pub fn list(spec: &Value) -> Vec<Self> {
        let mut found = Vec::new();
        let pairs = spec.get("nodeSelector").and_then(Value::as_map);
        for (key, value) in pairs.into_iter().flat_map(Map::iter) {
            let values = Value::list([value.clone()]);
            let expression = Value::map([
                ("key", Value::from(key)),
                ("operator", "In".into()),
                ("values", values),
            ]);
            found.push(Self::of(format!("nodeSelector/{key}"), "matchExpressions", expression));
        }
        let path = ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"];
        let terms = spec.at(&path).map_or(&[][..], |own| own.list_at(&["nodeSelectorTerms"]));
        for (at, term) in terms.iter().enumerate() {
            for list in ["matchExpressions", "matchFields"] {
                for (place, one) in term.list_at(&[list]).iter().enumerate() {
                    found.push(Self::of(format!("{at}/{list}/{place}"), list, one.clone()));
                }
            }
        }
        found.truncate(BITS);
        found
    }

    fn of(field: String, list: &str, condition: Value) -> Self {
        let term = Value::map([(list, Value::list([condition]))]);
        let selector = Value::map([("nodeSelectorTerms", Value::list([term]))]);
        Self { field: field.into(), selector: NodeSelector::read(&selector) }
    }
}

/// Finds details; see the module header.
pub struct Details<'a> {
    pod: &'a PodInfo,
    requirements: Vec<Matcher<'a>>,
}

impl<'a> Details<'a> {
    /// Details of the noes to this pod.
    pub fn new(pod: &'a PodInfo, sets: &'a LabelSets, list: &'a [Requirement]) -> Self {
        let matcher = |one: &'a Requirement| Matcher::of_selector(sets, Some(&one.selector));
        Self { pod, requirements: list.iter().map(matcher).collect() }
    }

    /// The bits of a no.
    pub fn of(&self, filter: &Filter, no: Rejection, node: NodeView) -> u64 {
        match filter {
            Filter::NodeAffinity(_) if no.reasons != node_affinity::ENFORCED => {
                let spec = node.info.spec.as_ref().expect("only nodes that exist are judged");
                let unmet = |one: &Matcher| !one.matches(spec.labels, &node.info.name);
                bits(self.requirements.iter().map(unmet))
            }
            Filter::NodePorts(_) => bits(
                self.pod
                    .host_ports
                    .iter()
                    .map(|port| node_ports::check(std::slice::from_ref(port), node).is_err()),
            ),
            Filter::TaintToleration(_) => u64::from(node.row.taints),
            Filter::InterPodAffinity(affinity) => affinity.unmet(node.id),
            _ => 0,
        }
    }
}

/// Truth values as bits, those that have one.
fn bits(values: impl Iterator<Item = bool>) -> u64 {
    values.take(BITS).enumerate().fold(0, |bits, (at, value)| bits | u64::from(value) << at)
}

/// Pods on nodes whose required anti-affinity is about the pod: row, node and topology key, some
/// of them if they are many.
pub fn kept_away_by(cycle: &Cycle) -> Vec<(u32, Text, Text)> {
    let (cache, store) = (cycle.cache, cycle.store);
    let namespace = namespace_labels(cycle.pod, store);
    let mut found = Vec::new();
    for content in cache.affinity.contents() {
        let info = cache.infos.get(content);
        let terms = info.affinity.iter().flat_map(|affinity| &affinity.required_anti);
        let Some(term) = terms.into_iter().find(|term| term.is_about(cycle.pod, namespace, store))
        else {
            continue;
        };
        for slot in cache.affinity.slots(content) {
            let node = cache.pod(slot).place.node().expect("the pod is on a node");
            found.push((slot, cache.nodes.info(node).name.clone(), term.key.clone()));
            if found.len() == NAMED {
                return found;
            }
        }
    }
    found
}
