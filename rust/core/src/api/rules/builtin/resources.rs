//! Resource names and amounts: requests and limits of containers, pods, nodes.

use super::{CheckFn, argument};
use crate::api::rules::check::{Walk, quantity};
use crate::api::rules::compile::POD;
use crate::api::rules::reference::{field, text};
use crate::api::{BadValue, FieldError, Path};
use crate::base::{Map, Quantity, Value, names};

pub(super) const CHECKS: &[(&str, CheckFn)] = &[
    ("resources", resources),
    ("overhead", overhead),
    ("node_resources", node_resources),
    ("container_resource_name", container_resource_name_here),
];

const STANDARD: [&str; 20] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "storage",
    "requests.storage",
    "services.nodeports",
    "services.loadbalancers",
];

const WHOLE: [&str; 9] = [
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

/// Which names a list of resources may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum NameRule {
    Container,
    Pod,
    Any,
}

/// Requests and limits of what stands here.
fn resources<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, arguments: &Value) {
    let rule =
        if argument(arguments, "names") == "pod" { NameRule::Pod } else { NameRule::Container };
    requirements(walk, field(here, "limits"), field(here, "requests"), path, rule);
    claims(walk, field(here, "claims"), &path.child("claims"));
}

fn overhead<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    requirements(walk, here, &Value::Null, path, NameRule::Container);
}

pub(super) fn requirements(
    walk: &mut Walk<'_, '_>,
    limits: &Value,
    requests: &Value,
    path: &Path<'_>,
    rule: NameRule,
) {
    let (limits_path, requests_path) = (path.child("limits"), path.child("requests"));
    let mut huge = false;
    let mut computes = false;
    for (name, value) in entries(limits) {
        let at = limits_path.key(name);
        let amount = quantity(value);
        resource_name(walk, name, &at, rule);
        resource_amount(walk, name, amount, &at);
        huge |= huge_pages(walk, name, amount, &at);
        computes |= matches!(name, "cpu" | "memory");
    }
    for (name, value) in entries(requests) {
        let at = requests_path.key(name);
        let amount = quantity(value);
        resource_name(walk, name, &at, rule);
        resource_amount(walk, name, amount, &at);
        within_limit(walk, name, amount, limits, (&limits_path, &requests_path));
        huge |= huge_pages(walk, name, amount, &at);
        computes |= matches!(name, "cpu" | "memory");
    }
    if huge && !computes {
        walk.errors.push(FieldError::forbidden(path, "HugePages require cpu or memory"));
    }
}

fn within_limit(
    walk: &mut Walk<'_, '_>,
    name: &str,
    amount: Quantity,
    limits: &Value,
    (limits_path, requests_path): (&Path<'_>, &Path<'_>),
) {
    let Some(limit) = limits.get(name).map(quantity) else {
        if !may_overcommit(name) {
            let detail = "Limit must be set for non overcommitable resources";
            walk.errors.push(FieldError::required(limits_path, detail));
        }
        return;
    };
    let relation = if amount != limit && !may_overcommit(name) {
        "equal to"
    } else if amount > limit {
        "less than or equal to"
    } else {
        return;
    };
    let detail = format!("must be {relation} {name} limit of {limit}");
    walk.errors.push(FieldError::invalid(requests_path, &amount.to_string(), detail));
}

/// True for huge pages, whose amount must be whole pages.
fn huge_pages(walk: &mut Walk<'_, '_>, name: &str, amount: Quantity, path: &Path<'_>) -> bool {
    let Some(size) = name.strip_prefix("hugepages-") else { return false };
    let size = Quantity::parse(size).unwrap_or(Quantity::ZERO);
    let whole = size.sign() > 0
        && size.milli_value() % 1000 == 0
        && size.value() != 0
        && amount.value() % size.value() == 0;
    if !whole {
        let detail = format!("{amount} is not positive integer multiple of {name}");
        walk.errors.push(FieldError::invalid(path, &amount.to_string(), detail));
    }
    true
}

/// An amount that is not negative, and whole where the resource is counted.
pub(super) fn resource_amount(
    walk: &mut Walk<'_, '_>,
    name: &str,
    amount: Quantity,
    path: &Path<'_>,
) {
    if amount.sign() < 0 {
        let detail = "must be greater than or equal to 0";
        walk.errors.push(FieldError::invalid(path, &amount.to_string(), detail));
    }
    if is_whole(name) && amount.milli_value() % 1000 != 0 {
        let shown = BadValue::json(&Value::from(amount.to_string()));
        walk.errors.push(FieldError::invalid(path, shown, "must be an integer"));
    }
}

/// A name that is qualified and, without a domain, known. False when it is malformed.
pub(super) fn plain_resource_name(walk: &mut Walk<'_, '_>, name: &str, path: &Path<'_>) -> bool {
    let shown = || BadValue::json(&Value::from(name));
    if is_common(name) {
        return true;
    }
    let problems = names::label_key(name);
    let sound = problems.is_empty();
    for problem in problems {
        walk.errors.push(FieldError::invalid(path, shown(), problem));
    }
    if sound && !name.contains('/') && !is_standard(name) {
        let detail = "must be a standard resource type or fully qualified";
        walk.errors.push(FieldError::invalid(path, shown(), detail));
        return false;
    }
    sound
}

pub(super) fn resource_name(walk: &mut Walk<'_, '_>, name: &str, path: &Path<'_>, rule: NameRule) {
    let sound = plain_resource_name(walk, name, path);
    match rule {
        NameRule::Any => {}
        NameRule::Container => container_resource_name(walk, name, path),
        NameRule::Pod if sound && !is_pod_level(name) => {
            let supported = ["cpu", "hugepages-", "memory"];
            let shown = BadValue::json(&Value::from(name));
            walk.errors.push(FieldError::not_supported(path, shown, supported));
        }
        NameRule::Pod => {}
    }
}

fn container_resource_name(walk: &mut Walk<'_, '_>, name: &str, path: &Path<'_>) {
    let detail = if !name.contains('/') {
        let known = matches!(name, "cpu" | "memory" | "ephemeral-storage");
        if known || name.starts_with("hugepages-") {
            return;
        }
        "must be a standard resource for containers"
    } else if is_native(name) || is_extended(name) {
        return;
    } else {
        "doesn't follow extended resource name standard"
    };
    let shown = BadValue::json(&Value::from(name));
    walk.errors.push(FieldError::invalid(path, shown, detail));
}

fn container_resource_name_here<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    _: &Value,
) {
    let name = here.as_str().unwrap_or_default();
    resource_name(walk, name, path, NameRule::Container);
}

/// A container may use the devices that the pod claims, each once.
pub(super) fn claims(walk: &mut Walk<'_, '_>, claims: &Value, path: &Path<'_>) {
    let Some(claims) = claims.as_list() else { return };
    let pod = walk.scope.anchors[POD as usize];
    let claimed = pod.list_at(&["resourceClaims"]).iter().map(|claim| text(claim, "name"));
    let mut known: Vec<&str> = claimed.filter(|name| !name.is_empty()).collect();
    known.sort_unstable();
    known.dedup();
    let mut seen: Vec<String> = Vec::new();
    for (index, claim) in claims.iter().enumerate() {
        let at = path.index(index);
        let name = text(claim, "name");
        if name.is_empty() {
            walk.errors.push(FieldError::required(at, ""));
            continue;
        }
        unique_claim(walk, name, text(claim, "request"), &mut seen, &at);
        if !known.contains(&name) {
            let mut error = FieldError::not_found(at, name);
            let place = "must be one of the names in pod.spec.resourceClaims";
            error.detail = if known.is_empty() {
                format!("{place} which is empty")
            } else {
                format!("{place}: {}", known.join(", "))
            };
            walk.errors.push(error);
        }
    }
}

fn unique_claim(
    walk: &mut Walk<'_, '_>,
    name: &str,
    request: &str,
    seen: &mut Vec<String>,
    path: &Path<'_>,
) {
    if seen.iter().any(|known| known == name) {
        walk.errors.push(FieldError::duplicate(path, name));
        return;
    }
    let mut key = name.to_owned();
    if !request.is_empty() {
        let at = path.child("request");
        super::metadata::invalid(walk, &at, request, names::dns1123_label(request));
        key = format!("{name}/{request}");
    }
    if seen.contains(&key) {
        walk.errors.push(FieldError::duplicate(path, &key));
    } else if request.is_empty() {
        let inside =
            |known: &&String| known.split_once('/').is_some_and(|(first, _)| first == name);
        for _ in seen.iter().filter(inside) {
            walk.errors.push(FieldError::duplicate(path, name));
        }
    }
    if !seen.contains(&key) {
        seen.push(key);
    }
}

/// Capacity and allocatable of a node.
fn node_resources<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let status_path = path.child("status");
    for list in ["capacity", "allocatable"] {
        let list_path = status_path.child(list);
        for (name, value) in entries(field(field(here, "status"), list)) {
            resource_amount(walk, name, quantity(value), &list_path.child(name));
        }
    }
}

fn is_common(name: &str) -> bool {
    matches!(name, "cpu" | "memory" | "ephemeral-storage" | "pods" | "storage")
}

fn is_standard(name: &str) -> bool {
    STANDARD.contains(&name)
        || name.starts_with("hugepages-")
        || name.starts_with("requests.hugepages-")
}

/// A resource that the cluster itself knows.
pub(super) fn is_native(name: &str) -> bool {
    !name.contains('/') || name.contains("kubernetes.io/")
}

fn is_extended(name: &str) -> bool {
    !is_native(name)
        && !name.starts_with("requests.")
        && names::label_key(&format!("requests.{name}")).is_empty()
}

fn is_whole(name: &str) -> bool {
    WHOLE.contains(&name) || (name.contains('/') && is_extended(name))
}

/// Whether a container may request less than its limit.
pub(super) fn may_overcommit(name: &str) -> bool {
    is_native(name) && !name.starts_with("hugepages-")
}

/// Whether a pod as a whole may request it.
pub(super) fn is_pod_level(name: &str) -> bool {
    matches!(name, "cpu" | "memory") || name.starts_with("hugepages-")
}

/// The entries of a map in key order.
pub(super) fn entries(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_map().into_iter().flat_map(Map::iter)
}
