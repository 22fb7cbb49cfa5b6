//! Labels: the selector language, interned label sets, and indexes in both directions.
//!
//! Read in this order: [`requirement`] and [`selector`] (what a selector is and when it
//! matches), [`parse`] (its text), [`set`] (label sets as numbers), [`resolve`] and [`index`]
//! (which sets, and then which objects, have the labels a selector asks for), [`reverse`]
//! (which selectors ask for the labels an object has). [`fields`] is the sibling language of
//! field selectors. Below them lie [`posting`], a set of numbers that is small when it holds
//! little, and `slab`, numbered things that come and go.
//!
//! Nothing here knows what an object is: an object is a slot number in some column, and a
//! namespace is an interned string.

pub mod fields;
pub mod index;
pub mod parse;
pub mod posting;
pub mod requirement;
pub mod resolve;
pub mod reverse;
pub mod selector;
pub mod set;
mod slab;

pub use fields::FieldSelector;
pub use index::LabelIndex;
pub use posting::Posting;
pub use requirement::{Operator, Requirement};
pub use resolve::Resolved;
pub use reverse::SelectorIndex;
pub use selector::{Labels, Selector, SelectorError};
pub use set::{LabelSet, LabelSetId, LabelSets};
