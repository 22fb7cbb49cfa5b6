//! Cluster addresses and families of a Service, and how they may change.
//!
//! Settling families and handing out addresses and ports is the store's work, for it takes a
//! cluster; what stands here is what the API server does before and after it.

use super::{CheckFn, NamedStep};
use crate::api::rules::check::Walk;
use crate::api::rules::reference::{field, is_zero, text};
use crate::api::{BadValue, FieldError, Path};
use crate::base::{Value, ip};

pub(super) const CHECKS: &[(&str, CheckFn)] = &[
    ("service_addresses", service_addresses),
    ("service_address_changes", service_address_changes),
    ("source_ranges", source_ranges),
    ("duplicate_service_port", duplicate_service_port),
];

pub(super) const STEPS: &[NamedStep] =
    &[("service_update", "spec", settle_update), ("target_port", "targetPort", target_port)];

const POLICIES: [&str; 3] = ["PreferDualStack", "RequireDualStack", "SingleStack"];

fn list<'v>(spec: &'v Value, name: &str) -> Vec<&'v str> {
    spec.list_at(&[name]).iter().filter_map(Value::as_str).collect()
}

fn is_external(spec: &Value) -> bool {
    text(spec, "type") == "ExternalName"
}

fn is_headless(spec: &Value) -> bool {
    list(spec, "clusterIPs") == ["None"]
}

/// The specification with what the old one had been given, where the new one leaves it out, and
/// without what its type cannot have.
fn settle_update(service: &Value, old: &Value) -> Option<Value> {
    let (spec, old) = (field(service, "spec"), field(old, "spec"));
    let mut wanted = spec.clone();
    patch_allocated(&mut wanted, old);
    normalize_addresses(&mut wanted, old);
    drop_for_type(&mut wanted, old);
    (wanted != *spec).then_some(wanted)
}

fn needs_node_ports(spec: &Value) -> bool {
    matches!(text(spec, "type"), "NodePort" | "LoadBalancer")
}

fn is_health_checked(spec: &Value) -> bool {
    text(spec, "type") == "LoadBalancer" && text(spec, "externalTrafficPolicy") == "Local"
}

fn patch_allocated(spec: &mut Value, old: &Value) {
    if !is_external(spec) && !is_external(old) {
        for name in ["clusterIP", "clusterIPs"] {
            if field(spec, name).is_empty() && !field(old, name).is_empty() {
                spec.set(&[name], field(old, name).clone());
            }
        }
    }
    if needs_node_ports(spec) && needs_node_ports(old) {
        patch_node_ports(spec, old);
    }
    if is_health_checked(spec)
        && is_health_checked(old)
        && is_zero(field(spec, "healthCheckNodePort"))
    {
        spec.set(&["healthCheckNodePort"], field(old, "healthCheckNodePort").clone());
    }
}

fn patch_node_ports(spec: &mut Value, old: &Value) {
    let number = |port: &Value| field(port, "nodePort").as_int().unwrap_or(0);
    let old_ports = old.list_at(&["ports"]);
    let wanted: Vec<i64> = spec.list_at(&["ports"]).iter().map(number).collect();
    let mut patched = spec.list_at(&["ports"]).to_vec();
    for port in &mut patched {
        if number(port) != 0 {
            continue;
        }
        let named = |known: &&Value| text(known, "name") == text(port, "name");
        let known = old_ports.iter().rev().find(named).map_or(0, number);
        if known != 0 && !wanted.contains(&known) {
            port.set(&["nodePort"], known);
        }
    }
    if patched != spec.list_at(&["ports"]) {
        spec.set(&["ports"], patched);
    }
}

fn normalize_addresses(spec: &mut Value, old: &Value) {
    let (one, old_one) = (text(spec, "clusterIP").to_owned(), text(old, "clusterIP"));
    if one == old_one && list(spec, "clusterIPs").is_empty() && !field(old, "clusterIPs").is_empty()
    {
        spec.set(&["clusterIPs"], field(old, "clusterIPs").clone());
    }
    let same = list(spec, "clusterIPs") == list(old, "clusterIPs");
    if one != old_one && same {
        if one.is_empty() {
            spec.remove(&["clusterIPs"]);
        } else {
            spec.set(&["clusterIPs"], vec![Value::from(one)]);
        }
    }
}

/// What only the old type could have goes, unless the new object says otherwise.
fn drop_for_type(spec: &mut Value, old: &Value) {
    let accessible = |spec: &Value| {
        needs_node_ports(spec)
            || (text(spec, "type") == "ClusterIP" && !field(spec, "externalIPs").is_empty())
    };
    let balanced = |spec: &Value| text(spec, "type") == "LoadBalancer";
    let mut gone: Vec<&str> = Vec::new();
    if !is_external(old) && is_external(spec) {
        if field(spec, "clusterIPs") == field(old, "clusterIPs") {
            gone.extend(["clusterIP", "clusterIPs"]);
        }
        gone.extend(["ipFamilies", "ipFamilyPolicy"]);
    }
    if balanced(old) && !balanced(spec) {
        gone.extend(["allocateLoadBalancerNodePorts", "loadBalancerClass"]);
    }
    if is_health_checked(old) && !is_health_checked(spec) {
        gone.push("healthCheckNodePort");
    }
    if accessible(old) && !accessible(spec) {
        gone.push("externalTrafficPolicy");
    }
    for name in gone {
        if spec.get(name).is_some() && field(spec, name) == field(old, name) {
            spec.remove(&[name]);
        }
    }
    if needs_node_ports(old) && !needs_node_ports(spec) {
        drop_node_ports(spec, old);
    }
}

fn drop_node_ports(spec: &mut Value, old: &Value) {
    let numbers = |spec: &Value| -> Vec<i64> {
        let all = spec.list_at(&["ports"]).iter();
        let mut all: Vec<i64> = all.filter_map(|port| field(port, "nodePort").as_int()).collect();
        all.sort_unstable();
        all
    };
    let (new, old) = (numbers(spec), numbers(old));
    if new.is_empty() || !new.iter().all(|number| old.contains(number)) {
        return;
    }
    let mut ports = spec.list_at(&["ports"]).to_vec();
    for port in &mut ports {
        port.remove(&["nodePort"]);
    }
    spec.set(&["ports"], ports);
}

/// A port without a target goes to the same number.
fn target_port(port: &Value, _: &Value) -> Option<Value> {
    is_zero(field(port, "targetPort")).then(|| field(port, "port").clone())
}

/// The addresses of the specification that stands here.
fn service_addresses<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    if !is_external(here) {
        addresses(walk, here, path);
    }
}

fn addresses(walk: &mut Walk<'_, '_>, spec: &Value, path: &Path<'_>) {
    let (one, all) = (text(spec, "clusterIP"), list(spec, "clusterIPs"));
    let ips_path = path.child("clusterIPs");
    let shown = || BadValue::json(field(spec, "clusterIPs"));
    if one.is_empty() && !all.is_empty() {
        let detail = "must be empty when `clusterIP` is not specified";
        walk.errors.push(FieldError::invalid(ips_path, shown(), detail));
    } else if !one.is_empty() && all.is_empty() {
        walk.errors.push(FieldError::required(ips_path, ""));
    } else if !one.is_empty() && all[0] != one {
        let detail = "first value must match `clusterIP`";
        walk.errors.push(FieldError::invalid(ips_path, shown(), detail));
    }
    families(walk, spec, path);
    if cluster_ips(walk, spec, &all, &ips_path) {
        family_of_each(walk, spec, &all, &ips_path);
    }
}

fn families(walk: &mut Walk<'_, '_>, spec: &Value, path: &Path<'_>) {
    let path_of = path.child("ipFamilies");
    let all = list(spec, "ipFamilies");
    for (at, family) in all.iter().enumerate() {
        let shown = || BadValue::json(&Value::from(*family));
        if !matches!(*family, "IPv4" | "IPv6") {
            let item = path_of.index(at);
            walk.errors.push(FieldError::not_supported(item, shown(), ["IPv4", "IPv6"]));
        }
        if all[..at].contains(family) {
            walk.errors.push(FieldError::duplicate(path_of.index(at), shown()));
        }
    }
    let policy = field(spec, "ipFamilyPolicy");
    if policy.as_str().is_some_and(|policy| !POLICIES.contains(&policy)) {
        let at = path.child("ipFamilyPolicy");
        walk.errors.push(FieldError::not_supported(at, BadValue::json(policy), POLICIES));
    }
}

/// False when an address is malformed, which ends the checks of addresses.
fn cluster_ips(walk: &mut Walk<'_, '_>, spec: &Value, all: &[&str], path: &Path<'_>) -> bool {
    let old = field(field(walk.scope.old, "spec"), "clusterIPs");
    let known = list(field(walk.scope.old, "spec"), "clusterIPs");
    let shown = || BadValue::json(field(spec, "clusterIPs"));
    let mut sound = true;
    for (at, address) in all.iter().enumerate() {
        if at == 0 && *address == "None" {
            if all.len() > 1 {
                sound = false;
                let detail = "'None' must be the first and only value";
                walk.errors.push(FieldError::invalid(path, shown(), detail));
            }
            continue;
        }
        if old.is_null() || !known.contains(address) {
            let faults = ip::legacy_ip_faults(address);
            sound &= faults.is_empty();
            super::metadata::invalid(walk, &path.index(at), address, faults);
        }
    }
    if all.len() > 2 {
        let detail = "may only hold up to 2 values";
        walk.errors.push(FieldError::invalid(path, shown(), detail));
    }
    sound
}

fn family_of_each(walk: &mut Walk<'_, '_>, spec: &Value, all: &[&str], path: &Path<'_>) {
    let is_ipv6 = |address: &str| ip::parse_ip(address).is_some_and(|one| one.is_ipv6());
    if all.len() > 1 {
        let both = all.iter().any(|one| is_ipv6(one)) && all.iter().any(|one| !is_ipv6(one));
        if !both {
            let detail = "may specify no more than one IP for each IP family";
            let shown = BadValue::json(field(spec, "clusterIPs"));
            walk.errors.push(FieldError::invalid(path, shown, detail));
        }
    }
    if is_headless(spec) {
        return;
    }
    for (at, (address, family)) in all.iter().zip(list(spec, "ipFamilies")).enumerate() {
        let wanted = match (family, is_ipv6(address)) {
            ("IPv4", true) => "an IPv4",
            ("IPv6", false) => "an IPv6",
            _ => continue,
        };
        let detail = format!("expected {wanted} value as indicated by `ipFamilies[{at}]`");
        walk.errors.push(FieldError::invalid(path.index(at), *address, detail));
    }
}

/// Addresses and families stay once they are given.
fn service_address_changes<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    _: &Value,
) {
    let (spec, old) = (field(here, "spec"), field(walk.scope.old, "spec"));
    if is_external(spec) || is_external(old) {
        return;
    }
    let path = path.child("spec");
    let headless = (is_headless(spec), is_headless(old));
    if headless != (true, true) {
        let policy = "secondary clusterIP";
        stay(walk, spec, old, ("clusterIPs", "primary clusterIP can not be unset", policy), &path);
    }
    if headless == (false, false) {
        let policy = "secondary ipFamily";
        stay(walk, spec, old, ("ipFamilies", "primary ipFamily can not be unset", policy), &path);
    }
}

fn stay(
    walk: &mut Walk<'_, '_>,
    spec: &Value,
    old: &Value,
    (name, unset, secondary): (&str, &str, &str),
    path: &Path<'_>,
) {
    const CHANGED: &str = "may not change once set";
    let (all, known) = (list(spec, name), list(old, name));
    let list_path = path.child(name);
    let shown = || BadValue::json(field(spec, name));
    // Kubernetes shows the addresses where it speaks of changed families in lists that grew.
    let first = || BadValue::json(field(spec, "clusterIPs"));
    if all.len() == known.len() {
        for at in (0..all.len()).filter(|at| all[*at] != known[*at]) {
            let at = if name == "ipFamilies" { 0 } else { at };
            walk.errors.push(FieldError::invalid(list_path.index(at), shown(), CHANGED));
        }
        return;
    }
    if all.len() < known.len() && list(spec, "clusterIPs").is_empty() {
        walk.errors.push(FieldError::invalid(list_path.index(0), shown(), unset));
    }
    if let (Some(new), Some(old)) = (all.first(), known.first())
        && new != old
    {
        walk.errors.push(FieldError::invalid(list_path.index(0), first(), CHANGED));
    }
    let policy = field(spec, "ipFamilyPolicy");
    if all.len() == 1 && known.len() > 1 && policy.as_str() != Some("SingleStack") {
        let detail = format!("must be set to 'SingleStack' when releasing the {secondary}");
        let at = path.child("ipFamilyPolicy");
        walk.errors.push(FieldError::invalid(at, BadValue::json(policy), detail));
    }
}

/// Where traffic for a load balancer may come from, in the specification that stands here.
fn source_ranges<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    const KEY: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
    const DETAIL: &str = "may only be used when `type` is 'LoadBalancer'";
    let balanced = text(here, "type") == "LoadBalancer";
    let ranges = list(here, "loadBalancerSourceRanges");
    if !ranges.is_empty() {
        let path = path.child("LoadBalancerSourceRanges");
        if !balanced {
            walk.errors.push(FieldError::forbidden(path, DETAIL));
        }
        let known = list(field(walk.scope.old, "spec"), "loadBalancerSourceRanges");
        for (at, range) in ranges.iter().enumerate() {
            let range = range.trim();
            if !known.iter().any(|known| known.trim() == range) {
                let faults = ip::legacy_cidr_faults(range);
                super::metadata::invalid(walk, &path.index(at), range, faults);
            }
        }
        return;
    }
    let annotation =
        |object: &'d Value| field(field(field(object, "metadata"), "annotations"), KEY).as_str();
    let Some(value) = annotation(walk.scope.root) else { return };
    let metadata = Path::new("metadata");
    let annotations = metadata.child("annotations");
    let path = annotations.key(KEY);
    if !balanced {
        walk.errors.push(FieldError::forbidden(path, DETAIL));
    }
    if annotation(walk.scope.old) == Some(value) || value.trim().is_empty() {
        return;
    }
    for range in value.trim().split(',').map(str::trim) {
        super::metadata::invalid(walk, &path, range, ip::legacy_cidr_faults(range));
    }
}

/// Two ports with one number and protocol: Kubernetes shows a port with just these two.
fn duplicate_service_port<'d>(
    walk: &mut Walk<'_, 'd>,
    here: &'d Value,
    path: &Path<'_>,
    _: &Value,
) {
    let port = Value::map([
        ("port", field(here, "port").clone()),
        ("protocol", field(here, "protocol").clone()),
    ]);
    let shape = crate::api::rules::shapes::by_name("ServicePort");
    let shown = shape.map_or_else(
        || port.to_json(),
        |shape| crate::api::rules::shapes::internal(&port, shape).to_json(),
    );
    walk.errors.push(FieldError::duplicate(path, BadValue::raw(shown)));
}
