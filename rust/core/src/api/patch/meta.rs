//! What the types say about patching a field.

use super::error::{PatchError, Result};
use crate::api::types::{Form, PatchStrategy, Schema, Shape, Type};

/// The type a patch has arrived at. Lookups go down one field at a time.
#[derive(Clone, Copy)]
pub struct Meta<'a> {
    schema: &'a Schema,
    place: Place<'a>,
}

#[derive(Clone, Copy)]
enum Place<'a> {
    Root,
    At(&'a Shape),
}

/// A field without a strategy of its own.
static NO_STRATEGY: PatchStrategy = PatchStrategy {
    merge: false,
    replace: false,
    retain_keys: false,
    merge_key: compact_str::CompactString::const_new(""),
};

impl<'a> Meta<'a> {
    /// The type of a whole object.
    pub fn of(schema: &'a Schema) -> Self {
        Self { schema, place: Place::Root }
    }

    /// The type and strategy of a field that holds a map.
    pub fn map_field(self, key: &str) -> Result<(Self, &'a PatchStrategy)> {
        let of = self.struct_type(key)?;
        // Go falls back on a name that differs in case only.
        let field = of
            .field(key)
            .or_else(|| of.fields.iter().find(|field| field.name.eq_ignore_ascii_case(key)))
            .ok_or_else(|| {
                PatchError::Other(format!(
                    "unable to find api field in struct {} for the json field \"{key}\"",
                    of.name
                ))
            })?;
        let meta = Self { schema: self.schema, place: Place::At(&field.shape) };
        Ok((meta, field.patch.as_ref().unwrap_or(&NO_STRATEGY)))
    }

    /// The item type and strategy of a field that holds a list.
    pub fn list_field(self, key: &str) -> Result<(Self, &'a PatchStrategy)> {
        let (meta, strategy) = self.map_field(key)?;
        let Place::At(shape) = meta.place else { unreachable!("a field has a shape") };
        let item = match &shape.form {
            Form::List(list) if list.item.as_list().is_some() => {
                return Err(PatchError::Other("unexpected slice of slice".into()));
            }
            Form::List(list) => &list.item,
            Form::Bytes => return Ok((meta, strategy)),
            _ if shape.pointer => shape,
            _ => {
                return Err(PatchError::Other(format!(
                    "expected slice or array type, but got: {}",
                    self.go_kind()
                )));
            }
        };
        Ok((Self { schema: self.schema, place: Place::At(item) }, strategy))
    }

    /// The name of the type in messages.
    pub fn name(self) -> &'static str {
        self.go_kind()
    }

    fn struct_type(self, key: &str) -> Result<&'a Type> {
        match self.place {
            Place::Root => Ok(self.schema.root()),
            Place::At(Shape { form: Form::Struct(id), .. }) => Ok(self.schema.get(*id)),
            Place::At(shape) => Err(PatchError::Other(match opaque_struct(shape) {
                Some(name) => {
                    // Go holds it in a struct of its own, none of whose fields has this name.
                    format!(
                        "unable to find api field in struct {name} for the json field \"{key}\""
                    )
                }
                None => format!(
                    "merging an object in json but data type is not struct, instead is: {}",
                    bare_kind(shape)
                ),
            })),
        }
    }

    fn go_kind(self) -> &'static str {
        match self.place {
            Place::Root => "struct",
            Place::At(shape) if shape.pointer => "ptr",
            Place::At(shape) => bare_kind(shape),
        }
    }
}

/// Go's structs behind what the API shows as a scalar or as anything.
fn opaque_struct(shape: &Shape) -> Option<&'static str> {
    match shape.form {
        Form::Quantity => Some("Quantity"),
        Form::IntOrString => Some("IntOrString"),
        Form::Time => Some("Time"),
        Form::MicroTime => Some("MicroTime"),
        Form::Raw => Some("RawExtension"),
        Form::Json => Some("JSON"),
        _ => None,
    }
}

fn bare_kind(shape: &Shape) -> &'static str {
    match shape.form {
        Form::Str => "string",
        Form::Bool => "bool",
        Form::Int32 => "int32",
        Form::Int64 => "int64",
        Form::Float => "float64",
        Form::List(_) | Form::Bytes => "slice",
        Form::Map(_) => "map",
        _ => "struct",
    }
}
