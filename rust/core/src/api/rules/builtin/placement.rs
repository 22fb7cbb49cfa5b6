//! Label keys of affinity terms and spread constraints; texts with several problems at once.

use super::{CheckFn, argument};
use crate::api::rules::check::Walk;
use crate::api::rules::formats::Format;
use crate::api::rules::reference::{field, text};
use crate::api::{FieldError, Path};
use crate::base::{Map, Value, names};

pub(super) const CHECKS: &[(&str, CheckFn)] = &[
    ("match_label_keys", match_label_keys),
    ("repeated_constraint", repeated_constraint),
    ("joined_problems", joined_problems),
];

/// `matchLabelKeys` and `mismatchLabelKeys` of the term or constraint that stands here.
fn match_label_keys<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let (keys, others) = (texts(here, "matchLabelKeys"), texts(here, "mismatchLabelKeys"));
    if keys.is_empty() && others.is_empty() {
        return;
    }
    let selector = field(here, "labelSelector");
    label_keys(walk, &keys, selector, &path.child("matchLabelKeys"));
    label_keys(walk, &others, selector, &path.child("mismatchLabelKeys"));
    let labels = field(selector, "matchLabels").as_map();
    let mut selected: Vec<&str> = labels.into_iter().flat_map(Map::keys).collect();
    for expression in selector.list_at(&["matchExpressions"]) {
        let key = text(expression, "key");
        if let (Some(at), true) =
            (keys.iter().rposition(|known| *known == key), selected.contains(&key))
        {
            let detail = "exists in both matchLabelKeys and labelSelector";
            walk.errors.push(FieldError::invalid(path.index(at), key, detail));
        }
        selected.push(key);
    }
    let keys_path = path.child("matchLabelKeys");
    for (at, key) in keys.iter().enumerate().filter(|(_, key)| others.contains(key)) {
        let detail = "exists in both matchLabelKeys and mismatchLabelKeys";
        walk.errors.push(FieldError::invalid(keys_path.index(at), *key, detail));
    }
}

fn label_keys(walk: &mut Walk<'_, '_>, keys: &[&str], selector: &Value, path: &Path<'_>) {
    if keys.is_empty() {
        return;
    }
    if selector.is_null() {
        let detail = "must not be specified when labelSelector is not set";
        walk.errors.push(FieldError::forbidden(path, detail));
        return;
    }
    for (at, key) in keys.iter().enumerate() {
        super::metadata::invalid(walk, &path.index(at), key, names::label_key(key));
    }
}

fn texts<'v>(value: &'v Value, name: &str) -> Vec<&'v str> {
    value.list_at(&[name]).iter().filter_map(Value::as_str).collect()
}

/// Two spread constraints may not share topology key and action.
fn repeated_constraint<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let pod = walk.scope.anchors[crate::api::rules::compile::POD as usize];
    let of = |one: &'d Value| (text(one, "topologyKey"), text(one, "whenUnsatisfiable"));
    let all = pod.list_at(&["topologySpreadConstraints"]);
    let mut later = all.iter().skip_while(|one| !std::ptr::eq(*one, here)).skip(1);
    let (key, action) = of(here);
    if later.any(|other| of(other) == (key, action)) {
        let shown = format!("{{{key}, {action}}}");
        let at = path.child("{topologyKey, whenUnsatisfiable}");
        walk.errors.push(FieldError::duplicate(at, &shown));
    }
}

/// As `valid`, but with all problems in one error.
fn joined_problems<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    arguments: &Value,
) {
    let Some(form) = Format::by_name(argument(arguments, "form")) else { return };
    let problems = form.problems(here);
    if !problems.is_empty() {
        let value = here.as_str().unwrap_or_default();
        walk.errors.push(FieldError::invalid(path, value, problems.join(";")));
    }
}
