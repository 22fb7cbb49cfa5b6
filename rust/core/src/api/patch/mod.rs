//! Patches: what they mean and what they answer when they cannot be applied.
//!
//! [`json`] is RFC 6902, [`merge`] RFC 7386, [`strategic`] Kubernetes' own; [`three_way`] makes
//! the patch `kubectl apply` sends. All take and give documents and change nothing in place.
//! [`patch_object`] is what a PATCH request does to an object: the patch applied, the result
//! decoded, and the API server's answer when either fails.

mod error;
pub mod json;
pub mod merge;
mod meta;
mod object;
pub mod strategic;
pub mod three_way;

pub use error::PatchError;
pub use object::{PatchKind, patch_object, strict_patch_error};

#[cfg(test)]
mod tests {
    use super::{PatchError, json, merge, strategic, three_way};
    use crate::api::Registry;
    use crate::api::types::Schema;
    use crate::base::{Map, Value};

    struct Case<'a> {
        case: &'a Value,
        schema: Schema,
    }

    impl Case<'_> {
        fn field(&self, name: &str) -> Value {
            self.case.get(name).cloned().unwrap_or_else(|| Map::new().into())
        }

        /// The patch made, where one is made, and the document after it.
        fn run(&self) -> Result<(Option<Value>, Value), PatchError> {
            let (document, patch) = (self.field("document"), self.field("patch"));
            let (original, modified) = (self.field("original"), self.field("modified"));
            let current = self.field("current");
            let schema = &self.schema;
            match self.case.str_at(&["do"]).unwrap() {
                "three_way" => {
                    let overwrite = self.case.get("overwrite").is_some();
                    let made =
                        three_way::strategic(schema, &original, &modified, &current, overwrite)?;
                    let result = strategic::apply_raw(schema, &current, &made)?;
                    Ok((Some(made), result))
                }
                "two_way" => {
                    let made = strategic::create_two_way(schema, &original, &modified)?;
                    let result = strategic::apply_raw(schema, &original, &made)?;
                    Ok((Some(made), result))
                }
                "strategic" => Ok((None, strategic::apply_raw(schema, &document, &patch)?)),
                "json_three_way" => {
                    let made = three_way::json(&original, &modified, &current)?;
                    let result = merge::apply(&current, &made)?;
                    Ok((Some(made), result))
                }
                "merge" => Ok((None, merge::apply(&document, &patch)?)),
                "json" => Ok((None, json::apply(&document, &patch)?)),
                other => panic!("no such case: {other}"),
            }
        }
    }

    /// Recorded from apimachinery 0.36.3 and its json-patch (tools/record/patch).
    #[test]
    fn patches_and_results_equal_those_kubernetes_makes() {
        let registry = Registry::new();
        let golden = include_str!("../../../tests/golden/api/patch.jsonl");
        let mut failures = 0;
        for line in golden.lines() {
            let case = Value::from_json(line).unwrap();
            let text = |key| case.str_at(&[key]).unwrap_or_default();
            let found = registry.find(text("apiVersion"), text("kind"));
            let schema = match found {
                Some(found) => found.version.schema.clone(),
                None => Schema::builtin("core/v1", "Pod").unwrap(),
            };
            match (Case { case: &case, schema }).run() {
                Err(PatchError::Conflict { .. }) => assert_eq!(text("error"), "conflict", "{line}"),
                Err(error) => {
                    failures += 1;
                    assert_eq!(error.to_string(), text("error"), "{line}");
                }
                Ok((made, result)) => {
                    assert_eq!("", text("error"), "{line}");
                    let json = |value: Option<&Value>| value.map(Value::to_json);
                    assert_eq!(json(made.as_ref()), json(case.get("made")), "{line}");
                    assert_eq!(json(Some(&result)), json(case.get("result")), "{line}");
                }
            }
        }
        assert!(failures > 10, "the golden file has failures too");
    }
}
