//! The reverse index against trying every selector.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::SelectorIndex;
use crate::base::StrId;
use crate::labels::selector::tests::{any_labels, any_requirement};
use crate::labels::{Labels, Selector};

/// Namespaces by number; zero is none.
fn namespace(number: usize) -> Option<StrId> {
    number.checked_sub(1).map(StrId::new)
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).unwrap()
}

#[test]
fn services_of_one_namespace_do_not_see_pods_of_another() {
    let mut index = SelectorIndex::new();
    index.add(0, namespace(1), selector("app=web"));
    index.add(1, namespace(2), selector("app=web"));
    index.add(2, None, selector("app in (web,db),!old"));
    index.add(3, namespace(1), selector("!app"));
    index.add(4, namespace(1), Selector::nothing());
    let web = [("app", "web")];
    assert_eq!(index.matching(namespace(1), &web[..]), [0, 2]);
    assert_eq!(index.matching(namespace(2), &web[..]), [1, 2]);
    assert_eq!(index.matching(None, &web[..]), [2]);
    assert_eq!(index.matching(namespace(1), &[][..]), [3]);
    index.add(2, None, selector("app=db"));
    assert!(index.remove(0) && !index.remove(0));
    assert_eq!(index.matching(namespace(1), &web[..]), [0; 0]);
    assert_eq!(index.len(), 4);
}

#[test]
fn a_label_that_all_selectors_share_gathers_none_of_them() {
    let mut index = SelectorIndex::new();
    for id in 0..1_000 {
        index.add(id, None, selector(&format!("app=a{id},managed-by=Helm,zone in (x,y)")));
    }
    let fullest = (0..index.buckets.end() as u32).map(|bucket| index.buckets.get(bucket).ids.len());
    assert_eq!(fullest.max(), Some(1));
    let labels = [("app", "a7"), ("managed-by", "Helm"), ("zone", "y")];
    assert_eq!(index.matching(None, &labels[..]), [7]);
}

#[test]
fn selectors_that_went_leave_nothing_behind() {
    let mut index = SelectorIndex::new();
    for step in 0..5_000 {
        index.add(3, namespace(step), selector(&format!("uid in (u{step},v{step})")));
        assert!(index.remove(3));
    }
    assert_eq!((index.buckets.len(), index.buckets.end()), (0, 2));
    assert!(index.bucket_index.is_empty() && index.is_empty());
}

proptest! {
    #[test]
    fn finds_what_trying_every_selector_finds(
        ops in prop::collection::vec(
            (0..4u8, 0..30u32, 0..3usize, prop::collection::vec(any_requirement(), 0..4)),
            1..80,
        ),
        objects in prop::collection::vec((any_labels(), 0..3usize), 1..10),
    ) {
        let (mut index, mut model) = (SelectorIndex::new(), BTreeMap::new());
        let mut forks = Vec::new();
        for (op, id, at, requirements) in ops {
            match op {
                0 => prop_assert_eq!(index.remove(id), model.remove(&id).is_some()),
                1 => forks.push((index.clone(), model.clone())),
                _ => {
                    let selector = Selector::new(requirements);
                    index.add(id, namespace(at), selector.clone());
                    model.insert(id, (namespace(at), selector));
                }
            }
        }
        forks.push((index, model));
        for (index, model) in forks {
            prop_assert_eq!(index.len(), model.len());
            for (labels, at) in &objects {
                let tried = model.iter().filter(|(_, (within, selector))| {
                    (within.is_none() || *within == namespace(*at)) && selector.matches(&labels[..])
                });
                let tried: Vec<u32> = tried.map(|(id, _)| *id).collect();
                prop_assert_eq!(index.matching(namespace(*at), &labels[..]), tried);
                prop_assert_eq!(labels[..].pairs().count(), labels.len());
            }
        }
    }
}
