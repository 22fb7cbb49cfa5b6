//! Checking a custom resource against its schema, in the words of the API server.
//!
//! Rules in CEL (`x-kubernetes-validations`) are not run.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::format::is_format;
use super::{flag, list_type};
use crate::api::field_error::{FieldError, FieldErrorKind};
use crate::api::go_print::go_plain_float;
use crate::base::{Map, Value, go_quote};

/// Everything that is wrong with a custom resource, properties in order of their names.
pub fn validate(openapi: &Value, object: &Value) -> Vec<FieldError> {
    let mut checker = Checker::default();
    checker.value(openapi, object, "");
    let mut errors = checker.errors;
    list_type::check(openapi, object, "", &mut errors);
    let blocks = |error: &FieldError| {
        matches!(
            error.kind,
            FieldErrorKind::NotSupported
                | FieldErrorKind::Required
                | FieldErrorKind::TooLong
                | FieldErrorKind::TooMany
                | FieldErrorKind::TypeInvalid
        )
    };
    if errors.iter().any(blocks) && has_rules(openapi) {
        let detail = "some validation rules were not checked because the object was invalid; \
                      correct the existing errors to complete validation";
        errors.push(FieldError::invalid("<nil>", Value::Null, detail));
    }
    errors
}

fn has_rules(openapi: &Value) -> bool {
    match openapi {
        Value::Map(map) => map.iter().any(|(key, inner)| {
            (key == "x-kubernetes-validations" && !inner.is_empty()) || has_rules(inner)
        }),
        Value::List(items) => items.iter().any(has_rules),
        _ => false,
    }
}

#[derive(Default)]
struct Checker {
    errors: Vec<FieldError>,
    /// How many values were looked at: the alternative that looks at most counts as closest.
    looked_at: usize,
}

impl Checker {
    fn invalid(&mut self, path: &str, value: &Value, what: &str) {
        let shown = path.trim_start_matches('.');
        let shown = if shown.is_empty() { "<nil>" } else { shown };
        let error = FieldError::invalid(shown, value, format!("{path} in body {what}"));
        self.push(error);
    }

    /// A complaint about a place that names it in its own text only.
    fn complain(&mut self, text: String) {
        self.push(FieldError::invalid("<nil>", "", text));
    }

    fn push(&mut self, error: FieldError) {
        if !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }

    fn push_all(&mut self, errors: Vec<FieldError>) {
        for error in errors {
            self.push(error);
        }
    }

    fn value(&mut self, schema: &Value, value: &Value, path: &str) {
        self.looked_at += 1;
        self.type_of(schema, value, path);
        if !value.is_null() {
            self.combined(schema, value, path);
            match value {
                Value::Str(text) => self.text(schema, text, path),
                Value::Int(_) | Value::Float(_) => self.number(schema, value, path),
                Value::List(items) => self.list(schema, items, path),
                _ => {}
            }
        }
        self.one_of_values(schema, value, path);
        if let Value::Map(map) = value {
            self.map(schema, map, path);
        }
    }

    fn type_of(&mut self, schema: &Value, value: &Value, path: &str) {
        let wanted = match schema.str_at(&["type"]) {
            _ if flag(schema, "x-kubernetes-int-or-string") => "integer,string",
            Some(name) => name,
            None => return,
        };
        let whole = matches!(value, Value::Float(number) if number.fract() == 0.0);
        let fits = match value {
            Value::Null => flag(schema, "nullable"),
            Value::Bool(_) => wanted == "boolean",
            Value::Int(_) => wanted.starts_with("integer") || wanted == "number",
            Value::Float(_) => wanted == "number" || (whole && wanted.starts_with("integer")),
            Value::Str(_) => wanted.ends_with("string"),
            Value::List(_) => wanted == "array",
            Value::Map(_) => wanted == "object",
        };
        if !fits {
            self.wrong_type(path, wanted, schema_type(value));
        }
    }

    fn wrong_type(&mut self, path: &str, wanted: &str, found: &str) {
        let shown = path.trim_start_matches('.');
        let shown = if shown.is_empty() { "<nil>" } else { shown };
        let text = format!("{path} in body must be of type {wanted}: {}", go_quote(found));
        self.push(FieldError::type_invalid(shown, found, text));
    }

    fn text(&mut self, schema: &Value, text: &str, path: &str) {
        let value = Value::from(text);
        let length = text.chars().count() as i64;
        if let Some(most) = schema.int_at(&["maxLength"]).filter(|most| length > *most) {
            self.push(FieldError::too_long(path, most as usize));
        } else if let Some(least) = schema.int_at(&["minLength"]).filter(|least| length < *least) {
            self.invalid(path, &value, &format!("should be at least {least} chars long"));
        } else if let Some(pattern) = schema.str_at(&["pattern"]).filter(|p| !p.is_empty())
            // A pattern we cannot read passes: refusing everything would be worse.
            && regex_lite::Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text))
        {
            self.invalid(path, &value, &format!("should match '{pattern}'"));
        }
        if let Some(format) = schema.str_at(&["format"]).filter(|name| !is_format(name, text)) {
            self.wrong_type(path, format, text);
        }
    }

    fn number(&mut self, schema: &Value, value: &Value, path: &str) {
        let number = value.as_f64().unwrap_or_default();
        let whole = value.as_int().is_some();
        let print = |limit: f64| {
            if whole { (limit as i64).to_string() } else { go_plain_float(limit) }
        };
        // Limits of integers are integers to Kubernetes.
        let limit = |key: &str| {
            let limit = schema.get(key).and_then(Value::as_f64);
            limit.map(|limit| if whole { limit.trunc() } else { limit })
        };
        let int32 = schema.str_at(&["format"]) == Some("int32");
        if int32 && value.as_int().is_some_and(|number| i32::try_from(number).is_err()) {
            self.complain(format!(
                "Checked value must be of type integer with format int32 in {path}"
            ));
        }
        let integer = schema.str_at(&["type"]) == Some("integer");
        if integer && !int32 && number.fract() != 0.0 {
            self.complain(format!(
                "Checked value must be of type integer (default format) in {path}"
            ));
        }
        if let Some(factor) = limit("multipleOf").filter(|factor| (number / factor).fract() != 0.0)
        {
            self.invalid(path, value, &format!("should be a multiple of {}", print(factor)));
        }
        if let Some(most) = limit("maximum") {
            match flag(schema, "exclusiveMaximum") {
                true if number >= most => {
                    self.invalid(path, value, &format!("should be less than {}", print(most)));
                }
                false if number > most => {
                    let what = format!("should be less than or equal to {}", print(most));
                    self.invalid(path, value, &what);
                }
                _ => {}
            }
        }
        if let Some(least) = limit("minimum") {
            match flag(schema, "exclusiveMinimum") {
                true if number <= least => {
                    self.invalid(path, value, &format!("should be greater than {}", print(least)));
                }
                false if number < least => {
                    let what = format!("should be greater than or equal to {}", print(least));
                    self.invalid(path, value, &what);
                }
                _ => {}
            }
        }
    }

    fn list(&mut self, schema: &Value, items: &[Value], path: &str) {
        if let Some(inner) = schema.get("items") {
            for (at, item) in items.iter().enumerate() {
                self.value(inner, item, &format!("{path}[{at}]"));
            }
        }
        let size = items.len() as i64;
        if let Some(least) = schema.int_at(&["minItems"]).filter(|least| size < *least) {
            let what = format!("should have at least {least} items");
            self.invalid(path, &Value::Int(size), &what);
        }
        if let Some(most) = schema.int_at(&["maxItems"]).filter(|most| size > *most) {
            self.push(FieldError::too_many(path, Some(items.len()), most as usize));
        }
        let distinct = || items.iter().map(Value::to_json).collect::<BTreeSet<_>>().len();
        if flag(schema, "uniqueItems") && distinct() < items.len() {
            self.invalid(path, &"".into(), "shouldn't contain duplicates");
        }
    }

    fn one_of_values(&mut self, schema: &Value, value: &Value, path: &str) {
        let allowed = schema.list_at(&["enum"]);
        let nullable = value.is_null() && flag(schema, "nullable") && allowed.contains(value);
        if allowed.is_empty() || nullable || allowed.contains(value) {
            return;
        }
        let texts = allowed.iter().map(|item| match item {
            Value::Str(text) => text.to_string(),
            other => other.to_json(),
        });
        self.push(FieldError::not_supported(path, value, texts));
    }

    fn map(&mut self, schema: &Value, map: &Map, path: &str) {
        let size = map.len() as i64;
        if let Some(least) = schema.int_at(&["minProperties"]).filter(|least| size < *least) {
            let what = format!("should have at least {least} properties");
            self.invalid(path, &Value::Int(size), &what);
        }
        if let Some(most) = schema.int_at(&["maxProperties"]).filter(|most| size > *most) {
            self.push(FieldError::too_many(path, Some(map.len()), most as usize));
        }
        let properties = schema.get("properties").and_then(Value::as_map);
        let named = |key: &str| properties.and_then(|properties| properties.get(key));
        for (key, item) in map.iter() {
            match (named(key), schema.get("additionalProperties")) {
                (Some(inner), _) => self.value(inner, item, &join(path, key)),
                (None, Some(inner @ Value::Map(_))) => {
                    self.value(inner, item, &format!("{path}.{key}"));
                }
                _ => {}
            }
        }
        for key in schema.list_at(&["required"]).iter().filter_map(Value::as_str) {
            if !map.contains_key(key) {
                self.push(FieldError::required(join(path, key), ""));
            }
        }
    }

    /// `allOf`, `anyOf`, `oneOf` and `not`.
    fn combined(&mut self, schema: &Value, value: &Value, path: &str) {
        let place = go_quote(path);
        let any = alternatives(schema.list_at(&["anyOf"]), value, path);
        if let Some(Best { valid: 0, errors, .. }) = any {
            self.complain(format!("{place} must validate at least one schema (anyOf)"));
            self.push_all(errors);
        }
        let one = alternatives(schema.list_at(&["oneOf"]), value, path);
        if let Some(Best { valid, errors, .. }) = one.filter(|best| best.valid != 1) {
            let found = match valid {
                0 => "Found none valid".to_owned(),
                _ => format!("Found {valid} valid alternatives"),
            };
            let what = "must validate one and only one schema (oneOf)";
            self.complain(format!("{place} {what}. {found}"));
            self.push_all(errors);
        }
        let (mut valid, parts) = (0, schema.list_at(&["allOf"]));
        for part in parts {
            let before = self.errors.len();
            self.value(part, value, path);
            valid += usize::from(self.errors.len() == before);
        }
        if valid != parts.len() {
            let none = if valid == 0 { ". None validated" } else { "" };
            self.complain(format!("{place} must validate all the schemas (allOf){none}"));
        }
        if let Some(part) = schema.get("not") {
            let mut other = Self::default();
            other.value(part, value, path);
            if other.errors.is_empty() {
                self.complain(format!("{place} must not validate the schema (not)"));
            }
        }
    }
}

/// Tries each alternative.
fn alternatives(parts: &[Value], value: &Value, path: &str) -> Option<Best> {
    let mut best: Option<Best> = None;
    for part in parts {
        let mut other = Checker::default();
        other.value(part, value, path);
        let valid = usize::from(other.errors.is_empty());
        let total = best.as_ref().map_or(0, |best| best.valid) + valid;
        let closer = best.as_ref().is_none_or(|best| other.looked_at > best.looked_at);
        if total > 0 {
            best = Some(Best { valid: total, looked_at: 0, errors: Vec::new() });
        } else if closer {
            best = Some(Best { valid: 0, looked_at: other.looked_at, errors: other.errors });
        }
    }
    best
}

/// The alternatives a value fits, or the one it came closest to.
struct Best {
    valid: usize,
    looked_at: usize,
    errors: Vec<FieldError>,
}

fn schema_type(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Int(_) => "integer",
        Value::Float(_) => "number",
        Value::Str(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
    }
}

pub(super) fn join(path: &str, key: &str) -> String {
    let mut joined = path.to_owned();
    if !path.is_empty() {
        joined.push('.');
    }
    let _ = write!(joined, "{key}");
    joined
}

#[cfg(test)]
mod tests {
    use super::super::{compile, default, prune};
    use super::validate;
    use crate::api::decode::decode;
    use crate::base::Value;

    /// Recorded from kube-apiserver 1.36.3 (tools/record/custom).
    #[test]
    fn custom_resources_are_stored_and_refused_as_the_api_server_does() {
        let golden = include_str!("../../../tests/golden/api/custom.jsonl");
        let mut lines = golden.lines().map(|line| Value::from_json(line).unwrap());
        let kind = compile(&lines.next().unwrap()).unwrap();
        let version = kind.preferred();
        let openapi = version.openapi.as_ref().unwrap();
        for case in lines {
            let spec = case.get("spec").cloned().unwrap();
            let shown = spec.to_json();
            let mut object = Value::map([("kind", "Widget".into()), ("spec", spec)]);
            let mut warnings = decode(&version.schema, &mut object).unwrap();
            prune(openapi, &mut object);
            default(openapi, &mut object);
            let errors = validate(openapi, &object);
            let mut causes: Vec<String> = errors.iter().map(ToString::to_string).collect();
            causes.sort();
            let texts = |key: &str| -> Vec<String> {
                case.list_at(&[key]).iter().map(|text| text.as_str().unwrap().into()).collect()
            };
            assert_eq!(causes, texts("causes"), "{shown}");
            if causes.is_empty() {
                warnings.sort();
                assert_eq!(warnings, texts("warnings"), "{shown}");
                let stored = object.get("spec").cloned().unwrap_or_default();
                assert_eq!(stored.to_json(), case.get("stored").unwrap().to_json(), "{shown}");
            }
        }
    }

    #[test]
    fn metadata_is_decoded_by_itself() {
        let text = r#"{"spec":{"group":"e.com","names":{"plural":"ws","kind":"W"},"versions":[
            {"name":"v1","served":true,"storage":true,"schema":{"openAPIV3Schema":
            {"type":"object"}}}]}}"#;
        let kind = compile(&Value::from_json(text).unwrap()).unwrap();
        let schema = &kind.preferred().schema;
        let decode = |text: &str| decode(schema, &mut Value::from_json(text).unwrap());
        for (text, sentence) in [
            (
                r#"{"metadata":"x"}"#,
                "json: cannot unmarshal string into Go value of type v1.ObjectMeta",
            ),
            (
                r#"{"metadata":{"labels":{"a":1}}}"#,
                "json: cannot unmarshal number into Go struct field ObjectMeta.labels of type \
                 string",
            ),
        ] {
            assert_eq!(decode(text).unwrap_err(), sentence);
        }
        let warnings = decode(r#"{"metadata":{"x":1},"y":{"z":2}}"#).unwrap();
        assert_eq!(warnings, ["unknown field \"metadata.x\"", "unknown field \"y\""]);
    }

    #[test]
    fn rules_in_cel_are_mentioned_when_errors_keep_them_from_running() {
        let text = r#"{"type":"object","properties":{"a":{"type":"integer"}},
            "x-kubernetes-validations":[{"rule":"self.a > 1"}]}"#;
        let openapi = Value::from_json(text).unwrap();
        let errors = validate(&openapi, &Value::from_json(r#"{"a":"x"}"#).unwrap());
        assert_eq!(errors.len(), 2);
        assert_eq!(
            errors[1].to_string(),
            "<nil>: Invalid value: null: some validation rules were not checked because the \
             object was invalid; correct the existing errors to complete validation"
        );
    }
}
