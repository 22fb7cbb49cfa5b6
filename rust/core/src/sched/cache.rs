//! What the scheduler knows of pods and nodes, kept current by the watch log.
//!
//! ```text
//!              enters the queue        a cycle binds it          the log says so
//!   (nothing) ─────────────────► Queue ────────────────► Assumed ──────────────► Node
//!       ▲                          │                        │                      │
//!       └──────── ends, or is deleted, or is none of ours ──┴──────────────────────┘
//! ```
//!
//! An assumed pod already counts on its node; the log only confirms it.

use std::sync::Arc;

use super::nodes::{NodeId, Nodes, PodOnNode};
use super::nominations::Nominations;
use super::pod_info::{InfoId, PodInfo, PodInfos};
use crate::base::CowVec;
use crate::labels::LabelSets;

/// Where a pod stands; see the module header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Place {
    /// Nowhere: not known, or left alone.
    #[default]
    Nowhere,
    /// Waiting, under this number of the queue.
    Queue(u32),
    /// On a node by our own decision, which the log has not confirmed.
    Assumed(NodeId),
    /// On a node.
    Node(NodeId),
}

impl Place {
    /// The node, if the pod counts on one.
    pub fn node(self) -> Option<NodeId> {
        match self {
            Self::Assumed(node) | Self::Node(node) => Some(node),
            Self::Nowhere | Self::Queue(_) => None,
        }
    }
}

/// What the scheduler remembers of the pod in one row of the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PodRecord {
    /// What scheduling needs of it; `None` for a row that holds no pod of interest.
    pub info: Option<InfoId>,
    /// Which use of the row it is.
    pub generation: u32,
    /// Where it stands.
    pub place: Place,
}

/// Pods and nodes; see the module header.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    /// The nodes.
    pub nodes: Nodes,
    /// Distinct pods.
    pub infos: PodInfos,
    /// Pods that wait for room on a node they were promised.
    pub nominations: Nominations,
    pods: CowVec<PodRecord>,
}

impl Cache {
    /// What is remembered of the pod at `slot`.
    pub fn pod(&self, slot: u32) -> PodRecord {
        self.pods.get(slot as usize).copied().unwrap_or_default()
    }

    /// Replaces what is remembered of the pod at `slot`.
    pub fn set_pod(&mut self, slot: u32, record: PodRecord) {
        let at = slot as usize;
        if at >= self.pods.len() {
            self.pods.resize(at + 1);
        }
        self.pods.set(at, record);
    }

    /// Every row that holds a pod of interest.
    pub fn pods(&self) -> impl Iterator<Item = (u32, PodRecord)> {
        let all = self.pods.iter().enumerate();
        all.filter(|(_, record)| record.info.is_some()).map(|(slot, pod)| (slot as u32, *pod))
    }

    /// The number of a pod's content, counting one more use of it.
    pub fn acquire(&mut self, info: &Arc<PodInfo>, sets: &LabelSets) -> InfoId {
        for key in info.topology_keys() {
            self.nodes.know_topology(key, sets);
        }
        self.infos.acquire(info)
    }

    /// The pod at `slot` as it stands, or would stand, on a node.
    ///
    /// # Panics
    /// When the row holds no pod of interest.
    pub fn on_node(&self, slot: u32, terminating: bool) -> PodOnNode {
        let info = self.pod(slot).info.expect("a pod of interest is at the slot");
        PodOnNode { slot, info, priority: self.infos.get(info).priority, terminating }
    }

    /// Whether a pod on a node is known to be terminating.
    pub fn is_terminating(&self, slot: u32, node: NodeId) -> bool {
        let mut pods = self.nodes.info(node).pods.iter();
        pods.any(|pod| pod.slot == slot && pod.terminating)
    }

    /// Puts the pod at `slot` on a node.
    pub fn put_on_node(&mut self, slot: u32, node: NodeId, terminating: bool) {
        let on_node = self.on_node(slot, terminating);
        let pod = Arc::clone(self.infos.get(on_node.info));
        self.nodes.add_pod(node, on_node, &pod);
    }

    /// What scheduling needs of the pod at `slot`.
    ///
    /// # Panics
    /// When the row holds no pod of interest.
    pub fn info(&self, slot: u32) -> &Arc<PodInfo> {
        self.infos.get(self.pod(slot).info.expect("a pod of interest is at the slot"))
    }
}
