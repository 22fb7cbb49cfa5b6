//! Label sets in the snapshot format.

use super::LabelSets;
use crate::base::{CowVec, hash_of};

/// Numbers and uses are kept, so a loaded cluster goes on handing out the numbers the saved one
/// would have; what can be derived is derived anew.
impl serde::Serialize for LabelSets {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (&self.keys, &self.values, &self.pairs, &self.sets, &self.set_uses).serialize(serializer)
    }
}

impl<'de> serde::Deserialize<'de> for LabelSets {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (keys, values, pairs, sets, set_uses) = serde::Deserialize::deserialize(deserializer)?;
        let mut loaded = Self { keys, values, pairs, sets, set_uses, ..Self::default() };
        if !loaded.is_sound() {
            return Err(serde::de::Error::custom("label sets and their pairs disagree"));
        }
        loaded.derive();
        Ok(loaded)
    }
}

impl LabelSets {
    /// Whether every number names something: a check on what was loaded.
    fn is_sound(&self) -> bool {
        let is_sound_pair = |number: &u32| {
            (*number as usize) < self.pairs.end() && {
                let pair = self.pair(*number);
                (pair.key as usize) < self.keys.end() && (pair.value as usize) < self.values.end()
            }
        };
        self.set_uses.len() == self.sets.end()
            && self.sets.end() > 0
            && self.sets.is_sound()
            && self.pairs.is_sound()
            && (0..self.sets.end() as u32).all(|set| self.pairs_of(set).iter().all(is_sound_pair))
    }

    /// Fills the indexes and postings from pairs and sets.
    fn derive(&mut self) {
        self.sets_by_pair = CowVec::with_len(self.pairs.end());
        self.sets_by_key = CowVec::with_len(self.keys.end());
        self.set_index.reserve(self.sets.len());
        self.pair_index.reserve(self.pairs.len());
        for set in 0..self.sets.end() as u32 {
            if self.set_uses[set as usize] == 0 {
                continue;
            }
            let pairs = self.sets.get(set).clone();
            self.set_index.insert(hash_of(&pairs), set);
            for number in pairs {
                if self.sets_by_pair[number as usize].is_empty() {
                    let pair = self.pair(number);
                    self.pair_index.insert(hash_of(&(pair.key, pair.value)), number);
                }
                self.link(number, set);
            }
        }
    }
}
