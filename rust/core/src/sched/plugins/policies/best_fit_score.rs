//! BestFitScore: nodes with little left after the pod.
//!
//! With `cpu` and `gpu` in relation to the largest machine:
//!
//! ```text
//!   score = 100 * (1 - ((left.cpu - pod.cpu) / 2 + (left.gpu - pod.gpu) / 2))
//! ```
//!
//! Then the lowest score of all feasible nodes becomes 0 and the highest 100; all become 0 when
//! they are equal.

use super::{Ask, MAX_SCORE, MOST_CPU_MILLI, MOST_GPU_MILLI};
use crate::sched::nodes::{NodeId, Nodes};

/// The raw score of a node with so much left.
#[inline]
pub fn raw(pod: Ask, left: Ask) -> i64 {
    let cpu = (left.cpu_milli - pod.cpu_milli) as f64 / MOST_CPU_MILLI * 0.5;
    let gpu = (left.gpu_milli - pod.gpu_milli) as f64 / MOST_GPU_MILLI as f64 * 0.5;
    ((1.0 - (cpu + gpu)) * MAX_SCORE as f64) as i64
}

/// Appends the normalised scores of some nodes.
pub fn score(pod: Ask, nodes: &Nodes, ids: &[NodeId], scores: &mut Vec<i64>) {
    let start = scores.len();
    scores.extend(ids.iter().map(|id| raw(pod, Ask::left_on(nodes.view(*id)))));
    stretch(&mut scores[start..]);
}

/// Stretches scores from nothing to a hundred.
pub fn stretch(scores: &mut [i64]) {
    let lowest = scores.iter().copied().min().unwrap_or(0);
    let range = scores.iter().copied().max().unwrap_or(0) - lowest;
    for score in scores {
        *score = if range == 0 { 0 } else { (*score - lowest) * MAX_SCORE / range };
    }
}
