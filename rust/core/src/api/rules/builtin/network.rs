//! Addresses, blocks, hosts and domain-prefixed names.

use super::{CheckFn, argument};
use crate::api::rules::check::Walk;
use crate::api::rules::reference::{field, text};
use crate::api::{BadValue, FieldError, Path};
use crate::base::{Value, ip, names};

pub(super) const CHECKS: &[(&str, CheckFn)] = &[
    ("not_an_ip", not_an_ip),
    ("endpoint_ip", endpoint_ip),
    ("endpoint_ip_range", endpoint_ip_range),
    ("one_per_family", one_per_family),
    ("external_name", external_name),
    ("ip_block", ip_block),
    ("policy_port", policy_port),
    ("slice_addresses", slice_addresses),
    ("domain_prefixed_path", domain_prefixed_path),
];

fn not_an_ip<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let host = here.as_str().unwrap_or_default();
    if ip::parse_ip(host).is_some() {
        let detail = "must be a DNS name, not an IP address";
        walk.errors.push(FieldError::invalid(path, host, detail));
    }
}

/// An address that traffic may be sent to; one that the old object had already may be misspelt.
fn endpoint_ip<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, arguments: &Value) {
    let address = here.as_str().unwrap_or_default();
    let known = field(walk.scope.old, "spec").list_at(&[argument(arguments, "known")]);
    let faults = if known.contains(here) { Vec::new() } else { ip::legacy_ip_faults(address) };
    if faults.is_empty() {
        reachable(walk, address, path);
    }
    super::metadata::invalid(walk, path, address, faults);
}

fn endpoint_ip_range<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    reachable(walk, here.as_str().unwrap_or_default(), path);
}

fn reachable(walk: &mut Walk<'_, '_>, text: &str, path: &Path<'_>) {
    let Some(address) = ip::parse_ip(text) else {
        walk.errors.push(FieldError::invalid(path, text, "must be a valid IP address"));
        return;
    };
    let address = address.to_canonical();
    let (link_local, multicast) = match address {
        std::net::IpAddr::V4(v4) => {
            let octets = v4.octets();
            (v4.is_link_local(), octets[..3] == [224, 0, 0])
        }
        std::net::IpAddr::V6(v6) => {
            (v6.is_unicast_link_local(), v6.segments()[0] & 0xff0f == 0xff02)
        }
    };
    let unspecified = format!("may not be unspecified ({text})");
    for (wrong, detail) in [
        (address.is_unspecified(), unspecified.as_str()),
        (address.is_loopback(), "may not be in the loopback range (127.0.0.0/8, ::1/128)"),
        (link_local, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"),
        (multicast, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"),
    ] {
        if wrong {
            walk.errors.push(FieldError::invalid(path, text, detail));
        }
    }
}

/// Two blocks at most, one of each family.
fn one_per_family<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let all = here.as_list().unwrap_or_default();
    if all.len() < 2 {
        return;
    }
    let families: Option<Vec<bool>> = all
        .iter()
        .map(|block| ip::parse_cidr(block.as_str()?).map(|block| block.address.is_ipv6()))
        .collect();
    let Some(families) = families else {
        let first = all.iter().find(|block| ip::parse_cidr(block.as_str().unwrap_or("")).is_none());
        let shown = first.and_then(Value::as_str).unwrap_or_default();
        let why = format!(
            "invalid PodCIDRs. failed to check with dual stack with error:invalid CIDR[{}]: \
             <nil> (invalid CIDR address: {shown})",
            all.iter().position(|block| block.as_str() == Some(shown)).unwrap_or(0)
        );
        walk.errors.push(FieldError::internal(path, why));
        refuse_families(walk, here, path);
        return;
    };
    if families.len() > 2 || families[0] == families[1] {
        refuse_families(walk, here, path);
    }
}

fn refuse_families(walk: &mut Walk<'_, '_>, here: &Value, path: &Path<'_>) {
    let detail = "may specify no more than one CIDR for each IP family";
    walk.errors.push(FieldError::invalid(path, BadValue::json(here), detail));
}

fn external_name<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let name = here.as_str().unwrap_or_default();
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.is_empty() {
        walk.errors.push(FieldError::required(path, ""));
    } else {
        super::metadata::invalid(walk, path, name, names::dns1123_subdomain(name));
    }
}

/// A block of addresses and the smaller blocks it leaves out.
fn ip_block<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let cidr = text(here, "cidr");
    let cidr_path = path.child("cidr");
    if cidr.is_empty() {
        walk.errors.push(FieldError::required(cidr_path, ""));
        return;
    }
    let known = known_blocks(walk.scope.old);
    let faults = |walk: &mut Walk<'_, 'd>, path: &Path<'_>, text: &str| {
        if !known.contains(&text) {
            super::metadata::invalid(walk, path, text, ip::legacy_cidr_faults(text));
        }
    };
    faults(walk, &cidr_path, cidr);
    let Some(block) = ip::parse_cidr(cidr) else { return };
    let except_path = path.child("except");
    for (at, except) in here.list_at(&["except"]).iter().enumerate() {
        let item = except_path.index(at);
        let except = except.as_str().unwrap_or_default();
        faults(walk, &item, except);
        let Some(inner) = ip::parse_cidr(except) else { continue };
        if !block.contains(inner.network()) || block.prefix_len >= inner.prefix_len {
            let detail = "must be a strict subset of `cidr`";
            walk.errors.push(FieldError::invalid(item, except, detail));
        }
    }
}

/// The blocks of the old policy, which may stay as they are.
fn known_blocks(old: &Value) -> Vec<&str> {
    let spec = field(old, "spec");
    let peers = |direction: &'static str, side: &'static str| {
        spec.list_at(&[direction]).iter().flat_map(move |rule| rule.list_at(&[side]))
    };
    let mut known = Vec::new();
    for peer in peers("ingress", "from").chain(peers("egress", "to")) {
        let block = field(peer, "ipBlock");
        known.extend(field(block, "cidr").as_str());
        known.extend(block.list_at(&["except"]).iter().filter_map(Value::as_str));
    }
    known
}

/// The port of a NetworkPolicy rule, by number or name, perhaps a range.
fn policy_port<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let (port_path, end_path) = (path.child("port"), path.child("endPort"));
    let end = field(here, "endPort").as_int();
    match field(here, "port") {
        Value::Null => {
            if let Some(end) = end {
                let detail = "may not be specified when `port` is not specified";
                walk.errors.push(FieldError::invalid(end_path, end, detail));
            }
        }
        Value::Str(name) => {
            if let Some(end) = end {
                let detail = "may not be specified when `port` is non-numeric";
                walk.errors.push(FieldError::invalid(end_path, end, detail));
            }
            super::metadata::invalid(walk, &port_path, name, names::port_name(name));
        }
        port => {
            let port = port.as_int().unwrap_or(0);
            for problem in names::port_number(port) {
                walk.errors.push(FieldError::invalid(port_path, port, problem));
            }
            let Some(end) = end else { return };
            if end < port {
                let detail = "must be greater than or equal to `port`";
                walk.errors.push(FieldError::invalid(end_path, port, detail));
            }
            for problem in names::port_number(end) {
                walk.errors.push(FieldError::invalid(end_path, end, problem));
            }
        }
    }
}

/// The addresses of an endpoint, of the type its slice declares.
fn slice_addresses<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let kind = text(walk.scope.root, "addressType");
    for (at, address) in here.as_list().unwrap_or_default().iter().enumerate() {
        let item = path.index(at);
        let address = address.as_str().unwrap_or_default();
        match kind {
            "IPv4" => of_family(walk, address, false, ip::legacy_ip_faults(address), (path, &item)),
            "IPv6" => of_family(walk, address, true, ip::ip_faults(address), (path, &item)),
            "FQDN" if address.is_empty() => walk.errors.push(FieldError::required(item, "")),
            "FQDN" => {
                for (part, problem) in names::fully_qualified_domain_name(address) {
                    walk.errors.push(FieldError::invalid(item, part, problem));
                }
            }
            _ => {}
        }
    }
}

fn of_family(
    walk: &mut Walk<'_, '_>,
    address: &str,
    ipv6: bool,
    faults: Vec<String>,
    (path, item): (&Path<'_>, &Path<'_>),
) {
    if !faults.is_empty() {
        super::metadata::invalid(walk, item, address, faults);
        return;
    }
    let is_ipv6 = ip::parse_ip(address).is_some_and(|one| one.to_canonical().is_ipv6());
    if is_ipv6 != ipv6 {
        let detail = format!("must be an IPv{} address", if ipv6 { 6 } else { 4 });
        walk.errors.push(FieldError::invalid(path, address, detail));
    }
    reachable(walk, address, item);
}

fn domain_prefixed_path<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let name = here.as_str().unwrap_or_default();
    if name.is_empty() {
        walk.errors.push(FieldError::required(path, ""));
        return;
    }
    for (part, problem) in names::domain_prefixed_path(name) {
        walk.errors.push(FieldError::invalid(path, part, problem));
    }
}
