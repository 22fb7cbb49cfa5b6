//! One node as the scheduler sees it, and what a pod does to it.

use std::sync::Arc;

use smallvec::SmallVec;

use super::images::NodeImage;
use super::node_spec::NodeSpec;
use super::nodes::NodeId;
use super::plugins::gpu_share::devices::Devices;
use super::pod_info::{HostPort, InfoId, PodInfo};
use crate::base::{Interner, StrId, Text};

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

/// A resource beyond cpu and memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rare {
    /// `ephemeral-storage`.
    #[default]
    EphemeralStorage,
    /// Any other, by its number among [`super::nodes::Nodes::resources`].
    Named(StrId),
}

/// An amount of a resource beyond cpu and memory on a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// The resource.
    pub resource: Rare,
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
    /// What scheduling needs of it.
    pub info: InfoId,
    /// Its priority.
    pub priority: i32,
    /// Whether its deletion was asked for.
    pub terminating: bool,
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
    /// Its GPUs, when it has any or its pods think so.
    pub gpus: Option<Box<Devices>>,
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
    pub fn amount(&self, resource: Rare) -> Amount {
        let found = self.amounts.iter().find(|amount| amount.resource == resource);
        found.copied().unwrap_or(Amount { resource, ..Amount::default() })
    }

    pub(super) fn amount_mut(&mut self, resource: Rare) -> &mut Amount {
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
    /// What tells a node on trial from the node as it is, which has zero here.
    pub changed: u64,
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
    /// Which pods came and went on trial, as the exclusive or of a number for each.
    pub changed: u64,
}

impl NodeCopy {
    /// The copy as something to be judged.
    pub fn view(&self) -> NodeView<'_> {
        NodeView { id: self.id, row: &self.row, info: &self.info, changed: self.changed }
    }
}

/// Adds what a pod occupies to a node.
pub(super) fn occupy(
    row: &mut NodeRow,
    info: &mut NodeInfo,
    resources: &mut Interner,
    on_node: PodOnNode,
    pod: &PodInfo,
) {
    count(row, pod, 1);
    let rare = rare_amounts(resources, pod);
    rare.for_each(|(resource, amount)| info.amount_mut(resource).used += amount);
    for port in &pod.host_ports {
        if !info.host_ports.contains(port) {
            info.host_ports.push(port.clone());
        }
    }
    if let Some(request) = &pod.gpu {
        info.gpus.get_or_insert_default().add(request);
    }
    info.pods.push(on_node);
}

/// The resources beyond cpu and memory that a pod occupies.
pub(super) fn rare_amounts(
    resources: &mut Interner,
    pod: &PodInfo,
) -> impl Iterator<Item = (Rare, i64)> {
    let occupied = &pod.requests.occupied;
    let ephemeral = Some((Rare::EphemeralStorage, occupied.ephemeral_bytes));
    let scalars = occupied.scalars.iter();
    let scalars = scalars.map(|(name, amount)| (Rare::Named(resources.intern(name)), *amount));
    ephemeral.into_iter().filter(|(_, bytes)| *bytes != 0).chain(scalars)
}

/// Takes what a pod occupies off a node; says whether it was terminating.
pub(super) fn vacate(
    row: &mut NodeRow,
    info: &mut NodeInfo,
    resources: &Interner,
    slot: u32,
    pod: &PodInfo,
) -> bool {
    let at = info.pods.iter().position(|have| have.slot == slot);
    let left = info.pods.swap_remove(at.expect("the pod is on the node"));
    count(row, pod, -1);
    let occupied = &pod.requests.occupied;
    if occupied.ephemeral_bytes != 0 {
        info.amount_mut(Rare::EphemeralStorage).used -= occupied.ephemeral_bytes;
    }
    for (name, amount) in &occupied.scalars {
        let resource = resources.find(name).expect("it was named when the pod came");
        info.amount_mut(Rare::Named(resource)).used -= amount;
    }
    info.host_ports.retain(|port| !pod.host_ports.contains(port));
    if let Some((gpus, request)) = info.gpus.as_mut().zip(pod.gpu.as_ref()) {
        gpus.remove(request);
    }
    left.terminating
}

/// Counts a pod so many times; less than none takes it off.
pub(super) fn count(row: &mut NodeRow, pod: &PodInfo, times: i64) {
    let requests = &pod.requests;
    row.used_cpu_milli += times * requests.occupied.cpu_milli;
    row.used_memory_bytes += times * requests.occupied.memory_bytes;
    row.scored_cpu_milli += times * requests.scored_cpu_milli;
    row.scored_memory_bytes += times * requests.scored_memory_bytes;
    row.pods = row.pods.wrapping_add(times as u32);
}
