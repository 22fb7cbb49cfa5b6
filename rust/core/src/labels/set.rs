//! Interned label sets: equal labels have one number, and every pair knows its sets.
//!
//! ```text
//!   LabelSetId ─► pairs, sorted by key text        app=web   ─► sets {0, 3, 4}
//!                 (PairId, PairId, ...)            tier=back ─► sets {3}
//!                  │                               app       ─► sets {0, 1, 3, 4}
//!                  └─► (key text, value text)
//! ```
//!
//! Life of a set: [`LabelSets::intern`] hands out a number and counts one use; whoever keeps
//! the number keeps that use ([`LabelSets::retain`] for more) and gives it back with
//! [`LabelSets::release`]. With its last use a set goes, with their last set its pairs go, with
//! their last pair the texts, and all their numbers are handed out again. So churn of labels
//! that never repeat, such as a Job's controller uid, leaves nothing behind. The empty set is
//! always there and needs no counting.
//!
//! Everything is copy-on-write: a clone costs a few reference counts. What a number stands for
//! follows from the steps before, so equal steps give equal numbers.

mod serial;

use smallvec::SmallVec;

use super::posting::Posting;
use super::slab::{Slab, TextPool};
use super::{Labels, Selector};
use crate::base::{CowIndex, CowVec, Map, Value, hash_of};
use crate::define_id;

define_id! {
    /// An interned label set.
    LabelSetId
}

impl LabelSetId {
    pub(super) fn number(self) -> u32 {
        self.index() as u32
    }
}

/// A key and a value, both as numbers of their text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Pair {
    pub key: u32,
    pub value: u32,
}

/// The pairs of one set. Six of them, as most pods have, stay inline.
pub(super) type PairList = SmallVec<[u32; 6]>;

/// All label sets of a cluster; see the module header.
#[derive(Clone, Debug)]
pub struct LabelSets {
    keys: TextPool,
    values: TextPool,
    pairs: Slab<Pair>,
    pair_index: CowIndex,
    sets: Slab<PairList>,
    set_uses: CowVec<u32>,
    set_index: CowIndex,
    sets_by_pair: CowVec<Posting>,
    sets_by_key: CowVec<Posting>,
}

impl Default for LabelSets {
    fn default() -> Self {
        let mut sets = Slab::default();
        sets.add(PairList::new());
        Self {
            keys: TextPool::default(),
            values: TextPool::default(),
            pairs: Slab::default(),
            pair_index: CowIndex::new(),
            sets,
            set_uses: CowVec::with_len(1),
            set_index: CowIndex::new(),
            sets_by_pair: CowVec::new(),
            sets_by_key: CowVec::new(),
        }
    }
}

impl LabelSets {
    /// Only the empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// The set without labels, which is always there.
    pub fn empty() -> LabelSetId {
        LabelSetId::new(0)
    }

    /// The number of these labels, with one use for the caller to keep or release.
    pub fn intern<L: Labels + ?Sized>(&mut self, labels: &L) -> LabelSetId {
        let labels = sorted(labels);
        let pairs_before = self.pairs.len();
        let pairs: PairList =
            labels.iter().map(|(key, value)| self.find_or_add_pair(key, value)).collect();
        // A pair that no set had before tells that no set has all of them.
        let known = if self.pairs.len() == pairs_before { self.find_pairs(&pairs) } else { None };
        let id = known.unwrap_or_else(|| self.create(&pairs));
        self.retain(id, 1);
        id
    }

    /// The number of these labels, if they are interned.
    pub fn find<L: Labels + ?Sized>(&self, labels: &L) -> Option<LabelSetId> {
        let pair = |(key, value): &(&str, &str)| self.find_pair(self.keys.find(key)?, value);
        let pairs: Option<PairList> = sorted(labels).iter().map(pair).collect();
        self.find_pairs(&pairs?)
    }

    /// Counts `uses` more uses of a set.
    pub fn retain(&mut self, id: LabelSetId, uses: u32) {
        if id != Self::empty() {
            *self.set_uses.get_mut(id.index()) += uses;
        }
    }

    /// Ends `uses` uses of a set; with the last one the set is gone.
    ///
    /// # Panics
    /// When more uses end than began.
    pub fn release(&mut self, id: LabelSetId, uses: u32) {
        if id == Self::empty() {
            return;
        }
        let left = self.set_uses.get_mut(id.index());
        *left = left.checked_sub(uses).expect("a label set was released more than it was retained");
        if *left == 0 && uses > 0 {
            self.destroy(id);
        }
    }

    /// The labels of a set.
    pub fn get(&self, id: LabelSetId) -> LabelSet<'_> {
        LabelSet { sets: self, pairs: self.sets.get(id.number()) }
    }

    /// How many sets there are, the empty one included.
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// Never: the empty set is always there.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Whether a set satisfies a selector. For many sets, ask [`super::LabelIndex`] or resolve
    /// the selector once with [`Self::resolve`].
    pub fn matches(&self, id: LabelSetId, selector: &Selector) -> bool {
        selector.matches(&self.get(id))
    }

    fn find_pairs(&self, pairs: &PairList) -> Option<LabelSetId> {
        if pairs.is_empty() {
            return Some(Self::empty());
        }
        let number = self.set_index.find(hash_of(pairs), |set| self.sets.get(set) == pairs)?;
        Some(LabelSetId::new(number as usize))
    }

    fn create(&mut self, pairs: &PairList) -> LabelSetId {
        let set = self.sets.add(pairs.clone());
        self.set_uses.resize(self.sets.end());
        self.set_index.insert(hash_of(pairs), set);
        for pair in pairs {
            self.link(*pair, set);
        }
        LabelSetId::new(set as usize)
    }

    fn destroy(&mut self, id: LabelSetId) {
        let set = id.number();
        let pairs = self.sets.get(set).clone();
        self.set_index.remove(hash_of(&pairs), set);
        self.sets.remove(set);
        for pair in pairs {
            let key = self.pairs.get(pair).key;
            self.sets_by_key.get_mut(key as usize).remove(set);
            let sets = self.sets_by_pair.get_mut(pair as usize);
            sets.remove(set);
            if sets.is_empty() {
                self.remove_pair(pair);
            }
        }
    }

    /// Enters a set under one of its pairs and that pair's key.
    fn link(&mut self, pair: u32, set: u32) {
        let key = self.pairs.get(pair).key;
        self.sets_by_pair.get_mut(pair as usize).insert(set);
        self.sets_by_key.get_mut(key as usize).insert(set);
    }

    fn find_or_add_pair(&mut self, key: &str, value: &str) -> u32 {
        let (known_key, known_value) = (self.keys.find(key), self.values.find(value));
        if let (Some(key), Some(value)) = (known_key, known_value)
            && let Some(number) = self.pair_number(Pair { key, value })
        {
            return number;
        }
        let pair = Pair {
            key: self.keys.acquire(known_key, key),
            value: self.values.acquire(known_value, value),
        };
        let number = self.pairs.add(pair);
        self.pair_index.insert(hash_of(&(pair.key, pair.value)), number);
        self.sets_by_pair.resize(self.pairs.end());
        self.sets_by_key.resize(self.keys.end());
        number
    }

    fn remove_pair(&mut self, number: u32) {
        let pair = *self.pairs.get(number);
        self.pair_index.remove(hash_of(&(pair.key, pair.value)), number);
        self.pairs.remove(number);
        self.keys.release(pair.key);
        self.values.release(pair.value);
    }

    pub(super) fn find_key(&self, key: &str) -> Option<u32> {
        self.keys.find(key)
    }

    pub(super) fn find_pair(&self, key: u32, value: &str) -> Option<u32> {
        self.pair_number(Pair { key, value: self.values.find(value)? })
    }

    fn pair_number(&self, pair: Pair) -> Option<u32> {
        let hash = hash_of(&(pair.key, pair.value));
        self.pair_index.find(hash, |number| *self.pairs.get(number) == pair)
    }

    pub(super) fn pairs_of(&self, set: u32) -> &[u32] {
        self.sets.get(set)
    }

    pub(super) fn pair(&self, number: u32) -> Pair {
        *self.pairs.get(number)
    }

    pub(super) fn sets_with_pair(&self, pair: u32) -> &Posting {
        &self.sets_by_pair[pair as usize]
    }

    pub(super) fn sets_with_key(&self, key: u32) -> &Posting {
        &self.sets_by_key[key as usize]
    }
}

/// Labels sorted by key; of equal keys the last one wins.
fn sorted<L: Labels + ?Sized>(labels: &L) -> SmallVec<[(&str, &str); 8]> {
    let mut pairs: SmallVec<[(&str, &str); 8]> = labels.pairs().collect();
    if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
        pairs.reverse();
        pairs.sort_by(|a, b| a.0.cmp(b.0));
        pairs.dedup_by(|later, kept| later.0 == kept.0);
    }
    pairs
}

/// The labels of one interned set, in key order.
#[derive(Clone, Copy, Debug)]
pub struct LabelSet<'a> {
    sets: &'a LabelSets,
    pairs: &'a [u32],
}

impl<'a> LabelSet<'a> {
    /// The labels as `(key, value)`, in key order.
    pub fn iter(self) -> impl ExactSizeIterator<Item = (&'a str, &'a str)> {
        self.pairs.iter().map(move |pair| self.texts(*pair))
    }

    /// The number of labels.
    pub fn len(self) -> usize {
        self.pairs.len()
    }

    /// Whether there are no labels.
    pub fn is_empty(self) -> bool {
        self.pairs.is_empty()
    }

    /// The labels as a document's map.
    pub fn to_map(self) -> Map {
        self.iter().map(|(key, value)| (key.into(), Value::from(value))).collect()
    }

    /// The value of the label `key`, if it is there.
    pub fn value(self, key: &str) -> Option<&'a str> {
        let at = self.pairs.binary_search_by(|pair| self.texts(*pair).0.cmp(key)).ok()?;
        Some(self.texts(self.pairs[at]).1)
    }

    fn texts(self, pair: u32) -> (&'a str, &'a str) {
        let pair = self.sets.pairs.get(pair);
        (self.sets.keys.text(pair.key), self.sets.values.text(pair.value))
    }
}

impl Labels for LabelSet<'_> {
    fn value_of(&self, key: &str) -> Option<&str> {
        self.value(key)
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter()
    }
}

#[cfg(test)]
mod tests;
