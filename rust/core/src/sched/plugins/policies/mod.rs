//! Published policies for clusters whose GPUs are shared, as score plugins, one file each.
//!
//! They are the six that "Beware of Fragmentation" (Weng, Yang et al., USENIX ATC 2023) compares.
//! Names, formulas and rounding are those of the simulator published with the paper
//! (hkust-adsl/kubernetes-scheduler-simulator, `pkg/simulator/plugin`). What they have in common:
//!
//! * cpu and GPU count, memory does not;
//! * the cpu a pod asks for is what scores count: 100m when it says nothing;
//! * amounts are put in relation to the largest machine there is, 128 cores and 8 GPUs;
//! * a score is cut to a whole number of 0 to 100. Many nodes get the same, and which of them is
//!   taken matters: the published runs take the first by name (`tieBreak: first-by-name`).
//!
//! None is part of the default profile. Which GPUs of a node a pod gets is up to
//! [`gpu_share`](super::gpu_share), with or without one of these.

pub mod best_fit_score;
pub mod dot_product_score;
pub mod fgd_score;
pub mod gpu_clustering_score;
pub mod gpu_packing_score;
pub mod random_score;
pub mod typical_pods;

use self::typical_pods::TypicalPods;
use super::gpu_share::request::GpuRequest;
use super::{Context, MAX_SCORE, PluginId, Scorer};
use crate::sched::nodes::{NodeId, NodeView, Nodes};
use crate::sched::pod_info::PodInfo;

/// Thousandths of a core of the largest machine.
pub const MOST_CPU_MILLI: f64 = 128_000.0;
/// Thousandths of GPUs of the largest machine.
pub const MOST_GPU_MILLI: i64 = 8_000;

/// What a cycle brings along for the policies.
#[derive(Clone, Copy, Default)]
pub struct Turn<'a> {
    /// The pods expected on the cluster, if a policy of the profile asks.
    pub typical: Option<&'a TypicalPods>,
    /// 64 random bits, if a policy of the profile asks.
    pub draw: u64,
}

/// A policy's prepared score.
pub enum Policy<'a> {
    /// See [`random_score`].
    Random(NodeId),
    /// See [`dot_product_score`].
    DotProduct(Ask),
    /// See [`gpu_clustering_score`].
    GpuClustering(&'a GpuRequest),
    /// See [`gpu_packing_score`].
    GpuPacking(&'a GpuRequest),
    /// See [`best_fit_score`].
    BestFit(Ask),
    /// See [`fgd_score`].
    Fragmentation(fgd_score::FragmentationScore<'a>),
}

/// What a pod asks for, or a node has left: thousandths of cores and of GPUs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ask {
    /// Thousandths of a core.
    pub cpu_milli: i64,
    /// Thousandths of GPUs, all together.
    pub gpu_milli: i64,
}

impl Ask {
    /// What a pod asks for.
    pub fn of(pod: &PodInfo) -> Self {
        let gpu = pod.gpu.as_ref();
        Self {
            cpu_milli: pod.requests.scored_cpu_milli,
            gpu_milli: gpu.map_or(0, |gpu| gpu.total_milli()),
        }
    }

    /// What a node has left.
    #[inline]
    pub fn left_on(node: NodeView) -> Self {
        let gpus = node.info.gpus.as_deref();
        Self {
            cpu_milli: cpu_left(node),
            gpu_milli: gpus.map_or(0, super::gpu_share::devices::Devices::total_left),
        }
    }

    /// Cpu and GPU in relation to the largest machine.
    fn shares(self) -> [f64; 2] {
        [self.cpu_milli as f64 / MOST_CPU_MILLI, self.gpu_milli as f64 / MOST_GPU_MILLI as f64]
    }
}

/// Thousandths of a core left on a node.
#[inline]
pub fn cpu_left(node: NodeView) -> i64 {
    node.row.cpu_milli - node.row.used_cpu_milli
}

/// Whether a policy scores each node by itself.
pub fn is_local(id: PluginId) -> bool {
    matches!(
        id,
        PluginId::DOT_PRODUCT_SCORE
            | PluginId::GPU_CLUSTERING_SCORE
            | PluginId::GPU_PACKING_SCORE
            | PluginId::FGD_SCORE
    )
}

/// Prepares a policy's score.
pub fn scorer<'a>(id: PluginId, context: &Context<'a>, feasible: &[NodeId]) -> Option<Scorer<'a>> {
    let pod = context.pod;
    let policy = match id {
        PluginId::RANDOM_SCORE => random_score::scorer(context.turn.draw, feasible)?,
        PluginId::DOT_PRODUCT_SCORE => Policy::DotProduct(Ask::of(pod)),
        PluginId::BEST_FIT_SCORE => Policy::BestFit(Ask::of(pod)),
        PluginId::GPU_CLUSTERING_SCORE => Policy::GpuClustering(pod.gpu.as_deref()?),
        PluginId::GPU_PACKING_SCORE => Policy::GpuPacking(pod.gpu.as_deref()?),
        PluginId::FGD_SCORE if pod.requests.asked.iter().next().is_none() => {
            return Some(Scorer::Constant(MAX_SCORE));
        }
        PluginId::FGD_SCORE => {
            let typical = context.turn.typical?;
            Policy::Fragmentation(fgd_score::FragmentationScore::new(typical, pod))
        }
        _ => return None,
    };
    Some(Scorer::Policy(policy))
}

impl Policy<'_> {
    /// Appends the normalised score of each node.
    pub fn score(&self, nodes: &Nodes, ids: &[NodeId], scores: &mut Vec<i64>) {
        match self {
            Self::Random(chosen) => {
                scores.extend(ids.iter().map(|id| if id == chosen { MAX_SCORE } else { 0 }));
            }
            Self::BestFit(ask) => best_fit_score::score(*ask, nodes, ids, scores),
            _ => scores.extend(ids.iter().map(|id| self.score_one(nodes.view(*id)))),
        }
    }

    /// The score of one node, by a policy that looks at nothing else.
    ///
    /// # Panics
    /// When it does.
    #[inline]
    pub fn score_one(&self, node: NodeView) -> i64 {
        let score = match self {
            Self::DotProduct(ask) => dot_product_score::score(*ask, Ask::left_on(node)),
            Self::GpuClustering(request) => gpu_clustering_score::score(request, node),
            Self::GpuPacking(request) => gpu_packing_score::score(request, node),
            Self::Fragmentation(score) => score.of(node),
            Self::Random(_) | Self::BestFit(_) => unreachable!("it compares nodes"),
        };
        score.clamp(0, MAX_SCORE)
    }
}

#[cfg(test)]
mod tests;
