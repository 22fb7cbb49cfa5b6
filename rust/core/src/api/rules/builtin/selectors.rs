//! Label selectors, and the templates they must select.

use super::CheckFn;
use crate::api::rules::check::Walk;
use crate::api::rules::reference::{at, field, text};
use crate::api::{BadValue, FieldError, Path};
use crate::base::{Map, Text, Value, names};
use crate::labels::Selector;

pub(super) const CHECKS: &[(&str, CheckFn)] = &[
    ("label_selector", label_selector),
    ("selected_template", selected_template),
    ("selected_by_map", selected_by_map),
];

/// A label selector, if it is there at all.
pub(super) fn label_selector<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    _: &Value,
) {
    let labels = path.child("matchLabels");
    for (key, value) in field(here, "matchLabels").as_map().into_iter().flat_map(Map::iter) {
        for problem in names::label_key(key) {
            walk.errors.push(FieldError::invalid(labels, key, problem));
        }
        let value = value.as_str().unwrap_or_default();
        for problem in names::label_value(value) {
            walk.errors.push(FieldError::invalid(labels, value, problem));
        }
    }
    let expressions = path.child("matchExpressions");
    for (at, expression) in here.list_at(&["matchExpressions"]).iter().enumerate() {
        requirement(walk, expression, &expressions.index(at));
    }
}

fn requirement(walk: &mut Walk<'_, '_>, expression: &Value, path: &Path<'_>) {
    let values_path = path.child("values");
    let values = expression.list_at(&["values"]);
    match text(expression, "operator") {
        "In" | "NotIn" if values.is_empty() => {
            let detail = "must be specified when `operator` is 'In' or 'NotIn'";
            walk.errors.push(FieldError::required(values_path, detail));
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let detail = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'";
            walk.errors.push(FieldError::forbidden(values_path, detail));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        operator => {
            let shown = BadValue::json(&Value::from(operator));
            let detail = "not a valid selector operator";
            walk.errors.push(FieldError::invalid(path.child("operator"), shown, detail));
        }
    }
    let key = text(expression, "key");
    for problem in names::label_key(key) {
        walk.errors.push(FieldError::invalid(path.child("key"), key, problem));
    }
    for (at, value) in values.iter().enumerate() {
        let value = value.as_str().unwrap_or_default();
        for problem in names::label_value(value) {
            walk.errors.push(FieldError::invalid(values_path.index(at), value, problem));
        }
    }
}

/// The labels of the template that stands here must match the selector of the object's
/// specification; an absent selector matches nothing.
fn selected_template<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let selector = at(walk.scope.root, &[Text::from("spec"), Text::from("selector")]);
    let labels = field(field(here, "metadata"), "labels");
    if !selects(selector, labels) {
        does_not_match(walk, labels, path);
    }
}

/// As [`selected_template`], for a selector that is a plain map of labels.
fn selected_by_map<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let selector = at(walk.scope.root, &[Text::from("spec"), Text::from("selector")]);
    let labels = field(field(here, "metadata"), "labels");
    if !has_all(labels, selector) {
        does_not_match(walk, labels, path);
    }
}

fn does_not_match(walk: &mut Walk<'_, '_>, labels: &Value, path: &Path<'_>) {
    let detail = "`selector` does not match template `labels`";
    let metadata = path.child("metadata");
    let error = FieldError::invalid(metadata.child("labels"), BadValue::json(labels), detail);
    walk.errors.push(error);
}

/// Whether a LabelSelector selects these labels. One that cannot be read is somebody else's
/// error and counts as matching.
pub(super) fn selects(selector: &Value, labels: &Value) -> bool {
    let plain = !selector.is_null() && selector.list_at(&["matchExpressions"]).is_empty();
    if plain && has_all(labels, field(selector, "matchLabels")) {
        return true;
    }
    let empty = Map::new();
    let labels = labels.as_map().unwrap_or(&empty);
    Selector::from_label_selector(selector).map_or(true, |selector| selector.matches(labels))
}

fn has_all(labels: &Value, wanted: &Value) -> bool {
    let mut wanted = wanted.as_map().into_iter().flat_map(Map::iter);
    wanted.all(|(key, value)| labels.get(key) == Some(value))
}
