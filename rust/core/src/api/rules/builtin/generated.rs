//! Defaults that are computed from other fields.

use super::NamedStep;
use crate::api::rules::reference::{field, is_zero, text};
use crate::base::{Map, Value};

pub(super) const STEPS: &[NamedStep] = &[
    ("volume_without_source", "emptyDir", volume_without_source),
    ("service_account", "serviceAccount", service_account),
    ("host_ports", "ports", host_ports),
    ("pod_level_resources", "resources", pod_level_resources),
    ("selector_from_template", "selector", selector_from_template),
    ("labels_from_template", "metadata", labels_from_template),
    ("secret_data", "data", secret_data),
    ("name_label", "metadata", name_label),
    ("allocatable", "allocatable", allocatable),
    ("pod_cidrs", "podCIDRs", pod_cidrs),
    ("pod_cidr", "podCIDR", pod_cidr),
    ("pod_ips", "podIPs", pod_ips),
    ("pod_ip", "podIP", pod_ip),
    ("limit_defaults", "default", limit_defaults),
    ("limit_default_requests", "defaultRequest", limit_default_requests),
    ("scale_up_rules", "scaleUp", scale_up_rules),
    ("scale_down_rules", "scaleDown", scale_down_rules),
];

/// A volume that names no source is an empty directory.
fn volume_without_source(volume: &Value, _: &Value) -> Option<Value> {
    let map = volume.as_map()?;
    let bare = map.iter().all(|(name, value)| name == "name" || value.is_null());
    bare.then(|| Map::new().into())
}

/// The deprecated name repeats the present one.
fn service_account(spec: &Value, _: &Value) -> Option<Value> {
    let name = spec.get("serviceAccountName")?;
    (spec.get("serviceAccount") != Some(name)).then(|| name.clone())
}

/// On the host's network a container's ports are the host's.
fn host_ports(container: &Value, _: &Value) -> Option<Value> {
    let ports = container.list_at(&["ports"]);
    let open =
        |port: &Value| is_zero(field(port, "hostPort")) && !is_zero(field(port, "containerPort"));
    if !ports.iter().any(open) {
        return None;
    }
    let mut ports = ports.to_vec();
    for port in ports.iter_mut().filter(|port| open(port)) {
        let number = field(port, "containerPort").clone();
        port.set(&["hostPort"], number);
    }
    Some(ports.into())
}

fn pod_level_resources(spec: &Value, _: &Value) -> Option<Value> {
    super::pod_resources::completed(spec)
}

fn selector_from_template(spec: &Value, _: &Value) -> Option<Value> {
    let labels = spec.at(&["template", "metadata", "labels"])?;
    field(spec, "selector").is_empty().then(|| labels.clone())
}

fn labels_from_template(object: &Value, _: &Value) -> Option<Value> {
    let labels = object.at(&["spec", "template", "metadata", "labels"])?;
    let metadata = field(object, "metadata");
    if !field(metadata, "labels").is_empty() {
        return None;
    }
    let mut metadata = metadata.clone();
    metadata.set(&["labels"], labels.clone());
    Some(metadata)
}

/// Plain texts join the encoded data and win.
fn secret_data(secret: &Value, _: &Value) -> Option<Value> {
    let texts = field(secret, "stringData").as_map()?;
    let mut data = field(secret, "data").clone();
    for (key, value) in texts.iter() {
        data.set(&[key], to_base64(value.as_str().unwrap_or_default().as_bytes()));
    }
    (data != *field(secret, "data")).then_some(data)
}

fn name_label(namespace: &Value, _: &Value) -> Option<Value> {
    const LABEL: &str = "kubernetes.io/metadata.name";
    let metadata = field(namespace, "metadata");
    let name = text(metadata, "name");
    if name.is_empty() || metadata.str_at(&["labels", LABEL]) == Some(name) {
        return None;
    }
    let mut metadata = metadata.clone();
    metadata.set(&["labels", LABEL], name);
    Some(metadata)
}

fn allocatable(status: &Value, _: &Value) -> Option<Value> {
    let capacity = status.get("capacity")?;
    field(status, "allocatable").is_null().then(|| capacity.clone())
}

fn pod_cidrs(spec: &Value, _: &Value) -> Option<Value> {
    let first = text(spec, "podCIDR");
    let differs = spec.list_at(&["podCIDRs"]).first().and_then(Value::as_str) != Some(first);
    (differs && !first.is_empty()).then(|| vec![Value::from(first)].into())
}

fn pod_cidr(spec: &Value, _: &Value) -> Option<Value> {
    let first = spec.list_at(&["podCIDRs"]).first()?;
    (field(spec, "podCIDR") != first).then(|| first.clone())
}

/// A pod's addresses and the first of them, of which writers know one or both.
fn pod_ips(status: &Value, _: &Value) -> Option<Value> {
    let first = text(status, "podIP");
    let known = status.list_at(&["podIPs"]).first().map(|one| text(one, "ip"));
    let differs = known != Some(first);
    (differs && !first.is_empty()).then(|| vec![Value::map([("ip", Value::from(first))])].into())
}

fn pod_ip(status: &Value, _: &Value) -> Option<Value> {
    let first = field(status.list_at(&["podIPs"]).first()?, "ip");
    (!first.is_null() && field(status, "podIP") != first).then(|| first.clone())
}

/// What a container's limits default to: the most it may have.
fn limit_defaults(limit: &Value, _: &Value) -> Option<Value> {
    completed(limit, "default", &["max"])
}

/// What a container's requests default to: its default limits, then the least it may have.
fn limit_default_requests(limit: &Value, _: &Value) -> Option<Value> {
    completed(limit, "defaultRequest", &["default", "min"])
}

fn completed(limit: &Value, name: &str, from: &[&str]) -> Option<Value> {
    if text(limit, "type") != "Container" {
        return None;
    }
    let mut wanted = field(limit, name).clone();
    for list in from {
        for (resource, amount) in field(limit, list).as_map().into_iter().flat_map(Map::iter) {
            if wanted.get(resource).is_none() {
                wanted.set(&[resource], amount.clone());
            }
        }
    }
    (wanted != *field(limit, name)).then_some(wanted)
}

fn scale_up_rules(behavior: &Value, _: &Value) -> Option<Value> {
    let policies = vec![policy("Pods", 4), policy("Percent", 100)];
    let standard = Value::map([
        ("stabilizationWindowSeconds", Value::Int(0)),
        ("selectPolicy", Value::from("Max")),
        ("policies", policies.into()),
    ]);
    scaling_rules(field(behavior, "scaleUp"), standard)
}

fn scale_down_rules(behavior: &Value, _: &Value) -> Option<Value> {
    let standard = Value::map([
        ("selectPolicy", Value::from("Max")),
        ("policies", vec![policy("Percent", 100)].into()),
    ]);
    scaling_rules(field(behavior, "scaleDown"), standard)
}

fn policy(kind: &str, value: i64) -> Value {
    Value::map([
        ("type", Value::from(kind)),
        ("value", Value::Int(value)),
        ("periodSeconds", Value::Int(15)),
    ])
}

fn scaling_rules(given: &Value, standard: Value) -> Option<Value> {
    let mut wanted = standard;
    for (name, value) in given.as_map().into_iter().flat_map(Map::iter) {
        wanted.set(&[name], value.clone());
    }
    (wanted != *given).then_some(wanted)
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Bytes in standard base64.
fn to_base64(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let word = chunk.iter().fold(0_u32, |word, byte| word << 8 | u32::from(*byte));
        let word = word << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let symbol = ALPHABET[(word >> (18 - 6 * at)) as usize & 63];
            out.push(if at <= chunk.len() { symbol as char } else { '=' });
        }
    }
    out
}

/// The bytes of standard base64, line breaks ignored; nothing when it is none.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let symbols: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if !symbols.len().is_multiple_of(4) {
        return None;
    }
    let mut out = Vec::with_capacity(symbols.len() / 4 * 3);
    for chunk in symbols.chunks(4) {
        let padding = chunk.iter().rev().take_while(|byte| **byte == b'=').count();
        let mut word = 0_u32;
        for symbol in chunk {
            let at = if *symbol == b'=' {
                0
            } else {
                ALPHABET.iter().position(|known| known == symbol)?
            };
            word = word << 6 | at as u32;
        }
        out.extend_from_slice(&word.to_be_bytes()[1..4 - padding.min(2)]);
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::{from_base64, to_base64};

    #[test]
    fn base64_reads_what_it_writes() {
        for (text, encoded) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(to_base64(text.as_bytes()), encoded);
            assert_eq!(from_base64(encoded).unwrap(), text.as_bytes());
        }
        assert_eq!(from_base64("a"), None);
        assert_eq!(from_base64("a*=="), None);
    }
}
