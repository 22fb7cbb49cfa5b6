//! A hash index over elements that live elsewhere, itself in copy-on-write pages.
//!
//! Entries are `(32 bits of hash, element number)` in one open-addressing table with linear
//! probing and backward-shift deletion. The element itself (a name, a label set) stays where
//! it is; callers compare candidates with a closure. Forking costs one reference count.

use super::CowVec;

const EMPTY: u64 = u64::MAX;

/// Maps 64-bit hashes to element numbers; see the module header.
#[derive(Clone, Debug, Default)]
pub struct CowIndex {
    entries: CowVec<Entry>,
    len: usize,
}

/// A table cell; the default is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Entry(u64);

impl Default for Entry {
    fn default() -> Self {
        Self(EMPTY)
    }
}

impl Entry {
    fn new(hash: u64, number: u32) -> Self {
        Self((hash >> 32) << 32 | u64::from(number))
    }

    fn number(self) -> u32 {
        self.0 as u32
    }

    fn tag(self) -> u64 {
        self.0 >> 32
    }

    fn is_empty(self) -> bool {
        self.0 == EMPTY
    }
}

impl CowIndex {
    /// An empty index.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The element with this hash for which `is_it` answers true.
    pub fn find(&self, hash: u64, is_it: impl FnMut(u32) -> bool) -> Option<u32> {
        self.position(hash, is_it).map(|at| self.entries[at].number())
    }

    /// Adds an element the caller knows to be absent.
    ///
    /// # Panics
    /// On the reserved number `u32::MAX`.
    pub fn insert(&mut self, hash: u64, number: u32) {
        assert!(number != u32::MAX, "element numbers stop below u32::MAX");
        self.reserve(1);
        self.place(Entry::new(hash, number));
        self.len += 1;
    }

    /// Makes room for `more` entries at once, so that bulk inserts never rehash midway.
    pub fn reserve(&mut self, more: usize) {
        let needed = (self.len + more) * 4 / 3 + 1;
        if needed > self.entries.len() {
            self.grow(needed.next_power_of_two().max(16));
        }
    }

    /// Removes the entry of `number`; true when it was there.
    pub fn remove(&mut self, hash: u64, number: u32) -> bool {
        let Some(mut hole) = self.position(hash, |candidate| candidate == number) else {
            return false;
        };
        let mask = self.entries.len() - 1;
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let entry = self.entries[at];
            if entry.is_empty() {
                break;
            }
            // An entry may fill the hole unless its home lies cyclically in (hole, at].
            let home = self.home(entry.tag());
            if (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(hole) & mask) {
                self.entries.set(hole, entry);
                hole = at;
            }
        }
        self.entries.set(hole, Entry::default());
        self.len -= 1;
        true
    }

    fn position(&self, hash: u64, mut is_it: impl FnMut(u32) -> bool) -> Option<usize> {
        if self.entries.is_empty() {
            return None;
        }
        let tag = hash >> 32;
        let mask = self.entries.len() - 1;
        let mut at = self.home(tag);
        loop {
            let entry = self.entries[at];
            if entry.is_empty() {
                return None;
            }
            if entry.tag() == tag && is_it(entry.number()) {
                return Some(at);
            }
            at = (at + 1) & mask;
        }
    }

    /// The first cell of a probe: the tag's high bits, which foldhash mixes best.
    fn home(&self, tag: u64) -> usize {
        let bits = self.entries.len().trailing_zeros();
        (tag.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (64 - bits)) as usize
    }

    fn place(&mut self, entry: Entry) {
        let mask = self.entries.len() - 1;
        let mut at = self.home(entry.tag());
        while !self.entries[at].is_empty() {
            at = (at + 1) & mask;
        }
        self.entries.set(at, entry);
    }

    fn grow(&mut self, capacity: usize) {
        let old = std::mem::replace(&mut self.entries, CowVec::with_len(capacity));
        for &entry in old.iter().filter(|entry| !entry.is_empty()) {
            self.place(entry);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::CowIndex;
    use crate::base::hash_of;

    proptest! {
        #[test]
        fn finds_what_was_inserted_and_not_removed(
            ops in prop::collection::vec((any::<bool>(), 0..300u32), 1..2_000),
            collide in any::<bool>(),
        ) {
            // With `collide` every key shares one of four hashes, so probes run into each other.
            let hash = |key: u32| if collide { u64::from(key % 4) << 40 } else { hash_of(&key) };
            let (mut model, mut index) = (BTreeSet::new(), CowIndex::new());
            for (add, key) in ops {
                if add && !model.contains(&key) {
                    model.insert(key);
                    index.insert(hash(key), key);
                } else if !add {
                    prop_assert_eq!(index.remove(hash(key), key), model.remove(&key));
                }
            }
            prop_assert_eq!(index.len(), model.len());
            for key in 0..300 {
                let found = index.find(hash(key), |number| number == key);
                prop_assert_eq!(found.is_some(), model.contains(&key));
            }
        }
    }
}
