//! Who reads the watch log, in which phase, and how far each can see.
//!
//! A write becomes visible to a consumer after the latencies of the API call and of the watch.
//! With both zero a consumer sees everything at once; otherwise the end of every instant
//! schedules when the writes made in it become visible to whom.

use serde::{Deserialize, Serialize};

use super::{Event, World};
use crate::base::Nanos;

/// Phases of an instant, in order. Those without an actor yet keep their place.
pub mod phase {
    /// Admission and allocation.
    pub const ADMISSION: u8 = 0;
    /// Controllers, the garbage collector first.
    pub const CONTROLLERS: u8 = 1;
    /// The scheduler.
    pub const SCHEDULER: u8 = 2;
    /// The kubelets.
    pub const KUBELETS: u8 = 3;
    /// Endpoints of services.
    pub const ENDPOINTS: u8 = 4;
    /// Routing tables.
    pub const PROXIES: u8 = 5;
    /// Samples and records.
    pub const METRICS: u8 = 6;
}

/// What a consumer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// The garbage collector.
    Garbage,
    /// Controller number n.
    Controller(u16),
    /// The scheduler.
    Scheduler,
    /// The kubelets.
    Kubelets,
    /// The EndpointSlice controller.
    Endpoints,
}

impl Role {
    /// The consumers every cluster has, in phase order; controllers come after the first.
    pub const BUILT_IN: [Self; 4] =
        [Self::Garbage, Self::Scheduler, Self::Kubelets, Self::Endpoints];

    /// The phase a consumer acts in.
    pub fn phase(self) -> u8 {
        match self {
            Self::Garbage | Self::Controller(_) => phase::CONTROLLERS,
            Self::Scheduler => phase::SCHEDULER,
            Self::Kubelets => phase::KUBELETS,
            Self::Endpoints => phase::ENDPOINTS,
        }
    }
}

/// A reader of the log and its cursor.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Consumer {
    /// Who reads.
    pub role: Role,
    /// Everything up to this version was taken in.
    pub seen: u64,
    /// Everything up to this version can be seen.
    pub visible: u64,
    /// Everything up to this version is visible or will become so by itself.
    pub announced: u64,
}

impl Consumer {
    /// A consumer that starts at the beginning.
    pub fn new(role: Role) -> Self {
        Self { role, seen: 0, visible: 0, announced: 0 }
    }
}

impl World {
    /// The versions consumer `at` has not taken in and can see, as `(from, to]`.
    pub(super) fn unread(&mut self, at: usize) -> Option<(u64, u64)> {
        if self.latencies.watch_delay.is_zero() && self.latencies.api_write.is_zero() {
            let revision = self.store.revision();
            let consumer = &mut self.consumers[at];
            consumer.visible = revision;
            consumer.announced = revision;
        }
        let consumer = &self.consumers[at];
        (consumer.seen < consumer.visible).then_some((consumer.seen, consumer.visible))
    }

    /// Notes that consumer `at` has taken in everything up to `revision`.
    pub(super) fn read(&mut self, at: usize, revision: u64) {
        self.consumers[at].seen = revision;
    }

    /// At the end of an instant: when will the writes made in it be seen by whom.
    pub(super) fn announce_writes(&mut self) {
        let revision = self.store.revision();
        for at in 0..self.consumers.len() {
            if self.consumers[at].announced == revision {
                continue;
            }
            self.consumers[at].announced = revision;
            let write = self.latencies.api_write.sample(&mut self.delays);
            let watch = self.latencies.watch_delay.sample(&mut self.delays);
            let time = self.store.now.after(Nanos(write.0 + watch.0));
            let phase = self.consumers[at].role.phase();
            self.schedule(time, phase, Event::Visible(at as u16, revision));
        }
    }

    /// Lets a consumer see the writes up to `revision`; a later announcement that arrived
    /// earlier wins.
    pub(super) fn make_visible(&mut self, at: u16, revision: u64) {
        let consumer = &mut self.consumers[usize::from(at)];
        consumer.visible = consumer.visible.max(revision);
    }

    /// Forgets history that every consumer has read and no watch may ask for any more.
    pub(super) fn trim_history(&mut self) {
        let head = self.store.revision();
        let kept = head.saturating_sub(self.history);
        // In steps, so that trimming costs little per write.
        if kept > self.store.log().compacted() + self.history / 4 {
            let read = self.consumers.iter().map(|consumer| consumer.seen).min().unwrap_or(head);
            self.store.compact(kept.min(read));
        }
    }
}
