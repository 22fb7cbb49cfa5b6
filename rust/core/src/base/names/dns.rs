//! Names that end up in DNS.

use std::borrow::Cow;

use super::{has_form, too_long, wrong_form};

const LABEL_LENGTH: usize = 63;
pub(super) const SUBDOMAIN_LENGTH: usize = 253;

const LABEL_REGEX: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";
const DNS1035_REGEX: &str = "[a-z]([-a-z0-9]*[a-z0-9])?";
const SUBDOMAIN_REGEX: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
const UNDERSCORE_REGEX: &str =
    r"_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*";
const WILDCARD_REGEX: &str = r"\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";

pub(super) const SUBDOMAIN_RULE: &str = "a lowercase RFC 1123 subdomain must consist of lower \
    case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character";

/// A lowercase RFC 1123 label: names of pods' containers, namespaces and volumes.
pub fn dns1123_label(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > LABEL_LENGTH {
        faults.push(too_long(LABEL_LENGTH));
    }
    if !is_label(value) {
        faults.push(if is_subdomain(value) {
            "must not contain dots".to_owned()
        } else {
            wrong_form(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters \
                 or '-', and must start and end with an alphanumeric character",
                LABEL_REGEX,
                &["my-name", "123-abc"],
            )
        });
    }
    faults
}

/// A lowercase RFC 1123 subdomain: names of most kinds.
pub fn dns1123_subdomain(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > SUBDOMAIN_LENGTH {
        faults.push(too_long(SUBDOMAIN_LENGTH));
    }
    faults.extend(subdomain_form(value));
    faults
}

/// What is wrong with the form, not the length, of a subdomain.
pub(super) fn subdomain_form(value: &str) -> Option<String> {
    (!is_subdomain(value)).then(|| wrong_form(SUBDOMAIN_RULE, SUBDOMAIN_REGEX, &["example.com"]))
}

/// A subdomain whose labels may hold underscores: search domains of a pod.
pub fn dns1123_subdomain_with_underscore(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > SUBDOMAIN_LENGTH {
        faults.push(too_long(SUBDOMAIN_LENGTH));
    }
    let is_label = |label: &str| {
        has_form(label.strip_prefix('_').unwrap_or(label), is_alphanumeric, |byte| {
            is_label_byte(byte) || byte == b'_'
        })
    };
    if !value.split('.').all(is_label) {
        faults.push(wrong_form(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, \
             '_', '-' or '.', and must start and end with an alphanumeric character",
            UNDERSCORE_REGEX,
            &["example.com"],
        ));
    }
    faults
}

/// An RFC 1035 label, which starts with a letter: names of Services before 1.36.
pub fn dns1035_label(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > LABEL_LENGTH {
        faults.push(too_long(LABEL_LENGTH));
    }
    if !is_label(value) || !value.starts_with(|c: char| c.is_ascii_lowercase()) {
        faults.push(wrong_form(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start \
             with an alphabetic character, and end with an alphanumeric character",
            DNS1035_REGEX,
            &["my-name", "abc-123"],
        ));
    }
    faults
}

/// `*.` and a subdomain: hosts of an Ingress.
pub fn wildcard_dns1123_subdomain(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > SUBDOMAIN_LENGTH {
        faults.push(too_long(SUBDOMAIN_LENGTH));
    }
    if !value.strip_prefix("*.").is_some_and(is_subdomain) {
        faults.push(wrong_form(
            "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS \
             subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and \
             end with an alphanumeric character",
            WILDCARD_REGEX,
            &["*.example.com"],
        ));
    }
    faults
}

/// What a rule sees of a `generateName`: a trailing dash is legal, since more follows it. Two
/// characters give way to an `a`, as in Kubernetes.
pub fn mask_trailing_dash(prefix: &str) -> Cow<'_, str> {
    match prefix.strip_suffix('-') {
        Some(rest) if !rest.is_empty() && prefix.is_char_boundary(rest.len() - 1) => {
            Cow::Owned(format!("{}a", &prefix[..rest.len() - 1]))
        }
        _ => Cow::Borrowed(prefix),
    }
}

fn is_label(value: &str) -> bool {
    has_form(value, is_alphanumeric, is_label_byte)
}

fn is_subdomain(value: &str) -> bool {
    value.split('.').all(is_label)
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte.is_ascii_digit()
}

fn is_label_byte(byte: u8) -> bool {
    is_alphanumeric(byte) || byte == b'-'
}
