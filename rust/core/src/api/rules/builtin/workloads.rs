//! StatefulSets and Jobs: what their parts must agree on, and what may change.

use super::{CheckFn, argument};
use crate::api::rules::check::Walk;
use crate::api::rules::formats::int_or_percent;
use crate::api::rules::reference::{NULL, field, is_zero, text};
use crate::api::rules::shapes;
use crate::api::{BadValue, FieldError, Path};
use crate::base::{Value, go_quote, names};

pub(super) const CHECKS: &[(&str, CheckFn)] = &[
    ("int_or_percent", check_int_or_percent),
    ("at_most_100_percent", at_most_100_percent),
    ("stateful_template", stateful_template),
    ("stateful_set_changes", stateful_set_changes),
    ("generated_selector", generated_selector),
    ("indexed_job_name", indexed_job_name),
    ("exit_codes", exit_codes),
    ("success_rule", success_rule),
    ("job_completions", job_completions),
    ("job_template_changes", job_template_changes),
    ("job_status", job_status),
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
    if !selector.is_null() && !super::selectors::selects(selector, labels) {
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
    names.dedup();
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

fn keep(value: &mut Value, old: &Value, name: &str) {
    match old.get(name) {
        Some(kept) => {
            value.map_mut().insert(name, kept.clone());
        }
        None => {
            value.map_mut().remove(name);
        }
    }
}

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
    for (label, of_uid) in LABELS {
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
    let job = walk.scope.anchors[crate::api::rules::compile::JOB as usize];
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
fn count_indexes(list: &str, completions: i64) -> Result<i64, String> {
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

fn index_interval(interval: &str, completions: i64) -> Result<(i64, i64), String> {
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

fn has_condition(status: &Value, kind: &str) -> bool {
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

/// The status of the Job that stands here. What was already wrong may stay so.
fn job_status<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let (status, old) = (field(here, "status"), field(walk.scope.old, "status"));
    let path = path.child("status");
    for name in ["active", "succeeded", "failed", "ready", "terminating"] {
        let number = count_of(status, name);
        if number < 0 {
            let detail = "must be greater than or equal to 0";
            walk.errors.push(FieldError::invalid(path.child(name), number, detail));
        }
    }
    let mut refuse = |wrong: bool, name: &str, shown: BadValue, detail: &str| {
        if wrong {
            walk.errors.push(FieldError::invalid(path.child(name), shown, detail));
        }
    };
    let is = |kind: &str| has_condition(status, kind);
    let became = |kind: &str| has_condition(status, kind) != has_condition(old, kind);
    let changed = |name: &str| field(status, name) != field(old, name);
    let ended = is("Complete") || is("Failed");
    let end_changed = became("Complete") || became("Failed");
    refuse(
        is("Complete") && is("Failed") && end_changed,
        "conditions",
        BadValue::OMITTED,
        "cannot set Complete=True and Failed=true conditions",
    );
    let active = count_of(status, "active");
    refuse(
        active > 0 && ended && (end_changed || changed("active")),
        "active",
        active.into(),
        "active>0 is invalid for finished job",
    );
    let ready = count_of(status, "ready");
    refuse(
        ready > active && (changed("ready") || changed("active")),
        "ready",
        ready.into(),
        "cannot set more ready pods than active",
    );
    for kind in ["Failed", "Complete", "FailureTarget"] {
        refuse(
            has_condition(old, kind) && !is(kind),
            "conditions",
            BadValue::OMITTED,
            &format!("cannot disable the terminal {kind}=True condition"),
        );
    }
    for name in ["failed", "succeeded"] {
        let number = count_of(status, name);
        let detail = format!("cannot decrease the {name} counter");
        refuse(number < count_of(old, name), name, number.into(), &detail);
    }
}

fn count_of(status: &Value, name: &str) -> i64 {
    field(status, name).as_int().unwrap_or(0)
}
