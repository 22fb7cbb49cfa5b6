//! Sets of values met so far: names that must be unique, volumes that may be mounted.

use smallvec::SmallVec;

use super::reference::NULL;
use crate::base::random::mix;
use crate::base::{FastMap, Value};

/// The number of sets a program may name.
pub(super) const SETS: usize = 64;

/// Up to this many values are compared one by one.
const FEW: usize = 16;

/// A value or a tuple of values.
pub(super) type Key<'d> = SmallVec<[&'d Value; 1]>;

/// The sets of one walk.
#[derive(Default)]
pub(super) struct Sets<'d>(Vec<Seen<'d>>);

/// One set.
#[derive(Default)]
struct Seen<'d> {
    keys: Vec<Key<'d>>,
    by_hash: FastMap<u64, SmallVec<[u32; 1]>>,
}

impl<'d> Sets<'d> {
    /// Empties a set.
    pub fn clear(&mut self, set: u8) {
        let seen = self.get_mut(set);
        seen.keys.clear();
        seen.by_hash.clear();
    }

    /// Whether the set has this key.
    pub fn has(&self, set: u8, key: &[&Value]) -> bool {
        self.0.get(set as usize).is_some_and(|seen| seen.has(key))
    }

    /// Whether the set has nothing.
    pub fn is_empty(&self, set: u8) -> bool {
        self.0.get(set as usize).is_none_or(|seen| seen.keys.is_empty())
    }

    /// Adds a key; true when it was not there yet.
    pub fn insert(&mut self, set: u8, key: Key<'d>) -> bool {
        let seen = self.get_mut(set);
        let new = !seen.has(&key);
        if new {
            seen.push(key);
        }
        new
    }

    fn get_mut(&mut self, set: u8) -> &mut Seen<'d> {
        let at = set as usize;
        if self.0.len() <= at {
            self.0.resize_with(at + 1, Seen::default);
        }
        &mut self.0[at]
    }
}

impl<'d> Seen<'d> {
    fn has(&self, key: &[&Value]) -> bool {
        if self.keys.len() <= FEW {
            return self.keys.iter().any(|known| equal(known, key));
        }
        let found = self.by_hash.get(&hash(key));
        found.is_some_and(|at| at.iter().any(|at| equal(&self.keys[*at as usize], key)))
    }

    fn push(&mut self, key: Key<'d>) {
        self.keys.push(key);
        if self.keys.len() <= FEW {
            return;
        }
        // The table starts when the list has become long, with what the list holds.
        let from = if self.keys.len() == FEW + 1 { 0 } else { self.keys.len() - 1 };
        for at in from..self.keys.len() {
            let hash = hash(&self.keys[at]);
            self.by_hash.get_or_insert_with(hash, SmallVec::new).push(at as u32);
        }
    }
}

fn equal(a: &[&Value], b: &[&Value]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
}

/// An absent text and an empty one are one name.
fn same(a: &Value, b: &Value) -> bool {
    a == b || (is_nothing(a) && is_nothing(b))
}

fn is_nothing(value: &Value) -> bool {
    matches!(value, Value::Null) || value.as_str() == Some("")
}

fn hash(key: &[&Value]) -> u64 {
    key.iter().fold(0, |hash, value| {
        let value = if is_nothing(value) { &NULL } else { *value };
        mix(hash ^ value.content_hash()).wrapping_add(1)
    })
}

#[cfg(test)]
mod tests {
    use super::{Key, Sets};
    use crate::base::Value;

    #[test]
    fn long_sets_answer_as_short_ones() {
        let values: Vec<Value> = (0..100).map(|n| Value::from(format!("v{n}"))).collect();
        let mut sets = Sets::default();
        for value in &values {
            assert!(sets.insert(3, Key::from_slice(&[value])));
            assert!(!sets.insert(3, Key::from_slice(&[value])));
        }
        assert!(values.iter().all(|value| sets.has(3, &[value])));
        assert!(!sets.has(3, &[&Value::from("w")]));
        sets.clear(3);
        assert!(sets.is_empty(3) && sets.is_empty(9));
    }

    #[test]
    fn absent_and_empty_texts_are_one_name() {
        let (null, empty) = (Value::Null, Value::from(""));
        let mut sets = Sets::default();
        assert!(sets.insert(0, Key::from_slice(&[&null])));
        assert!(sets.has(0, &[&empty]));
    }
}
