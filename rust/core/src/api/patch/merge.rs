//! JSON merge patches (RFC 7386), with the corners of the library the API server uses.

use super::error::{PatchError, Result};
use crate::base::{Map, Value};

/// Applies a JSON merge patch.
///
/// # Errors
/// When the patch is not an object: an API object cannot become anything else.
pub fn apply(document: &Value, patch: &Value) -> Result<Value> {
    let Value::Map(patch) = patch else {
        if patch.is_null() {
            return Err(PatchError::Malformed("Invalid JSON Patch".into()));
        }
        let sentence = PatchError::not_a_map(patch);
        return Err(PatchError::Malformed(format!("error decoding patch: {sentence}")));
    };
    let mut merged = match document {
        Value::Map(map) => Map::clone(map),
        _ => return Ok(without_nulls(&Value::Map(patch.clone()))),
    };
    merge_into(&mut merged, patch);
    Ok(merged.into())
}

/// Applies a patch to a map in place.
pub(super) fn merge_into(document: &mut Map, patch: &Map) {
    for (key, item) in patch.iter() {
        if item.is_null() {
            document.remove(key);
            continue;
        }
        let merged = match (document.get(key), item) {
            (Some(Value::Map(old)), Value::Map(new)) => {
                let mut old = Map::clone(old);
                merge_into(&mut old, new);
                old.into()
            }
            // What replaces a map comes as it is; what is new comes without nulls.
            (Some(Value::Map(_)), _) => item.clone(),
            _ => without_nulls(item),
        };
        document.insert(key, merged);
    }
}

/// The value without null fields, however deep; null items of lists stay.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Map(map) => Value::map(
            map.iter()
                .filter(|(_, item)| !item.is_null())
                .map(|(key, item)| (key, without_nulls(item))),
        ),
        Value::List(items) => Value::list(items.iter().map(without_nulls)),
        other => other.clone(),
    }
}

/// The patch that turns `original` into `modified`.
pub fn create(original: &Map, modified: &Map) -> Map {
    let mut patch = Map::new();
    for (key, new) in modified.iter() {
        match (original.get(key), new) {
            (Some(Value::Map(old)), Value::Map(new)) => {
                let inner = create(old, new);
                if !inner.is_empty() {
                    patch.insert(key, inner);
                }
            }
            (Some(old), new) if equal(old, new) => {}
            _ => {
                patch.insert(key, new.clone());
            }
        }
    }
    for key in original.keys().filter(|key| !modified.contains_key(key)) {
        patch.insert(key, Value::Null);
    }
    patch
}

/// Equality to the library: numbers compare as floats.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Int(_) | Value::Float(_), Value::Int(_) | Value::Float(_)) => {
            left.as_f64() == right.as_f64()
        }
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len() && left.iter().zip(right.iter()).all(|(a, b)| equal(a, b))
        }
        (Value::Map(left), Value::Map(right)) => {
            left.len() == right.len()
                && left.iter().zip(right.iter()).all(|(a, b)| a.0 == b.0 && equal(a.1, b.1))
        }
        _ => left == right,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{apply, create};
    use crate::base::Value;

    /// Documents without nulls, which a merge patch cannot express.
    fn document() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            any::<bool>().prop_map(Value::Bool),
            (0..5_i64).prop_map(Value::Int),
            "[a-c]{0,2}".prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::vec(("[a-d]", inner), 0..4).prop_map(Value::map),
            ]
        });
        prop::collection::vec(("[a-d]", value), 0..4).prop_map(Value::map)
    }

    proptest! {
        #[test]
        fn a_patch_made_of_two_documents_leads_from_one_to_the_other(
            original in document(), modified in document(),
        ) {
            let patch = create(original.as_map().unwrap(), modified.as_map().unwrap());
            prop_assert_eq!(apply(&original, &patch.clone().into()).unwrap(), modified.clone());
            prop_assert_eq!(patch.is_empty(), original == modified);
            let again = create(modified.as_map().unwrap(), modified.as_map().unwrap());
            prop_assert!(again.is_empty());
        }
    }
}
