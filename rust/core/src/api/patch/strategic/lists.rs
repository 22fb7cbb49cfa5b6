//! Lists: what their elements are, and in which order they end up.

use crate::api::go_print::go_print;
use crate::api::patch::error::{PatchError, Result};
use crate::base::{Map, Value};

/// What the elements of a list are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ElementKind {
    Map,
    Scalar,
}

/// The kind of the elements of all these lists.
pub fn element_kind(lists: &[&[Value]]) -> Result<ElementKind> {
    let mut first: Option<&Value> = None;
    for item in lists.iter().copied().flatten() {
        match first {
            None if matches!(item, Value::List(_)) => return Err(PatchError::list_of_lists()),
            None => first = Some(item),
            Some(other) if std::mem::discriminant(other) != std::mem::discriminant(item) => {
                let shown = Value::list(lists.iter().map(|list| list.to_vec().into()));
                return Err(PatchError::Other(format!(
                    "list element types are not identical: {}",
                    go_print(&shown)
                )));
            }
            Some(_) => {}
        }
    }
    match first {
        None => Err(PatchError::Other("no elements in any of the given slices".into())),
        Some(Value::Map(_)) => Ok(ElementKind::Map),
        Some(_) => Ok(ElementKind::Scalar),
    }
}

/// Scalars in the order of their text.
pub fn sort_scalars(items: &[Value]) -> Vec<Value> {
    let mut sorted = items.to_vec();
    sort_by_text(&mut sorted, go_print);
    sorted
}

/// Maps in the order of the text of one field; those with equal text end up reversed, which
/// is what Go's sort makes of them.
pub fn sort_maps(items: &[Value], key: &str) -> Vec<Value> {
    let mut sorted = items.to_vec();
    sort_by_text(&mut sorted, |item| go_print(item.get(key).unwrap_or(&Value::Null)));
    sorted
}

/// Go's comparison calls equal elements less than each other, so its insertion sort turns
/// them around.
fn sort_by_text(items: &mut [Value], text: impl Fn(&Value) -> String) {
    items.reverse();
    items.sort_by_cached_key(text);
}

/// Scalars without repetitions, in the order Go's method leaves them: the last element takes
/// the place of each repetition.
pub fn deduplicate(mut items: Vec<Value>) -> Vec<Value> {
    let mut at = 0;
    while at + 1 < items.len() {
        let mut other = at + 1;
        while other < items.len() {
            if items[at] == items[other] {
                items.swap_remove(other);
            } else {
                other += 1;
            }
        }
        at += 1;
    }
    items
}

/// Splits a list into the items whose merge key (or, without one, whose value) is in `by`, and
/// the others.
pub fn partition(items: Vec<Value>, by: &[Value], key: &str) -> Result<(Vec<Value>, Vec<Value>)> {
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for item in items {
        let found = if key.is_empty() {
            by.contains(&item)
        } else {
            find_by_key(by, key, merge_key_of(&item, key)?)?.is_some()
        };
        if found { inside.push(item) } else { outside.push(item) }
    }
    Ok((inside, outside))
}

/// The value of an item's merge key.
pub fn merge_key_of<'a>(item: &'a Value, key: &str) -> Result<&'a Value> {
    let map = item.as_map().ok_or_else(|| PatchError::expected_map(item))?;
    map.get(key).ok_or_else(|| PatchError::no_merge_key(map, key))
}

/// The place of the map whose `key` has this value.
pub fn find_by_key(items: &[Value], key: &str, value: &Value) -> Result<Option<usize>> {
    for (at, item) in items.iter().enumerate() {
        let Value::Map(map) = item else {
            return Err(PatchError::Other(format!("value for key {at} is not a map")));
        };
        if map.get(key) == Some(value) {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// The patch's items in the order the patch wants and the server's own items in the order the
/// server has them, interleaved so that neither order is broken.
pub fn normalize_order(
    patch: Vec<Value>,
    server_only: Vec<Value>,
    patch_order: &[Value],
    server_order: &[Value],
    key: &str,
    kind: ElementKind,
) -> Result<Vec<Value>> {
    let patch = normalize_slice(patch, patch_order, key, kind)?;
    let server_only = normalize_slice(server_only, server_order, key, kind)?;
    let place = |item: &Value| index_of(server_order, item, key, kind);
    let mut all = Vec::with_capacity(patch.len() + server_only.len());
    let mut left = server_only.into_iter().peekable();
    for item in patch {
        while let Some(other) = left.next_if(|other| {
            matches!((place(other), place(&item)), (Some(left), Some(right)) if left < right)
        }) {
            all.push(other);
        }
        all.push(item);
    }
    all.extend(left);
    Ok(all)
}

/// Sorts a list by the order of another; deletions go to the end.
pub fn normalize_slice(
    items: Vec<Value>,
    order: &[Value],
    key: &str,
    kind: ElementKind,
) -> Result<Vec<Value>> {
    let (mut items, deletions) = match kind {
        ElementKind::Map => {
            for item in items.iter().chain(order) {
                merge_key_of(item, key)?;
            }
            split_deletions(items)?
        }
        ElementKind::Scalar => (items, Vec::new()),
    };
    let mut places: Vec<Option<usize>> =
        items.iter().map(|item| index_of(order, item, key, kind)).collect();
    // An insertion sort, because the comparison is not an order: an item that `order` does not
    // name counts as less than anything.
    for end in 1..items.len() {
        let mut at = end;
        while at > 0 && is_before(places[at], places[at - 1]) {
            items.swap(at, at - 1);
            places.swap(at, at - 1);
            at -= 1;
        }
    }
    items.extend(deletions);
    Ok(items)
}

fn is_before(left: Option<usize>, right: Option<usize>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => left < right,
        _ => true,
    }
}

/// Items without and with the directive to delete them.
pub fn split_deletions(items: Vec<Value>) -> Result<(Vec<Value>, Vec<Value>)> {
    if let Some(item) = items.iter().find(|item| item.as_map().is_none()) {
        return Err(PatchError::expected_map(item));
    }
    let deletes = |item: &Value| item.str_at(&[super::DIRECTIVE]) == Some("delete");
    Ok(items.into_iter().partition(|item| !deletes(item)))
}

fn index_of(items: &[Value], item: &Value, key: &str, kind: ElementKind) -> Option<usize> {
    match kind {
        ElementKind::Map => {
            let value = |item: &Value| item.as_map().and_then(|map: &Map| map.get(key).cloned());
            let wanted = value(item);
            items.iter().position(|other| value(other) == wanted)
        }
        ElementKind::Scalar => items.iter().position(|other| other == item),
    }
}
