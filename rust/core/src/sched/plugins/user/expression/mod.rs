//! A small language for policies: one line that filters or scores a node.
//!
//! ```text
//!   text ─[lex]─► tokens ─[parse]─► Ast, untyped ─[check]─► Number │ Condition ─[eval]─► per node
//! ```
//!
//! It reads as Python does: arithmetic, comparisons that may be chained, `and`/`or`/`not`,
//! `a if c else b`, `in`, and the functions `min`, `max`, `abs`, `floor`, `ceil`. Numbers may be
//! Kubernetes quantities (`500m`, `4Gi`). What it may name:
//!
//! | name | is |
//! |---|---|
//! | `node.allocatable.R`, `node.requested.R`, `node.free.R` | amounts; `R` may be in brackets |
//! | `node.pods`, `node.name`, `node.unschedulable` | |
//! | `node.labels['k']`, `node.labels.get('k', x)`, `'k' in node.labels` | |
//! | `pod.request.R`, `pod.priority`, `pod.name`, `pod.namespace` | |
//! | `pod.labels[...]`, `pod.annotations[...]` | as those of nodes |
//!
//! `cpu` counts cores and `cpu_milli` thousandths of one; memory and ephemeral storage count
//! bytes, everything else units. A label is text next to text and a number next to a number. A
//! comparison with a label that is not there is false, `!=` and `not in` are true.
//!
//! What this is not: it has no loops, no variables and no other node than the one it is asked
//! about, so what it says of a node holds until the node or the pod changes.

mod ast;
mod check;
mod eval;
mod lex;
mod parse;

use crate::base::Text;

pub use self::eval::{Bound, Environment, Fault};

/// What is wrong with the text of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    /// Where, counted from one in characters.
    pub column: usize,
    /// What.
    pub message: String,
}

impl std::fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "column {}: {}", self.column, self.message)
    }
}

/// A result whose error says where in the text.
type Checked<T> = Result<T, SyntaxError>;

fn wrong<T>(column: usize, message: impl Into<String>) -> Checked<T> {
    Err(SyntaxError { column, message: message.into() })
}

/// What is taken from the pod once per cycle.
#[derive(Clone, Debug, PartialEq)]
enum PodField {
    Request(Text),
    Priority,
    Name,
    Namespace,
    Label(Text),
    Annotation(Text),
}

/// A compiled expression: a number or a truth value per node.
#[derive(Clone, Debug, PartialEq)]
pub struct Program {
    /// The text it was made from.
    pub source: Text,
    root: Root,
    /// What it asks of the pod.
    pod: Vec<PodField>,
    /// The resources beyond cpu, memory and pods it names.
    rare: Vec<Text>,
    /// Whether it names the node.
    names_node: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Root {
    Number(check::Number),
    Condition(check::Condition),
}

impl Program {
    /// Compiles an expression for a number.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn number(source: &str) -> Checked<Self> {
        let ast = parse::parse(source)?;
        check::Checker::default().finish(source, |checker| Ok(Root::Number(checker.number(&ast)?)))
    }

    /// Compiles an expression for a truth value.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn condition(source: &str) -> Checked<Self> {
        let ast = parse::parse(source)?;
        let root = |checker: &mut check::Checker| Ok(Root::Condition(checker.condition(&ast)?));
        check::Checker::default().finish(source, root)
    }

    /// Compiles an expression for a truth value of the pod alone.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn pod_condition(source: &str) -> Checked<Self> {
        let program = Self::condition(source)?;
        if program.names_node {
            let column = source.find("node").map_or(1, |at| source[..at].chars().count() + 1);
            return wrong(column, "no node has been looked at yet: only the pod may be named");
        }
        Ok(program)
    }
}

#[cfg(test)]
mod tests;
