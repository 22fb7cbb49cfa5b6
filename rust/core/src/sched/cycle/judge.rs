//! Judging one node: whether it passes, and what the local scores make of it.

use smallvec::SmallVec;

use super::post_filter::Trial;
use super::pre_filter::Prepared;
use super::verdicts::{Column, ROW};
use super::{Cycle, search};
use crate::sched::nodes::{NodeId, NodeView};
use crate::sched::plugins::{self, Filter, Scorer};
use crate::sched::status::Rejection;

/// Judges the nodes of one cycle.
pub(super) struct Judge<'c, 'a> {
    cycle: &'c Cycle<'a>,
    filters: &'c [Filter<'a>],
    /// How many of the filters, from the first on, are local.
    local: usize,
    /// Whether the profile has local filters after others: then their order decides which one
    /// says no, and what local ones say is not remembered.
    mixed: bool,
    column: &'c mut Column,
    /// The local scorers with their weights, once they were needed.
    scorers: Option<SmallVec<[(Scorer<'a>, i64); 6]>>,
}

impl<'c, 'a> Judge<'c, 'a> {
    /// Judges by the filters PreFilter prepared.
    pub fn new(cycle: &'c Cycle<'a>, prepared: &'c Prepared<'a>, column: &'c mut Column) -> Self {
        let filters = &prepared.filters[..];
        let local = filters.iter().position(|filter| !filter.is_local()).unwrap_or(filters.len());
        let mixed = filters[local..].iter().any(Filter::is_local);
        Self { cycle, filters, local, mixed, column, scorers: None }
    }

    /// The answers.
    pub fn column(&self) -> &Column {
        self.column
    }

    /// Asks about the nodes of a block of which nothing is known; says whether all of them have
    /// answers.
    #[inline]
    pub fn knows_block(&mut self, number: usize) -> bool {
        if self.column.block(number).stale {
            self.ask_block(number);
        }
        !self.column.block(number).unknown
    }

    /// [`Self::knows_block`] of all blocks in a row.
    #[inline]
    pub fn knows_row(&mut self, number: usize) -> bool {
        !self.column.row(number).stale || self.ask_row(number)
    }

    #[cold]
    fn ask_row(&mut self, number: usize) -> bool {
        let blocks = number * ROW..(number + 1) * ROW;
        let knows = blocks.into_iter().all(|block| self.knows_block(block));
        if knows {
            self.column.sum_up_row(number);
        }
        knows
    }

    #[cold]
    fn ask_block(&mut self, number: usize) {
        let nodes = &self.cycle.cache.nodes;
        for place in self.column.unknown(number) {
            let node = nodes.view(nodes.order()[place]);
            if !node.row.nominated {
                let answer = self.ask(node);
                self.column.set(place, answer);
            } else if self.is_local() {
                let answer = Trial::new(self.cycle, self.filters, node).check();
                let answer = answer.map(|()| self.local_score(node));
                self.column.set_for_now(place, answer);
            }
        }
        self.column.sum_up(number);
    }

    /// Where the filters that are not local let the pod go, a bit per node in order; nothing if
    /// one of them can only be asked, or if what local ones say is not remembered.
    pub fn allowed(&self) -> Option<SmallVec<[&'c [u64]; 2]>> {
        if self.mixed {
            return None;
        }
        self.filters[self.local..].iter().map(Filter::allowed).collect()
    }

    /// Whether every filter is local.
    pub fn is_local(&self) -> bool {
        self.local == self.filters.len()
    }

    /// The sum of a node's local scores if it is remembered to pass and no other filter has a
    /// say.
    #[inline]
    pub fn known_to_pass(&mut self, id: NodeId, place: usize) -> Option<i64> {
        if !self.is_local() {
            return None;
        }
        let sum = self.column.sum(place)?;
        self.hold(id, Ok(sum));
        Some(sum)
    }

    /// The sum of a node's local scores if it passes. A node that is promised to pods of no
    /// lower priority is judged with those, too.
    #[inline]
    pub fn judge(&mut self, id: NodeId, place: usize) -> Result<i64, Rejection> {
        let known = if self.mixed { None } else { self.column.get(place) };
        let Some(answer) = known else { return self.judge_anew(id, place) };
        self.hold(id, answer);
        if !self.is_local() && answer.is_ok() {
            self.run_rest(id)?;
        }
        answer
    }

    /// Holds what is remembered against what is said now.
    fn hold(&mut self, id: NodeId, answer: Result<i64, Rejection>) {
        let node = self.cycle.cache.nodes.view(id);
        debug_assert!(node.row.nominated || answer == self.ask(node));
    }

    /// Runs the filters that are not local.
    fn run_rest(&self, id: NodeId) -> Result<(), Rejection> {
        search::run(&self.filters[self.local..], self.cycle.cache.nodes.view(id))
    }

    #[cold]
    fn judge_anew(&mut self, id: NodeId, place: usize) -> Result<i64, Rejection> {
        let node = self.cycle.cache.nodes.view(id);
        if node.row.nominated {
            Trial::new(self.cycle, self.filters, node).check()?;
            return Ok(self.local_score(node));
        }
        let answer = self.ask(node);
        if !self.mixed {
            self.column.set(place, answer);
        }
        let sum = answer?;
        self.run_rest(id)?;
        Ok(sum)
    }

    fn ask(&mut self, node: NodeView) -> Result<i64, Rejection> {
        search::run(&self.filters[..self.local], node)?;
        Ok(self.local_score(node))
    }

    fn local_score(&mut self, node: NodeView) -> i64 {
        let cycle = self.cycle;
        let scorers = self.scorers.get_or_insert_with(|| {
            let context = cycle.context();
            let local = cycle.profile.score.iter().filter(|(id, _)| context.scores_locally(*id));
            local
                .filter_map(|(id, weight)| Some((plugins::pre_score(*id, &context, &[])?, *weight)))
                .collect()
        });
        scorers.iter().map(|(scorer, weight)| weight * scorer.score_one(node)).sum()
    }
}
