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

use smallvec::SmallVec;

use super::images::{Images, NodeImage};
use super::node_spec::NodeSpec;
use super::pod_info::{HostPort, PodInfo};
use super::taints::TaintSets;
use super::zones::{Zones, zone_key};
use crate::base::{CowMap, CowVec, Interner, StrId, Text};
use crate::define_id;
use crate::labels::LabelSets;
use crate::store::shape::Resources;

define_id! {
    /// A node of one scheduler.
    NodeId
}

/// What every Filter and Score reads of a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeRow {
    /// Allocatable milli-CPU.
    pub cpu_milli: i64,
    /// Allocatable bytes of memory.
    pub memory_bytes: i64,
    /// Milli-CPU the pods on it asked for.
    pub used_cpu_milli: i64,
    /// Bytes of memory the pods on it asked for.
    pub used_memory_bytes: i64,
    /// Milli-CPU of its pods as scores count it.
    pub scored_cpu_milli: i64,
    /// Bytes of memory of its pods as scores count it.
    pub scored_memory_bytes: i64,
    /// How many pods it has.
    pub pods: u32,
    /// How many pods it may have.
    pub pods_allowed: u32,
    /// The number of its taint list.
    pub taints: u32,
    /// `spec.unschedulable`.
    pub unschedulable: bool,
    /// Whether pods are nominated to run on it.
    pub nominated: bool,
}

/// An amount of a resource beyond cpu and memory on a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// The resource; `None` is ephemeral storage.
    pub resource: Option<StrId>,
    /// What the node has.
    pub allocatable: i64,
    /// What its pods asked for.
    pub used: i64,
}

/// A pod on a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PodOnNode {
    /// Its row.
    pub slot: u32,
    /// Its priority.
    pub priority: i32,
}

/// What is left to know of a node.
#[derive(Clone, Debug, Default)]
pub struct NodeInfo {
    /// `metadata.name`.
    pub name: Text,
    /// The node object; `None` when only its pods are left.
    pub spec: Option<Arc<NodeSpec>>,
    /// Its zone, as [`zone_key`] has it.
    pub zone: Text,
    /// Resources beyond cpu and memory.
    pub amounts: SmallVec<[Amount; 2]>,
    /// Host ports in use.
    pub host_ports: SmallVec<[HostPort; 0]>,
    /// Its pods, in the order Kubernetes keeps: a removed pod's place is taken by the last one.
    pub pods: Vec<PodOnNode>,
    /// The images on it, sorted by number.
    pub images: Arc<[NodeImage]>,
}

impl NodeInfo {
    /// The amount of a resource beyond cpu and memory; nothing when neither node nor pods
    /// mention it.
    pub fn amount(&self, resource: Option<StrId>) -> Amount {
        let found = self.amounts.iter().find(|amount| amount.resource == resource);
        found.copied().unwrap_or(Amount { resource, ..Amount::default() })
    }

    fn amount_mut(&mut self, resource: Option<StrId>) -> &mut Amount {
        let at = self.amounts.iter().position(|amount| amount.resource == resource);
        let at = at.unwrap_or_else(|| {
            self.amounts.push(Amount { resource, ..Amount::default() });
            self.amounts.len() - 1
        });
        &mut self.amounts[at]
    }
}

/// A node to be judged: as it is, or as it would be with other pods.
#[derive(Clone, Copy)]
pub struct NodeView<'a> {
    /// Which node.
    pub id: NodeId,
    /// What every Filter and Score reads.
    pub row: &'a NodeRow,
    /// The rest.
    pub info: &'a NodeInfo,
}

/// A node's state to be changed on trial.
#[derive(Clone, Debug)]
pub struct NodeCopy {
    /// Which node.
    pub id: NodeId,
    /// What every Filter and Score reads.
    pub row: NodeRow,
    /// The rest.
    pub info: NodeInfo,
}

impl NodeCopy {
    /// The copy as something to be judged.
    pub fn view(&self) -> NodeView<'_> {
        NodeView { id: self.id, row: &self.row, info: &self.info }
    }
}

/// Every node; see the module header.
#[derive(Clone, Debug, Default)]
pub struct Nodes {
    rows: CowVec<NodeRow>,
    infos: CowVec<NodeInfo>,
    by_name: CowMap<Text, NodeId>,
    free: CowVec<u32>,
    zones: Arc<Zones>,
    order: Arc<Vec<NodeId>>,
    order_is_stale: bool,
    changed: Vec<NodeId>,
    /// The distinct taint lists.
    pub taints: TaintSets,
    /// Names of resources beyond cpu, memory and ephemeral storage.
    pub resources: Interner,
    /// Which images are on how many nodes.
    pub images: Images,
    /// How many nodes are unschedulable.
    pub unschedulable: u32,
}

impl Nodes {
    /// The nodes in the order they are looked at, as of the last snapshot.
    pub fn order(&self) -> &[NodeId] {
        &self.order
    }

    /// Whether there is any node object.
    pub fn any(&self) -> bool {
        self.zones.nodes().next().is_some()
    }

    /// What every Filter and Score reads of a node.
    pub fn row(&self, id: NodeId) -> &NodeRow {
        &self.rows[id.index()]
    }

    /// The rest of a node.
    pub fn info(&self, id: NodeId) -> &NodeInfo {
        &self.infos[id.index()]
    }

    /// A node as it is.
    pub fn view(&self, id: NodeId) -> NodeView<'_> {
        NodeView { id, row: self.row(id), info: self.info(id) }
    }

    /// A node to change on trial.
    pub fn copy(&self, id: NodeId) -> NodeCopy {
        NodeCopy { id, row: *self.row(id), info: self.info(id).clone() }
    }

    /// The node of this name, if there is such a node object.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        let id = *self.by_name.get(&Text::from(name))?;
        self.info(id).spec.is_some().then_some(id)
    }

    /// Every id in use, nodes that are gone but have pods included, in order of their numbers.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> {
        let used = self.infos.iter().enumerate().filter(|(_, info)| !info.name.is_empty());
        used.map(|(at, _)| NodeId::new(at))
    }

    /// The zones, for a saved scheduler.
    pub(super) fn zones(&self) -> &Zones {
        &self.zones
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
        self.set_zone(id, zone_key(&sets.get(spec.labels)), old.is_some());
        self.set_images(id, Some(spec));
        self.set_allocatable(id, spec);
        let was_unschedulable = old.as_ref().is_some_and(|old| old.unschedulable);
        self.unschedulable += u32::from(spec.unschedulable);
        self.unschedulable -= u32::from(was_unschedulable);
        let taints = self.taints.intern(&spec.taints);
        let row = self.rows.get_mut(id.index());
        row.taints = taints;
        row.unschedulable = spec.unschedulable;
        self.changed.push(id);
        (id, old)
    }

    /// Forgets a node object; its pods stay known.
    pub fn remove(&mut self, name: &str) -> Option<Arc<NodeSpec>> {
        let id = self.find(name)?;
        self.set_images(id, None);
        let info = self.infos.get_mut(id.index());
        let spec = info.spec.take().expect("the node was found");
        let zone = std::mem::take(&mut info.zone);
        for amount in &mut info.amounts {
            amount.allocatable = 0;
        }
        Arc::make_mut(&mut self.zones).remove(&zone, id);
        self.order_is_stale = true;
        self.unschedulable -= u32::from(spec.unschedulable);
        self.drop_if_unused(id);
        Some(spec)
    }

    /// Adds a pod to the node of this name, which need not exist.
    pub fn add_pod(&mut self, node: &Text, slot: u32, pod: &PodInfo) -> NodeId {
        let id = self.id_of(node);
        self.add_pod_at(id, slot, pod);
        id
    }

    /// Adds a pod to a node.
    pub fn add_pod_at(&mut self, id: NodeId, slot: u32, pod: &PodInfo) {
        let (row, info) = (self.rows.get_mut(id.index()), self.infos.get_mut(id.index()));
        occupy(row, info, &mut self.resources, slot, pod);
        self.changed.push(id);
    }

    /// Removes a pod from its node.
    pub fn remove_pod(&mut self, id: NodeId, slot: u32, pod: &PodInfo) {
        let (row, info) = (self.rows.get_mut(id.index()), self.infos.get_mut(id.index()));
        vacate(row, info, &self.resources, slot, pod);
        self.changed.push(id);
        self.drop_if_unused(id);
    }

    /// Adds a pod to a copy of a node. Its resources are known by name already or count
    /// nowhere.
    pub fn try_add(&self, node: &mut NodeCopy, slot: u32, pod: &PodInfo) {
        let mut resources = self.resources.clone();
        occupy(&mut node.row, &mut node.info, &mut resources, slot, pod);
    }

    /// Removes a pod from a copy of a node.
    pub fn try_remove(&self, node: &mut NodeCopy, slot: u32, pod: &PodInfo) {
        vacate(&mut node.row, &mut node.info, &self.resources, slot, pod);
    }

    /// Notes whether pods are nominated to run on a node.
    pub fn set_nominated(&mut self, id: NodeId, nominated: bool) {
        self.rows.get_mut(id.index()).nominated = nominated;
    }

    /// Brings what a cycle sees up to date: the order if nodes came or went, and how common
    /// the images of changed nodes are.
    pub fn take_snapshot(&mut self) {
        if std::mem::take(&mut self.order_is_stale) {
            self.order = Arc::new(self.zones.order());
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
        let id = match self.free.len().checked_sub(1) {
            Some(last) => {
                let at = self.free[last] as usize;
                self.free.resize(last);
                self.infos.set(at, info);
                NodeId::new(at)
            }
            None => {
                self.rows.push(NodeRow::default());
                NodeId::new(self.infos.push(info))
            }
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
            info.amount_mut(None).allocatable = *ephemeral_bytes;
        }
        for (name, allocatable) in scalars {
            let resource = self.resources.intern(name);
            info.amount_mut(Some(resource)).allocatable = *allocatable;
        }
    }
}

/// Adds what a pod occupies to a node.
fn occupy(
    row: &mut NodeRow,
    info: &mut NodeInfo,
    resources: &mut Interner,
    slot: u32,
    pod: &PodInfo,
) {
    count(row, pod, 1);
    let occupied = &pod.requests.occupied;
    if occupied.ephemeral_bytes != 0 {
        info.amount_mut(None).used += occupied.ephemeral_bytes;
    }
    for (name, amount) in &occupied.scalars {
        info.amount_mut(Some(resources.intern(name))).used += amount;
    }
    for port in &pod.host_ports {
        if !info.host_ports.contains(port) {
            info.host_ports.push(port.clone());
        }
    }
    info.pods.push(PodOnNode { slot, priority: pod.priority });
}

/// Takes what a pod occupies off a node.
fn vacate(row: &mut NodeRow, info: &mut NodeInfo, resources: &Interner, slot: u32, pod: &PodInfo) {
    let at = info.pods.iter().position(|have| have.slot == slot);
    info.pods.swap_remove(at.expect("the pod is on the node"));
    count(row, pod, -1);
    let occupied = &pod.requests.occupied;
    if occupied.ephemeral_bytes != 0 {
        info.amount_mut(None).used -= occupied.ephemeral_bytes;
    }
    for (name, amount) in &occupied.scalars {
        info.amount_mut(resources.find(name)).used -= amount;
    }
    info.host_ports.retain(|port| !pod.host_ports.contains(port));
}

fn count(row: &mut NodeRow, pod: &PodInfo, sign: i64) {
    let requests = &pod.requests;
    row.used_cpu_milli += sign * requests.occupied.cpu_milli;
    row.used_memory_bytes += sign * requests.occupied.memory_bytes;
    row.scored_cpu_milli += sign * requests.scored_cpu_milli;
    row.scored_memory_bytes += sign * requests.scored_memory_bytes;
    row.pods = row.pods.wrapping_add_signed(sign as i32);
}
