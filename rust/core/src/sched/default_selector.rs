//! Which pods a pod is spread among when its spec does not say: those of its Services and of
//! its controller.

use std::sync::Arc;

use super::pod_info::{InfoId, PodInfo};
use super::spread_constraint::{Owner, OwnerKind};
use crate::api::KindId;
use crate::base::{FastMap, Map, StrId, Value};
use crate::labels::Selector;
use crate::store::Store;
use crate::store::log::{Entry, Verb};

/// What the Services of each namespace select.
type Services = FastMap<Option<StrId>, Vec<(Map, Selector)>>;

/// Default selectors by pod content, as long as no Service or controller came, went or changed.
#[derive(Debug, Default)]
pub struct DefaultSelectors {
    kinds: Option<Kinds>,
    known: FastMap<InfoId, (Arc<PodInfo>, Option<Arc<Selector>>)>,
    /// Known as long as no Service came, went or changed.
    services: Option<Services>,
}

impl DefaultSelectors {
    /// Forgets what a write could have changed.
    pub fn observe(&mut self, store: &Store, entry: &Entry) {
        if self.known.is_empty() && self.services.is_none() {
            return;
        }
        let kind = entry.id().kind;
        let kinds = *self.kinds.get_or_insert_with(|| Kinds::of(store));
        if kind == kinds.service {
            self.services = None;
        }
        let concerns = match entry.verb {
            // What a ReplicaSet or StatefulSet selects never changes.
            Verb::Modified => kind == kinds.service || kind == kinds.replication_controller,
            Verb::Added | Verb::Restored | Verb::Deleted => kinds.all().contains(&kind),
        };
        if concerns && !self.known.is_empty() {
            self.known.clear();
        }
    }

    /// The default selector of a pod; none when it would select everything.
    pub fn of(&mut self, store: &Store, id: InfoId, pod: &Arc<PodInfo>) -> Option<Arc<Selector>> {
        // A number is given up with its last pod and may stand for another content by now.
        let known = self.known.get(&id).filter(|(have, _)| Arc::ptr_eq(have, pod));
        if let Some((_, selector)) = known {
            return selector.clone();
        }
        let kinds = *self.kinds.get_or_insert_with(|| Kinds::of(store));
        let services = self.services.get_or_insert_with(|| services(store, kinds));
        let services = services.get(&pod.namespace).map_or(&[][..], Vec::as_slice);
        let selector = default_selector(store, kinds, services, pod).map(Arc::new);
        self.known.insert(id, (Arc::clone(pod), selector.clone()));
        selector
    }
}

#[derive(Clone, Copy, Debug)]
struct Kinds {
    service: KindId,
    replication_controller: KindId,
    replica_set: KindId,
    stateful_set: KindId,
}

impl Kinds {
    fn of(store: &Store) -> Self {
        let kind = |group: &str, kind: &str| {
            store.registry.kind_id(group, kind).unwrap_or_else(|| panic!("{kind} is built in"))
        };
        Self {
            service: store.kinds.service,
            replication_controller: kind("", "ReplicationController"),
            replica_set: store.kinds.replica_set,
            stateful_set: kind("apps", "StatefulSet"),
        }
    }

    fn all(&self) -> [KindId; 4] {
        [self.service, self.replication_controller, self.replica_set, self.stateful_set]
    }
}

fn services(store: &Store, kinds: Kinds) -> Services {
    let mut services = Services::default();
    for (_, row) in store.table(kinds.service).iter() {
        let body = row.body.as_ref().expect("an object has a body");
        if let Some(labels) = body.at(&["spec", "selector"]).and_then(Value::as_map) {
            let selects = (labels.clone(), Selector::from_map(labels));
            match services.get_mut(&body.namespace) {
                Some(list) => list.push(selects),
                None => drop(services.insert(body.namespace, vec![selects])),
            }
        }
    }
    services
}

/// The labels of all Services that select the pod, and what its controller selects.
fn default_selector(
    store: &Store,
    kinds: Kinds,
    services: &[(Map, Selector)],
    pod: &PodInfo,
) -> Option<Selector> {
    let mut labels = service_labels(store, services, pod);
    let owner = pod.owner.as_ref().and_then(|owner| owner_selector(store, kinds, pod, owner));
    let selector = match owner {
        Some((OwnerKind::ReplicationController, selector)) => {
            let own = selector.as_map().into_iter().flat_map(Map::iter);
            for (key, value) in own {
                labels.insert(key, value.clone());
            }
            Selector::from_map(&labels)
        }
        Some((_, selector)) => {
            let own = Selector::from_label_selector(&selector).unwrap_or(Selector::nothing());
            let own = own.requirements().unwrap_or_default().iter().cloned();
            Selector::from_map(&labels).and(own)
        }
        None => Selector::from_map(&labels),
    };
    (!selector.is_everything()).then_some(selector)
}

fn service_labels(store: &Store, services: &[(Map, Selector)], pod: &PodInfo) -> Map {
    let pod_labels = store.sets.get(pod.labels);
    let mut labels = Map::new();
    for (selected, _) in services.iter().filter(|(_, selector)| selector.matches(&pod_labels)) {
        for (key, value) in selected.iter() {
            labels.insert(key, value.clone());
        }
    }
    labels
}

fn owner_selector(
    store: &Store,
    kinds: Kinds,
    pod: &PodInfo,
    owner: &Owner,
) -> Option<(OwnerKind, Value)> {
    let kind = match owner.kind {
        OwnerKind::ReplicationController => kinds.replication_controller,
        OwnerKind::ReplicaSet => kinds.replica_set,
        OwnerKind::StatefulSet => kinds.stateful_set,
    };
    let namespace = pod.namespace.map(|id| store.strings.text(id));
    let body = store.body(store.find(kind, namespace, &owner.name)?)?;
    Some((owner.kind, body.at(&["spec", "selector"]).cloned().unwrap_or_default()))
}
