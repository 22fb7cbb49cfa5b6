//! The scheduler as something that can be written down, and back.
//!
//! Only what cannot be had from the store is saved: the order of nodes and of pods on them, who
//! waits where and since when, nominations, where the next search starts. Compiled contents,
//! sums and indexes are made anew. The store may have gone on since the scheduler last looked;
//! what it knew then is read from the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::cache::{Cache, Place, PodRecord};
use super::config::Config;
use super::cycle::{Findings, Progress};
use super::default_selector::DefaultSelectors;
use super::images::{Images, NodeImage};
use super::node_spec::NodeSpec;
use super::nodes::{NodeId, Nodes, SavedOrder};
use super::nominations::Nominations;
use super::pod_info::PodInfo;
use super::queue::{Backoff, Queue, SavedQueue};
use super::{Remembered, Scheduler};
use crate::api::KindId;
use crate::base::{Stream, Text};
use crate::store::log::Version;
use crate::store::{Body, Store};

/// A scheduler in the form it is written in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Saved {
    nodes: Vec<SavedNode>,
    order: SavedOrder,
    images: Images,
    pods: Vec<(u32, u32, Place)>,
    queue: SavedQueue,
    nominations: Nominations,
    next_start: usize,
    stream: Stream,
}

/// A node with what only its history tells.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedNode {
    /// Its number.
    pub id: NodeId,
    /// Its name.
    pub name: Text,
    /// Whether there is such a node object.
    pub exists: bool,
    /// Its pods in order, and whether their deletion was asked for.
    pub pods: Vec<(u32, bool)>,
    /// Its images, as common as they were when it was last looked at.
    pub images: Vec<NodeImage>,
}

impl Scheduler {
    /// The scheduler in the form it is written in.
    pub fn to_saved(&self) -> Saved {
        let Cache { nodes, nominations, .. } = &self.cache;
        let save = |id: NodeId| {
            let info = nodes.info(id);
            SavedNode {
                id,
                name: info.name.clone(),
                exists: info.spec.is_some(),
                pods: info.pods.iter().map(|pod| (pod.slot, pod.terminating)).collect(),
                images: info.images.to_vec(),
            }
        };
        let pods = self.cache.pods();
        Saved {
            nodes: nodes.ids().map(save).collect(),
            order: nodes.saved_order(),
            images: nodes.images.clone(),
            pods: pods.map(|(slot, pod)| (slot, pod.generation, pod.place)).collect(),
            queue: self.queue.to_saved(),
            nominations: nominations.clone(),
            next_start: self.progress.next_start,
            stream: self.progress.stream.clone(),
        }
    }

    /// The scheduler a saved form stands for, over the store saved with it. `seen` is the last
    /// write it had observed.
    ///
    /// # Errors
    /// A sentence when the two do not belong together.
    pub fn from_saved(
        saved: Saved,
        config: Arc<Config>,
        store: &Store,
        seen: u64,
    ) -> Result<Self, String> {
        let mut cache = Cache::default();
        cache.nominations = saved.nominations;
        let past = Past::read(store, store.kinds.pod, seen);
        for (slot, generation, place) in &saved.pods {
            let body = past.body(store, *slot).ok_or_else(mismatch)?;
            let info = Some(cache.acquire(&PodInfo::of(body), &store.sets));
            cache.set_pod(*slot, PodRecord { info, generation: *generation, place: *place });
        }
        restore_nodes(&mut cache, &saved.nodes, store, seen)?;
        cache.nodes.restore_order(saved.order, saved.images);
        let times = Backoff::of(&config);
        let queue = Queue::from_saved(saved.queue, times, |slot| cache.pod(slot).info);
        let progress = Progress { next_start: saved.next_start, stream: saved.stream };
        let findings = Findings::default();
        let selectors = DefaultSelectors::default();
        let remembered = Remembered::default();
        Ok(Self {
            config,
            cache,
            queue,
            progress,
            findings,
            selectors,
            storage: None,
            remembered,
            last_message: None,
            halt: None,
        })
    }
}

fn mismatch() -> String {
    "the saved scheduler does not belong to this store".to_owned()
}

fn restore_nodes(
    cache: &mut Cache,
    saved: &[SavedNode],
    store: &Store,
    seen: u64,
) -> Result<(), String> {
    let specs = node_specs(store, seen);
    let mut nodes = Nodes::default();
    for node in saved {
        let spec = specs.get(&node.name).filter(|_| node.exists);
        if node.exists && spec.is_none() {
            return Err(mismatch());
        }
        nodes.restore(node, spec, &store.sets);
        for (slot, terminating) in &node.pods {
            if cache.pod(*slot).info.is_none() {
                return Err(mismatch());
            }
            let on_node = cache.on_node(*slot, *terminating);
            let pod = Arc::clone(cache.info(*slot));
            nodes.add_pod(node.id, on_node, &pod);
            cache.index(*slot, on_node.info, &pod);
        }
        nodes.set_nominated(node.id, !cache.nominations.on(&node.name).is_empty());
    }
    for key in cache.nodes.topologies.keys() {
        nodes.know_topology(key, &store.sets);
    }
    cache.nodes = nodes;
    Ok(())
}

/// Every node object by name, as of the write `seen`.
fn node_specs(store: &Store, seen: u64) -> BTreeMap<Text, Arc<NodeSpec>> {
    let kind = store.kinds.node;
    let past = Past::read(store, kind, seen);
    let now = store.table(kind).iter().filter(|(slot, _)| !past.0.contains_key(slot));
    let before = past.0.values().flatten();
    let rows = now.map(|(_, row)| row).chain(before.map(|version| &version.row));
    rows.filter_map(|row| {
        let spec = NodeSpec::of(row.body.as_ref()?);
        Some((row.name.text(&store.strings), spec))
    })
    .collect()
}

/// Objects of a kind that were written after some moment, as they were at that moment; nothing
/// for those that did not exist.
struct Past(BTreeMap<u32, Option<Arc<Version>>>);

impl Past {
    fn read(store: &Store, kind: KindId, seen: u64) -> Self {
        let mut objects = BTreeMap::new();
        for revision in seen + 1..=store.revision() {
            if let Some(entry) = store.log().get(revision).filter(|entry| entry.id().kind == kind) {
                objects.entry(entry.id().slot).or_insert_with(|| entry.previous.clone());
            }
        }
        Self(objects)
    }

    fn body<'a>(&'a self, store: &'a Store, slot: u32) -> Option<&'a Arc<Body>> {
        let row = match self.0.get(&slot) {
            Some(version) => &version.as_ref()?.row,
            None => store.table(store.kinds.pod).row(slot)?,
        };
        row.body.as_ref()
    }
}
