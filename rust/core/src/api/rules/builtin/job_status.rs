//! The status of a Job. What was already wrong may stay so: a rule holds only where what it
//! looks at has changed.

use super::CheckFn;
use super::job::{count_indexes, has_condition, index_interval};
use crate::api::rules::check::Walk;
use crate::api::rules::reference::{field, text};
use crate::api::rules::shapes;
use crate::api::{BadValue, FieldError, Path};
use crate::base::Value;

pub(super) const CHECKS: &[(&str, CheckFn)] = &[("job_status", job_status)];

/// A Job before and after, and where its status is.
struct Change<'a> {
    spec: &'a Value,
    status: &'a Value,
    old: &'a Value,
    path: Path<'a>,
}

impl Change<'_> {
    fn is(&self, kind: &str) -> bool {
        has_condition(self.status, kind)
    }

    fn was(&self, kind: &str) -> bool {
        has_condition(self.old, kind)
    }

    fn became(&self, kind: &str) -> bool {
        self.is(kind) != self.was(kind)
    }

    fn has_ended(&self) -> bool {
        self.is("Complete") || self.is("Failed")
    }

    fn end_changed(&self) -> bool {
        self.has_ended() != (self.was("Complete") || self.was("Failed"))
    }

    fn changed(&self, name: &str) -> bool {
        field(self.status, name) != field(self.old, name)
    }

    fn count(&self, name: &str) -> i64 {
        count_of(self.status, name)
    }

    fn is_indexed(&self) -> bool {
        text(self.spec, "completionMode") == "Indexed"
    }

    /// An error that shows the field as JSON.
    fn invalid(&self, name: &str, detail: &str) -> FieldError {
        let shown = BadValue::json(field(self.status, name));
        FieldError::invalid(self.path.child(name), shown, detail)
    }

    /// An error of the conditions, which are not shown.
    fn conditions(&self, detail: &str) -> FieldError {
        FieldError::invalid(self.path.child("conditions"), BadValue::OMITTED, detail)
    }
}

fn job_status<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let change = Change {
        spec: field(here, "spec"),
        status: field(here, "status"),
        old: field(walk.scope.old, "status"),
        path: path.child("status"),
    };
    let errors = &mut walk.errors;
    for name in ["active", "succeeded", "failed", "ready", "terminating"] {
        if change.count(name) < 0 {
            errors.push(change.invalid(name, "must be greater than or equal to 0"));
        }
    }
    uncounted(&change, errors);
    completion(&change, errors);
    ended(&change, errors);
    indexes(&change, errors);
    counters(&change, errors);
    success(&change, errors);
    changes(&change, errors);
}

/// Pods waiting to be counted are named once.
fn uncounted(change: &Change<'_>, errors: &mut Vec<FieldError>) {
    let path = change.path.child("uncountedTerminatedPods");
    let mut seen: Vec<&str> = Vec::new();
    for name in ["succeeded", "failed"] {
        let list = path.child(name);
        for (at, uid) in
            change.status.list_at(&["uncountedTerminatedPods", name]).iter().enumerate()
        {
            let shown = uid.as_str().unwrap_or_default();
            if shown.is_empty() {
                errors.push(FieldError::invalid(list.index(at), shown, "must not be empty"));
            } else if seen.contains(&shown) {
                errors.push(FieldError::duplicate(list.index(at), shown));
            } else {
                seen.push(shown);
            }
        }
    }
}

/// The conditions of a complete Job and its times.
fn completion(change: &Change<'_>, errors: &mut Vec<FieldError>) {
    let complete = change.is("Complete");
    let completed = field(change.status, "completionTime");
    if complete && change.is("Failed") && (change.became("Complete") || change.became("Failed")) {
        errors.push(change.conditions("cannot set Complete=True and Failed=true conditions"));
    }
    let target_changed = change.became("Complete") || change.became("FailureTarget");
    if complete && change.is("FailureTarget") && target_changed {
        errors
            .push(change.conditions("cannot set Complete=True and FailureTarget=true conditions"));
    }
    let time_changed = change.became("Complete") || change.changed("completionTime");
    if !completed.is_null() && !complete && time_changed {
        let detail = "cannot set completionTime when there is no Complete=True condition";
        errors.push(change.invalid("completionTime", detail));
    }
    if completed.is_null() && complete && time_changed {
        let detail = "completionTime is required for Complete jobs";
        errors.push(FieldError::required(change.path.child("completionTime"), detail));
    }
    let started = text(change.status, "startTime");
    let times_changed = change.changed("startTime") || change.changed("completionTime");
    let before = completed.as_str().is_some_and(|end| !started.is_empty() && end < started);
    if before && times_changed {
        errors.push(change.invalid("completionTime", "must be equal to or after `startTime`"));
    }
    let failed_changed = change.became("Failed") || change.changed("failedIndexes");
    if change.is("Failed") && !change.is("FailureTarget") && failed_changed {
        let detail = "cannot set Failed=True condition without the FailureTarget=true condition";
        errors.push(change.conditions(detail));
    }
    let met_changed = change.became("Complete") || change.became("SuccessCriteriaMet");
    if complete && !change.is("SuccessCriteriaMet") && met_changed {
        let detail =
            "cannot set Complete=True condition without the SuccessCriteriaMet=true condition";
        errors.push(change.conditions(detail));
    }
}

/// What a Job that has ended may not have any more.
fn ended(change: &Change<'_>, errors: &mut Vec<FieldError>) {
    if !change.has_ended() {
        return;
    }
    if change.count("active") > 0 && (change.end_changed() || change.changed("active")) {
        errors.push(change.invalid("active", "active>0 is invalid for finished job"));
    }
    let idle = field(change.spec, "suspend").as_bool() == Some(true)
        && field(change.spec, "completions").as_int() == Some(0);
    let start_changed = change.end_changed() || change.changed("startTime");
    if field(change.status, "startTime").is_null() && start_changed && !idle {
        let detail = "startTime is required for finished job";
        errors.push(FieldError::required(change.path.child("startTime"), detail));
    }
    let name = "uncountedTerminatedPods";
    let pods = field(change.status, name);
    let waiting = pods.list_at(&["failed"]).len() + pods.list_at(&["succeeded"]).len() > 0;
    let same = shapes::equal(pods, field(change.old, name), None);
    if waiting && (change.end_changed() || !same) {
        let shown = match shapes::by_name("UncountedTerminatedPods") {
            Some(shape) => BadValue::raw(shapes::internal(pods, shape).to_json()),
            None => BadValue::json(pods),
        };
        let detail = "must be empty for finished job";
        errors.push(FieldError::invalid(change.path.child(name), shown, detail));
    }
}

/// Indexes are written in order, below the completions, each in one list.
fn indexes(change: &Change<'_>, errors: &mut Vec<FieldError>) {
    let completed = text(change.status, "completedIndexes");
    let failed = field(change.status, "failedIndexes").as_str();
    let old = |name: &str| text(change.old, name);
    let completed_changed = completed != old("completedIndexes");
    let failed_changed =
        field(change.status, "failedIndexes") != field(change.old, "failedIndexes");
    let completions = field(change.spec, "completions").as_int();
    let limited = !field(change.spec, "backoffLimitPerIndex").is_null();
    let parse = |name: &str, list: &str, errors: &mut Vec<FieldError>| {
        let Some(completions) = completions else { return };
        if let Err(error) = count_indexes(list, completions) {
            errors.push(change.invalid(name, &format!("error parsing {name}: {error}")));
        }
    };
    let shown = |name: &str, list: &str, detail: &str| {
        FieldError::invalid(change.path.child(name), list, detail)
    };
    if completed_changed && !completed.is_empty() {
        parse("completedIndexes", completed, errors);
    }
    if let Some(failed) = failed.filter(|_| failed_changed && limited) {
        parse("failedIndexes", failed, errors);
    }
    if completed_changed && !completed.is_empty() && !change.is_indexed() {
        let detail = "cannot set non-empty completedIndexes when non-indexed completion mode";
        errors.push(shown("completedIndexes", completed, detail));
    }
    let Some(failed) = failed else { return };
    if failed_changed && !limited {
        let detail = "cannot set non-null failedIndexes when backoffLimitPerIndex is null";
        errors.push(shown("failedIndexes", failed, detail));
    }
    if let Some(completions) = completions.filter(|_| failed_changed || completed_changed)
        && let Some(at) = overlap(completed, failed, completions)
    {
        let detail = format!("failedIndexes and completedIndexes overlap at index: {at}");
        errors.push(shown("failedIndexes", failed, &detail));
    }
}

/// The first index that both lists name; parts that cannot be read name none.
fn overlap(completed: &str, failed: &str, completions: i64) -> Option<i64> {
    let read = |list: &str| -> Vec<(i64, i64)> {
        list.split(',').filter_map(|part| index_interval(part, completions).ok()).collect()
    };
    let (completed, failed) = (read(completed), read(failed));
    let (mut c, mut f) = (0, 0);
    while let (Some(done), Some(lost)) = (completed.get(c), failed.get(f)) {
        if done.0 <= lost.1 && lost.0 <= done.1 {
            return Some(done.0.max(lost.0));
        }
        if done.0 <= lost.0 {
            c += 1;
        } else {
            f += 1;
        }
    }
    None
}

fn counters(change: &Change<'_>, errors: &mut Vec<FieldError>) {
    let terminating_changed = change.end_changed() || change.changed("terminating");
    if change.count("terminating") > 0 && change.has_ended() && terminating_changed {
        errors.push(change.invalid("terminating", "terminating>0 is invalid for finished job"));
    }
    let changed =
        change.changed("ready") || count_of(change.old, "active") != change.count("active");
    if change.count("ready") > change.count("active") && changed {
        errors.push(change.invalid("ready", "cannot set more ready pods than active"));
    }
}

/// A Job whose success criteria are met has not failed.
fn success(change: &Change<'_>, errors: &mut Vec<FieldError>) {
    if change.is("SuccessCriteriaMet") {
        for kind in ["Failed", "FailureTarget"] {
            if change.is(kind) {
                let detail =
                    format!("cannot set SuccessCriteriaMet=True and {kind}=true conditions");
                errors.push(change.conditions(&detail));
            }
        }
    } else if !field(change.spec, "successPolicy").is_null() && change.is("Complete") {
        let detail =
            "cannot set Complete=True for Job with SuccessPolicy unless SuccessCriteriaMet=True";
        errors.push(change.conditions(detail));
    }
}

/// What never goes back.
fn changes(change: &Change<'_>, errors: &mut Vec<FieldError>) {
    for kind in ["Failed", "Complete", "FailureTarget"] {
        if change.was(kind) && !change.is(kind) {
            errors.push(
                change.conditions(&format!("cannot disable the terminal {kind}=True condition")),
            );
        }
    }
    let spec = |name: &str| field(change.spec, name);
    let resizable = change.is_indexed() && spec("completions") == spec("parallelism");
    for (name, falls) in [("failed", false), ("succeeded", resizable)] {
        if change.count(name) < count_of(change.old, name) && !falls {
            let (at, detail) =
                (change.path.child(name), format!("cannot decrease the {name} counter"));
            errors.push(FieldError::invalid(at, change.count(name), detail));
        }
    }
    let set_before = |name: &str| !field(change.old, name).is_null() && change.changed(name);
    if set_before("completionTime") && !field(change.status, "completionTime").is_null() {
        errors.push(change.invalid("completionTime", "field is immutable"));
    }
    let suspended = spec("suspend").as_bool() == Some(true);
    let resuming = change.was("Suspended") && is_false(change.status, "Suspended");
    if set_before("startTime") && !suspended && !resuming {
        let detail = "field is immutable for unsuspended job once set";
        errors.push(change.invalid("startTime", detail));
    }
    let met = "SuccessCriteriaMet";
    if change.was(met) && !change.is(met) {
        errors.push(change.conditions("cannot disable the SuccessCriteriaMet=True condition"));
    }
    if change.was("Complete") && !change.was(met) && change.is(met) {
        let detail =
            "cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions";
        errors.push(change.conditions(detail));
    }
}

fn is_false(status: &Value, kind: &str) -> bool {
    let mut conditions = status.list_at(&["conditions"]).iter();
    conditions.any(|one| text(one, "type") == kind && text(one, "status") == "False")
}

fn count_of(status: &Value, name: &str) -> i64 {
    field(status, name).as_int().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::overlap;

    #[test]
    fn lists_overlap_where_both_name_an_index() {
        assert_eq!(overlap("0-3,7", "4-6", 10), None);
        assert_eq!(overlap("0-3,7", "4-7", 10), Some(7));
        assert_eq!(overlap("x,5", "1,5", 10), Some(5), "what cannot be read names nothing");
    }
}
