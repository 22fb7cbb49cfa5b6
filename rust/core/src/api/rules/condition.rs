//! Whether a condition holds.

use super::formats::Format;
use super::ops::{Comparison, Condition, Number};
use super::reference::{Ref, Scope, is_zero};
use super::seen::Key;
use super::shapes;
use crate::base::Value;

impl Condition {
    /// Whether it holds, seen from `here`.
    pub fn holds<'d>(&self, scope: &Scope<'d>, here: &'d Value) -> bool {
        match self {
            Self::Present(value) => !value.find(scope, here).is_null(),
            Self::Filled(value) => !is_zero(value.find(scope, here)),
            Self::Is(value, literals) => is_one_of(value.find(scope, here), literals),
            Self::Same(a, b, shape) => {
                shapes::equal(a.find(scope, here), b.find(scope, here), *shape)
            }
            Self::Compare(a, how, b) => how.holds(a.get(scope, here), b.get(scope, here)),
            Self::Starts(value, with) => str_of(value, scope, here).starts_with(with.as_str()),
            Self::Ends(value, with) => str_of(value, scope, here).ends_with(with.as_str()),
            Self::Contains(value, part) => str_of(value, scope, here).contains(part.as_str()),
            Self::Has(value, format) => has_form(*format, value.find(scope, here)),
            Self::Holds(list, item) => holds(list.find(scope, here), item.find(scope, here)),
            Self::Seen(set, values) => scope.sets.has(*set, &key_of(values, scope, here)),
            Self::Unseen(set) => scope.sets.is_empty(*set),
            Self::All(conditions) => conditions.iter().all(|one| one.holds(scope, here)),
            Self::Any(conditions) => conditions.iter().any(|one| one.holds(scope, here)),
            Self::Not(condition) => !condition.holds(scope, here),
        }
    }
}

impl Number {
    fn get<'d>(&self, scope: &Scope<'d>, here: &'d Value) -> i64 {
        match self {
            Self::Literal(number) => *number,
            Self::Value(value) => value.find(scope, here).as_int().unwrap_or(0),
            Self::Count(value) => count(value.find(scope, here)) as i64,
        }
    }
}

impl Comparison {
    /// Whether `a` and `b` compare so.
    pub fn holds(self, a: i64, b: i64) -> bool {
        match self {
            Self::Less => a < b,
            Self::LessOrEqual => a <= b,
            Self::Equal => a == b,
            Self::NotEqual => a != b,
            Self::Greater => a > b,
            Self::GreaterOrEqual => a >= b,
        }
    }
}

/// The items of a list, the keys of a map or the bytes of a text.
pub(super) fn count(value: &Value) -> usize {
    match value {
        Value::List(items) => items.len(),
        Value::Map(map) => map.len(),
        Value::Str(text) => text.len(),
        _ => 0,
    }
}

/// The values that references find, as the key of a set.
pub(super) fn key_of<'d>(values: &[Ref], scope: &Scope<'d>, here: &'d Value) -> Key<'d> {
    values.iter().map(|value| value.find(scope, here)).collect()
}

fn str_of<'d>(value: &Ref, scope: &Scope<'d>, here: &'d Value) -> &'d str {
    value.find(scope, here).as_str().unwrap_or_default()
}

fn is_one_of(value: &Value, literals: &[Value]) -> bool {
    literals.iter().any(|literal| value == literal || (value.is_null() && is_zero(literal)))
}

fn has_form(format: Format, value: &Value) -> bool {
    format.problems(value).is_empty()
}

fn holds(list: &Value, item: &Value) -> bool {
    match list {
        Value::List(items) => items.contains(item),
        Value::Map(map) => item.as_str().is_some_and(|key| map.contains_key(key)),
        _ => false,
    }
}
