//! Offering waiting pods to the scheduler one at a time, in an order of the caller's: what a
//! published trace of arrivals without departures asks for.
//!
//! Each pod gets one scheduling cycle, after everything written before was seen. One that no
//! node takes is deleted, so that it is not tried again when a later event could let it in.
//! Nobody else acts, and no time passes.

use super::World;
use super::consumer::Role;
use crate::api::ApiResult;
use crate::sched::DecisionResult;
use crate::store::ObjectId;
use crate::store::delete::DeleteOptions;

impl World {
    /// Offers waiting pods in this order; for each whether a node took it. Those that the
    /// scheduler leaves alone, because they are gated, are on a node or are not its own, stay as
    /// they are and count as not taken.
    ///
    /// # Errors
    /// What deleting a pod answers; those before it have been offered.
    pub fn offer(&mut self, pods: &[ObjectId]) -> ApiResult<Vec<bool>> {
        let now = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
        let mut taken = Vec::with_capacity(pods.len());
        for pod in pods {
            self.show_scheduler_everything();
            let known = self.store.row(*pod).is_some() && !self.scheduler.is_gated(*pod);
            let decision = known.then(|| self.scheduler.schedule_pod(&mut self.store, *pod));
            let result = decision.flatten().map(|decision| decision.result);
            taken.push(matches!(result, Some(DecisionResult::Bound(_))));
            if matches!(result, Some(DecisionResult::Unschedulable { .. })) {
                self.store.delete(*pod, &now)?;
            }
        }
        Ok(taken)
    }

    /// Lets the scheduler take in every write, however long that takes otherwise.
    fn show_scheduler_everything(&mut self) {
        let scheduler = self.consumers.iter_mut().find(|one| one.role == Role::Scheduler);
        let consumer = scheduler.expect("every cluster has a scheduler");
        let to = self.store.revision();
        if consumer.seen < to {
            self.scheduler.observe(&self.store, consumer.seen, to);
            consumer.seen = to;
            consumer.visible = consumer.visible.max(to);
            consumer.announced = consumer.announced.max(to);
        }
    }
}
