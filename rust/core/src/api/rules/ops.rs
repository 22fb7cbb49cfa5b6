//! The vocabulary of rules: checks, conditions and steps as compiled.
//!
//! Every list keeps the order of its declaration, because errors come out in that order and
//! Kubernetes' clients see it.

use super::builtin::{CheckFn, StepFn};
use super::formats::Format;
use super::reference::Ref;
use super::shapes::ShapeId;
use crate::api::FieldErrorKind;
use crate::base::{Text, Value};

/// Checks in order.
pub(super) type Checks = Box<[Check]>;

/// One thing to check about the value that stands here.
pub(super) enum Check {
    /// Go to a field; an absent one is `null` there.
    Field { name: Text, shown: Shown, on_null: bool, checks: Checks },
    /// Check every item of a list; hidden indexes do not show in the path.
    Each { hidden: bool, checks: Checks },
    /// Check every value of a map.
    Entries { checks: Checks },
    /// Name the value that stands here, for references from below.
    Anchor { slot: u8, checks: Checks },
    /// Look at another value; the path stays.
    From { value: Ref, checks: Checks },
    /// Stay at this value, but let errors point to a field.
    Under { shown: Shown, checks: Checks },
    /// Stay at this value, but let errors point that many steps up.
    Up { steps: usize, checks: Checks },
    /// Choose by a condition.
    When { condition: Condition, then: Checks, otherwise: Checks },
    /// Required; the rest only when present.
    Need { detail: Text, checks: Checks },
    /// The rest only when neither absent nor zero.
    Filled { checks: Checks },
    /// An error.
    Fail(Box<Failure>),
    /// The value must be one of these.
    OneOf { values: Box<[Text]>, shown: Box<[Text]>, style: Style, shape: Option<ShapeId> },
    /// The text or number must have this form; the rest only when it has.
    Valid { format: Format, style: Style, then: Checks },
    /// The map key must have this form.
    ValidKey { format: Format },
    /// At most one of these fields, each with checks of its own.
    Union(Box<Union>),
    /// A new, empty set for the checks inside.
    Fresh { set: u8, checks: Checks },
    /// Put the keys of a list's items into a set.
    Collect { set: u8, list: Ref, key: Option<Text> },
    /// Put a value into a set.
    Insert { set: u8, values: Box<[Ref]> },
    /// The value must not be in the set yet; it is put there unless it is.
    Unique { set: u8, values: Box<[Ref]>, seen: Checks },
    /// The rest only when the first checks found nothing.
    Clean { checks: Checks, then: Checks },
    /// Checks declared elsewhere under a name.
    Use(u32),
    /// A check written in Rust.
    Call(CheckFn, Value),
}

/// How a field shows in a path.
pub(super) enum Shown {
    /// Under this name.
    Name(Text),
    /// Not at all: errors below point to the parent.
    Hidden,
    /// As this whole path, whatever stands above.
    Whole(Text),
}

/// An error to report.
pub(super) struct Failure {
    pub kind: FieldErrorKind,
    pub value: Shot,
    pub detail: Template,
    pub supported: Box<[Text]>,
    pub limit: usize,
}

/// Which value an error shows.
pub(super) enum Shot {
    /// None.
    Omitted,
    /// This text.
    Literal(Value),
    /// The current map key.
    Key,
    /// The value a reference finds.
    Value(Ref, Style, Option<ShapeId>),
    /// The number of items a reference finds.
    Count(Ref),
    /// Texts joined, quoted as one.
    Joined(Template),
}

/// How Go would print a value; matters for absent ones and for named string types.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// A string: absent is `""`.
    Text,
    /// A named string type: as JSON, absent is `""`.
    Name,
    /// A number: absent is `0`.
    Number,
    /// A boolean: absent is `false`.
    Flag,
    /// A pointer, list, map or struct: as JSON, absent is `null`.
    Json,
    /// A quantity: its canonical text, absent is `"0"`.
    Quantity,
}

/// A text with references in it.
pub(super) struct Template(pub Box<[Piece]>);

/// A part of a template.
pub(super) enum Piece {
    /// As it stands.
    Text(Text),
    /// The value a reference finds, bare.
    Value(Ref),
}

/// A choice of fields of which one may be set.
pub(super) struct Union {
    pub members: Box<[Member]>,
    /// The detail of the error for every field after the first.
    pub many: Text,
    /// Checks when no field is set.
    pub none: Checks,
}

/// A field of a union.
pub(super) struct Member {
    pub name: Text,
    /// The field's name in the error of a second member.
    pub refused_as: Text,
    pub shown: Text,
    pub checks: Checks,
}

/// Something that holds or not.
pub(super) enum Condition {
    /// Present and not `null`.
    Present(Ref),
    /// Present and not zero in Go's sense: `""`, `0`, `false`, `[]`, `{}`.
    Filled(Ref),
    /// Equal to one of these; absent equals the zero of the literal's type.
    Is(Ref, Box<[Value]>),
    /// Both found values are equal, as Go's semantic equality has it.
    Same(Ref, Ref, Option<ShapeId>),
    /// Two numbers compare so.
    Compare(Number, Comparison, Number),
    /// A text begins so.
    Starts(Ref, Text),
    /// A text ends so.
    Ends(Ref, Text),
    /// A text contains this.
    Contains(Ref, Text),
    /// The text or number has this form.
    Has(Ref, Format),
    /// A list or map has this item or key.
    Holds(Ref, Ref),
    /// The set has this value.
    Seen(u8, Box<[Ref]>),
    /// The set is empty.
    Unseen(u8),
    /// All hold.
    All(Box<[Condition]>),
    /// One holds.
    Any(Box<[Condition]>),
    /// It does not hold.
    Not(Box<Condition>),
}

/// A number of a comparison.
pub(super) enum Number {
    /// This one.
    Literal(i64),
    /// The one found; absent is zero.
    Value(Ref),
    /// The number of items, keys or bytes found.
    Count(Ref),
}

/// How two numbers compare.
#[derive(Clone, Copy)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
}

/// A part of an object whose change counts.
pub(super) struct Part {
    pub path: Box<[Text]>,
    /// The Go type that decides what is equal.
    pub shape: Option<ShapeId>,
}

/// Steps in order.
pub(super) type Steps = Box<[Step]>;

/// One thing to do to the value that stands here.
pub(super) enum Step {
    /// Set a field that is absent; with `zero`, one that is zero too.
    Default { name: Text, value: Value, zero: bool },
    /// Set a field in any case.
    Set { name: Text, value: Value },
    /// Go to a field, if it is a map or list.
    Field { name: Text, steps: Steps },
    /// Go to a field, made an empty map when absent.
    Make { name: Text, steps: Steps },
    /// Every item of a list.
    Each(Steps),
    /// Choose by a condition; its references start here.
    When { condition: Condition, then: Steps, otherwise: Steps },
    /// Set a field that is absent or zero from another, if that is present.
    Copy { name: Text, from: Ref },
    /// Put the entries of one map into another, where absent there.
    Fill { name: Text, from: Text },
    /// Remove a field.
    Remove(Text),
    /// Print the quantities of a map in canonical form, not finer than a thousandth.
    Quantities(Text),
    /// Print one quantity in canonical form.
    Quantity(Text),
    /// Make the value at a path from the root what it was in the old object.
    Keep(Box<[Text]>),
    /// Set the generation to the old one, plus one if one of these parts differs.
    Generation(Box<[Part]>),
    /// Steps declared elsewhere under a name.
    Use(u32),
    /// A step written in Rust.
    Call(StepFn),
}
