//! GpuPackingScore: GPUs in use first, then free GPUs of nodes in use, then free nodes.
//!
//! A pod is thought to get the GPUs with the least left that have enough. A node scores
//!
//! ```text
//!   100 - (left of those GPUs, in tenths of a GPU), at least 50   when all of them are in use
//!    50 - (how many of them are free), at least 33                when some are free
//!    33 - (how many GPUs it has), at least that number            when all its GPUs are free
//! ```
//!
//! in whole numbers. For a pod without GPUs all nodes score nothing.

use smallvec::SmallVec;

use super::MAX_SCORE;
use crate::sched::nodes::NodeView;
use crate::sched::plugins::gpu_share::MILLI;
use crate::sched::plugins::gpu_share::request::GpuRequest;

/// The score of a node; nothing for one that has not enough.
pub fn score(request: &GpuRequest, node: NodeView) -> i64 {
    let Some(gpus) = node.info.gpus.as_deref() else { return 0 };
    let free = gpus.free();
    if free == gpus.count() {
        return (MAX_SCORE / 3 - free as i64).max(free as i64);
    }
    let mut left: SmallVec<[i64; 8]> = gpus.left().filter(|left| *left >= request.milli).collect();
    left.sort_unstable();
    let Some(taken) = left.get(..request.count as usize) else { return 0 };
    let free = taken.iter().filter(|left| **left == MILLI).count() as i64;
    if free > 0 {
        return (MAX_SCORE / 2 - free).max(MAX_SCORE / 3);
    }
    let percent: i64 = taken.iter().map(|left| left * 100 / MILLI).sum();
    (MAX_SCORE - percent / 10).max(MAX_SCORE / 2)
}
