//! `resource.k8s.io/v1beta1`: requests and devices had one level less, or one more.

use super::fields::each;
use crate::base::{Map, Value};

/// Fields of a request that are not about what exactly it asks for.
const OF_REQUEST: [&str; 3] = ["exactly", "firstAvailable", "name"];

/// Converts between versions; only `v1beta1` differs.
pub fn convert(object: &mut Value, kind: &str, from: &str, to: &str) {
    let spec: &[&str] = match kind {
        "ResourceClaim" => &["spec", "devices", "requests"],
        "ResourceClaimTemplate" => &["spec", "spec", "devices", "requests"],
        "ResourceSlice" => &["spec", "devices"],
        _ => return,
    };
    let old = |version: &str| version.ends_with("/v1beta1");
    let (wrapper, outer): (&str, &[&str]) = if kind == "ResourceSlice" {
        ("basic", &["basic", "name"])
    } else {
        ("exactly", &OF_REQUEST)
    };
    match (kind, old(from), old(to)) {
        ("ResourceSlice", true, false)
        | ("ResourceClaim" | "ResourceClaimTemplate", false, true) => {
            each(object, spec, |item| unwrap(item, wrapper));
        }
        ("ResourceSlice", false, true) => each(object, spec, |item| wrap(item, wrapper, outer)),
        // A request that asks for nothing in particular, or for the first available, has none.
        (_, true, false) => each(object, spec, |item| {
            let asks = |(key, value): (&str, &Value)| {
                let zero = [Value::Null, Value::Int(0), "".into()];
                !outer.contains(&key) && !zero.contains(value)
            };
            if item.as_map().is_some_and(|map| map.iter().any(asks)) {
                wrap(item, wrapper, outer);
            }
        }),
        _ => {}
    }
}

fn wrap(item: &mut Value, wrapper: &str, outer: &[&str]) {
    let Value::Map(map) = &*item else { return };
    let inner: Map = map
        .iter()
        .filter(|(key, _)| !outer.contains(key))
        .map(|(key, value)| (key.into(), value.clone()))
        .collect();
    item.map_mut().retain(|key, _| outer.contains(&key));
    item.map_mut().insert(wrapper, inner);
}

fn unwrap(item: &mut Value, wrapper: &str) {
    let Some(Value::Map(inner)) = item.remove(&[wrapper]) else { return };
    for (key, value) in inner.iter() {
        item.map_mut().insert(key, value.clone());
    }
}
