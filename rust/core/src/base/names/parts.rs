//! Rules for single fields: numbers in a range, header names, domain-prefixed names.

use super::dns::dns1123_subdomain;
use super::{dns1123_label, label_key, wrong_form};

/// The part of a text that breaks a rule, and the rule.
pub type Fault<'a> = (&'a str, String);

/// A number within `least..=most`.
pub fn in_range(value: i64, least: i64, most: i64) -> Vec<String> {
    if (least..=most).contains(&value) {
        return Vec::new();
    }
    vec![format!("must be between {least} and {most}, inclusive")]
}

/// The number of a port.
pub fn port_number(value: i64) -> Vec<String> {
    in_range(value, 1, 65_535)
}

/// A Unix user.
pub fn user_id(value: i64) -> Vec<String> {
    in_range(value, 0, i64::from(i32::MAX))
}

/// A Unix group.
pub fn group_id(value: i64) -> Vec<String> {
    in_range(value, 0, i64::from(i32::MAX))
}

/// `10%`.
pub fn percent(value: &str) -> Vec<String> {
    let digits = value.strip_suffix('%').unwrap_or_default();
    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Vec::new();
    }
    vec![wrong_form(
        "a valid percent string must be a numeric string followed by an ending '%'",
        "[0-9]+%",
        &["1%", "93%"],
    )]
}

/// An integer as a human writes it: no plus sign, no leading zeros.
pub fn decimal_integer(value: &str) -> Vec<String> {
    if value.is_empty() {
        return vec!["must be non-empty".to_owned()];
    }
    let digits = value.strip_prefix('-').unwrap_or(value);
    let is_canonical = value == "0"
        || (digits.bytes().all(|byte| byte.is_ascii_digit())
            && digits.starts_with(|c: char| ('1'..='9').contains(&c)));
    if is_canonical {
        return Vec::new();
    }
    vec!["must be a valid decimal integer in canonical form".to_owned()]
}

/// The name of an HTTP header.
pub fn http_header_name(value: &str) -> Vec<String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    if !value.is_empty() && value.bytes().all(legal) {
        return Vec::new();
    }
    vec![wrong_form(
        "a valid HTTP header must consist of alphanumeric characters or '-'",
        "[-A-Za-z0-9]+",
        &["X-Header-Name"],
    )]
}

/// The name of an environment variable: printable ASCII without `=`, since 1.34.
pub fn env_var_name(value: &str) -> Vec<String> {
    if value.is_empty() {
        return vec!["environment variable name must be non-empty".to_owned()];
    }
    if value.bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=') {
        return Vec::new();
    }
    vec![
        "a valid environment variable name must consist only of printable ASCII characters other \
         than '='"
            .to_owned(),
    ]
}

/// A domain of three labels or more. An empty name is a missing one, which the caller reports.
pub fn fully_qualified_name(name: &str) -> Vec<String> {
    let faults = dns1123_subdomain(name);
    if !faults.is_empty() {
        return vec![faults.join(",")];
    }
    if name.split('.').count() < 3 {
        return vec![
            "should be a domain with at least three segments separated by dots".to_owned(),
        ];
    }
    Vec::new()
}

/// A domain of two labels or more, perhaps with a dot at its end. An empty name is a missing
/// one, which the caller reports.
pub fn fully_qualified_domain_name(name: &str) -> Vec<Fault<'_>> {
    let name = name.strip_suffix('.').unwrap_or(name);
    let faults = dns1123_subdomain(name);
    if !faults.is_empty() {
        return vec![(name, faults.join(","))];
    }
    if !name.contains('.') {
        let fault = "should be a domain with at least two segments separated by dots";
        return vec![(name, fault.to_owned())];
    }
    let mut labels = name.split('.').map(|label| (label, dns1123_label(label)));
    let wrong = labels.find(|(_, faults)| !faults.is_empty());
    wrong.map(|(label, faults)| (label, faults.join(","))).into_iter().collect()
}

/// `acme.io/foo`, where `foo` may be any HTTP path. An empty path is a missing one, which the
/// caller reports.
pub fn domain_prefixed_path(path: &str) -> Vec<Fault<'_>> {
    let Some((host, rest)) = path.split_once('/').filter(|(a, b)| !a.is_empty() && !b.is_empty())
    else {
        return vec![(path, "must be a domain-prefixed path (such as \"acme.io/foo\")".to_owned())];
    };
    let mut faults: Vec<Fault> =
        dns1123_subdomain(host).into_iter().map(|fault| (host, fault)).collect();
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:".contains(&byte);
    if !rest.bytes().all(legal) {
        faults.push((rest, wrong_form("Invalid path", r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", &[])));
    }
    faults
}

/// `acme.io/foo`, where `foo` is a label key's name. An empty key is a missing one, which the
/// caller reports.
pub fn domain_prefixed_key(key: &str) -> Vec<String> {
    let faults = label_key(key);
    if !faults.is_empty() || key.contains('/') {
        return faults;
    }
    vec!["must be a domain-prefixed key (such as \"acme.io/foo\")".to_owned()]
}
