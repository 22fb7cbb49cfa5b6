//! Small edits the conversions are made of.

use crate::base::Value;
use crate::base::value::to_go_json;

/// Sets a field that is absent or null, making maps on the way.
pub fn default(object: &mut Value, path: &[&str], value: impl Into<Value>) {
    if object.at(path).is_none_or(Value::is_null) {
        object.set(path, value);
    }
}

/// Moves a field; nothing happens when it is absent.
pub fn rename(object: &mut Value, from: &[&str], to: &[&str]) {
    if let Some(value) = object.remove(from) {
        object.set(to, value);
    }
}

/// Edits each item of a list, if there is one.
pub fn each(object: &mut Value, path: &[&str], mut edit: impl FnMut(&mut Value)) {
    within(object, path, |list| {
        if matches!(list, Value::List(_)) {
            list.list_mut().iter_mut().for_each(&mut edit);
        }
    });
}

/// Edits what is at a path, if anything is.
pub fn within(object: &mut Value, path: &[&str], edit: impl FnOnce(&mut Value)) {
    if object.at(path).is_none_or(Value::is_null) {
        return;
    }
    let mut place = object;
    for key in path {
        place = place.map_mut().get_mut(key).expect("just looked there");
    }
    edit(place);
}

/// Whether a field is absent, null or empty.
pub fn is_unset(object: &Value, path: &[&str]) -> bool {
    object.at(path).is_none_or(Value::is_empty)
}

/// JSON as Go writes it from structs: keys in this order, others after them by name.
pub fn ordered_json(value: &Value, order: &[&str]) -> String {
    match value {
        Value::Map(map) => {
            let place = |key: &str| order.iter().position(|other| *other == key);
            let mut pairs: Vec<(&str, &Value)> = map.iter().collect();
            pairs.sort_by_key(|(key, _)| place(key).unwrap_or(order.len()));
            let pairs: Vec<String> = pairs
                .iter()
                .map(|(key, item)| {
                    format!("{}:{}", to_go_json(&(*key).into()), ordered_json(item, order))
                })
                .collect();
            format!("{{{}}}", pairs.join(","))
        }
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(|item| ordered_json(item, order)).collect();
            format!("[{}]", items.join(","))
        }
        other => to_go_json(other),
    }
}
