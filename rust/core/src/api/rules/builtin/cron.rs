//! Schedules of CronJobs, in the words of the parser that Kubernetes uses.

use std::ops::RangeInclusive;

use super::CheckFn;
use crate::api::rules::check::Walk;
use crate::api::rules::reference::{field, text};
use crate::api::{FieldError, Path};
use crate::base::{Value, go_quote};

pub(super) const CHECKS: &[(&str, CheckFn)] = &[("schedule_zone", schedule_zone)];

/// A field of a schedule: its range and the names of its values.
struct Field {
    range: RangeInclusive<u64>,
    names: &'static [&'static str],
}

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] = [
    Field { range: 0..=59, names: &[] },
    Field { range: 0..=23, names: &[] },
    Field { range: 1..=31, names: &[] },
    Field { range: 1..=12, names: &MONTHS },
    Field { range: 0..=6, names: &DAYS },
];

/// What is wrong with a schedule: at most one sentence.
pub(in crate::api::rules) fn problems(schedule: &str) -> Vec<String> {
    check(schedule).err().into_iter().collect()
}

fn check(schedule: &str) -> Result<(), String> {
    let mut rest = schedule;
    if schedule.starts_with("TZ=") || schedule.starts_with("CRON_TZ=") {
        let (zone, spec) = schedule
            .split_once(' ')
            .ok_or("invalid schedule format: runtime error: slice bounds out of range [:-1]")?;
        let zone = zone.split_once('=').map_or("", |(_, zone)| zone);
        if let Some(problem) = zone_problem(zone) {
            return Err(format!("provided bad location {zone}: {problem}"));
        }
        rest = spec.trim();
    }
    if rest.starts_with('@') {
        return descriptor(rest);
    }
    let fields: Vec<&str> = rest.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        let shown = fields.join(" ");
        return Err(format!("expected exactly 5 fields, found {}: [{shown}]", fields.len()));
    }
    for (text, field) in fields.iter().zip(&FIELDS) {
        for part in text.split(',').filter(|part| !part.is_empty()) {
            range(part, field)?;
        }
    }
    Ok(())
}

fn zone_problem(zone: &str) -> Option<String> {
    let known = zone.is_empty() || zone == "Local" || super::time_zone::problems(zone).is_empty();
    (!known).then(|| format!("unknown time zone {zone}"))
}

fn descriptor(text: &str) -> Result<(), String> {
    let known = ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];
    if known.contains(&text) {
        return Ok(());
    }
    match text.strip_prefix("@every ") {
        Some(duration) => duration_problem(duration)
            .map_or(Ok(()), |why| Err(format!("failed to parse duration {text}: {why}"))),
        None => Err(format!("unrecognized descriptor: {text}")),
    }
}

/// What Go says about a text that is no duration.
fn duration_problem(text: &str) -> Option<String> {
    let invalid = || Some(format!("time: invalid duration {}", go_quote(text)));
    let mut rest = text.trim_start_matches(['-', '+']);
    if text.len() - rest.len() > 1 || rest.is_empty() {
        return invalid();
    }
    if rest == "0" {
        return None;
    }
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, after) = rest.split_at(unit_at);
        if !number.contains(|c: char| c.is_ascii_digit()) || number.matches('.').count() > 1 {
            return invalid();
        }
        let next = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(next);
        if unit.is_empty() {
            return Some(format!("time: missing unit in duration {}", go_quote(text)));
        }
        if !matches!(unit, "ns" | "us" | "µs" | "μs" | "ms" | "s" | "m" | "h") {
            let (unit, text) = (go_quote(unit), go_quote(text));
            return Some(format!("time: unknown unit {unit} in duration {text}"));
        }
        rest = after;
    }
    None
}

/// `number | number "-" number [ "/" number ]`.
fn range(text: &str, field: &Field) -> Result<(), String> {
    let parts: Vec<&str> = text.split('/').collect();
    let bounds: Vec<&str> = parts[0].split('-').collect();
    let (least, most) = (*field.range.start(), *field.range.end());
    let (start, mut end) = if matches!(bounds[0], "*" | "?") {
        (least, most)
    } else {
        let start = number_or_name(bounds[0], field)?;
        match bounds.len() {
            1 => (start, start),
            2 => (start, number_or_name(bounds[1], field)?),
            _ => return Err(format!("too many hyphens: {text}")),
        }
    };
    let step = match parts.len() {
        1 => 1,
        2 => {
            if bounds.len() == 1 {
                end = most;
            }
            number(parts[1])?
        }
        _ => return Err(format!("too many slashes: {text}")),
    };
    if start < least {
        return Err(format!("beginning of range ({start}) below minimum ({least}): {text}"));
    }
    if end > most {
        return Err(format!("end of range ({end}) above maximum ({most}): {text}"));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {text}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {text}"));
    }
    Ok(())
}

fn number_or_name(text: &str, field: &Field) -> Result<u64, String> {
    let lower = text.to_lowercase();
    match field.names.iter().position(|name| *name == lower) {
        Some(at) => Ok(field.range.start() + at as u64),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u64, String> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let well_formed = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let reason = if well_formed { "value out of range" } else { "invalid syntax" };
    match text.parse::<i64>() {
        Ok(number) if number < 0 => Err(format!("negative number ({number}) not allowed: {text}")),
        Ok(number) => Ok(number as u64),
        Err(_) => {
            let quoted = go_quote(text);
            Err(format!(
                "failed to parse int from {text}: strconv.Atoi: parsing {quoted}: {reason}"
            ))
        }
    }
}

/// The zone is named in a field of its own; a schedule that once named it may go on.
fn schedule_zone<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let schedule = here.as_str().unwrap_or_default();
    if !schedule.contains("TZ") {
        return;
    }
    let allowed = text(field(walk.scope.old, "spec"), "schedule").contains("TZ");
    let zone = field(field(walk.scope.root, "spec"), "timeZone");
    let detail = match (allowed, zone.is_null()) {
        (true, false) => "cannot use both timeZone field and TZ or CRON_TZ in schedule",
        (true, true) => return,
        (false, _) => "cannot use TZ or CRON_TZ in schedule, use timeZone field instead",
    };
    walk.errors.push(FieldError::invalid(path, schedule, detail));
}

#[cfg(test)]
mod tests {
    use super::problems;

    #[test]
    fn schedules_read_as_the_parser_reads_them() {
        for (schedule, problem) in [
            ("*/5 * * * *", ""),
            ("0 0 1 jan-mar mon,fri", ""),
            ("@hourly", ""),
            ("@every 1h30m", ""),
            ("0 0 * * 7", "end of range (7) above maximum (6): 7"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * * *", "expected exactly 5 fields, found 4: [* * * *]"),
            (
                "x * * * *",
                "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax",
            ),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
            ("@never", "unrecognized descriptor: @never"),
            ("@every x", "failed to parse duration @every x: time: invalid duration \"x\""),
        ] {
            assert_eq!(problems(schedule).join("|"), problem, "{schedule}");
        }
    }
}
