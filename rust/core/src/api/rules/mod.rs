//! Defaulting and validation: what the API server does to an object before it stores it.
//!
//! The rules are declared in Python (`python/wavetank/resources/`), one list of small steps and
//! checks per kind, and arrive here as plain data. [`Rules::compile`] turns them once into a
//! tree of enums; a document is then walked once per question, with no parsing, no name lookup
//! and, for a document without errors, no allocation.
//!
//! Read in this order: [`ops`] (the vocabulary), [`reference`] (how a rule names a value),
//! `compile` (data to tree), `steps` (defaulting), `check` (validation). What no primitive can
//! say stands in `builtin/`, one Rust function per name.
//!
//! What this is not: it decodes nothing (wrong types are refused earlier and read as absent
//! here), it knows no other object of the cluster (that is admission), and it gives no planner's
//! advice: only what Kubernetes itself refuses is an error.

mod builtin;
mod check;
mod compile;
mod condition;
mod diff;
mod formats;
mod kinds;
mod ops;
mod reference;
mod seen;
mod shapes;
mod steps;

pub use kinds::{RuleKind, Rules};
