//! One requirement of a selector: a key, an operator and values.

use std::fmt;

use smallvec::SmallVec;

use super::{Labels, SelectorError};
use crate::base::value::to_go_json;
use crate::base::{Text, Value, go_quote, names};

/// How a requirement relates a key to values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// `key in (a,b)`: the label is there and has one of the values.
    In,
    /// `key notin (a,b)`: the label is absent or has another value.
    NotIn,
    /// `key=a`: as [`Self::In`] with one value.
    Equals,
    /// `key==a`: the same, printed as it was written.
    DoubleEquals,
    /// `key!=a`: as [`Self::NotIn`] with one value.
    NotEquals,
    /// `key`: the label is there.
    Exists,
    /// `!key`: the label is absent.
    DoesNotExist,
    /// `key>5`: the label is there and an integer above the value.
    GreaterThan,
    /// `key<5`: the label is there and an integer below the value.
    LessThan,
}

impl Operator {
    /// The operators between a key and values, in the order error messages list them.
    pub(super) const BINARY: &'static str = "in, notin, =, ==, !=, gt, lt";

    /// Whether only a label that is there can satisfy it.
    pub fn needs_label(self) -> bool {
        !matches!(self, Self::NotIn | Self::NotEquals | Self::DoesNotExist)
    }
}

/// A key, an operator and its values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    key: Text,
    operator: Operator,
    values: SmallVec<[Text; 1]>,
}

impl Requirement {
    /// A requirement that obeys the rules for label keys, values and operators. `path` is where
    /// it stands in an object, for the error; it may be empty.
    pub fn new<V: Into<Text>>(
        path: &str,
        key: &str,
        operator: Operator,
        values: impl IntoIterator<Item = V>,
    ) -> Result<Self, SelectorError> {
        let values: SmallVec<[Text; 1]> = values.into_iter().map(Into::into).collect();
        let requirement = Self { key: key.into(), operator, values };
        match requirement.faults(path) {
            faults if faults.is_empty() => Ok(requirement),
            faults => Err(SelectorError::aggregate(faults)),
        }
    }

    /// `key=value`, unchecked: what a plain map of labels asks for.
    pub(super) fn equals(key: &str, value: &str) -> Self {
        let values = SmallVec::from_iter([value.into()]);
        Self { key: key.into(), operator: Operator::Equals, values }
    }

    /// The label's key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// How the key relates to the values.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// The values, in the order they were given.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &str> {
        self.values.iter().map(Text::as_str)
    }

    /// Whether labels satisfy it.
    pub fn matches<L: Labels + ?Sized>(&self, labels: &L) -> bool {
        self.matches_value(labels.value_of(&self.key))
    }

    /// Whether a label with this value, or an absent one, satisfies it.
    pub fn matches_value(&self, value: Option<&str>) -> bool {
        let Some(value) = value else {
            return !self.operator.needs_label();
        };
        match self.operator {
            Operator::In | Operator::Equals | Operator::DoubleEquals => self.has_value(value),
            Operator::NotIn | Operator::NotEquals => !self.has_value(value),
            Operator::Exists => true,
            Operator::DoesNotExist => false,
            Operator::GreaterThan => self.compare(value).is_some_and(|(have, want)| have > want),
            Operator::LessThan => self.compare(value).is_some_and(|(have, want)| have < want),
        }
    }

    fn has_value(&self, value: &str) -> bool {
        self.values.iter().any(|candidate| candidate == value)
    }

    /// The label's integer and the requirement's.
    fn compare(&self, value: &str) -> Option<(i64, i64)> {
        let [wanted] = &self.values[..] else { return None };
        Some((value.parse().ok()?, wanted.parse().ok()?))
    }

    fn faults(&self, path: &str) -> Vec<String> {
        let dot = if path.is_empty() { "" } else { "." };
        let mut faults = Vec::new();
        faults.extend(key_fault(&format!("{path}{dot}key"), &self.key));
        let values_path = format!("{path}{dot}values");
        self.check_values(&values_path, &mut faults);
        for (at, value) in self.values.iter().enumerate() {
            let sentences = names::label_value(value);
            if !sentences.is_empty() {
                let place = format!("{values_path}[{at}][{}]", self.key);
                faults.push(invalid(&place, &go_quote(value), &sentences.join("; ")));
            }
        }
        faults
    }

    /// Whether the operator may have as many values, and such values.
    fn check_values(&self, path: &str, faults: &mut Vec<String>) {
        let count = self.values.len();
        let rule = match self.operator {
            Operator::In | Operator::NotIn if count == 0 => {
                "for 'in', 'notin' operators, values set can't be empty"
            }
            Operator::Equals | Operator::DoubleEquals | Operator::NotEquals if count != 1 => {
                "exact-match compatibility requires one single value"
            }
            Operator::Exists | Operator::DoesNotExist if count != 0 => {
                "values set must be empty for exists and does not exist"
            }
            Operator::GreaterThan | Operator::LessThan if count != 1 => {
                "for 'Gt', 'Lt' operators, exactly one value is required"
            }
            _ => "",
        };
        if !rule.is_empty() {
            faults.push(invalid(path, &self.values_json(), rule));
        }
        if matches!(self.operator, Operator::GreaterThan | Operator::LessThan) {
            for (at, value) in self.values.iter().enumerate() {
                if value.parse::<i64>().is_err() {
                    let rule = "for 'Gt', 'Lt' operators, the value must be an integer";
                    faults.push(invalid(&format!("{path}[{at}]"), &go_quote(value), rule));
                }
            }
        }
    }

    /// The values as an error shows them; Go prints an absent list as `null`.
    fn values_json(&self) -> String {
        if self.values.is_empty() {
            return "null".to_owned();
        }
        to_go_json(&Value::list(self.values.iter().map(|value| Value::Str(value.clone()))))
    }
}

/// What is wrong with a label key at `path`.
pub(super) fn key_fault(path: &str, key: &str) -> Option<String> {
    let sentences = names::label_key(key);
    (!sentences.is_empty()).then(|| invalid(path, &go_quote(key), &sentences.join("; ")))
}

fn invalid(path: &str, value: &str, detail: &str) -> String {
    format!("{path}: Invalid value: {value}: {detail}")
}

/// The requirement in the selector language, values sorted.
impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let mut values: Vec<&str> = self.values().collect();
        values.sort_unstable();
        let (key, values) = (&self.key, values.join(","));
        match self.operator {
            Operator::In => write!(f, "{key} in ({values})"),
            Operator::NotIn => write!(f, "{key} notin ({values})"),
            Operator::Equals => write!(f, "{key}={values}"),
            Operator::DoubleEquals => write!(f, "{key}=={values}"),
            Operator::NotEquals => write!(f, "{key}!={values}"),
            Operator::Exists => write!(f, "{key}"),
            Operator::DoesNotExist => write!(f, "!{key}"),
            Operator::GreaterThan => write!(f, "{key}>{values}"),
            Operator::LessThan => write!(f, "{key}<{values}"),
        }
    }
}
