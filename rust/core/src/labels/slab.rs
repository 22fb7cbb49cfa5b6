//! Numbered things that come and go: freed numbers are handed out again, last freed first.
//!
//! Both parts are copy-on-write, and which number a thing gets follows from the steps before,
//! so the same steps give the same numbers on every run and in every fork.

use std::sync::Arc;

use crate::base::{CowIndex, CowVec, Text, hash_of};

/// Things by number.
#[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
#[serde(bound = "T: serde::Serialize + serde::de::DeserializeOwned + Clone + Default")]
pub(super) struct Slab<T> {
    items: CowVec<T>,
    free: CowVec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { items: CowVec::default(), free: CowVec::default() }
    }
}

impl<T: Clone + Default> Slab<T> {
    /// Gives `item` a number.
    pub fn add(&mut self, item: T) -> u32 {
        let Some(last) = self.free.len().checked_sub(1) else {
            return u32::try_from(self.items.push(item)).expect("fewer than 2^32 items");
        };
        let number = self.free[last];
        self.free.resize(last);
        self.items.set(number as usize, item);
        number
    }

    /// Frees a number.
    pub fn remove(&mut self, number: u32) {
        self.items.set(number as usize, T::default());
        self.free.push(number);
    }

    pub fn get(&self, number: u32) -> &T {
        &self.items[number as usize]
    }

    pub fn get_mut(&mut self, number: u32) -> &mut T {
        self.items.get_mut(number as usize)
    }

    /// One more than the largest number ever given.
    pub fn end(&self) -> usize {
        self.items.len()
    }

    /// How many numbers are in use.
    pub fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }

    /// Whether the free list names existing items only: a check on what was loaded.
    pub fn is_sound(&self) -> bool {
        self.free.iter().all(|number| (*number as usize) < self.items.len())
    }
}

/// Strings by number, each kept while something uses it.
#[derive(Clone, Debug, Default)]
pub(super) struct TextPool {
    texts: Slab<Text>,
    uses: CowVec<u32>,
    index: CowIndex,
}

impl TextPool {
    /// The number of `text`, if something uses it.
    pub fn find(&self, text: &str) -> Option<u32> {
        self.index.find(hash_of(text), |number| self.texts.get(number) == text)
    }

    /// The number of `text`, used once more. `known` is what [`Self::find`] said.
    pub fn acquire(&mut self, known: Option<u32>, text: &str) -> u32 {
        let number = known.unwrap_or_else(|| {
            let number = self.texts.add(text.into());
            self.index.insert(hash_of(text), number);
            self.uses.resize(self.texts.end());
            number
        });
        *self.uses.get_mut(number as usize) += 1;
        number
    }

    /// Ends one use.
    pub fn release(&mut self, number: u32) {
        let uses = self.uses.get_mut(number as usize);
        *uses -= 1;
        if *uses == 0 {
            self.index.remove(hash_of(self.texts.get(number).as_str()), number);
            self.texts.remove(number);
        }
    }

    pub fn text(&self, number: u32) -> &str {
        self.texts.get(number)
    }

    pub fn end(&self) -> usize {
        self.texts.end()
    }
}

impl serde::Serialize for TextPool {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.texts, &self.uses).serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for TextPool {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (texts, uses): (Slab<Text>, CowVec<u32>) =
            serde::Deserialize::deserialize(deserializer)?;
        if uses.len() != texts.end() || !texts.is_sound() {
            return Err(serde::de::Error::custom("label texts and their uses disagree"));
        }
        let mut index = CowIndex::new();
        index.reserve(texts.len());
        for (number, _) in uses.iter().enumerate().filter(|(_, uses)| **uses > 0) {
            index.insert(hash_of(texts.get(number as u32).as_str()), number as u32);
        }
        Ok(Self { texts, uses, index })
    }
}

const CHUNK: usize = 256;

/// Things by number where only some numbers, mostly neighbours, have one.
#[derive(Clone, Debug)]
pub(super) struct Sparse<T>(CowVec<Option<Arc<[T]>>>);

impl<T> Default for Sparse<T> {
    fn default() -> Self {
        Self(CowVec::default())
    }
}

impl<T: Clone + Default> Sparse<T> {
    /// The thing at `number`; nothing where none was ever written nearby.
    pub fn get(&self, number: u32) -> Option<&T> {
        let chunk = self.0.get(number as usize / CHUNK)?.as_ref()?;
        Some(&chunk[number as usize % CHUNK])
    }

    /// The thing at `number` for writing; a default one where there was none.
    pub fn get_mut(&mut self, number: u32) -> &mut T {
        let at = number as usize / CHUNK;
        if at >= self.0.len() {
            self.0.resize(at + 1);
        }
        let chunk = self.0.get_mut(at).get_or_insert_with(|| vec![T::default(); CHUNK].into());
        &mut Arc::make_mut(chunk)[number as usize % CHUNK]
    }
}

#[cfg(test)]
mod tests {
    use super::{Slab, Sparse, TextPool};

    #[test]
    fn freed_numbers_come_back_last_freed_first() {
        let mut slab = Slab::default();
        for item in 1..=4 {
            slab.add(item);
        }
        slab.remove(1);
        slab.remove(3);
        let fork = slab.clone();
        assert_eq!((slab.add(9), slab.add(8), slab.add(7)), (3, 1, 4));
        assert_eq!((fork.len(), slab.len(), *slab.get(1)), (2, 5, 8));
    }

    #[test]
    fn a_text_lives_as_long_as_its_uses() {
        let mut pool = TextPool::default();
        let web = pool.acquire(None, "web");
        assert_eq!(pool.acquire(Some(web), "web"), web);
        pool.release(web);
        assert_eq!(pool.find("web"), Some(web));
        pool.release(web);
        assert_eq!((pool.find("web"), pool.texts.len()), (None, 0));
        assert_eq!(pool.acquire(None, "db"), web);
        let bytes = postcard::to_stdvec(&pool).unwrap();
        let back: TextPool = postcard::from_bytes(&bytes).unwrap();
        assert_eq!((back.find("db"), back.text(web)), (Some(web), "db"));
    }

    #[test]
    fn sparse_numbers_cost_their_neighbourhood_only() {
        let mut sparse = Sparse::default();
        *sparse.get_mut(1_000_000) = 5;
        assert_eq!(sparse.get(1_000_000), Some(&5));
        assert_eq!(sparse.get(1_000_001), Some(&0));
        assert_eq!((sparse.get(3), sparse.get(2_000_000)), (None, None));
        assert_eq!(sparse.0.iter().flatten().count(), 1);
    }
}
