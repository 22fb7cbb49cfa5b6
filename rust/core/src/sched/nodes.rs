//! The nodes of the cluster as the scheduler sees them, in columns.
//!
//! ```text
//!   order ─► NodeId ─► rows    64 bytes: what every Filter and Score reads
//!                      infos   the rest: name, ports, rare resources, pods, images
//! ```
//!
//! A node that is gone stays as long as pods are bound to it, as in Kubernetes' cache, and
//! comes back with them if it is created anew.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::images::{Images, NodeImage};
use super::journal::{Journal, What};
pub use super::node_info::{Amount, NodeCopy, NodeInfo, NodeRow, NodeView, PodOnNode, Rare};
use super::node_info::{count, occupy, rare_amounts, vacate};
use super::node_spec::NodeSpec;
use super::plugins::gpu_share::{GPU_MODEL, devices};
use super::pod_info::{InfoId, PodInfo};
use super::saved::SavedNode;
use super::taints::TaintSets;
use super::topologies::Topologies;
use super::zones::{Zones, zone_key};
use crate::base::{CowMap, CowVec, Interner, Text, hash_of};
use crate::define_id;
use crate::labels::{LabelSets, Labels};
use crate::store::shape::Resources;

define_id! {
    /// A node of one scheduler.
    NodeId
}

/// What of the nodes follows from their history alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedOrder {
    zones: Zones,
    order: Vec<NodeId>,
    order_is_stale: bool,
    changed: Vec<NodeId>,
    free: CowVec<u32>,
}

/// The place of a node that is not in the order.
const NOWHERE: u32 = u32::MAX;

/// Every node; see the module header.
#[derive(Clone, Debug, Default)]
pub struct Nodes {
    rows: CowVec<NodeRow>,
    infos: CowVec<NodeInfo>,
    by_name: CowMap<Text, NodeId>,
    free: CowVec<u32>,
    zones: Arc<Zones>,
    order: Arc<Vec<NodeId>>,
    /// By node its place in the order, or [`NOWHERE`].
    places: Arc<Vec<u32>>,
    order_is_stale: bool,
    changed: Vec<NodeId>,
    /// The distinct taint lists.
    pub taints: TaintSets,
    /// Names of resources beyond cpu, memory and ephemeral storage.
    pub resources: Interner,
    /// Which images are on how many nodes.
    pub images: Images,
    /// The topology keys pods name.
    pub topologies: Topologies,
    /// How many nodes are unschedulable.
    pub unschedulable: u32,
    /// What happened to nodes lately.
    pub journal: Journal,
}

impl Nodes {
    /// The nodes in the order they are looked at, as of the last snapshot.
    #[inline]
    pub fn order(&self) -> &[NodeId] {
        &self.order
    }

    /// [`Self::order`], to be compared with what it was.
    pub fn shared_order(&self) -> &Arc<Vec<NodeId>> {
        &self.order
    }

    /// The place of a node in the order, if it is there.
    #[inline]
    pub fn place(&self, id: NodeId) -> Option<usize> {
        self.places.get(id.index()).filter(|place| **place != NOWHERE).map(|place| *place as usize)
    }

    /// Replaces the order.
    fn set_order(&mut self, order: Vec<NodeId>) {
        let mut places = vec![NOWHERE; self.infos.len()];
        for (place, id) in order.iter().enumerate() {
            places[id.index()] = place as u32;
        }
        self.order = Arc::new(order);
        self.places = Arc::new(places);
    }

    /// Whether there is any node object.
    pub fn any(&self) -> bool {
        self.zones.nodes().next().is_some()
    }

    /// What every Filter and Score reads of a node.
    #[inline]
    pub fn row(&self, id: NodeId) -> &NodeRow {
        &self.rows[id.index()]
    }

    /// The rest of a node.
    #[inline]
    pub fn info(&self, id: NodeId) -> &NodeInfo {
        &self.infos[id.index()]
    }

    /// A node as it is.
    #[inline]
    pub fn view(&self, id: NodeId) -> NodeView<'_> {
        NodeView { id, row: self.row(id), info: self.info(id), changed: 0 }
    }

    /// A node to change on trial.
    pub fn copy(&self, id: NodeId) -> NodeCopy {
        NodeCopy { id, row: *self.row(id), info: self.info(id).clone(), changed: 0 }
    }

    /// The node of this name, if there is such a node object.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        let id = *self.by_name.get(&Text::from(name))?;
        self.info(id).spec.is_some().then_some(id)
    }

    /// Makes sure that a topology key has a column.
    pub fn know_topology(&mut self, key: &str, sets: &LabelSets) {
        if self.topologies.find(key).is_some() {
            return;
        }
        let nodes = self.infos.iter().enumerate();
        let nodes = nodes
            .filter_map(|(at, info)| Some((NodeId::new(at), sets.get(info.spec.as_ref()?.labels))));
        self.topologies.add(key, nodes);
    }

    /// One past the highest number of a node.
    pub fn numbers(&self) -> usize {
        self.infos.len()
    }

    /// Every id in use, nodes that are gone but have pods included, in order of their numbers.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> {
        let used = self.infos.iter().enumerate().filter(|(_, info)| !info.name.is_empty());
        used.map(|(at, _)| NodeId::new(at))
    }

    /// Orders and marks that follow from history alone, for a saved scheduler.
    pub(super) fn saved_order(&self) -> SavedOrder {
        SavedOrder {
            zones: Zones::clone(&self.zones),
            order: self.order.to_vec(),
            order_is_stale: self.order_is_stale,
            changed: self.changed.clone(),
            free: self.free.clone(),
        }
    }

    /// Puts a saved node back at its number, without pods.
    pub(super) fn restore(
        &mut self,
        node: &SavedNode,
        spec: Option<&Arc<NodeSpec>>,
        sets: &LabelSets,
    ) {
        let at = node.id.index();
        self.rows.resize(self.rows.len().max(at + 1));
        self.infos.resize(self.infos.len().max(at + 1));
        self.by_name.insert(node.name.clone(), node.id);
        let images = node.images.clone().into();
        let zone = spec.map(|spec| zone_key(&sets.get(spec.labels))).unwrap_or_default();
        let info = NodeInfo { name: node.name.clone(), zone, images, ..NodeInfo::default() };
        self.infos.set(at, info);
        if let Some(spec) = spec {
            self.infos.get_mut(at).spec = Some(Arc::clone(spec));
            self.set_spec_columns(node.id, spec);
            self.set_gpus(node.id, Some((spec, sets)));
        }
    }

    /// Restores what [`Self::saved_order`] saved, after the nodes themselves.
    pub(super) fn restore_order(&mut self, saved: SavedOrder, images: Images) {
        self.zones = Arc::new(saved.zones);
        self.order_is_stale = saved.order_is_stale;
        self.changed = saved.changed;
        let numbers = self.infos.len() as u32;
        let highest_free = saved.free.iter().copied().max().map_or(0, |free| free + 1);
        self.rows.resize(numbers.max(highest_free) as usize);
        self.infos.resize(numbers.max(highest_free) as usize);
        self.free = saved.free;
        self.images = images;
        self.set_order(saved.order);
    }

    /// Takes in a node object that is new or has changed; returns what it was before.
    pub fn set(
        &mut self,
        name: &Text,
        spec: &Arc<NodeSpec>,
        sets: &LabelSets,
    ) -> (NodeId, Option<Arc<NodeSpec>>) {
        let id = self.id_of(name);
        let old = self.infos.get_mut(id.index()).spec.replace(Arc::clone(spec));
        let prefers = self.taints.any_prefers();
        let labels = sets.get(spec.labels);
        self.set_zone(id, zone_key(&labels), old.is_some());
        self.topologies.set(id, Some(labels));
        self.set_images(id, Some(spec));
        self.set_spec_columns(id, spec);
        self.set_gpus(id, Some((spec, sets)));
        self.changed.push(id);
        let moved = old.as_ref().is_none_or(|old| old.labels != spec.labels);
        if old.as_ref() == Some(spec) {
            self.journal.note(id, What::Room);
        } else if prefers == self.taints.any_prefers() {
            self.note_object(id, moved, old.is_none());
        } else {
            self.journal.forget();
        }
        (id, old)
    }

    /// Forgets a node object; its pods stay known.
    pub fn remove(&mut self, name: &str) -> Option<Arc<NodeSpec>> {
        let id = self.find(name)?;
        self.set_images(id, None);
        self.set_gpus(id, None);
        self.topologies.set(id, None);
        self.note_object(id, true, true);
        let info = self.infos.get_mut(id.index());
        let spec = info.spec.take().expect("the node was found");
        let zone = std::mem::take(&mut info.zone);
        for amount in &mut info.amounts {
            amount.allocatable = 0;
        }
        Arc::make_mut(&mut self.zones).remove(&zone, id);
        self.order_is_stale = true;
        let row = self.rows.get_mut(id.index());
        self.unschedulable -= u32::from(row.unschedulable);
        row.unschedulable = false;
        self.drop_if_unused(id);
        Some(spec)
    }

    /// Notes a change of a node object. Pods that changed domains with their node are not told
    /// one by one, and neither is how common an image is that other nodes have, too.
    fn note_object(&mut self, id: NodeId, moved: bool, came_or_went: bool) {
        let has_pods = !self.info(id).pods.is_empty();
        if moved && has_pods || came_or_went && self.images.any() {
            self.journal.forget();
        } else {
            self.journal.note_object(id, moved);
        }
    }

    /// The number for a node of this name, which need not exist.
    pub fn number(&mut self, name: &Text) -> NodeId {
        self.id_of(name)
    }

    /// Adds a pod to a node. Who calls it notes that in the journal.
    pub(super) fn add_pod(&mut self, id: NodeId, on_node: PodOnNode, pod: &PodInfo) {
        let (row, info) = (self.rows.get_mut(id.index()), self.infos.get_mut(id.index()));
        occupy(row, info, &mut self.resources, on_node, pod);
        self.changed.push(id);
    }

    /// Takes the room of copies of a pod on a node, without any pod there. Who calls it notes
    /// that in the journal.
    pub(super) fn take_room(&mut self, id: NodeId, pod: &PodInfo, copies: u32) {
        count(self.rows.get_mut(id.index()), pod, i64::from(copies));
        for (resource, amount) in rare_amounts(&mut self.resources, pod) {
            let info = self.infos.get_mut(id.index());
            info.amount_mut(resource).used += amount * i64::from(copies);
        }
    }

    /// Removes a pod from its node; says whether it was terminating. Who calls it notes that in
    /// the journal.
    pub(super) fn remove_pod(&mut self, id: NodeId, slot: u32, pod: &PodInfo) -> bool {
        let (row, info) = (self.rows.get_mut(id.index()), self.infos.get_mut(id.index()));
        let terminating = vacate(row, info, &self.resources, slot, pod);
        self.changed.push(id);
        self.drop_if_unused(id);
        terminating
    }

    /// Notes that the deletion of a pod was asked for; returns its content if that is news.
    pub(super) fn set_terminating(&mut self, id: NodeId, slot: u32) -> Option<InfoId> {
        let pods = &mut self.infos.get_mut(id.index()).pods;
        let pod = pods.iter_mut().find(|pod| pod.slot == slot);
        let pod = pod.expect("the pod is on the node");
        let news = !std::mem::replace(&mut pod.terminating, true);
        self.changed.push(id);
        news.then_some(pod.info)
    }

    /// Adds a pod to a copy of a node.
    pub fn try_add(&self, node: &mut NodeCopy, on_node: PodOnNode, pod: &PodInfo) {
        let mut resources = self.resources.clone();
        occupy(&mut node.row, &mut node.info, &mut resources, on_node, pod);
        node.changed ^= hash_of(&on_node.slot);
        if let Some((gpus, request)) = node.info.gpus.as_mut().zip(pod.gpu.as_ref()) {
            gpus.promise(request);
        }
    }

    /// Removes a pod from a copy of a node.
    pub fn try_remove(&self, node: &mut NodeCopy, slot: u32, pod: &PodInfo) {
        vacate(&mut node.row, &mut node.info, &self.resources, slot, pod);
        node.changed ^= hash_of(&slot);
    }

    /// Notes whether pods are nominated to run on a node.
    pub fn set_nominated(&mut self, id: NodeId, nominated: bool) {
        self.rows.get_mut(id.index()).nominated = nominated;
        self.journal.note(id, What::Room);
    }

    /// Brings what a cycle sees up to date: the order if nodes came or went, and how common
    /// the images of changed nodes are.
    pub fn take_snapshot(&mut self) {
        if std::mem::take(&mut self.order_is_stale) {
            self.set_order(self.zones.order());
        }
        while let Some(id) = self.changed.pop() {
            let images = &self.infos[id.index()].images;
            if images.iter().any(|image| image.nodes != self.images.nodes(image.name)) {
                let table = &self.images;
                let fresh = images
                    .iter()
                    .map(|image| NodeImage { nodes: table.nodes(image.name), ..*image });
                let fresh = fresh.collect();
                self.infos.get_mut(id.index()).images = fresh;
            }
        }
    }

    fn id_of(&mut self, name: &Text) -> NodeId {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let info = NodeInfo { name: name.clone(), ..NodeInfo::default() };
        let id = if let Some(last) = self.free.len().checked_sub(1) {
            let at = self.free[last] as usize;
            self.free.resize(last);
            self.infos.set(at, info);
            NodeId::new(at)
        } else {
            self.rows.push(NodeRow::default());
            NodeId::new(self.infos.push(info))
        };
        self.by_name.insert(name.clone(), id);
        id
    }

    fn drop_if_unused(&mut self, id: NodeId) {
        let info = self.info(id);
        if info.spec.is_none() && info.pods.is_empty() {
            let name = info.name.clone();
            self.by_name.remove(&name);
            self.infos.set(id.index(), NodeInfo::default());
            self.rows.set(id.index(), NodeRow::default());
            self.free.push(id.index() as u32);
            self.changed.retain(|changed| *changed != id);
        }
    }

    /// Puts a node where it belongs among the zones. A node that moves to another zone keeps
    /// its place in the order until a node comes or goes, as in Kubernetes.
    fn set_zone(&mut self, id: NodeId, zone: Text, was_there: bool) {
        let info = self.infos.get_mut(id.index());
        if was_there && info.zone == zone {
            return;
        }
        let zones = Arc::make_mut(&mut self.zones);
        if was_there {
            zones.remove(&info.zone, id);
        }
        zones.add(&zone, id);
        info.zone = zone;
        self.order_is_stale |= !was_there;
    }

    fn set_images(&mut self, id: NodeId, spec: Option<&NodeSpec>) {
        let info = self.infos.get_mut(id.index());
        let listed = spec.map_or(&[][..], |spec| &spec.images);
        if info.images.is_empty() && listed.is_empty() {
            return;
        }
        self.images.remove(&info.images);
        info.images = self.images.add(listed).into();
    }

    /// Takes in which GPUs a node object offers; none when it is gone.
    fn set_gpus(&mut self, id: NodeId, node: Option<(&NodeSpec, &LabelSets)>) {
        let count = node.map_or(0, |(spec, _)| devices::count_of(spec));
        if count == 0 && self.info(id).gpus.is_none() {
            return;
        }
        let labels = node.map(|(spec, sets)| sets.get(spec.labels));
        let model = labels.as_ref().and_then(|labels| labels.value_of(GPU_MODEL));
        let gpus = &mut self.infos.get_mut(id.index()).gpus;
        gpus.get_or_insert_default().set(count, model.unwrap_or_default());
        *gpus = gpus.take().filter(|gpus| !gpus.is_empty());
    }

    /// Brings the columns up to date with a node object.
    fn set_spec_columns(&mut self, id: NodeId, spec: &NodeSpec) {
        self.set_allocatable(id, spec);
        let taints = self.taints.intern(&spec.taints);
        let row = self.rows.get_mut(id.index());
        self.unschedulable += u32::from(spec.unschedulable);
        self.unschedulable -= u32::from(row.unschedulable);
        row.taints = taints;
        row.unschedulable = spec.unschedulable;
    }

    fn set_allocatable(&mut self, id: NodeId, spec: &NodeSpec) {
        let row = self.rows.get_mut(id.index());
        let Resources { cpu_milli, memory_bytes, ephemeral_bytes, scalars } = &spec.allocatable;
        row.cpu_milli = *cpu_milli;
        row.memory_bytes = *memory_bytes;
        row.pods_allowed = u32::try_from(spec.pods_allowed.max(0)).unwrap_or(u32::MAX);
        let info = self.infos.get_mut(id.index());
        for amount in &mut info.amounts {
            amount.allocatable = 0;
        }
        if *ephemeral_bytes != 0 {
            info.amount_mut(Rare::EphemeralStorage).allocatable = *ephemeral_bytes;
        }
        for (name, allocatable) in scalars {
            let resource = self.resources.intern(name);
            info.amount_mut(Rare::Named(resource)).allocatable = *allocatable;
        }
    }
}
