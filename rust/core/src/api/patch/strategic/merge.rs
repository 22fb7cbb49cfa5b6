//! Applying a strategic merge patch, or merging two of them into one.

use super::lists::{
    ElementKind, deduplicate, element_kind, find_by_key, merge_key_of, normalize_order, partition,
    split_deletions,
};
use super::{DELETE_FROM, DIRECTIVE, ELEMENT_ORDER, RETAIN_KEYS};
use crate::api::go_print::go_print;
use crate::api::patch::error::{PatchError, Result};
use crate::api::patch::meta::Meta;
use crate::api::types::PatchStrategy;
use crate::base::{Map, Value};

/// How to merge.
#[derive(Clone, Copy, Debug, Default)]
pub struct MergeOptions {
    /// Carry out directives beside lists, rather than keeping them for later.
    pub merge_lists: bool,
    /// Forget nulls that remove nothing, rather than keeping them for later.
    pub ignore_unmatched_nulls: bool,
}

/// `original` with `patch` applied.
pub fn merge_maps(
    mut original: Map,
    mut patch: Map,
    meta: Meta,
    options: MergeOptions,
) -> Result<Map> {
    if let Some(directive) = patch.remove(DIRECTIVE) {
        return match directive.as_str() {
            Some("replace") => Ok(patch),
            Some("delete") => Ok(Map::new()),
            _ => {
                patch.insert(DIRECTIVE, directive.clone());
                Err(PatchError::unknown_directive(&directive, &patch))
            }
        };
    }
    retain_keys(&mut original, &mut patch, options)?;
    order_elements(&mut original, &mut patch, meta, options)?;
    for (key, item) in patch {
        merge_field(&mut original, &key, item, meta, options)?;
    }
    Ok(original)
}

fn merge_field(
    original: &mut Map,
    key: &str,
    item: Value,
    meta: Meta,
    options: MergeOptions,
) -> Result<()> {
    let deletes = key.starts_with(DELETE_FROM);
    if deletes && !options.merge_lists {
        original.insert(key, item);
        return Ok(());
    }
    let key = if deletes { list_name(key, DELETE_FROM)? } else { key };
    if item.is_null() {
        original.remove(key);
        if options.ignore_unmatched_nulls {
            return Ok(());
        }
    }
    let merged = match (original.get(key), &item) {
        (Some(Value::Map(old)), Value::Map(new)) => {
            let (meta, strategy) = meta.map_field(key)?;
            if strategy.replace {
                Some(item)
            } else {
                let (old, new) = (Map::clone(old), Map::clone(new));
                Some(merge_maps(old, new, meta, options)?.into())
            }
        }
        (Some(Value::List(old)), Value::List(new)) => {
            let (meta, strategy) = meta.list_field(key)?;
            Some(merge_list_field(old, new, meta, strategy, deletes, options)?.list.into())
        }
        _ if deletes => return Ok(()),
        (Some(old), _) if std::mem::discriminant(old) == std::mem::discriminant(&item) => {
            Some(item)
        }
        _ => {
            let item = if options.ignore_unmatched_nulls { without_nulls(item) } else { item };
            without_directives(item)
        }
    };
    match merged {
        Some(item) => original.insert(key, item),
        None => original.remove(key),
    };
    Ok(())
}

/// Applies `$retainKeys`: keys of the original that it does not name are cleared.
fn retain_keys(original: &mut Map, patch: &mut Map, options: MergeOptions) -> Result<()> {
    let Some(wanted) = patch.remove(RETAIN_KEYS) else { return Ok(()) };
    if !options.merge_lists {
        return match original.get(RETAIN_KEYS) {
            Some(other) if *other != wanted => Err(PatchError::Other(format!(
                "{} and {} are not deep equal: this may happen when calculating the 3-way diff patch",
                go_print(other),
                go_print(&wanted)
            ))),
            Some(_) => Ok(()),
            None => {
                original.insert(RETAIN_KEYS, wanted);
                Ok(())
            }
        };
    }
    let Value::List(wanted) = wanted else { return Err(PatchError::retain_keys()) };
    let named = |key: &str| wanted.iter().any(|item| item.as_str() == Some(key));
    let fits = patch.iter().all(|(key, item)| {
        item.is_null()
            || key.starts_with(DELETE_FROM)
            || key.starts_with(ELEMENT_ORDER)
            || named(key)
    });
    if !fits {
        return Err(PatchError::retain_keys());
    }
    original.retain(|key, _| named(key));
    Ok(())
}

/// Applies every `$setElementOrder/LIST` together with the list it is about.
fn order_elements(
    original: &mut Map,
    patch: &mut Map,
    meta: Meta,
    options: MergeOptions,
) -> Result<()> {
    let directives: Vec<String> =
        patch.keys().filter(|key| key.starts_with(ELEMENT_ORDER)).map(Into::into).collect();
    for directive in directives {
        let order = patch.remove(&directive).unwrap_or_default();
        if !options.merge_lists {
            match original.get(&directive) {
                Some(other) if *other != order => return Err(PatchError::element_order()),
                Some(_) => {}
                None => {
                    original.insert(directive.as_str(), order.clone());
                }
            }
        }
        let Value::List(order) = order else { return Err(PatchError::expected_list(&order)) };
        let key = list_name(&directive, ELEMENT_ORDER)?;
        order_list(original, patch, key, &order, meta, options)?;
    }
    Ok(())
}

fn order_list(
    original: &mut Map,
    patch: &mut Map,
    key: &str,
    order: &[Value],
    meta: Meta,
    options: MergeOptions,
) -> Result<()> {
    let list_of = |map: &Map| match map.get(key) {
        None => Ok(None),
        Some(Value::List(items)) => Ok(Some(items.to_vec())),
        Some(other) => Err(PatchError::expected_list(other)),
    };
    let (old, new) = (list_of(original)?, list_of(patch)?);
    let (item_meta, strategy) = meta.list_field(key)?;
    let merge_key = strategy.merge_key.as_str();
    check_order(new.as_deref().unwrap_or_default(), order, merge_key)?;
    let merged = match (&old, &new) {
        (None, None) => return Ok(()),
        (Some(old), None) => Merged::same(old),
        (None, Some(new)) => {
            Merged { list: items_without_directives(new.clone()), old: Vec::new() }
        }
        (Some(old), Some(new)) => merge_list_field(old, new, item_meta, strategy, false, options)?,
    };
    let (inside, server_only) = partition(merged.list, order, merge_key)?;
    let kind = element_kind(&[&merged.old, &new.unwrap_or_default()])?;
    let list = normalize_order(inside, server_only, order, &merged.old, merge_key, kind)?;
    original.insert(key, list);
    patch.remove(key);
    Ok(())
}

/// Checks that the patch's list stands in the order its directive says.
fn check_order(list: &[Value], order: &[Value], merge_key: &str) -> Result<()> {
    if list.is_empty() || order.is_empty() {
        return Ok(());
    }
    let kept = if merge_key.is_empty() { list.to_vec() } else { split_deletions(list.to_vec())?.0 };
    let (mut at, mut at_order) = (0, 0);
    while at < kept.len() && at_order < order.len() {
        if kept[at].get(DIRECTIVE).is_some() {
            at += 1;
            continue;
        }
        let equal = if merge_key.is_empty() {
            kept[at] == order[at_order]
        } else {
            merge_key_of(&kept[at], merge_key)? == merge_key_of(&order[at_order], merge_key)?
        };
        at += usize::from(equal);
        at_order += 1;
    }
    if at < kept.len() {
        return Err(PatchError::Other(format!(
            "The order in patch list:\n{}\n doesn't match {ELEMENT_ORDER} list:\n{}\n",
            go_print(&list.to_vec().into()),
            go_print(&order.to_vec().into())
        )));
    }
    Ok(())
}

/// A merged list, and what became of the old one. Go edits it in place: deletions close the
/// gap, and added items take the places that are free then. What is left decides the order of
/// the items only the server knows.
struct Merged {
    list: Vec<Value>,
    old: Vec<Value>,
}

impl Merged {
    fn same(old: &[Value]) -> Self {
        Self { list: old.to_vec(), old: old.to_vec() }
    }

    fn delete(&mut self, at: usize) {
        self.list.remove(at);
        let end = self.list.len();
        self.old[at..=end].rotate_left(1);
        if at < end {
            self.old[end] = self.old[end - 1].clone();
        }
    }

    fn add(&mut self, item: &Value) {
        if let Some(free) = self.old.get_mut(self.list.len()) {
            *free = item.clone();
        }
        self.list.push(item.clone());
    }
}

fn merge_list_field(
    old: &[Value],
    new: &[Value],
    meta: Meta,
    strategy: &PatchStrategy,
    deletes: bool,
    options: MergeOptions,
) -> Result<Merged> {
    let keep_old = |list| Ok(Merged { list, old: old.to_vec() });
    if !strategy.merge && !deletes {
        return keep_old(new.to_vec());
    }
    if old.is_empty() && new.is_empty() {
        return keep_old(Vec::new());
    }
    let merge_key = strategy.merge_key.as_str();
    let kind = element_kind(&[old, new])?;
    if kind == ElementKind::Scalar {
        if deletes && options.merge_lists {
            return keep_old(old.iter().filter(|item| !new.contains(item)).cloned().collect());
        }
        let merged = deduplicate([old, new].concat());
        let (inside, server_only) = partition(merged, new, merge_key)?;
        return keep_old(normalize_order(inside, server_only, new, old, merge_key, kind)?);
    }
    if merge_key.is_empty() {
        let name = meta.name();
        return Err(PatchError::Other(format!("cannot merge lists without merge key for {name}")));
    }
    let mut merged = Merged::same(old);
    let patch = special_elements(&mut merged, new, merge_key)?;
    let order = merged.list.clone();
    merge_items(&mut merged, &patch, merge_key, meta, options)?;
    let (inside, server_only) = partition(merged.list, &patch, merge_key)?;
    let list = normalize_order(inside, server_only, &patch, &order, merge_key, kind)?;
    Ok(Merged { list, old: merged.old })
}

/// Carries out list items that are directives and returns the others.
fn special_elements(merged: &mut Merged, patch: &[Value], merge_key: &str) -> Result<Vec<Value>> {
    let (mut plain, mut replace) = (Vec::new(), false);
    for item in patch {
        let map = item.as_map().ok_or_else(|| PatchError::expected_map(item))?;
        let Some(directive) = map.get(DIRECTIVE) else {
            plain.push(item.clone());
            continue;
        };
        match directive.as_str() {
            Some("delete") => {
                let value = merge_key_of(item, merge_key)?;
                while let Some(at) = find_by_key(&merged.list, merge_key, value)? {
                    merged.delete(at);
                }
            }
            Some("replace") => replace = true,
            Some("merge") => {
                let sentence = "merging lists cannot yet be specified in the patch";
                return Err(PatchError::Other(sentence.into()));
            }
            _ => return Err(PatchError::unknown_directive(directive, map)),
        }
    }
    if replace {
        merged.list = std::mem::take(&mut plain);
    }
    Ok(plain)
}

fn merge_items(
    merged: &mut Merged,
    patch: &[Value],
    merge_key: &str,
    meta: Meta,
    options: MergeOptions,
) -> Result<()> {
    for item in patch {
        let value = merge_key_of(item, merge_key)?;
        match find_by_key(&merged.list, merge_key, value)? {
            None => merged.add(item),
            Some(at) => {
                let (Value::Map(before), Value::Map(map)) = (&merged.list[at], item) else {
                    return Err(PatchError::expected_map(item));
                };
                let (before, map) = (Map::clone(before), Map::clone(map));
                merged.list[at] = merge_maps(before, map, meta, options)?.into();
            }
        }
    }
    Ok(())
}

/// The list a directive such as `$setElementOrder/containers` is about.
fn list_name<'a>(key: &'a str, directive: &str) -> Result<&'a str> {
    match key.split_once('/') {
        Some((name, list)) if name == directive => Ok(list),
        _ if directive == DELETE_FROM => Err(PatchError::primitive_list()),
        _ => Err(PatchError::element_order()),
    }
}

/// The value without null fields, however deep.
fn without_nulls(value: Value) -> Value {
    match value {
        Value::Map(map) => Value::map(
            map.iter()
                .filter(|(_, item)| !item.is_null())
                .map(|(key, item)| (key, without_nulls(item.clone()))),
        ),
        Value::List(items) => Value::list(items.iter().cloned().map(without_nulls)),
        other => other,
    }
}

/// The value without maps that carry a directive; nothing when it is one itself.
fn without_directives(value: Value) -> Option<Value> {
    match value {
        Value::Map(map) if map.contains_key(DIRECTIVE) => None,
        Value::Map(map) => Some(Value::map(
            map.iter().filter_map(|(key, item)| Some((key, without_directives(item.clone())?))),
        )),
        Value::List(items) => Some(items_without_directives(items.to_vec()).into()),
        other => Some(other),
    }
}

fn items_without_directives(items: Vec<Value>) -> Vec<Value> {
    items.into_iter().filter_map(without_directives).collect()
}
