//! What a program says of one node.

use std::fmt;

use super::ast::{Arithmetic, Comparison};
use super::check::{Amount, Condition, Function, Label, Number, Owner, Resource, Word};
use super::{PodField, Program, Root};
use crate::base::Text;
use crate::labels::LabelSets;
use crate::sched::nodes::{NodeId, NodeInfo, NodeRow, NodeView, Rare};
use crate::sched::plugins::Context;

/// What a program takes from a pod, fetched once per cycle. Pods with equal ones get equal
/// answers.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bound {
    values: Vec<PodValue>,
    rare: Vec<Option<Rare>>,
}

#[derive(Clone, Debug, PartialEq)]
enum PodValue {
    Number(f64),
    Text(Option<Text>),
}

/// What a program is evaluated over.
#[derive(Clone, Copy)]
pub struct Environment<'a> {
    /// What was taken from the pod.
    pub bound: &'a Bound,
    /// The node.
    pub node: NodeView<'a>,
    /// The labels of nodes.
    pub sets: &'a LabelSets,
}

/// Why a program says nothing of a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Fault {
    /// A division by zero, at this column.
    Zero(usize),
    /// Something has no such label or annotation: whose, which, the key, the column.
    Absent(&'static str, &'static str, Text, usize),
    /// A label is no number: whose, which, the key, the value, the column.
    NoNumber(&'static str, &'static str, Text, Text, usize),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Zero(column) => write!(f, "column {column}: division by zero"),
            Self::Absent(owner, what, key, column) => {
                write!(f, "column {column}: the {owner} has no {what} \"{key}\"")
            }
            Self::NoNumber(owner, what, key, value, column) => {
                let of = format!("the {what} \"{key}\" of the {owner}");
                write!(f, "column {column}: {of} is \"{value}\", which is no number")
            }
        }
    }
}

type Found<T> = Result<T, Fault>;

impl Program {
    /// What it takes from the pod of a cycle.
    pub fn bind(&self, context: &Context) -> Bound {
        let Context { store, pod, slot, .. } = *context;
        let text = |text: &str| PodValue::Text(Some(text.into()));
        let row = || store.table(store.kinds.pod).row(slot);
        let value = |field: &PodField| match field {
            PodField::Request(name) => PodValue::Number(requested(pod, name)),
            PodField::Priority => PodValue::Number(f64::from(pod.priority)),
            PodField::Name => PodValue::Text(row().map(|row| row.name.text(&store.strings))),
            PodField::Namespace => {
                text(pod.namespace.map_or("", |namespace| store.strings.text(namespace)))
            }
            PodField::Label(key) => {
                PodValue::Text(store.sets.get(pod.labels).value(key).map(Text::from))
            }
            PodField::Annotation(key) => {
                let body = row().and_then(|row| row.body.as_ref());
                PodValue::Text(body.and_then(|body| body.annotation(key)).map(Text::from))
            }
        };
        let rare = |name: &Text| context.nodes.resources.find(name).map(Rare::Named);
        Bound {
            values: self.pod.iter().map(value).collect(),
            rare: self.rare.iter().map(rare).collect(),
        }
    }

    /// The number, of an expression for one.
    ///
    /// # Errors
    /// Why there is none.
    ///
    /// # Panics
    /// When it is an expression for a truth value.
    pub fn evaluate(&self, environment: Environment) -> Found<f64> {
        match &self.root {
            Root::Number(number) => environment.number(number),
            Root::Condition(_) => panic!("an expression for a number"),
        }
    }

    /// Whether it holds for a pod, of an expression that names no node.
    ///
    /// # Errors
    /// Why there is no saying.
    pub fn holds_for_pod(&self, bound: &Bound, sets: &LabelSets) -> Found<bool> {
        let (row, info) = (NodeRow::default(), NodeInfo::default());
        let node = NodeView { id: NodeId::new(0), row: &row, info: &info, changed: 0 };
        self.holds(Environment { bound, node, sets })
    }

    /// Whether it holds, of an expression for a truth value.
    ///
    /// # Errors
    /// Why there is no saying.
    ///
    /// # Panics
    /// When it is an expression for a number.
    pub fn holds(&self, environment: Environment) -> Found<bool> {
        match &self.root {
            Root::Condition(condition) => environment.condition(condition),
            Root::Number(_) => panic!("an expression for a truth value"),
        }
    }
}

/// What a pod asks for, in the units of expressions.
fn requested(pod: &crate::sched::pod_info::PodInfo, name: &str) -> f64 {
    match name {
        "cpu" => pod.requests.asked.cpu_milli as f64 / 1000.0,
        "cpu_milli" => pod.requests.asked.cpu_milli as f64,
        "pods" => 1.0,
        "ephemeral_storage" => pod.requests.asked.ephemeral_bytes as f64,
        _ => pod.requests.asked.get(name) as f64,
    }
}

impl Environment<'_> {
    fn number(&self, number: &Number) -> Found<f64> {
        Ok(match number {
            Number::Constant(value) => *value,
            Number::Pod(at) => match &self.bound.values[*at] {
                PodValue::Number(value) => *value,
                PodValue::Text(_) => unreachable!("checked to be a number"),
            },
            Number::Amount(amount, resource) => self.amount(*amount, *resource),
            Number::Of(label) => self.number_of(label)?,
            Number::Truth(condition) => f64::from(u8::from(self.condition(condition)?)),
            Number::Negative(inner) => -self.number(inner)?,
            Number::Arithmetic(operator, column, left, right) => {
                arithmetic(*operator, *column, self.number(left)?, self.number(right)?)?
            }
            Number::Call(function, arguments) => self.call(*function, arguments)?,
            Number::Choice(condition, yes, no) => {
                self.number(if self.condition(condition)? { yes } else { no })?
            }
        })
    }

    fn amount(&self, amount: Amount, resource: Resource) -> f64 {
        let row = self.node.row;
        let of = |rare: Rare| {
            let amount = self.node.info.amount(rare);
            (amount.allocatable, amount.used)
        };
        let (allocatable, used) = match resource {
            Resource::Cpu | Resource::CpuMilli => (row.cpu_milli, row.used_cpu_milli),
            Resource::Memory => (row.memory_bytes, row.used_memory_bytes),
            Resource::Pods => (i64::from(row.pods_allowed), i64::from(row.pods)),
            Resource::EphemeralStorage => of(Rare::EphemeralStorage),
            Resource::Rare(at) => self.bound.rare[at].map_or((0, 0), of),
        };
        let amount = match amount {
            Amount::Allocatable => allocatable,
            Amount::Requested => used,
            Amount::Free => allocatable - used,
        };
        if resource == Resource::Cpu { amount as f64 / 1000.0 } else { amount as f64 }
    }

    fn call(&self, function: Function, arguments: &[Number]) -> Found<f64> {
        let mut values = arguments.iter().map(|argument| self.number(argument));
        let first = values.next().expect("every function takes a number")?;
        match function {
            Function::Min => values.try_fold(first, |least, value| Ok(least.min(value?))),
            Function::Max => values.try_fold(first, |most, value| Ok(most.max(value?))),
            Function::Abs => Ok(first.abs()),
            Function::Floor => Ok(first.floor()),
            Function::Ceil => Ok(first.ceil()),
        }
    }

    fn condition(&self, condition: &Condition) -> Found<bool> {
        Ok(match condition {
            Condition::Constant(value) => *value,
            Condition::Unschedulable => self.node.row.unschedulable,
            Condition::Has(label) => self.label(label).is_some(),
            Condition::Not(inner) => !self.condition(inner)?,
            Condition::Both(left, right) => self.condition(left)? && self.condition(right)?,
            Condition::Either(left, right) => self.condition(left)? || self.condition(right)?,
            Condition::Numbers(operator, left, right) => {
                let pair = self.number(left).and_then(|left| Ok((left, self.number(right)?)));
                let Some((left, right)) = present(pair)? else {
                    return Ok(operator.holds_for_absent());
                };
                compares(*operator, left.partial_cmp(&right))
            }
            Condition::Texts(operator, left, right) => {
                let Some((left, right)) = self.word(left)?.zip(self.word(right)?) else {
                    return Ok(operator.holds_for_absent());
                };
                compares(*operator, Some(left.cmp(right)))
            }
            Condition::NumberIn(wanted, number, items) => {
                let Some(number) = present(self.number(number))? else { return Ok(!wanted) };
                let mut found = false;
                for item in items {
                    found |= present(self.number(item))? == Some(number);
                }
                found == *wanted
            }
            Condition::TextIn(wanted, word, items) => {
                let Some(word) = self.word(word)? else { return Ok(!wanted) };
                let mut found = false;
                for item in items {
                    found |= self.word(item)? == Some(word);
                }
                found == *wanted
            }
            Condition::Choice(condition, yes, no) => {
                self.condition(if self.condition(condition)? { yes } else { no })?
            }
        })
    }

    /// A text; nothing when it is a label that is not there.
    fn word<'w>(&'w self, word: &'w Word) -> Found<Option<&'w str>> {
        Ok(match word {
            Word::Constant(text) => Some(text),
            Word::Pod(at) => self.pod_text(*at),
            Word::NodeName => Some(&self.node.info.name),
            Word::Label(label) => self.label(label),
            Word::Choice(condition, yes, no) => {
                return self.word(if self.condition(condition)? { yes } else { no });
            }
        })
    }

    fn pod_text(&self, at: usize) -> Option<&str> {
        match &self.bound.values[at] {
            PodValue::Text(text) => text.as_deref(),
            PodValue::Number(_) => unreachable!("checked to be a text"),
        }
    }

    fn label<'w>(&'w self, label: &'w Label) -> Option<&'w str> {
        let found = match &label.owner {
            Owner::Node(key) => {
                let labels = self.node.info.spec.as_ref().map(|spec| spec.labels);
                labels.and_then(|labels| self.sets.get(labels).value(key))
            }
            Owner::Pod(at, ..) => self.pod_text(*at),
        };
        found.or(label.default.as_deref())
    }

    fn number_of(&self, label: &Label) -> Found<f64> {
        let (owner, what, key) = match &label.owner {
            Owner::Node(key) => ("node", "label", key),
            Owner::Pod(_, what, key) => ("pod", *what, key),
        };
        let Some(text) = self.label(label) else {
            return Err(Fault::Absent(owner, what, key.clone(), label.column));
        };
        match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(Fault::NoNumber(owner, what, key.clone(), text.into(), label.column)),
        }
    }
}

fn arithmetic(operator: Arithmetic, column: usize, left: f64, right: f64) -> Found<f64> {
    use Arithmetic::{Add, Divide, FloorDivide, Multiply, Remainder, Subtract};
    if matches!(operator, Divide | FloorDivide | Remainder) && right == 0.0 {
        return Err(Fault::Zero(column));
    }
    Ok(match operator {
        Add => left + right,
        Subtract => left - right,
        Multiply => left * right,
        Divide => left / right,
        FloorDivide => (left / right).floor(),
        Remainder => left - right * (left / right).floor(),
    })
}

/// What was found; nothing where a label is not there.
fn present<T>(found: Found<T>) -> Found<Option<T>> {
    match found {
        Ok(value) => Ok(Some(value)),
        Err(Fault::Absent(..)) => Ok(None),
        Err(fault) => Err(fault),
    }
}

fn compares(operator: Comparison, order: Option<std::cmp::Ordering>) -> bool {
    let Some(order) = order else { return operator.holds_for_absent() };
    match operator {
        Comparison::Equal => order.is_eq(),
        Comparison::Unequal => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::AtMost => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::AtLeast => order.is_ge(),
        Comparison::In | Comparison::NotIn => unreachable!("lists have their own"),
    }
}
