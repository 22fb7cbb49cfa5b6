//! The status of a claim: how far its growth has come.

use super::CheckFn;
use super::metadata::invalid;
use super::resources::{entries, is_native, resource_amount};
use super::storage::basic_amount;
use crate::api::rules::check::{Walk, quantity};
use crate::api::{BadValue, FieldError, Path};
use crate::base::{Value, names};

pub(super) const CHECKS: &[(&str, CheckFn)] =
    &[("resize_statuses", resize_statuses), ("allocated_amounts", allocated_amounts)];

const STATES: [&str; 5] = [
    "ControllerResizeInProgress",
    "ControllerResizeInfeasible",
    "NodeResizeInProgress",
    "NodeResizeInfeasible",
    "NodeResizePending",
];

fn resize_statuses<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    for (name, state) in entries(here) {
        resource_key(walk, name, path);
        // Kubernetes shows the resource where it means the state.
        if !STATES.contains(&state.as_str().unwrap_or_default()) {
            let shown = BadValue::json(&name.into());
            walk.errors.push(FieldError::not_supported(path, shown, STATES));
        }
    }
}

fn allocated_amounts<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    for (name, value) in entries(here) {
        let before = walk.errors.len();
        resource_key(walk, name, path);
        if walk.errors.len() > before {
            continue;
        }
        let (amount, at) = (quantity(value), path.key(name));
        basic_amount(walk, amount, &at);
        if walk.errors.len() == before {
            resource_amount(walk, "storage", amount, &at);
        }
    }
}

/// A resource of a claim: its storage, or something qualified.
fn resource_key(walk: &mut Walk<'_, '_>, name: &str, path: &Path<'_>) {
    let problems = names::label_key(name);
    if problems.is_empty() && is_native(name) && name != "storage" {
        walk.errors.push(FieldError::not_supported(path, name, ["storage"]));
    }
    invalid(walk, path, name, problems);
}
