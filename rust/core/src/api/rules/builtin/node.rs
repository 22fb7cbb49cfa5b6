//! Nodes: annotations, features, address blocks of their pods.

use super::CheckFn;
use super::go_json::syntax_error;
use crate::api::rules::check::Walk;
use crate::api::rules::reference::{field, text};
use crate::api::{FieldError, Path};
use crate::base::{Value, go_quote};

pub(super) const CHECKS: &[(&str, CheckFn)] = &[
    ("node_annotations", node_annotations),
    ("declared_features", declared_features),
    ("node_pod_cidrs", node_pod_cidrs),
];

const AVOID: &str = "scheduler.alpha.kubernetes.io/preferAvoidPods";

/// Pods that a node would rather not have, as an annotation once said.
fn node_annotations<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let annotations = field(field(here, "metadata"), "annotations");
    let avoid = text(annotations, AVOID);
    if avoid.is_empty() {
        return;
    }
    let metadata = path.child("metadata");
    let path = metadata.child("annotations");
    if let Some(problem) = syntax_error(avoid.as_bytes()) {
        walk.errors.push(FieldError::invalid(path.child("AvoidPods"), AVOID, problem));
        return;
    }
    let Ok(avoid) = Value::from_json(avoid) else { return };
    let list_path = path.child(AVOID);
    for (at, entry) in avoid.list_at(&["preferAvoidPods"]).iter().enumerate() {
        let item = list_path.index(at);
        let signature = item.child("PodSignature");
        let controller = field(field(entry, "podSignature"), "podController");
        if controller.is_null() {
            walk.errors.push(FieldError::required(signature, ""));
        } else if field(controller, "controller").as_bool() != Some(true) {
            let controller = signature.child("PodController");
            let detail = "must point to a controller";
            walk.errors.push(FieldError::invalid(controller.child("Controller"), false, detail));
        }
    }
}

/// Features a node declares are well-formed names in order.
fn declared_features<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let all: Vec<&str> =
        here.as_list().unwrap_or_default().iter().filter_map(Value::as_str).collect();
    for (at, feature) in all.iter().enumerate() {
        if let Some(problem) = feature_problem(feature) {
            walk.errors.push(FieldError::invalid(path.index(at), *feature, problem));
        }
        let Some(next) = all.get(at + 1) else { continue };
        let item = path.index(at + 1);
        if feature == next {
            walk.errors.push(FieldError::duplicate(item, *next));
        } else if feature > next {
            let detail = "list must be sorted alphabetically";
            walk.errors.push(FieldError::invalid(item, *next, detail));
        }
    }
}

fn feature_problem(name: &str) -> Option<String> {
    let quoted = go_quote(name);
    if name.len() > 253 {
        return Some(format!("invalid feature name {quoted}: must be no more than 253 characters"));
    }
    let mut parts = name.split('/');
    let first = parts.next().unwrap_or_default();
    let alphanumeric = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let sound = first.starts_with(|c: char| c.is_ascii_uppercase())
        && alphanumeric(first)
        && parts
            .all(|part| part.starts_with(|c: char| c.is_ascii_alphabetic()) && alphanumeric(part));
    (!sound).then(|| {
        format!(
            "invalid feature name {quoted}: must start with an UpperCamelCase segment, with \
             subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and \
             contain only alphanumeric characters and slashes"
        )
    })
}

/// A node keeps the address blocks of its pods.
fn node_pod_cidrs<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let new = field(here, "spec").list_at(&["podCIDRs"]);
    let old = field(walk.scope.old, "spec").list_at(&["podCIDRs"]);
    if old.is_empty() {
        return;
    }
    let changes = if old.len() == new.len() {
        old.iter().zip(new).filter(|(old, new)| old != new).count()
    } else {
        1
    };
    let spec = path.child("spec");
    for _ in 0..changes {
        let detail = "node updates may not change podCIDR except from \"\" to valid";
        walk.errors.push(FieldError::forbidden(spec.child("podCIDRs"), detail));
    }
}
