//! Kinds from CustomResourceDefinitions.
//!
//! A definition becomes a [`Kind`] like any other, its structural schema a [`Schema`] of the
//! same form as the built-in types. What a schema says beyond shape (defaults, ranges, patterns,
//! enums) is applied by [`default`] and [`validate`]; [`prune`] drops what it does not name.

mod format;
mod list_type;
mod schema;
mod structural;
mod validate;

use super::field_error::FieldError;
use super::kinds::{Column, Kind, ScalePaths, Subresource, Verb, Verbs, Version};
use super::names::{GroupKind, GroupResource, GroupVersion};
use super::path::Path;
use crate::base::{Text, Value};

pub use structural::{default, prune};
pub use validate::validate;

/// The kind a CustomResourceDefinition (`apiextensions.k8s.io/v1`) defines.
///
/// # Errors
/// What is missing or contradictory, by field.
pub fn compile(definition: &Value) -> Result<Kind, Vec<FieldError>> {
    let spec = definition.get("spec").unwrap_or(&Value::Null);
    let mut errors = Vec::new();
    let group = text(spec, &["group"]);
    let plural = text(spec, &["names", "plural"]);
    let kind = text(spec, &["names", "kind"]);
    for (field, value) in
        [("spec.group", &group), ("spec.names.plural", &plural), ("spec.names.kind", &kind)]
    {
        if value.is_empty() {
            errors.push(FieldError::required(field, ""));
        }
    }
    let mut versions = read_versions(spec, &kind, &mut errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    versions.sort_by(|a, b| {
        b.served.cmp(&a.served).then_with(|| precedence(&a.name).cmp(&precedence(&b.name)))
    });
    let or_else = |given: Text, otherwise: Text| {
        if given.is_empty() { otherwise } else { given }
    };
    Ok(Kind {
        singular: or_else(text(spec, &["names", "singular"]), kind.to_lowercase()),
        list_kind: or_else(text(spec, &["names", "listKind"]), Text::from(format!("{kind}List"))),
        short_names: texts(spec.list_at(&["names", "shortNames"])),
        categories: texts(spec.list_at(&["names", "categories"])),
        namespaced: spec.str_at(&["scope"]) != Some("Cluster"),
        id: GroupKind { group: group.clone(), kind },
        resource: GroupResource { group, resource: plural },
        versions,
        definition: Some(definition.clone()),
    })
}

fn read_versions(spec: &Value, kind: &str, errors: &mut Vec<FieldError>) -> Vec<Version> {
    let path = Path::new("spec");
    let path = path.child("versions");
    let listed = spec.list_at(&["versions"]);
    let mut versions: Vec<Version> = Vec::new();
    let mut unique = true;
    for (at, version) in listed.iter().enumerate() {
        let name = text(version, &["name"]);
        if name.is_empty() {
            errors.push(FieldError::required(path.index(at).child("name"), ""));
        } else if versions.iter().any(|other| other.name == name) {
            unique = false;
        } else {
            versions.push(read_version(spec, version, name, kind));
        }
    }
    let mut complain = |detail| {
        let shown = spec.get("versions").unwrap_or(&Value::Null);
        errors.push(FieldError::invalid(path, shown, detail));
    };
    if !unique {
        complain("must contain unique version names");
    }
    if listed.iter().filter(|version| flag(version, "storage")).count() != 1 {
        complain("must have exactly one version marked as storage version");
    }
    versions
}

fn read_version(spec: &Value, version: &Value, name: Text, kind: &str) -> Version {
    let openapi = version.at(&["schema", "openAPIV3Schema"]).unwrap_or(&Value::Null);
    Version {
        served: flag(version, "served"),
        storage: flag(version, "storage"),
        schema: schema::compile(openapi, kind),
        openapi: (!openapi.is_null()).then(|| openapi.clone()),
        verbs: Verbs::ALL,
        subresources: read_subresources(version),
        columns: read_columns(version),
        deprecation: match version.str_at(&["deprecationWarning"]) {
            _ if !flag(version, "deprecated") => String::new(),
            Some(given) => given.to_string(),
            None => deprecation(spec, &name, kind),
        },
        name,
    }
}

/// The warning a deprecated version carries unless its definition says it otherwise.
fn deprecation(spec: &Value, name: &str, kind: &str) -> String {
    let group = spec.str_at(&["group"]).unwrap_or_default();
    let replacement = spec
        .list_at(&["versions"])
        .iter()
        .filter(|other| flag(other, "served") && !flag(other, "deprecated"))
        .filter_map(|other| other.str_at(&["name"]))
        .filter(|other| precedence(other) < precedence(name))
        .min_by_key(|other| precedence(other));
    let warning = format!("{group}/{name} {kind} is deprecated");
    match replacement {
        Some(other) => format!("{warning}; use {group}/{other} {kind}"),
        None => warning,
    }
}

fn read_subresources(version: &Value) -> Vec<Subresource> {
    let verbs: Verbs = [Verb::Get, Verb::Patch, Verb::Update].into_iter().collect();
    let mut subresources = Vec::new();
    if let Some(scale) = version.at(&["subresources", "scale"]) {
        subresources.push(Subresource {
            name: "scale".into(),
            verbs,
            kind: Some((GroupVersion::new("autoscaling", "v1"), "Scale".into())),
            scale: Some(ScalePaths {
                spec_replicas: text(scale, &["specReplicasPath"]),
                status_replicas: text(scale, &["statusReplicasPath"]),
                label_selector: text(scale, &["labelSelectorPath"]),
            }),
        });
    }
    if version.at(&["subresources", "status"]).is_some() {
        subresources.push(Subresource { name: "status".into(), verbs, kind: None, scale: None });
    }
    subresources
}

fn read_columns(version: &Value) -> Vec<Column> {
    let column = |value: &Value| Column {
        name: text(value, &["name"]),
        kind: text(value, &["type"]),
        format: text(value, &["format"]),
        description: text(value, &["description"]),
        priority: value.int_at(&["priority"]).unwrap_or_default(),
        json_path: text(value, &["jsonPath"]),
    };
    version.list_at(&["additionalPrinterColumns"]).iter().map(column).collect()
}

/// The order clients prefer versions in: stable before beta before alpha, higher numbers first,
/// then whatever does not look like a version, by name.
fn precedence(version: &str) -> (u8, std::cmp::Reverse<(u64, u64)>, &str) {
    let parsed = || {
        let rest = version.strip_prefix('v')?;
        let (major, rest) = leading_number(rest)?;
        if rest.is_empty() {
            return Some((0, (major, 0)));
        }
        let (rank, rest) = match (rest.strip_prefix("beta"), rest.strip_prefix("alpha")) {
            (Some(rest), _) => (1, rest),
            (_, Some(rest)) => (2, rest),
            _ => return None,
        };
        let (minor, rest) = leading_number(rest)?;
        rest.is_empty().then_some((rank, (major, minor)))
    };
    match parsed() {
        Some((rank, numbers)) => (rank, std::cmp::Reverse(numbers), ""),
        None => (3, std::cmp::Reverse((0, 0)), version),
    }
}

/// A number and what follows it.
fn leading_number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|symbol: char| !symbol.is_ascii_digit()).unwrap_or(text.len());
    let digits = &text[..end];
    Some((digits.parse().ok()?, &text[end..]))
}

fn text(value: &Value, path: &[&str]) -> Text {
    value.str_at(path).unwrap_or_default().into()
}

fn texts(values: &[Value]) -> Vec<Text> {
    values.iter().filter_map(Value::as_str).map(Text::from).collect()
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or_default()
}
