//! ObjectMeta: names, namespaces, labels, annotations, owners, finalizers.

use super::{CheckFn, argument, flag};
use crate::api::rules::check::Walk;
use crate::api::rules::formats::Format;
use crate::api::rules::reference::{Scope, field, is_zero, text};
use crate::api::{BadValue, FieldError, Path};
use crate::base::value::to_go_json;
use crate::base::{Map, Value, go_quote, names};

/// All annotations of an object together may have this many bytes.
const ANNOTATION_BYTES_MAX: usize = 256 << 10;

pub(super) const CHECKS: &[(&str, CheckFn)] = &[
    ("labels", labels),
    ("annotations", annotations),
    ("metadata", metadata),
    ("metadata_common", metadata_common),
    ("metadata_update", metadata_update),
];

fn labels<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    for (key, value) in here.as_map().into_iter().flat_map(Map::iter) {
        for problem in names::label_key(key) {
            walk.errors.push(FieldError::invalid(path, key, problem));
        }
        let value = value.as_str().unwrap_or_default();
        for problem in names::label_value(value) {
            walk.errors.push(FieldError::invalid(path, value, problem));
        }
    }
}

fn annotations<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let mut size = 0;
    for (key, value) in here.as_map().into_iter().flat_map(Map::iter) {
        size += key.len() + value.as_str().map_or(0, str::len);
        // Case does not matter here, unlike in labels.
        for problem in Format::QualifiedNameCaseless.text_problems(key) {
            walk.errors.push(FieldError::invalid(path, key, problem));
        }
    }
    if size > ANNOTATION_BYTES_MAX {
        walk.errors.push(FieldError::too_long(path, ANNOTATION_BYTES_MAX));
    }
}

/// The metadata of an object under its kind's own rule for names.
fn metadata<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, arguments: &Value) {
    let form = Format::by_name(argument(arguments, "name")).unwrap_or(Format::DnsSubdomain);
    common(walk, here, path, form, flag(arguments, "namespaced"));
    if flag(arguments, "finalizers") {
        own_finalizers(walk, here, path);
    }
}

/// The metadata of an object under the rule for names that all kinds share.
fn metadata_common<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    arguments: &Value,
) {
    common(walk, here, path, Format::PathSegment, flag(arguments, "namespaced"));
}

fn common<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    form: Format,
    namespaced: bool,
) {
    let (name, prefix) = (text(here, "name"), text(here, "generateName"));
    if !prefix.is_empty() {
        invalid(walk, &path.child("generateName"), prefix, form.as_prefix().text_problems(prefix));
    }
    let name_path = path.child("name");
    if name.is_empty() {
        let detail = "name or generateName is required";
        walk.errors.push(FieldError::required(name_path, detail));
    } else {
        invalid(walk, &name_path, name, form.text_problems(name));
    }
    namespace(walk, text(here, "namespace"), &path.child("namespace"), namespaced);
    let generation = field(here, "generation").as_int().unwrap_or(0);
    if generation < 0 {
        let detail = "must be greater than or equal to 0";
        walk.errors.push(FieldError::invalid(path.child("generation"), generation, detail));
    }
    shared_parts(walk, here, path);
    finalizers(walk, here, &path.child("finalizers"));
}

fn namespace(walk: &mut Walk<'_, '_>, namespace: &str, path: &Path<'_>, wanted: bool) {
    match (wanted, namespace) {
        (true, "") => walk.errors.push(FieldError::required(path, "")),
        (true, name) => invalid(walk, path, name, names::dns1123_label(name)),
        (false, "") => {}
        (false, _) => walk.errors.push(FieldError::forbidden(path, "not allowed on this type")),
    }
}

/// Labels, annotations and owners: checked on every write.
fn shared_parts<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>) {
    labels(walk, field(here, "labels"), &path.child("labels"), &Value::Null);
    annotations(walk, field(here, "annotations"), &path.child("annotations"), &Value::Null);
    owners(walk, field(here, "ownerReferences"), &path.child("ownerReferences"));
}

fn owners(walk: &mut Walk<'_, '_>, references: &Value, path: &Path<'_>) {
    let mut controller: Option<String> = None;
    for reference in references.as_list().unwrap_or_default() {
        owner(walk, reference, path);
        if field(reference, "controller").as_bool() != Some(true) {
            continue;
        }
        let name = format!("{}/{}", text(reference, "kind"), text(reference, "name"));
        match &controller {
            Some(first) => {
                let detail = format!(
                    "Only one reference can have Controller set to true. Found \"true\" in \
                     references for {first} and {name}"
                );
                let shown = BadValue::raw(owners_json(references));
                walk.errors.push(FieldError::invalid(path, shown, detail));
            }
            None => controller = Some(name),
        }
    }
}

fn owner(walk: &mut Walk<'_, '_>, reference: &Value, path: &Path<'_>) {
    let version = text(reference, "apiVersion");
    if version.is_empty() || version.ends_with('/') || version.matches('/').count() > 1 {
        let detail = "version must not be empty";
        walk.errors.push(FieldError::invalid(path.child("apiVersion"), version, detail));
    }
    for (name, style) in [("kind", false), ("name", false), ("uid", true)] {
        let value = text(reference, name);
        if value.is_empty() {
            let shown = if style { BadValue::json(&Value::from(value)) } else { value.into() };
            walk.errors.push(FieldError::invalid(path.child(name), shown, "must not be empty"));
        }
    }
    if version == "v1" && text(reference, "kind") == "Event" {
        let detail = "/v1, Kind=Event is disallowed from being an owner";
        let shown = BadValue::raw(owner_json(reference));
        walk.errors.push(FieldError::invalid(path, shown, detail));
    }
}

/// Go prints the fields of a struct in their order, and these four always.
fn owner_json(reference: &Value) -> String {
    let mut parts: Vec<String> = ["apiVersion", "kind", "name", "uid"]
        .iter()
        .map(|name| format!("\"{name}\":{}", to_go_json(&Value::from(text(reference, name)))))
        .collect();
    for name in ["controller", "blockOwnerDeletion"] {
        if let Some(value) = reference.get(name) {
            parts.push(format!("\"{name}\":{}", to_go_json(value)));
        }
    }
    format!("{{{}}}", parts.join(","))
}

fn owners_json(references: &Value) -> String {
    let all = references.as_list().unwrap_or_default().iter();
    format!("[{}]", all.map(owner_json).collect::<Vec<_>>().join(","))
}

fn finalizers<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>) {
    let (mut orphan, mut foreground) = (false, false);
    for finalizer in items(here, "finalizers") {
        invalid(walk, path, finalizer, names::label_key(finalizer));
        orphan |= finalizer == "orphan";
        foreground |= finalizer == "foregroundDeletion";
    }
    if orphan && foreground {
        let detail = "finalizer orphan and foregroundDeletion cannot be both set";
        let shown = BadValue::json(field(here, "finalizers"));
        walk.errors.push(FieldError::invalid(path, shown, detail));
    }
}

/// A finalizer without a domain must be one of Kubernetes' own.
pub(super) fn kubernetes_finalizer(walk: &mut Walk<'_, '_>, name: &str, path: &Path<'_>) {
    let standard = ["kubernetes", "orphan", "foregroundDeletion"];
    if !name.contains('/') && !standard.contains(&name) {
        let detail = "name is neither a standard finalizer name nor is it fully qualified";
        walk.errors.push(FieldError::invalid(path, name, detail));
    }
}

/// The metadata of an object that replaces another, under the kind's own rules.
fn metadata_update<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    arguments: &Value,
) {
    let old = old_metadata(&walk.scope);
    let deleting = !field(old, "deletionTimestamp").is_null();
    if deleting {
        no_new_finalizers(walk, here, old, &path.child("finalizers"));
    }
    if text(here, "resourceVersion").is_empty() {
        let detail = "must be specified for an update";
        walk.errors.push(FieldError::invalid(path.child("resourceVersion"), "", detail));
    }
    let generation = |meta: &Value| field(meta, "generation").as_int().unwrap_or(0);
    if generation(here) < generation(old) {
        let detail = "must not be decremented";
        let shown = generation(here);
        walk.errors.push(FieldError::invalid(path.child("generation"), shown, detail));
    }
    for (name, is_text) in [
        ("name", true),
        ("namespace", true),
        ("uid", false),
        ("creationTimestamp", false),
        ("deletionTimestamp", false),
        ("deletionGracePeriodSeconds", false),
    ] {
        let (new, old) = (field(here, name), field(old, name));
        if new != old && !(is_zero(new) && is_zero(old) && is_text) {
            let shown = match (name, new) {
                ("uid", Value::Null) => BadValue::json(&Value::from("")),
                (_, Value::Null) if is_text => "".into(),
                (_, value) if is_text => value.into(),
                (_, value) => BadValue::json(value),
            };
            walk.errors.push(FieldError::invalid(path.child(name), shown, "field is immutable"));
        }
    }
    shared_parts(walk, here, path);
    if flag(arguments, "finalizers") {
        own_finalizers(walk, here, path);
    }
}

fn own_finalizers(walk: &mut Walk<'_, '_>, here: &Value, path: &Path<'_>) {
    let path = path.child("finalizers");
    for (at, finalizer) in items(here, "finalizers").enumerate() {
        kubernetes_finalizer(walk, finalizer, &path.index(at));
    }
}

fn old_metadata<'d>(scope: &Scope<'d>) -> &'d Value {
    field(scope.old, "metadata")
}

fn no_new_finalizers(walk: &mut Walk<'_, '_>, new: &Value, old: &Value, path: &Path<'_>) {
    let known: Vec<&str> = items(old, "finalizers").collect();
    let mut added: Vec<&str> =
        items(new, "finalizers").filter(|one| !known.contains(one)).collect();
    added.sort_unstable();
    added.dedup();
    if !added.is_empty() {
        let list = added.iter().map(|name| go_quote(name)).collect::<Vec<_>>().join(", ");
        let detail = format!(
            "no new finalizers can be added if the object is being deleted, found new finalizers \
             []string{{{list}}}"
        );
        walk.errors.push(FieldError::forbidden(path, detail));
    }
}

/// One error for each problem of a text.
pub(super) fn invalid(walk: &mut Walk<'_, '_>, path: &Path<'_>, text: &str, problems: Vec<String>) {
    for problem in problems {
        walk.errors.push(FieldError::invalid(path, text, problem));
    }
}

fn items<'v>(value: &'v Value, name: &str) -> impl Iterator<Item = &'v str> {
    field(value, name).as_list().unwrap_or_default().iter().filter_map(Value::as_str)
}
