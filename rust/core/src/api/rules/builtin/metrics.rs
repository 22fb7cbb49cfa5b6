//! What an autoscaler measures and what it scales.

use super::{CheckFn, flag};
use crate::api::rules::check::{Walk, quantity};
use crate::api::rules::compile::AUTOSCALER;
use crate::api::rules::reference::{field, text};
use crate::api::{BadValue, FieldError, Path};
use crate::base::{Value, names};

pub(super) const CHECKS: &[(&str, CheckFn)] =
    &[("metrics", metrics), ("scaled_api_version", scaled_api_version)];

const TYPES: [&str; 5] = ["ContainerResource", "External", "Object", "Pods", "Resource"];

/// The sources in the order in which Kubernetes looks for them, and the type of each.
const SOURCES: [(&str, &str); 5] = [
    ("object", "Object"),
    ("external", "External"),
    ("pods", "Pods"),
    ("resource", "Resource"),
    ("containerResource", "ContainerResource"),
];

fn metrics<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let all = here.as_list().unwrap_or_default();
    for (at, metric) in all.iter().enumerate() {
        check_metric(walk, metric, &path.index(at));
    }
    let spec = walk.scope.anchors[AUTOSCALER as usize];
    let outside = all.iter().any(|metric| matches!(text(metric, "type"), "Object" | "External"));
    if field(spec, "minReplicas").as_int() == Some(0) && !outside {
        let detail = "must specify at least one Object or External metric to support scaling to zero \
             replicas";
        walk.errors.push(FieldError::forbidden(path, detail));
    }
}

fn check_metric(walk: &mut Walk<'_, '_>, metric: &Value, path: &Path<'_>) {
    let kind = text(metric, "type");
    let kind_path = path.child("type");
    let unknown = || BadValue::json(&Value::from(kind));
    if kind.is_empty() {
        let detail = "must specify a metric source type";
        walk.errors.push(FieldError::required(kind_path, detail));
    }
    if !TYPES.contains(&kind) {
        walk.errors.push(FieldError::not_supported(kind_path, unknown(), TYPES));
    }
    let present: Vec<&str> = SOURCES
        .iter()
        .map(|(name, _)| *name)
        .filter(|name| !field(metric, name).is_null())
        .collect();
    if let Some(first) = present.first() {
        source(walk, first, field(metric, first), &path.child(first));
    }
    let expected = SOURCES.iter().find(|(_, known)| *known == kind).map(|(name, _)| *name);
    match expected {
        Some(name) if field(metric, name).is_null() => {
            let detail = "must populate information for the given metric source";
            walk.errors.push(FieldError::required(path.child(name), detail));
        }
        Some(_) => {}
        None => walk.errors.push(FieldError::not_supported(kind_path, unknown(), TYPES)),
    }
    if present.len() != 1 {
        for name in present.into_iter().filter(|name| Some(*name) != expected) {
            let detail = "must populate the given metric source only";
            walk.errors.push(FieldError::forbidden(path.child(name), detail));
        }
    }
}

fn source(walk: &mut Walk<'_, '_>, kind: &str, source: &Value, path: &Path<'_>) {
    if kind == "object" {
        described_object(walk, field(source, "describedObject"), &path.child("describedObject"));
    }
    if matches!(kind, "object" | "external" | "pods") {
        identifier(walk, field(source, "metric"), &path.child("metric"));
    } else {
        resource(walk, kind, source, path);
    }
    let values = field(source, "target");
    let path = path.child("target");
    target(walk, values, &path);
    let has = |name: &str| !field(values, name).is_null();
    let (needed, both) = match kind {
        "object" => (
            (!has("value") && !has("averageValue"))
                .then_some(("averageValue", "must set either a target value or averageValue")),
            None,
        ),
        "external" => (
            (!has("value") && !has("averageValue")).then_some((
                "averageValue",
                "must set either a target value for metric or a per-pod target",
            )),
            (has("value") && has("averageValue")).then_some((
                "value",
                "may not set both a target value for metric and a per-pod target",
            )),
        ),
        "pods" => (
            (!has("averageValue"))
                .then_some(("averageValue", "must specify a positive target averageValue")),
            None,
        ),
        _ => (
            (!has("averageUtilization") && !has("averageValue")).then_some((
                "averageUtilization",
                "must set either a target raw value or a target utilization",
            )),
            (has("averageUtilization") && has("averageValue")).then_some((
                "averageValue",
                "may not set both a target raw value and a target utilization",
            )),
        ),
    };
    if let Some((name, detail)) = needed {
        walk.errors.push(FieldError::required(path.child(name), detail));
    }
    if let Some((name, detail)) = both {
        walk.errors.push(FieldError::forbidden(path.child(name), detail));
    }
}

fn resource(walk: &mut Walk<'_, '_>, kind: &str, source: &Value, path: &Path<'_>) {
    let name = text(source, "name");
    let of_container = kind == "containerResource";
    if name.is_empty() {
        let detail = "must specify a resource name";
        walk.errors.push(FieldError::required(path.child("name"), detail));
    } else if of_container {
        let rule = super::resources::NameRule::Container;
        super::resources::resource_name(walk, name, &path.child("name"), rule);
    }
    if !of_container {
        return;
    }
    let container = text(source, "container");
    let at = path.child("container");
    if container.is_empty() {
        walk.errors.push(FieldError::required(at, "must specify a container"));
    } else {
        super::metadata::invalid(walk, &at, container, names::dns1123_label(container));
    }
}

fn segment(walk: &mut Walk<'_, '_>, value: &Value, name: &str, detail: &str, path: &Path<'_>) {
    let segment = text(value, name);
    let at = path.child(name);
    if segment.is_empty() {
        walk.errors.push(FieldError::required(at, detail));
    } else {
        super::metadata::invalid(walk, &at, segment, names::path_segment_name(segment));
    }
}

fn described_object(walk: &mut Walk<'_, '_>, object: &Value, path: &Path<'_>) {
    segment(walk, object, "kind", "", path);
    segment(walk, object, "name", "", path);
    api_version(walk, text(object, "apiVersion"), true, &path.child("apiVersion"));
}

fn identifier(walk: &mut Walk<'_, '_>, metric: &Value, path: &Path<'_>) {
    segment(walk, metric, "name", "must specify a metric name", path);
}

fn target(walk: &mut Walk<'_, '_>, target: &Value, path: &Path<'_>) {
    let kind = text(target, "type");
    let at = path.child("type");
    if kind.is_empty() {
        walk.errors.push(FieldError::required(at, "must specify a metric target type"));
    }
    if !matches!(kind, "Utilization" | "Value" | "AverageValue") {
        let detail = "must be either Utilization, Value, or AverageValue";
        let shown = BadValue::json(&Value::from(kind));
        walk.errors.push(FieldError::invalid(at, shown, detail));
    }
    for name in ["value", "averageValue"] {
        let Some(amount) = target.get(name).map(quantity) else { continue };
        if amount.sign() <= 0 {
            let shown = BadValue::json(&Value::from(amount.to_string()));
            walk.errors.push(FieldError::invalid(path.child(name), shown, "must be positive"));
        }
    }
    let percent = field(target, "averageUtilization").as_int();
    if let Some(percent) = percent.filter(|percent| *percent < 1) {
        let at = path.child("averageUtilization");
        walk.errors.push(FieldError::invalid(at, percent, "must be greater than 0"));
    }
}

fn scaled_api_version<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    arguments: &Value,
) {
    let version = here.as_str().unwrap_or_default();
    api_version(walk, version, flag(arguments, "empty_group"), path);
}

fn api_version(walk: &mut Walk<'_, '_>, version: &str, empty_group: bool, path: &Path<'_>) {
    let detail = match version.matches('/').count() {
        0 if empty_group => return,
        1 if version.starts_with('/') && !empty_group => "apiVersion must specify API group".into(),
        0 => "apiVersion must specify API group".to_owned(),
        1 => return,
        _ => format!("unexpected GroupVersion string: {version}"),
    };
    walk.errors.push(FieldError::invalid(path, version, detail));
}
