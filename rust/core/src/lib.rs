//! A Kubernetes cluster as a library: the part that needs no Python.
//!
//! Read in this order: [`base`] (values, time, ids, copy-on-write pages), [`labels`]
//! (selectors and their index), [`store`] (objects and every write), then what lives on
//! top of it: [`sched`], [`node`], [`net`]; last [`engine`], which owns the clock and lets
//! each of them act in its phase. [`manifest`] stands aside and needs [`base`] only: YAML and
//! JSON text to values and back.
//!
//! What this crate is not: it knows no Python, reads no clock, draws no entropy from the
//! operating system and never iterates a hash table. Same inputs and seed, same bytes.

#![forbid(unsafe_code)]

pub mod api;
pub mod base;
pub mod engine;
pub mod labels;
pub mod manifest;
pub mod net;
pub mod node;
pub mod record;
pub mod sched;
pub mod store;
