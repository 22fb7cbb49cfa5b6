//! Absent required fields.

use crate::api::field_error::FieldError;
use crate::api::path::Path;
use crate::api::types::{Form, Schema, Shape, TypeId};
use crate::base::Value;

/// The required fields that `value` lacks, in document order. The API server does not check
/// this for built-in kinds: its semantic rules do, field by field. Use it for kinds that have
/// no rules. The status is not looked at: it is nobody's to write.
pub fn missing(schema: &Schema, value: &Value) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if let Some(map) = value.as_map() {
        for field in &schema.root().fields {
            match map.get(&field.name).filter(|item| !item.is_null()) {
                Some(item) if field.name != "status" => {
                    walk(schema, &field.shape, item, &Path::new(&field.name), &mut errors);
                }
                None if field.required => {
                    errors.push(FieldError::required(Path::new(&field.name), ""));
                }
                _ => {}
            }
        }
    }
    errors
}

fn walk(schema: &Schema, shape: &Shape, value: &Value, path: &Path, errors: &mut Vec<FieldError>) {
    match (&shape.form, value) {
        (Form::Struct(id), Value::Map(_)) => walk_fields(schema, *id, value, path, errors),
        (Form::List(list), Value::List(items)) => {
            for (at, item) in items.iter().enumerate() {
                walk(schema, &list.item, item, &path.index(at), errors);
            }
        }
        (Form::Map(of), Value::Map(map)) => {
            for (key, item) in map.iter() {
                walk(schema, &of.value, item, &path.key(key), errors);
            }
        }
        _ => {}
    }
}

fn walk_fields(
    schema: &Schema,
    id: TypeId,
    value: &Value,
    path: &Path,
    errors: &mut Vec<FieldError>,
) {
    for field in &schema.get(id).fields {
        let path = path.child(&field.name);
        match value.get(&field.name).filter(|item| !item.is_null()) {
            Some(item) => walk(schema, &field.shape, item, &path, errors),
            None if field.required => errors.push(FieldError::required(path, "")),
            None => {}
        }
    }
}
