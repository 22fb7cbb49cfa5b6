//! A document: the immutable, shared tree every object body is made of.
//!
//! Maps are sorted by key, which is the order kubectl prints and the order that makes equal
//! documents equal bytes. Lists and maps sit behind reference counts: cloning a document is
//! one increment, and changing one field copies only the path down to it.

mod json;
mod map;
mod serial;

use std::sync::Arc;

pub use json::{go_float, to_go_json};
pub use map::Map;

use super::random::{fnv1a, mix};

/// A string of a document; up to 24 bytes live inline.
pub type Text = compact_str::CompactString;

/// A JSON-like value. Integers and floats are kept apart, as `unstructured` does in Go.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value {
    /// JSON `null`.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// Any other finite number.
    Float(f64),
    /// A string.
    Str(Text),
    /// A list.
    List(Arc<Vec<Value>>),
    /// A map, sorted by key.
    Map(Arc<Map>),
}

impl Value {
    /// A map of these pairs; the last of equal keys wins.
    pub fn map<K: Into<Text>>(pairs: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(Arc::new(pairs.into_iter().map(|(key, value)| (key.into(), value)).collect()))
    }

    /// A list of these values.
    pub fn list(items: impl IntoIterator<Item = Self>) -> Self {
        Self::List(Arc::new(items.into_iter().collect()))
    }

    /// The value at `key` of a map.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_map()?.get(key)
    }

    /// The value down a path of map keys.
    pub fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter().try_fold(self, |value, key| value.get(key))
    }

    /// The string down a path of map keys.
    pub fn str_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path)?.as_str()
    }

    /// The integer down a path of map keys.
    pub fn int_at(&self, path: &[&str]) -> Option<i64> {
        self.at(path)?.as_int()
    }

    /// The list down a path of map keys; empty when absent or not a list.
    pub fn list_at(&self, path: &[&str]) -> &[Self] {
        self.at(path).and_then(Self::as_list).unwrap_or_default()
    }

    /// The string, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Self::Str(text) = self { Some(text) } else { None }
    }

    /// The integer, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// The number as a float, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// The boolean, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(flag) = self { Some(*flag) } else { None }
    }

    /// The items, if it is a list.
    pub fn as_list(&self) -> Option<&[Self]> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is `null`, `""`, `[]` or `{}`: what Go's `omitempty` leaves out of structs.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Str(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Map(map) => map.is_empty(),
            Self::Bool(_) | Self::Int(_) | Self::Float(_) => false,
        }
    }

    /// JSON's name of the type: `null`, `bool`, `number`, `string`, `array` or `object`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "bool",
            Self::Int(_) | Self::Float(_) => "number",
            Self::Str(_) => "string",
            Self::List(_) => "array",
            Self::Map(_) => "object",
        }
    }

    /// The map for writing. Anything else is first replaced by an empty map.
    pub fn map_mut(&mut self) -> &mut Map {
        if !matches!(self, Self::Map(_)) {
            *self = Self::Map(Arc::default());
        }
        let Self::Map(map) = self else { unreachable!("just made a map") };
        Arc::make_mut(map)
    }

    /// The list for writing. Anything else is first replaced by an empty list.
    pub fn list_mut(&mut self) -> &mut Vec<Self> {
        if !matches!(self, Self::List(_)) {
            *self = Self::List(Arc::default());
        }
        let Self::List(items) = self else { unreachable!("just made a list") };
        Arc::make_mut(items)
    }

    /// Sets the value down a path of map keys, making maps on the way.
    pub fn set(&mut self, path: &[&str], value: impl Into<Self>) {
        let mut place = self;
        for key in path {
            place = place.map_mut().entry(key);
        }
        *place = value.into();
    }

    /// Removes the value down a path of map keys and returns it.
    pub fn remove(&mut self, path: &[&str]) -> Option<Self> {
        let (last, parents) = path.split_last()?;
        self.at(path)?;
        let mut place = self;
        for key in parents {
            place = place.map_mut().entry(key);
        }
        place.map_mut().remove(last)
    }

    /// A 64-bit hash of the content, stable on every machine and version.
    pub fn content_hash(&self) -> u64 {
        let (tag, word) = match self {
            Self::Null => (1, 0),
            Self::Bool(flag) => (2, u64::from(*flag)),
            Self::Int(number) => (3, *number as u64),
            Self::Float(number) => (4, number.to_bits()),
            Self::Str(text) => (5, fnv1a(text.as_bytes())),
            Self::List(items) => (
                6,
                items.iter().fold(0, |hash, item| mix(hash ^ item.content_hash()).wrapping_add(1)),
            ),
            Self::Map(map) => (
                7,
                map.iter().fold(0, |hash, (key, value)| {
                    mix(mix(hash ^ fnv1a(key.as_bytes())) ^ value.content_hash()).wrapping_add(1)
                }),
            ),
        };
        mix(word.wrapping_mul(8).wrapping_add(tag) ^ mix(word))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Str(text)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(i64::from(number))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(Arc::new(map))
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Self::List(Arc::new(items))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::Value;

    fn json(text: &str) -> Value {
        Value::from_json(text).unwrap()
    }

    #[test]
    fn a_value_is_no_larger_than_its_string() {
        assert_eq!(size_of::<Value>(), 24);
    }

    #[test]
    fn changing_a_field_copies_only_the_path_to_it() {
        let original = json(r#"{"spec":{"a":{"x":1},"b":[1,2]},"status":{"y":2}}"#);
        let mut changed = original.clone();
        changed.set(&["spec", "a", "x"], 5);
        assert_eq!(original.int_at(&["spec", "a", "x"]), Some(1));
        assert_eq!(changed.int_at(&["spec", "a", "x"]), Some(5));
        let list = |value: &Value| match value.at(&["spec", "b"]) {
            Some(Value::List(items)) => items.clone(),
            _ => panic!("spec.b is a list"),
        };
        assert!(Arc::ptr_eq(&list(&original), &list(&changed)));
    }

    #[test]
    fn removing_what_is_absent_changes_nothing() {
        let mut value = json(r#"{"a":{"b":1}}"#);
        assert_eq!(value.remove(&["a", "c"]), None);
        assert_eq!(value.remove(&["x", "c"]), None);
        assert_eq!(value, json(r#"{"a":{"b":1}}"#));
        assert_eq!(value.remove(&["a", "b"]), Some(Value::Int(1)));
        assert_eq!(value, json(r#"{"a":{}}"#));
    }

    #[test]
    fn content_hash_follows_content_not_order_of_writing() {
        assert_eq!(
            json(r#"{"a":1,"b":[true,null,"x"]}"#).content_hash(),
            json(r#"{"b":[true,null,"x"],"a":1}"#).content_hash()
        );
        let different = [r#"{"a":1}"#, r#"{"a":"1"}"#, r#"{"a":[1]}"#, r#"{"a":{}}"#, "[]", "{}"];
        let mut hashes: Vec<u64> = different.iter().map(|text| json(text).content_hash()).collect();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), different.len());
    }
}
