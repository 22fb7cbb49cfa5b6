//! Resources of a pod as a whole, and what its containers add up to.

use std::collections::BTreeMap;

use super::CheckFn;
use super::resources::{NameRule, claims, entries, is_pod_level, may_overcommit, requirements};
use crate::api::rules::check::{Walk, quantity};
use crate::api::rules::reference::{field, text};
use crate::api::{FieldError, Path};
use crate::base::{Quantity, Value};

pub(super) const CHECKS: &[(&str, CheckFn)] = &[("pod_level_resources", pod_level_resources)];

/// Amounts by resource name.
type Amounts = BTreeMap<String, Quantity>;

/// The resources of the pod that stands here.
fn pod_level_resources<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let resources = field(here, "resources");
    let path = path.child("resources");
    if text(field(here, "os"), "name") == "windows" {
        walk.errors.push(FieldError::forbidden(path, "may not be set for a windows pod"));
        return;
    }
    if !field(resources, "claims").is_null() {
        let detail = "claims may not be set for Resources at pod-level";
        walk.errors.push(FieldError::forbidden(path.child("claims"), detail));
    }
    let (limits, requests) = (field(resources, "limits"), field(resources, "requests"));
    requirements(walk, limits, requests, &path, NameRule::Pod);
    claims(walk, field(resources, "claims"), &path.child("claims"));
    at_least_the_sum(walk, here, requests, "requests", &path.child("requests"));
    at_least_the_sum(walk, here, limits, "limits", &path.child("limits"));
    within_pod_limits(walk, here, limits, &path.child("containers"));
}

/// The pod's amounts cover those of its containers; of limits only huge pages must.
fn at_least_the_sum(
    walk: &mut Walk<'_, '_>,
    pod: &Value,
    of_pod: &Value,
    what: &str,
    path: &Path<'_>,
) {
    for (name, sum) in aggregate(pod, what) {
        if what == "limits" && !name.starts_with("hugepages-") {
            continue;
        }
        let Some(amount) = of_pod.get(&name).map(quantity) else { continue };
        if sum > amount {
            let detail =
                format!("must be greater than or equal to aggregate container {what} of {sum}");
            walk.errors.push(FieldError::invalid(path.key(&name), &amount.to_string(), detail));
        }
    }
}

fn within_pod_limits(walk: &mut Walk<'_, '_>, pod: &Value, limits: &Value, path: &Path<'_>) {
    for (at, container) in pod.list_at(&["containers"]).iter().enumerate() {
        let item = path.index(at);
        for (name, value) in entries(field(field(container, "resources"), "limits")) {
            let Some(limit) = limits.get(name).map(quantity) else { continue };
            let amount = quantity(value);
            if amount > limit {
                let detail = format!("must be less than or equal to pod limits of {limit}");
                let key = item.key(name);
                let at = key.child("limits");
                walk.errors.push(FieldError::invalid(at, &amount.to_string(), detail));
            }
        }
    }
}

/// What the containers of a pod need together: all at once, or what the most demanding init
/// container needs beside the sidecars started before it.
pub(super) fn aggregate(pod: &Value, what: &str) -> Amounts {
    let mut total = Amounts::new();
    for container in pod.list_at(&["containers"]) {
        add(&mut total, container, what);
    }
    let (mut sidecars, mut most) = (Amounts::new(), Amounts::new());
    for container in pod.list_at(&["initContainers"]) {
        let needs = if text(container, "restartPolicy") == "Always" {
            add(&mut total, container, what);
            add(&mut sidecars, container, what);
            sidecars.clone()
        } else {
            let mut needs = sidecars.clone();
            add(&mut needs, container, what);
            needs
        };
        raise(&mut most, needs);
    }
    raise(&mut total, most);
    total
}

fn add(into: &mut Amounts, container: &Value, what: &str) {
    for (name, value) in entries(field(field(container, "resources"), what)) {
        let amount = quantity(value);
        into.entry(name.to_owned()).and_modify(|sum| *sum += amount).or_insert(amount);
    }
}

fn raise(into: &mut Amounts, other: Amounts) {
    for (name, amount) in other {
        let known = into.entry(name).or_insert(amount);
        if amount > *known {
            *known = amount;
        }
    }
}

/// The resources of a pod completed from those of its containers: huge pages as limits, the
/// rest as requests. `None` when nothing is missing.
pub(super) fn completed(pod: &Value) -> Option<Value> {
    let resources = field(pod, "resources");
    let (limits, requests) = (field(resources, "limits"), field(resources, "requests"));
    if limits.is_empty() && requests.is_empty() {
        return None;
    }
    let mut wanted = resources.clone();
    for (name, sum) in aggregate(pod, "limits") {
        let open = limits.get(&name).is_none() && requests.get(&name).is_none();
        if open && name.starts_with("hugepages-") {
            wanted.set(&["limits", &name], sum.to_string());
        }
    }
    let limits = field(&wanted, "limits").clone();
    if !limits.is_empty() {
        let mut missing = |name: &str, amount: String| {
            if wanted.at(&["requests", name]).is_none() {
                wanted.set(&["requests", name], amount);
            }
        };
        for (name, sum) in aggregate(pod, "requests") {
            if is_pod_level(&name) && may_overcommit(&name) {
                missing(&name, sum.to_string());
            }
        }
        for (name, value) in entries(&limits).filter(|(name, _)| is_pod_level(name)) {
            missing(name, quantity(value).to_string());
        }
    }
    (wanted != *resources).then_some(wanted)
}

/// The quality of service a pod gets from what it asks for.
pub(super) fn quality_of_service(pod: &Value) -> &'static str {
    let spec = field(pod, "spec");
    let own = field(spec, "resources");
    let parts: Vec<&Value> = if own.is_null() {
        let lists = ["containers", "initContainers"];
        let all = lists.iter().flat_map(|list| spec.list_at(&[list]));
        all.map(|container| field(container, "resources")).collect()
    } else {
        vec![own]
    };
    let (mut requests, mut limits) = (Amounts::new(), Amounts::new());
    let mut guaranteed = true;
    for part in parts {
        add_compute(&mut requests, field(part, "requests"));
        let found = add_compute(&mut limits, field(part, "limits"));
        let needs_limits = own.is_null() || !field(part, "limits").is_empty();
        guaranteed &= found == 2 || !needs_limits;
    }
    match (requests.is_empty() && limits.is_empty(), guaranteed && requests == limits) {
        (true, _) => "BestEffort",
        (false, true) => "Guaranteed",
        (false, false) => "Burstable",
    }
}

/// Adds CPU and memory that are more than nothing; returns how many of the two there are.
fn add_compute(into: &mut Amounts, list: &Value) -> usize {
    let mut found = 0;
    for name in ["cpu", "memory"] {
        let amount = list.get(name).map_or(Quantity::ZERO, quantity);
        if amount.sign() > 0 {
            found += 1;
            into.entry(name.to_owned()).and_modify(|sum| *sum += amount).or_insert(amount);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{aggregate, quality_of_service};
    use crate::base::Value;

    fn pod(containers: &str, init: &str) -> Value {
        let text =
            format!(r#"{{"spec":{{"containers":[{containers}],"initContainers":[{init}]}}}}"#);
        Value::from_json(&text).unwrap()
    }

    #[test]
    fn sidecars_count_with_containers_and_with_later_init_containers() {
        let container = r#"{"resources":{"requests":{"cpu":"1"}}}"#;
        let sidecar = r#"{"restartPolicy":"Always","resources":{"requests":{"cpu":"500m"}}}"#;
        let init = r#"{"resources":{"requests":{"cpu":"2"}}}"#;
        let pod = pod(container, &format!("{sidecar},{init}"));
        let sums = aggregate(pod.get("spec").unwrap(), "requests");
        assert_eq!(sums["cpu"].to_string(), "2500m");
    }

    #[test]
    fn equal_requests_and_limits_guarantee() {
        let full = r#"{"resources":{"requests":{"cpu":"1","memory":"1Gi"},"limits":{"cpu":"1000m","memory":"1Gi"}}}"#;
        assert_eq!(quality_of_service(&pod(full, "")), "Guaranteed");
        let part = r#"{"resources":{"requests":{"cpu":"1"}}}"#;
        assert_eq!(quality_of_service(&pod(part, "")), "Burstable");
        assert_eq!(quality_of_service(&pod(&format!("{full},{{}}"), "")), "Burstable");
        assert_eq!(quality_of_service(&pod("{}", "")), "BestEffort");
    }
}
