//! Labels: the selector language, interned label sets, and indexes in both directions.
//!
//! Read in this order: [`requirement`] and [`selector`] (what a selector is and when it
//! matches), [`parse`] (its text), [`set`] (label sets as numbers), [`index`] (which objects
//! have the labels a selector asks for), [`reverse`] (which selectors ask for the labels an
//! object has). [`fields`] is the sibling language of field selectors.
//!
//! Nothing here knows what an object is: an object is a slot number in some column, and a
//! namespace is an interned string.

pub mod fields;
pub mod parse;
pub mod requirement;
pub mod selector;

pub use fields::FieldSelector;
pub use requirement::{Operator, Requirement};
pub use selector::{Labels, Selector, SelectorError};
