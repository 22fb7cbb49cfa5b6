//! Ingresses of `extensions/v1beta1` and `networking.k8s.io/v1beta1`.

use super::fields::{default, each, within};
use crate::base::{Map, Value};

/// Backends name their service in one place, and every path has a type.
pub fn ingress(object: &mut Value) {
    within(object, &["spec", "backend"], backend);
    if let Some(value) = object.remove(&["spec", "backend"]) {
        object.set(&["spec", "defaultBackend"], value);
    }
    each(object, &["spec", "rules"], |rule| {
        each(rule, &["http", "paths"], |path| {
            default(path, &["pathType"], "ImplementationSpecific");
            within(path, &["backend"], backend);
        });
    });
}

fn backend(object: &mut Value) {
    let name = object.remove(&["serviceName"]).unwrap_or_default();
    let port = object.remove(&["servicePort"]).unwrap_or_default();
    let mut place = Map::new();
    match &port {
        Value::Str(text) if !text.is_empty() => {
            place.insert("name", port.clone());
        }
        Value::Int(number) if *number != 0 => {
            place.insert("number", port.clone());
        }
        _ => {}
    }
    if name.is_empty() && place.is_empty() && !matches!(port, Value::Str(_)) {
        return;
    }
    object.set(&["service", "name"], if name.is_null() { "".into() } else { name });
    if !place.is_empty() {
        object.set(&["service", "port"], place);
    }
}
