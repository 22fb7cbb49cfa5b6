//! The choice among feasible nodes: the highest total, and which of several.

use super::{Findings, Progress};
use crate::sched::config::TieBreak;
use crate::sched::nodes::{NodeId, Nodes};

/// The node a cycle chooses.
///
/// # Panics
/// When no node was scored.
pub fn best(
    tie_break: TieBreak,
    findings: &Findings,
    nodes: &Nodes,
    progress: &mut Progress,
) -> NodeId {
    let totals = &findings.scores.totals;
    let highest = *totals.iter().max().expect("some node was scored");
    let tied = || (0..totals.len()).filter(|at| totals[*at] == highest);
    let at = match tie_break {
        TieBreak::Oracle => tied().min_by_key(|at| heap_order(*at)),
        TieBreak::Seeded => match tied().count() as u64 {
            1 => tied().next(),
            count => tied().nth(progress.stream.below(count) as usize),
        },
        TieBreak::FirstByName => {
            let name = |at: usize| &nodes.info(findings.feasible[at]).name;
            tied().min_by(|a, b| name(*a).cmp(name(*b)))
        }
    };
    findings.feasible[at.expect("the highest total is somebody's")]
}

/// Which of equal elements a binary heap leaves at its root: the first in the order parent,
/// left subtree, right subtree. An element moves up only past a strictly smaller one, and of
/// two equal children the left one moves; so among equals the parent stays above, and the left
/// subtree goes before the right one.
///
/// The place of element `at` in that order is its path from the root, shallower first.
fn heap_order(at: usize) -> (u64, u32) {
    let number = at as u64 + 1;
    let depth = number.ilog2();
    (number << (63 - depth), depth)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::heap_order;

    /// Go's `container/heap.Init` with the highest total first, step by step.
    fn heap_root(totals: &[i64]) -> usize {
        let mut heap: Vec<(i64, usize)> =
            totals.iter().enumerate().map(|(at, total)| (*total, at)).collect();
        for start in (0..heap.len() / 2).rev() {
            let mut at = start;
            loop {
                let left = 2 * at + 1;
                if left >= heap.len() {
                    break;
                }
                let right = left + 1;
                let child =
                    if right < heap.len() && heap[right].0 > heap[left].0 { right } else { left };
                if heap[child].0 <= heap[at].0 {
                    break;
                }
                heap.swap(child, at);
                at = child;
            }
        }
        heap[0].1
    }

    #[test]
    fn the_root_is_what_the_reference_found() {
        assert_eq!(heap_root(&[1, 1, 3, 3]), 3);
        assert_eq!(heap_root(&[5, 5, 5]), 0);
    }

    proptest! {
        #[test]
        fn the_shortcut_finds_the_root_of_the_heap(
            totals in prop::collection::vec(0..4i64, 1..200),
        ) {
            let highest = *totals.iter().max().unwrap();
            let tied = (0..totals.len()).filter(|at| totals[*at] == highest);
            prop_assert_eq!(tied.min_by_key(|at| heap_order(*at)), Some(heap_root(&totals)));
        }
    }
}
