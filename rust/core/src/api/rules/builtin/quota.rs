//! Quotas and limits of a namespace, priority classes, custom resource definitions.

use super::CheckFn;
use super::resources::{
    NameRule, entries, may_overcommit, plain_resource_name, resource_amount, resource_name,
};
use crate::api::rules::check::{Walk, quantity};
use crate::api::rules::reference::{field, text};
use crate::api::rules::shapes;
use crate::api::{BadValue, FieldError, Path};
use crate::base::value::go_float;
use crate::base::{Quantity, Value, names};

pub(super) const CHECKS: &[(&str, CheckFn)] = &[
    ("limits", limits),
    ("quota_spec", quota_spec),
    ("quota_amounts", quota_amounts),
    ("quota_scopes_stay", quota_scopes_stay),
    ("namespace_finalizer", namespace_finalizer),
    ("system_priority_class", system_priority_class),
];

fn named(text: &str) -> BadValue {
    BadValue::json(&Value::from(text))
}

/// The limits that stand here, one per type.
fn limits<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let mut seen: Vec<&str> = Vec::new();
    for (at, limit) in here.as_list().unwrap_or_default().iter().enumerate() {
        let item = path.index(at);
        let kind = text(limit, "type");
        limit_type(walk, kind, &item.child("type"));
        if seen.contains(&kind) {
            walk.errors.push(FieldError::duplicate(item.child("type"), named(kind)));
        }
        seen.push(kind);
        limit_names(walk, limit, kind, &item);
        limit_amounts(walk, limit, kind, &item);
    }
}

fn limit_type(walk: &mut Walk<'_, '_>, kind: &str, path: &Path<'_>) {
    let problems = names::label_key(kind);
    let standard = matches!(kind, "Pod" | "Container" | "PersistentVolumeClaim");
    if problems.is_empty() && !kind.contains('/') && !standard {
        let detail = "must be a standard limit type or fully qualified";
        walk.errors.push(FieldError::invalid(path, named(kind), detail));
    }
    for problem in problems {
        walk.errors.push(FieldError::invalid(path, named(kind), problem));
    }
}

fn limit_names(walk: &mut Walk<'_, '_>, limit: &Value, kind: &str, path: &Path<'_>) {
    let of_pods = matches!(kind, "Pod" | "Container");
    let rule = if of_pods { NameRule::Container } else { NameRule::Any };
    let check = |walk: &mut Walk<'_, '_>, list: &str| {
        let list_path = path.child(list);
        for (name, _) in entries(field(limit, list)) {
            resource_name(walk, name, &list_path.key(name), rule);
        }
    };
    check(walk, "max");
    check(walk, "min");
    for list in ["default", "defaultRequest"] {
        if kind != "Pod" {
            check(walk, list);
        } else if !field(limit, list).is_empty() {
            let detail = "may not be specified when `type` is 'Pod'";
            walk.errors.push(FieldError::forbidden(path.child(list), detail));
        }
    }
    let storage = |list: &str| field(limit, list).get("storage").is_some();
    if kind == "PersistentVolumeClaim" && !storage("min") && !storage("max") {
        let detail =
            "either minimum or maximum storage value is required, but neither was provided";
        walk.errors.push(FieldError::required(path.child("limits"), detail));
    }
    check(walk, "maxLimitRequestRatio");
}

fn limit_amounts(walk: &mut Walk<'_, '_>, limit: &Value, kind: &str, path: &Path<'_>) {
    let lists = ["max", "min", "default", "defaultRequest", "maxLimitRequestRatio"];
    let mut all: Vec<&str> = Vec::new();
    for list in lists {
        if kind == "Pod" && list.starts_with("default") {
            continue;
        }
        all.extend(entries(field(limit, list)).map(|(name, _)| name));
    }
    all.sort_unstable();
    all.dedup();
    for name in all {
        let of = |list: &str| {
            let hidden = kind == "Pod" && list.starts_with("default");
            if hidden { None } else { field(limit, list).get(name).map(quantity) }
        };
        order(walk, name, of, path);
        ratio(walk, name, of, path);
        if let (false, Some(default), Some(request)) =
            (may_overcommit(name), of("default"), of("defaultRequest"))
            && default != request
        {
            let detail = format!(
                "default value {default} must equal to defaultRequest value {request} in {name}"
            );
            refuse(walk, request, ("defaultRequest", name), detail, path);
        }
    }
}

fn refuse(
    walk: &mut Walk<'_, '_>,
    shown: Quantity,
    (list, name): (&str, &str),
    detail: String,
    path: &Path<'_>,
) {
    let list_path = path.child(list);
    let shown = named(&shown.to_string());
    walk.errors.push(FieldError::invalid(list_path.key(name), shown, detail));
}

/// The amounts of one resource must not contradict each other.
fn order(
    walk: &mut Walk<'_, '_>,
    name: &str,
    of: impl Fn(&str) -> Option<Quantity>,
    path: &Path<'_>,
) {
    const WORDS: [(&str, &str); 4] = [
        ("min", "min value"),
        ("max", "max value"),
        ("default", "default value"),
        ("defaultRequest", "default request value"),
    ];
    // The smaller, the larger, where the error stands and which amount it shows.
    for (small, large, at, shown) in [
        ("min", "max", "min", "min"),
        ("min", "defaultRequest", "defaultRequest", "defaultRequest"),
        ("defaultRequest", "max", "defaultRequest", "defaultRequest"),
        ("defaultRequest", "default", "defaultRequest", "defaultRequest"),
        ("min", "default", "default", "min"),
        ("default", "max", "default", "max"),
    ] {
        let (Some(a), Some(b), Some(shown)) = (of(small), of(large), of(shown)) else { continue };
        if a <= b {
            continue;
        }
        let words = |list: &str| {
            let limit = list == "default" && small == "defaultRequest";
            let plain =
                WORDS.iter().find(|(known, _)| *known == list).map_or("", |(_, words)| words);
            if limit { "default limit value" } else { plain }
        };
        let detail = format!("{} {a} is greater than {} {b}", words(small), words(large));
        refuse(walk, shown, (at, name), detail, path);
    }
}

fn ratio(
    walk: &mut Walk<'_, '_>,
    name: &str,
    of: impl Fn(&str) -> Option<Quantity>,
    path: &Path<'_>,
) {
    let Some(ratio) = of("maxLimitRequestRatio") else { return };
    let at = ("maxLimitRequestRatio", name);
    if ratio.milli_value() < 1000 {
        refuse(walk, ratio, at, format!("ratio {ratio} is less than 1"), path);
    }
    let (Some(min), Some(max)) = (of("min"), of("max")) else { return };
    let most = max.to_f64() / min.to_f64();
    if ratio.to_f64() > most {
        let most = if most.is_finite() { format!("{most:.6}") } else { go_float(most) };
        refuse(walk, ratio, at, format!("ratio {ratio} is greater than max/min = {most}"), path);
    }
}

const COMPUTE: [&str; 6] =
    ["cpu", "memory", "limits.cpu", "limits.memory", "requests.cpu", "requests.memory"];

const QUOTA_NAMES: [&str; 19] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.storage",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
    "pods",
    "resourcequotas",
    "services",
    "replicationcontrollers",
    "secrets",
    "persistentvolumeclaims",
    "configmaps",
    "services.nodeports",
    "services.loadbalancers",
];

fn is_quota_name(name: &str) -> bool {
    QUOTA_NAMES.contains(&name)
        || name.starts_with("hugepages-")
        || name.starts_with("requests.hugepages-")
}

/// The amounts of a quota.
fn quota_amounts<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    for (name, value) in entries(here) {
        let at = path.key(name);
        plain_resource_name(walk, name, &at);
        if !name.contains('/') && !is_quota_name(name) {
            let detail = "must be a standard resource for quota";
            walk.errors.push(FieldError::invalid(at, named(name), detail));
        }
        resource_amount(walk, name, quantity(value), &at);
    }
}

fn quota_spec<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, arguments: &Value) {
    quota_amounts(walk, field(here, "hard"), &path.child("hard"), arguments);
    let hard: Vec<&str> = entries(field(here, "hard")).map(|(name, _)| name).collect();
    scopes(walk, here, &hard, &path.child("scopes"));
    selector(walk, here, &hard, &path.child("scopeSelector"));
}

fn scopes(walk: &mut Walk<'_, '_>, spec: &Value, hard: &[&str], path: &Path<'_>) {
    let list = field(spec, "scopes");
    let all: Vec<&str> =
        list.as_list().unwrap_or_default().iter().filter_map(Value::as_str).collect();
    let shown = || BadValue::json(list);
    for scope in &all {
        if !is_scope(scope) {
            walk.errors.push(FieldError::invalid(path, shown(), "unsupported scope"));
        }
        for _ in hard.iter().filter(|name| is_quota_name(name) && !fits(scope, name)) {
            let detail = "unsupported scope applied to resource";
            walk.errors.push(FieldError::invalid(path, shown(), detail));
        }
    }
    conflicts(walk, &all, shown, path);
}

fn conflicts(walk: &mut Walk<'_, '_>, all: &[&str], shown: impl Fn() -> BadValue, path: &Path<'_>) {
    for (one, other) in [("BestEffort", "NotBestEffort"), ("Terminating", "NotTerminating")] {
        if all.contains(&one) && all.contains(&other) {
            walk.errors.push(FieldError::invalid(path, shown(), "conflicting scopes"));
        }
    }
}

fn is_scope(scope: &str) -> bool {
    matches!(
        scope,
        "Terminating"
            | "NotTerminating"
            | "BestEffort"
            | "NotBestEffort"
            | "PriorityClass"
            | "VolumeAttributesClass"
            | "CrossNamespacePodAffinity"
    )
}

/// Whether a scope can tell amounts of this resource apart.
fn fits(scope: &str, name: &str) -> bool {
    match scope {
        "BestEffort" => name == "pods",
        "VolumeAttributesClass" => matches!(name, "persistentvolumeclaims" | "requests.storage"),
        _ if is_scope(scope) => name == "pods" || COMPUTE.contains(&name),
        _ => true,
    }
}

fn selector(walk: &mut Walk<'_, '_>, spec: &Value, hard: &[&str], path: &Path<'_>) {
    let selector = field(spec, "scopeSelector");
    if selector.is_null() {
        return;
    }
    let path = path.child("matchExpressions");
    let mut all = Vec::new();
    for expression in selector.list_at(&["matchExpressions"]) {
        let scope = text(expression, "scopeName");
        if !is_scope(scope) {
            let at = path.child("scopeName");
            walk.errors.push(FieldError::invalid(at, named(scope), "unsupported scope"));
        }
        for _ in hard.iter().filter(|name| is_quota_name(name) && !fits(scope, name)) {
            let shown = match shapes::by_name("ScopeSelector") {
                Some(shape) => BadValue::raw(shapes::internal(selector, shape).to_json()),
                None => BadValue::json(selector),
            };
            let detail = "unsupported scope applied to resource";
            walk.errors.push(FieldError::invalid(path, shown, detail));
        }
        operator(walk, expression, scope, &path);
        all.push(scope);
    }
    conflicts(walk, &all, || BadValue::json(field(spec, "scopes")), &path);
}

fn operator(walk: &mut Walk<'_, '_>, expression: &Value, scope: &str, path: &Path<'_>) {
    let operator = text(expression, "operator");
    let values = expression.list_at(&["values"]);
    let plain = is_scope(scope) && !matches!(scope, "PriorityClass" | "VolumeAttributesClass");
    if plain && operator != "Exists" {
        let detail = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, \
                      ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, \
                      ResourceQuotaScopeNotBestEffort or \
                      ResourceQuotaScopeCrossNamespacePodAffinity";
        walk.errors.push(FieldError::invalid(path.child("operator"), named(operator), detail));
    }
    match operator {
        "In" | "NotIn" if values.is_empty() => {
            let detail =
                "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
            walk.errors.push(FieldError::required(path.child("values"), detail));
        }
        "Exists" | "DoesNotExist" if !values.is_empty() => {
            let detail =
                "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";
            let shown = BadValue::json(field(expression, "values"));
            walk.errors.push(FieldError::invalid(path.child("values"), shown, detail));
        }
        "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
        _ => {
            let detail = "not a valid selector operator";
            walk.errors.push(FieldError::invalid(path.child("operator"), named(operator), detail));
        }
    }
}

/// A quota keeps its scopes, in whatever order.
fn quota_scopes_stay<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let sorted = |object: &'d Value| {
        let all = field(object, "spec").list_at(&["scopes"]).iter();
        let mut all: Vec<&str> = all.filter_map(Value::as_str).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    if sorted(here) != sorted(walk.scope.old) {
        let shown = BadValue::json(field(field(here, "spec"), "scopes"));
        let spec = path.child("spec");
        walk.errors.push(FieldError::invalid(spec.child("scopes"), shown, "field is immutable"));
    }
}

fn namespace_finalizer<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let name = here.as_str().unwrap_or_default();
    super::metadata::invalid(walk, path, name, names::label_key(name));
    super::metadata::kubernetes_finalizer(walk, name, path);
}

/// Only the two classes of the system itself may have its prefix.
fn system_priority_class<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    const KNOWN: [(&str, i64); 2] =
        [("system-node-critical", 2_000_001_000), ("system-cluster-critical", 2_000_000_000)];
    let name = text(field(here, "metadata"), "name");
    let value = field(here, "value").as_int().unwrap_or(0);
    let why = match KNOWN.iter().find(|(known, _)| *known == name) {
        None => format!("{name} is not a known system priority class"),
        Some((_, known)) if *known != value => {
            format!("value of {name} PriorityClass must be {known}")
        }
        Some(_) if field(here, "globalDefault").as_bool() == Some(true) => {
            format!("globalDefault of {name} PriorityClass must be false")
        }
        Some(_) => return,
    };
    let detail = format!(
        "priority class names with 'system-' prefix are reserved for system use only. error: {why}"
    );
    let metadata = path.child("metadata");
    walk.errors.push(FieldError::forbidden(metadata.child("name"), detail));
}
