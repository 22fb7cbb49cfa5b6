//! Rewriting a checked document into the form decoding leaves it in, or the form Go writes.
//!
//! What needs no change is not copied: every step answers `None` for "as it is".

use super::go_time;
use crate::api::types::{self, Field, Schema, Shape, TypeId, Written};
use crate::base::{Map, Quantity, Text, Value};

/// Which form is wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As decoded: nulls gone, whole numbers as integers.
    Decoded,
    /// As Go writes it.
    Written,
    /// As Go writes it after storage, which does not tell an empty list or map from none.
    Stored,
}

/// Rewrites a whole object.
pub fn apply(schema: &Schema, value: &mut Value, form: Form) {
    let rewriter = Rewriter { schema, form };
    if let Some(changed) = rewriter.object(schema.root_id(), value) {
        *value = changed;
    }
}

struct Rewriter<'a> {
    schema: &'a Schema,
    form: Form,
}

fn is_empty_collection(shape: &Shape, value: &Value) -> bool {
    matches!(shape.form, types::Form::List(_) | types::Form::Map(_)) && value.is_empty()
}

/// What becomes of a field.
enum Fate {
    Same,
    Gone,
    Now(Value),
}

impl Rewriter<'_> {
    fn object(&self, id: TypeId, value: &Value) -> Option<Value> {
        let map = value.as_map()?;
        let of = self.schema.get(id);
        // What a null means in a custom resource is for its schema to say.
        let custom = self.schema.is_custom() && of.package.is_empty();
        let mut edits: Vec<(&str, Option<Value>)> = Vec::new();
        let mut present = map.iter().peekable();
        for field in &of.fields {
            let name = field.name.as_str();
            while present.next_if(|(key, _)| *key < name).is_some() {}
            let fate = match present.next_if(|(key, _)| *key == name) {
                Some((_, item)) if custom && item.is_null() => Fate::Same,
                Some((_, item)) => self.field(field, item),
                None => self.absent(field).map_or(Fate::Same, Fate::Now),
            };
            match fate {
                Fate::Same => {}
                Fate::Gone => edits.push((name, None)),
                Fate::Now(item) => edits.push((name, Some(item))),
            }
        }
        (!edits.is_empty()).then(|| edited(map, edits).into())
    }

    fn field(&self, field: &Field, item: &Value) -> Fate {
        if item.is_null() {
            return match self.absent(field) {
                Some(Value::Null) => Fate::Same,
                Some(zero) => Fate::Now(zero),
                None => Fate::Gone,
            };
        }
        let changed = self.value(&field.shape, item);
        let now = changed.as_ref().unwrap_or(item);
        if self.form != Form::Decoded && omits(field, now) {
            return Fate::Gone;
        }
        if self.form == Form::Stored && is_empty_collection(&field.shape, now) {
            return self.absent(field).map_or(Fate::Same, Fate::Now);
        }
        changed.map_or(Fate::Same, Fate::Now)
    }

    /// What is written for a field that is not there; nothing for most.
    fn absent(&self, field: &Field) -> Option<Value> {
        if self.form == Form::Decoded || self.schema.is_custom() {
            return None;
        }
        match (field.written, is_struct(&field.shape)) {
            (Written::Always, _) | (Written::NotEmpty, true) => Some(self.zero(&field.shape)),
            _ => None,
        }
    }

    /// What Go writes for the zero value of a type.
    fn zero(&self, shape: &Shape) -> Value {
        if shape.pointer {
            return Value::Null;
        }
        match &shape.form {
            types::Form::Str => "".into(),
            types::Form::Bool => false.into(),
            types::Form::Int32
            | types::Form::Int64
            | types::Form::Float
            | types::Form::IntOrString => Value::Int(0),
            types::Form::Quantity => "0".into(),
            types::Form::Struct(id) => {
                let empty = Value::from(Map::new());
                self.object(*id, &empty).unwrap_or(empty)
            }
            _ => Value::Null,
        }
    }

    fn value(&self, shape: &Shape, value: &Value) -> Option<Value> {
        match (&shape.form, value) {
            (types::Form::Struct(id), _) => self.object(*id, value),
            (types::Form::List(list), Value::List(items)) => {
                let edit = |item: &Value| self.item(&list.item, item);
                edited_list(items, edit)
            }
            (types::Form::Map(of), Value::Map(map)) => {
                let edit = |(key, item): (&str, &Value)| {
                    self.item(&of.value, item).map(|item| (Text::from(key), item))
                };
                let edits: Vec<(Text, Value)> = map.iter().filter_map(edit).collect();
                if edits.is_empty() {
                    return None;
                }
                let edits = edits.iter().map(|(key, item)| (key.as_str(), Some(item.clone())));
                Some(edited(map, edits.collect()).into())
            }
            (
                types::Form::Int32 | types::Form::Int64 | types::Form::IntOrString,
                Value::Float(number),
            ) => Some(Value::Int(*number as i64)),
            _ if self.form == Form::Decoded => None,
            (types::Form::Quantity, _) => {
                let text = Quantity::normalize_value(value).ok()?;
                (value.as_str() != Some(&text)).then(|| text.into())
            }
            (types::Form::Time, Value::Str(text)) => time(text, go_time::SECONDS, false),
            (types::Form::MicroTime, Value::Str(text)) => time(text, go_time::MICROS, true),
            (types::Form::Bytes, Value::Str(text)) => base64(text),
            _ => None,
        }
    }

    /// An item of a list or a value of a map: what is null there becomes the zero value.
    fn item(&self, shape: &Shape, item: &Value) -> Option<Value> {
        if !item.is_null() {
            return self.value(shape, item);
        }
        if shape.pointer || self.schema.is_custom() {
            return None;
        }
        match &shape.form {
            types::Form::Struct(_) if self.form == Form::Decoded => Some(Map::new().into()),
            _ => Some(self.zero(shape)).filter(|zero| !zero.is_null()),
        }
    }
}

/// Whether Go leaves a field out for being empty.
fn omits(field: &Field, value: &Value) -> bool {
    let empty = match value {
        Value::Bool(flag) => !flag,
        Value::Int(number) => *number == 0,
        Value::Float(number) => *number == 0.0,
        other => other.is_empty(),
    };
    match field.written {
        Written::Always => false,
        Written::NotEmpty => empty && !field.shape.pointer && !is_struct(&field.shape),
        Written::NotZero => empty && !field.shape.pointer,
    }
}

/// Whether Go holds the type in a struct, which `omitempty` never leaves out.
fn is_struct(shape: &Shape) -> bool {
    let by_value = matches!(
        shape.form,
        types::Form::Struct(_)
            | types::Form::Quantity
            | types::Form::IntOrString
            | types::Form::Time
            | types::Form::MicroTime
            | types::Form::Raw
            | types::Form::Json
    );
    by_value && !shape.pointer
}

fn time(text: &str, layout: &'static str, micros: bool) -> Option<Value> {
    let moment = go_time::parse(text, layout).ok()?;
    if moment == go_time::ZERO {
        return Some(Value::Null);
    }
    let written = go_time::format(moment, micros);
    (written != text).then(|| written.into())
}

/// Base64 without line breaks, unused bits of the last digit zero.
fn base64(text: &str) -> Option<Value> {
    const DIGITS: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut plain: String = text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect();
    let padding = plain.len() - plain.trim_end_matches('=').len();
    if padding > 0 {
        let unused = if padding == 1 { 0b11 } else { 0b1111 };
        let last = plain.len() - padding - 1;
        let digit = DIGITS.find(plain[last..].chars().next()?)? & !unused;
        plain.replace_range(last..=last, &DIGITS[digit..=digit]);
    }
    (plain != text).then(|| plain.into())
}

fn edited(map: &Map, edits: Vec<(&str, Option<Value>)>) -> Map {
    let mut map = map.clone();
    for (key, edit) in edits {
        match edit {
            Some(item) => {
                map.insert(key, item);
            }
            None => {
                map.remove(key);
            }
        }
    }
    map
}

fn edited_list(items: &[Value], edit: impl Fn(&Value) -> Option<Value>) -> Option<Value> {
    let first = items.iter().enumerate().find_map(|(at, item)| Some((at, edit(item)?)));
    let (at, changed) = first?;
    let mut list = items[..at].to_vec();
    list.push(changed);
    list.extend(items[at + 1..].iter().map(|item| edit(item).unwrap_or_else(|| item.clone())));
    Some(list.into())
}
