//! Structural schemas of custom resources, compiled to the types built-in kinds have.

use crate::api::table::builtin;
use crate::api::types::{
    Field, Form, List, ListKind, MapOf, Others, Schema, Shape, Type, TypeId, Written,
};
use crate::base::{Map, Text, Value};

/// The schema of one version, from its `openAPIV3Schema`; without one everything is kept.
pub fn compile(openapi: &Value, kind: &str) -> Schema {
    let mut compiler = Compiler { own: Vec::new() };
    let root = compiler.object(openapi, kind, true);
    Schema::of_custom(root, compiler.own)
}

struct Compiler {
    own: Vec<Type>,
}

impl Compiler {
    fn shape(&mut self, openapi: &Value, name: &str) -> Shape {
        Shape::plain(self.form(openapi, name))
    }

    fn form(&mut self, openapi: &Value, name: &str) -> Form {
        if flag(openapi, "x-kubernetes-int-or-string") {
            return Form::IntOrString;
        }
        let keeps_others = flag(openapi, "x-kubernetes-preserve-unknown-fields");
        match openapi.str_at(&["type"]) {
            Some("string") => Form::Str,
            Some("boolean") => Form::Bool,
            Some("integer") => Form::Int64,
            Some("number") => Form::Float,
            Some("array") => self.list(openapi, name),
            Some("object") if flag(openapi, "x-kubernetes-embedded-resource") => {
                Form::Struct(self.object(openapi, name, true))
            }
            Some("object") => match openapi.get("additionalProperties") {
                Some(Value::Bool(true)) => map_of(Shape::plain(Form::Json)),
                Some(value @ Value::Map(_)) => {
                    let value = self.shape(value, name);
                    map_of(value)
                }
                _ if keeps_others && openapi.get("properties").is_none() => Form::Raw,
                _ => Form::Struct(self.object(openapi, name, false)),
            },
            _ => Form::Json,
        }
    }

    fn list(&mut self, openapi: &Value, name: &str) -> Form {
        let item = match openapi.get("items") {
            Some(items) => self.shape(items, name),
            None => Shape::plain(Form::Json),
        };
        let keys = openapi.list_at(&["x-kubernetes-list-map-keys"]);
        let kind = match openapi.str_at(&["x-kubernetes-list-type"]) {
            Some("set") => ListKind::Set,
            Some("map") => {
                ListKind::Map(keys.iter().filter_map(Value::as_str).map(Text::from).collect())
            }
            _ => ListKind::Atomic,
        };
        Form::List(Box::new(List { item, kind }))
    }

    /// A struct type; `whole` when it is an object with `apiVersion`, `kind` and `metadata`.
    fn object(&mut self, openapi: &Value, name: &str, whole: bool) -> TypeId {
        let no_schema = openapi.is_null();
        let mut fields = Vec::new();
        if whole {
            fields.extend([
                field("apiVersion", Shape::plain(Form::Str)),
                field("kind", Shape::plain(Form::Str)),
                field("metadata", Shape::plain(Form::Struct(object_meta()))),
            ]);
        }
        let required = openapi.list_at(&["required"]);
        for (key, value) in properties(openapi) {
            if whole && matches!(key, "apiVersion" | "kind" | "metadata") {
                continue;
            }
            let mut field = field(key, self.shape(value, key));
            field.required = required.iter().any(|name| name.as_str() == Some(key));
            field.atomic = is_atomic(value);
            field.default = value.get("default").cloned();
            fields.push(field);
        }
        fields.sort_by(|a: &Field, b| a.name.cmp(&b.name));
        let keeps = no_schema || flag(openapi, "x-kubernetes-preserve-unknown-fields");
        self.own.push(Type {
            package: Text::default(),
            name: name.into(),
            fields,
            atomic: is_atomic(openapi),
            others: if keeps { Others::Preserve } else { Others::Unknown },
        });
        TypeId::new(builtin().types.len() + self.own.len() - 1)
    }
}

fn object_meta() -> TypeId {
    builtin().type_id("meta/v1", "ObjectMeta").expect("the table has ObjectMeta")
}

fn map_of(value: Shape) -> Form {
    Form::Map(Box::new(MapOf { key: Text::default(), value }))
}

fn field(name: &str, shape: Shape) -> Field {
    Field {
        name: name.into(),
        shape,
        written: Written::NotEmpty,
        required: false,
        atomic: false,
        embedded: Text::default(),
        patch: None,
        default: None,
    }
}

fn properties(openapi: &Value) -> impl Iterator<Item = (&str, &Value)> {
    openapi.get("properties").and_then(Value::as_map).into_iter().flat_map(Map::iter)
}

fn is_atomic(openapi: &Value) -> bool {
    openapi.str_at(&["x-kubernetes-map-type"]) == Some("atomic")
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or_default()
}
