//! Annotations of pods that carry meaning: mirror pods, deletion cost, security profiles.

use super::{CheckFn, flag};
use crate::api::rules::check::Walk;
use crate::api::rules::formats::Format;
use crate::api::rules::reference::{field, text};
use crate::api::{FieldError, Path};
use crate::base::{Map, Value, go_quote};

const MIRROR: &str = "kubernetes.io/config.mirror";
const DELETION_COST: &str = "controller.kubernetes.io/pod-deletion-cost";
const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";
const APP_ARMOR: &str = "container.apparmor.security.beta.kubernetes.io/";

/// The lists of containers in the order in which Kubernetes visits them.
pub(super) const CONTAINER_LISTS: [&str; 3] =
    ["initContainers", "containers", "ephemeralContainers"];

pub(super) const CHECKS: &[(&str, CheckFn)] = &[
    ("pod_annotations", pod_annotations),
    ("profile_annotations", profile_annotations),
    ("pod_annotation_changes", pod_annotation_changes),
];

fn annotations(object: &Value) -> Option<&Map> {
    field(field(object, "metadata"), "annotations").as_map()
}

/// The annotations of the pod or template that stands here.
fn pod_annotations<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    arguments: &Value,
) {
    let Some(map) = annotations(here) else { return };
    let metadata = path.child("metadata");
    let path = if flag(arguments, "metadata") { &metadata } else { path };
    check(walk, map, field(here, "spec"), &path.child("annotations"));
}

fn check(walk: &mut Walk<'_, '_>, map: &Map, spec: &Value, path: &Path<'_>) {
    let value_of = |key: &str| map.get(key).and_then(Value::as_str);
    if let Some(mirror) = value_of(MIRROR)
        && text(spec, "nodeName").is_empty()
    {
        let detail = "must set spec.nodeName if mirror pod annotation is set";
        walk.errors.push(FieldError::invalid(path.key(MIRROR), mirror, detail));
    }
    if let Some(cost) = value_of(DELETION_COST)
        && !is_cost(cost)
    {
        let detail = "must be a 32bit integer";
        walk.errors.push(FieldError::invalid(path.key(DELETION_COST), cost, detail));
    }
    if let Some(profile) = value_of(SECCOMP_POD) {
        seccomp(walk, profile, &path.child(SECCOMP_POD));
    }
    for (key, value) in map.iter() {
        if key.starts_with(SECCOMP_CONTAINER) {
            seccomp(walk, value.as_str().unwrap_or_default(), &path.child(key));
        }
    }
    for (key, value) in map.iter() {
        if let Some(container) = key.strip_prefix(APP_ARMOR) {
            app_armor(walk, container, value.as_str().unwrap_or_default(), spec, &path.key(key));
        }
    }
}

/// A 32-bit integer without plus sign or leading zeros.
fn is_cost(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let first = digits.bytes().next();
    let starts_well = text == "0" || first.is_some_and(|byte| (b'1'..=b'9').contains(&byte));
    starts_well && text.parse::<i32>().is_ok()
}

fn seccomp(walk: &mut Walk<'_, '_>, profile: &str, path: &Path<'_>) {
    if matches!(profile, "runtime/default" | "docker/default" | "unconfined") {
        return;
    }
    match profile.strip_prefix("localhost/") {
        Some(file) => {
            let problems = Format::LocalDescendingPath.text_problems(file);
            super::metadata::invalid(walk, path, file, problems);
        }
        None => {
            let detail = "must be a valid seccomp profile";
            walk.errors.push(FieldError::invalid(path, profile, detail));
        }
    }
}

fn app_armor(
    walk: &mut Walk<'_, '_>,
    container: &str,
    profile: &str,
    spec: &Value,
    path: &Path<'_>,
) {
    let mut all = CONTAINER_LISTS.iter().flat_map(|list| spec.list_at(&[list]));
    if !all.any(|known| text(known, "name") == container) {
        walk.errors.push(FieldError::invalid(path, container, "container not found"));
    }
    let known = matches!(profile, "" | "runtime/default" | "unconfined");
    if !known && !profile.starts_with("localhost/") {
        let detail = format!("invalid AppArmor profile name: {}", go_quote(profile));
        walk.errors.push(FieldError::invalid(path, profile, detail));
    }
}

/// Annotations and fields that name a security profile must agree.
fn profile_annotations<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let Some(map) = annotations(here) else { return };
    let spec = field(here, "spec");
    let spec_path = path.child("spec");
    let security = field(spec, "securityContext");
    let profile = field(security, "seccompProfile");
    if let (Some(annotation), false) = (map.get(SECCOMP_POD), profile.is_null()) {
        let at = spec_path.child("securityContext");
        agree(walk, "seccomp", annotation, profile, &at.child("seccompProfile"));
    }
    each_container(spec, &spec_path, |container, at| {
        let profile = field(field(container, "securityContext"), "seccompProfile");
        let key = format!("{SECCOMP_CONTAINER}{}", text(container, "name"));
        if let (Some(annotation), false) = (map.get(&key), profile.is_null()) {
            let at = at.child("securityContext");
            agree(walk, "seccomp", annotation, profile, &at.child("seccompProfile"));
        }
    });
    if text(field(spec, "os"), "name") == "windows" {
        return;
    }
    let of_pod = field(security, "appArmorProfile");
    each_container(spec, &spec_path, |container, at| {
        let own = field(field(container, "securityContext"), "appArmorProfile");
        let profile = if own.is_null() { of_pod } else { own };
        let key = format!("{APP_ARMOR}{}", text(container, "name"));
        if let (Some(annotation), false) = (map.get(&key), profile.is_null()) {
            let at = at.child("securityContext");
            agree(walk, "apparmor", annotation, profile, &at.child("appArmorProfile"));
        }
    });
}

fn each_container<'v>(
    spec: &'v Value,
    path: &Path<'_>,
    mut visit: impl FnMut(&'v Value, &Path<'_>),
) {
    for list in CONTAINER_LISTS {
        let list_path = path.child(list);
        for (at, container) in spec.list_at(&[list]).iter().enumerate() {
            visit(container, &list_path.index(at));
        }
    }
}

fn agree(
    walk: &mut Walk<'_, '_>,
    what: &str,
    annotation: &Value,
    profile: &Value,
    path: &Path<'_>,
) {
    let annotation = annotation.as_str().unwrap_or_default();
    let types_differ = format!("{what} type in annotation and field must match");
    match text(profile, "type") {
        "Unconfined" if annotation != "unconfined" => {
            walk.errors.push(FieldError::forbidden(path.child("type"), types_differ));
        }
        "RuntimeDefault" if !is_default(what, annotation) => {
            walk.errors.push(FieldError::forbidden(path.child("type"), types_differ));
        }
        "Localhost" => match annotation.strip_prefix("localhost/") {
            None => walk.errors.push(FieldError::forbidden(path.child("type"), types_differ)),
            Some(file) if field(profile, "localhostProfile").as_str() != Some(file) => {
                let detail = format!("{what} profile in annotation and field must match");
                walk.errors.push(FieldError::forbidden(path.child("localhostProfile"), detail));
            }
            Some(_) => {}
        },
        _ => {}
    }
}

fn is_default(what: &str, annotation: &str) -> bool {
    annotation == "runtime/default" || (what == "seccomp" && annotation == "docker/default")
}

/// Some annotations of a pod never change; the rest must be sound.
fn pod_annotation_changes<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    _: &Value,
) {
    let empty = Map::new();
    let (new, old) = (annotations(here), annotations(walk.scope.old));
    let (new, old) = (new.unwrap_or(&empty), old.unwrap_or(&empty));
    let metadata = path.child("metadata");
    let path = metadata.child("annotations");
    let gone = old.iter().filter(|(key, value)| new.get(key) != Some(value));
    let added = new.keys().filter(|key| !old.contains_key(key));
    let changes = gone.map(|(key, _)| (key, true)).chain(added.map(|key| (key, false)));
    for (key, existed) in changes {
        let verb = if existed { "remove or update" } else { "add" };
        if key.starts_with(APP_ARMOR) {
            let detail = format!("may not {verb} AppArmor annotations");
            walk.errors.push(FieldError::forbidden(path.key(key), detail));
        }
        if key == MIRROR {
            let detail = format!("may not {verb} mirror pod annotation");
            walk.errors.push(FieldError::forbidden(path.key(key), detail));
        }
    }
    check(walk, new, field(here, "spec"), &path);
}

#[cfg(test)]
mod tests {
    use super::is_cost;

    #[test]
    fn a_deletion_cost_is_a_plain_integer() {
        for (text, right) in
            [("0", true), ("-10", true), ("2147483648", false), ("+1", false), ("08", false)]
        {
            assert_eq!(is_cost(text), right, "{text}");
        }
    }
}
