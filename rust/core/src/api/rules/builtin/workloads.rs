//! StatefulSets: what their parts must agree on, and what may change; numbers or percentages.

use super::{CheckFn, argument};
use crate::api::rules::check::Walk;
use crate::api::rules::formats::int_or_percent;
use crate::api::rules::reference::{NULL, field, text};
use crate::api::rules::shapes;
use crate::api::{BadValue, FieldError, Path};
use crate::base::{Value, names};

pub(super) const CHECKS: &[(&str, CheckFn)] = &[
    ("int_or_percent", check_int_or_percent),
    ("at_most_100_percent", at_most_100_percent),
    ("stateful_template", stateful_template),
    ("stateful_set_changes", stateful_set_changes),
];

fn check_int_or_percent<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    match here {
        Value::Str(percent) => {
            for problem in names::percent(percent) {
                walk.errors.push(FieldError::invalid(path, BadValue::json(here), problem));
            }
        }
        other if other.as_int().unwrap_or(0) < 0 => {
            let detail = "must be greater than or equal to 0";
            walk.errors.push(FieldError::invalid(path, other, detail));
        }
        _ => {}
    }
}

fn at_most_100_percent<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let percent = here.as_str().is_some_and(|text| names::percent(text).is_empty());
    if percent && int_or_percent(here) > 100 {
        let detail = "must not be greater than 100%";
        walk.errors.push(FieldError::invalid(path, BadValue::json(here), detail));
    }
}

/// The template of the StatefulSet specification that stands here, as its pods will have it:
/// with a volume for every claim template, and without the names that the set gives them.
fn stateful_template<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    arguments: &Value,
) {
    let template = field(here, "template");
    let path = path.child("template");
    let labels = field(field(template, "metadata"), "labels");
    let selector = field(here, "selector");
    if !super::selectors::selects(selector, labels) {
        let metadata = path.child("metadata");
        let detail = "`selector` does not match template `labels`";
        let shown = BadValue::json(labels);
        walk.errors.push(FieldError::invalid(metadata.child("labels"), shown, detail));
    }
    let Some(checks) = walk.shared.checks_named(argument(arguments, "checks")) else { return };
    let as_pods = as_its_pods_have_it(here, template);
    let mut inner = Walk::new(walk.shared, &as_pods, &NULL);
    inner.run(checks, &as_pods, &path);
    walk.errors.append(&mut inner.errors);
    again(walk, template, &path);
}

fn as_its_pods_have_it(spec: &Value, template: &Value) -> Value {
    let mut template = template.clone();
    for name in ["hostname", "subdomain"] {
        if template.str_at(&["spec", name]).is_some() {
            template.remove(&["spec", name]);
        }
    }
    let mut names: Vec<&str> = spec
        .list_at(&["volumeClaimTemplates"])
        .iter()
        .map(|claim| text(field(claim, "metadata"), "name"))
        .collect();
    let mut seen = Vec::new();
    names.retain(|name| {
        !seen.contains(name) && {
            seen.push(*name);
            true
        }
    });
    if names.is_empty() {
        return template;
    }
    let claim = |name: &&str| {
        let source = Value::map([("claimName", Value::from(*name))]);
        Value::map([("name", Value::from(*name)), ("persistentVolumeClaim", source)])
    };
    let own = template.list_at(&["spec", "volumes"]).iter();
    let own = own.filter(|volume| !names.contains(&text(volume, "name"))).cloned();
    let volumes: Vec<Value> = names.iter().map(claim).chain(own).collect();
    template.set(&["spec", "volumes"], volumes);
    template
}

/// Labels and annotations are checked twice, and errors in them come twice.
fn again(walk: &mut Walk<'_, '_>, template: &Value, path: &Path<'_>) {
    let Some(labels) = super::check("labels") else { return };
    let Some(annotations) = super::check("annotations") else { return };
    let metadata = field(template, "metadata").clone();
    let mut inner = Walk::new(walk.shared, &metadata, &NULL);
    labels(&mut inner, field(&metadata, "labels"), &path.child("labels"), &NULL);
    annotations(&mut inner, field(&metadata, "annotations"), &path.child("annotations"), &NULL);
    walk.errors.append(&mut inner.errors);
    if let Some(check) = super::check("pod_annotations") {
        let mut inner = Walk::new(walk.shared, template, &NULL);
        check(&mut inner, template, path, &NULL);
        walk.errors.append(&mut inner.errors);
    }
}

fn stateful_set_changes<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    arguments: &Value,
) {
    let old = field(walk.scope.old, "spec");
    let mut new = field(here, "spec").clone();
    for name in [
        "replicas",
        "template",
        "updateStrategy",
        "minReadySeconds",
        "ordinals",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
    ] {
        keep(&mut new, old, name);
    }
    if !shapes::equal(&new, old, shapes::by_name("StatefulSetSpec")) {
        let detail = argument(arguments, "detail");
        walk.errors.push(FieldError::forbidden(path.child("spec"), detail));
    }
}

pub(super) fn keep(value: &mut Value, old: &Value, name: &str) {
    match old.get(name) {
        Some(kept) => {
            value.map_mut().insert(name, kept.clone());
        }
        None => {
            value.map_mut().remove(name);
        }
    }
}
