//! CustomResourceDefinitions: names and versions.

use super::{CheckFn, NamedStep};
use crate::api::rules::check::Walk;
use crate::api::rules::reference::{field, text};
use crate::api::{BadValue, FieldError, Path};
use crate::base::value::to_go_json;
use crate::base::{Value, names};

pub(super) const CHECKS: &[(&str, CheckFn)] = &[
    ("definition_name", definition_name),
    ("mixed_case_label", mixed_case_label),
    ("definition_versions", definition_versions),
    ("definition_changes", definition_changes),
    ("stored_versions", stored_versions),
];

pub(super) const STEPS: &[NamedStep] =
    &[("definition_names", "names", definition_names), ("stored_versions", "status", stored)];

/// A definition is named after what it defines.
fn definition_name<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, _: &Path<'_>, _: &Value) {
    let spec = field(here, "spec");
    let metadata = field(here, "metadata");
    let wanted = format!("{}.{}", text(field(spec, "names"), "plural"), text(spec, "group"));
    for place in ["generateName", "name"] {
        let name = text(metadata, place);
        if !name.is_empty() && name != wanted {
            let detail = "must be spec.names.plural+\".\"+spec.group";
            walk.errors.push(FieldError::invalid(format!("metadata.{place}"), name, detail));
        }
    }
}

fn mixed_case_label<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let name = here.as_str().unwrap_or_default();
    let problems = names::dns1035_label(&name.to_lowercase());
    if !problems.is_empty() {
        let problems = problems.join(",");
        let detail = format!("may have mixed case, but should otherwise match: {problems}");
        walk.errors.push(FieldError::invalid(path, name, detail));
    }
}

/// Versions differ in name, and one of them is stored.
fn definition_versions<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let versions = here.as_list().unwrap_or_default();
    let mut seen: Vec<&str> = versions.iter().map(|version| text(version, "name")).collect();
    seen.sort_unstable();
    if seen.windows(2).any(|pair| pair[0] == pair[1]) {
        let detail = "must contain unique version names";
        walk.errors.push(FieldError::invalid(path, printed(here), detail));
    }
    if versions.iter().filter(|version| is_stored(version)).count() != 1 {
        let detail = "must have exactly one version marked as storage version";
        walk.errors.push(FieldError::invalid(path, printed(here), detail));
    }
    // The first version also stands in a field of its own.
    let first = versions.first().map_or("", |version| text(version, "name"));
    let problems = names::dns1035_label(first);
    if !first.is_empty() && !problems.is_empty() {
        walk.errors.push(FieldError::invalid("spec.version", first, problems.join(",")));
    }
}

/// The stored versions of the status go with the versions of the specification.
fn stored_versions<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, _: &Path<'_>, _: &Value) {
    let stored = here.list_at(&["status", "storedVersions"]);
    let path = "status.storedVersions";
    let shown = || BadValue::json(field(field(here, "status"), "storedVersions"));
    if stored.is_empty() {
        let detail = "must have at least one stored version";
        walk.errors.push(FieldError::invalid(path, shown(), detail));
        return;
    }
    let mut left: Vec<(usize, &str)> = Vec::new();
    left.extend(stored.iter().filter_map(Value::as_str).enumerate());
    for version in here.list_at(&["spec", "versions"]) {
        let name = text(version, "name");
        match left.iter().position(|(_, known)| *known == name) {
            Some(at) => {
                left.remove(at);
            }
            None if is_stored(version) => {
                let detail = format!("must have the storage version {name}");
                walk.errors.push(FieldError::invalid(path, shown(), detail));
            }
            None => {}
        }
    }
    for (at, name) in left {
        let detail = format!(
            "missing from spec.versions; {name} was previously a storage version, and must \
                 remain in spec.versions until a storage migration ensures no data remains \
                 persisted in {name} and removes {name} from status.storedVersions"
        );
        walk.errors.push(FieldError::invalid(format!("{path}[{at}]"), name, detail));
    }
}

fn is_stored(version: &Value) -> bool {
    field(version, "storage").as_bool() == Some(true)
}

/// The internal form: what all versions share stands elsewhere, and shows as absent here.
fn printed(versions: &Value) -> BadValue {
    let Some(versions) = versions.as_list() else { return BadValue::raw("null") };
    let shared =
        |name: &str| versions.iter().all(|one| field(one, name) == field(&versions[0], name));
    let print = |version: &Value| {
        let flag = |name: &str| field(version, name).as_bool().unwrap_or(false);
        let part = |name: &str| {
            if shared(name) { "null".to_owned() } else { to_go_json(field(version, name)) }
        };
        format!(
            "{{\"Name\":{},\"Served\":{},\"Storage\":{},\"Deprecated\":{},\"DeprecationWarning\":{},\
             \"Schema\":{},\"Subresources\":{},\"AdditionalPrinterColumns\":{},\
             \"SelectableFields\":{}}}",
            to_go_json(&text(version, "name").into()),
            flag("served"),
            flag("storage"),
            flag("deprecated"),
            to_go_json(field(version, "deprecationWarning")),
            part("schema"),
            part("subresources"),
            part("additionalPrinterColumns"),
            part("selectableFields"),
        )
    };
    let printed: Vec<String> = versions.iter().map(print).collect();
    BadValue::raw(format!("[{}]", printed.join(",")))
}

/// What the stored objects depend on stays.
fn definition_changes<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, _: &Path<'_>, _: &Value) {
    let old = walk.scope.old;
    let established = old.list_at(&["status", "conditions"]).iter().any(|condition| {
        text(condition, "type") == "Established" && text(condition, "status") == "True"
    });
    let mut stays = |path: &[&str]| {
        let of = |object: &'d Value| object.str_at(path).unwrap_or_default();
        if of(here) != of(old) {
            let detail = "field is immutable";
            walk.errors.push(FieldError::invalid(path.join("."), of(here), detail));
        }
    };
    if established {
        stays(&["spec", "scope"]);
        stays(&["spec", "names", "kind"]);
    }
    stays(&["spec", "group"]);
    stays(&["spec", "names", "plural"]);
}

/// A definition's names, as far as they follow from the kind.
fn definition_names(spec: &Value, _: &Value) -> Option<Value> {
    let names = field(spec, "names");
    let kind = text(names, "kind");
    let mut wanted = names.clone();
    if text(names, "singular").is_empty() && !kind.is_empty() {
        wanted.set(&["singular"], kind.to_lowercase());
    }
    if text(names, "listKind").is_empty() && !kind.is_empty() {
        wanted.set(&["listKind"], format!("{kind}List"));
    }
    (wanted != *names).then_some(wanted)
}

/// Every version that was ever stored is listed in the status.
fn stored(definition: &Value, _: &Value) -> Option<Value> {
    let status = field(definition, "status");
    let known = status.list_at(&["storedVersions"]);
    let version = definition.list_at(&["spec", "versions"]).iter().find(|one| is_stored(one))?;
    let name = Value::from(text(version, "name"));
    if known.contains(&name) {
        return None;
    }
    let mut status = status.clone();
    status.set(&["storedVersions"], known.iter().cloned().chain([name]).collect::<Vec<_>>());
    Some(status)
}
