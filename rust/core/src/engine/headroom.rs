//! How many more pods of a kind fit: found by scheduling them, one at a time, until one does not.
//!
//! It happens on a branch that nobody sees. Only the scheduler acts there: no kubelet starts
//! anything, no controller replaces anything, and waiting pods go on waiting. A pod that could
//! only be placed by preempting others does not fit.
//!
//! Copies that do not mind each other need not be placed one at a time: then the room of each
//! node is counted and taken at once ([`crate::sched::cycle::fill`]), and one copy is really
//! scheduled, for what the scheduler says of it. The answer is the same.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

use super::World;
use super::consumer::Role;
use crate::api::{ApiError, ApiResult};
use crate::base::{Latencies, StrId, Text, Value};
use crate::sched::DecisionResult;
use crate::sched::plugins::user::asking::Halt;
use crate::store::bulk::Naming;
use crate::store::create::WriteOptions;
use crate::store::events::EventPolicy;
use crate::store::{ObjectId, Store};

/// What the pods are copies of.
#[derive(Clone, Debug)]
pub enum Copies {
    /// The `spec.template` of this object, which controls them.
    Owner(ObjectId),
    /// This pod, named by its `generateName`.
    Pod(Value),
}

/// How many copies fit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Headroom {
    /// How many were placed.
    pub count: usize,
    /// On which nodes, by name, and how many on each.
    pub nodes: Vec<(Text, usize)>,
    /// What the end was.
    pub end: End,
}

/// Why no more copies were placed.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum End {
    /// As many were placed as were asked for or are tried at most; more may fit.
    #[default]
    Asked,
    /// The scheduler's words for the first that was not placed.
    Unschedulable(Arc<Text>),
    /// The scheduler leaves such pods alone: gates hold them back, they name their node, or
    /// they ask for another scheduler.
    NotScheduled,
    /// The caller asked to stop.
    Interrupted,
}

/// Copies placed one at a time at most, unless more are asked for.
pub const MOST_TRIED: usize = 10_000;
/// Copies created at a time: few at first, for often few fit.
const FIRST_BATCH: usize = 64;
/// The most copies created at a time.
const LARGEST_BATCH: usize = 4096;
/// Placements between two looks at whether to stop.
const INTERRUPT_EVERY: usize = 256;

impl World {
    /// Places copies until one does not fit, at most `at_most`. Without that, as many as fit if
    /// that can be told without trying each, and otherwise at most [`MOST_TRIED`].
    ///
    /// # Errors
    /// What creating one of them answers.
    pub fn headroom(
        &self,
        copies: &Copies,
        at_most: Option<usize>,
        interrupted: &AtomicBool,
    ) -> ApiResult<Headroom> {
        if let Some(plugin) = self.plugins().find(|plugin| plugin.is_elsewhere()) {
            return Err(ApiError::bad_request(format!(
                "headroom is counted without leaving the core, where plugin \"{}\" is not: \
                 create the pods on a fork instead",
                plugin.name
            )));
        }
        match self.counted(copies, at_most.unwrap_or(usize::MAX))? {
            Some(found) => Ok(found),
            None => self.tried(copies, at_most.unwrap_or(MOST_TRIED), interrupted),
        }
    }

    /// What [`Self::tried`] answers, if fewer than `most` fit and that can be told without
    /// trying each.
    fn counted(&self, copies: &Copies, most: usize) -> ApiResult<Option<Headroom>> {
        let mut branch = self.branch_for_placement();
        let pods = branch.create_copies(copies, 1)?;
        branch.let_scheduler_see();
        let Some(pod) = pods.first().copied() else { return Ok(None) };
        let Some(mut nodes) = branch.scheduler.fill(&branch.store, pod, most) else {
            return Ok(None);
        };
        let end = branch.place(&[pod], &mut Vec::new(), &AtomicBool::new(false));
        debug_assert!(matches!(end, Some(End::Unschedulable(_))), "room was left: {end:?}");
        let Some(end @ End::Unschedulable(_)) = end else { return Ok(None) };
        nodes.sort_unstable();
        let count = nodes.iter().map(|(_, copies)| copies).sum();
        Ok(Some(Headroom { count, nodes, end }))
    }

    /// Places copies one at a time until one does not fit, at most `at_most`.
    fn tried(
        &self,
        copies: &Copies,
        at_most: usize,
        interrupted: &AtomicBool,
    ) -> ApiResult<Headroom> {
        let mut branch = self.branch_for_placement();
        let mut placed: Vec<StrId> = Vec::new();
        let mut batch = FIRST_BATCH;
        let end = loop {
            let room = at_most - placed.len();
            if room == 0 {
                break End::Asked;
            }
            let pods = branch.create_copies(copies, batch.min(room))?;
            branch.let_scheduler_see();
            if let Some(end) = branch.place(&pods, &mut placed, interrupted) {
                break end;
            }
            if let Some(Halt::Fault(fault)) = branch.scheduler.halt() {
                return Err(ApiError::bad_request(fault.clone()));
            }
            batch = (batch * 2).min(LARGEST_BATCH);
        };
        Ok(Headroom { count: placed.len(), nodes: tally(&branch.store, placed), end })
    }

    /// [`Self::headroom`] for each of several, each on a branch of its own.
    pub fn headrooms(
        &self,
        copies: &[Copies],
        at_most: Option<usize>,
        interrupted: &AtomicBool,
    ) -> Vec<ApiResult<Headroom>> {
        copies.par_iter().map(|copies| self.headroom(copies, at_most, interrupted)).collect()
    }

    /// Names of the nodes that a pod's selector, required affinity and tolerations leave to it.
    ///
    /// # Errors
    /// What creating the pod answers.
    pub fn eligible_nodes(&self, pod: Value) -> ApiResult<Vec<Text>> {
        let mut branch = self.branch_for_placement();
        let pods = branch.create_copies(&Copies::Pod(pod), 1)?;
        branch.let_scheduler_see();
        let Some(pod) = pods.first().filter(|pod| branch.is_queued(**pod)) else {
            return Ok(Vec::new());
        };
        Ok(branch.scheduler.eligible_nodes(&branch.store, pod.slot))
    }

    /// A branch on which everything is seen at once and nothing is recorded.
    pub(super) fn branch_for_placement(&self) -> Self {
        let mut branch = self.clone();
        branch.latencies = Latencies::ideal();
        branch.store.set_event_policy(EventPolicy::None);
        branch
    }

    fn create_copies(&mut self, copies: &Copies, count: usize) -> ApiResult<Vec<ObjectId>> {
        match copies {
            Copies::Owner(owner) => self.store.create_from_template(*owner, count),
            Copies::Pod(pod) => {
                let naming = Naming::Generated(count);
                self.store.create_many(pod.clone(), &naming, &WriteOptions::default())
            }
        }
    }

    pub(super) fn let_scheduler_see(&mut self) {
        let scheduler = self.consumers.iter().position(|one| one.role == Role::Scheduler);
        let at = scheduler.expect("every cluster has a scheduler");
        if let Some((from, to)) = self.unread(at) {
            self.scheduler.observe(&self.store, from, to);
            self.read(at, to);
        }
    }

    /// Whether a pod is in the scheduler's queue, gated or not.
    fn is_queued(&self, pod: ObjectId) -> bool {
        use crate::sched::cache::Place;
        matches!(self.scheduler.cache().pod(pod.slot).place, Place::Queue(_))
    }

    /// Schedules these pods in order; the end, when it comes with one of them.
    fn place(
        &mut self,
        pods: &[ObjectId],
        placed: &mut Vec<StrId>,
        interrupted: &AtomicBool,
    ) -> Option<End> {
        for pod in pods {
            if placed.len().is_multiple_of(INTERRUPT_EVERY) && interrupted.load(Ordering::Relaxed) {
                return Some(End::Interrupted);
            }
            if self.scheduler.is_gated(*pod) {
                return Some(End::NotScheduled);
            }
            match self.scheduler.schedule_pod(&mut self.store, *pod).map(|said| said.result) {
                Some(DecisionResult::Bound(node)) => placed.push(node),
                Some(DecisionResult::Unschedulable { message, .. }) => {
                    return Some(End::Unschedulable(message));
                }
                None if self.scheduler.halt().is_some() => return None,
                Some(DecisionResult::Skipped) | None => return Some(End::NotScheduled),
            }
        }
        None
    }
}

/// How often each node occurs, by name.
fn tally(store: &Store, mut nodes: Vec<StrId>) -> Vec<(Text, usize)> {
    nodes.sort_unstable();
    let mut counts: Vec<(Text, usize)> = nodes
        .chunk_by(|a, b| a == b)
        .map(|same| (store.strings.text(same[0]).into(), same.len()))
        .collect();
    counts.sort_unstable();
    counts
}

#[cfg(test)]
mod tests;
