//! Label selectors: requirements that all must hold, or nothing at all.

use std::fmt;
use std::sync::Arc;

use super::{Operator, Requirement};
use crate::base::{Map, Value, go_quote};

/// Why a text or an object is no selector, in Kubernetes' words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SelectorError(pub(super) String);

impl SelectorError {
    /// One fault as it is, several as a list; what is said twice is said once.
    pub(super) fn aggregate(faults: Vec<String>) -> Self {
        let mut said: Vec<String> = Vec::new();
        for fault in faults {
            if !said.contains(&fault) {
                said.push(fault);
            }
        }
        Self(if said.len() == 1 { said.remove(0) } else { format!("[{}]", said.join(", ")) })
    }
}

/// Labels to match against: a document's map, a list of pairs, an interned set.
pub trait Labels {
    /// The value of the label `key`, if it is there.
    fn value_of(&self, key: &str) -> Option<&str>;

    /// All labels as `(key, value)`.
    fn pairs(&self) -> impl Iterator<Item = (&str, &str)>;
}

/// A document's `labels`; what is not a string is no label.
impl Labels for Map {
    fn value_of(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().filter_map(|(key, value)| Some((key, value.as_str()?)))
    }
}

impl Labels for [(&str, &str)] {
    fn value_of(&self, key: &str) -> Option<&str> {
        self.iter().find(|(candidate, _)| *candidate == key).map(|(_, value)| *value)
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.iter().copied()
    }
}

/// Which labels to select. Cloning is one reference count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    /// Sorted by key; none for the selector that matches nothing.
    requirements: Option<Arc<[Requirement]>>,
}

impl Selector {
    /// Selects everything.
    pub fn everything() -> Self {
        Self::new([])
    }

    /// Selects nothing.
    pub fn nothing() -> Self {
        Self { requirements: None }
    }

    /// Selects what satisfies all requirements.
    pub fn new(requirements: impl IntoIterator<Item = Requirement>) -> Self {
        let mut requirements: Vec<Requirement> = requirements.into_iter().collect();
        requirements.sort_by(|a, b| a.key().cmp(b.key()));
        Self { requirements: Some(requirements.into()) }
    }

    /// Reads the text kubectl takes after `-l`: `app=web,tier in (a,b),!old`.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        super::parse::parse(text).map(Self::new)
    }

    /// Selects what has every label of a plain map, as a Service does. An empty map selects
    /// everything here; a Service without a selector has no endpoints, which is the caller's
    /// affair. Nothing is validated.
    pub fn from_map(labels: &Map) -> Self {
        Self::new(
            labels
                .iter()
                .map(|(key, value)| Requirement::equals(key, value.as_str().unwrap_or_default())),
        )
    }

    /// Reads a LabelSelector (`matchLabels`, `matchExpressions`). An empty one selects
    /// everything, an absent one nothing.
    pub fn from_label_selector(selector: &Value) -> Result<Self, SelectorError> {
        if selector.is_null() {
            return Ok(Self::nothing());
        }
        let labels = selector.get("matchLabels").and_then(Value::as_map);
        let labels = labels.into_iter().flat_map(Map::iter).map(|(key, value)| {
            Requirement::new("", key, Operator::Equals, [value.as_str().unwrap_or_default()])
        });
        let expressions = selector.list_at(&["matchExpressions"]).iter().map(read_expression);
        let requirements: Result<Vec<Requirement>, SelectorError> =
            labels.chain(expressions).collect();
        requirements.map(Self::new)
    }

    /// The requirements, sorted by key; nothing for the selector that matches nothing.
    pub fn requirements(&self) -> Option<&[Requirement]> {
        self.requirements.as_deref()
    }

    /// Whether it selects everything.
    pub fn is_everything(&self) -> bool {
        self.requirements.as_ref().is_some_and(|requirements| requirements.is_empty())
    }

    /// Whether it is the selector that matches nothing.
    pub fn is_nothing(&self) -> bool {
        self.requirements.is_none()
    }

    /// Whether labels satisfy all requirements.
    pub fn matches<L: Labels + ?Sized>(&self, labels: &L) -> bool {
        self.requirements
            .as_ref()
            .is_some_and(|all| all.iter().all(|requirement| requirement.matches(labels)))
    }

    /// The only value the selector lets the label `key` have, if it says so.
    pub fn exact_value_of(&self, key: &str) -> Option<&str> {
        let first = self.requirements()?.iter().find(|requirement| requirement.key() == key)?;
        let exact =
            matches!(first.operator(), Operator::Equals | Operator::DoubleEquals | Operator::In);
        first.values().next().filter(|_| exact && first.values().len() == 1)
    }

    /// This selector and these requirements.
    pub fn and(&self, more: impl IntoIterator<Item = Requirement>) -> Self {
        match self.requirements() {
            Some(requirements) => Self::new(requirements.iter().cloned().chain(more)),
            None => Self::nothing(),
        }
    }
}

fn read_expression(expression: &Value) -> Result<Requirement, SelectorError> {
    let name = expression.str_at(&["operator"]).unwrap_or_default();
    let operator = match name {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        _ => {
            let name = go_quote(name);
            return Err(SelectorError(format!("{name} is not a valid label selector operator")));
        }
    };
    let values = expression.list_at(&["values"]).iter();
    let values = values.map(|value| value.as_str().unwrap_or_default());
    Requirement::new("", expression.str_at(&["key"]).unwrap_or_default(), operator, values)
}

/// The selector's text, which reads back as the same selector; empty for both everything and
/// nothing.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (at, requirement) in self.requirements().unwrap_or_default().iter().enumerate() {
            if at > 0 {
                f.write_str(",")?;
            }
            requirement.fmt(f)?;
        }
        Ok(())
    }
}

impl std::str::FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        Self::parse(text)
    }
}

#[cfg(test)]
pub(crate) mod tests;
