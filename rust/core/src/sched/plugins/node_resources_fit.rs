//! NodeResourcesFit: what a pod asks for must be left on its node; and a score for how much
//! would be left.

use smallvec::SmallVec;

use super::resource_allocation::{Demand, Demands, Shape};
use super::{Context, Filter, PluginId, Scorer};
use crate::base::{StrId, Text};
use crate::sched::events::{Actions, Event, Interest, Resource, Subject};
use crate::sched::node_spec::NodeSpec;
use crate::sched::nodes::{Amount, NodeInfo, NodeRow, NodeView, Rare};
use crate::sched::pod_info::PodInfo;
use crate::sched::requests::is_extended;
use crate::sched::status::{Code, Reasons, Rejection};
use crate::store::shape::Resources;

/// Events after which a pod it rejected may fit.
pub const INTERESTS: &[Interest] = &[
    Interest {
        resource: Resource::Pod,
        actions: Actions::DELETE.or(Actions::UPDATE_POD_SCALE_DOWN),
    },
    Interest {
        resource: Resource::Node,
        actions: Actions::ADD.or(Actions::UPDATE_NODE_ALLOCATABLE),
    },
];

const PODS: u64 = 1;
const CPU: u64 = 1 << 1;
const MEMORY: u64 = 1 << 2;
const EPHEMERAL: u64 = 1 << 3;
/// The first bit of the pod's scalar resources. A pod that asks for more than sixty of them
/// fails on each as it should, but only the first sixty have words.
const FIRST_SCALAR: u32 = 4;

/// How the score of a node follows from its resources.
#[derive(Clone, Debug, PartialEq)]
pub enum Strategy {
    /// The emptier the better.
    LeastAllocated,
    /// The fuller the better.
    MostAllocated,
    /// By a shape of (utilization, score) points.
    RequestedToCapacityRatio(Shape),
}

/// `NodeResourcesFitArgs`.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `ignoredResources`.
    pub ignored_resources: Vec<Text>,
    /// `ignoredResourceGroups`.
    pub ignored_resource_groups: Vec<Text>,
    /// `scoringStrategy.type` with its arguments.
    pub strategy: Strategy,
    /// `scoringStrategy.resources`: names and weights.
    pub resources: Vec<(Text, i64)>,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            ignored_resources: Vec::new(),
            ignored_resource_groups: Vec::new(),
            strategy: Strategy::LeastAllocated,
            resources: vec![("cpu".into(), 1), ("memory".into(), 1)],
        }
    }
}

impl Args {
    fn ignores(&self, name: &str) -> bool {
        let group = name.split('/').next().unwrap_or_default();
        is_extended(name)
            && (self.ignored_resources.iter().any(|ignored| ignored == name)
                || self.ignored_resource_groups.iter().any(|ignored| ignored == group))
    }
}

/// One resource beyond cpu and memory that a pod asks for.
#[derive(Clone, Copy, Debug)]
struct Other {
    reason: u64,
    amount: i64,
    /// What nodes know it by; nothing when no node has it.
    resource: Option<Rare>,
}

/// What a pod asks for.
#[derive(Clone, Debug)]
pub struct FitFilter {
    cpu_milli: i64,
    memory_bytes: i64,
    others: SmallVec<[Other; 2]>,
}

/// The filter.
pub fn filter<'a>(context: &Context<'a>) -> Filter<'a> {
    let asked = &context.pod.requests.asked;
    Filter::Fit(FitFilter::new(asked, &context.args.fit, |name| context.nodes.resources.find(name)))
}

impl FitFilter {
    fn new(asked: &Resources, args: &Args, find: impl Fn(&str) -> Option<StrId>) -> Self {
        let mut others = SmallVec::new();
        if asked.ephemeral_bytes > 0 {
            let amount = asked.ephemeral_bytes;
            others.push(Other {
                reason: EPHEMERAL,
                amount,
                resource: Some(Rare::EphemeralStorage),
            });
        }
        for (at, (name, amount)) in asked.scalars.iter().enumerate() {
            if *amount != 0 && !args.ignores(name) {
                let reason = 1_u64.checked_shl(FIRST_SCALAR + at as u32).unwrap_or(1 << 63);
                others.push(Other {
                    reason,
                    amount: *amount,
                    resource: find(name).map(Rare::Named),
                });
            }
        }
        Self { cpu_milli: asked.cpu_milli, memory_bytes: asked.memory_bytes, others }
    }

    /// Judges a node.
    pub fn check(&self, node: NodeView) -> Result<(), Rejection> {
        let row = node.row;
        let has_room = row.pods < row.pods_allowed
            && fits(self.cpu_milli, row.cpu_milli, row.used_cpu_milli)
            && fits(self.memory_bytes, row.memory_bytes, row.used_memory_bytes);
        if has_room && self.others.is_empty() {
            return Ok(());
        }
        self.explain(row, node.info)
    }

    /// How many copies of the pod a node has room for.
    pub fn room(&self, node: NodeView) -> u32 {
        let row = node.row;
        let cpu = copies(self.cpu_milli, row.cpu_milli, row.used_cpu_milli);
        let memory = copies(self.memory_bytes, row.memory_bytes, row.used_memory_bytes);
        let others = self.others.iter().map(|other| {
            let resource = other.resource.map(|resource| node.info.amount(resource));
            let Amount { allocatable, used, .. } = resource.unwrap_or_default();
            copies(other.amount, allocatable, used)
        });
        let slots = row.pods_allowed.saturating_sub(row.pods);
        others.fold(slots.min(cpu).min(memory), u32::min)
    }

    /// Every reason why a node has no room.
    fn explain(&self, row: &NodeRow, info: &NodeInfo) -> Result<(), Rejection> {
        let mut short = Shortage::default();
        if row.pods >= row.pods_allowed {
            short.reasons |= PODS;
        }
        short.compare(CPU, self.cpu_milli, row.cpu_milli, row.used_cpu_milli);
        short.compare(MEMORY, self.memory_bytes, row.memory_bytes, row.used_memory_bytes);
        for other in &self.others {
            let amount = other.resource.map(|resource| info.amount(resource)).unwrap_or_default();
            short.compare(other.reason, other.amount, amount.allocatable, amount.used);
        }
        match short.reasons {
            0 => Ok(()),
            reasons => {
                let code = if short.for_good {
                    Code::UnschedulableAndUnresolvable
                } else {
                    Code::Unschedulable
                };
                Err(Rejection { plugin: PluginId::NODE_RESOURCES_FIT, code, reasons })
            }
        }
    }
}

/// What a node is short of, and whether it would be even when empty.
#[derive(Default)]
struct Shortage {
    reasons: u64,
    for_good: bool,
}

impl Shortage {
    fn compare(&mut self, reason: u64, asked: i64, allocatable: i64, used: i64) {
        if !fits(asked, allocatable, used) {
            self.reasons |= reason;
            self.for_good |= asked > allocatable;
        }
    }
}

/// Asking for nothing fits even where too much is in use.
fn fits(asked: i64, allocatable: i64, used: i64) -> bool {
    asked <= 0 || asked <= allocatable.wrapping_sub(used)
}

/// How often that fits. Asking for nothing fits without end.
fn copies(asked: i64, allocatable: i64, used: i64) -> u32 {
    if asked <= 0 {
        return u32::MAX;
    }
    u32::try_from(allocatable.wrapping_sub(used).max(0) / asked).unwrap_or(u32::MAX)
}

/// Reason bits in words.
pub fn reasons(bits: u64, pod: &PodInfo) -> Reasons {
    let named = [
        (PODS, "Too many pods"),
        (CPU, "Insufficient cpu"),
        (MEMORY, "Insufficient memory"),
        (EPHEMERAL, "Insufficient ephemeral-storage"),
    ];
    let named = named.into_iter().filter(|(bit, _)| bits & bit != 0);
    let scalars = pod.requests.asked.scalars.iter().take(60).enumerate();
    let scalars = scalars.filter(|(at, _)| bits & 1 << (FIRST_SCALAR + *at as u32) != 0);
    named
        .map(|(_, words)| Text::from(words))
        .chain(scalars.map(|(_, (name, _))| format!("Insufficient {name}").into()))
        .collect()
}

/// The scorer.
pub fn scorer<'a>(context: &Context<'a>) -> Scorer<'a> {
    let args = &context.args.fit;
    let pending = &context.pod.requests.pending;
    Scorer::Fit(Demands::new(&args.resources, pending, &context.nodes.resources), &args.strategy)
}

/// The score of a node.
pub fn score(demands: &Demands, strategy: &Strategy, node: NodeView) -> i64 {
    match strategy {
        Strategy::LeastAllocated => match demands.cpu_and_memory() {
            Some((cpu, memory)) => least_of_two(node.row, cpu, memory),
            None => demands.mean(node, least_requested),
        },
        Strategy::MostAllocated => demands.mean(node, most_requested),
        Strategy::RequestedToCapacityRatio(shape) => demands.mean_by_shape(node, shape),
    }
}

/// LeastAllocated over cpu and memory alone, the usual case.
fn least_of_two(row: &NodeRow, cpu: &Demand, memory: &Demand) -> i64 {
    let mut sum = 0;
    let mut weights = 0;
    let parts = [
        (cpu, row.cpu_milli, row.scored_cpu_milli),
        (memory, row.memory_bytes, row.scored_memory_bytes),
    ];
    for (demand, allocatable, used) in parts {
        if allocatable != 0 {
            sum += least_requested(used + demand.amount, allocatable) * demand.weight;
            weights += demand.weight;
        }
    }
    if weights == 0 { 0 } else { sum / weights }
}

/// Zero at or over capacity, a hundred when nothing is asked.
fn least_requested(requested: i64, capacity: i64) -> i64 {
    if requested > capacity {
        return 0;
    }
    (capacity - requested).wrapping_mul(super::MAX_SCORE) / capacity
}

/// A hundred at or over capacity.
fn most_requested(requested: i64, capacity: i64) -> i64 {
    requested.min(capacity).wrapping_mul(super::MAX_SCORE) / capacity
}

/// Whether an event could let a pod in that it rejected.
pub fn hint(event: &Event, pod: &PodInfo) -> bool {
    match event.subject {
        Subject::Node { old, new: Some(new), .. } => {
            fits_empty(pod, new) && old.is_none_or(|old| offers_more(pod, old, new))
        }
        Subject::AssignedPod { old: Some(_), new: None } | Subject::Itself { .. } => true,
        Subject::AssignedPod { old: Some(old), new: Some(new) } => frees(pod, old, new),
        _ => false,
    }
}

/// Whether the pod would fit on a node of its own.
fn fits_empty(pod: &PodInfo, node: &NodeSpec) -> bool {
    let asked = &pod.requests.asked;
    let asks = |name: &str, amount: i64| fits(amount, node.allocatable.get(name), 0);
    node.pods_allowed > 0 && asked.iter().all(|(name, amount)| asks(name, amount))
}

/// Whether a node offers more of anything the pod asks for, or room for more pods.
fn offers_more(pod: &PodInfo, old: &NodeSpec, new: &NodeSpec) -> bool {
    let mut asked = pod.requests.asked.iter();
    new.pods_allowed > old.pods_allowed
        || asked.any(|(name, _)| new.allocatable.get(name) > old.allocatable.get(name))
}

/// Whether another pod gave back anything the pod asks for.
fn frees(pod: &PodInfo, old: &PodInfo, new: &PodInfo) -> bool {
    let (old, new) = (&old.requests.occupied, &new.requests.occupied);
    pod.requests.asked.iter().any(|(name, _)| old.get(name) > new.get(name))
}
