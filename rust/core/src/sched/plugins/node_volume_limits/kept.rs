//! What is attached to nodes, remembered from one cycle to the next.
//!
//! What a node has attached follows from its pods, their claims, the claims' volumes, or the
//! classes of claims without one, and what is said of the node's drivers. The journal of the
//! nodes says where pods came or went, the log of the store which of the objects were written.
//! Nothing here is state: it can be dropped at any time and no decision changes.

use std::sync::{Arc, Mutex};

use smallvec::SmallVec;

use super::{Attached, LimitsFilter, VolumeUse, migrated};
use crate::base::{FastMap, Text};
use crate::sched::nodes::{NodeId, NodeView};
use crate::sched::storage::StorageKinds;
use crate::store::log::Entry;
use crate::store::{ObjectId, Store};

/// How many readers of objects are remembered.
const READERS: usize = 1 << 21;

/// What is attached to one node.
#[derive(Debug, Default)]
pub struct NodeVolumes {
    /// How many volumes each driver takes.
    pub limits: Vec<(Text, i64)>,
    /// Old plugins whose work is left to drivers, as the node lists them.
    pub migrated: Text,
    /// Volumes of its pods.
    pub of_pods: Attached,
    /// How many volumes of each of those drivers are attached, the API's idea included.
    pub counts: Vec<i64>,
}

/// What is attached to nodes; see the module header.
#[derive(Debug, Default)]
pub struct KeptVolumes(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    /// Up to where the journal of the nodes was read.
    read: u64,
    /// Up to where the log of the store was read.
    revision: u64,
    nodes: Vec<Option<Arc<NodeVolumes>>>,
    /// Nodes by the objects that were read for them.
    readers: FastMap<ObjectId, SmallVec<[NodeId; 1]>>,
    /// Nodes with claims, volumes or classes that were not there.
    incomplete: Vec<NodeId>,
}

impl KeptVolumes {
    /// Takes in what happened since the last cycle that asked.
    pub fn catch_up(&self, filter: &LimitsFilter) {
        let mut inner = self.0.lock().expect("nobody panics meanwhile");
        let (store, cache) = (filter.storage.store, filter.cache);
        let journal = &cache.nodes.journal;
        match journal.since(inner.read) {
            Some(changes) => changes.iter().for_each(|change| inner.forget(change.node)),
            None => inner.clear(),
        }
        inner.read = journal.position();
        inner.nodes.resize(cache.nodes.numbers(), None);
        let to = store.revision();
        if inner.readers.len() > READERS || inner.nodes.iter().all(Option::is_none) {
            inner.clear();
            inner.nodes.resize(cache.nodes.numbers(), None);
        } else {
            for revision in inner.revision + 1..=to {
                match store.log().get(revision) {
                    Some(entry) => inner.take_in(filter, entry),
                    None => inner.clear(),
                }
            }
            inner.nodes.resize(cache.nodes.numbers(), None);
        }
        inner.revision = to;
    }

    /// What is attached to a node.
    pub fn of(&self, filter: &LimitsFilter, node: NodeView) -> Arc<NodeVolumes> {
        let mut inner = self.0.lock().expect("nobody panics meanwhile");
        if let Some(known) = &inner.nodes[node.id.index()] {
            return Arc::clone(known);
        }
        let (volumes, reads) = filter.read_node(node);
        for id in reads.objects {
            inner.readers.get_or_insert_with(id, SmallVec::new).push(node.id);
        }
        if reads.missing {
            inner.incomplete.push(node.id);
        }
        let volumes = Arc::new(volumes);
        inner.nodes[node.id.index()] = Some(Arc::clone(&volumes));
        volumes
    }
}

impl Inner {
    fn clear(&mut self) {
        let read = self.read;
        *self = Self { read, ..Self::default() };
    }

    fn forget(&mut self, node: NodeId) {
        if let Some(known) = self.nodes.get_mut(node.index()) {
            *known = None;
        }
    }

    /// Forgets the nodes an object has to do with that was written.
    fn take_in(&mut self, filter: &LimitsFilter, entry: &Entry) {
        let StorageKinds { claim, volume, class, csi_node, attachment, .. } = filter.storage.kinds;
        let id = entry.id();
        if id.kind == attachment {
            self.clear();
        } else if id.kind == csi_node {
            if let Some(node) =
                named(filter.storage.store, entry).and_then(|name| filter.cache.nodes.find(&name))
            {
                self.forget(node);
            }
        } else if [claim, volume, class].contains(&id.kind) {
            for node in self.readers.remove(&id).unwrap_or_default() {
                self.forget(node);
            }
            for node in std::mem::take(&mut self.incomplete) {
                self.forget(node);
            }
        }
    }
}

/// The name of the object that was written.
fn named(store: &Store, entry: &Entry) -> Option<Text> {
    let row = store.row(entry.id()).or(entry.previous.as_ref().map(|version| &version.row))?;
    Some(row.name.text(&store.strings))
}

impl NodeVolumes {
    /// Whether volumes of a pod are too many for the node.
    pub fn is_too_much(&self, own: &[VolumeUse]) -> bool {
        if self.limits.is_empty() {
            return false;
        }
        let mut new: SmallVec<[&(Text, Text); 4]> = SmallVec::new();
        for VolumeUse { plugin, volume } in own {
            let counts = plugin.is_none_or(|plugin| migrated(plugin, &self.migrated))
                && !self.of_pods.contains(volume)
                && !new.contains(&volume);
            if counts {
                new.push(volume);
            }
        }
        self.limits.iter().zip(&self.counts).any(|((driver, limit), attached)| {
            let more = new.iter().filter(|(name, _)| name == driver).count() as i64;
            more > 0 && attached + more > *limit
        })
    }
}
