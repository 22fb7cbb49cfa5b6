//! From parts to a program in which every part is a number, a text or a truth value.
//!
//! Labels and annotations are either: next to a number they are one, everywhere else text.

use super::ast::{Arithmetic, Ast, Comparison, Kind};
use super::parse::path;
use super::{Checked, PodField, Program, Root, wrong};
use crate::base::Text;

/// A number per node.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Number {
    Constant(f64),
    /// A value taken from the pod, by its place.
    Pod(usize),
    Amount(Amount, Resource),
    /// A text that says a number.
    Of(Box<Label>),
    Truth(Box<Condition>),
    Negative(Box<Number>),
    Arithmetic(Arithmetic, usize, Box<Number>, Box<Number>),
    Call(Function, Vec<Number>),
    Choice(Box<Condition>, Box<Number>, Box<Number>),
}

/// A truth value per node.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Condition {
    Constant(bool),
    Unschedulable,
    Has(Box<Label>),
    Not(Box<Condition>),
    Both(Box<Condition>, Box<Condition>),
    Either(Box<Condition>, Box<Condition>),
    Numbers(Comparison, Box<Number>, Box<Number>),
    Texts(Comparison, Box<Word>, Box<Word>),
    NumberIn(bool, Box<Number>, Vec<Number>),
    TextIn(bool, Box<Word>, Vec<Word>),
    Choice(Box<Condition>, Box<Condition>, Box<Condition>),
}

/// A text per node.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    Constant(Text),
    Pod(usize),
    NodeName,
    Label(Label),
    Choice(Box<Condition>, Box<Word>, Box<Word>),
}

/// A label of the node, or a label or annotation of the pod.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Label {
    pub column: usize,
    pub owner: Owner,
    /// What stands for it where it is not there.
    pub default: Option<Text>,
}

/// Whose label it is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Owner {
    Node(Text),
    /// A value taken from the pod, by its place, and what to call it.
    Pod(usize, &'static str, Text),
}

/// Which of a node's amounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Amount {
    Allocatable,
    Requested,
    Free,
}

/// An amount of what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    Cpu,
    CpuMilli,
    Memory,
    Pods,
    EphemeralStorage,
    /// Any other, by its place among those the program names.
    Rare(usize),
}

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Function {
    Min,
    Max,
    Abs,
    Floor,
    Ceil,
}

/// What a part can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Type {
    Number,
    Text,
    Truth,
    Label,
}

const NODE_NAMES: &str = "allocatable, requested, free, pods, labels, name or unschedulable";
const POD_NAMES: &str = "request, priority, labels, annotations, name or namespace";

/// Checks the parts of one expression.
#[derive(Debug, Default)]
pub(super) struct Checker {
    pod: Vec<PodField>,
    rare: Vec<Text>,
    names_node: bool,
}

impl Checker {
    /// The program of a text.
    pub fn finish(
        mut self,
        source: &str,
        root: impl FnOnce(&mut Self) -> Checked<Root>,
    ) -> Checked<Program> {
        let root = root(&mut self)?;
        let Self { pod, rare, names_node } = self;
        Ok(Program { source: source.into(), root, pod, rare, names_node })
    }

    /// A part as a number.
    pub fn number(&mut self, ast: &Ast) -> Checked<Number> {
        let column = ast.column;
        if let Some(label) = self.label(ast)? {
            return Ok(Number::Of(Box::new(label)));
        }
        match &ast.kind {
            Kind::Number(value) => Ok(Number::Constant(*value)),
            Kind::Negative(inner) => Ok(Number::Negative(Box::new(self.number(inner)?))),
            Kind::Arithmetic(operator, left, right) => {
                let (left, right) = (self.number(left)?, self.number(right)?);
                Ok(Number::Arithmetic(*operator, column, Box::new(left), Box::new(right)))
            }
            Kind::Choice(condition, yes, no) => Ok(Number::Choice(
                Box::new(self.condition(condition)?),
                Box::new(self.number(yes)?),
                Box::new(self.number(no)?),
            )),
            Kind::Call(function, arguments) => self.call(function, arguments),
            Kind::Attribute(..) | Kind::Index(..) | Kind::Name(_) => self.named_number(ast),
            _ => match self.kind(ast)? {
                Type::Truth => Ok(Number::Truth(Box::new(self.condition(ast)?))),
                _ => wrong(column, "a number is needed here"),
            },
        }
    }

    /// A part as a truth value.
    pub fn condition(&mut self, ast: &Ast) -> Checked<Condition> {
        let pair = |(left, right)| (Box::new(left), Box::new(right));
        match &ast.kind {
            Kind::Bool(value) => Ok(Condition::Constant(*value)),
            Kind::Not(inner) => Ok(Condition::Not(Box::new(self.condition(inner)?))),
            Kind::Both(left, right) => {
                let (left, right) = pair((self.condition(left)?, self.condition(right)?));
                Ok(Condition::Both(left, right))
            }
            Kind::Either(left, right) => {
                let (left, right) = pair((self.condition(left)?, self.condition(right)?));
                Ok(Condition::Either(left, right))
            }
            Kind::Choice(condition, yes, no) => {
                let (yes, no) = pair((self.condition(yes)?, self.condition(no)?));
                Ok(Condition::Choice(Box::new(self.condition(condition)?), yes, no))
            }
            Kind::Comparison(first, rest) => self.comparisons(first, rest),
            Kind::Attribute(..) if is_path(ast, &["node", "unschedulable"]) => {
                self.names_node = true;
                Ok(Condition::Unschedulable)
            }
            _ => {
                self.kind(ast)?;
                wrong(ast.column, "a condition is needed here: compare it with something")
            }
        }
    }

    /// A chain of comparisons: each holds between its two neighbours.
    fn comparisons(&mut self, first: &Ast, rest: &[(Comparison, Ast)]) -> Checked<Condition> {
        let mut left = first;
        let mut all: Option<Condition> = None;
        for (operator, right) in rest {
            let one = self.comparison(left, *operator, right)?;
            all = Some(match all {
                None => one,
                Some(before) => Condition::Both(Box::new(before), Box::new(one)),
            });
            left = right;
        }
        Ok(all.expect("a chain has a comparison"))
    }

    fn comparison(&mut self, left: &Ast, operator: Comparison, right: &Ast) -> Checked<Condition> {
        if matches!(operator, Comparison::In | Comparison::NotIn) {
            return self.membership(left, operator == Comparison::In, right);
        }
        match (self.kind(left)?, self.kind(right)?) {
            (Type::Truth, _) | (_, Type::Truth) => {
                wrong(left.column, "truth values are not compared: use and, or, not")
            }
            (Type::Number, Type::Text) | (Type::Text, Type::Number) => {
                wrong(left.column, "a number and a text are never equal")
            }
            (Type::Number, _) | (_, Type::Number) => {
                let (left, right) = (self.number(left)?, self.number(right)?);
                Ok(Condition::Numbers(operator, Box::new(left), Box::new(right)))
            }
            _ => {
                let (left, right) = (self.word(left)?, self.word(right)?);
                Ok(Condition::Texts(operator, Box::new(left), Box::new(right)))
            }
        }
    }

    /// `x in [...]`, or `'key' in node.labels`.
    fn membership(&mut self, left: &Ast, holds: bool, right: &Ast) -> Checked<Condition> {
        if let Some(owner) = map_of(right) {
            let Kind::Text(key) = &left.kind else {
                return wrong(left.column, "a key in quotes is needed before \"in\"");
            };
            let label = self.label_of(&owner, key, left.column, None);
            let has = Condition::Has(Box::new(label));
            return Ok(if holds { has } else { Condition::Not(Box::new(has)) });
        }
        let Kind::List(items) = &right.kind else {
            return wrong(right.column, "a list or labels are needed after \"in\"");
        };
        let kinds = items.iter().map(|item| self.kind(item)).collect::<Checked<Vec<Type>>>()?;
        let numbers = kinds.contains(&Type::Number) || self.kind(left)? == Type::Number;
        if numbers {
            let items = items.iter().map(|item| self.number(item)).collect::<Checked<_>>()?;
            return Ok(Condition::NumberIn(holds, Box::new(self.number(left)?), items));
        }
        let items = items.iter().map(|item| self.word(item)).collect::<Checked<_>>()?;
        Ok(Condition::TextIn(holds, Box::new(self.word(left)?), items))
    }

    fn word(&mut self, ast: &Ast) -> Checked<Word> {
        if let Some(label) = self.label(ast)? {
            return Ok(Word::Label(label));
        }
        match &ast.kind {
            Kind::Text(text) => Ok(Word::Constant(text.clone())),
            Kind::Choice(condition, yes, no) => Ok(Word::Choice(
                Box::new(self.condition(condition)?),
                Box::new(self.word(yes)?),
                Box::new(self.word(no)?),
            )),
            _ if is_path(ast, &["node", "name"]) => {
                self.names_node = true;
                Ok(Word::NodeName)
            }
            _ if is_path(ast, &["pod", "name"]) => Ok(Word::Pod(self.of_pod(PodField::Name))),
            _ if is_path(ast, &["pod", "namespace"]) => {
                Ok(Word::Pod(self.of_pod(PodField::Namespace)))
            }
            _ => wrong(ast.column, "a text is needed here"),
        }
    }

    /// What a part is, without making anything of it.
    fn kind(&mut self, ast: &Ast) -> Checked<Type> {
        if self.label(ast)?.is_some() {
            return Ok(Type::Label);
        }
        Ok(match &ast.kind {
            Kind::Number(_) | Kind::Negative(_) | Kind::Arithmetic(..) | Kind::Call(..) => {
                Type::Number
            }
            Kind::Text(_) => Type::Text,
            Kind::Bool(_)
            | Kind::Not(_)
            | Kind::Both(..)
            | Kind::Either(..)
            | Kind::Comparison(..) => Type::Truth,
            Kind::Choice(_, yes, no) => match (self.kind(yes)?, self.kind(no)?) {
                (Type::Label, other) | (other, Type::Label) => other,
                (yes, no) if yes == no => yes,
                _ => return wrong(yes.column, "both sides of \"if\" must be of one kind"),
            },
            Kind::List(_) => return wrong(ast.column, "a list has its place after \"in\" only"),
            _ if is_path(ast, &["node", "unschedulable"]) => Type::Truth,
            _ if is_path(ast, &["node", "name"])
                || is_path(ast, &["pod", "name"])
                || is_path(ast, &["pod", "namespace"]) =>
            {
                Type::Text
            }
            _ => self.named_number(ast).map(|_| Type::Number)?,
        })
    }

    fn call(&mut self, function: &Ast, arguments: &[Ast]) -> Checked<Number> {
        let Kind::Name(name) = &function.kind else {
            return wrong(function.column, "only functions can be called");
        };
        let (function, least, most) = match name.as_str() {
            "min" => (Function::Min, 2, usize::MAX),
            "max" => (Function::Max, 2, usize::MAX),
            "abs" => (Function::Abs, 1, 1),
            "floor" => (Function::Floor, 1, 1),
            "ceil" => (Function::Ceil, 1, 1),
            _ => {
                let known = "there are min, max, abs, floor and ceil";
                return wrong(function.column, format!("no function \"{name}\": {known}"));
            }
        };
        if !(least..=most).contains(&arguments.len()) {
            let wanted = if most == 1 { "one number" } else { "two numbers or more" };
            return wrong(
                arguments.first().map_or(1, |a| a.column),
                format!("{name} takes {wanted}"),
            );
        }
        let arguments = arguments.iter().map(|argument| self.number(argument));
        Ok(Number::Call(function, arguments.collect::<Checked<_>>()?))
    }

    /// A number that has a name.
    fn named_number(&mut self, ast: &Ast) -> Checked<Number> {
        let column = ast.column;
        if let Kind::Index(owner, key) = &ast.kind
            && let Some(owner) = path(owner)
            && let Kind::Text(resource) = &key.kind
        {
            let names: Vec<&str> = owner.iter().map(Text::as_str).collect();
            return self.amount(&names, resource, column);
        }
        let Some(names) = path(ast) else {
            return wrong(column, "this has no meaning: labels and resources have a key in quotes");
        };
        let names: Vec<&str> = names.iter().map(Text::as_str).collect();
        match names[..] {
            ["pod", "priority"] => Ok(Number::Pod(self.of_pod(PodField::Priority))),
            ["node", "pods"] => {
                self.names_node = true;
                Ok(Number::Amount(Amount::Requested, Resource::Pods))
            }
            [.., "labels" | "annotations"] => wrong(column, "a key is missing: labels['key']"),
            ["node", "allocatable" | "requested" | "free"] | ["pod", "request"] => {
                wrong(column, format!("of what? For example {}.cpu", names.join(".")))
            }
            ["node", "name" | "unschedulable"] | ["pod", "name" | "namespace"] => {
                wrong(column, "a number is needed here")
            }
            [owner, kind, resource] => self.amount(&[owner, kind], resource, column),
            ["node", other] => {
                wrong(column, format!("no \"node.{other}\": a node has {NODE_NAMES}"))
            }
            ["pod", other] => wrong(column, format!("no \"pod.{other}\": a pod has {POD_NAMES}")),
            [other, ..] if !matches!(other, "node" | "pod") => wrong(column, unknown_name(other)),
            _ => wrong(column, format!("\"{}\" has no meaning", names.join("."))),
        }
    }

    fn amount(&mut self, owner: &[&str], resource: &str, column: usize) -> Checked<Number> {
        let amount = match owner {
            ["pod", "request"] => {
                return Ok(Number::Pod(self.of_pod(PodField::Request(resource.into()))));
            }
            ["node", "allocatable"] => Amount::Allocatable,
            ["node", "requested"] => Amount::Requested,
            ["node", "free"] => Amount::Free,
            [.., "labels" | "annotations"] => {
                return wrong(column, "labels have a key in quotes: labels['key']");
            }
            ["node", other] => {
                return wrong(column, format!("no \"node.{other}\": a node has {NODE_NAMES}"));
            }
            ["pod", other] => {
                return wrong(column, format!("no \"pod.{other}\": a pod has {POD_NAMES}"));
            }
            [other, ..] if !matches!(*other, "node" | "pod") => {
                return wrong(column, unknown_name(other));
            }
            _ => return wrong(column, format!("\"{}\" has no meaning", owner.join("."))),
        };
        self.names_node = true;
        let resource = match resource {
            "cpu" => Resource::Cpu,
            "cpu_milli" => Resource::CpuMilli,
            "memory" => Resource::Memory,
            "pods" => Resource::Pods,
            "ephemeral-storage" | "ephemeral_storage" => Resource::EphemeralStorage,
            other => Resource::Rare(place_of(&mut self.rare, other.into())),
        };
        Ok(Number::Amount(amount, resource))
    }

    /// The label a part is: `node.labels['key']` or `node.labels.get('key', 'default')`.
    fn label(&mut self, ast: &Ast) -> Checked<Option<Label>> {
        match &ast.kind {
            Kind::Index(map, key) => {
                let Some(owner) = map_of(map) else { return Ok(None) };
                let Kind::Text(key) = &key.kind else {
                    return wrong(key.column, "a key in quotes is needed here");
                };
                Ok(Some(self.label_of(&owner, key, ast.column, None)))
            }
            Kind::Call(function, arguments) => {
                let Kind::Attribute(map, method) = &function.kind else { return Ok(None) };
                let Some(owner) = map_of(map) else { return Ok(None) };
                if method != "get" {
                    return wrong(ast.column, format!("labels have get(), and no {method}()"));
                }
                let [Ast { kind: Kind::Text(key), .. }, default] = &arguments[..] else {
                    return wrong(ast.column, "get takes a key in quotes and a default");
                };
                let default = match &default.kind {
                    Kind::Text(text) => text.clone(),
                    Kind::Number(number) => number.to_string().into(),
                    _ => return wrong(default.column, "the default is a text or a number"),
                };
                Ok(Some(self.label_of(&owner, key, ast.column, Some(default))))
            }
            _ => Ok(None),
        }
    }

    fn label_of(
        &mut self,
        owner: &[&str; 2],
        key: &Text,
        column: usize,
        default: Option<Text>,
    ) -> Label {
        let owner = match owner {
            ["node", _] => {
                self.names_node = true;
                Owner::Node(key.clone())
            }
            [_, "labels"] => {
                let at = self.of_pod(PodField::Label(key.clone()));
                Owner::Pod(at, "label", key.clone())
            }
            _ => {
                let at = self.of_pod(PodField::Annotation(key.clone()));
                Owner::Pod(at, "annotation", key.clone())
            }
        };
        Label { column, owner, default }
    }

    fn of_pod(&mut self, field: PodField) -> usize {
        place_of(&mut self.pod, field)
    }
}

fn unknown_name(name: &str) -> String {
    format!("unknown name \"{name}\": there are node and pod")
}

/// Whose labels or annotations a part is.
fn map_of(ast: &Ast) -> Option<[&'static str; 2]> {
    let known = [["node", "labels"], ["pod", "labels"], ["pod", "annotations"]];
    known.into_iter().find(|known| is_path(ast, known))
}

fn is_path(ast: &Ast, wanted: &[&str]) -> bool {
    path(ast).is_some_and(|names| names.iter().map(Text::as_str).eq(wanted.iter().copied()))
}

/// Where an item is in a list, to which it is added if need be.
fn place_of<T: PartialEq>(list: &mut Vec<T>, item: T) -> usize {
    list.iter().position(|have| *have == item).unwrap_or_else(|| {
        list.push(item);
        list.len() - 1
    })
}
