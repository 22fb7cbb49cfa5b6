//! An expression as it is written, before anybody knows what its parts are.

use crate::base::Text;

/// A part of an expression and where it begins, counted from one in characters.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Ast {
    pub column: usize,
    pub kind: Kind,
}

/// What a part is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    Number(f64),
    Text(Text),
    Bool(bool),
    Name(Text),
    Attribute(Box<Ast>, Text),
    Index(Box<Ast>, Box<Ast>),
    Call(Box<Ast>, Vec<Ast>),
    List(Vec<Ast>),
    Negative(Box<Ast>),
    Not(Box<Ast>),
    Both(Box<Ast>, Box<Ast>),
    Either(Box<Ast>, Box<Ast>),
    Arithmetic(Arithmetic, Box<Ast>, Box<Ast>),
    /// The first operand, then each comparison with the next one.
    Comparison(Box<Ast>, Vec<(Comparison, Ast)>),
    /// Condition, then what it chooses between.
    Choice(Box<Ast>, Box<Ast>, Box<Ast>),
}

/// An operator on two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Remainder,
}

/// An operator that compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
    NotIn,
}

impl Comparison {
    /// Whether it holds between operands of which one is not there.
    pub fn holds_for_absent(self) -> bool {
        matches!(self, Self::Unequal | Self::NotIn)
    }
}
