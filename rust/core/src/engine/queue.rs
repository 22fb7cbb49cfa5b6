//! The event queue: earliest (time, phase, sequence) first, a total order.
//!
//! An eight-way heap over copy-on-write pages: a fork with a hundred thousand pending timers
//! is still one reference count, and a pop touches about six pages of a million events.

use serde::{Deserialize, Serialize};

use crate::base::{CowVec, Time};

/// Children per heap node: shallow trees keep the pages a pop touches few.
const ARITY: usize = 8;

/// Pending events of type `E`, popped in (time, phase, sequence) order.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(bound(serialize = "E: Serialize", deserialize = "E: Deserialize<'de> + Clone + Default"))]
pub struct EventQueue<E> {
    heap: CowVec<Pending<E>>,
    sequence: u64,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Pending<E> {
    time: Time,
    /// Phase in the top byte, sequence below: one comparison orders both.
    order: u64,
    event: E,
}

impl<E> Pending<E> {
    fn key(&self) -> (Time, u64) {
        (self.time, self.order)
    }
}

impl<E: Copy + Default> EventQueue<E> {
    /// An empty queue.
    pub fn new() -> Self {
        Self { heap: CowVec::new(), sequence: 0 }
    }

    /// Adds an event; of equal time and phase the one added first comes first.
    pub fn push(&mut self, time: Time, phase: u8, event: E) {
        let order = u64::from(phase) << 56 | self.sequence;
        self.sequence += 1;
        let mut at = self.heap.push(Pending { time, order, event });
        let moving = self.heap[at];
        while at > 0 {
            let parent = (at - 1) / ARITY;
            if self.heap[parent].key() <= moving.key() {
                break;
            }
            let down = self.heap[parent];
            self.heap.set(at, down);
            at = parent;
        }
        self.heap.set(at, moving);
    }

    /// Time and phase of the earliest event.
    pub fn peek(&self) -> Option<(Time, u8)> {
        let first = self.heap.get(0)?;
        Some((first.time, (first.order >> 56) as u8))
    }

    /// Takes the earliest event.
    pub fn pop(&mut self) -> Option<(Time, u8, E)> {
        let first = *self.heap.get(0)?;
        let last = self.heap.len() - 1;
        let moving = self.heap[last];
        self.heap.resize(last);
        if last > 0 {
            self.sink(moving);
        }
        Some((first.time, (first.order >> 56) as u8, first.event))
    }

    /// Visits every pending event for writing; what it is due at stays.
    pub fn for_each_mut(&mut self, mut visit: impl FnMut(&mut E)) {
        let len = self.heap.len();
        self.heap.for_range_mut(0, len, |_, pending| visit(&mut pending.event));
    }

    /// The number of pending events.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether nothing is pending.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// Puts `moving` at the root and lets it sink to its place.
    fn sink(&mut self, moving: Pending<E>) {
        let mut at = 0;
        loop {
            let first = at * ARITY + 1;
            let children = first..(first + ARITY).min(self.heap.len());
            let Some(least) = children.min_by_key(|&child| self.heap[child].key()) else { break };
            if moving.key() <= self.heap[least].key() {
                break;
            }
            let up = self.heap[least];
            self.heap.set(at, up);
            at = least;
        }
        self.heap.set(at, moving);
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    use proptest::prelude::*;

    use super::EventQueue;
    use crate::base::Time;

    #[test]
    fn equal_times_come_by_phase_then_by_order_of_adding() {
        let mut queue = EventQueue::new();
        for (time, phase, event) in [(5, 2, 'a'), (5, 1, 'b'), (5, 1, 'c'), (4, 9, 'd')] {
            queue.push(Time(time), phase, event);
        }
        let order: String = std::iter::from_fn(|| queue.pop().map(|(_, _, event)| event)).collect();
        assert_eq!(order, "dbca");
    }

    proptest! {
        #[test]
        fn pops_what_a_binary_heap_pops_also_after_a_fork(
            ops in prop::collection::vec((any::<bool>(), 0..50i64, 0..3u8), 1..400),
        ) {
            let mut queue = EventQueue::new();
            let mut model = BinaryHeap::new();
            let mut forks = Vec::new();
            for (sequence, (push, time, phase)) in ops.into_iter().enumerate() {
                if push {
                    queue.push(Time(time), phase, sequence as u32);
                    model.push(Reverse((time, phase, sequence as u32)));
                } else {
                    let popped = queue.pop().map(|(time, phase, event)| (time.0, phase, event));
                    prop_assert_eq!(popped, model.pop().map(|Reverse(item)| item));
                }
                if sequence % 50 == 0 {
                    forks.push((queue.clone(), model.clone()));
                }
            }
            forks.push((queue, model));
            for (mut queue, mut model) in forks {
                while let Some(Reverse(expected)) = model.pop() {
                    let (time, phase, event) = queue.pop().expect("as many as the model");
                    prop_assert_eq!((time.0, phase, event), expected);
                }
                prop_assert!(queue.is_empty());
            }
        }
    }
}
