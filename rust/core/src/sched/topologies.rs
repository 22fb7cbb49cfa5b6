//! Topology keys that pods name, and which domain of each a node lies in.
//!
//! A key gets a column when the first pod that names it is seen, and keeps it. Domains are
//! numbers: who counts pods per domain indexes an array.

use std::sync::Arc;

use super::nodes::NodeId;
use crate::base::{CowVec, Interner, StrId, Text};
use crate::define_id;
use crate::labels::{LabelSet, Labels};

/// The label that names a node itself.
pub const HOSTNAME: &str = "kubernetes.io/hostname";

define_id! {
    /// A topology key.
    KeyId
}

/// One topology key; see the module header.
#[derive(Clone, Debug)]
pub struct Topology {
    /// The label's key.
    pub key: Text,
    domains: Interner,
    of_node: CowVec<Option<StrId>>,
}

impl Topology {
    /// The domain a node lies in; none when it lacks the label.
    #[inline]
    pub fn of(&self, node: NodeId) -> Option<StrId> {
        self.of_node.get(node.index()).copied().flatten()
    }

    /// One past the highest number of a domain.
    pub fn domains(&self) -> usize {
        self.domains.len()
    }

    /// Whether every node is a domain of its own.
    pub fn is_hostname(&self) -> bool {
        self.key == HOSTNAME
    }

    /// Notes the domain of a node; says whether that is news.
    fn set(&mut self, node: NodeId, labels: Option<LabelSet>) -> bool {
        let value = labels.as_ref().and_then(|labels| labels.value_of(&self.key));
        let domain = value.map(|value| self.domains.intern(value));
        let news = self.of(node) != domain;
        if news {
            self.of_node.resize(self.of_node.len().max(node.index() + 1));
            self.of_node.set(node.index(), domain);
        }
        news
    }
}

/// Every topology key in use.
#[derive(Clone, Debug, Default)]
pub struct Topologies {
    list: Vec<Arc<Topology>>,
    /// How often a node went to another domain.
    version: u64,
}

impl Topologies {
    /// The number of a key, if a pod ever named it.
    pub fn find(&self, key: &str) -> Option<KeyId> {
        self.list.iter().position(|topology| topology.key == key).map(KeyId::new)
    }

    /// A number that is another once a node lies in another domain.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Every key.
    pub fn keys(&self) -> impl Iterator<Item = &Text> {
        self.list.iter().map(|topology| &topology.key)
    }

    /// A key's column.
    pub fn get(&self, key: KeyId) -> &Arc<Topology> {
        &self.list[key.index()]
    }

    /// Gives a key a column, filled from the nodes there are.
    pub fn add<'a>(&mut self, key: &str, nodes: impl Iterator<Item = (NodeId, LabelSet<'a>)>) {
        let mut topology =
            Topology { key: key.into(), domains: Interner::new(), of_node: CowVec::new() };
        for (node, labels) in nodes {
            topology.set(node, Some(labels));
        }
        self.list.push(Arc::new(topology));
    }

    /// Brings the columns up to date with a node's labels; none when the node is gone.
    pub fn set(&mut self, node: NodeId, labels: Option<LabelSet>) {
        for topology in &mut self.list {
            self.version += u64::from(Arc::make_mut(topology).set(node, labels));
        }
    }
}
