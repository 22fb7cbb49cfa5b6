//! Where environment variables and files of the downward API take their values from.

use super::{CheckFn, argument, flag, texts};
use crate::api::rules::check::{Walk, quantity};
use crate::api::rules::reference::{field, text};
use crate::api::{FieldError, Path};
use crate::base::{Value, names};

pub(super) const CHECKS: &[(&str, CheckFn)] = &[
    ("object_field_selector", object_field_selector),
    ("resource_field_selector", resource_field_selector),
    ("env_sources", env_sources),
    ("at_most_one", at_most_one),
];

/// What a pod can tell of itself.
const LABELS: [&str; 14] = [
    "metadata.annotations",
    "metadata.labels",
    "metadata.name",
    "metadata.namespace",
    "metadata.uid",
    "spec.nodeName",
    "spec.restartPolicy",
    "spec.serviceAccountName",
    "spec.schedulerName",
    "status.phase",
    "status.hostIP",
    "status.hostIPs",
    "status.podIP",
    "status.podIPs",
];

const RESOURCES: [&str; 6] = [
    "limits.cpu",
    "limits.ephemeral-storage",
    "limits.memory",
    "requests.cpu",
    "requests.ephemeral-storage",
    "requests.memory",
];

fn object_field_selector<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    arguments: &Value,
) {
    let (version, wanted) = (text(here, "apiVersion"), text(here, "fieldPath"));
    if version.is_empty() {
        walk.errors.push(FieldError::required(path.child("apiVersion"), ""));
        return;
    }
    let at = path.child("fieldPath");
    if wanted.is_empty() {
        walk.errors.push(FieldError::required(at, ""));
        return;
    }
    let found = match convert(version, wanted) {
        Ok(found) => found,
        Err(why) => {
            let detail = format!("error converting fieldPath: {why}");
            walk.errors.push(FieldError::invalid(at, wanted, detail));
            return;
        }
    };
    match split_subscript(found) {
        Some(("metadata.annotations", key)) => {
            let key = key.to_lowercase();
            super::metadata::invalid(walk, path, &key, names::label_key(&key));
        }
        Some((_, key)) => super::metadata::invalid(walk, path, key, names::label_key(key)),
        None => {
            let known = || texts(arguments, "paths");
            if !known().any(|known| known == found) {
                walk.errors.push(FieldError::not_supported(at, found, known()));
            }
        }
    }
}

/// The field as the internal version names it.
fn convert<'t>(version: &str, wanted: &'t str) -> Result<&'t str, String> {
    if version != "v1" {
        return Err(format!("unsupported pod version: {version}"));
    }
    match split_subscript(wanted) {
        Some(("metadata.annotations" | "metadata.labels", _)) => Ok(wanted),
        Some(_) => Err(format!("field label does not support subscript: {wanted}")),
        None if wanted == "spec.host" => Ok("spec.nodeName"),
        None if LABELS.contains(&wanted) => Ok(wanted),
        None => Err(format!("field label not supported: {wanted}")),
    }
}

/// The two parts of `path['key']`.
fn split_subscript(path: &str) -> Option<(&str, &str)> {
    let (name, key) = path.strip_suffix("']")?.split_once("['")?;
    (!name.is_empty()).then_some((name, key))
}

fn resource_field_selector<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    arguments: &Value,
) {
    let resource = text(here, "resource");
    let huge =
        resource.starts_with("requests.hugepages-") || resource.starts_with("limits.hugepages-");
    if flag(arguments, "volume") && text(here, "containerName").is_empty() {
        walk.errors.push(FieldError::required(path.child("containerName"), ""));
    } else if resource.is_empty() {
        walk.errors.push(FieldError::required(path.child("resource"), ""));
    } else if !RESOURCES.contains(&resource) && !huge {
        walk.errors.push(FieldError::not_supported(path.child("resource"), resource, RESOURCES));
    }
    divisor(walk, resource, huge, here, path);
}

fn divisor(walk: &mut Walk<'_, '_>, resource: &str, huge: bool, here: &Value, path: &Path<'_>) {
    const SIZES: &str = "1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei";
    let divisor = quantity(field(here, "divisor"));
    if divisor.is_zero() {
        return;
    }
    let divisor = divisor.to_string();
    let is_size = || SIZES.split(", ").any(|size| size == divisor);
    let (right, detail) = match resource {
        "limits.cpu" | "requests.cpu" => (
            matches!(divisor.as_str(), "1m" | "1"),
            "only divisor's values 1m and 1 are supported with the cpu resource".to_owned(),
        ),
        _ if huge || RESOURCES.contains(&resource) => {
            let what = match resource.split_once('.').map(|(_, name)| name) {
                Some("memory") => "memory",
                Some("ephemeral-storage") => "local ephemeral storage",
                _ => "hugepages",
            };
            let detail =
                format!("only divisor's values {SIZES} are supported with the {what} resource");
            (is_size(), detail)
        }
        _ => return,
    };
    if !right {
        walk.errors.push(FieldError::invalid(path.child("divisor"), resource, detail));
    }
}

/// A variable takes its value from one source, and only without a value of its own.
fn env_sources<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, arguments: &Value) {
    let sources = texts(arguments, "fields").filter(|name| !field(here, name).is_null()).count();
    let variable = walk.scope.anchors[crate::api::rules::compile::VARIABLE as usize];
    let detail = if sources == 0 {
        "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or \
         `fileKeyRef`"
    } else if !text(variable, "value").is_empty() {
        "may not be specified when `value` is not empty"
    } else if sources > 1 {
        "may not have more than one field specified at a time"
    } else {
        return;
    };
    walk.errors.push(FieldError::invalid(path, "", detail));
}

/// At most one of these fields may be there.
fn at_most_one<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, arguments: &Value) {
    if texts(arguments, "fields").filter(|name| !field(here, name).is_null()).count() > 1 {
        walk.errors.push(FieldError::forbidden(path, argument(arguments, "detail")));
    }
}
