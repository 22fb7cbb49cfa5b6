//! Changing a document: defaults, and what a write does to an object before it is checked.
//!
//! A document that needs nothing is not touched: [`pending`](Runner::pending) asks first, so
//! that a shared document is copied only where something really changes.

use std::sync::Arc;

use smallvec::SmallVec;

use super::ops::{Part, Step};
use super::reference::{Ref, Scope, at, field, is_zero};
use super::shapes;
use crate::base::{Map, Quantity, Text, Value};

/// Steps of one program against one pair of documents.
pub(super) struct Runner<'a> {
    /// The steps a program declares under a name.
    pub shared: &'a [Box<[Step]>],
    /// The object that is replaced; `null` for a new one.
    pub old: &'a Value,
}

impl Runner<'_> {
    /// Applies steps to `value`; true when something changed.
    pub fn apply(&self, steps: &[Step], value: &mut Value) -> bool {
        let pending = self.pending(steps, value);
        if pending {
            self.run(steps, value);
        }
        pending
    }

    /// Whether any step would change `value`.
    fn pending(&self, steps: &[Step], value: &Value) -> bool {
        steps.iter().any(|step| self.would_change(step, value))
    }

    fn would_change(&self, step: &Step, value: &Value) -> bool {
        match step {
            Step::Default { name, zero, .. } => is_open(field(value, name), *zero),
            Step::Set { name, value: wanted } => field(value, name) != wanted,
            Step::Field { name, steps } => self.pending(steps, field(value, name)),
            Step::Make { name, steps } => {
                let inner = field(value, name);
                inner.is_null() || self.pending(steps, inner)
            }
            Step::Each(steps) => {
                value.as_list().unwrap_or_default().iter().any(|item| self.pending(steps, item))
            }
            Step::When { condition, then, otherwise } => {
                let holds = condition.holds(&Scope::new(value, self.old), value);
                self.pending(if holds { then } else { otherwise }, value)
            }
            Step::Copy { name, from } => {
                is_open(field(value, name), true) && !self.find(from, value).is_null()
            }
            Step::Fill { name, from } => missing(field(value, name), field(value, from)),
            Step::Remove(name) => value.get(name).is_some(),
            Step::Quantities(name) => field(value, name)
                .as_map()
                .is_some_and(|map| map.iter().any(|(_, value)| canonical(value).is_some())),
            Step::Quantity(name) => canonical(field(value, name)).is_some(),
            Step::Keep(path) => at(value, path) != at(self.old, path),
            Step::Generation(parts) => self.generation(parts, value).is_some(),
            Step::Use(name) => self.pending(&self.shared[*name as usize], value),
            Step::Call(function) => function.pending(value, self.old),
        }
    }

    fn run(&self, steps: &[Step], value: &mut Value) {
        for step in steps {
            // What only we hold is changed in place; what others hold is asked first.
            if step.is_plain() || is_shared(value) {
                if self.would_change(step, value) {
                    self.step(step, value);
                }
            } else {
                self.step(step, value);
            }
        }
    }

    fn step(&self, step: &Step, value: &mut Value) {
        match step {
            Step::Default { name, value: wanted, .. } | Step::Set { name, value: wanted } => {
                value.map_mut().insert(name.clone(), wanted.clone());
            }
            Step::Field { name, steps } => {
                if let Value::Map(map) = value
                    && let Some(inner) = Arc::make_mut(map).get_mut(name)
                {
                    self.run(steps, inner);
                }
            }
            Step::Make { name, steps } => {
                let inner = value.map_mut().entry(name);
                inner.map_mut();
                self.run(steps, inner);
            }
            Step::Each(steps) => {
                if let Value::List(items) = value {
                    for item in Arc::make_mut(items) {
                        self.run(steps, item);
                    }
                }
            }
            Step::When { condition, then, otherwise } => {
                let holds = condition.holds(&Scope::new(value, self.old), value);
                self.run(if holds { then } else { otherwise }, value);
            }
            Step::Copy { name, from } => {
                let wanted = self.find(from, value).clone();
                value.map_mut().insert(name.clone(), wanted);
            }
            Step::Fill { name, from } => fill(value, name, from),
            Step::Remove(name) => {
                value.map_mut().remove(name);
            }
            Step::Quantities(name) => {
                for (_, value) in value.map_mut().entry(name).map_mut().iter_mut() {
                    make_canonical(value);
                }
            }
            Step::Quantity(name) => make_canonical(value.map_mut().entry(name)),
            Step::Keep(path) => {
                let keys: SmallVec<[&str; 2]> = path.iter().map(Text::as_str).collect();
                match at(self.old, path) {
                    Value::Null => {
                        value.remove(&keys);
                    }
                    kept => value.set(&keys, kept.clone()),
                }
            }
            Step::Generation(parts) => {
                if let Some(wanted) = self.generation(parts, value) {
                    value.set(&["metadata", "generation"], wanted);
                }
            }
            Step::Use(name) => self.run(&self.shared[*name as usize], value),
            Step::Call(function) => function.run(value, self.old),
        }
    }

    fn find<'v>(&'v self, from: &Ref, value: &'v Value) -> &'v Value {
        from.find(&Scope::new(value, self.old), value)
    }

    /// The generation of a changed object, unless it has that already.
    fn generation(&self, parts: &[Part], value: &Value) -> Option<i64> {
        let number = |object: &Value| object.int_at(&["metadata", "generation"]);
        let same = |part: &Part| {
            shapes::equal(at(value, &part.path), at(self.old, &part.path), part.shape)
        };
        let wanted = number(self.old).unwrap_or(0) + i64::from(!parts.iter().all(same));
        (number(value) != Some(wanted)).then_some(wanted)
    }
}

impl Step {
    /// Whether asking if it would change anything costs no more than doing it.
    fn is_plain(&self) -> bool {
        !matches!(
            self,
            Self::Field { .. }
                | Self::Make { .. }
                | Self::Each(_)
                | Self::When { .. }
                | Self::Use(_)
        )
    }
}

fn is_shared(value: &Value) -> bool {
    match value {
        Value::Map(map) => Arc::strong_count(map) > 1,
        Value::List(items) => Arc::strong_count(items) > 1,
        _ => false,
    }
}

fn is_open(value: &Value, zero: bool) -> bool {
    if zero { is_zero(value) } else { value.is_null() }
}

fn missing(into: &Value, from: &Value) -> bool {
    let Some(from) = from.as_map() else { return false };
    from.keys().any(|key| into.get(key).is_none())
}

fn fill(value: &mut Value, name: &Text, from: &Text) {
    let source = field(value, from).clone();
    let into = value.map_mut().entry(name).map_mut();
    for (key, item) in source.as_map().into_iter().flat_map(Map::iter) {
        if !into.contains_key(key) {
            into.insert(key, item.clone());
        }
    }
}

/// The canonical text of a quantity, if it is one and is written otherwise.
fn canonical(value: &Value) -> Option<Value> {
    if value.is_null() {
        return None;
    }
    if value.as_str().is_some_and(is_plainly_canonical) {
        return None;
    }
    let text = Quantity::normalize_value(value).ok()?;
    let text = match text.as_bytes().last() {
        Some(b'n' | b'u') => {
            let amount = Quantity::parse(&text).ok()?;
            Quantity::from_milli(amount.milli_value(), amount.format()).to_string()
        }
        _ => text,
    };
    (value.as_str() != Some(&text)).then(|| text.into())
}

/// Whether a text is a canonical quantity for certain: a whole number and a suffix, which no
/// larger suffix could stand for.
fn is_plainly_canonical(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, suffix) = text.split_at(digits);
    if number.starts_with('0') || digits == 0 || digits > 9 {
        return text == "0";
    }
    match suffix {
        "" | "m" | "k" | "M" | "G" | "T" | "P" => !number.ends_with("000"),
        "Ki" | "Mi" | "Gi" | "Ti" | "Pi" => {
            number.parse().is_ok_and(|n: u32| !n.is_multiple_of(1024))
        }
        _ => false,
    }
}

fn make_canonical(value: &mut Value) {
    if let Some(text) = canonical(value) {
        *value = text;
    }
}
