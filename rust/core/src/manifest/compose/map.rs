//! Maps: merge keys, the last of equal keys, and the report of keys written twice.

use std::fmt::Write;

use super::{Composer, Expect, Frame, Phase};
use crate::base::{Map, Text, Value};

/// A key that was set twice in one map.
#[derive(Debug)]
pub struct Duplicate {
    /// Line of the later one, counted from 0 within the text.
    pub line: u32,
    /// The field as Kubernetes writes paths.
    pub path: String,
}

/// A pair of a map that is still being read.
pub(super) struct Pair {
    pub key: Text,
    pub value: Value,
    /// Line of the key; none if the pair came in through a merge key.
    pub line: Option<u32>,
}

/// What a finished node was, as far as a merge key cares.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Shape {
    Plain,
    Alias,
}

impl<'a> Composer<'a> {
    /// Makes a map of the pairs collected for it. The last of equal keys wins.
    pub(super) fn close_map(&mut self, frame: &Frame<'a>) -> Map {
        let pairs = &mut self.pairs[frame.first_pair..];
        if !pairs.is_sorted_by(|a, b| a.key < b.key) {
            pairs.sort_by(|a, b| a.key.cmp(&b.key));
            self.note_duplicates(frame);
        }
        self.pairs.drain(frame.first_pair..).map(|pair| (pair.key, pair.value)).collect()
    }

    /// Notes which keys of a map with sorted pairs were written more than once.
    fn note_duplicates(&mut self, frame: &Frame<'a>) {
        let pairs = &self.pairs[frame.first_pair..];
        let written: Vec<_> =
            pairs.iter().filter_map(|pair| Some((&pair.key, pair.line?))).collect();
        let mut duplicates: Vec<_> = written
            .windows(2)
            .filter(|two| two[0].0 == two[1].0)
            .map(|two| Duplicate { line: two[1].1, path: self.path(frame, two[1].0) })
            .collect();
        duplicates.sort_by_key(|duplicate| duplicate.line);
        self.duplicates.extend(duplicates);
    }

    /// Merges a map, or a list of maps of which the earlier win. What stands in the map above
    /// the merge key is overridden too, as in the library this follows.
    pub(super) fn merge(&mut self, line: u32, value: &Value, shape: Shape) {
        let sources = match value {
            Value::Map(_) => std::slice::from_ref(value),
            Value::List(items)
                if shape == Shape::Plain && items.iter().all(|item| item.as_map().is_some()) =>
            {
                items
            }
            _ => {
                let message = "map merge requires map or sequence of maps as the value";
                return self.fail_later(Phase::Decode, line, message);
            }
        };
        if self.later.is_some() {
            return;
        }
        for (key, value) in sources.iter().rev().filter_map(Value::as_map).flat_map(Map::iter) {
            self.pairs.push(Pair { key: key.into(), value: value.clone(), line: None });
        }
    }

    /// The path of `key` in `closing`, the map taken from the stack last.
    fn path(&self, closing: &Frame<'a>, key: &str) -> String {
        let mut path = String::new();
        for (depth, frame) in self.frames.iter().enumerate() {
            let inner = self.frames.get(depth + 1).unwrap_or(closing);
            if frame.is_map && frame.expect == Expect::Value {
                push_field(&mut path, &self.pairs[inner.first_pair - 1].key);
            } else if !frame.is_map {
                let _ = write!(path, "[{}]", inner.first_item - frame.first_item);
            }
        }
        push_field(&mut path, key);
        path
    }
}

fn push_field(path: &mut String, key: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(key);
}
