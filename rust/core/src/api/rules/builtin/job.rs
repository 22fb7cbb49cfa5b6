//! Jobs: the selector made for them, what their parts must agree on, and what may change.

use super::CheckFn;
use super::workloads::keep;
use crate::api::rules::check::Walk;
use crate::api::rules::compile::JOB;
use crate::api::rules::reference::{field, is_zero, text};
use crate::api::rules::shapes;
use crate::api::{BadValue, FieldError, Path};
use crate::base::{Value, go_quote, names};

pub(super) const CHECKS: &[(&str, CheckFn)] = &[
    ("generated_selector", generated_selector),
    ("indexed_job_name", indexed_job_name),
    ("exit_codes", exit_codes),
    ("success_rule", success_rule),
    ("job_completions", job_completions),
    ("job_template_changes", job_template_changes),
];

const LABELS: [(&str, bool); 4] = [
    ("controller-uid", true),
    ("job-name", false),
    ("batch.kubernetes.io/controller-uid", true),
    ("batch.kubernetes.io/job-name", false),
];

/// The selector and labels of a Job that did not ask to write its own.
fn generated_selector<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let spec = field(here, "spec");
    let selector = field(spec, "selector");
    if field(spec, "manualSelector").as_bool() == Some(true) || selector.is_null() {
        return;
    }
    let metadata = field(here, "metadata");
    let (name, uid) = (text(metadata, "name"), text(metadata, "uid"));
    if uid.is_empty() {
        let at = path.child("metadata");
        walk.errors.push(FieldError::required(at.child("uid"), ""));
    }
    let (spec_path, template) = (path.child("spec"), field(spec, "template"));
    let template_path = spec_path.child("template");
    let labels_path = template_path.child("metadata");
    let labels_path = labels_path.child("labels");
    let labels = field(field(template, "metadata"), "labels");
    // Jobs from before the prefixed labels may go on without them.
    let old = walk.scope.old;
    let had = |label: &str| old.at(&["spec", "template", "metadata", "labels", label]).is_some();
    let plain_only = !(old.is_null() || had(LABELS[2].0) && had(LABELS[3].0));
    for (label, of_uid) in LABELS {
        if plain_only && label.contains('/') {
            continue;
        }
        let wanted = if of_uid { uid } else { name };
        let detail = format!("must be '{wanted}'");
        match labels.get(label) {
            None => walk.errors.push(FieldError::required(labels_path.key(label), detail)),
            Some(value) if value.as_str() != Some(wanted) => {
                let at = labels_path.key(label);
                walk.errors.push(FieldError::invalid(at, BadValue::json(labels), detail));
            }
            Some(_) => {}
        }
    }
    let expected =
        Value::map(LABELS.map(|(label, of_uid)| (label, if of_uid { uid } else { name }.into())));
    if !super::selectors::selects(selector, &expected) {
        let detail = "`selector` not auto-generated";
        let at = spec_path.child("selector");
        walk.errors.push(FieldError::invalid(at, BadValue::json(selector), detail));
    }
}

/// Pods of an indexed Job are named after it, and their names must be legal.
fn indexed_job_name<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let spec = field(here, "spec");
    let completions = field(spec, "completions").as_int().unwrap_or(0);
    if text(spec, "completionMode") != "Indexed" || completions <= 0 {
        return;
    }
    let name = text(field(here, "metadata"), "name");
    let longest = format!("{name}-{}", completions - 1);
    if !names::dns1123_label(&longest).is_empty() {
        let detail = format!("will not able to create pod with invalid DNS label: {longest}");
        let metadata = path.child("metadata");
        walk.errors.push(FieldError::invalid(metadata.child("name"), name, detail));
    }
}

fn exit_codes<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let path = path.child("values");
    let codes: Vec<i64> = here.list_at(&["values"]).iter().filter_map(Value::as_int).collect();
    for (at, code) in codes.iter().enumerate() {
        if *code == 0 && text(here, "operator") == "In" {
            let detail = "must not be 0 for the In operator";
            walk.errors.push(FieldError::invalid(path.index(at), *code, detail));
        }
        if codes[..at].contains(code) {
            walk.errors.push(FieldError::duplicate(path.index(at), *code));
        }
    }
    if !codes.is_sorted() {
        let shown = BadValue::json(field(here, "values"));
        walk.errors.push(FieldError::invalid(path, shown, "must be ordered"));
    }
}

fn success_rule<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let job = walk.scope.anchors[JOB as usize];
    let completions = field(job, "completions").as_int().unwrap_or(0);
    let (indexes, count) = (field(here, "succeededIndexes"), field(here, "succeededCount"));
    if indexes.is_null() && count.is_null() {
        let detail = "at least one of succeededCount or succeededIndexes must be specified";
        walk.errors.push(FieldError::required(path, detail));
    }
    let mut total = 0;
    if let Some(list) = indexes.as_str() {
        let at = path.child("succeededIndexes");
        if list.len() > 64 << 10 {
            walk.errors.push(FieldError::too_long(at, 64 << 10));
        }
        match count_indexes(list, completions) {
            Ok(number) => total = number,
            Err(why) => {
                let detail = format!("error parsing succeededIndexes: {why}");
                walk.errors.push(FieldError::invalid(at, list, detail));
            }
        }
    }
    let Some(count) = count.as_int() else { return };
    let at = path.child("succeededCount");
    let mut add = |wrong: bool, detail: String| {
        if wrong {
            walk.errors.push(FieldError::invalid(at, count, detail));
        }
    };
    add(count < 0, "must be greater than or equal to 0".into());
    add(
        count > completions,
        format!(
            "must be less than or equal to {completions} (the number of specified completions)"
        ),
    );
    add(
        !indexes.is_null() && count > total,
        format!(
            "must be less than or equal to {total} (the number of indexes in the specified \
             succeededIndexes field)"
        ),
    );
}

/// How many indexes a list such as `1,3-5` names.
pub(super) fn count_indexes(list: &str, completions: i64) -> Result<i64, String> {
    let mut last: Option<i64> = None;
    let mut total = 0;
    for interval in list.split(',').filter(|_| !list.is_empty()) {
        let (from, to) = index_interval(interval, completions)?;
        if let Some(last) = last.filter(|last| *last >= from) {
            return Err(format!("non-increasing order, previous: {last}, current: {from}"));
        }
        total += to - from + 1;
        last = Some(to);
    }
    Ok(total)
}

pub(super) fn index_interval(interval: &str, completions: i64) -> Result<(i64, i64), String> {
    let parts: Vec<&str> = interval.split('-').collect();
    if parts.len() > 2 {
        return Err(format!(
            "the fragment {} violates the requirement that an index interval can have at most two \
             parts separated by '-'",
            go_quote(interval)
        ));
    }
    let index = |text: &str| -> Result<i64, String> {
        let number: i64 = text.parse().map_err(|_| {
            format!("cannot convert string to integer for index: {}", go_quote(text))
        })?;
        if number >= completions {
            return Err(format!("too large index: {}", go_quote(text)));
        }
        Ok(number)
    };
    let from = index(parts[0])?;
    let Some(to) = parts.get(1) else { return Ok((from, from)) };
    let to = index(to)?;
    if from >= to {
        return Err(format!("non-increasing order, previous: {from}, current: {to}"));
    }
    Ok((from, to))
}

/// Completions stay, except that an indexed Job may be resized together with its parallelism.
fn job_completions<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let (spec, old) = (field(here, "spec"), field(walk.scope.old, "spec"));
    let completions = field(spec, "completions");
    if completions == field(old, "completions") {
        return;
    }
    let indexed = text(spec, "completionMode") == "Indexed";
    let detail = if !indexed {
        "field is immutable"
    } else if !completions.is_null() && completions != field(spec, "parallelism") {
        "can only be modified in tandem with spec.parallelism"
    } else {
        return;
    };
    let at = path.child("spec");
    let shown = BadValue::json(completions);
    walk.errors.push(FieldError::invalid(at.child("completions"), shown, detail));
}

/// A suspended Job whose pods are gone may still move where its pods go and what they ask for.
fn job_template_changes<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let old_job = walk.scope.old;
    let (spec, old_spec) = (field(here, "spec"), field(old_job, "spec"));
    let template = field(spec, "template");
    let mut old = field(old_spec, "template").clone();
    let status = field(old_job, "status");
    let suspended = field(old_spec, "suspend").as_bool() == Some(true);
    let still = is_zero(field(status, "startTime")) || has_condition(status, "Suspended");
    let movable = suspended && still && is_zero(field(status, "active"));
    if movable {
        allow_directives(&mut old, template);
    }
    let path = path.child("spec");
    if !movable {
        immutable(walk, template, &old, "PodTemplateSpec", &path.child("template"));
        return;
    }
    allow_resources(&mut old, template);
    let pod = field(template, "spec");
    immutable(walk, pod, field(&old, "spec"), "PodSpec", &path.child("template.spec"));
}

pub(super) fn has_condition(status: &Value, kind: &str) -> bool {
    status
        .list_at(&["conditions"])
        .iter()
        .any(|condition| text(condition, "type") == kind && text(condition, "status") == "True")
}

fn allow_directives(old: &mut Value, new: &Value) {
    let affinity = new.at(&["spec", "affinity", "nodeAffinity"]).cloned();
    match affinity {
        Some(affinity) => old.set(&["spec", "affinity", "nodeAffinity"], affinity),
        None => {
            old.remove(&["spec", "affinity", "nodeAffinity"]);
            let bare = old.at(&["spec", "affinity"]).is_some_and(Value::is_empty);
            if bare && new.at(&["spec", "affinity"]).is_none() {
                old.remove(&["spec", "affinity"]);
            }
        }
    }
    for path in [
        ["spec", "nodeSelector"],
        ["spec", "tolerations"],
        ["metadata", "annotations"],
        ["metadata", "labels"],
        ["spec", "schedulingGates"],
    ] {
        match new.at(&path) {
            Some(value) => old.set(&path, value.clone()),
            None => {
                old.remove(&path);
            }
        }
    }
}

fn allow_resources(old: &mut Value, new: &Value) {
    for list in ["containers", "initContainers"] {
        let wanted = new.list_at(&["spec", list]);
        if wanted.is_empty() || wanted.len() != old.list_at(&["spec", list]).len() {
            continue;
        }
        let containers = old.map_mut().entry("spec").map_mut().entry(list).list_mut();
        for (container, wanted) in containers.iter_mut().zip(wanted) {
            if text(container, "name") == text(wanted, "name") {
                keep(container, wanted, "resources");
            }
        }
    }
}

fn immutable(walk: &mut Walk<'_, '_>, new: &Value, old: &Value, shape: &str, path: &Path<'_>) {
    let Some(shape) = shapes::by_name(shape) else { return };
    if !shapes::equal(new, old, Some(shape)) {
        let shown = BadValue::raw(shapes::internal(new, shape).to_json());
        walk.errors.push(FieldError::invalid(path, shown, "field is immutable"));
    }
}
