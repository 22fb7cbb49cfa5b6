//! Names of time zones, as a CronJob gives them.

use super::CheckFn;
use crate::api::rules::check::Walk;
use crate::api::{BadValue, FieldError, Path};
use crate::base::Value;

pub(super) const CHECKS: &[(&str, CheckFn)] = &[("time_zone", time_zone)];

/// The zone that stands here.
fn time_zone<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    for problem in problems(here.as_str().unwrap_or_default()) {
        walk.errors.push(FieldError::invalid(path, BadValue::json(here), problem));
    }
}

/// What is wrong with the name of a zone.
pub(in crate::api::rules) fn problems(name: &str) -> Vec<String> {
    if name.is_empty() {
        return vec!["timeZone must be nil or non-empty string".to_owned()];
    }
    if !name.split('/').all(is_part) {
        return vec![format!("unknown time zone {name}")];
    }
    let mut problems = Vec::new();
    if name.eq_ignore_ascii_case("local") {
        let problem = "timeZone must be an explicit time zone as defined in \
                       https://www.iana.org/time-zones";
        problems.push(problem.to_owned());
    }
    if name != "Local" && !is_known(name) {
        problems.push(format!("unknown time zone {name}"));
    }
    problems
}

fn is_part(part: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-+".contains(&byte);
    part != "."
        && part != ".."
        && !part.starts_with('-')
        && (1..=14).contains(&part.len())
        && part.bytes().all(legal)
}

/// Whether the tz database, release 2025b, has a zone of this name.
fn is_known(name: &str) -> bool {
    include_str!("time_zones.txt").lines().any(|line| line == name)
}
