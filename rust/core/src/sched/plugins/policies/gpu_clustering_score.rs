//! GpuClusteringScore: pods that ask for as many GPUs keep together.
//!
//! Pods are of a kind when they ask for the same number of whole GPUs, or all for a part of one.
//! With `full = (8 GPUs - what is left) / 8 GPUs`, a node scores
//!
//! ```text
//!   75 + 25 * full   when all its pods with GPUs are of the pod's kind
//!   50 + 25 * full   when some are
//!   25 + 25 * full   when it has no pods with GPUs
//!        25 * full   when all are of other kinds
//! ```
//!
//! in whole numbers. For a pod without GPUs all nodes score nothing. After Gandiva (Xiao et al.,
//! OSDI 2018).

use super::{MAX_SCORE, MOST_GPU_MILLI};
use crate::sched::nodes::NodeView;
use crate::sched::plugins::gpu_share::request::GpuRequest;

const QUARTER: i64 = MAX_SCORE / 4;

/// The score of a node.
pub fn score(request: &GpuRequest, node: NodeView) -> i64 {
    let Some(gpus) = node.info.gpus.as_deref() else { return 0 };
    let (kinds, alike) = gpus.kinds(request);
    let quarters = match (kinds, alike) {
        (0, _) => 1,
        (_, 0) => 0,
        (1, _) => 3,
        _ => 2,
    };
    QUARTER * (MOST_GPU_MILLI - gpus.total_left()) / MOST_GPU_MILLI + quarters * QUARTER
}
