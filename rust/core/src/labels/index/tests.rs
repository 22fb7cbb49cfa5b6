//! The index against a plain list of objects.

use proptest::prelude::*;

use super::LabelIndex;
use crate::base::StrId;
use crate::labels::selector::tests::{any_labels, any_requirement};
use crate::labels::{LabelSetId, LabelSets, Selector};

/// Namespaces by number; zero is none.
fn namespace(number: usize) -> Option<StrId> {
    number.checked_sub(1).map(StrId::new)
}

fn selected(
    index: &LabelIndex,
    sets: &LabelSets,
    namespace: Option<StrId>,
    selector: &str,
) -> Vec<u32> {
    let selector = Selector::parse(selector).unwrap();
    let found: Vec<u32> = index.select(sets, namespace, &selector).iter().collect();
    assert_eq!(index.count(sets, namespace, &selector), found.len() as u64);
    found
}

#[test]
fn objects_are_found_by_label_and_namespace_until_they_go() {
    let (mut sets, mut index) = (LabelSets::new(), LabelIndex::new());
    let web = sets.intern(&[("app", "web")][..]);
    let db = sets.intern(&[("app", "db")][..]);
    index.insert_range(namespace(1), web, 0..3);
    index.insert(namespace(2), web, 3);
    index.insert(namespace(2), db, 4);
    index.insert(None, LabelSets::empty(), 5);
    assert_eq!(selected(&index, &sets, None, "app=web"), [0, 1, 2, 3]);
    assert_eq!(selected(&index, &sets, namespace(2), "app"), [3, 4]);
    assert_eq!(selected(&index, &sets, namespace(3), ""), [0; 0]);
    assert_eq!(selected(&index, &sets, None, "!app"), [5]);
    index.relabel(namespace(1), web, db, 1);
    assert!(index.remove(namespace(2), web, 3));
    assert!(!index.remove(namespace(2), web, 3));
    assert_eq!(selected(&index, &sets, None, "app=web"), [0, 2]);
    assert_eq!(selected(&index, &sets, None, "app!=web"), [1, 4, 5]);
    let nothing = Selector::nothing();
    assert_eq!(index.count(&sets, None, &nothing), 0);
}

#[test]
fn churn_of_namespaces_and_labels_leaves_nothing_behind() {
    let (mut sets, mut index) = (LabelSets::new(), LabelIndex::new());
    for step in 0..5_000 {
        let uid = format!("uid-{step}");
        let set = sets.intern(&[("app", "job"), ("uid", uid.as_str())][..]);
        index.insert(namespace(step), set, 7);
        assert!(index.remove(namespace(step), set, 7));
        sets.release(set, 1);
    }
    assert_eq!((index.cells(), index.cells.end(), index.scopes.end()), (0, 1, 1));
    assert!(index.live.is_empty() && index.scope_index.is_empty());
}

/// One object of the plain list.
#[derive(Clone, Debug)]
struct Object {
    namespace: Option<StrId>,
    set: LabelSetId,
    slot: u32,
}

fn brute(objects: &[Object], sets: &LabelSets, within: Option<StrId>, by: &Selector) -> Vec<u32> {
    let mut slots: Vec<u32> = objects
        .iter()
        .filter(|object| within.is_none() || object.namespace == within)
        .filter(|object| by.matches(&sets.get(object.set)))
        .map(|object| object.slot)
        .collect();
    slots.sort_unstable();
    slots
}

proptest! {
    #[test]
    fn selects_what_trying_every_object_selects(
        ops in prop::collection::vec((0..5u8, 0..3usize, any_labels(), 1..40u32), 1..60),
        requirements in prop::collection::vec(
            prop::collection::vec(any_requirement(), 0..4),
            1..4,
        ),
    ) {
        let (mut sets, mut index) = (LabelSets::new(), LabelIndex::new());
        let (mut objects, mut next_slot): (Vec<Object>, u32) = (Vec::new(), 0);
        let mut forks = Vec::new();
        for (op, at, labels, count) in ops {
            let chosen = (count as usize * 7) % objects.len().max(1);
            match op {
                0 if !objects.is_empty() => {
                    let gone = objects.swap_remove(chosen);
                    prop_assert!(index.remove(gone.namespace, gone.set, gone.slot));
                    sets.release(gone.set, 1);
                }
                1 if !objects.is_empty() => {
                    let object = &mut objects[chosen];
                    let set = sets.intern(&labels[..]);
                    index.relabel(object.namespace, object.set, set, object.slot);
                    sets.release(object.set, 1);
                    object.set = set;
                }
                2 => forks.push((objects.clone(), sets.clone(), index.clone())),
                _ => {
                    let namespace = namespace(at);
                    let set = sets.intern(&labels[..]);
                    let count = if op == 3 { count } else { 1 };
                    let slots = next_slot..next_slot + count;
                    next_slot = slots.end;
                    sets.retain(set, count - 1);
                    index.insert_range(namespace, set, slots.clone());
                    objects.extend(slots.map(|slot| Object { namespace, set, slot }));
                }
            }
        }
        forks.push((objects, sets, index));
        for requirements in requirements {
            let selector = Selector::new(requirements);
            for (objects, sets, index) in &forks {
                for within in [None, namespace(1), namespace(2), namespace(9)] {
                    let found: Vec<u32> = index.select(sets, within, &selector).iter().collect();
                    prop_assert_eq!(found, brute(objects, sets, within, &selector));
                }
            }
        }
    }
}
