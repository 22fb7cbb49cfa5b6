//! Moving time forward.

use serde::{Deserialize, Serialize};

use super::consumer::Role;
use super::watcher::Watcher;
use super::{Event, World};
use crate::base::Time;
use crate::sched::plugins::user::asking::Halt;
use crate::store::ObjectId;

/// How far to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// To this time; everything due at it still happens.
    Time(Time),
    /// Until nothing is left to happen but timeouts, at most to this time.
    Settled(Time),
    /// To the end of the next instant at which anything happens, at most to this time; settled
    /// when there is none and no end of time was given.
    NextInstant(Time),
}

impl Until {
    fn limit(self) -> Time {
        match self {
            Self::Time(time) | Self::Settled(time) | Self::NextInstant(time) => time,
        }
    }

    /// Whether to stop where the clock stands when nothing will ever happen again. Who waits for
    /// an instant without naming a time must not find the clock at the end of all time.
    fn may_settle(self) -> bool {
        match self {
            Self::Time(_) => false,
            Self::Settled(_) => true,
            Self::NextInstant(time) => time.0 == i64::MAX,
        }
    }
}

/// Why the engine came back.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// The time asked for has come.
    Deadline,
    /// Nothing is left to happen but timeouts.
    Settled,
    /// An instant is over.
    Instant,
    /// A controller has work: its number and its keys, in the order they were added.
    Keys(u16, Vec<ObjectId>),
    /// A plugin of the scheduler that is written elsewhere is asked
    /// ([`crate::sched::Scheduler::question`]); the cycle is run again when the cluster goes on.
    Asked,
    /// A plugin of the scheduler has no answer, in one sentence; the pod stays where it was.
    Fault(String),
    /// The caller asked to stop; the cluster is between two steps.
    Interrupted,
}

/// Where a round over the consumers goes on: a stop in its middle changes nothing of the order
/// in which things happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Whose turn it is.
    at: usize,
    /// How many pods the scheduler may still try in its turn, if it had begun.
    left: Option<usize>,
}

/// Pods scheduled in one turn, so that kubelets and interrupts get theirs.
const SCHEDULER_BATCH: usize = 4096;

impl World {
    /// Lets the cluster act until `until`, or until a controller has work. `interrupted` is
    /// asked between steps. Call it again to go on; nothing is lost in between.
    pub fn advance(&mut self, until: Until, interrupted: &mut dyn FnMut() -> bool) -> Stop {
        self.advance_watched(until, interrupted, &mut ())
    }

    /// The same with somebody looking on; what they see changes nothing.
    pub fn advance_watched(
        &mut self,
        until: Until,
        interrupted: &mut dyn FnMut() -> bool,
        watcher: &mut dyn Watcher,
    ) -> Stop {
        loop {
            if let Some(stop) = self.run_instant(interrupted, watcher) {
                return stop;
            }
            self.watch_kubernetes();
            if self.traffic.is_live() {
                self.follow_routes();
            }
            self.announce_writes();
            self.trim_history();
            if matches!(until, Until::Settled(_)) && self.work == 0 {
                return Stop::Settled;
            }
            let Some((time, _)) = self.queue.peek().filter(|(time, _)| *time <= until.limit())
            else {
                if self.queue.is_empty() && until.may_settle() {
                    return Stop::Settled;
                }
                self.store.now = self.store.now.max(until.limit());
                return Stop::Deadline;
            };
            if matches!(until, Until::NextInstant(_)) && time > self.store.now && self.stepped {
                self.stepped = false;
                return Stop::Instant;
            }
            self.stepped = true;
            self.store.now = time;
            while let Some((due, _)) = self.queue.peek().filter(|(due, _)| *due == time) {
                let (_, _, event) = self.queue.pop().expect("peeked");
                self.work -= usize::from(event.is_work());
                self.happen(event);
                debug_assert_eq!(due, time);
            }
        }
    }

    /// Runs rounds over the consumers until none has anything left to do at this instant.
    fn run_instant(
        &mut self,
        interrupted: &mut dyn FnMut() -> bool,
        watcher: &mut dyn Watcher,
    ) -> Option<Stop> {
        loop {
            let Turn { at: first, mut left } = std::mem::take(&mut self.turn);
            let mut busy = first > 0;
            for at in first..self.consumers.len() {
                if interrupted() {
                    self.turn = Turn { at, left };
                    return Some(Stop::Interrupted);
                }
                match self.consumers[at].role {
                    Role::Garbage => busy |= self.collect_garbage(at),
                    Role::Controller(number) => {
                        let keys = self.controller_keys(at, number);
                        if !keys.is_empty() {
                            return Some(Stop::Keys(number, keys));
                        }
                    }
                    Role::Scheduler => match self.run_scheduler(at, left.take(), watcher) {
                        Ok(did) => busy |= did,
                        Err(stop) => return Some(stop),
                    },
                    Role::Kubelets => busy |= self.run_kubelets(at),
                    Role::Endpoints => busy |= self.run_endpoints(at),
                }
            }
            if !busy {
                return None;
            }
        }
    }

    /// Applies one event to whoever it is for.
    fn happen(&mut self, event: Event) {
        match event {
            Event::None => {}
            Event::Visible(at, revision) => self.make_visible(at, revision),
            Event::Pod(slot, generation) => self.kubelet_wakes(slot, generation),
            Event::Node(slot, generation) => self.node_boots(slot, generation),
            Event::Key(number, key) | Event::Timeout(number, key) => self.key_is_due(number, key),
            Event::Cycle => self.cycle_running = false,
            Event::Retry | Event::Flush => {}
            Event::ControlPlane => self.look_after_kubernetes(),
        }
    }

    /// Lets the scheduler take in what it sees and decide; true when it did anything. `left`
    /// pods are left of a turn that had begun.
    fn run_scheduler(
        &mut self,
        at: usize,
        left: Option<usize>,
        watcher: &mut dyn Watcher,
    ) -> Result<bool, Stop> {
        let mut busy = left.is_some();
        if left.is_none()
            && let Some((from, to)) = self.unread(at)
        {
            watcher.observing();
            self.scheduler.observe(&self.store, from, to);
            watcher.observed();
            self.read(at, to);
            busy = true;
        }
        self.scheduler.flush_leftovers(&self.store);
        let cycle = self.latencies.scheduling_cycle;
        for left in (1..=left.unwrap_or(SCHEDULER_BATCH)).rev() {
            if self.cycle_running || !self.scheduler.has_ready(self.store.now) {
                break;
            }
            watcher.deciding();
            let Some(decision) = self.scheduler.schedule_one(&mut self.store) else {
                if let Some(stop) = self.halted() {
                    self.turn = Turn { at, left: Some(left) };
                    return Err(stop);
                }
                break;
            };
            watcher.decided(&self.store, &decision);
            busy = true;
            if !cycle.is_zero() {
                let time = self.store.now.after(cycle.sample(&mut self.delays));
                self.cycle_running = true;
                self.schedule(time, super::consumer::phase::SCHEDULER, Event::Cycle);
            }
        }
        self.arrange_retries();
        Ok(busy)
    }

    /// Why the scheduler's last cycle decided nothing, if it did not.
    fn halted(&self) -> Option<Stop> {
        self.scheduler.halt().map(|halt| match halt {
            Halt::Asked(_) => Stop::Asked,
            Halt::Fault(fault) => Stop::Fault(fault.clone()),
        })
    }

    /// Wakes the scheduler when pods come out of backoff or have waited too long.
    fn arrange_retries(&mut self) {
        let phase = super::consumer::phase::SCHEDULER;
        if let Some(time) =
            self.scheduler.next_retry(self.store.now).filter(|time| self.retry_at != Some(*time))
        {
            self.retry_at = Some(time);
            self.schedule(time, phase, Event::Retry);
        }
        if let Some(time) =
            self.scheduler.next_flush(self.store.now).filter(|time| self.flush_at != Some(*time))
        {
            self.flush_at = Some(time);
            self.schedule(time, phase, Event::Flush);
        }
    }

    /// Lets the endpoints follow services and pods; true when anything was written.
    fn run_endpoints(&mut self, at: usize) -> bool {
        let Some((from, to)) = self.unread(at) else { return false };
        let before = self.store.revision();
        self.endpoints.sync(&mut self.store, from, to);
        self.read(at, to);
        self.store.revision() != before
    }
}
