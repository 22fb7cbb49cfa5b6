//! Making a strategic merge patch from two documents.

use std::cmp::Ordering;

use super::lists::{
    ElementKind, deduplicate, element_kind, merge_key_of, normalize_slice, sort_maps, sort_scalars,
};
use super::{DELETE_FROM, DIRECTIVE, ELEMENT_ORDER, RETAIN_KEYS};
use crate::api::go_print::go_print;
use crate::api::patch::error::{PatchError, Result};
use crate::api::patch::meta::Meta;
use crate::base::{Map, Value};

/// What to look for.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiffOptions {
    /// Which differences the patch holds.
    pub keep: Keep,
    /// Say in which order the items of merged lists should stand.
    pub set_element_order: bool,
    /// Name the keys that should stay.
    pub retain_keys: bool,
}

/// Which differences a patch holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keep {
    /// All of them.
    #[default]
    All,
    /// What was changed or added.
    Changes,
    /// What was removed.
    Deletions,
}

impl DiffOptions {
    fn changes(self) -> bool {
        self.keep != Keep::Deletions
    }

    fn deletions(self) -> bool {
        self.keep != Keep::Changes
    }
}

/// The patch that turns `original` into `modified`.
pub fn diff_maps(original: &Map, modified: &Map, meta: Meta, options: DiffOptions) -> Result<Map> {
    let mut patch = Map::new();
    for (key, new) in modified.iter() {
        let Some(old) = original.get(key) else {
            if options.changes() {
                patch.insert(key, new.clone());
            }
            continue;
        };
        if key == DIRECTIVE {
            diff_directive(old, new, &mut patch)?;
            continue;
        }
        match (old, new) {
            (Value::Map(old), Value::Map(new)) => {
                diff_map_field(key, old, new, &mut patch, meta, options)?;
            }
            (Value::List(old), Value::List(new)) => {
                diff_list_field(key, old, new, &mut patch, meta, options)?;
            }
            _ if old != new && options.changes() => {
                patch.insert(key, new.clone());
            }
            _ => {}
        }
    }
    if options.deletions() {
        for key in original.keys().filter(|key| !modified.contains_key(key)) {
            patch.insert(key, Value::Null);
        }
    }
    if options.retain_keys {
        let kept: Vec<Value> = modified
            .iter()
            .filter(|(_, item)| !item.is_null())
            .map(|(key, _)| key.into())
            .collect();
        let cleared = original.keys().any(|key| !modified.contains_key(key));
        if !kept.is_empty() && (!patch.is_empty() || cleared) {
            patch.insert(RETAIN_KEYS, Value::from(sort_scalars(&kept)));
        }
    }
    Ok(patch)
}

fn diff_directive(old: &Value, new: &Value, patch: &mut Map) -> Result<()> {
    if old.as_str().is_none() || new.as_str().is_none() {
        return Err(PatchError::Other(format!("invalid value for special key: {DIRECTIVE}")));
    }
    if old != new {
        patch.insert(DIRECTIVE, new.clone());
    }
    Ok(())
}

fn diff_map_field(
    key: &str,
    old: &Map,
    new: &Map,
    patch: &mut Map,
    meta: Meta,
    mut options: DiffOptions,
) -> Result<()> {
    let (meta, strategy) = match meta.map_field(key) {
        Ok(found) => found,
        // A field nobody knows matters only when it changes.
        Err(_) if old == new => return Ok(()),
        Err(error) => return Err(error),
    };
    options.retain_keys = strategy.retain_keys;
    if strategy.replace {
        if options.changes() {
            patch.insert(key, new.clone());
        }
        return Ok(());
    }
    let inner = diff_maps(old, new, meta, options)?;
    if !inner.is_empty() {
        patch.insert(key, inner);
    }
    Ok(())
}

fn diff_list_field(
    key: &str,
    old: &[Value],
    new: &[Value],
    patch: &mut Map,
    meta: Meta,
    mut options: DiffOptions,
) -> Result<()> {
    let (meta, strategy) = match meta.list_field(key) {
        Ok(found) => found,
        Err(_) if old == new => return Ok(()),
        Err(error) => return Err(error),
    };
    if !strategy.merge {
        if old != new && options.changes() {
            patch.insert(key, new.to_vec());
        }
        return Ok(());
    }
    options.retain_keys = strategy.retain_keys;
    let lists = diff_lists(old, new, meta, &strategy.merge_key, options)?;
    let mut put = |key: &str, list: Vec<Value>| {
        if !list.is_empty() {
            patch.insert(key, list);
        }
    };
    put(key, lists.changes);
    put(&format!("{DELETE_FROM}/{key}"), lists.deletions);
    put(&format!("{ELEMENT_ORDER}/{key}"), lists.order);
    Ok(())
}

/// The three lists that describe how a merged list changed.
#[derive(Default)]
struct Lists {
    changes: Vec<Value>,
    deletions: Vec<Value>,
    order: Vec<Value>,
}

fn diff_lists(
    old: &[Value],
    new: &[Value],
    meta: Meta,
    key: &str,
    options: DiffOptions,
) -> Result<Lists> {
    if old.is_empty() {
        let changes = if options.changes() { new.to_vec() } else { Vec::new() };
        return Ok(Lists { changes, ..Lists::default() });
    }
    match element_kind(&[old, new])? {
        ElementKind::Map => diff_lists_of_maps(old, new, meta, key, options),
        ElementKind::Scalar => diff_lists_of_scalars(old, new, key, options),
    }
}

fn diff_lists_of_scalars(
    old: &[Value],
    new: &[Value],
    key: &str,
    options: DiffOptions,
) -> Result<Lists> {
    let (old, sorted) = (sort_scalars(old), sort_scalars(new));
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    for pair in align(&old, &sorted, |item| Ok(go_print(item)))? {
        match pair {
            (Some(item), None) if options.deletions() => removed.push(item.clone()),
            (None, Some(item)) if options.changes() => added.push(item.clone()),
            _ => {}
        }
    }
    let deletions = deduplicate(removed);
    let changes = normalize_slice(added, new, key, ElementKind::Scalar)?;
    // Go has sorted the old list in place by now, and compares the sorted one.
    let wanted = options.set_element_order
        && ((options.deletions() && !deletions.is_empty()) || (options.changes() && old != new));
    let order = if wanted { new.to_vec() } else { Vec::new() };
    Ok(Lists { changes, deletions, order })
}

fn diff_lists_of_maps(
    old: &[Value],
    new: &[Value],
    meta: Meta,
    key: &str,
    options: DiffOptions,
) -> Result<Lists> {
    let (sorted_old, sorted_new) = (sort_maps(old, key), sort_maps(new, key));
    let (mut changes, mut deletions) = (Vec::new(), Vec::new());
    let text = |item: &Value| merge_key_of(item, key).map(go_print);
    for pair in align(&sorted_old, &sorted_new, text)? {
        match pair {
            (Some(Value::Map(old)), Some(Value::Map(new))) => {
                let mut inner = diff_maps(old, new, meta, options)?;
                if !inner.is_empty() {
                    inner.insert(key, new.get(key).cloned().unwrap_or_default());
                    changes.push(Value::from(inner));
                }
            }
            (None, Some(item)) if options.changes() => changes.push(item.clone()),
            (Some(item), None) if options.deletions() => {
                let value = item.get(key).cloned().unwrap_or_default();
                deletions.push(Value::map([(key, value), (DIRECTIVE, "delete".into())]));
            }
            _ => {}
        }
    }
    let mut changes = normalize_slice(changes, new, key, ElementKind::Map)?;
    let same_order = old.len() == new.len()
        && old.iter().zip(new).all(|(old, new)| old.get(key) == new.get(key));
    changes.extend(deletions);
    let wanted = options.set_element_order
        && ((options.changes() && (!changes.is_empty() || !same_order))
            || (options.deletions() && !changes.is_empty()));
    let order_of = |item: &Value| Value::map([(key, item.get(key).cloned().unwrap_or_default())]);
    let order = if wanted { new.iter().map(order_of).collect() } else { Vec::new() };
    Ok(Lists { changes, deletions: Vec::new(), order })
}

type Pair<'a> = (Option<&'a Value>, Option<&'a Value>);

/// Pairs up two sorted lists: equal texts together, others alone.
fn align<'a>(
    old: &'a [Value],
    new: &'a [Value],
    text: impl Fn(&Value) -> Result<String>,
) -> Result<Vec<Pair<'a>>> {
    let mut pairs = Vec::with_capacity(old.len().max(new.len()));
    let (mut at_old, mut at_new) = (0, 0);
    while at_old < old.len() || at_new < new.len() {
        let left = old.get(at_old).map(&text).transpose()?;
        let right = new.get(at_new).map(&text).transpose()?;
        let order = match (left, right) {
            (Some(left), Some(right)) => left.cmp(&right),
            (Some(_), None) => Ordering::Less,
            (None, _) => Ordering::Greater,
        };
        let from_old = (order != Ordering::Greater).then(|| &old[at_old]);
        let from_new = (order != Ordering::Less).then(|| &new[at_new]);
        at_old += usize::from(from_old.is_some());
        at_new += usize::from(from_new.is_some());
        pairs.push((from_old, from_new));
    }
    Ok(pairs)
}
