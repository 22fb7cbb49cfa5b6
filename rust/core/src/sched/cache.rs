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

use std::collections::BTreeMap;
use std::sync::Arc;

use super::journal::What;
use super::nodes::{NodeId, Nodes, PodOnNode};
use super::nominations::Nominations;
use super::pod_info::{InfoId, PodInfo, PodInfos};
use super::pods_by_content::PodsByContent;
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
    /// Pods on nodes.
    pub on_nodes: PodsByContent,
    /// Pods on nodes that have affinity terms.
    pub affinity: PodsByContent,
    /// How many pods on nodes have each priority.
    priorities: BTreeMap<i32, u32>,
    pods: CowVec<PodRecord>,
}

impl Cache {
    /// The lowest priority of any pod on a node.
    pub fn lowest_priority(&self) -> Option<i32> {
        self.priorities.first_key_value().map(|(priority, _)| *priority)
    }

    /// The priorities of the pods on nodes, lowest first.
    pub fn priorities(&self) -> impl Iterator<Item = i32> {
        self.priorities.keys().copied()
    }

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
        self.index(slot, on_node.info, &pod);
        let content = self.infos.content(on_node.info);
        let what = What::Pods { content, all: 1, staying: i8::from(!terminating) };
        self.nodes.journal.note(node, what);
    }

    /// Makes the pod at `slot`, which is on a node, known by its content.
    pub(super) fn index(&mut self, slot: u32, info: InfoId, pod: &PodInfo) {
        self.on_nodes.add(info, slot);
        *self.priorities.entry(pod.priority).or_default() += 1;
        if pod.affinity.is_some() {
            self.affinity.add(info, slot);
        }
    }

    /// Notes that the deletion of a pod on a node was asked for.
    pub fn set_terminating(&mut self, slot: u32, node: NodeId) {
        if let Some(info) = self.nodes.set_terminating(node, slot) {
            let content = self.infos.content(info);
            self.nodes.journal.note(node, What::Pods { content, all: 0, staying: -1 });
        }
    }

    /// Takes the pod at `slot`, which had this content, off its node.
    pub fn take_off_node(&mut self, slot: u32, node: NodeId, info: InfoId, pod: &PodInfo) {
        let terminating = self.nodes.remove_pod(node, slot, pod);
        let content = self.infos.content(info);
        let what = What::Pods { content, all: -1, staying: -i8::from(!terminating) };
        self.nodes.journal.note(node, what);
        self.on_nodes.remove(info, slot);
        let count = self.priorities.get_mut(&pod.priority).expect("the pod was counted");
        *count -= 1;
        if *count == 0 {
            self.priorities.remove(&pod.priority);
        }
        if pod.affinity.is_some() {
            self.affinity.remove(info, slot);
        }
    }

    /// What scheduling needs of the pod at `slot`.
    ///
    /// # Panics
    /// When the row holds no pod of interest.
    pub fn info(&self, slot: u32) -> &Arc<PodInfo> {
        self.infos.get(self.pod(slot).info.expect("a pod of interest is at the slot"))
    }
}
