//! A small map sorted by key. Kubernetes maps are short; binary search over a flat list beats
//! hashing and keeps one canonical order.

use super::{Text, Value};

/// A map from text to values, sorted by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map(Vec<(Text, Value)>);

impl Map {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value at `key`.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.find(key).map(|at| &self.0[at].1)
    }

    /// The value at `key`, for writing.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let at = self.find(key)?;
        Some(&mut self.0[at].1)
    }

    /// The value at `key`, for writing; `null` is inserted when it is absent.
    pub fn entry(&mut self, key: &str) -> &mut Value {
        let at = self.position(key).unwrap_or_else(|at| {
            self.0.insert(at, (key.into(), Value::Null));
            at
        });
        &mut self.0[at].1
    }

    /// Sets `key` and returns what stood there.
    pub fn insert(&mut self, key: impl Into<Text>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        match self.position(&key) {
            Ok(at) => Some(std::mem::replace(&mut self.0[at].1, value)),
            Err(at) => {
                self.0.insert(at, (key, value));
                None
            }
        }
    }

    /// Removes `key` and returns what stood there.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        self.find(key).map(|at| self.0.remove(at).1)
    }

    /// Whether `key` is present.
    pub fn contains_key(&self, key: &str) -> bool {
        self.find(key).is_some()
    }

    /// Keeps the pairs for which `keep` answers true.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &mut Value) -> bool) {
        self.0.retain_mut(|(key, value)| keep(key, value));
    }

    /// The pairs in key order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> + DoubleEndedIterator {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// The pairs in key order, values for writing.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, &mut Value)> {
        self.0.iter_mut().map(|(key, value)| (key.as_str(), value))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|(key, _)| key.as_str())
    }

    /// The number of pairs.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no pairs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where `key` stands. In the short maps of most objects, looking for a key of the same
    /// length is cheaper than comparing texts in order.
    fn find(&self, key: &str) -> Option<usize> {
        if self.0.len() > SHORT {
            return self.position(key).ok();
        }
        self.0.iter().position(|(candidate, _)| candidate.len() == key.len() && candidate == key)
    }

    fn position(&self, key: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(candidate, _)| candidate.as_str().cmp(key))
    }
}

/// Maps up to this long are looked through from the start.
const SHORT: usize = 16;

/// The last of equal keys wins, as in JSON and in Go's YAML.
impl FromIterator<(Text, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Text, Value)>>(pairs: I) -> Self {
        let mut pairs: Vec<(Text, Value)> = pairs.into_iter().collect();
        if !pairs.is_sorted_by(|a, b| a.0 < b.0) {
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            // `dedup_by` keeps the earlier of two equals, so hand it the later value first.
            pairs.dedup_by(|later, kept| {
                let equal = later.0 == kept.0;
                if equal {
                    std::mem::swap(&mut later.1, &mut kept.1);
                }
                equal
            });
        }
        Self(pairs)
    }
}

impl IntoIterator for Map {
    type Item = (Text, Value);
    type IntoIter = std::vec::IntoIter<(Text, Value)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::{Map, Value};

    #[test]
    fn the_last_of_equal_keys_wins() {
        let pairs = [("b", 1), ("a", 2), ("b", 3), ("b", 4)];
        let map: Map = pairs.iter().map(|(k, v)| ((*k).into(), Value::Int(*v))).collect();
        assert_eq!(map.keys().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(map.get("b"), Some(&Value::Int(4)));
    }

    #[test]
    fn keys_stay_sorted_through_every_kind_of_write() {
        let mut map = Map::new();
        for key in ["m", "z", "a", "q"] {
            assert_eq!(map.insert(key, key), None);
        }
        *map.entry("b") = Value::Int(1);
        assert_eq!(map.remove("q"), Some("q".into()));
        assert_eq!(map.insert("z", 2), Some("z".into()));
        assert_eq!(map.keys().collect::<Vec<_>>(), ["a", "b", "m", "z"]);
    }
}
