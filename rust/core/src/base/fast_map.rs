//! Hash tables that cannot leak their order: lookup only, no iteration.
//!
//! Determinism forbids hash order in results. Rather than trusting reviewers, these wrappers
//! expose no iterator at all; a table that must be walked is an `IndexMap` or a `BTreeMap`.

use std::borrow::Borrow;
use std::hash::{BuildHasher, Hash};

use foldhash::fast::FixedState;

/// Hashes `value` with the crate's fixed seed. Stable within a build, not across versions:
/// use it for tables, never for anything that is stored or printed.
pub fn hash_of<T: Hash + ?Sized>(value: &T) -> u64 {
    FixedState::with_seed(0).hash_one(value)
}

/// A hash map without iteration order, because it has no iteration.
#[derive(Clone, Debug)]
pub struct FastMap<K, V>(hashbrown::HashMap<K, V, FixedState>);

impl<K, V> Default for FastMap<K, V> {
    fn default() -> Self {
        Self(hashbrown::HashMap::with_hasher(FixedState::with_seed(0)))
    }
}

impl<K: Hash + Eq, V> FastMap<K, V> {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of `key`.
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.0.get(key)
    }

    /// The value of `key`, for writing.
    pub fn get_mut<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.0.get_mut(key)
    }

    /// The value of `key`, made by `make` when it is absent.
    pub fn get_or_insert_with(&mut self, key: K, make: impl FnOnce() -> V) -> &mut V {
        self.0.entry(key).or_insert_with(make)
    }

    /// Sets `key` and returns what stood there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        self.0.insert(key, value)
    }

    /// Removes `key` and returns what stood there.
    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.0.remove(key)
    }

    /// Whether `key` is present.
    pub fn contains_key<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.contains_key(key)
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no key is present.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets every key, keeping the allocation.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

/// A hash set without iteration order, because it has no iteration.
#[derive(Clone, Debug)]
pub struct FastSet<K>(FastMap<K, ()>);

impl<K> Default for FastSet<K> {
    fn default() -> Self {
        Self(FastMap::default())
    }
}

impl<K: Hash + Eq> FastSet<K> {
    /// An empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `key`; true when it was not there yet.
    pub fn insert(&mut self, key: K) -> bool {
        self.0.insert(key, ()).is_none()
    }

    /// Removes `key`; true when it was there.
    pub fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.remove(key).is_some()
    }

    /// Whether `key` is present.
    pub fn contains<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.0.contains_key(key)
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no key is present.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets every key, keeping the allocation.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}
