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
    let highest = highest(totals);
    let tied = || (0..totals.len()).filter(|at| totals[*at] == highest);
    let at = match tie_break {
        TieBreak::Oracle => Some(heap_root(totals, highest)),
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

fn highest(totals: &[i64]) -> i64 {
    assert!(!totals.is_empty(), "some node was scored");
    totals.iter().fold(i64::MIN, |highest, total| highest.max(*total))
}

/// Which of the highest elements a binary heap leaves at its root: the first in the order
/// parent, left subtree, right subtree. An element moves up only past a strictly smaller one,
/// and of two equal children the left one moves; so among equals the parent stays above, and
/// the left subtree goes before the right one.
///
/// The place of element `at` in that order is its path from the root: the bits of `at + 1`
/// after the first. An ancestor's path is the beginning of its descendants', and comes first
/// here anyway.
fn heap_root(totals: &[i64], highest: i64) -> usize {
    let (mut root, mut best) = (0, u64::MAX);
    for (at, total) in totals.iter().enumerate() {
        if *total == highest {
            let path = path(at);
            if path < best {
                (root, best) = (at, path);
            }
        }
    }
    root
}

/// The path of an element from the root of a heap; see [`heap_root`].
pub(super) fn path(at: usize) -> u64 {
    let number = at as u64 + 1;
    number << number.leading_zeros()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::heap_root;

    /// Go's `container/heap.Init` with the highest total first, step by step.
    fn go_heap_root(totals: &[i64]) -> usize {
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
        assert_eq!(go_heap_root(&[1, 1, 3, 3]), 3);
        assert_eq!(go_heap_root(&[5, 5, 5]), 0);
    }

    proptest! {
        #[test]
        fn the_shortcut_finds_the_root_of_the_heap(
            totals in prop::collection::vec(0..4i64, 1..200),
        ) {
            let highest = *totals.iter().max().unwrap();
            prop_assert_eq!(heap_root(&totals, highest), go_heap_root(&totals));
        }
    }
}
