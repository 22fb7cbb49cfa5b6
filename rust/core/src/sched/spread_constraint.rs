//! Topology spread constraints, and what a pod's owner says about whom it is spread among.

use smallvec::SmallVec;

use crate::base::{Map, Text, Value};
use crate::labels::{Labels, Operator, Requirement, Selector};

/// `topologySpreadConstraints`, one of them.
#[derive(Clone, Debug, PartialEq)]
pub struct SpreadConstraint {
    /// `maxSkew`.
    pub max_skew: i64,
    /// `topologyKey`.
    pub key: Text,
    /// `whenUnsatisfiable` is DoNotSchedule.
    pub hard: bool,
    /// `minDomains`; 1 when absent.
    pub min_domains: i64,
    /// `nodeAffinityPolicy` is Honor, as it is by default.
    pub honor_affinity: bool,
    /// `nodeTaintsPolicy` is Honor.
    pub honor_taints: bool,
    selector: Selector,
    match_label_keys: SmallVec<[Text; 0]>,
}

impl SpreadConstraint {
    /// Reads a constraint.
    pub fn read(constraint: &Value) -> Self {
        let policy =
            |field: &str, default: &str| constraint.str_at(&[field]).unwrap_or(default) == "Honor";
        let selector = constraint.get("labelSelector").unwrap_or(&Value::Null);
        let keys = constraint.list_at(&["matchLabelKeys"]).iter().filter_map(Value::as_str);
        Self {
            max_skew: constraint.int_at(&["maxSkew"]).unwrap_or(0),
            key: constraint.str_at(&["topologyKey"]).unwrap_or_default().into(),
            hard: constraint.str_at(&["whenUnsatisfiable"]) == Some("DoNotSchedule"),
            min_domains: constraint.int_at(&["minDomains"]).unwrap_or(1),
            honor_affinity: policy("nodeAffinityPolicy", "Honor"),
            honor_taints: policy("nodeTaintsPolicy", "Ignore"),
            // A selector that cannot be read was refused when the pod was written.
            selector: Selector::from_label_selector(selector).unwrap_or(Selector::nothing()),
            match_label_keys: keys.map(Text::from).collect(),
        }
    }

    /// One of the constraints every profile has unless it says otherwise.
    pub fn soft(key: &str, max_skew: i64) -> Self {
        Self {
            max_skew,
            key: key.into(),
            hard: false,
            min_domains: 1,
            honor_affinity: true,
            honor_taints: false,
            selector: Selector::nothing(),
            match_label_keys: SmallVec::new(),
        }
    }

    /// The constraint with another selector.
    pub fn with_selector(&self, selector: Selector) -> Self {
        Self { selector, match_label_keys: SmallVec::new(), ..self.clone() }
    }

    /// Which pods count, for a pod with these labels: `matchLabelKeys` ask for the pod's own.
    pub fn selector<L: Labels + ?Sized>(&self, labels: &L) -> Selector {
        if self.match_label_keys.is_empty() {
            return self.selector.clone();
        }
        let own = self.match_label_keys.iter().filter_map(|key| {
            let value = labels.value_of(key)?;
            Requirement::new("", key, Operator::Equals, [value]).ok()
        });
        self.selector.and(own)
    }
}

/// The kinds of owner whose selector says which pods belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OwnerKind {
    /// `v1` ReplicationController.
    ReplicationController,
    /// `apps/v1` ReplicaSet.
    ReplicaSet,
    /// `apps/v1` StatefulSet.
    StatefulSet,
}

/// The controller of a pod, if it is of such a kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Owner {
    /// Its kind.
    pub kind: OwnerKind,
    /// Its name.
    pub name: Text,
}

impl Owner {
    /// Reads the owner references in an object's metadata.
    pub fn read(meta: &Map) -> Option<Self> {
        let references = meta.get("ownerReferences").and_then(Value::as_list)?;
        let is_controller =
            |owner: &&Value| owner.get("controller").and_then(Value::as_bool) == Some(true);
        let owner = references.iter().find(is_controller)?;
        let word = |field: &str| owner.str_at(&[field]).unwrap_or_default();
        let kind = match (word("apiVersion"), word("kind")) {
            ("v1", "ReplicationController") => OwnerKind::ReplicationController,
            ("apps/v1", "ReplicaSet") => OwnerKind::ReplicaSet,
            ("apps/v1", "StatefulSet") => OwnerKind::StatefulSet,
            _ => return None,
        };
        Some(Self { kind, name: word("name").into() })
    }
}
