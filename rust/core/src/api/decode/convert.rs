//! The complaint about a patched object of the wrong shape. After a strategic merge patch the
//! API server does not decode text but copies a map into structs, and words trouble its own way.

use crate::api::types::{Form, Schema, Shape, TypeId};
use crate::base::Value;

/// The first trouble in copying `value` into its type, in field order.
pub fn conversion_error(schema: &Schema, value: &Value) -> Option<String> {
    struct_error(schema, schema.root_id(), value)
}

fn struct_error(schema: &Schema, id: TypeId, value: &Value) -> Option<String> {
    let Value::Map(map) = value else {
        return Some(format!("cannot restore struct from: {}", go_kind(value)));
    };
    let mut fields = schema.get(id).fields.iter();
    fields.find_map(|field| shape_error(schema, &field.shape, map.get(&field.name)?))
}

fn shape_error(schema: &Schema, shape: &Shape, value: &Value) -> Option<String> {
    match (&shape.form, value) {
        (_, Value::Null) => None,
        (Form::Struct(id), _) => struct_error(schema, *id, value),
        (Form::Map(of), Value::Map(map)) => {
            map.iter().find_map(|(_, item)| shape_error(schema, &of.value, item))
        }
        (Form::Map(_), _) => Some(format!("cannot restore map from {}", go_kind(value))),
        (Form::List(list), Value::List(items)) => {
            items.iter().find_map(|item| shape_error(schema, &list.item, item))
        }
        (Form::Bytes, Value::Str(_)) => own_decoder_error(schema, shape, value)
            .map(|sentence| format!("error decoding from json: {sentence}")),
        (Form::List(_) | Form::Bytes, _) => {
            Some(format!("cannot restore slice from {}", go_kind(value)))
        }
        (Form::Str | Form::Bool | Form::Int32 | Form::Int64 | Form::Float, _) => {
            scalar_error(schema, shape, value)
        }
        _ => own_decoder_error(schema, shape, value),
    }
}

fn scalar_error(schema: &Schema, shape: &Shape, value: &Value) -> Option<String> {
    let fits = match (&shape.form, value) {
        (Form::Str, Value::Str(_)) | (Form::Bool, Value::Bool(_)) => true,
        (Form::Int32 | Form::Int64 | Form::Float, Value::Int(_)) => true,
        (Form::Float, Value::Float(_)) => true,
        (Form::Int32 | Form::Int64, Value::Float(number)) => number.fract() == 0.0,
        _ => false,
    };
    if fits {
        return None;
    }
    let (from, to) = (go_kind(value), schema.go_type(shape));
    let convertible = matches!(
        (&shape.form, value),
        (Form::Str, Value::Int(_)) | (Form::Int32 | Form::Int64, Value::Float(_))
    );
    if convertible {
        return Some(format!("cannot convert {from} to {to}"));
    }
    let kind = match shape.form {
        Form::Str => "string",
        Form::Bool => "bool",
        Form::Int32 => "int32",
        Form::Int64 => "int64",
        _ => "float64",
    };
    Some(format!("unrecognized type: {kind}"))
}

/// What the type's own decoder says of the value alone.
fn own_decoder_error(schema: &Schema, shape: &Shape, value: &Value) -> Option<String> {
    super::check::check_alone(schema, shape, value).err()
}

fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "invalid",
        Value::Bool(_) => "bool",
        Value::Int(_) => "int64",
        Value::Float(_) => "float64",
        Value::Str(_) => "string",
        Value::List(_) => "slice",
        Value::Map(_) => "map",
    }
}
