//! What may change in a pod that exists, and in its status.

use super::CheckFn;
use super::metadata::invalid;
use crate::api::rules::check::Walk;
use crate::api::rules::diff::unified;
use crate::api::rules::reference::{field, text};
use crate::api::rules::shapes::{self, ShapeId};
use crate::api::{BadValue, FieldError, Path};
use crate::base::{Map, Value, ip, names};

const MAY_CHANGE: &str = "pod updates may not change fields other than \
    `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,\
    `spec.tolerations` (only additions to existing tolerations),\
    `spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";

pub(super) const CHECKS: &[(&str, CheckFn)] =
    &[("pod_changes", pod_changes), ("pod_status", pod_status)];

fn pod_changes<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let (new, old) = (field(here, "spec"), field(walk.scope.old, "spec"));
    let path = path.child("spec");
    for list in ["containers", "initContainers"] {
        if !container_images(walk, new.list_at(&[list]), old.list_at(&[list]), &path.child(list)) {
            return;
        }
    }
    if !deadline(walk, new, old, &path.child("activeDeadlineSeconds")) {
        return;
    }
    tolerations(walk, new, old, &path.child("tolerations"));
    gates(walk, new, old, &path.child("schedulingGates"));
    let Some(shape) = shapes::by_name("PodSpec") else { return };
    if shapes::equal(new, old, Some(shape)) {
        return;
    }
    let mut munged = munged(new, old);
    if !old.list_at(&["schedulingGates"]).is_empty() {
        gated(walk, &mut munged, old, &path);
    }
    if !shapes::equal(&munged, old, Some(shape)) {
        let detail = format!("{MAY_CHANGE}\n{}", difference(old, &munged, shape));
        walk.errors.push(FieldError::forbidden(path, detail));
    }
}

/// The unified diff of two values as internal Go structs.
pub(super) fn difference(old: &Value, new: &Value, shape: ShapeId) -> String {
    let text = |value| shapes::internal(value, shape).to_indented_json();
    unified(&text(old), &text(new))
}

/// False when containers came or went, which ends the checks.
fn container_images(
    walk: &mut Walk<'_, '_>,
    new: &[Value],
    old: &[Value],
    path: &Path<'_>,
) -> bool {
    if new.len() != old.len() {
        let detail = "pod updates may not add or remove containers";
        walk.errors.push(FieldError::forbidden(path, detail));
        return false;
    }
    for (at, container) in new.iter().enumerate() {
        let item = path.index(at);
        let image = text(container, "image");
        if image.is_empty() {
            walk.errors.push(FieldError::required(item.child("image"), ""));
        }
        if image.trim().len() != image.len() {
            let detail = "must not have leading or trailing whitespace";
            walk.errors.push(FieldError::invalid(item.child("image"), image, detail));
        }
    }
    true
}

/// A deadline may come and come earlier. False when it may not, which ends the checks.
fn deadline(walk: &mut Walk<'_, '_>, new: &Value, old: &Value, path: &Path<'_>) -> bool {
    let of = |spec: &Value| field(spec, "activeDeadlineSeconds").as_int();
    let (new, old) = (of(new), of(old));
    let Some(seconds) = new else {
        if old.is_some() {
            let detail = "must not update from a positive integer to nil value";
            let shown = BadValue::json(&Value::Null);
            walk.errors.push(FieldError::invalid(path, shown, detail));
        }
        return true;
    };
    let problem = names::in_range(seconds, 0, i64::from(i32::MAX)).pop().or_else(|| {
        let later = old.is_some_and(|old| old < seconds);
        later.then(|| "must be less than or equal to previous value".to_owned())
    });
    if let Some(problem) = problem {
        walk.errors.push(FieldError::invalid(path, seconds, problem));
        return false;
    }
    true
}

/// Tolerations may be added; of those that exist only the time may change.
fn tolerations(walk: &mut Walk<'_, '_>, new: &Value, old: &Value, path: &Path<'_>) {
    let all = |spec: &Value| -> Vec<Value> {
        let without_time = |toleration: &Value| {
            let mut toleration = toleration.clone();
            toleration.remove(&["tolerationSeconds"]);
            toleration
        };
        spec.list_at(&["tolerations"]).iter().map(without_time).collect()
    };
    let (new, old) = (all(new), all(old));
    if old.iter().any(|one| !new.iter().any(|other| shapes::equal(one, other, None))) {
        let detail = "existing toleration can not be modified except its tolerationSeconds";
        walk.errors.push(FieldError::forbidden(path, detail));
        return;
    }
    // Kubernetes checks them once more here.
    let prefix = format!("{path}[");
    let again: Vec<FieldError> =
        walk.errors.iter().filter(|error| error.field.starts_with(&prefix)).cloned().collect();
    walk.errors.extend(again);
}

fn gates(walk: &mut Walk<'_, '_>, new: &Value, old: &Value, path: &Path<'_>) {
    let known = |name: &str| {
        old.list_at(&["schedulingGates"]).iter().any(|gate| text(gate, "name") == name)
    };
    for (at, gate) in new.list_at(&["schedulingGates"]).iter().enumerate() {
        let name = text(gate, "name");
        if !known(name) {
            let item = path.index(at);
            let detail =
                format!("only deletion is allowed, but found new scheduling gate '{name}'");
            walk.errors.push(FieldError::forbidden(item.child("name"), detail));
        }
    }
}

/// The new specification with everything that may change set back.
fn munged(new: &Value, old: &Value) -> Value {
    let mut munged = new.clone();
    for list in ["containers", "initContainers"] {
        if munged.get(list).is_none() {
            continue;
        }
        let containers = munged.map_mut().entry(list).list_mut();
        for (container, old) in containers.iter_mut().zip(old.list_at(&[list])) {
            if container.get("image") != old.get("image") {
                put_back(container, old, "image");
            }
        }
    }
    for name in ["activeDeadlineSeconds", "schedulingGates", "tolerations"] {
        put_back(&mut munged, old, name);
    }
    let grace = |spec: &Value| field(spec, "terminationGracePeriodSeconds").as_int();
    if grace(old).is_some_and(|seconds| seconds < 0) && grace(&munged) == Some(1) {
        put_back(&mut munged, old, "terminationGracePeriodSeconds");
    }
    munged
}

fn put_back(value: &mut Value, old: &Value, name: &str) {
    match old.get(name) {
        Some(kept) => {
            value.map_mut().insert(name, kept.clone());
        }
        None => {
            value.map_mut().remove(name);
        }
    }
}

/// A pod that is still gated may narrow where it goes.
fn gated(walk: &mut Walk<'_, '_>, munged: &mut Value, old: &Value, path: &Path<'_>) {
    let selector = |spec: &Value| field(spec, "nodeSelector").clone();
    let (new_selector, old_selector) = (selector(munged), selector(old));
    if !shapes::equal(&new_selector, &old_selector, None) {
        let mut kept = old_selector.as_map().into_iter().flat_map(Map::iter);
        if !kept.all(|(key, value)| new_selector.get(key) == Some(value)) {
            let detail =
                "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
            let at = path.child("nodeSelector");
            let error = FieldError::invalid(at, BadValue::json(&new_selector), detail);
            walk.errors.push(error);
        }
        put_back(munged, old, "nodeSelector");
    }
    let affinity = |spec: &Value| field(field(spec, "affinity"), "nodeAffinity").clone();
    let (new_affinity, old_affinity) = (affinity(munged), affinity(old));
    if shapes::equal(&new_affinity, &old_affinity, None) {
        return;
    }
    let at = path.child("affinity");
    node_affinity(walk, &new_affinity, &old_affinity, &at.child("nodeAffinity"));
    if old_affinity.is_null() {
        munged.remove(&["affinity", "nodeAffinity"]);
        let others = ["podAffinity", "podAntiAffinity"];
        let bare = others.iter().all(|name| munged.at(&["affinity", name]).is_none());
        if bare && old.get("affinity").is_none() {
            munged.remove(&["affinity"]);
        }
    } else {
        munged.set(&["affinity", "nodeAffinity"], old_affinity);
    }
}

fn node_affinity(walk: &mut Walk<'_, '_>, new: &Value, old: &Value, path: &Path<'_>) {
    const REQUIRED: &str = "requiredDuringSchedulingIgnoredDuringExecution";
    const TERMS: &str = "nodeSelectorTerms";
    if old.get(REQUIRED).is_none() {
        return;
    }
    let terms = |affinity: &Value| field(field(affinity, REQUIRED), TERMS).clone();
    let (new, old) = (terms(new), terms(old));
    let required = path.child(REQUIRED);
    let path = required.child(TERMS);
    let (list, old_list) = (new.as_list().unwrap_or_default(), old.as_list().unwrap_or_default());
    let shape = shapes::by_name("NodeSelectorTerm");
    let json = |term: &Value| {
        shape.map_or_else(|| term.to_json(), |shape| shapes::internal(term, shape).to_json())
    };
    if !old_list.is_empty() && old_list.len() != list.len() {
        let shown = list.iter().map(json).collect::<Vec<_>>().join(",");
        let shown = if list.is_empty() { "null".to_owned() } else { format!("[{shown}]") };
        let detail = "no additions/deletions to non-empty NodeSelectorTerms list are allowed";
        walk.errors.push(FieldError::invalid(path, BadValue::raw(shown), detail));
        return;
    }
    for (at, (term, old)) in list.iter().zip(old_list).enumerate() {
        if !only_adds(term, old) {
            let detail = "only additions are allowed (no mutations or deletions)";
            let shown = BadValue::raw(json(term));
            walk.errors.push(FieldError::invalid(path.index(at), shown, detail));
        }
    }
}

fn only_adds(term: &Value, old: &Value) -> bool {
    let lists = ["matchExpressions", "matchFields"];
    let empty = |term: &Value| lists.iter().all(|list| term.list_at(&[list]).is_empty());
    if empty(old) && !empty(term) {
        return false;
    }
    lists.iter().all(|list| {
        let (new, old) = (term.list_at(&[list]), old.list_at(&[list]));
        new.len() >= old.len() && new.iter().zip(old).all(|(a, b)| shapes::equal(a, b, None))
    })
}

/// The status of the pod that stands here.
fn pod_status<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let old_pod = walk.scope.old;
    let (status, old) = (field(here, "status"), field(old_pod, "status"));
    let path = path.child("status");
    conditions(walk, status, &path.child("conditions"));
    let node = |pod: &'d Value| text(field(pod, "spec"), "nodeName");
    if node(here) != node(old_pod) {
        let detail = "may not be changed directly";
        walk.errors.push(FieldError::forbidden(path.child("nodeName"), detail));
    }
    nominated_node(walk, status, old, node(old_pod), &path.child("nominatedNodeName"));
    if field(status, "observedGeneration").as_int().is_some_and(|number| number < 0) {
        let shown = field(status, "observedGeneration");
        let detail = "must be a non-negative integer";
        let at = path.child("observedGeneration");
        walk.errors.push(FieldError::invalid(at, shown, detail));
    }
    if text(status, "qosClass") != text(old, "qosClass") {
        let shown = BadValue::json(&Value::from(text(status, "qosClass")));
        walk.errors.push(FieldError::invalid(path.child("qosClass"), shown, "field is immutable"));
    }
    for (list, of) in [
        ("containerStatuses", "containers"),
        ("initContainerStatuses", "initContainers"),
        ("ephemeralContainerStatuses", ""),
    ] {
        transitions(walk, here, (list, of), &path.child(list));
    }
    addresses(walk, status, old, &path);
}

fn conditions(walk: &mut Walk<'_, '_>, status: &Value, path: &Path<'_>) {
    for (at, condition) in status.list_at(&["conditions"]).iter().enumerate() {
        let item = path.index(at);
        if field(condition, "observedGeneration").as_int().is_some_and(|number| number < 0) {
            let shown = field(condition, "observedGeneration");
            let detail = "must be a non-negative integer";
            walk.errors.push(FieldError::invalid(item.child("observedGeneration"), shown, detail));
        }
        let name = text(condition, "type");
        if !matches!(name, "PodScheduled" | "Ready" | "Initialized") {
            invalid(walk, &item.child("Type"), name, names::label_key(name));
        }
    }
}

fn nominated_node(
    walk: &mut Walk<'_, '_>,
    status: &Value,
    old: &Value,
    bound_to: &str,
    path: &Path<'_>,
) {
    let name = text(status, "nominatedNodeName");
    if name.is_empty() || name == text(old, "nominatedNodeName") {
        return;
    }
    invalid(walk, path, name, names::dns1123_subdomain(name));
    if !bound_to.is_empty() {
        let detail = "may not be set on pods that are already bound to a node";
        walk.errors.push(FieldError::forbidden(path, detail));
    }
}

/// A container that has ended stays so, unless its restart policy says otherwise.
fn transitions(walk: &mut Walk<'_, '_>, pod: &Value, (list, of): (&str, &str), path: &Path<'_>) {
    let old_pod = walk.scope.old;
    let spec = field(old_pod, "spec");
    let new = field(pod, "status").list_at(&[list]);
    for (at, status) in field(old_pod, "status").list_at(&[list]).iter().enumerate() {
        let ended = field(field(status, "state"), "terminated");
        let name = text(status, "name");
        let next = new.iter().find(|next| text(next, "name") == name);
        let revived = next.is_some_and(|next| field(field(next, "state"), "terminated").is_null());
        if ended.is_null() || !revived || may_restart(spec, of, name, ended) {
            continue;
        }
        let item = path.index(at);
        let detail = "may not be transitioned to non-terminated state";
        walk.errors.push(FieldError::forbidden(item.child("state"), detail));
    }
}

fn may_restart(spec: &Value, list: &str, name: &str, ended: &Value) -> bool {
    let mut all = spec.list_at(&[list]).iter();
    let Some(container) = all.find(|container| text(container, "name") == name) else {
        return false;
    };
    let code = field(ended, "exitCode").as_int().unwrap_or(0);
    for rule in container.list_at(&["restartPolicyRules"]) {
        let codes = field(rule, "exitCodes");
        let listed = codes.list_at(&["values"]).contains(&Value::Int(code));
        if listed == (text(codes, "operator") == "In") {
            return text(rule, "action").starts_with("Restart");
        }
    }
    let own = text(container, "restartPolicy");
    match if own.is_empty() { text(spec, "restartPolicy") } else { own } {
        "Always" => true,
        "OnFailure" => code != 0,
        _ => false,
    }
}

fn addresses(walk: &mut Walk<'_, '_>, status: &Value, old: &Value, path: &Path<'_>) {
    let first = status.list_at(&["hostIPs"]).first();
    if let Some(first) = first.filter(|first| text(first, "ip") != text(status, "hostIP")) {
        let list = path.child("hostIPs");
        let item = list.index(0);
        let detail = "must be equal to `hostIP`";
        walk.errors.push(FieldError::invalid(item.child("ip"), text(first, "ip"), detail));
    }
    for (list, shape) in [("podIPs", "PodIP"), ("hostIPs", "HostIP")] {
        let at = path.child(list);
        let known: Vec<&str> = old.list_at(&[list]).iter().map(|one| text(one, "ip")).collect();
        let all: Vec<&str> = status.list_at(&[list]).iter().map(|one| text(one, "ip")).collect();
        for (index, address) in all.iter().enumerate() {
            if !known.contains(address) {
                invalid(walk, &at.index(index), address, ip::legacy_ip_faults(address));
            }
        }
        if all.len() < 2 {
            continue;
        }
        let mut families = Vec::new();
        let unread = all.iter().enumerate().find(|(_, one)| match ip::parse_ip(one) {
            Some(address) => {
                families.push(address.is_ipv6());
                false
            }
            None => true,
        });
        if let Some((index, address)) = unread {
            let error =
                format!("failed to check for dual stack with error:invalid IP[{index}]: {address}");
            walk.errors.push(FieldError::internal(at, error));
        }
        let both = families.contains(&true) && families.contains(&false) && unread.is_none();
        if all.len() > 2 || !both {
            let json = |one: &Value| match shapes::by_name(shape) {
                Some(shape) => shapes::internal(one, shape).to_json(),
                None => one.to_json(),
            };
            let shown: Vec<String> = status.list_at(&[list]).iter().map(json).collect();
            let shown = BadValue::raw(format!("[{}]", shown.join(",")));
            let detail = "may specify no more than one IP for each IP family";
            walk.errors.push(FieldError::invalid(at, shown, detail));
        }
    }
}
