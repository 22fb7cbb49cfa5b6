//! Open-Gpu-Share: GPUs one by one, so that pods can share one.
//!
//! A node offers whole GPUs, a thousand thousandths each; a pod asks for a number of GPUs and for
//! so many thousandths of each. Where only a sum per node is counted, two half free GPUs would
//! pass for a free one. Names and rules are those of the simulator published with "Beware of
//! Fragmentation" (Weng, Yang et al., USENIX ATC 2023; hkust-adsl/kubernetes-scheduler-simulator),
//! whose configurations are taken as they are.
//!
//! ```text
//!   annotations of a pod ─► request ─► filter: which nodes     ─► a score plugin: which of them
//!                                      devices of a node  ◄──── reserve: which GPUs of it
//! ```
//!
//! Read in this order: [`request`] (what a pod asks for), [`devices`] (what is left of a node's
//! GPUs), [`filter`], [`reserve`]. The GPUs a pod got are an annotation of the pod, written with
//! its binding; what is left of a node follows from the annotations of its pods and from nothing
//! else. The plugin is not part of the default profile.

pub mod devices;
pub mod filter;
pub mod request;
pub mod reserve;

use crate::base::Text;
use crate::sched::events::{Actions, Event, Interest, Resource, Subject};

/// What every GPU offers.
pub const MILLI: i64 = 1000;
/// The annotation with the thousandths asked of each GPU; as a resource of a node, of all of them.
pub const GPU_MILLI: &str = "alibabacloud.com/gpu-milli";
/// The annotation with the number of GPUs asked for, and the resource with a node's.
pub const GPU_COUNT: &str = "alibabacloud.com/gpu-count";
/// The annotation with the models a pod can use, and the label with a node's.
pub const GPU_MODEL: &str = "alibabacloud.com/gpu-card-model";
/// The annotation with the numbers of the GPUs a pod got: `0-2-3`.
pub const GPU_INDEX: &str = "alibabacloud.com/gpu-index";

/// Events after which a pod it rejected may fit.
pub const INTERESTS: &[Interest] = &[
    Interest { resource: Resource::Pod, actions: Actions::DELETE.or(Actions::UPDATE_POD_GPU) },
    Interest {
        resource: Resource::Node,
        actions: Actions::ADD.or(Actions::UPDATE_NODE_ALLOCATABLE).or(Actions::UPDATE_NODE_LABEL),
    },
];

/// Which of the GPUs that have enough left a pod gets: `gpuSelMethod`. Pods that ask for whole
/// GPUs get the first free ones with each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// The one with the least left.
    #[default]
    Best,
    /// The one with the most left.
    Worst,
    /// Any, from the random stream `sched`.
    Random,
    /// The one that leaves the least fragmentation; see
    /// [`fgd_score`](super::policies::fgd_score).
    Fragmentation,
}

impl Selection {
    /// Every way to select, with its name in a configuration file.
    pub const ALL: [(Self, &'static str); 4] = [
        (Self::Best, "best"),
        (Self::Worst, "worst"),
        (Self::Random, "random"),
        (Self::Fragmentation, "FGDScore"),
    ];
}

/// `OpenGpuShareArgs`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Args {
    /// `gpuSelMethod`.
    pub selection: Selection,
}

/// Whether an event could let a pod in that it rejected.
pub fn hint(event: &Event) -> bool {
    match event.subject {
        Subject::Node { new: Some(new), .. } => devices::count_of(new) > 0,
        Subject::AssignedPod { old: Some(gone), .. } => {
            gone.gpu.as_ref().is_some_and(|gpu| gpu.count > 0)
        }
        Subject::Itself { .. } => true,
        _ => false,
    }
}

/// Numbers of GPUs as the annotation has them.
pub fn index_text(devices: &[u16]) -> Text {
    let numbers: Vec<String> = devices.iter().map(u16::to_string).collect();
    numbers.join("-").into()
}

#[cfg(test)]
mod tests;
