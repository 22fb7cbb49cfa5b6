//! NodeName: a pod that names its node goes there or nowhere.
//!
//! A pod with `spec.nodeName` counts as bound, so the queue never holds one, and the filter has
//! nothing to do in a running cluster. The rule stands here because it has a place in the order
//! of plugins and a reason of its own.

use crate::sched::events::{Actions, Event, Interest, Resource};

/// The reason in words.
pub const REASON: &str = "node(s) didn't match the requested node name";

/// Events after which a pod it rejected may fit.
pub const INTERESTS: &[Interest] = &[Interest { resource: Resource::Node, actions: Actions::ADD }];

/// Whether an event could let a pod in that it rejected: any new node might have the name.
pub fn hint(_: &Event) -> bool {
    true
}
