//! DotProductScore: nodes with little left of what the pod asks much of.
//!
//! With `cpu` and `gpu` in relation to the largest machine (`normMethod: max`) and a node's GPUs
//! as one sum (`dimExtMethod: merge`):
//!
//! ```text
//!   score = 100 * (1 - (left.cpu * pod.cpu + left.gpu * pod.gpu) / 2)
//! ```
//!
//! The alignment score of Tetris (Grandl et al., SIGCOMM 2014), turned round.

use super::{Ask, MAX_SCORE};

/// The score of a node with so much left. One without room for the pod scores nothing.
pub fn score(pod: Ask, left: Ask) -> i64 {
    if left.cpu_milli < pod.cpu_milli {
        return 0;
    }
    let [left_cpu, left_gpu] = left.shares();
    let [cpu, gpu] = pod.shares();
    let product = left_cpu * cpu + left_gpu * gpu;
    (MAX_SCORE as f64 * (1.0 - product / 2.0)) as i64
}
