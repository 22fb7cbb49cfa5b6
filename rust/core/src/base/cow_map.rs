//! A small-keyed map in copy-on-write pages: cloning costs one reference count per part.
//!
//! Lookup only, like [`super::FastMap`]; use it where a map is part of a forkable world and
//! may grow large.

use std::hash::Hash;

use serde::{Deserialize, Serialize};

use super::{CowIndex, CowVec, hash_of};

/// A forkable map; see the module header.
#[derive(Clone, Debug)]
pub struct CowMap<K, V> {
    entries: CowVec<Option<(K, V)>>,
    index: CowIndex,
    free: CowVec<u32>,
}

impl<K, V> Default for CowMap<K, V> {
    fn default() -> Self {
        Self { entries: CowVec::new(), index: CowIndex::new(), free: CowVec::new() }
    }
}

impl<K: Clone + Eq + Hash, V: Clone> CowMap<K, V> {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of keys.
    pub fn len(&self) -> usize {
        self.index.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.index.is_empty()
    }

    /// The value of `key`.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.find(key).and_then(|at| self.entries[at].as_ref()).map(|(_, value)| value)
    }

    /// The value of `key`, for writing.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let at = self.find(key)?;
        self.entries.get_mut(at).as_mut().map(|(_, value)| value)
    }

    /// Sets `key` and returns what stood there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        if let Some(at) = self.find(&key) {
            return self.entries.get_mut(at).replace((key, value)).map(|(_, old)| old);
        }
        let hash = hash_of(&key);
        let at = match self.free.len().checked_sub(1) {
            Some(last) => {
                let at = self.free[last] as usize;
                self.free.resize(last);
                self.entries.set(at, Some((key, value)));
                at
            }
            None => self.entries.push(Some((key, value))),
        };
        self.index.insert(hash, at as u32);
        None
    }

    /// Removes `key` and returns what stood there.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let at = self.find(key)?;
        self.index.remove(hash_of(key), at as u32);
        self.free.push(at as u32);
        self.entries.get_mut(at).take().map(|(_, value)| value)
    }

    /// Every pair, in an order that depends on the history of writes only.
    pub fn iter(&self) -> impl Iterator<Item = &(K, V)> {
        self.entries.iter().flatten()
    }

    fn find(&self, key: &K) -> Option<usize> {
        let is_it = |at: u32| matches!(&self.entries[at as usize], Some((have, _)) if have == key);
        self.index.find(hash_of(key), is_it).map(|at| at as usize)
    }
}

impl<K: Serialize, V: Serialize> Serialize for CowMap<K, V> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.entries, &self.free).serialize(serializer)
    }
}

impl<'de, K, V> Deserialize<'de> for CowMap<K, V>
where
    K: Deserialize<'de> + Clone + Eq + Hash,
    V: Deserialize<'de> + Clone,
{
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (entries, free) = <(CowVec<Option<(K, V)>>, CowVec<u32>)>::deserialize(deserializer)?;
        let mut index = CowIndex::new();
        for (at, entry) in entries.iter().enumerate() {
            if let Some((key, _)) = entry {
                index.insert(hash_of(key), at as u32);
            }
        }
        Ok(Self { entries, index, free })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::CowMap;

    proptest! {
        #[test]
        fn behaves_as_a_map_and_reads_back(
            ops in prop::collection::vec((any::<bool>(), 0..40u32, any::<u8>()), 1..300),
        ) {
            let (mut model, mut map) = (BTreeMap::new(), CowMap::new());
            for (insert, key, value) in ops {
                if insert {
                    prop_assert_eq!(map.insert(key, value), model.insert(key, value));
                } else {
                    prop_assert_eq!(map.remove(&key), model.remove(&key));
                }
            }
            let bytes = postcard::to_stdvec(&map).unwrap();
            let back: CowMap<u32, u8> = postcard::from_bytes(&bytes).unwrap();
            for map in [map, back] {
                prop_assert_eq!(map.len(), model.len());
                for key in 0..40 {
                    prop_assert_eq!(map.get(&key), model.get(&key));
                }
                let all: BTreeMap<u32, u8> = map.iter().copied().collect();
                prop_assert_eq!(&all, &model);
            }
        }
    }
}
