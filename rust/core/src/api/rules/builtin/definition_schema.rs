//! Schemas of CustomResourceDefinitions: whether they say of every value what it is.
//!
//! Two readings follow one another, as in the API server: the structural one (every place has
//! one type, junctors only narrow it), whose errors are sorted, and that of each schema by
//! itself. Not looked at: CEL rules, defaults, patterns, and places that only junctors mention.

use super::{CheckFn, definition_parts, flag};
use crate::api::rules::check::Walk;
use crate::api::rules::reference::{field, text};
use crate::api::{BadValue, FieldError, Path};
use crate::base::{Map, Value};

pub(super) const CHECKS: &[(&str, CheckFn)] =
    &[("version_schema", version_schema), ("shared_schema", shared_schema)];

const TYPES: &[&str] = &["array", "boolean", "integer", "number", "object", "string"];
const UNSUPPORTED: [&str; 5] =
    ["additionalItems", "patternProperties", "definitions", "dependencies", "$ref"];
const PRESERVE: &str = "x-kubernetes-preserve-unknown-fields";
const EMBEDDED: &str = "x-kubernetes-embedded-resource";
const INT_OR_STRING: &str = "x-kubernetes-int-or-string";
const LIST_TYPE: &str = "x-kubernetes-list-type";
const LIST_KEYS: &str = "x-kubernetes-list-map-keys";
const MAP_TYPE: &str = "x-kubernetes-map-type";

/// The schema and the other parts of the version that stands here, where versions differ.
fn version_schema<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let definition = walk.scope.root;
    if !is_shared(definition, "schema") {
        let schema = field(field(here, "schema"), "openAPIV3Schema");
        check(walk, schema, has_status(here), &format!("{path}.schema.openAPIV3Schema"));
    }
    let is_here = |part: &str| !is_shared(definition, part);
    definition_parts::check(&mut walk.errors, here, &path.to_string(), is_here);
}

/// What all versions share; it stands in fields of its own then.
fn shared_schema<'d>(walk: &mut Walk<'_, 'd>, here: &'d Value, path: &Path<'_>, _: &Value) {
    let definition = walk.scope.root;
    let versions = here.list_at(&["versions"]);
    let Some(first) = versions.first() else { return };
    if is_shared(definition, "schema") {
        let schema = field(field(first, "schema"), "openAPIV3Schema");
        let has_status = versions.iter().any(has_status);
        check(walk, schema, has_status, &format!("{path}.validation.openAPIV3Schema"));
    }
    let is_here = |part: &str| is_shared(definition, part);
    definition_parts::check(&mut walk.errors, first, &path.to_string(), is_here);
}

fn is_shared(definition: &Value, part: &str) -> bool {
    let versions = definition.list_at(&["spec", "versions"]);
    versions.windows(2).all(|pair| field(&pair[0], part) == field(&pair[1], part))
}

fn has_status(version: &Value) -> bool {
    !field(field(version, "subresources"), "status").is_null()
}

fn check(walk: &mut Walk<'_, '_>, schema: &Value, has_status: bool, path: &str) {
    if schema.is_null() {
        return;
    }
    let kind = text(schema, "type");
    if has_status && !kind.is_empty() && kind != "object" {
        let detail = "only \"object\" is allowed as the type at the root of the schema if the \
                      status subresource is enabled";
        walk.errors.push(FieldError::invalid(format!("{path}.type"), kind, detail));
    }
    if flag(schema, "nullable") {
        let detail = "nullable cannot be true at the root";
        walk.errors.push(FieldError::forbidden(format!("{path}.nullable"), detail));
    }
    if is_readable(schema) {
        let mut structural = Structural { errors: Vec::new() };
        structural.schema(schema, Level::Root, path);
        structural.errors.sort_by_cached_key(ToString::to_string);
        walk.errors.append(&mut structural.errors);
    }
    each_schema(&mut walk.errors, schema, path);
}

/// Whether the structural reading knows every word of a schema; it says nothing otherwise.
fn is_readable(schema: &Value) -> bool {
    if schema.as_map().is_none() {
        return true;
    }
    let nested = ["allOf", "anyOf", "oneOf"].into_iter().flat_map(|name| schema.list_at(&[name]));
    let inner =
        ["items", "not", "additionalProperties"].into_iter().map(|name| field(schema, name));
    let properties = properties(schema).map(|(_, property)| property);
    UNSUPPORTED.iter().all(|name| field(schema, name).is_null())
        && text(schema, "id").is_empty()
        && schema.get(PRESERVE) != Some(&Value::Bool(false))
        && nested.chain(inner).chain(properties).all(is_readable)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Root,
    Item,
    Field,
}

struct Structural {
    errors: Vec<FieldError>,
}

impl Structural {
    fn required(&mut self, path: String, detail: &str) {
        self.errors.push(FieldError::required(path, detail));
    }

    fn forbidden(&mut self, path: String, detail: &str) {
        self.errors.push(FieldError::forbidden(path, detail));
    }

    fn invalid(&mut self, path: String, value: impl Into<BadValue>, detail: &str) {
        self.errors.push(FieldError::invalid(path, value, detail));
    }

    fn schema(&mut self, schema: &Value, level: Level, path: &str) {
        let items = field(schema, "items");
        if text(schema, "type") == "array" && items.is_null() {
            self.required(format!("{path}.items"), "must be specified");
        }
        if items.as_map().is_some() {
            self.schema(items, Level::Item, &format!("{path}.items"));
        }
        for (name, property) in properties(schema) {
            self.schema(property, Level::Field, &format!("{path}.properties[{name}]"));
        }
        let additional = field(schema, "additionalProperties");
        if !additional.is_null() && level == Level::Root {
            self.forbidden(format!("{path}.additionalProperties"), "must not be used at the root");
        }
        if additional.as_map().is_some() {
            self.schema(additional, Level::Field, &format!("{path}.additionalProperties"));
        }
        if flag(schema, INT_OR_STRING) {
            for name in [PRESERVE, EMBEDDED] {
                if flag(schema, name) {
                    let detail = "must be false if x-kubernetes-int-or-string is true";
                    self.invalid(format!("{path}.{name}"), BadValue::raw("true"), detail);
                }
            }
        }
        self.junctors(schema, path);
        self.kind_of_value(schema, level, path);
        self.object_metadata(schema, level, path);
    }

    fn kind_of_value(&mut self, schema: &Value, level: Level, path: &str) {
        let kind = text(schema, "type");
        let place = format!("{path}.type");
        if flag(schema, EMBEDDED) && kind != "object" {
            let detail = "must be object if x-kubernetes-embedded-resource is true";
            if kind.is_empty() {
                self.required(place.clone(), detail);
            } else {
                self.invalid(place.clone(), kind, detail);
            }
        } else if kind.is_empty() && !flag(schema, INT_OR_STRING) && !flag(schema, PRESERVE) {
            let detail = match level {
                Level::Root => "must not be empty at the root",
                Level::Item => "must not be empty for specified array items",
                Level::Field => "must not be empty for specified object fields",
            };
            self.required(place.clone(), detail);
        }
        if level == Level::Root && !kind.is_empty() && kind != "object" {
            self.invalid(place, kind, "must be object at the root");
        }
    }

    /// `kind`, `apiVersion` and `metadata` are Kubernetes' own in a whole object.
    fn object_metadata(&mut self, schema: &Value, level: Level, path: &str) {
        let is_embedded = flag(schema, EMBEDDED);
        let is_object = level == Level::Root || is_embedded;
        if is_embedded && !field(schema, "additionalProperties").is_null() {
            let detail = "must not be used if x-kubernetes-embedded-resource is set";
            self.forbidden(format!("{path}.additionalProperties"), detail);
        }
        for (name, wanted) in [("kind", "string"), ("apiVersion", "string"), ("metadata", "object")]
        {
            let property = field(field(schema, "properties"), name);
            if is_object && !property.is_null() && text(property, "type") != wanted {
                let place = format!("{path}.properties[{name}].type");
                self.invalid(place, text(property, "type"), &format!("must be {wanted}"));
            }
        }
        let metadata = field(field(schema, "properties"), "metadata");
        if level == Level::Root && says_more_than_names(metadata) {
            let detail = "must not specify anything other than name and generateName, but \
                          metadata is implicitly specified";
            self.forbidden(format!("{path}.properties[metadata]"), detail);
        }
        let is_empty = properties(schema).next().is_none();
        if is_embedded && !flag(schema, PRESERVE) && is_empty {
            let detail = "must not be empty if x-kubernetes-embedded-resource is true without \
                          x-kubernetes-preserve-unknown-fields";
            self.required(format!("{path}.properties"), detail);
        }
    }

    /// What stands in `allOf` and the like may narrow a value, not say what it is.
    fn junctors(&mut self, schema: &Value, path: &str) {
        let all = schema.list_at(&["allOf"]);
        let skip_first = all.first().is_some_and(is_int_or_string);
        for name in ["anyOf", "allOf", "oneOf"] {
            if name == "anyOf" && is_int_or_string(schema) {
                continue;
            }
            for (at, nested) in schema.list_at(&[name]).iter().enumerate() {
                let path = format!("{path}.{name}[{at}]");
                if name == "allOf" && at == 0 && skip_first {
                    continue;
                }
                self.nested(nested, &path);
            }
        }
        let not = field(schema, "not");
        if !not.is_null() {
            self.nested(not, &format!("{path}.not"));
        }
    }

    fn nested(&mut self, schema: &Value, path: &str) {
        self.junctors(schema, path);
        if field(schema, "items").as_map().is_some() {
            self.nested(field(schema, "items"), &format!("{path}.items"));
        }
        for (name, property) in properties(schema) {
            self.nested(property, &format!("{path}.properties[{name}]"));
        }
        for name in ["type", "title", "description", LIST_KEYS] {
            if !field(schema, name).is_empty() {
                self.forbidden(format!("{path}.{name}"), "must be empty to be structural");
            }
        }
        for name in ["additionalProperties", "default", LIST_TYPE, MAP_TYPE] {
            if !field(schema, name).is_null() {
                self.forbidden(format!("{path}.{name}"), "must be undefined to be structural");
            }
        }
        for name in ["nullable", PRESERVE, EMBEDDED, INT_OR_STRING] {
            if flag(schema, name) {
                self.forbidden(format!("{path}.{name}"), "must be false to be structural");
            }
        }
        if !field(field(schema, "properties"), "metadata").is_null() {
            let detail = "must not be specified in a nested context";
            self.forbidden(format!("{path}.properties[metadata]"), detail);
        }
    }
}

fn properties(schema: &Value) -> impl Iterator<Item = (&str, &Value)> {
    field(schema, "properties").as_map().into_iter().flat_map(Map::iter)
}

/// `anyOf: [{type: integer}, {type: string}]` is how older definitions say int-or-string.
fn is_int_or_string(schema: &Value) -> bool {
    let only = |schema: &Value, kind: &str| {
        text(schema, "type") == kind && schema.as_map().is_some_and(|map| map.len() == 1)
    };
    match schema.list_at(&["anyOf"]) {
        [first, second] => only(first, "integer") && only(second, "string"),
        _ => false,
    }
}

fn says_more_than_names(metadata: &Value) -> bool {
    let Some(map) = metadata.as_map() else { return false };
    let named = |property: &str| matches!(property, "name" | "generateName");
    map.iter().any(|(key, value)| match key {
        "type" | "default" => false,
        "properties" => !properties(metadata).all(|(name, _)| named(name)),
        _ => !value.is_empty() && value != &Value::Bool(false),
    })
}

/// Every schema by itself, outer before inner.
fn each_schema(errors: &mut Vec<FieldError>, schema: &Value, path: &str) {
    if schema.as_map().is_none() {
        return;
    }
    by_itself(errors, schema, path);
    each_schema(
        errors,
        field(schema, "additionalProperties"),
        &format!("{path}.additionalProperties"),
    );
    for (name, property) in properties(schema) {
        each_schema(errors, property, &format!("{path}.properties[{name}]"));
    }
    each_schema(errors, field(schema, "not"), &format!("{path}.not"));
    for name in ["allOf", "oneOf", "anyOf"] {
        for (at, nested) in schema.list_at(&[name]).iter().enumerate() {
            each_schema(errors, nested, &format!("{path}.{name}[{at}]"));
        }
    }
    each_schema(errors, field(schema, "items"), &format!("{path}.items"));
    if schema.get(PRESERVE) == Some(&Value::Bool(false)) {
        let place = format!("{path}.{PRESERVE}");
        errors.push(FieldError::invalid(
            place,
            BadValue::raw("false"),
            "must be true or undefined",
        ));
    }
    list_and_map(errors, schema, path);
}

fn by_itself(errors: &mut Vec<FieldError>, schema: &Value, path: &str) {
    let kind = text(schema, "type");
    if !kind.is_empty() && !TYPES.contains(&kind) {
        errors.push(FieldError::not_supported(format!("{path}.type"), kind, TYPES));
    }
    if !text(schema, "id").is_empty() {
        errors.push(FieldError::forbidden(format!("{path}.id"), "id is not supported"));
    }
    for name in UNSUPPORTED {
        if !field(schema, name).is_null() {
            let detail = format!("{name} is not supported");
            errors.push(FieldError::forbidden(format!("{path}.{name}"), detail));
        }
    }
    if kind == "null" {
        let detail = "type cannot be set to null, use nullable as an alternative";
        errors.push(FieldError::forbidden(format!("{path}.type"), detail));
    }
    if field(schema, "items").as_list().is_some() {
        let detail = "items must be a schema object and not an array";
        errors.push(FieldError::forbidden(format!("{path}.items"), detail));
    }
    if flag(schema, "uniqueItems") {
        let detail = "uniqueItems cannot be set to true since the runtime complexity becomes \
                      quadratic";
        errors.push(FieldError::forbidden(format!("{path}.uniqueItems"), detail));
    }
    let additional = field(schema, "additionalProperties");
    let says_much = !additional.is_null() && additional != &Value::Bool(true);
    if says_much && properties(schema).next().is_some() {
        let detail = "additionalProperties and properties are mutual exclusive";
        errors.push(FieldError::forbidden(format!("{path}.additionalProperties"), detail));
    }
}

/// How appliers merge lists and maps.
fn list_and_map(errors: &mut Vec<FieldError>, schema: &Value, path: &str) {
    for (name, wanted, words) in [
        (MAP_TYPE, "object", &["atomic", "granular"][..]),
        (LIST_TYPE, "array", &["atomic", "set", "map"][..]),
    ] {
        let Some(given) = schema.get(name).and_then(Value::as_str) else { continue };
        let kind = text(schema, "type");
        if kind != wanted {
            let (place, detail) =
                (format!("{path}.type"), format!("must be {wanted} if {name} is specified"));
            errors.push(match kind {
                "" => FieldError::required(place, detail),
                _ => FieldError::invalid(place, kind, detail),
            });
        }
        if kind == wanted && given == "set" {
            items_of_set(errors, field(schema, "items"), path);
        }
        if !words.contains(&given) {
            errors.push(FieldError::not_supported(format!("{path}.{name}"), given, words));
        }
    }
    let (list_type, keys) = (text(schema, LIST_TYPE), schema.list_at(&[LIST_KEYS]));
    if !keys.is_empty() && list_type != "map" {
        let place = format!("{path}.{LIST_TYPE}");
        let detail = "must be map if x-kubernetes-list-map-keys is non-empty";
        errors.push(match list_type {
            "" => FieldError::required(place, detail),
            _ => FieldError::invalid(place, list_type, detail),
        });
    }
    if list_type == "map" {
        list_map(errors, schema, keys, path);
    }
}

/// What is told apart by its value must be one.
fn items_of_set(errors: &mut Vec<FieldError>, items: &Value, path: &str) {
    let detail = "must be atomic as item of a list with x-kubernetes-list-type=set";
    let list_type = field(items, LIST_TYPE);
    let name = match text(items, "type") {
        "array" if !matches!(list_type.as_str(), None | Some("atomic")) => LIST_TYPE,
        "object" if text(items, MAP_TYPE) != "atomic" => MAP_TYPE,
        _ => return,
    };
    let shown = BadValue::json(list_type);
    errors.push(FieldError::invalid(format!("{path}.items.{name}"), shown, detail));
}

fn list_map(errors: &mut Vec<FieldError>, schema: &Value, keys: &[Value], path: &str) {
    let items = field(schema, "items");
    let place = format!("{path}.{LIST_KEYS}");
    if keys.is_empty() {
        let detail = "must not be empty if x-kubernetes-list-type is map";
        errors.push(FieldError::required(place.clone(), detail));
    }
    if items.is_null() {
        let detail = "must have a schema if x-kubernetes-list-type is map";
        errors.push(FieldError::required(format!("{path}.items"), detail));
        return;
    }
    let kind = text(items, "type");
    if kind != "object" {
        let detail = "must be object if parent array's x-kubernetes-list-type is map";
        errors.push(FieldError::invalid(format!("{path}.items.type"), kind, detail));
        return;
    }
    let shown = || BadValue::json(field(schema, LIST_KEYS));
    let required = items.list_at(&["required"]);
    for (at, key) in keys.iter().enumerate() {
        let name = key.as_str().unwrap_or_default();
        let property = field(field(items, "properties"), name);
        let there = format!("{path}.items.properties[{name}]");
        if property.is_null() {
            let detail = "entries must all be names of item properties";
            errors.push(FieldError::invalid(place.clone(), shown(), detail));
        } else if matches!(text(property, "type"), "array" | "object") {
            let detail = "must be a scalar type if parent array's x-kubernetes-list-type is map";
            errors.push(FieldError::invalid(format!("{there}.type"), kind, detail));
        }
        if keys[..at].contains(key) {
            let detail = "must not contain duplicate entries";
            errors.push(FieldError::invalid(place.clone(), shown(), detail));
        }
    }
    for key in keys {
        let name = key.as_str().unwrap_or_default();
        let property = field(field(items, "properties"), name);
        let there = format!("{path}.items.properties[{name}]");
        let is_sure = required.contains(key) || !field(property, "default").is_null();
        if !property.is_null() && !is_sure {
            let detail = "this property is in x-kubernetes-list-map-keys, so it must have a \
                          default or be a required property";
            errors.push(FieldError::required(format!("{there}.default"), detail));
        }
        if flag(property, "nullable") {
            let detail = "this property is in x-kubernetes-list-map-keys, so it cannot be nullable";
            errors.push(FieldError::forbidden(format!("{there}.nullable"), detail));
        }
    }
}
