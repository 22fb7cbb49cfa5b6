//! Results as columns: what scripts and notebooks take away from a run.

pub mod columns;

pub use columns::{Categories, Column, ColumnSet};
