//! The work queue of one controller: keys, never events.
//!
//! A key waits once however often it is added; added while it is being worked on, it comes
//! again afterwards. Delayed adds keep the earliest due time per key. Failures back off as
//! client-go's default limiter does: 5 ms, doubling, at most 1,000 s.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::base::{CowMap, Nanos, Time};
use crate::store::ObjectId;

const BACKOFF_BASE: i64 = 5_000_000;
const BACKOFF_MAX: Nanos = Nanos::from_secs(1000);

/// Keys waiting for one controller; see the module header.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct WorkQueue {
    ready: VecDeque<ObjectId>,
    /// Keys in `ready`.
    queued: CowMap<ObjectId, ()>,
    /// Keys handed out and not yet answered; true when added again meanwhile.
    working: CowMap<ObjectId, bool>,
    due: CowMap<ObjectId, Time>,
    failures: CowMap<ObjectId, u32>,
}

impl WorkQueue {
    /// Adds a key to be worked on now.
    pub fn add(&mut self, key: ObjectId) {
        if self.working.get(&key).is_some() {
            self.working.insert(key, true);
        } else if self.queued.insert(key, ()).is_none() {
            self.ready.push_back(key);
        }
    }

    /// Notes that `key` is due at `time`; true when the caller must arrange for
    /// [`Self::fire`] to be called then.
    pub fn add_at(&mut self, key: ObjectId, time: Time) -> bool {
        if self.due.get(&key).is_some_and(|due| *due <= time) {
            return false;
        }
        self.due.insert(key, time);
        true
    }

    /// The timer of `key` for `time` went off; a timer that was overtaken does nothing.
    pub fn fire(&mut self, key: ObjectId, time: Time) {
        if self.due.get(&key) == Some(&time) {
            self.due.remove(&key);
            self.add(key);
        }
    }

    /// Counts a failure of `key` and says how long to wait before it is tried again.
    pub fn back_off(&mut self, key: ObjectId) -> Nanos {
        let failures = self.failures.get(&key).copied().unwrap_or(0);
        self.failures.insert(key, failures + 1);
        let wait = BACKOFF_BASE.checked_shl(failures).filter(|wait| *wait > 0 && failures < 40);
        wait.map_or(BACKOFF_MAX, |wait| Nanos(wait).min(BACKOFF_MAX))
    }

    /// How often `key` failed since it last succeeded.
    pub fn failures(&self, key: ObjectId) -> u32 {
        self.failures.get(&key).copied().unwrap_or(0)
    }

    /// Forgets the failures of `key`.
    pub fn forget(&mut self, key: ObjectId) {
        self.failures.remove(&key);
    }

    /// Hands out at most `limit` keys, in the order they were added.
    pub fn take(&mut self, limit: usize) -> Vec<ObjectId> {
        let count = limit.min(self.ready.len());
        let keys: Vec<ObjectId> = self.ready.drain(..count).collect();
        for key in &keys {
            self.queued.remove(key);
            self.working.insert(*key, false);
        }
        keys
    }

    /// A key handed out is done with; it comes again if it was added meanwhile.
    pub fn done(&mut self, key: ObjectId) {
        if self.working.remove(&key) == Some(true) {
            self.add(key);
        }
    }

    /// A key handed out was not worked on: it goes back to the front of the line.
    pub fn put_back(&mut self, key: ObjectId) {
        if self.working.remove(&key).is_some() && self.queued.insert(key, ()).is_none() {
            self.ready.push_front(key);
        }
    }

    /// Whether no key is ready.
    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    /// The number of keys ready.
    pub fn len(&self) -> usize {
        self.ready.len()
    }
}

#[cfg(test)]
mod tests {
    use super::WorkQueue;
    use crate::api::KindId;
    use crate::base::{Nanos, Time};
    use crate::store::ObjectId;

    fn key(slot: u32) -> ObjectId {
        ObjectId { kind: KindId::new(0), slot, generation: 0 }
    }

    #[test]
    fn a_key_waits_once_and_comes_again_when_added_while_worked_on() {
        let mut queue = WorkQueue::default();
        for slot in [1, 2, 1] {
            queue.add(key(slot));
        }
        assert_eq!(queue.take(10), [key(1), key(2)]);
        queue.add(key(1));
        assert!(queue.is_empty(), "a key in flight is not handed out twice");
        queue.done(key(1));
        queue.done(key(2));
        assert_eq!(queue.take(10), [key(1)]);
    }

    #[test]
    fn delayed_adds_keep_the_earliest_time() {
        let mut queue = WorkQueue::default();
        assert!(queue.add_at(key(1), Time(50)));
        assert!(!queue.add_at(key(1), Time(60)));
        assert!(queue.add_at(key(1), Time(40)));
        queue.fire(key(1), Time(50));
        assert!(queue.is_empty(), "the timer at 50 was overtaken by the one at 40");
        queue.fire(key(1), Time(40));
        assert_eq!(queue.len(), 1);
    }

    #[test]
    fn failures_back_off_and_are_forgotten_on_success() {
        let mut queue = WorkQueue::default();
        let waits: Vec<i64> = (0..3).map(|_| queue.back_off(key(1)).0 / 1_000_000).collect();
        assert_eq!(waits, [5, 10, 20]);
        for _ in 0..100 {
            assert!(queue.back_off(key(1)) <= Nanos::from_secs(1000));
        }
        queue.forget(key(1));
        assert_eq!((queue.failures(key(1)), queue.back_off(key(1)).0), (0, 5_000_000));
    }

    #[test]
    fn a_key_put_back_is_first_again() {
        let mut queue = WorkQueue::default();
        queue.add(key(1));
        queue.add(key(2));
        let taken = queue.take(1);
        queue.put_back(taken[0]);
        assert_eq!(queue.take(2), [key(1), key(2)]);
    }
}
