//! Filter: walking the nodes until enough have passed.

use super::board::{self, Found};
use super::judge::Judge;
use super::pre_filter::Prepared;
use super::verdicts::Column;
use super::{Cycle, Findings, Progress};
use crate::sched::nodes::{NodeId, NodeView};
use crate::sched::plugins::Filter;
use crate::sched::plugins::user::asking::is_pending;
use crate::sched::status::Rejection;

impl<'a> Cycle<'a> {
    /// Finds the feasible nodes and moves the start of the next search. They are listed with
    /// their local scores, and the others with their rejections, unless a search by blocks was
    /// successful.
    pub(super) fn find_feasible(
        &self,
        prepared: &Prepared<'a>,
        column: &mut Column,
        progress: &mut Progress,
        findings: &mut Findings,
    ) -> Option<Found> {
        let mut judge = Judge::new(self, prepared, column);
        findings.local = prepared.only.is_none() && judge.is_local();
        let all = self.cache.nodes.order().len();
        if let Some(found) = self.search_blocks(prepared, &mut judge, progress, findings) {
            progress.next_start = (progress.next_start + found.seen) % all;
            return Some(found);
        }
        if self.try_nominated_node(&mut judge, findings) || self.is_waiting() {
            return None;
        }
        let order = prepared.only.as_deref().unwrap_or(self.cache.nodes.order());
        if !order.is_empty() {
            self.walk(order, &mut judge, progress.next_start, findings);
        }
        let seen = findings.feasible.len() + findings.rejected.len();
        progress.next_start = (progress.next_start + seen) % all;
        None
    }

    /// Searches by blocks, where that is possible and does not fail.
    fn search_blocks(
        &self,
        prepared: &Prepared<'a>,
        judge: &mut Judge<'_, 'a>,
        progress: &Progress,
        findings: &mut Findings,
    ) -> Option<Found> {
        let one_by_one = findings.plain
            || findings.scores.keep
            || self.profile.has_user_plugins()
            || prepared.only.is_some()
            || self.store.pod(self.slot).nominated.is_some();
        if one_by_one {
            return None;
        }
        let allowed = judge.allowed()?;
        let all = self.cache.nodes.order().len();
        let enough = self.config.enough_feasible_nodes(self.profile, all);
        let start = progress.next_start % all;
        board::search(judge, start, enough, &allowed, &mut findings.parts)
    }

    /// A pod that was promised a node takes it if it can, without looking at others. If it
    /// cannot, that node's rejection already counts.
    fn try_nominated_node(&self, judge: &mut Judge<'_, 'a>, findings: &mut Findings) -> bool {
        let nominated = self.store.pod(self.slot).nominated;
        let name = nominated.map(|name| self.store.strings.text(name));
        let Some(id) = name.and_then(|name| self.cache.nodes.find(name)) else { return false };
        let place = self.cache.nodes.place(id).expect("the node exists");
        match judge.judge(id, place) {
            Ok(sum) => {
                findings.pass(id, sum);
                true
            }
            Err(rejection) => {
                findings.rejected.push((id, rejection));
                false
            }
        }
    }

    /// Judges nodes from `start` on, round and round, until one feasible node too many shows
    /// up. That one counts neither way.
    fn walk(
        &self,
        order: &[NodeId],
        judge: &mut Judge<'_, 'a>,
        start: usize,
        findings: &mut Findings,
    ) {
        let enough = self.config.enough_feasible_nodes(self.profile, order.len());
        let start = start % order.len();
        let promised = findings.rejected.first().map(|(id, _)| *id);
        // Nodes that a user's own plugin is yet to be asked about count as if they passed.
        let mut waiting = 0;
        let (before, after) = order.split_at(start);
        for half in [after, before] {
            for id in half {
                let place = self.cache.nodes.place(*id).expect("the node exists");
                if findings.feasible.len() + waiting < enough
                    && let Some(sum) = judge.known_to_pass(*id, place)
                {
                    findings.pass(*id, sum);
                    continue;
                }
                match judge.judge(*id, place) {
                    Ok(_) if findings.feasible.len() + waiting == enough => return,
                    Ok(sum) => findings.pass(*id, sum),
                    Err(rejection) if is_pending(rejection) => {
                        waiting += 1;
                        if findings.feasible.len() + waiting > enough {
                            return;
                        }
                    }
                    Err(rejection) if promised == Some(*id) => findings.rejected[0].1 = rejection,
                    Err(rejection) => findings.rejected.push((*id, rejection)),
                }
            }
        }
    }
}

impl Findings {
    /// Notes a node that passed, with the sum of its local scores.
    #[inline]
    fn pass(&mut self, id: NodeId, sum: i64) {
        self.feasible.push(id);
        self.scores.totals.push(sum);
    }
}

/// The first filter to say no ends a node.
#[inline]
pub(super) fn run(filters: &[Filter], node: NodeView) -> Result<(), Rejection> {
    filters.iter().try_for_each(|filter| filter.check(node))
}
