//! The check itself: one walk, no allocation until something is wrong.
//!
//! Go's decoder remembers the first value of a wrong type and goes on, but gives up at once
//! when a type with a decoder of its own (a quantity, a time) refuses a value. Both are kept.

use std::fmt::Write;

use super::go_time;
use crate::api::types::{Field, Form, List, MapOf, Others, Schema, Shape, Type, TypeId};
use crate::base::value::go_float;
use crate::base::{Map, Quantity, Value, go_quote};

/// More than these many unknown fields are not reported, as in the API server.
const WARNINGS_MAX: usize = 100;

/// What a walk found.
#[derive(Default)]
pub struct Found {
    /// Unknown fields in the order of the document.
    pub warnings: Vec<String>,
    /// Whether there are nulls or floats that decoding changes.
    pub needs_change: bool,
}

/// Checks a whole object.
pub fn check(schema: &Schema, value: &Value) -> Result<Found, String> {
    let mut checker = Checker { schema, found: Found::default(), first: None };
    checker.object(schema.root_id(), value, &Place::Root)?;
    match checker.first {
        Some(sentence) => Err(sentence),
        None => Ok(checker.found),
    }
}

/// Checks a value of a shape by itself, as if it were a whole document.
pub fn check_alone(schema: &Schema, shape: &Shape, value: &Value) -> Result<(), String> {
    let mut checker = Checker { schema, found: Found::default(), first: None };
    checker.shape(shape, value, &Place::Root)?;
    checker.first.map_or(Ok(()), Err)
}

/// Where the walk is: a chain of borrowed steps.
enum Place<'a> {
    Root,
    /// The metadata of a custom resource, which Go decodes by itself.
    Metadata,
    Field {
        parent: &'a Place<'a>,
        owner: &'a Type,
        field: &'a Field,
    },
    Index {
        parent: &'a Place<'a>,
        index: usize,
    },
    Key {
        parent: &'a Place<'a>,
        key: &'a str,
    },
}

struct Checker<'a> {
    schema: &'a Schema,
    found: Found,
    first: Option<String>,
}

impl<'a> Checker<'a> {
    /// Checks a struct. An error is a refusal that ends decoding at once.
    fn object(&mut self, id: TypeId, value: &Value, place: &Place) -> Result<(), String> {
        let schema = self.schema;
        let of = schema.get(id);
        let Value::Map(map) = value else {
            self.mismatch(value, &of.go_name(), place);
            return Ok(());
        };
        let mut fields = of.fields.iter().peekable();
        for (key, item) in map.iter() {
            // Both sides are sorted, so one pass over each is enough.
            while fields.next_if(|field| field.name.as_str() < key).is_some() {}
            match fields.next_if(|field| field.name == key) {
                Some(field) => {
                    let alone = matches!(place, Place::Root) && key == "metadata";
                    let place = if alone && schema.is_custom() {
                        Place::Metadata
                    } else {
                        Place::Field { parent: place, owner: of, field }
                    };
                    self.shape(&field.shape, item, &place)?;
                }
                None if of.others == Others::Unknown => self.unknown(key, place),
                None => {}
            }
        }
        Ok(())
    }

    fn shape(&mut self, shape: &'a Shape, value: &Value, place: &Place) -> Result<(), String> {
        match (&shape.form, value) {
            (_, Value::Null) => self.found.needs_change = true,
            (Form::Str, Value::Str(_)) | (Form::Bool, Value::Bool(_)) => {}
            (Form::Int32, Value::Int(number)) if i32::try_from(*number).is_ok() => {}
            (Form::Int64, Value::Int(_)) | (Form::Float, Value::Int(_) | Value::Float(_)) => {}
            (Form::Int32 | Form::Int64, Value::Float(number)) => {
                self.whole_number(shape, *number, value, place);
            }
            (Form::Int32, Value::Int(_)) => self.bad_number(shape, value, place),
            (Form::Bytes, Value::Str(text)) => self.base64(text),
            (Form::Quantity, _) => {
                Quantity::normalize_value(value).map_err(|error| error.to_string())?;
            }
            (Form::IntOrString, _) => return self.int_or_string(value, place),
            (Form::Time, _) => return time(value, go_time::SECONDS, place),
            (Form::MicroTime, _) => return time(value, go_time::MICROS, place),
            (Form::Raw | Form::Json, _) => {}
            (Form::Struct(id), _) => return self.object(*id, value, place),
            (Form::List(list), Value::List(items)) => return self.list(list, items, place),
            (Form::Map(of), Value::Map(map)) => return self.map(of, map, place),
            _ => self.mismatch(value, &self.schema.go_type(shape), place),
        }
        Ok(())
    }

    fn list(&mut self, list: &'a List, items: &[Value], place: &Place) -> Result<(), String> {
        for (index, item) in items.iter().enumerate() {
            self.shape(&list.item, item, &Place::Index { parent: place, index })?;
        }
        Ok(())
    }

    fn map(&mut self, of: &'a MapOf, map: &Map, place: &Place) -> Result<(), String> {
        for (key, item) in map.iter() {
            self.shape(&of.value, item, &Place::Key { parent: place, key })?;
        }
        Ok(())
    }

    /// A float where an integer belongs: `1.0` and `1e3` read as YAML or JSON arrive here.
    fn whole_number(&mut self, shape: &Shape, number: f64, value: &Value, place: &Place) {
        let limit = if shape.form == Form::Int32 { 2_147_483_648.0 } else { 9.3e18 };
        if number.fract() == 0.0 && (-limit..limit).contains(&number) {
            self.found.needs_change = true;
        } else {
            self.bad_number(shape, value, place);
        }
    }

    /// Whether the place belongs to a custom resource's own types, whose schema speaks for
    /// them: only `apiVersion`, `kind` and `metadata` are Go's to decode.
    fn is_custom(&self, place: &Place) -> bool {
        if !self.schema.is_custom() {
            return false;
        }
        match place {
            Place::Field { parent: Place::Root, field, .. } => {
                !matches!(field.name.as_str(), "apiVersion" | "kind")
            }
            Place::Metadata => false,
            _ => place.owner().is_none_or(|owner| owner.package.is_empty()),
        }
    }

    fn bad_number(&mut self, shape: &Shape, value: &Value, place: &Place) {
        if self.is_custom(place) {
            return;
        }
        let sentence = place.type_error(&number(value), &self.schema.go_type(shape));
        self.remember(sentence);
    }

    fn int_or_string(&mut self, value: &Value, place: &Place) -> Result<(), String> {
        match value {
            Value::Str(_) => Ok(()),
            Value::Int(number) if i32::try_from(*number).is_ok() => Ok(()),
            Value::Float(float) if float.fract() == 0.0 && float.abs() < 2_147_483_648.0 => {
                self.found.needs_change = true;
                Ok(())
            }
            _ if self.is_custom(place) => Ok(()),
            Value::Int(_) | Value::Float(_) => Err(place.type_error(&number(value), "int32")),
            other => Err(place.type_error(other.type_name(), "int32")),
        }
    }

    fn base64(&mut self, text: &str) {
        if let Err(at) = check_base64(text) {
            self.remember(format!("illegal base64 data at input byte {at}"));
        }
    }

    fn mismatch(&mut self, value: &Value, go_type: &str, place: &Place) {
        if self.is_custom(place) {
            return;
        }
        let sentence = place.type_error(value.type_name(), go_type);
        self.remember(sentence);
    }

    fn remember(&mut self, sentence: String) {
        self.first.get_or_insert(sentence);
    }

    fn unknown(&mut self, key: &str, place: &Place) {
        if self.found.warnings.len() < WARNINGS_MAX {
            let mut path = String::new();
            place.write_path(&mut path);
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(key);
            self.found.warnings.push(format!("unknown field {}", go_quote(&path)));
        }
    }
}

impl Place<'_> {
    /// The struct whose field the place is in; list items and map values belong to the list's
    /// or map's own field.
    fn owner(&self) -> Option<&Type> {
        match self {
            Self::Root | Self::Metadata => None,
            Self::Field { owner, .. } => Some(owner),
            Self::Index { parent, .. } | Self::Key { parent, .. } => parent.owner(),
        }
    }

    /// Go's sentence for a value of the wrong type.
    fn type_error(&self, found: &str, go_type: &str) -> String {
        let Some(owner) = self.owner() else {
            return format!("json: cannot unmarshal {found} into Go value of type {go_type}");
        };
        let mut path = String::new();
        self.write_go_path(&mut path);
        let struct_name = &owner.name;
        format!(
            "json: cannot unmarshal {found} into Go struct field {struct_name}.{path} of type {go_type}"
        )
    }

    /// The path as decoding errors print it: field names and embedded structs only.
    fn write_go_path(&self, out: &mut String) {
        match self {
            Self::Root | Self::Metadata => {}
            Self::Field { parent, field, .. } => {
                parent.write_go_path(out);
                for name in [&field.embedded, &field.name].into_iter().filter(|n| !n.is_empty()) {
                    if !out.is_empty() {
                        out.push('.');
                    }
                    out.push_str(name);
                }
            }
            Self::Index { parent, .. } | Self::Key { parent, .. } => parent.write_go_path(out),
        }
    }

    /// The path as warnings print it: with list indexes and map keys.
    fn write_path(&self, out: &mut String) {
        let (parent, name) = match self {
            Self::Root => return,
            Self::Metadata => {
                out.push_str("metadata");
                return;
            }
            Self::Index { parent, index } => {
                parent.write_path(out);
                let _ = write!(out, "[{index}]");
                return;
            }
            Self::Field { parent, field, .. } => (parent, field.name.as_str()),
            Self::Key { parent, key } => (parent, *key),
        };
        parent.write_path(out);
        if !out.is_empty() {
            out.push('.');
        }
        out.push_str(name);
    }
}

fn time(value: &Value, layout: &'static str, place: &Place) -> Result<(), String> {
    match value {
        Value::Str(text) => go_time::parse(text, layout).map(|_| ()),
        other => Err(place.type_error(other.type_name(), "string")),
    }
}

/// A number with its digits, as errors about integers print it.
fn number(value: &Value) -> String {
    match value {
        Value::Int(number) => format!("number {number}"),
        Value::Float(float) => format!("number {}", go_float(*float)),
        other => other.type_name().to_string(),
    }
}

/// Go's reading of padded base64: line breaks are skipped; on failure the place of the trouble.
pub fn check_base64(text: &str) -> Result<(), usize> {
    let bytes = text.as_bytes();
    let skip = |mut at: usize| {
        while bytes.get(at).is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
            at += 1;
        }
        at
    };
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let mut at = skip(0);
    while at < bytes.len() {
        for digit in 0..4 {
            at = skip(at);
            match bytes.get(at) {
                Some(byte) if is_digit(*byte) => at += 1,
                Some(b'=') if digit >= 2 => return end_of_padding(bytes, at, digit, skip),
                // The decoder counts an incomplete group back to its first digit.
                None => return Err(at - digit),
                Some(_) => return Err(at),
            }
        }
        at = skip(at);
    }
    Ok(())
}

fn end_of_padding(
    bytes: &[u8],
    at: usize,
    digit: usize,
    skip: impl Fn(usize) -> usize,
) -> Result<(), usize> {
    let mut end = skip(at + 1);
    if digit == 2 {
        match bytes.get(end) {
            None => return Err(bytes.len()),
            Some(b'=') => end = skip(end + 1),
            Some(_) => return Err(end - 1),
        }
    }
    if end < bytes.len() { Err(end) } else { Ok(()) }
}
