//! Data of Secrets and ConfigMaps, and Events, which are checked by version.

use super::CheckFn;
use super::go_json::syntax_error;
use crate::api::rules::check::Walk;
use crate::api::rules::reference::{field, is_zero, text};
use crate::api::{FieldError, Path};
use crate::base::{Map, Value, names};

/// Data of one object may have this many bytes.
const DATA_BYTES_MAX: usize = 1 << 20;

pub(super) const CHECKS: &[(&str, CheckFn)] =
    &[("config_map_data", config_map_data), ("secret_data", secret_data), ("event", event)];

fn data<'v>(object: &'v Value, name: &str) -> impl Iterator<Item = (&'v str, &'v Value)> {
    field(object, name).as_map().into_iter().flat_map(Map::iter)
}

fn config_map_data<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let binary = field(here, "binaryData");
    let (data_path, binary_path) = (path.child("data"), path.child("binaryData"));
    let mut size = 0;
    for (key, value) in data(here, "data") {
        let at = data_path.key(key);
        super::metadata::invalid(walk, &at, key, names::config_map_key(key));
        if binary.get(key).is_some() {
            let detail = "duplicate of key present in binaryData";
            walk.errors.push(FieldError::invalid(at, key, detail));
        }
        size += value.as_str().map_or(0, str::len);
    }
    for (key, value) in data(here, "binaryData") {
        super::metadata::invalid(walk, &binary_path.key(key), key, names::config_map_key(key));
        size += decoded_len(value);
    }
    if size > DATA_BYTES_MAX {
        walk.errors.push(FieldError::too_long("", DATA_BYTES_MAX));
    }
}

/// The bytes a base64 text stands for.
fn decoded_len(value: &Value) -> usize {
    let text = value.as_str().unwrap_or_default();
    text.len() / 4 * 3 - text.bytes().rev().take_while(|byte| *byte == b'=').count()
}

fn secret_data<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let data_path = path.child("data");
    let mut size = 0;
    for (key, value) in data(here, "data") {
        super::metadata::invalid(walk, &data_path.key(key), key, names::config_map_key(key));
        size += decoded_len(value);
    }
    if size > DATA_BYTES_MAX {
        walk.errors.push(FieldError::too_long(data_path, DATA_BYTES_MAX));
    }
    let data = field(here, "data");
    let has = |key: &str| data.get(key).is_some();
    match text(here, "type") {
        "kubernetes.io/service-account-token" => {
            const KEY: &str = "kubernetes.io/service-account.name";
            let metadata = path.child("metadata");
            if text(field(field(here, "metadata"), "annotations"), KEY).is_empty() {
                let annotations = metadata.child("annotations");
                walk.errors.push(FieldError::required(annotations.key(KEY), ""));
            }
        }
        "kubernetes.io/dockercfg" => json_key(walk, data, ".dockercfg", &data_path),
        "kubernetes.io/dockerconfigjson" => json_key(walk, data, ".dockerconfigjson", &data_path),
        "kubernetes.io/basic-auth" if !has("username") && !has("password") => {
            for key in ["username", "password"] {
                walk.errors.push(FieldError::required(data_path.key(key), ""));
            }
        }
        "kubernetes.io/ssh-auth" if field(data, "ssh-privatekey").is_empty() => {
            walk.errors.push(FieldError::required(data_path.key("ssh-privatekey"), ""));
        }
        "kubernetes.io/tls" => {
            for key in ["tls.crt", "tls.key"].into_iter().filter(|key| !has(key)) {
                walk.errors.push(FieldError::required(data_path.key(key), ""));
            }
        }
        _ => {}
    }
}

/// A key that must hold a JSON object.
fn json_key(walk: &mut Walk<'_, '_>, data: &Value, key: &str, path: &Path<'_>) {
    let at = path.key(key);
    let Some(text) = data.get(key).and_then(Value::as_str) else {
        walk.errors.push(FieldError::required(at, ""));
        return;
    };
    let bytes = super::generated::from_base64(text).unwrap_or_default();
    let problem = syntax_error(&bytes).unwrap_or_else(|| {
        let first = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
        let what = match first {
            Some(b'{' | b'n') => return String::new(),
            Some(b'[') => "array",
            Some(b'"') => "string",
            Some(b't' | b'f') => "bool",
            _ => "number",
        };
        format!("json: cannot unmarshal {what} into Go value of type map[string]interface {{}}")
    });
    if problem.is_empty() {
        return;
    }
    walk.errors.push(FieldError::invalid(at, "<secret contents redacted>", problem));
}

/// An Event of the core group.
fn event<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let namespace = text(field(here, "metadata"), "namespace");
    let about = text(field(here, "involvedObject"), "namespace");
    let matches = match (is_zero(field(here, "eventTime")), about) {
        (true, "") => matches!(namespace, "" | "default"),
        (true, about) => about == namespace,
        (false, "") => matches!(namespace, "default" | "kube-system"),
        (false, _) => true,
    };
    if !matches {
        let object = path.child("involvedObject");
        let detail = "does not match event.namespace";
        walk.errors.push(FieldError::invalid(object.child("namespace"), about, detail));
    }
    if !is_zero(field(here, "eventTime")) {
        new_event(walk, here, path);
    }
    let problems = names::dns1123_subdomain(namespace);
    super::metadata::invalid(walk, &path.child("namespace"), namespace, problems);
}

/// What an Event with an exact time must have too.
fn new_event(walk: &mut Walk<'_, '_>, event: &Value, path: &Path<'_>) {
    let controller = text(event, "reportingComponent");
    let at = path.child("reportingComponent");
    if controller.is_empty() {
        walk.errors.push(FieldError::required(at, ""));
    }
    super::metadata::invalid(walk, &at, controller, names::label_key(controller));
    for (name, limit, needed) in [
        ("reportingInstance", 128, true),
        ("action", 128, true),
        ("reason", 128, true),
        ("message", 1024, false),
    ] {
        let value = text(event, name);
        if needed && value.is_empty() {
            walk.errors.push(FieldError::required(path.child(name), ""));
        }
        if value.len() > limit {
            let detail = format!("can have at most {limit} characters");
            walk.errors.push(FieldError::invalid(path.child(name), "", detail));
        }
    }
}
