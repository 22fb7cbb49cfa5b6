//! How a rule names a value: `.` what stands here, `.a.b` below it, `$pod.os` below an anchor,
//! `/spec.type` from the object's root, `<spec.type` from the old object's root.

use super::seen::Sets;
use crate::base::{Text, Value};

/// What an absent value is.
pub(super) static NULL: Value = Value::Null;

/// The number of anchors a program may name.
pub(super) const ANCHORS: usize = 12;

/// A place relative to where a rule stands.
pub(super) struct Ref {
    pub base: Base,
    pub path: Box<[Text]>,
}

/// Where a reference starts.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Base {
    This,
    Anchor(u8),
    Root,
    Old,
}

/// What references can reach.
pub(super) struct Scope<'d> {
    pub root: &'d Value,
    pub old: &'d Value,
    pub anchors: [&'d Value; ANCHORS],
    pub sets: Sets<'d>,
}

impl<'d> Scope<'d> {
    /// A scope of these two documents; `old` is `null` unless it is an update.
    pub fn new(root: &'d Value, old: &'d Value) -> Self {
        Self { root, old, anchors: [&NULL; ANCHORS], sets: Sets::default() }
    }
}

impl Ref {
    /// The value named, seen from `here`; `null` when any step is absent.
    pub fn find<'d>(&self, scope: &Scope<'d>, here: &'d Value) -> &'d Value {
        let start = match self.base {
            Base::This => here,
            Base::Anchor(slot) => scope.anchors[slot as usize],
            Base::Root => scope.root,
            Base::Old => scope.old,
        };
        at(start, &self.path)
    }
}

/// The value down a path of keys; `null` when any step is absent.
pub(super) fn at<'d>(start: &'d Value, path: &[Text]) -> &'d Value {
    let mut value = start;
    for key in path {
        match value.get(key) {
            Some(next) => value = next,
            None => return &NULL,
        }
    }
    value
}

/// The field of a map; `null` when absent.
pub(super) fn field<'d>(value: &'d Value, name: &str) -> &'d Value {
    value.get(name).unwrap_or(&NULL)
}

/// The text of a field; empty when absent.
pub(super) fn text<'d>(value: &'d Value, name: &str) -> &'d str {
    field(value, name).as_str().unwrap_or_default()
}

/// Whether Go would call it zero: absent, `""`, `0`, `false`, `[]` or `{}`.
pub(super) fn is_zero(value: &Value) -> bool {
    match value {
        Value::Bool(flag) => !flag,
        Value::Int(number) => *number == 0,
        Value::Float(number) => *number == 0.0,
        other => other.is_empty(),
    }
}
