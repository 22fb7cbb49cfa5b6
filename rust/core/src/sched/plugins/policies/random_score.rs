//! RandomScore: any of the nodes that will do.
//!
//! One of the feasible nodes is drawn, uniformly; it scores a hundred and the others nothing.
//! The draw comes from the random stream `sched`.

use super::Policy;
use crate::sched::nodes::NodeId;

/// Draws a node with 64 random bits; nothing when there is no node to draw.
pub fn scorer<'a>(draw: u64, feasible: &[NodeId]) -> Option<Policy<'a>> {
    let at = (u128::from(draw) * feasible.len() as u128) >> 64;
    feasible.get(at as usize).copied().map(Policy::Random)
}
