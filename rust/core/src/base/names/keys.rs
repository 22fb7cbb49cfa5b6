//! Keys and values of labels, of ConfigMaps and of paths, and names of ports.

use super::dns::{SUBDOMAIN_LENGTH, subdomain_form};
use super::{has_form, too_long, wrong_form};

const PART_LENGTH: usize = 63;
const KEY_REGEX: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const KEY_RULE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start \
    and end with an alphanumeric character";
const KEY_EXAMPLES: [&str; 3] = ["MyName", "my.name", "123-abc"];

/// A label key, which Kubernetes also calls a qualified name: `app`, `example.com/app`.
pub fn label_key(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let name = match value.split_once('/') {
        None => value,
        Some((_, name)) if name.contains('/') => {
            let form = wrong_form(KEY_RULE, KEY_REGEX, &KEY_EXAMPLES);
            return vec![format!(
                "a valid label key {form} with an optional DNS subdomain prefix and '/' (e.g. \
                 'example.com/MyName')"
            )];
        }
        Some((prefix, name)) => {
            prefix_faults(prefix, &mut faults);
            name
        }
    };
    if name.is_empty() {
        faults.push("name part must be non-empty".to_owned());
    } else if name.len() > PART_LENGTH {
        faults.push(format!("name part {}", too_many_bytes(PART_LENGTH)));
    }
    if !is_name(name) {
        faults.push(format!("name part {}", wrong_form(KEY_RULE, KEY_REGEX, &KEY_EXAMPLES)));
    }
    faults
}

fn prefix_faults(prefix: &str, faults: &mut Vec<String>) {
    if prefix.is_empty() {
        faults.push("prefix part must be non-empty".to_owned());
        return;
    }
    if prefix.len() > SUBDOMAIN_LENGTH {
        faults.push(format!("prefix part {}", too_many_bytes(SUBDOMAIN_LENGTH)));
    }
    faults.extend(subdomain_form(prefix).map(|fault| format!("prefix part {fault}")));
}

/// The value of a label; the empty string is one.
pub fn label_value(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > PART_LENGTH {
        faults.push(too_many_bytes(PART_LENGTH));
    }
    if !value.is_empty() && !is_name(value) {
        faults.push(wrong_form(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', \
             '_' or '.', and must start and end with an alphanumeric character",
            "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?",
            &["MyValue", "my_value", "12345"],
        ));
    }
    faults
}

/// A key of a ConfigMap or a Secret.
pub fn config_map_key(value: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if value.len() > SUBDOMAIN_LENGTH {
        faults.push(too_long(SUBDOMAIN_LENGTH));
    }
    if value.is_empty() || !value.bytes().all(is_name_byte) {
        faults.push(wrong_form(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            "[-._a-zA-Z0-9]+",
            &["key.name", "KEY_NAME", "key-name"],
        ));
    }
    match value {
        "." => faults.push("must not be '.'".to_owned()),
        ".." => faults.push("must not be '..'".to_owned()),
        _ if value.starts_with("..") => faults.push("must not start with '..'".to_owned()),
        _ => {}
    }
    faults
}

/// A name that stands in a path of the API: names of RBAC roles and the like.
pub fn path_segment_name(value: &str) -> Vec<String> {
    if value == "." || value == ".." {
        return vec![format!("may not be '{value}'")];
    }
    let illegal = ["/", "%"].into_iter().filter(|part| value.contains(part));
    illegal.map(|part| format!("may not contain '{part}'")).collect()
}

/// The name of a port, which is an IANA service name.
pub fn port_name(value: &str) -> Vec<String> {
    const LENGTH: usize = 15;
    let mut faults = Vec::new();
    if value.len() > LENGTH {
        faults.push(too_long(LENGTH));
    }
    let legal = |byte: u8| byte == b'-' || byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut add = |is_wrong: bool, fault: &str| {
        if is_wrong {
            faults.push(fault.to_owned());
        }
    };
    add(
        value.is_empty() || !value.bytes().all(legal),
        "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)",
    );
    add(
        !value.bytes().any(|byte| byte.is_ascii_lowercase()),
        "must contain at least one letter (a-z)",
    );
    add(value.contains("--"), "must not contain consecutive hyphens");
    add(value.starts_with('-') || value.ends_with('-'), "must not begin or end with a hyphen");
    faults
}

/// An identifier of the C language.
pub fn c_identifier(value: &str) -> Vec<String> {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !value.is_empty()
        && value.bytes().all(legal)
        && !value.starts_with(|c: char| c.is_ascii_digit())
    {
        return Vec::new();
    }
    vec![wrong_form(
        "a valid C identifier must start with alphabetic character or '_', followed by a string \
         of alphanumeric characters or '_'",
        "[A-Za-z_][A-Za-z0-9_]*",
        &["my_name", "MY_NAME", "MyName"],
    )]
}

fn is_name(value: &str) -> bool {
    has_form(value, |byte| byte.is_ascii_alphanumeric(), is_name_byte)
}

fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// The sentence the newer rules of Kubernetes use; they count what the older ones call
/// characters.
fn too_many_bytes(length: usize) -> String {
    format!("must be no more than {length} bytes")
}
