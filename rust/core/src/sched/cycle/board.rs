//! The search for feasible nodes, and the choice among them, 64 nodes at a time.
//!
//! A column of answers knows which nodes pass the filters that look at one node alone; the other
//! filters say where they let the pod go by a bit per node. Blocks of 64 tell how many nodes are
//! left and how high the best one is, so that the end of the search, the highest total and the
//! node among equals are found without visiting each node. Where every other filter lets the pod
//! go anywhere, rows of blocks tell the same of hundreds of nodes.
//!
//! The node among equals: a heap of feasible nodes in the order they were found leaves at its
//! root the first of the highest in the order parent, left subtree, right subtree. Within one
//! level of the tree that order is the order in the list. So the first of the highest on each
//! level are the only ones to be compared.

use super::judge::Judge;
use super::select::path;
use super::verdicts::{BLOCK, Column, ROW};
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

/// The feasible nodes in one block, or in a row of them.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// The block, or the first of the row.
    block: usize,
    /// A bit per node; nothing for a row.
    nodes: u64,
    count: usize,
}

impl Part {
    fn of_block(block: usize, nodes: u64) -> Self {
        Self { block, nodes, count: nodes.count_ones() as usize }
    }

    fn of_row(row: usize, column: &Column) -> Self {
        Self { block: row * ROW, nodes: 0, count: column.row(row).count }
    }

    fn is_row(self) -> bool {
        self.nodes == 0
    }

    /// The parts of its blocks.
    fn blocks(self, column: &Column) -> impl Iterator<Item = Self> {
        let count = if self.is_row() { ROW } else { 1 };
        (self.block..self.block + count).filter_map(move |block| {
            let nodes = if count == 1 { self.nodes } else { column.block(block).passing };
            (nodes != 0).then(|| Self::of_block(block, nodes))
        })
    }

    /// The places of a block's nodes, in order.
    fn places(self) -> impl Iterator<Item = usize> {
        let mut left = self.nodes;
        std::iter::from_fn(move || {
            let bit = (left != 0).then_some(left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(self.block * BLOCK + bit)
        })
    }

    /// No sum is higher.
    fn bound(self, column: &Column) -> i32 {
        if self.is_row() {
            column.row(self.block / ROW).most
        } else {
            column.block(self.block).most
        }
    }

    /// The highest sum.
    fn most(self, column: &Column) -> i32 {
        if self.is_row() || self.nodes == column.block(self.block).passing {
            return self.bound(column);
        }
        let sums = self.places().map(|place| column.answers()[place]);
        sums.max().unwrap_or(i32::MIN)
    }

    /// A block's first nodes, so many, and the place of the one after them.
    fn split(self, count: usize) -> (Self, usize) {
        let mut rest = self.nodes;
        for _ in 0..count {
            rest &= rest - 1;
        }
        let first = Self::of_block(self.block, self.nodes & !rest);
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
            let end = at + BLOCK * ROW;
            if allowed.is_empty() && at.is_multiple_of(BLOCK * ROW) && end <= to {
                let row = at / (BLOCK * ROW);
                if !judge.knows_row(row) {
                    return None;
                }
                let part = Part::of_row(row, judge.column());
                if found.feasible + part.count <= enough {
                    found.take(part, end - at, judge.column(), parts);
                    at = end;
                    continue;
                }
            }
            let number = at / BLOCK;
            let end = to.min((number + 1) * BLOCK);
            if !judge.knows_block(number) {
                return None;
            }
            let passing = judge.column().block(number).passing & bits(at, end);
            let nodes = allowed.iter().fold(passing, |nodes, allowed| nodes & allowed[number]);
            let part = Part::of_block(number, nodes);
            if found.feasible + part.count > enough {
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
    let blocks = parts.iter().flat_map(|part| part.blocks(column));
    for place in blocks.flat_map(Part::places) {
        feasible.push(nodes.order()[place]);
        scores.totals.push(i64::from(column.answers()[place]));
    }
}

impl Found {
    fn take(&mut self, part: Part, seen: usize, column: &Column, parts: &mut Vec<Part>) {
        self.seen += seen;
        if part.count != 0 {
            self.feasible += part.count;
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
        let is_high = |part: &Part| part.bound(column) >= self.highest;
        let high = parts.iter().filter(move |part| is_high(part));
        let blocks = high.flat_map(|part| part.blocks(column)).filter(is_high);
        let places = blocks.flat_map(Part::places);
        places.filter(|place| column.answers()[*place] == self.highest)
    }

    /// See the module header.
    fn heap_root(&self, column: &Column, parts: &[Part]) -> Option<usize> {
        let mut heap =
            Heap { highest: self.highest, rank: 0, levels: 0, root: None, best: u64::MAX };
        for part in parts {
            if heap.passes(*part, column) {
                continue;
            }
            for block in part.blocks(column) {
                if !heap.passes(block, column) {
                    heap.enter(block, column);
                }
            }
        }
        heap.root
    }
}

/// The first of the highest on each level of the heap; see the module header.
struct Heap {
    highest: i32,
    /// How many nodes were passed.
    rank: usize,
    /// The levels that have their first, a bit for each.
    levels: u64,
    /// The first of them in the heap's order so far.
    root: Option<usize>,
    best: u64,
}

impl Heap {
    /// Passes by a part if nothing in it matters.
    #[inline]
    fn passes(&mut self, part: Part, column: &Column) -> bool {
        let next = self.rank + part.count;
        let (low, high) = ((self.rank + 1).ilog2(), next.ilog2());
        let within = (u64::MAX >> (63 - (high - low))) << low;
        let is_passed = self.levels & within == within || part.bound(column) < self.highest;
        if is_passed {
            self.rank = next;
        }
        is_passed
    }

    /// Looks at the nodes of a block.
    fn enter(&mut self, block: Part, column: &Column) {
        for (at, place) in (self.rank..).zip(block.places()) {
            let level = 1 << (at + 1).ilog2();
            if column.answers()[place] == self.highest && self.levels & level == 0 {
                self.levels |= level;
                if path(at) < self.best {
                    (self.root, self.best) = (Some(place), path(at));
                }
            }
        }
        self.rank += block.count;
    }
}
