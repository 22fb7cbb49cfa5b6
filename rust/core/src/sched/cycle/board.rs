//! The search for feasible nodes, and the choice among them, 64 nodes at a time.
//!
//! A column of answers knows which nodes pass the filters that look at one node alone; the other
//! filters say where they let the pod go by a bit per node. Blocks of 64 tell how many nodes are
//! left and how high the best one is, so that the end of the search, the highest total and the
//! node among equals are found without visiting each node.
//!
//! The node among equals: a heap of feasible nodes in the order they were found leaves at its
//! root the first of the highest in the order parent, left subtree, right subtree. Within one
//! level of the tree that order is the order in the list. So the first of the highest on each
//! level are the only ones to be compared.

use super::judge::Judge;
use super::select::path;
use super::verdicts::{BLOCK, Column};
use super::{Findings, Progress};
use crate::sched::config::TieBreak;
use crate::sched::nodes::{NodeId, Nodes};

/// What a search found.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// How many nodes were looked at, as a search one by one would have.
    pub seen: usize,
    /// How many passed, never none.
    pub feasible: usize,
    /// The highest sum of local scores among them.
    highest: i32,
}

/// The feasible nodes in one block.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    block: usize,
    /// A bit per node.
    nodes: u64,
}

impl Part {
    /// The places of its nodes, in order.
    fn places(self) -> impl Iterator<Item = usize> {
        let mut left = self.nodes;
        std::iter::from_fn(move || {
            let bit = (left != 0).then_some(left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(self.block * BLOCK + bit)
        })
    }

    fn count(self) -> usize {
        self.nodes.count_ones() as usize
    }

    /// The highest sum.
    fn most(self, column: &Column) -> i32 {
        let block = column.block(self.block);
        if self.nodes == block.passing {
            return block.most;
        }
        let sums = self.places().map(|place| column.answers()[place]);
        sums.max().unwrap_or(i32::MIN)
    }

    /// Its first nodes, so many, and the place of the one after them.
    fn split(self, count: usize) -> (Self, usize) {
        let mut rest = self.nodes;
        for _ in 0..count {
            rest &= rest - 1;
        }
        let first = Self { nodes: self.nodes & !rest, ..self };
        (first, self.block * BLOCK + rest.trailing_zeros() as usize)
    }
}

/// The bits of the places from one up to another within the block of the first.
fn bits(from: usize, to: usize) -> u64 {
    let (low, count) = (from % BLOCK, to - from);
    (u64::MAX >> (BLOCK - count)) << low
}

/// Searches all nodes from `start` on, round and round, until one feasible node more than
/// enough shows up. Nothing if none passes, or if a node cannot be judged by itself. `allowed`
/// are the bits of the filters that are not local.
pub(super) fn search(
    judge: &mut Judge,
    start: usize,
    enough: usize,
    allowed: &[&[u64]],
    parts: &mut Vec<Part>,
) -> Option<Found> {
    parts.clear();
    let all = judge.column().answers().len();
    let mut found = Found { seen: 0, feasible: 0, highest: i32::MIN };
    for (from, to) in [(start, all), (0, start)] {
        let mut at = from;
        while at < to {
            let number = at / BLOCK;
            let end = to.min((number + 1) * BLOCK);
            if !judge.knows_block(number) {
                return None;
            }
            let passing = judge.column().block(number).passing & bits(at, end);
            let nodes = allowed.iter().fold(passing, |nodes, allowed| nodes & allowed[number]);
            let part = Part { block: number, nodes };
            if found.feasible + part.count() > enough {
                let (part, next) = part.split(enough - found.feasible);
                found.take(part, next - at, judge.column(), parts);
                return Some(found);
            }
            found.take(part, end - at, judge.column(), parts);
            at = end;
        }
    }
    (found.feasible > 0).then_some(found)
}

/// Lists the feasible nodes with the sums of their local scores.
pub(super) fn list(column: &Column, nodes: &Nodes, findings: &mut Findings) {
    let Findings { feasible, scores, parts, .. } = findings;
    for place in parts.iter().flat_map(|part| part.places()) {
        feasible.push(nodes.order()[place]);
        scores.totals.push(i64::from(column.answers()[place]));
    }
}

impl Found {
    fn take(&mut self, part: Part, seen: usize, column: &Column, parts: &mut Vec<Part>) {
        self.seen += seen;
        if part.nodes != 0 {
            self.feasible += part.count();
            self.highest = self.highest.max(part.most(column));
            parts.push(part);
        }
    }

    /// The node a cycle chooses when the local scores are all there is.
    pub fn choose(
        &self,
        tie_break: TieBreak,
        column: &Column,
        parts: &[Part],
        nodes: &Nodes,
        progress: &mut Progress,
    ) -> NodeId {
        let order = nodes.order();
        let place = match tie_break {
            TieBreak::Oracle => self.heap_root(column, parts),
            TieBreak::Seeded => match self.tied(column, parts).count() as u64 {
                1 => self.tied(column, parts).next(),
                count => self.tied(column, parts).nth(progress.stream.below(count) as usize),
            },
            TieBreak::FirstByName => {
                let name = |place: &usize| &nodes.info(order[*place]).name;
                self.tied(column, parts).min_by(|a, b| name(a).cmp(name(b)))
            }
        };
        order[place.expect("the highest total is somebody's")]
    }

    /// The places of the highest, in the order they were found.
    fn tied(&self, column: &Column, parts: &[Part]) -> impl Iterator<Item = usize> {
        let high = parts.iter().filter(|part| column.block(part.block).most >= self.highest);
        let places = high.flat_map(|part| part.places());
        places.filter(|place| column.answers()[*place] == self.highest)
    }

    /// See the module header.
    fn heap_root(&self, column: &Column, parts: &[Part]) -> Option<usize> {
        let (mut root, mut best) = (None, u64::MAX);
        let (mut rank, mut levels) = (0, 0_u64);
        for part in parts {
            let (first, next) = (rank, rank + part.count());
            rank = next;
            let (low, high) = ((first + 1).ilog2(), next.ilog2());
            let within = (u64::MAX >> (63 - (high - low))) << low;
            if levels & within == within || column.block(part.block).most < self.highest {
                continue;
            }
            for (at, place) in (first..).zip(part.places()) {
                let level = 1 << (at + 1).ilog2();
                if column.answers()[place] == self.highest && levels & level == 0 {
                    levels |= level;
                    if path(at) < best {
                        (root, best) = (Some(place), path(at));
                    }
                }
            }
        }
        root
    }
}
