//! The patch `kubectl apply` sends: from what was applied last, what is wanted now and what
//! the cluster has.
//!
//! Deletions are what the last configuration had and the new one has not; everything else is
//! the difference between the live object and the new configuration. Fields only the cluster
//! knows stay.

use std::collections::BTreeMap;

use super::error::{PatchError, Result};
use super::merge;
use super::meta::Meta;
use super::object::PatchKind;
use super::strategic::{
    DIRECTIVE, DiffOptions, ElementKind, Keep, MergeOptions, RETAIN_KEYS, as_map, deduplicate,
    diff_maps, element_kind, merge_maps, sort_scalars,
};
use crate::api::go_print::go_print;
use crate::api::types::{PatchStrategy, Schema};
use crate::base::{Map, Value};

/// The patch `kubectl apply` sends for an object of this type, and its kind. An empty patch
/// means that nothing changed.
///
/// # Errors
/// As [`strategic`] and [`json`].
pub fn for_apply(
    schema: &Schema,
    original: &Value,
    modified: &Value,
    current: &Value,
    overwrite: bool,
) -> Result<(PatchKind, Value)> {
    if schema.is_custom() {
        return Ok((PatchKind::Merge, json(original, modified, current)?));
    }
    let patch = strategic(schema, original, modified, current, overwrite)?;
    Ok((PatchKind::Strategic, patch))
}

/// The strategic merge patch for a built-in kind.
///
/// # Errors
/// Kubernetes' sentence when a list lacks its merge key or a field is unknown; without
/// `overwrite`, a conflict when the cluster and the configuration changed the same field.
pub fn strategic(
    schema: &Schema,
    original: &Value,
    modified: &Value,
    current: &Value,
    overwrite: bool,
) -> Result<Value> {
    let (original, modified, current) = (as_map(original)?, as_map(modified)?, as_map(current)?);
    let meta = Meta::of(schema);
    let base = DiffOptions { set_element_order: true, ..DiffOptions::default() };
    let changes = DiffOptions { keep: Keep::Changes, ..base };
    let delta = diff_maps(current, modified, meta, changes)?;
    let removals = DiffOptions { keep: Keep::Deletions, ..base };
    let deletions = diff_maps(original, modified, meta, removals)?;
    let mut patch = merge_maps(deletions, delta, meta, MergeOptions::default())?;
    if !overwrite {
        let changed = diff_maps(original, current, meta, DiffOptions::default())?;
        if maps_conflict(&mut patch, &changed, meta)? {
            return Err(PatchError::Conflict { patch: patch.into(), changed: changed.into() });
        }
    }
    Ok(patch.into())
}

/// The JSON merge patch for a custom resource.
///
/// # Errors
/// When apiVersion, kind or name would change.
pub fn json(original: &Value, modified: &Value, current: &Value) -> Result<Value> {
    let (original, modified, current) = (as_map(original)?, as_map(modified)?, as_map(current)?);
    let changes = only(&merge::create(current, modified), false);
    let mut patch = only(&merge::create(original, modified), true);
    if overlap(&changes, &patch) {
        return Err(PatchError::Conflict { patch: changes.into(), changed: patch.into() });
    }
    merge::merge_into(&mut patch, &changes);
    let renamed = patch.get("metadata").is_some_and(|metadata| metadata.get("name").is_some());
    if renamed || patch.contains_key("apiVersion") || patch.contains_key("kind") {
        let patch = go_print(&patch.into());
        return Err(PatchError::Other(format!("precondition failed for: {patch}")));
    }
    Ok(patch.into())
}

/// The nulls of a patch, or everything else of it.
fn only(patch: &Map, nulls: bool) -> Map {
    let mut kept = Map::new();
    for (key, item) in patch.iter() {
        match item {
            Value::Null if nulls => {
                kept.insert(key, Value::Null);
            }
            Value::Null => {}
            // An empty map is a value, not an empty patch.
            Value::Map(map) if !map.is_empty() => {
                let inner = only(map, nulls);
                if !inner.is_empty() {
                    kept.insert(key, inner);
                }
            }
            other if !nulls => {
                kept.insert(key, other.clone());
            }
            _ => {}
        }
    }
    kept
}

/// Whether two merge patches say different things about one field.
fn overlap(left: &Map, right: &Map) -> bool {
    left.iter().any(|(key, left)| match (left, right.get(key)) {
        (_, None) => false,
        (Value::Map(left), Some(Value::Map(right))) => overlap(left, right),
        (left, Some(right)) => left != right,
    })
}

/// Whether two patches say different things. Go sorts lists of scalars in place to compare
/// them, and what it sorts is the patch it returns: hence `left` is written to.
fn maps_conflict(left: &mut Map, right: &Map, meta: Meta) -> Result<bool> {
    for (key, left) in left.iter_mut() {
        let Some(right) = right.get(key) else { continue };
        if key == DIRECTIVE || key == RETAIN_KEYS {
            continue;
        }
        let (meta, strategy) = match left {
            Value::List(_) => meta.list_field(key)?,
            Value::Map(_) => meta.map_field(key)?,
            _ if left != right => return Ok(true),
            _ => continue,
        };
        if values_conflict(left, right, meta, Some(strategy))? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn values_conflict(
    left: &mut Value,
    right: &Value,
    meta: Meta,
    strategy: Option<&PatchStrategy>,
) -> Result<bool> {
    match (&*left, right) {
        (Value::Map(map), Value::Map(right)) => {
            if map.get(DIRECTIVE) != right.get(DIRECTIVE) {
                return Ok(true);
            }
            if strategy.is_some_and(|strategy| strategy.replace) {
                return Ok(false);
            }
            maps_conflict(left.map_mut(), right, meta)
        }
        (Value::List(_), Value::List(right)) => {
            lists_conflict(left.list_mut(), right, meta, strategy)
        }
        _ => Ok(left != right),
    }
}

fn lists_conflict(
    left: &mut [Value],
    right: &[Value],
    meta: Meta,
    strategy: Option<&PatchStrategy>,
) -> Result<bool> {
    let kind = element_kind(&[left, right])?;
    if let Some(strategy) = strategy.filter(|strategy| strategy.merge) {
        if kind == ElementKind::Scalar {
            return Ok(false);
        }
        return merged_lists_conflict(left, right, meta, &strategy.merge_key);
    }
    if left.len() != right.len() {
        return Ok(true);
    }
    if kind == ElementKind::Scalar {
        let sorted = sort_scalars(&deduplicate(left.to_vec()));
        left[..sorted.len()].clone_from_slice(&sorted);
        return Ok(sorted != sort_scalars(&deduplicate(right.to_vec())));
    }
    for (left, right) in left.iter_mut().zip(right) {
        if values_conflict(left, right, meta, None)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn merged_lists_conflict(
    left: &mut [Value],
    right: &[Value],
    meta: Meta,
    key: &str,
) -> Result<bool> {
    let name = |item: &Value| match (item.as_map(), item.get(key)) {
        (Some(_), Some(value)) => Ok(go_print(value)),
        _ => Err(PatchError::Other(format!(
            "cannot find merge key `{key}` in merging list element:{}",
            go_print(item)
        ))),
    };
    // Of items with one name the last counts.
    let places = |items: &[Value]| -> Result<BTreeMap<String, usize>> {
        items.iter().enumerate().map(|(at, item)| Ok((name(item)?, at))).collect()
    };
    let (names, others) = (places(left)?, places(right)?);
    for (name, at) in &names {
        if let Some(other) = others.get(name)
            && values_conflict(&mut left[*at], &right[*other], meta, None)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::{PatchKind, for_apply};
    use crate::api::types::Schema;
    use crate::base::Value;

    /// What kubectl 1.36.3 sends for a changed CustomResourceDefinition (`kubectl apply -v8`).
    #[test]
    fn versions_of_a_definition_are_replaced_as_a_whole() {
        let schema = Schema::builtin("apiextensions/v1", "CustomResourceDefinition").unwrap();
        let definition = |kind: &str| {
            let text = r#"{"spec":{"scope":"Cluster","versions":[{"name":"v1","schema":
                {"openAPIV3Schema":{"properties":{"spec":{"type":"KIND"}}}}}]}}"#;
            Value::from_json(&text.replace("KIND", kind)).unwrap()
        };
        let (old, new) = (definition("object"), definition("string"));
        let (kind, patch) = for_apply(&schema, &old, &new, &old, true).unwrap();
        assert_eq!(kind, PatchKind::Strategic);
        assert_eq!(patch.at(&["spec", "versions"]), new.at(&["spec", "versions"]));
        assert_eq!(patch.at(&["spec", "scope"]), None);
        let (kind, patch) = for_apply(&schema, &old, &old, &old, true).unwrap();
        assert_eq!((kind, patch.to_json().as_str()), (PatchKind::Strategic, "{}"));
    }
}
