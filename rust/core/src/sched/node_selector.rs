//! Node selectors: `nodeSelector`, and the terms of node affinity.
//!
//! Terms are alternatives, expressions within a term must all hold. A term that names nothing,
//! or that cannot be read, selects no node.

use smallvec::SmallVec;

use crate::base::{Text, Value};
use crate::labels::{LabelSetId, LabelSets, Operator, Requirement, Resolved, Selector};

/// The only field a node can be selected by.
pub const NAME_FIELD: &str = "metadata.name";

/// One condition on a node's field.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FieldRequirement {
    key: Text,
    value: Text,
    equal: bool,
}

impl FieldRequirement {
    fn matches(&self, name: &str) -> bool {
        let value = if self.key == NAME_FIELD { name } else { "" };
        (value == self.value) == self.equal
    }
}

/// One alternative of a node selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    labels: Option<Selector>,
    fields: SmallVec<[FieldRequirement; 1]>,
}

impl Term {
    /// Reads a term; nothing when it selects no node.
    fn read(term: &Value) -> Option<Self> {
        let expressions = term.list_at(&["matchExpressions"]);
        let fields = term.list_at(&["matchFields"]);
        if expressions.is_empty() && fields.is_empty() {
            return None;
        }
        let fields = fields.iter().map(read_field).collect::<Option<_>>()?;
        let requirements =
            expressions.iter().map(read_expression).collect::<Option<Vec<Requirement>>>()?;
        let labels = (!requirements.is_empty()).then(|| Selector::new(requirements));
        Some(Self { labels, fields })
    }
}

fn read_expression(expression: &Value) -> Option<Requirement> {
    let operator = match expression.str_at(&["operator"])? {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::DoesNotExist,
        "Gt" => Operator::GreaterThan,
        "Lt" => Operator::LessThan,
        _ => return None,
    };
    let values = expression.list_at(&["values"]).iter();
    let values = values.map(|value| value.as_str().unwrap_or_default());
    Requirement::new("", expression.str_at(&["key"])?, operator, values).ok()
}

fn read_field(field: &Value) -> Option<FieldRequirement> {
    let equal = match field.str_at(&["operator"])? {
        "In" => true,
        "NotIn" => false,
        _ => return None,
    };
    let [value] = field.list_at(&["values"]) else { return None };
    let key = field.str_at(&["key"]).unwrap_or_default();
    Some(FieldRequirement {
        key: key.into(),
        value: value.as_str().unwrap_or_default().into(),
        equal,
    })
}

/// Which nodes a `NodeSelector` lets a pod have before any is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Narrowing {
    /// Any.
    None,
    /// Only those called so: every term names nodes.
    Names(Vec<Text>),
    /// None at all: every term names nodes, and none names one twice.
    Conflict,
}

/// Required node affinity, or any other `NodeSelector` object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSelector {
    terms: Vec<Term>,
    narrowing: Narrowing,
}

impl NodeSelector {
    /// Reads a `NodeSelector`.
    pub fn read(selector: &Value) -> Self {
        let terms = selector.list_at(&["nodeSelectorTerms"]);
        Self { narrowing: narrow(terms), terms: terms.iter().filter_map(Term::read).collect() }
    }

    /// Which nodes can match at all.
    pub fn narrowing(&self) -> &Narrowing {
        &self.narrowing
    }
}

/// The union over the terms of the names each of them allows.
fn narrow(terms: &[Value]) -> Narrowing {
    let mut names: Vec<Text> = Vec::new();
    for term in terms {
        let fields = term.list_at(&["matchFields"]).iter();
        let named = fields.filter(|field| {
            field.str_at(&["key"]) == Some(NAME_FIELD) && field.str_at(&["operator"]) == Some("In")
        });
        let mut allowed: Option<Vec<&str>> = None;
        for field in named {
            let values: Vec<&str> =
                field.list_at(&["values"]).iter().filter_map(Value::as_str).collect();
            allowed = Some(match allowed {
                None => values,
                Some(before) => before.into_iter().filter(|name| values.contains(name)).collect(),
            });
        }
        let Some(allowed) = allowed else { return Narrowing::None };
        names.extend(allowed.into_iter().map(Text::from));
    }
    names.sort_unstable();
    names.dedup();
    match (terms.is_empty(), names.is_empty()) {
        (true, _) => Narrowing::None,
        (false, true) => Narrowing::Conflict,
        (false, false) => Narrowing::Names(names),
    }
}

/// A term some nodes are preferred for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preference {
    /// `weight`.
    pub weight: i64,
    /// `preference`.
    pub term: Term,
}

impl Preference {
    /// Reads `preferredDuringSchedulingIgnoredDuringExecution`; terms without weight or content
    /// count for nothing.
    pub fn read_list(terms: &[Value]) -> Vec<Self> {
        let read = |term: &Value| {
            let weight = term.int_at(&["weight"]).filter(|weight| *weight != 0)?;
            Some(Self { weight, term: Term::read(term.get("preference")?)? })
        };
        terms.iter().filter_map(read).collect()
    }
}

/// What a pod's own spec says about nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeAffinity {
    /// `spec.nodeSelector`.
    pub labels: Option<Selector>,
    /// Required node affinity.
    pub required: Option<NodeSelector>,
    /// Preferred node affinity; `None` when the field is absent.
    pub preferred: Option<Vec<Preference>>,
}

impl NodeAffinity {
    /// Reads the spec of a pod; nothing when it says nothing about nodes.
    pub fn read(spec: &Value) -> Option<Self> {
        let affinity = spec.at(&["affinity", "nodeAffinity"]);
        let field = |name| affinity?.get(name).filter(|value| !value.is_null());
        let node_selector = spec.get("nodeSelector").and_then(Value::as_map);
        let read = Self {
            labels: node_selector.filter(|map| !map.is_empty()).map(Selector::from_map),
            required: field("requiredDuringSchedulingIgnoredDuringExecution")
                .map(NodeSelector::read),
            preferred: field("preferredDuringSchedulingIgnoredDuringExecution")
                .and_then(Value::as_list)
                .map(Preference::read_list),
        };
        let says_something =
            read.labels.is_some() || read.required.is_some() || read.preferred.is_some();
        says_something.then_some(read)
    }

    /// Whether it may keep the pod from any node.
    pub fn restricts(&self) -> bool {
        self.labels.is_some() || self.required.is_some()
    }
}

/// A term in the numbers of one [`LabelSets`].
struct ResolvedTerm<'a> {
    labels: Option<Resolved<'a>>,
    term: &'a Term,
}

impl<'a> ResolvedTerm<'a> {
    fn new(sets: &'a LabelSets, term: &'a Term) -> Self {
        Self { labels: term.labels.as_ref().map(|selector| sets.resolve(selector)), term }
    }

    fn matches(&self, labels: LabelSetId, name: &str) -> bool {
        self.labels.as_ref().is_none_or(|selector| selector.matches(labels))
            && self.term.fields.iter().all(|field| field.matches(name))
    }
}

/// Conditions on nodes, ready to be asked of many.
pub struct Matcher<'a> {
    labels: Option<Resolved<'a>>,
    /// Alternatives; `None` when there is no such condition.
    terms: Option<SmallVec<[ResolvedTerm<'a>; 2]>>,
}

impl<'a> Matcher<'a> {
    /// What a pod's own spec requires.
    pub fn of_pod(sets: &'a LabelSets, affinity: &'a NodeAffinity) -> Self {
        Self {
            labels: affinity.labels.as_ref().map(|selector| sets.resolve(selector)),
            ..Self::of_selector(sets, affinity.required.as_ref())
        }
    }

    /// What a node selector requires; without one, nothing.
    pub fn of_selector(sets: &'a LabelSets, selector: Option<&'a NodeSelector>) -> Self {
        let terms = selector.map(|selector| {
            selector.terms.iter().map(|term| ResolvedTerm::new(sets, term)).collect()
        });
        Self { labels: None, terms }
    }

    /// Whether a node with these labels and this name satisfies all.
    pub fn matches(&self, labels: LabelSetId, name: &str) -> bool {
        self.labels.as_ref().is_none_or(|selector| selector.matches(labels))
            && self
                .terms
                .as_ref()
                .is_none_or(|terms| terms.iter().any(|term| term.matches(labels, name)))
    }
}

/// Preferences, ready to be asked of many nodes.
pub struct Preferences<'a>(SmallVec<[(i64, ResolvedTerm<'a>); 4]>);

impl<'a> Preferences<'a> {
    /// These preferences.
    pub fn new(sets: &'a LabelSets, preferences: impl Iterator<Item = &'a Preference>) -> Self {
        let resolve = |preference: &'a Preference| {
            (preference.weight, ResolvedTerm::new(sets, &preference.term))
        };
        Self(preferences.map(resolve).collect())
    }

    /// The sum of the weights of the terms a node matches.
    pub fn score(&self, labels: LabelSetId, name: &str) -> i64 {
        let matching = self.0.iter().filter(|(_, term)| term.matches(labels, name));
        matching.map(|(weight, _)| weight).sum()
    }
}
