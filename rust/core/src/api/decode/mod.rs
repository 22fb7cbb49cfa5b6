//! Checking a document against its type, as the API server's JSON decoder does, and the form
//! the API server writes documents in.
//!
//! [`decode`] says what is wrong in the decoder's own words and names unknown fields; unknown
//! fields stay in the document. [`canonicalize`] leaves out what Go leaves out (`false`, `""`,
//! `[]` of optional fields), writes what Go always writes (`resources: {}`) and spells
//! quantities and times its way. [`missing`] finds absent required fields, which the API server
//! leaves to its semantic rules.
//!
//! What this is not: no default and no semantic rule is applied here.

mod canonical;
mod check;
mod convert;
mod go_time;
mod letter_case;
mod required;

use super::error::ApiError;
use super::types::Schema;
use crate::base::Value;

/// Checks `value` against its type and puts it into the form decoding gives it: `null` fields
/// are gone, whole numbers are integers. Returns a warning for each unknown field, such as
/// `unknown field "spec.replica"`.
///
/// # Errors
/// The decoder's sentence for the first value of the wrong type; `value` is unchanged then.
pub fn decode(schema: &Schema, value: &mut Value) -> Result<Vec<String>, String> {
    let found = check::check(schema, value)?;
    if found.needs_change {
        canonical::apply(schema, value, canonical::Form::Decoded);
    }
    Ok(found.warnings)
}

/// Puts a decoded `value` into the form the API server writes.
pub fn canonicalize(schema: &Schema, value: &mut Value) {
    canonical::apply(schema, value, canonical::Form::Written);
}

/// Puts a checked `value` back into the form decoding gives it: `null` fields are gone.
pub fn without_nulls(schema: &Schema, value: &mut Value) {
    canonical::apply(schema, value, canonical::Form::Decoded);
}

/// Puts a decoded `value` into the form in which it comes back from storage.
pub fn canonicalize_stored(schema: &Schema, value: &mut Value) {
    canonical::apply(schema, value, canonical::Form::Stored);
}

pub(super) use check::check_base64;
pub use convert::conversion_error;
pub use letter_case::fields_in_their_case;
pub use required::missing;

/// The 400 a document of the wrong shape gets.
pub fn cannot_be_handled(kind: &str, version: &str, sentence: &str) -> ApiError {
    ApiError::bad_request(format!(
        "{kind} in version \"{version}\" cannot be handled as a {kind}: {sentence}"
    ))
}

/// The 400 a document with unknown fields gets under strict field validation.
pub fn strict_error(kind: &str, version: &str, warnings: &[String]) -> ApiError {
    let list = warnings.join(", ");
    cannot_be_handled(kind, version, &format!("strict decoding error: {list}"))
}

#[cfg(test)]
mod tests {
    use super::{cannot_be_handled, canonicalize, decode, missing, strict_error};
    use crate::api::Registry;
    use crate::base::Value;

    /// Recorded from the decoder of kube-apiserver 1.36.3 (tools/record/decode): random and
    /// hand-written documents of every kind, most of them slightly wrong.
    #[test]
    fn errors_warnings_and_written_form_equal_the_api_servers() {
        let registry = Registry::new();
        let golden = include_str!("../../../tests/golden/api/decode.jsonl");
        let (mut refused, mut warned) = (0, 0);
        for line in golden.lines() {
            let case = Value::from_json(line).unwrap();
            let mut document = case.get("input").unwrap().clone();
            let kind = document.str_at(&["kind"]).unwrap().to_string();
            let api_version = document.str_at(&["apiVersion"]).unwrap().to_string();
            let found = registry.find(&api_version, &kind).unwrap();
            let schema = &found.version.schema;
            let before = document.clone();
            match decode(schema, &mut document) {
                Err(sentence) => {
                    refused += 1;
                    let message = cannot_be_handled(&kind, &found.version.name, &sentence).message;
                    assert_eq!(Some(message.as_str()), case.str_at(&["error"]), "{line}");
                    assert_eq!(document, before, "a refused document is left alone");
                }
                Ok(warnings) => {
                    assert_eq!(case.get("error"), None, "{line}");
                    warned += usize::from(!warnings.is_empty());
                    let expected: Vec<&str> =
                        case.list_at(&["warnings"]).iter().filter_map(Value::as_str).collect();
                    assert_eq!(warnings, expected, "{line}");
                    let mut again = document.clone();
                    assert_eq!(decode(schema, &mut again), Ok(warnings.clone()));
                    assert_eq!(again, document, "decoding twice changes nothing more");
                    canonicalize(schema, &mut document);
                    let known = without_unknown(&document, &warnings);
                    assert_eq!(known.to_json(), case.get("output").unwrap().to_json(), "{line}");
                }
            }
        }
        assert!(refused > 50 && warned > 50, "the golden file has cases of both sorts");
    }

    #[test]
    fn whole_numbers_written_as_floats_become_integers() {
        let registry = Registry::new();
        let schema = &registry.find("apps/v1", "Deployment").unwrap().version.schema;
        let text = r#"{"spec":{"replicas":3.0,"minReadySeconds":1e1,"strategy":{"rollingUpdate":
            {"maxSurge":2.0}}}}"#;
        let mut document = Value::from_json(text).unwrap();
        assert_eq!(decode(schema, &mut document), Ok(vec![]));
        assert_eq!(document.at(&["spec", "replicas"]), Some(&Value::Int(3)));
        assert_eq!(document.at(&["spec", "minReadySeconds"]), Some(&Value::Int(10)));
        let surge = document.at(&["spec", "strategy", "rollingUpdate", "maxSurge"]);
        assert_eq!(surge, Some(&Value::Int(2)));
    }

    #[test]
    fn missing_required_fields_are_named_where_they_should_be() {
        let registry = Registry::new();
        let schema = &registry.find("apps/v1", "Deployment").unwrap().version.schema;
        let text = r#"{"spec":{"template":{"spec":{"containers":[{"image":"x"}],"volumes":null}}},
            "status":{"conditions":[{}]}}"#;
        let errors = missing(schema, &Value::from_json(text).unwrap());
        let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
        assert_eq!(
            errors,
            [
                "spec.selector: Required value",
                "spec.template.spec.containers[0].name: Required value"
            ]
        );
    }

    #[test]
    fn strict_errors_list_every_unknown_field() {
        let warnings = ["unknown field \"spec.a\"".into(), "unknown field \"spec.b\"".into()];
        assert_eq!(
            strict_error("Pod", "v1", &warnings).message,
            "Pod in version \"v1\" cannot be handled as a Pod: strict decoding error: unknown field \
             \"spec.a\", unknown field \"spec.b\""
        );
    }

    /// The real server drops unknown fields, we keep them: take them out before comparing.
    fn without_unknown(document: &Value, warnings: &[String]) -> Value {
        fn prune(value: &Value, path: &str, unknown: &[String]) -> Value {
            match value {
                Value::Map(map) => Value::map(map.iter().filter_map(|(key, item)| {
                    let path = if path.is_empty() { key.into() } else { format!("{path}.{key}") };
                    let name = format!("unknown field {}", crate::base::go_quote(&path));
                    (!unknown.contains(&name)).then(|| (key, prune(item, &path, unknown)))
                })),
                Value::List(items) => Value::list(
                    items
                        .iter()
                        .enumerate()
                        .map(|(at, item)| prune(item, &format!("{path}[{at}]"), unknown)),
                ),
                other => other.clone(),
            }
        }
        prune(document, "", warnings)
    }
}
