//! Filter: walking the nodes until enough have passed.

use super::post_filter::Trial;
use super::pre_filter::Prepared;
use super::{Cycle, Filters, Findings, Progress};
use crate::sched::nodes::{NodeId, NodeView};
use crate::sched::plugins::Filter;
use crate::sched::status::Rejection;

impl<'a> Cycle<'a> {
    /// Fills in the feasible nodes and the rejections, and moves the start of the next search.
    pub(super) fn find_feasible(
        &self,
        prepared: &Prepared<'a>,
        progress: &mut Progress,
        findings: &mut Findings,
    ) {
        if self.try_nominated_node(prepared, findings) {
            return;
        }
        let order = prepared.only.as_deref().unwrap_or(self.cache.nodes.order());
        let all = self.cache.nodes.order().len();
        if !order.is_empty() {
            self.walk(order, &prepared.filters, progress.next_start, findings);
        }
        let seen = findings.feasible.len() + findings.rejected.len();
        progress.next_start = (progress.next_start + seen) % all;
    }

    /// A pod that was promised a node takes it if it can, without looking at others. If it
    /// cannot, that node's rejection already counts.
    fn try_nominated_node(&self, prepared: &Prepared<'a>, findings: &mut Findings) -> bool {
        let nominated = self.store.pod(self.slot).nominated;
        let name = nominated.map(|name| self.store.strings.text(name));
        let Some(id) = name.and_then(|name| self.cache.nodes.find(name)) else { return false };
        match self.check(&prepared.filters, id) {
            Ok(()) => {
                findings.feasible.push(id);
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
    fn walk(&self, order: &[NodeId], filters: &Filters<'a>, start: usize, findings: &mut Findings) {
        let enough = self.config.enough_feasible_nodes(self.profile, order.len());
        let start = start % order.len();
        let promised = findings.rejected.first().map(|(id, _)| *id);
        let (before, after) = order.split_at(start);
        for id in after.iter().chain(before) {
            match self.check(filters, *id) {
                Ok(()) if findings.feasible.len() == enough => return,
                Ok(()) => findings.feasible.push(*id),
                Err(rejection) if promised == Some(*id) => findings.rejected[0].1 = rejection,
                Err(rejection) => findings.rejected.push((*id, rejection)),
            }
        }
    }

    /// Judges a node as it is and, if it is promised to pods of no lower priority, with those.
    #[inline]
    fn check(&self, filters: &Filters<'a>, id: NodeId) -> Result<(), Rejection> {
        let node = self.cache.nodes.view(id);
        if node.row.nominated {
            return Trial::new(self, filters, node).check();
        }
        run(filters, node)
    }
}

/// The first filter to say no ends a node.
#[inline]
pub(super) fn run(filters: &[Filter], node: NodeView) -> Result<(), Rejection> {
    filters.iter().try_for_each(|filter| filter.check(node))
}
