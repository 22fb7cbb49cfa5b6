//! Walking a document with checks.
//!
//! The walk holds the path as borrowed steps and touches the heap only to report an error.

use super::compile::Shared;
use super::condition::{count, key_of};
use super::ops::{Check, Failure, Piece, Shot, Shown, Style, Template, Union};
use super::reference::{Scope, field, is_zero};
use super::seen::Key;
use super::shapes::{self, ShapeId};
use crate::api::{BadValue, FieldError, FieldErrorKind, Path};
use crate::base::value::to_go_json;
use crate::base::{Quantity, Value};

/// One walk over one document.
pub(super) struct Walk<'p, 'd> {
    /// The checks a program declares under a name.
    pub shared: &'p Shared,
    pub scope: Scope<'d>,
    /// The current map key.
    pub key: &'d str,
    pub errors: Vec<FieldError>,
}

impl<'p, 'd> Walk<'p, 'd> {
    /// A walk over `root`, which is to replace `old`; `old` is `null` for a new object.
    pub fn new(shared: &'p Shared, root: &'d Value, old: &'d Value) -> Self {
        Self { shared, scope: Scope::new(root, old), key: "", errors: Vec::new() }
    }

    /// Runs checks in order at `here`.
    pub fn run(&mut self, checks: &'p [Check], here: &'d Value, path: &Path<'_>) {
        for check in checks {
            self.check(check, here, path);
        }
    }

    fn check(&mut self, check: &'p Check, here: &'d Value, path: &Path<'_>) {
        match check {
            Check::Field { name, shown, on_null, checks } => {
                let value = field(here, name);
                if *on_null || !value.is_null() {
                    self.shown(shown, checks, value, path);
                }
            }
            Check::Each { hidden, checks } => self.each(*hidden, checks, here, path),
            Check::Entries { checks } => self.entries(checks, here, path),
            Check::Anchor { slot, checks } => {
                let outer = std::mem::replace(&mut self.scope.anchors[*slot as usize], here);
                self.run(checks, here, path);
                self.scope.anchors[*slot as usize] = outer;
            }
            Check::From { value, checks } => {
                let value = value.find(&self.scope, here);
                self.run(checks, value, path);
            }
            Check::Under { shown, checks } => self.shown(shown, checks, here, path),
            Check::Up { steps, checks } => {
                let mut path = path;
                for _ in 0..*steps {
                    path = path.parent().unwrap_or(&Path::ROOT);
                }
                self.run(checks, here, path);
            }
            Check::When { condition, then, otherwise } => {
                let checks = if condition.holds(&self.scope, here) { then } else { otherwise };
                self.run(checks, here, path);
            }
            Check::Need { detail, checks } => {
                if is_zero(here) {
                    self.errors.push(FieldError::required(path, detail.as_str()));
                } else {
                    self.run(checks, here, path);
                }
            }
            Check::Filled { checks } => {
                if !is_zero(here) {
                    self.run(checks, here, path);
                }
            }
            Check::Fail(failure) => self.fail(failure, here, path),
            Check::OneOf { values, shown, style, shape } => {
                let text = here.as_str().unwrap_or_default();
                if !values.iter().any(|value| value == text) {
                    let value = self.bad_value(here, *style, *shape);
                    self.errors.push(FieldError::not_supported(path, value, shown.iter()));
                }
            }
            Check::Valid { format, style, then } => {
                let problems = format.problems(here);
                if problems.is_empty() {
                    self.run(then, here, path);
                }
                for problem in problems {
                    let value = self.bad_value(here, *style, None);
                    self.errors.push(FieldError::invalid(path, value, problem));
                }
            }
            Check::ValidKey { format } => {
                for problem in format.text_problems(self.key) {
                    self.errors.push(FieldError::invalid(path, self.key, problem));
                }
            }
            Check::Union(union) => self.union(union, here, path),
            Check::Fresh { set, checks } => {
                self.scope.sets.clear(*set);
                self.run(checks, here, path);
            }
            Check::Collect { set, list, key } => {
                for item in list.find(&self.scope, here).as_list().unwrap_or_default() {
                    let value = key.as_ref().map_or(item, |key| field(item, key));
                    self.scope.sets.insert(*set, Key::from_slice(&[value]));
                }
            }
            Check::Insert { set, values } => {
                let key = key_of(values, &self.scope, here);
                self.scope.sets.insert(*set, key);
            }
            Check::Unique { set, values, seen } => {
                let key = key_of(values, &self.scope, here);
                if !self.scope.sets.insert(*set, key) {
                    self.run(seen, here, path);
                }
            }
            Check::Clean { checks, then } => {
                let before = self.errors.len();
                self.run(checks, here, path);
                if self.errors.len() == before {
                    self.run(then, here, path);
                }
            }
            Check::Use(name) => {
                let shared = self.shared;
                self.run(&shared.checks[*name as usize], here, path);
            }
            Check::Call(function, arguments) => function(self, here, path, arguments),
        }
    }

    fn shown(&mut self, shown: &'p Shown, checks: &'p [Check], here: &'d Value, path: &Path<'_>) {
        match shown {
            Shown::Name(name) => self.run(checks, here, &path.child(name)),
            Shown::Hidden => self.run(checks, here, path),
            Shown::Whole(text) => self.run(checks, here, &Path::new(text)),
        }
    }

    fn each(&mut self, hidden: bool, checks: &'p [Check], here: &'d Value, path: &Path<'_>) {
        for (index, item) in here.as_list().unwrap_or_default().iter().enumerate() {
            if hidden {
                self.run(checks, item, path);
            } else {
                self.run(checks, item, &path.index(index));
            }
        }
    }

    fn entries(&mut self, checks: &'p [Check], here: &'d Value, path: &Path<'_>) {
        let Some(map) = here.as_map() else { return };
        let outer = self.key;
        for (key, value) in map.iter() {
            self.key = key;
            self.run(checks, value, &path.key(key));
        }
        self.key = outer;
    }

    fn union(&mut self, union: &'p Union, here: &'d Value, path: &Path<'_>) {
        let mut taken = false;
        for member in &union.members {
            let value = field(here, &member.name);
            if value.is_null() {
                continue;
            }
            if taken {
                let refused = path.child(&member.refused_as);
                self.errors.push(FieldError::forbidden(refused, union.many.as_str()));
            } else {
                taken = true;
                self.run(&member.checks, value, &path.child(&member.shown));
            }
        }
        if !taken {
            self.run(&union.none, here, path);
        }
    }

    fn fail(&mut self, failure: &Failure, here: &'d Value, path: &Path<'_>) {
        let mut error = match failure.kind {
            FieldErrorKind::NotSupported => {
                let value = self.shot(&failure.value, here);
                FieldError::not_supported(path, value, failure.supported.iter())
            }
            FieldErrorKind::TooLong => FieldError::too_long(path, failure.limit),
            FieldErrorKind::TooMany => {
                let actual = match &failure.value {
                    Shot::Count(list) => Some(count(list.find(&self.scope, here))),
                    _ => None,
                };
                FieldError::too_many(path, actual, failure.limit)
            }
            kind => {
                let mut error = FieldError::invalid(path, self.shot(&failure.value, here), "");
                error.kind = kind;
                error
            }
        };
        if !failure.detail.0.is_empty() {
            error.detail = self.template(&failure.detail, here);
        }
        self.errors.push(error);
    }

    fn shot(&self, shot: &Shot, here: &'d Value) -> BadValue {
        match shot {
            Shot::Omitted => BadValue::OMITTED,
            Shot::Literal(value) => BadValue::from(value),
            Shot::Key => BadValue::from(self.key),
            Shot::Value(value, style, shape) => {
                self.bad_value(value.find(&self.scope, here), *style, *shape)
            }
            Shot::Count(list) => BadValue::from(count(list.find(&self.scope, here)) as i64),
            Shot::Joined(template) => BadValue::from(&self.template(template, here)),
        }
    }

    /// The value as Go would print it in an error.
    #[allow(clippy::unused_self)]
    pub fn bad_value(&self, value: &Value, style: Style, shape: Option<ShapeId>) -> BadValue {
        if let Some(shape) = shape
            && !value.is_null()
        {
            return BadValue::raw(shapes::internal(value, shape).to_json());
        }
        match (style, value) {
            (Style::Text | Style::Name, Value::Null) => BadValue::from(""),
            (Style::Number, Value::Null) => BadValue::from(0),
            (Style::Flag, Value::Null) => BadValue::from(false),
            (Style::Name | Style::Json, value) => BadValue::json(value),
            (Style::Quantity, value) => BadValue::from(quantity(value).to_string().as_str()),
            (_, value) => BadValue::from(value),
        }
    }

    fn template(&self, template: &Template, here: &'d Value) -> String {
        let mut text = String::new();
        for piece in &template.0 {
            match piece {
                Piece::Text(part) => text.push_str(part),
                Piece::Value(value) => push_bare(&mut text, value.find(&self.scope, here)),
            }
        }
        text
    }
}

/// A quantity found in a document; what is none counts as zero.
pub(super) fn quantity(value: &Value) -> Quantity {
    Quantity::from_value(value).unwrap_or(Quantity::ZERO)
}

fn push_bare(text: &mut String, value: &Value) {
    match value {
        Value::Null => {}
        Value::Str(part) => text.push_str(part),
        other => text.push_str(&to_go_json(other)),
    }
}
