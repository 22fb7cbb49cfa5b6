//! The scheduling queue: which pod is tried next, and when a rejected one is tried again.
//!
//! ```text
//!            ┌──────────────── active ◄──────────────┐ backoff is over
//!            ▼                    ▲                  │
//!   a cycle ─┤ rejected           │ event, not backing off
//!            ├──────► unschedulable ──── event ──► backoff ──► tried early when active is empty
//!            │                                       ▲
//!            └ no plugin to blame ──► error backoff ─┘ (a heap of its own, never tried early)
//!
//!   gated: held back before entering, until its own gates are removed
//! ```
//!
//! Backoff is 1, 2, 4, 8, then 10 s by the number of rejections, counted from the last attempt
//! and cut to whole seconds; pods leave it at whole seconds. Every 30 s pods that waited more
//! than five minutes for an event are given another chance.
//!
//! The queue stores keys and counts, in copy-on-write columns; it knows no plugin. Heaps may
//! hold entries that were overtaken: an entry counts only while the pod is still in the state
//! and on the turn it was made for.

pub mod heap;
pub mod waiting;

use serde::{Deserialize, Serialize};

use self::heap::Heap;
use self::waiting::Waiting;
use super::config::Config;
use super::plugins::PluginId;
use super::plugins::priority_sort::SortKey;
use super::pod_info::InfoId;
use super::status::PluginSet;
use crate::base::{CowVec, Nanos, StrId, Time};

/// How often pods that waited long are looked for.
const LEFTOVER_PERIOD: Nanos = Nanos::from_secs(30);
const SECOND: i64 = 1_000_000_000;

/// Where a queued pod is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Nowhere: the place is free.
    #[default]
    Free,
    /// Ready to be tried.
    Active,
    /// Ready once its backoff is over, or when nobody else is ready.
    Backoff,
    /// As [`Self::Backoff`], after a failure that was nobody's no; never tried early.
    ErrorBackoff,
    /// Rejected; an event or time must pass.
    Unschedulable,
    /// Held back by this plugin before it may enter.
    Gated(PluginId),
    /// Being tried.
    InFlight,
}

/// One pod in the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueuedPod {
    /// Its row.
    pub slot: u32,
    /// What scheduling needs of it; `None` in a free place. Not saved: numbers of contents
    /// follow from the store.
    #[serde(skip)]
    pub info: Option<InfoId>,
    /// `spec.priority`.
    pub priority: i32,
    /// Its place in the order; the time is when it entered or last failed.
    pub key: SortKey,
    /// How often plugins rejected it.
    pub rejections: u32,
    /// How often in a row it failed without anybody's no.
    pub errors: u32,
    /// The plugins that rejected it last.
    pub rejectors: PluginSet,
    /// The node it was nominated to when it was last seen in the log.
    pub nominated: Option<StrId>,
    /// Where it is.
    pub state: State,
}

/// How long pods back off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backoff {
    /// After the first failure.
    pub initial: Nanos,
    /// At most; zero for never.
    pub max: Nanos,
    /// How long a rejected pod waits at most for an event.
    pub max_in_unschedulable: Nanos,
}

impl Backoff {
    /// The times a configuration asks for.
    pub fn of(config: &Config) -> Self {
        Self {
            initial: config.initial_backoff,
            max: config.max_backoff,
            max_in_unschedulable: config.max_in_unschedulable,
        }
    }
}

/// A queue in the form it is written in: the heaps follow from the pods.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedQueue {
    started: Time,
    pods: CowVec<QueuedPod>,
    free: CowVec<u32>,
    sequence: u64,
}

/// A heap entry: when, who is first at one time, and the pod.
type Timed = (i64, SortKey, u32);

/// The scheduling queue; see the module header.
#[derive(Clone, Debug)]
pub struct Queue {
    backoff_times: Backoff,
    /// When the 30 s timer started.
    started: Time,
    pods: CowVec<QueuedPod>,
    free: CowVec<u32>,
    active: Heap<(SortKey, u32)>,
    /// By the second in which backoff ends.
    backoff: Heap<Timed>,
    error_backoff: Heap<Timed>,
    /// Rejected pods by the time of their last attempt.
    leftover: Heap<Timed>,
    /// Rejected pods by the plugins that rejected them.
    pub waiting: Waiting,
    sequence: u64,
}

impl Queue {
    /// An empty queue whose timers start at `started`.
    pub fn new(backoff_times: Backoff, started: Time) -> Self {
        Self {
            backoff_times,
            started,
            pods: CowVec::new(),
            free: CowVec::new(),
            active: Heap::default(),
            backoff: Heap::default(),
            error_backoff: Heap::default(),
            leftover: Heap::default(),
            waiting: Waiting::default(),
            sequence: 0,
        }
    }

    /// The queue in the form it is written in.
    pub fn to_saved(&self) -> SavedQueue {
        SavedQueue {
            started: self.started,
            pods: self.pods.clone(),
            free: self.free.clone(),
            sequence: self.sequence,
        }
    }

    /// The queue a saved form stands for; `info` knows the contents of pods by row.
    pub fn from_saved(
        saved: SavedQueue,
        backoff_times: Backoff,
        info: impl Fn(u32) -> Option<InfoId>,
    ) -> Self {
        let mut queue = Self::new(backoff_times, saved.started);
        (queue.free, queue.sequence) = (saved.free, saved.sequence);
        queue.pods = saved.pods;
        for number in 0..queue.pods.len() as u32 {
            if queue.get(number).state != State::Free {
                let info = info(queue.get(number).slot);
                queue.pods.get_mut(number as usize).info = info;
                queue.enter(number);
            }
        }
        queue
    }

    /// Puts a pod where its state says it is.
    fn enter(&mut self, number: u32) {
        let pod = *self.get(number);
        let end = self.expiry(number).unwrap_or(second_of(pod.key.time));
        match pod.state {
            State::Active => self.active.push((pod.key, number)),
            State::Backoff => self.backoff.push((end, pod.key, number)),
            State::ErrorBackoff => self.error_backoff.push((end, pod.key, number)),
            State::Unschedulable => {
                self.leftover.push((pod.key.time.0, pod.key, number));
                self.waiting.add(number, pod.rejectors, pod.info);
            }
            State::Free | State::Gated(_) | State::InFlight => {}
        }
    }

    /// A pod in the queue.
    pub fn get(&self, number: u32) -> &QueuedPod {
        &self.pods[number as usize]
    }

    /// Every pod in the queue, with its number.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &QueuedPod)> {
        let all = self.pods.iter().enumerate();
        all.filter(|(_, pod)| pod.state != State::Free).map(|(at, pod)| (at as u32, pod))
    }

    /// Adds a pod, held back if a plugin says so; returns its number.
    pub fn add(
        &mut self,
        slot: u32,
        info: InfoId,
        priority: i32,
        gate: Option<PluginId>,
        now: Time,
    ) -> u32 {
        let key = self.next_key(priority, now);
        let state = gate.map_or(State::Active, State::Gated);
        let pod =
            QueuedPod { slot, info: Some(info), priority, key, state, ..QueuedPod::default() };
        let number = match self.free.len().checked_sub(1) {
            Some(last) => {
                let number = self.free[last];
                self.free.resize(last);
                self.pods.set(number as usize, pod);
                number
            }
            None => self.pods.push(pod) as u32,
        };
        self.enter(number);
        number
    }

    /// Removes a pod.
    pub fn remove(&mut self, number: u32) {
        self.leave(number);
        self.pods.set(number as usize, QueuedPod::default());
        self.free.push(number);
        self.trim();
    }

    /// Notes that the pod's content changed.
    pub fn set_info(&mut self, number: u32, info: InfoId, priority: i32) {
        let pod = *self.get(number);
        if pod.state == State::Unschedulable {
            self.waiting.remove(number, pod.rejectors, pod.info);
            self.waiting.add(number, pod.rejectors, Some(info));
        }
        let place = self.pods.get_mut(number as usize);
        place.info = Some(info);
        place.priority = priority;
    }

    /// Notes the nomination a pod was last seen with.
    pub fn set_nominated(&mut self, number: u32, nominated: Option<StrId>) {
        if self.get(number).nominated != nominated {
            self.pods.get_mut(number as usize).nominated = nominated;
        }
    }

    /// Takes the pod to be tried next: the first active one, else the first of those backing
    /// off after a rejection.
    pub fn pop(&mut self, now: Time) -> Option<u32> {
        self.pop_from(now).map(|(number, _)| number)
    }

    /// As [`Self::pop`], with the state the pod was in.
    pub fn pop_from(&mut self, now: Time) -> Option<(u32, State)> {
        self.flush_backoff(now);
        let (number, state) = match self.active.pop() {
            Some((_, number)) => (number, State::Active),
            None => (self.backoff.pop()?.2, State::Backoff),
        };
        self.pods.get_mut(number as usize).state = State::InFlight;
        self.trim();
        Some((number, state))
    }

    /// Puts a pod that was taken and not tried back where it was.
    pub fn put_back(&mut self, number: u32, state: State) {
        self.pods.get_mut(number as usize).state = state;
        self.enter(number);
    }

    /// Takes a pod out of turn, to be tried.
    pub fn take(&mut self, number: u32) {
        self.leave(number);
        self.trim();
    }

    /// Puts a pod back that no node would have. Without a plugin to blame, time alone brings
    /// it back.
    pub fn fail(&mut self, number: u32, rejectors: PluginSet, now: Time) {
        let key = self.next_key(self.get(number).priority, now);
        let pod = self.pods.get_mut(number as usize);
        pod.key = key;
        pod.rejectors = rejectors;
        if rejectors.is_empty() {
            pod.errors += 1;
            pod.state = State::ErrorBackoff;
        } else {
            pod.errors = 0;
            pod.rejections += 1;
            pod.state = State::Unschedulable;
        }
        self.enter(number);
    }

    /// Gives a rejected or gated pod another chance: at once, or after its backoff. `gate`
    /// holds it back once more.
    pub fn requeue(&mut self, number: u32, gate: Option<PluginId>, now: Time) {
        self.leave(number);
        let backs_off = self.expiry(number).is_some_and(|expiry| expiry >= second_of(now));
        self.pods.get_mut(number as usize).state = match (gate, backs_off) {
            (Some(plugin), _) => State::Gated(plugin),
            (None, true) => State::Backoff,
            (None, false) => State::Active,
        };
        self.enter(number);
        self.trim();
    }

    /// The pods that waited for an event for too long as of the last look at them.
    pub fn leftovers(&mut self, now: Time) -> Vec<u32> {
        let mut found = Vec::new();
        while self.has_leftover(now)
            && let Some((.., number)) = self.leftover.pop()
        {
            found.push(number);
            self.trim();
        }
        found
    }

    /// Whether a pod had waited for an event for too long as of the last look at them.
    pub fn has_leftover(&self, now: Time) -> bool {
        let period = LEFTOVER_PERIOD.0;
        let last_look = self.started.0 + (now.0 - self.started.0) / period * period;
        let most = self.backoff_times.max_in_unschedulable.0;
        self.leftover.peek().is_some_and(|(time, ..)| last_look - time > most)
    }

    /// Whether a pod can be tried at `now`.
    pub fn has_ready(&self, now: Time) -> bool {
        let error_over = self.error_backoff.peek().is_some_and(|(end, ..)| end < second_of(now));
        !self.active.is_empty() || !self.backoff.is_empty() || error_over
    }

    /// When the earliest pod leaves its error backoff.
    pub fn next_retry(&self) -> Option<Time> {
        self.error_backoff.peek().map(|(end, ..)| Time((end + 1) * SECOND))
    }

    /// When the earliest pod has waited for an event for too long.
    pub fn next_timeout(&self) -> Option<Time> {
        let (time, ..) = self.leftover.peek()?;
        let due = time + self.backoff_times.max_in_unschedulable.0 - self.started.0;
        Some(Time(self.started.0 + (due / LEFTOVER_PERIOD.0 + 1) * LEFTOVER_PERIOD.0))
    }

    /// Moves pods whose backoff is over among the active ones.
    fn flush_backoff(&mut self, now: Time) {
        for errors in [false, true] {
            loop {
                let heap = if errors { &mut self.error_backoff } else { &mut self.backoff };
                let Some((_, key, number)) = heap.peek().filter(|(end, ..)| *end < second_of(now))
                else {
                    break;
                };
                heap.pop();
                self.pods.get_mut(number as usize).state = State::Active;
                self.active.push((key, number));
                self.trim();
            }
        }
    }

    /// The second in which the pod's backoff ends; nothing when it has none.
    fn expiry(&self, number: u32) -> Option<i64> {
        let pod = self.get(number);
        let count = if pod.errors > 0 { pod.errors } else { pod.rejections };
        let Backoff { initial, max, .. } = self.backoff_times;
        if count == 0 || max == Nanos::ZERO {
            return None;
        }
        let shift = (count - 1).min(62);
        let wait = if initial.0 > max.0 >> shift { max.0 } else { initial.0 << shift };
        Some(second_of(Time(pod.key.time.0 + wait)))
    }

    fn next_key(&mut self, priority: i32, now: Time) -> SortKey {
        self.sequence += 1;
        SortKey::new(priority, now, self.sequence)
    }

    /// Takes a pod out of the state it is in; its heap entries are overtaken by that.
    fn leave(&mut self, number: u32) {
        let pod = *self.get(number);
        if pod.state == State::Unschedulable {
            self.waiting.remove(number, pod.rejectors, pod.info);
        }
        self.pods.get_mut(number as usize).state = State::InFlight;
    }

    /// Drops overtaken entries: those in front at once, the others when they are many.
    fn trim(&mut self) {
        let Self { pods, active, backoff, error_backoff, leftover, .. } = self;
        let live = |state: State, key: SortKey, number: u32| {
            let pod = &pods[number as usize];
            pod.state == state && pod.key == key
        };
        while let Some((key, number)) = active.peek()
            && !live(State::Active, key, number)
        {
            active.pop();
        }
        for (heap, state) in [
            (backoff, State::Backoff),
            (error_backoff, State::ErrorBackoff),
            (leftover, State::Unschedulable),
        ] {
            while let Some((_, key, number)) = heap.peek()
                && !live(state, key, number)
            {
                heap.pop();
            }
            if heap.len() > 2 * pods.len() + 1024 {
                heap.retain(|(_, key, number)| live(state, *key, *number));
            }
        }
    }
}

/// The whole second an instant lies in.
fn second_of(time: Time) -> i64 {
    time.0.div_euclid(SECOND)
}

#[cfg(test)]
mod tests;
