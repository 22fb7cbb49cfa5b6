//! What a PATCH request does to an object.

use super::{PatchError, json, merge, strategic};
use crate::api::decode::{conversion_error, decode};
use crate::api::error::{ApiError, ApiResult};
use crate::api::field_error::FieldError;
use crate::api::go_print::go_print;
use crate::api::names::GroupKind;
use crate::api::types::Schema;
use crate::base::Value;

/// The kinds of patch a document can be given. Server-side apply is not one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PatchKind {
    /// RFC 6902: a list of operations.
    Json,
    /// RFC 7386: a partial document.
    Merge,
    /// Kubernetes' own: a partial document that knows merge keys.
    Strategic,
}

impl PatchKind {
    /// The kind a `Content-Type` means.
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        match media_type {
            "application/json-patch+json" => Some(Self::Json),
            "application/merge-patch+json" => Some(Self::Merge),
            "application/strategic-merge-patch+json" => Some(Self::Strategic),
            _ => None,
        }
    }
}

/// An object with a patch applied, in decoded form, and a warning for each unknown field the
/// object did not have before.
///
/// # Errors
/// What the API server answers: 400 for a malformed patch, 415 for a strategic patch of a
/// custom resource, 422 for one that does not fit or makes an object of the wrong shape.
pub fn patch_object(
    schema: &Schema,
    kind: PatchKind,
    object: &Value,
    patch: &Value,
) -> ApiResult<(Value, Vec<String>)> {
    let mut patched = apply(schema, kind, object, patch)?;
    let shown = |patched: &Value| match kind {
        PatchKind::Strategic => go_print(patch),
        PatchKind::Json | PatchKind::Merge => patched.to_json(),
    };
    let before = decode(schema, &mut object.clone()).unwrap_or_default();
    let warnings = match decode(schema, &mut patched) {
        Ok(warnings) => warnings,
        Err(sentence) => {
            let sentence = match kind {
                PatchKind::Strategic => conversion_error(schema, &patched).unwrap_or(sentence),
                PatchKind::Json | PatchKind::Merge => sentence,
            };
            return Err(bad_result(&shown(&patched), &sentence));
        }
    };
    Ok((patched, warnings.into_iter().filter(|warning| !before.contains(warning)).collect()))
}

fn apply(schema: &Schema, kind: PatchKind, object: &Value, patch: &Value) -> ApiResult<Value> {
    let applied = match kind {
        PatchKind::Strategic if schema.is_custom() => {
            return Err(ApiError::unsupported_media_type(&[
                "application/json-patch+json",
                "application/merge-patch+json",
                "application/apply-patch+yaml",
            ]));
        }
        PatchKind::Strategic => strategic::apply(schema, object, patch),
        PatchKind::Merge => merge::apply(object, patch),
        PatchKind::Json => {
            check_operations(patch)?;
            json::check_length(patch)?;
            json::apply(object, patch)
        }
    };
    applied.map_err(|error: PatchError| error.to_api_error())
}

/// The API server first reads the operations into a type of its own, and complains of that.
fn check_operations(patch: &Value) -> ApiResult<()> {
    let complain = |value: &Value, of: &str| {
        Err(ApiError::bad_request(format!(
            "error decoding patch: json: cannot unmarshal {} into Go {of}",
            value.type_name()
        )))
    };
    let Value::List(operations) = patch else {
        return match patch {
            Value::Null => Ok(()),
            other => complain(other, "value of type []handlers.jsonPatchOp"),
        };
    };
    for operation in operations.iter() {
        if !matches!(operation, Value::Map(_) | Value::Null) {
            return complain(operation, "value of type handlers.jsonPatchOp");
        }
        for name in ["from", "op", "path"] {
            if let Some(value) = operation.get(name)
                && !matches!(value, Value::Str(_) | Value::Null)
            {
                return complain(value, &format!("struct field jsonPatchOp.{name} of type string"));
            }
        }
    }
    Ok(())
}

/// The 422 for a patch whose result is not an object of its kind.
fn bad_result(shown: &str, sentence: &str) -> ApiError {
    let error = FieldError::invalid("patch", shown, sentence);
    ApiError::invalid(&GroupKind::default(), "", &[error])
}

/// The 422 a patch with unknown fields gets under strict field validation.
pub fn strict_patch_error(
    kind: PatchKind,
    patch: &Value,
    patched: &Value,
    warnings: &[String],
) -> ApiError {
    let shown = match kind {
        PatchKind::Strategic => go_print(patch),
        PatchKind::Json | PatchKind::Merge => patched.to_json(),
    };
    bad_result(&shown, &format!("strict decoding error: {}", warnings.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::{PatchKind, patch_object, strict_patch_error};
    use crate::api::Registry;
    use crate::api::types::Schema;
    use crate::base::Value;

    fn deployment() -> (Schema, Value) {
        let schema = Schema::builtin("apps/v1", "Deployment").unwrap();
        let text = r#"{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},
            "spec":{"mine":1,"template":{"spec":{"containers":[{"name":"c","image":"i"}]}}}}"#;
        (schema, Value::from_json(text).unwrap())
    }

    /// Messages recorded from kube-apiserver 1.36.3.
    #[test]
    fn refusals_are_those_of_the_api_server() {
        let (schema, object) = deployment();
        let containers = |item: &str| {
            format!(r#"{{"spec":{{"template":{{"spec":{{"containers":[{item}]}}}}}}}}"#)
        };
        for (kind, patch, code, message) in [
            (
                PatchKind::Strategic,
                r#"{"spec":{"replicas":"x"}}"#.into(),
                422,
                " \"\" is invalid: patch: Invalid value: \"map[spec:map[replicas:x]]\": \
                 unrecognized type: int32",
            ),
            (
                PatchKind::Strategic,
                containers(r#"{"name":"c","image":5}"#),
                422,
                " \"\" is invalid: patch: Invalid value: \"map[spec:map[template:map[spec:map[\
                 containers:[map[image:5 name:c]]]]]]\": cannot convert int64 to string",
            ),
            (
                PatchKind::Strategic,
                containers(r#"{"name":"c","resources":{"limits":{"cpu":"zz"}}}"#),
                422,
                " \"\" is invalid: patch: Invalid value: \"map[spec:map[template:map[spec:map[\
                 containers:[map[name:c resources:map[limits:map[cpu:zz]]]]]]]]\": quantities must \
                 match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            ),
            (
                PatchKind::Strategic,
                containers(r#"{"image":"c"}"#),
                500,
                "map: map[image:c] does not contain declared merge key: name",
            ),
            (
                PatchKind::Strategic,
                r#"{"spec":{"template":{"spec":[1]}}}"#.into(),
                422,
                " \"\" is invalid: patch: Invalid value: \"map[spec:map[template:map[spec:[1]]]]\": \
                 cannot restore struct from: slice",
            ),
            (
                PatchKind::Strategic,
                "[1]".into(),
                400,
                "json: cannot unmarshal array into Go value of type map[string]interface {}",
            ),
            (
                PatchKind::Strategic,
                r#"{"spec":{"template":{"$patch":"bogus"}}}"#.into(),
                500,
                "unknown patch type: bogus in map: map[$patch:bogus]",
            ),
            (
                PatchKind::Merge,
                "[1]".into(),
                400,
                "error decoding patch: json: cannot unmarshal array into Go value of type \
                 map[string]interface {}",
            ),
            (PatchKind::Merge, "null".into(), 400, "Invalid JSON Patch"),
            (
                PatchKind::Json,
                "{}".into(),
                400,
                "error decoding patch: json: cannot unmarshal object into Go value of type \
                 []handlers.jsonPatchOp",
            ),
            (
                PatchKind::Json,
                r#"["x"]"#.into(),
                400,
                "error decoding patch: json: cannot unmarshal string into Go value of type \
                 handlers.jsonPatchOp",
            ),
            (
                PatchKind::Json,
                r#"[{"op":"add","path":5,"value":"x"}]"#.into(),
                400,
                "error decoding patch: json: cannot unmarshal number into Go struct field \
                 jsonPatchOp.path of type string",
            ),
            (
                PatchKind::Json,
                r#"[{"op":"test","path":"/spec/replicas","value":"x"}]"#.into(),
                422,
                "the server rejected our request due to an error in our request",
            ),
        ] {
            let patch = Value::from_json(&patch).unwrap();
            let error = patch_object(&schema, kind, &object, &patch).unwrap_err();
            assert_eq!((error.code, error.message.as_str()), (code, message));
        }
    }

    #[test]
    fn only_unknown_fields_the_patch_brings_are_warned_of() {
        let (schema, object) = deployment();
        let patch = Value::from_json(r#"{"spec":{"replica":5,"replicas":null}}"#).unwrap();
        let (patched, warnings) = patch_object(&schema, PatchKind::Merge, &object, &patch).unwrap();
        assert_eq!(warnings, ["unknown field \"spec.replica\""]);
        assert_eq!(patched.at(&["spec", "mine"]), Some(&Value::Int(1)));
        let error = strict_patch_error(PatchKind::Strategic, &patch, &patched, &warnings);
        assert_eq!(
            error.message,
            " \"\" is invalid: patch: Invalid value: \"map[spec:map[replica:5 replicas:<nil>]]\": \
             strict decoding error: unknown field \"spec.replica\""
        );
    }

    #[test]
    fn directives_never_stay_in_an_object() {
        let (schema, object) = deployment();
        let text = r#"{"metadata":{"annotations":{"a":"b"}},"spec":{"strategy":
            {"$retainKeys":["type"],"type":"Recreate"},"template":{"metadata":
            {"$setElementOrder/finalizers":["a"],"finalizers":["a"]}}}}"#;
        let patch = Value::from_json(text).unwrap();
        let (patched, _) = patch_object(&schema, PatchKind::Strategic, &object, &patch).unwrap();
        assert!(!patched.to_json().contains('$'), "{}", patched.to_json());
    }

    #[test]
    fn strategic_patches_of_custom_resources_are_not_understood() {
        let mut registry = Registry::new();
        let text = r#"{"spec":{"group":"e.com","names":{"plural":"ws","kind":"W"},
            "versions":[{"name":"v1","served":true,"storage":true}]}}"#;
        let id = registry.define(&Value::from_json(text).unwrap()).unwrap();
        let schema = &registry.kind(id).preferred().schema;
        let nothing = Value::map::<&str>([]);
        let error = patch_object(schema, PatchKind::Strategic, &nothing, &nothing).unwrap_err();
        assert_eq!(error.code, 415);
    }
}
