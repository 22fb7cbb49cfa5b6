//! Pods that preempted others and wait for the room they were promised.
//!
//! Until such a pod is scheduled, pods of no higher priority must leave it its room: a Filter
//! runs once as if the nominated pods were on the node already, and once without them.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::Text;

/// Nominated pods by node; few at any time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nominations(Arc<Inner>);

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Inner {
    by_node: BTreeMap<Text, Vec<u32>>,
    by_pod: BTreeMap<u32, Text>,
}

impl Nominations {
    /// The rows of the pods nominated to a node, in order of nomination.
    pub fn on(&self, node: &str) -> &[u32] {
        self.0.by_node.get(node).map_or(&[], Vec::as_slice)
    }

    /// The node a pod is nominated to.
    pub fn of(&self, slot: u32) -> Option<&Text> {
        self.0.by_pod.get(&slot)
    }

    /// Nominates a pod, or withdraws its nomination; returns the nodes concerned.
    pub fn set(&mut self, slot: u32, node: Option<&Text>) -> [Option<Text>; 2] {
        if self.of(slot).is_none() && node.is_none() {
            return [None, None];
        }
        let inner = Arc::make_mut(&mut self.0);
        let before = inner.by_pod.remove(&slot);
        if let Some(name) = &before {
            let pods = inner.by_node.get_mut(name).expect("the node has the nomination");
            pods.retain(|pod| *pod != slot);
            if pods.is_empty() {
                inner.by_node.remove(name);
            }
        }
        if let Some(name) = node {
            inner.by_pod.insert(slot, name.clone());
            inner.by_node.entry(name.clone()).or_default().push(slot);
        }
        [before, node.cloned()]
    }

    /// Every nomination, by row.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Text)> {
        self.0.by_pod.iter().map(|(slot, node)| (*slot, node))
    }
}
