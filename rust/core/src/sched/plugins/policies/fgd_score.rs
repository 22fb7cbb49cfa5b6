//! FGDScore, fragmentation gradient descent: nodes whose fragmentation the pod makes grow least.
//!
//! With the [fragmentation](super::typical_pods) of a node in GPUs before and after:
//!
//! ```text
//!   score = 100 * sigmoid(before - after)        sigmoid(x) = 1 / (1 + exp(-x))
//! ```
//!
//! cut to a whole number. A pod with a part of a GPU goes, in thought, to each GPU that has
//! enough left; the best score counts, and `gpuSelMethod: FGDScore` gives it that GPU, the first
//! of several. A pod with whole GPUs takes free ones, one without takes cpu alone. A pod that
//! asks for nothing scores a hundred everywhere.

use super::cpu_left;
use super::typical_pods::{Counted, POPULARITY, Spec, TypicalPods, WithCpu};
use crate::sched::nodes::NodeView;
use crate::sched::plugins::gpu_share::MILLI;
use crate::sched::plugins::gpu_share::devices::Devices;
use crate::sched::plugins::gpu_share::request::GpuRequest;
use crate::sched::pod_info::{PodInfo, PodInfos};

/// `FGDScoreArgs`.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `typicalPods`, with the popularity already applied; nothing when the pods in the cluster
    /// are to be taken.
    pub typical: Option<TypicalPods>,
    /// `podPopularityThreshold`.
    pub popularity: i64,
    /// `isInvolvedCpuPods`: whether pods without GPUs are expected, too.
    pub cpu_pods: bool,
}

impl Default for Args {
    fn default() -> Self {
        Self { typical: None, popularity: POPULARITY, cpu_pods: true }
    }
}

/// The typical pods of a cluster: those that wait and those on nodes.
pub fn learn(infos: &PodInfos, args: &Args) -> TypicalPods {
    let mut counted = Counted::new();
    for (info, pods) in infos.iter() {
        let spec = spec_of(info);
        if args.cpu_pods || spec.gpus > 0 {
            *counted.entry(spec).or_default() += i64::from(pods);
        }
    }
    TypicalPods::new(&counted, args.popularity)
}

fn spec_of(pod: &PodInfo) -> Spec {
    let cpu_milli = pod.requests.scored_cpu_milli;
    pod.gpu.as_ref().map_or(Spec { cpu_milli, ..Spec::default() }, |gpu| Spec {
        cpu_milli,
        gpu_milli: gpu.milli,
        gpus: gpu.count,
        models: gpu.models.clone(),
    })
}

/// The score of one pod.
pub struct FragmentationScore<'a> {
    typical: &'a TypicalPods,
    cpu_milli: i64,
    request: Option<&'a GpuRequest>,
}

impl<'a> FragmentationScore<'a> {
    /// Prepares the score of a pod.
    pub fn new(typical: &'a TypicalPods, pod: &'a PodInfo) -> Self {
        Self { typical, cpu_milli: pod.requests.scored_cpu_milli, request: pod.gpu.as_deref() }
    }

    /// The score of a node; on the GPU that suits best if the pod asks for a part of one.
    pub fn of(&self, node: NodeView) -> i64 {
        let Some(gpus) = node.info.gpus.as_deref() else { return self.typical.score(0) };
        let fragments = self.typical.on(gpus.model());
        let before = fragments.with_cpu(cpu_left(node)).of(gpus.left());
        let with_cpu = fragments.with_cpu(cpu_left(node) - self.cpu_milli);
        let unmoved = with_cpu.of(gpus.left());
        let change = match self.request {
            None => unmoved - before,
            Some(request) if request.shares() => {
                let moved = gpus.left().filter(|left| *left >= request.milli);
                let least = moved.map(|left| shared(&with_cpu, gpus, left, request.milli)).min();
                least.unwrap_or(0) + unmoved - before
            }
            Some(request) => {
                let free = gpus.free();
                let taken = free.min(request.count as usize);
                let gone = taken as i64 * with_cpu.of_gpu(MILLI);
                let before_free = with_cpu.of_free(free) - with_cpu.of_free(free - taken);
                unmoved - gone + before_free - before
            }
        };
        self.typical.score(-change)
    }

    /// The score of one GPU of a node for a pod with a part of one.
    pub fn of_gpu(&self, node: NodeView, number: usize) -> i64 {
        let (Some(gpus), Some(request)) = (node.info.gpus.as_deref(), self.request) else {
            return 0;
        };
        let fragments = self.typical.on(gpus.model());
        let before = fragments.with_cpu(cpu_left(node)).of(gpus.left());
        let with_cpu = fragments.with_cpu(cpu_left(node) - self.cpu_milli);
        let moved = shared(&with_cpu, gpus, gpus.left_of(number), request.milli);
        self.typical.score(before - moved - with_cpu.of(gpus.left()))
    }
}

/// How fragmentation changes when so much is taken of a GPU with so much left.
#[inline]
fn shared(with_cpu: &WithCpu, gpus: &Devices, left: i64, milli: i64) -> i64 {
    let change = with_cpu.of_gpu(left - milli) - with_cpu.of_gpu(left);
    if left < MILLI {
        return change;
    }
    let free = gpus.free();
    change + with_cpu.of_free(free) - with_cpu.of_free(free - 1)
}
