//! Strategic merge patches: merge patches that know which lists are really maps.
//!
//! A patch may carry directives: `$patch: delete|replace|merge` in a map or a list item,
//! `$retainKeys`, `$setElementOrder/LIST` and `$deleteFromPrimitiveList/LIST` beside a list.
//! [`apply`] applies a patch to a document; `diff` makes one (see [`super::three_way`]).
//!
//! Go's implementation edits its arguments in place and depends on it in a few corners; where
//! that shows in a result, it is done here too and said.

mod diff;
mod lists;
mod merge;

use super::error::{PatchError, Result};
use super::meta::Meta;
use crate::api::types::Schema;
use crate::base::{Map, Value};

pub(super) use diff::{DiffOptions, Keep, diff_maps};
pub(super) use lists::{ElementKind, deduplicate, element_kind, sort_scalars};
pub(super) use merge::{MergeOptions, merge_maps};

pub(super) const DIRECTIVE: &str = "$patch";
pub(super) const RETAIN_KEYS: &str = "$retainKeys";
pub(super) const DELETE_FROM: &str = "$deleteFromPrimitiveList";
pub(super) const ELEMENT_ORDER: &str = "$setElementOrder";

/// Applies a strategic merge patch to a document of this type.
///
/// # Errors
/// Kubernetes' sentence for a patch that is malformed or does not fit.
pub fn apply(schema: &Schema, document: &Value, patch: &Value) -> Result<Value> {
    if schema.is_custom() {
        let sentence = "strategic merge patch format is not supported";
        return Err(PatchError::Malformed(sentence.into()));
    }
    let mut patched = apply_raw(schema, document, patch)?;
    strip_directives(&mut patched);
    Ok(patched)
}

/// As [`apply`], but directives that were added with a new map stay in it, as in Go, where
/// decoding drops them later.
pub(super) fn apply_raw(schema: &Schema, document: &Value, patch: &Value) -> Result<Value> {
    let options = MergeOptions { merge_lists: true, ignore_unmatched_nulls: true };
    let document = as_map(document)?;
    let patch = match patch {
        Value::Map(map) => Map::clone(map),
        Value::Null => Map::new(),
        other => return Err(PatchError::not_a_map(other)),
    };
    Ok(merge_maps(document.clone(), patch, Meta::of(schema), options)?.into())
}

/// The patch that turns `original` into `modified`, of the kind controllers send.
///
/// # Errors
/// Kubernetes' sentence when a list lacks its merge key or a field is unknown.
pub fn create_two_way(schema: &Schema, original: &Value, modified: &Value) -> Result<Value> {
    let options = DiffOptions { set_element_order: true, ..DiffOptions::default() };
    Ok(diff_maps(as_map(original)?, as_map(modified)?, Meta::of(schema), options)?.into())
}

pub(super) fn as_map(value: &Value) -> Result<&Map> {
    value.as_map().ok_or_else(|| PatchError::Malformed("invalid JSON document".into()))
}

fn is_directive(key: &str) -> bool {
    let name = key.split_once('/').map_or(key, |(name, _)| name);
    matches!(name, DIRECTIVE | RETAIN_KEYS | DELETE_FROM | ELEMENT_ORDER)
}

/// Takes directives out of a document.
fn strip_directives(value: &mut Value) {
    if !has_directives(value) {
        return;
    }
    match value {
        Value::Map(_) => value.map_mut().retain(|key, item| {
            strip_directives(item);
            !is_directive(key)
        }),
        Value::List(_) => value.list_mut().iter_mut().for_each(strip_directives),
        _ => {}
    }
}

fn has_directives(value: &Value) -> bool {
    match value {
        Value::Map(map) => map
            .iter()
            .any(|(key, item)| key.starts_with('$') && is_directive(key) || has_directives(item)),
        Value::List(items) => items.iter().any(has_directives),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{apply, create_two_way};
    use crate::api::types::Schema;
    use crate::base::Value;

    /// Maps with distinct names, as merged lists hold them.
    fn named(
        fields: impl Strategy<Value = Value> + Clone + 'static,
    ) -> impl Strategy<Value = Value> {
        let names = prop::sample::subsequence(vec!["a", "b", "c", "d", "e"], 1..5).prop_shuffle();
        names.prop_flat_map(move |names| {
            prop::collection::vec(fields.clone(), names.len()).prop_map(move |items| {
                Value::list(names.iter().zip(items).map(|(name, mut item)| {
                    item.set(&["name"], *name);
                    item
                }))
            })
        })
    }

    fn pod() -> impl Strategy<Value = Value> {
        let text = "[x-z]{1,2}".prop_map(Value::from).boxed();
        let env = named(text.clone().prop_map(|value| Value::map([("value", value)])));
        let container = (text.clone(), env, prop::collection::vec(text.clone(), 0..3));
        let container = container.prop_map(|(image, env, args)| {
            Value::map([("image", image), ("env", env), ("args", args.into())])
        });
        let labels = prop::collection::vec(("[a-c]", text), 0..3).prop_map(Value::map);
        (named(container.boxed()), labels).prop_map(|(containers, labels)| {
            let mut pod = Value::map([("kind", "Pod".into())]);
            pod.set(&["spec", "containers"], containers);
            pod.set(&["metadata", "labels"], labels);
            pod
        })
    }

    proptest! {
        #[test]
        fn a_patch_made_of_two_documents_leads_from_one_to_the_other(
            original in pod(), modified in pod(),
        ) {
            let schema = Schema::builtin("core/v1", "Pod").unwrap();
            let patch = create_two_way(&schema, &original, &modified).unwrap();
            let patched = apply(&schema, &original, &patch).unwrap();
            prop_assert_eq!(&patched, &modified, "{}", patch.to_json());
            prop_assert_eq!(apply(&schema, &patched, &patch).unwrap(), modified);
        }
    }
}
