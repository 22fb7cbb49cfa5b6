//! Lists that a schema calls a set or a map: no two items may be the same.

use super::validate::join;
use crate::api::field_error::FieldError;
use crate::base::{FastMap, Value};

/// Repeated items of lists that are sets or maps.
pub fn check(schema: &Value, value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    match value {
        Value::List(items) => {
            match schema.str_at(&["x-kubernetes-list-type"]) {
                Some("set") => repeated(items, path, errors),
                Some("map") if items.iter().any(is_no_map) => {
                    let at = items.iter().position(is_no_map).unwrap_or_default();
                    let detail = "must be an object for an array of list-type map";
                    let place = format!("{path}[{at}]");
                    errors.push(FieldError::invalid(place, &items[at], detail));
                }
                Some("map") => {
                    let keys = schema.list_at(&["x-kubernetes-list-map-keys"]);
                    let marks: Vec<Value> = items.iter().map(|item| mark(item, keys)).collect();
                    repeated(&marks, path, errors);
                }
                _ => {}
            }
            if let Some(inner) = schema.get("items") {
                for (at, item) in items.iter().enumerate() {
                    check(inner, item, &format!("{path}[{at}]"), errors);
                }
            }
        }
        Value::Map(map) => {
            for (key, item) in map.iter() {
                if let Some(inner) = schema.at(&["properties", key]) {
                    check(inner, item, &join(path, key), errors);
                } else if let Some(inner @ Value::Map(_)) = schema.get("additionalProperties") {
                    check(inner, item, &format!("{path}[{key}]"), errors);
                }
            }
        }
        _ => {}
    }
}

/// The second of equal items is named; further ones are not.
fn repeated(marks: &[Value], path: &str, errors: &mut Vec<FieldError>) {
    let mut seen: FastMap<String, usize> = FastMap::new();
    for (at, mark) in marks.iter().enumerate() {
        let count = seen.get_or_insert_with(mark.to_json(), || 0);
        *count += 1;
        if *count == 2 {
            errors.push(FieldError::duplicate(format!("{path}[{at}]"), mark));
        }
    }
}

fn is_no_map(item: &Value) -> bool {
    !matches!(item, Value::Map(_) | Value::Null)
}

fn mark(item: &Value, keys: &[Value]) -> Value {
    let keys = keys.iter().filter_map(Value::as_str);
    Value::map(keys.filter_map(|key| Some((key, item.get(key)?.clone()))))
}
