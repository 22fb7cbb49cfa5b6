//! Rules that no primitive can say, one Rust function per name.
//!
//! A check gets the walk, the value that stands here, its path and the arguments of its
//! declaration, and reports what it finds. A step computes one field of the value that stands
//! here; what it computes is set, and `null` removes the field.

mod annotations;
mod claim_status;
pub(super) mod cron;
mod definition;
mod definition_parts;
mod definition_schema;
mod environment;
mod generated;
mod go_json;
mod image;
mod job;
mod job_status;
mod metadata;
mod metrics;
mod network;
mod node;
mod placement;
mod pod;
mod pod_resources;
mod pod_update;
mod prepare;
mod quota;
mod resources;
mod secret;
mod security;
mod selectors;
mod service;
mod storage;
pub(super) mod time_zone;
mod workloads;

use super::check::Walk;
use crate::api::Path;
use crate::base::Value;

/// A check written in Rust.
pub(super) type CheckFn =
    for<'w, 'p, 'd, 'x> fn(&'w mut Walk<'p, 'd>, &'d Value, &'x Path<'x>, &'p Value);

/// A step written in Rust: a field and what it becomes, `None` when it stays.
#[derive(Clone, Copy)]
pub(super) struct StepFn {
    field: &'static str,
    compute: fn(&Value, &Value) -> Option<Value>,
}

impl StepFn {
    /// Whether it would change `value`.
    pub fn pending(&self, value: &Value, old: &Value) -> bool {
        (self.compute)(value, old).is_some()
    }

    /// Changes `value`.
    pub fn run(&self, value: &mut Value, old: &Value) {
        match (self.compute)(value, old) {
            Some(Value::Null) => {
                value.map_mut().remove(self.field);
            }
            Some(wanted) => {
                value.map_mut().insert(self.field, wanted);
            }
            None => {}
        }
    }
}

/// The check of this name.
pub(super) fn check(name: &str) -> Option<CheckFn> {
    let tables: [&[(&str, CheckFn)]; 25] = [
        annotations::CHECKS,
        claim_status::CHECKS,
        cron::CHECKS,
        definition::CHECKS,
        definition_schema::CHECKS,
        environment::CHECKS,
        job::CHECKS,
        job_status::CHECKS,
        metadata::CHECKS,
        metrics::CHECKS,
        network::CHECKS,
        node::CHECKS,
        placement::CHECKS,
        pod::CHECKS,
        pod_resources::CHECKS,
        pod_update::CHECKS,
        quota::CHECKS,
        resources::CHECKS,
        secret::CHECKS,
        security::CHECKS,
        selectors::CHECKS,
        service::CHECKS,
        storage::CHECKS,
        time_zone::CHECKS,
        workloads::CHECKS,
    ];
    tables
        .into_iter()
        .flatten()
        .copied()
        .find(|(known, _)| *known == name)
        .map(|(_, function)| function)
}

/// The step of this name.
pub(super) fn step(name: &str) -> Option<StepFn> {
    let tables =
        [definition::STEPS, generated::STEPS, image::STEPS, prepare::STEPS, service::STEPS];
    let mut all = tables.into_iter().flatten();
    let (_, field, compute) = all.find(|(known, _, _)| *known == name)?;
    Some(StepFn { field, compute: *compute })
}

/// A named step: its name, its field and what the field becomes.
type NamedStep = (&'static str, &'static str, fn(&Value, &Value) -> Option<Value>);

/// A text argument; empty when absent.
fn argument<'p>(arguments: &'p Value, name: &str) -> &'p str {
    arguments.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// A flag argument; off when absent.
fn flag(arguments: &Value, name: &str) -> bool {
    arguments.get(name).and_then(Value::as_bool).unwrap_or(false)
}

/// The texts of a list argument.
fn texts<'p>(arguments: &'p Value, name: &str) -> impl Iterator<Item = &'p str> {
    arguments.list_at(&[name]).iter().filter_map(Value::as_str)
}
