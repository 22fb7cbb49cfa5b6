//! The types of the API: what JSON each field takes, and what patches and appliers must know
//! about it. Built-in types come from the embedded [`table`](super::table); the types of
//! custom resources are compiled from their definitions into the same form.

use std::sync::Arc;

use super::table;
use crate::base::{Text, Value};
use crate::define_id;

define_id! {
    /// A struct type: a built-in one, or one of the [`Schema`] it is used with.
    TypeId
}

/// What a place in a document takes.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// The JSON it takes.
    pub form: Form,
    /// Whether Go holds it by pointer, so that a zero value differs from an absent one.
    pub pointer: bool,
    /// The named Go type, such as `v1.Protocol`; empty where the form says it all.
    pub go_name: Text,
}

/// The JSON a place takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Form {
    /// A string.
    Str,
    /// `true` or `false`.
    Bool,
    /// An integer of 32 bits.
    Int32,
    /// An integer of 64 bits.
    Int64,
    /// Any number.
    Float,
    /// A string of base64.
    Bytes,
    /// A resource quantity: a string or a number.
    Quantity,
    /// An integer of 32 bits or a string.
    IntOrString,
    /// A time in whole seconds.
    Time,
    /// A time in microseconds.
    MicroTime,
    /// An object that is kept as it is.
    Raw,
    /// Any JSON.
    Json,
    /// A struct.
    Struct(TypeId),
    /// A list.
    List(Box<List>),
    /// A map from text.
    Map(Box<MapOf>),
}

/// A list type.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    /// What each item takes.
    pub item: Shape,
    /// How appliers merge it.
    pub kind: ListKind,
}

/// How server-side apply merges a list.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum ListKind {
    /// As a whole.
    #[default]
    Atomic,
    /// As a set of scalars.
    Set,
    /// As a map from these fields of each item.
    Map(Vec<Text>),
}

/// A map type.
#[derive(Clone, Debug, PartialEq)]
pub struct MapOf {
    /// The named Go type of the keys; empty for plain strings.
    pub key: Text,
    /// What each value takes.
    pub value: Shape,
}

/// A struct type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Type {
    /// Its package, such as `apps/v1`; empty for types of custom resources.
    pub package: Text,
    /// Its name, such as `DeploymentSpec`.
    pub name: Text,
    /// Its fields, sorted by name.
    pub fields: Vec<Field>,
    /// Whether appliers treat it as one value.
    pub atomic: bool,
    /// What becomes of fields it does not name.
    pub others: Others,
}

/// What becomes of fields that a type does not name.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Others {
    /// They are unknown: kept, with a warning.
    #[default]
    Unknown,
    /// They are anybody's.
    Preserve,
}

/// A field of a struct.
#[derive(Clone, Debug, PartialEq)]
pub struct Field {
    /// Its JSON name.
    pub name: Text,
    /// What it takes.
    pub shape: Shape,
    /// When Go writes it.
    pub written: Written,
    /// Whether the API description calls it required.
    pub required: bool,
    /// Whether appliers treat it as one value.
    pub atomic: bool,
    /// The embedded Go structs it comes from, such as `VolumeSource`; part of decoding errors.
    pub embedded: Text,
    /// How strategic merge patches treat it, where it says so.
    pub patch: Option<PatchStrategy>,
    /// The default the API description gives it, where that is not empty.
    pub default: Option<Value>,
}

/// When Go writes a field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Written {
    /// Even when it is empty (no `omitempty`).
    Always,
    /// Unless it is an empty scalar, list or map (`omitempty`); structs are always written.
    #[default]
    NotEmpty,
    /// Unless it is a zero value, structs included (`omitzero`).
    NotZero,
}

/// How a strategic merge patch treats a field.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PatchStrategy {
    /// Lists are merged item by item rather than replaced.
    pub merge: bool,
    /// Maps are replaced rather than merged.
    pub replace: bool,
    /// Keys absent from the patch's `$retainKeys` are cleared.
    pub retain_keys: bool,
    /// The field that tells the items of a merged list apart; empty for lists of scalars.
    pub merge_key: Text,
}

impl Type {
    /// The field of this JSON name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields
            .binary_search_by(|field| field.name.as_str().cmp(name))
            .ok()
            .map(|at| &self.fields[at])
    }

    /// The name Go's messages use, such as `v1.DeploymentSpec`.
    pub fn go_name(&self) -> String {
        let package = self.package.rsplit('/').next().unwrap_or_default();
        format!("{package}.{}", self.name)
    }
}

impl Shape {
    /// A shape without a Go name of its own.
    pub fn plain(form: Form) -> Self {
        Self { form, pointer: false, go_name: Text::default() }
    }

    /// The list, if it is one.
    pub fn as_list(&self) -> Option<&List> {
        if let Form::List(list) = &self.form { Some(list) } else { None }
    }

    /// The map, if it is one.
    pub fn as_map(&self) -> Option<&MapOf> {
        if let Form::Map(map) = &self.form { Some(map) } else { None }
    }
}

/// The type of a whole object, and where the types it refers to are found. Clones are cheap.
#[derive(Clone, Debug)]
pub struct Schema {
    root: TypeId,
    /// The types of a custom resource, numbered after the built-in ones.
    own: Option<Arc<[Type]>>,
}

impl Schema {
    /// The built-in type of this package and name, such as `apps/v1` and `Deployment`.
    pub fn builtin(package: &str, name: &str) -> Option<Self> {
        table::builtin().type_id(package, name).map(|root| Self { root, own: None })
    }

    pub(super) fn of_builtin(root: TypeId) -> Self {
        Self { root, own: None }
    }

    pub(super) fn of_custom(root: TypeId, own: Vec<Type>) -> Self {
        Self { root, own: Some(own.into()) }
    }

    /// Whether it is the schema of a custom resource.
    pub fn is_custom(&self) -> bool {
        self.own.is_some()
    }

    /// The id of the object's own type.
    pub fn root_id(&self) -> TypeId {
        self.root
    }

    /// The object's own type.
    pub fn root(&self) -> &Type {
        self.get(self.root)
    }

    /// A type by id.
    pub fn get(&self, id: TypeId) -> &Type {
        let builtin = &table::builtin().types;
        match id.index().checked_sub(builtin.len()) {
            None => &builtin[id.index()],
            Some(at) => &self.own.as_ref().expect("a custom type id comes with its schema")[at],
        }
    }

    /// What stands at a path of field names; list items and map values are stepped into freely.
    pub fn at(&self, path: &[&str]) -> Option<&Shape> {
        let (first, rest) = path.split_first()?;
        let mut shape = &self.root().field(first)?.shape;
        for name in rest {
            shape = self.field_of(shape, name)?;
        }
        Some(shape)
    }

    fn field_of<'a>(&'a self, shape: &'a Shape, name: &str) -> Option<&'a Shape> {
        match &shape.form {
            Form::Struct(id) => Some(&self.get(*id).field(name)?.shape),
            Form::List(list) => self.field_of(&list.item, name),
            Form::Map(map) => Some(&map.value),
            _ => None,
        }
    }

    /// The name of a shape in Go's messages, such as `int32` or `[]v1.Container`.
    pub fn go_type(&self, shape: &Shape) -> String {
        if !shape.go_name.is_empty() {
            return shape.go_name.to_string();
        }
        let pointer = |shape: &Shape| if shape.pointer { "*" } else { "" };
        match &shape.form {
            Form::Str => "string".into(),
            Form::Time => "v1.Time".into(),
            Form::MicroTime => "v1.MicroTime".into(),
            Form::IntOrString => "intstr.IntOrString".into(),
            Form::Bool => "bool".into(),
            Form::Int32 => "int32".into(),
            Form::Int64 => "int64".into(),
            Form::Float => "float64".into(),
            Form::Bytes => "[]uint8".into(),
            Form::Quantity => "resource.Quantity".into(),
            Form::Raw => "runtime.RawExtension".into(),
            Form::Json => "v1.JSON".into(),
            Form::Struct(id) => self.get(*id).go_name(),
            Form::List(list) => format!("[]{}{}", pointer(&list.item), self.go_type(&list.item)),
            Form::Map(map) => {
                let key = if map.key.is_empty() { "string" } else { &map.key };
                format!("map[{key}]{}{}", pointer(&map.value), self.go_type(&map.value))
            }
        }
    }
}
