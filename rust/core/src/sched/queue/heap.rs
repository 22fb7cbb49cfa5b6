//! A priority queue over copy-on-write pages: cloning it costs one reference count.
//!
//! Each node has eight children, so that a pop among a million entries touches seven levels.
//! Entries are never removed from the middle: who uses the heap knows which entries still mean
//! something and passes over the rest ([`Heap::retain`] clears them out when they get many).

use crate::base::CowVec;

const ARITY: usize = 8;

/// A heap whose least entry comes first.
#[derive(Clone, Debug)]
pub struct Heap<T>(CowVec<T>);

impl<T> Default for Heap<T> {
    fn default() -> Self {
        Self(CowVec::new())
    }
}

impl<T: Copy + Default + Ord> Heap<T> {
    /// The number of entries.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The least entry.
    pub fn peek(&self) -> Option<T> {
        self.0.get(0).copied()
    }

    /// Adds an entry.
    pub fn push(&mut self, entry: T) {
        let mut at = self.0.push(entry);
        while at > 0 {
            let parent = (at - 1) / ARITY;
            if self.0[parent] <= entry {
                break;
            }
            let down = self.0[parent];
            self.0.set(at, down);
            at = parent;
        }
        self.0.set(at, entry);
    }

    /// Takes the least entry.
    pub fn pop(&mut self) -> Option<T> {
        let first = self.peek()?;
        let last = self.0.len() - 1;
        let moving = self.0[last];
        self.0.resize(last);
        if last > 0 {
            self.sink(moving);
        }
        Some(first)
    }

    /// Keeps the entries for which `keep` answers true.
    pub fn retain(&mut self, mut keep: impl FnMut(&T) -> bool) {
        let mut kept: Vec<T> = self.0.iter().filter(|entry| keep(entry)).copied().collect();
        kept.sort_unstable();
        self.0 = kept.into_iter().collect();
    }

    /// Puts `moving` at the root and lets it sink to its place.
    fn sink(&mut self, moving: T) {
        let mut at = 0;
        loop {
            let first = at * ARITY + 1;
            let children = first..(first + ARITY).min(self.0.len());
            let Some(least) = children.min_by_key(|child| self.0[*child]) else { break };
            if moving <= self.0[least] {
                break;
            }
            let up = self.0[least];
            self.0.set(at, up);
            at = least;
        }
        self.0.set(at, moving);
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;
    use std::collections::BinaryHeap;

    use proptest::prelude::*;

    use super::Heap;

    proptest! {
        #[test]
        fn pops_what_a_binary_heap_pops(
            ops in prop::collection::vec((0..4u8, 0..1000u32), 1..500),
        ) {
            let (mut heap, mut model) = (Heap::default(), BinaryHeap::new());
            for (op, value) in ops {
                match op {
                    0 => prop_assert_eq!(heap.pop(), model.pop().map(|Reverse(value)| value)),
                    1 if value < 50 => {
                        heap.retain(|entry| entry % 3 != 0);
                        model.retain(|Reverse(entry)| entry % 3 != 0);
                    }
                    _ => {
                        heap.push(value);
                        model.push(Reverse(value));
                    }
                }
                prop_assert_eq!(heap.peek(), model.peek().map(|Reverse(value)| *value));
                prop_assert_eq!(heap.len(), model.len());
            }
        }
    }
}
