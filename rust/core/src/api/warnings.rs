//! What the API server accepts and says something about all the same: its `Warning` headers for
//! Services and for the addresses of load balancers. Unknown fields are [`super::decode`]'s.

use crate::base::ip::{legacy_cidr_faults, legacy_ip_faults, parse_cidr, parse_ip};
use crate::base::{Value, go_quote};

const HINTS: &str = "service.kubernetes.io/topology-aware-hints";

/// The warnings a whole Service is written with, defaults and addresses filled in.
pub fn service_warnings(service: &Value) -> Vec<String> {
    let mut warnings = Vec::new();
    if service.at(&["metadata", "annotations", HINTS]).is_some() {
        warnings.push(format!(
            "annotation {HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead"
        ));
    }
    let Some(spec) = service.at(&["spec"]) else { return warnings };
    let text = |field: &str| spec.str_at(&[field]).unwrap_or_default();
    let external_name = text("type") == "ExternalName";
    let headless = text("type") == "ClusterIP" && text("clusterIP") == "None";
    let outside = spec.list_at(&["externalIPs"]);
    if !external_name && !matches!(text("clusterIP"), "" | "None") {
        warn_each(&mut warnings, "spec.clusterIPs", spec.list_at(&["clusterIPs"]), ip_warning);
    }
    if headless {
        let ignored = [
            ("loadBalancerIP", !text("loadBalancerIP").is_empty()),
            ("externalIPs", !outside.is_empty()),
            ("SessionAffinity", text("sessionAffinity") != "None"),
        ];
        let ignored = ignored.into_iter().filter(|(_, given)| *given);
        warnings.extend(
            ignored.map(|(field, _)| format!("spec.{field} is ignored for headless services")),
        );
    }
    warn_each(&mut warnings, "spec.externalIPs", outside, ip_warning);
    if !outside.is_empty() && !headless && !external_name {
        warnings.push(
            "spec.externalIPs is deprecated and may no longer be implemented in some clusters"
                .to_owned(),
        );
    }
    warnings.extend(ip_warning("spec.loadBalancerIP", text("loadBalancerIP")));
    let ranges = spec.list_at(&["loadBalancerSourceRanges"]);
    warn_each(&mut warnings, "spec.loadBalancerSourceRanges", ranges, cidr_warnings);
    let only = "spec.type is";
    if external_name && !outside.is_empty() {
        warnings.push(format!("spec.externalIPs is ignored when {only} \"ExternalName\""));
    }
    if !external_name && !text("externalName").is_empty() {
        warnings.push(format!("spec.externalName is ignored when {only} not \"ExternalName\""));
    }
    if text("trafficDistribution") == "PreferClose" {
        warnings.push(
            "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\""
                .to_owned(),
        );
    }
    warnings
}

/// The warnings a status of a Service or an Ingress is written with.
pub fn load_balancer_warnings(object: &Value) -> Vec<String> {
    let ingress = object.list_at(&["status", "loadBalancer", "ingress"]).iter().enumerate();
    let addresses = ingress.filter_map(|(at, one)| Some((at, one.str_at(&["ip"])?)));
    addresses
        .flat_map(|(at, ip)| ip_warning(&format!("status.loadBalancer.ingress[{at}]"), ip))
        .collect()
}

fn warn_each(
    warnings: &mut Vec<String>,
    field: &str,
    values: &[Value],
    warn: impl Fn(&str, &str) -> Vec<String>,
) {
    for (at, value) in values.iter().enumerate() {
        warnings.extend(warn(&format!("{field}[{at}]"), value.as_str().unwrap_or_default()));
    }
}

fn ip_warning(path: &str, value: &str) -> Vec<String> {
    let Some(address) = parse_ip(value) else { return Vec::new() };
    let (given, plain) = (go_quote(value), address.to_canonical().to_string());
    let better = go_quote(&plain);
    if !legacy_ip_faults(value).is_empty() {
        vec![format!("{path}: non-standard IP address {given} is invalid: use {better}")]
    } else if address.is_ipv6() && plain != value {
        vec![format!(
            "{path}: IPv6 address {given} should be in RFC 5952 canonical format ({better})"
        )]
    } else {
        Vec::new()
    }
}

fn cidr_warnings(path: &str, value: &str) -> Vec<String> {
    let Some(cidr) = parse_cidr(value) else { return Vec::new() };
    let (given, plain) = (go_quote(value), cidr.to_string());
    let better = go_quote(&plain);
    let mut warnings = Vec::new();
    let host_bits = cidr.network() != cidr.address;
    if host_bits {
        let one = go_quote(&format!("{}/{}", cidr.address.to_canonical(), cidr.family().bits()));
        warnings.push(format!(
            "{path}: CIDR value {given} is ambiguous in this context (should be {better} or {one}?)"
        ));
    }
    // Host bits hide the other faults, so they are looked for without them.
    let (address, length) = value.split_once('/').unwrap_or((value, ""));
    let zeros = length.len() > 1 && length.starts_with('0');
    if zeros || !legacy_ip_faults(address).is_empty() {
        warnings.push(format!("{path}: non-standard CIDR value {given} is invalid: use {better}"));
    }
    if warnings.is_empty()
        && legacy_cidr_faults(value).is_empty()
        && cidr.address.is_ipv6()
        && plain != value
    {
        warnings.push(format!(
            "{path}: IPv6 CIDR value {given} should be in RFC 5952 canonical format ({better})"
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::{cidr_warnings, ip_warning};

    #[test]
    fn addresses_in_another_form_are_named_with_the_better_one() {
        assert!(ip_warning("f", "10.0.0.1").is_empty());
        assert!(ip_warning("f", "2001:db8::1").is_empty());
        assert_eq!(
            ip_warning("f", "2001:DB8::0:1"),
            [
                r#"f: IPv6 address "2001:DB8::0:1" should be in RFC 5952 canonical format ("2001:db8::1")"#
            ]
        );
        assert_eq!(
            ip_warning("f", "010.1.2.3"),
            [r#"f: non-standard IP address "010.1.2.3" is invalid: use "10.1.2.3""#]
        );
        assert_eq!(
            ip_warning("f", "::ffff:1.2.3.4"),
            [r#"f: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4""#]
        );
    }

    #[test]
    fn blocks_in_another_form_are_named_with_the_better_one() {
        assert!(cidr_warnings("f", "10.0.0.0/8").is_empty());
        assert_eq!(
            cidr_warnings("f", "10.1.0.0/8"),
            [
                r#"f: CIDR value "10.1.0.0/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.1.0.0/32"?)"#
            ]
        );
        assert_eq!(
            cidr_warnings("f", "::ffff:1.2.3.0/120"),
            [r#"f: non-standard CIDR value "::ffff:1.2.3.0/120" is invalid: use "1.2.3.0/24""#]
        );
        assert_eq!(
            cidr_warnings("f", "2001:DB8::/32"),
            [
                r#"f: IPv6 CIDR value "2001:DB8::/32" should be in RFC 5952 canonical format ("2001:db8::/32")"#
            ]
        );
    }
}
