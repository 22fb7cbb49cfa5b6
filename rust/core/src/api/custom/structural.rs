//! What a structural schema does to a custom resource before anybody checks it: fields it does
//! not name are dropped, defaults are filled in, nulls it does not allow are taken out.

use crate::api::types::Schema;
use crate::base::{Map, Value};

/// Drops what the schema does not name. The object's own `apiVersion`, `kind` and `metadata`
/// stay whatever it says.
///
/// This is what the API server stores; a caller that keeps every field leaves it out.
pub fn prune(openapi: &Value, object: &mut Value) {
    prune_value(openapi, object, true);
}

/// Fills in the schema's defaults and takes out nulls that may not be.
pub fn default(openapi: &Value, object: &mut Value) {
    match object {
        Value::Map(_) => default_map(openapi, object.map_mut()),
        Value::List(items) if !items.is_empty() => {
            if let Some(schema) = openapi.get("items") {
                object.list_mut().iter_mut().for_each(|item| default_item(schema, item));
            }
        }
        _ => {}
    }
}

fn default_map(openapi: &Value, map: &mut Map) {
    let properties = openapi.get("properties").and_then(Value::as_map);
    for (key, schema) in properties.into_iter().flat_map(Map::iter) {
        let wanting = map.get(key).is_none_or(|item| refuses_null(schema, item));
        match schema.get("default").filter(|default| !default.is_null()) {
            Some(default) if wanting => {
                map.insert(key, default.clone());
            }
            None if wanting => {
                map.remove(key);
            }
            _ => {}
        }
    }
    let others = openapi.get("additionalProperties").filter(|schema| schema.as_map().is_some());
    let schema_of = |key: &str| properties.and_then(|named| named.get(key)).or(others);
    map.retain(|key, item| {
        let Some(schema) = schema_of(key) else { return true };
        default_item(schema, item);
        !refuses_null(schema, item)
    });
}

/// A list item or a map value: a null that may not be one takes the default, too.
fn default_item(schema: &Value, item: &mut Value) {
    if refuses_null(schema, item)
        && let Some(default) = schema.get("default")
    {
        *item = default.clone();
    }
    default(schema, item);
}

fn refuses_null(schema: &Value, item: &Value) -> bool {
    item.is_null() && !super::flag(schema, "nullable")
}

fn prune_value(openapi: &Value, value: &mut Value, whole: bool) {
    match value {
        Value::Map(map) if !map.is_empty() => prune_map(openapi, value, whole),
        Value::List(items) if !items.is_empty() => {
            if let Some(schema) = openapi.get("items") {
                let embedded = super::flag(schema, "x-kubernetes-embedded-resource");
                for item in value.list_mut() {
                    prune_value(schema, item, embedded);
                }
            }
        }
        _ => {}
    }
}

fn prune_map(openapi: &Value, value: &mut Value, whole: bool) {
    let keeps = super::flag(openapi, "x-kubernetes-preserve-unknown-fields");
    let properties = openapi.get("properties");
    let others = openapi.get("additionalProperties");
    value.map_mut().retain(|key, item| {
        match key {
            "apiVersion" | "kind" if whole => return true,
            "metadata" if whole => {
                prune_metadata(item);
                return true;
            }
            _ => {}
        }
        match (properties.and_then(|properties| properties.get(key)), others) {
            (Some(schema), _) | (None, Some(schema @ Value::Map(_))) => {
                let embedded = super::flag(schema, "x-kubernetes-embedded-resource");
                prune_value(schema, item, embedded);
                true
            }
            (None, Some(Value::Bool(true))) => true,
            _ => keeps,
        }
    });
}

fn prune_metadata(metadata: &mut Value) {
    let schema = Schema::builtin("meta/v1", "ObjectMeta").expect("built in");
    if metadata.as_map().is_some_and(|map| map.keys().any(|key| schema.root().field(key).is_none()))
    {
        metadata.map_mut().retain(|key, _| schema.root().field(key).is_some());
    }
}
