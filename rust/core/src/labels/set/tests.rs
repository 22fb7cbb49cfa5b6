//! Label sets against a plain list of them, through churn, forks and reloads.

use proptest::prelude::*;

use super::{LabelSetId, LabelSets};
use crate::labels::selector::tests::any_labels;
use crate::labels::{Labels, Posting};

fn reloaded(sets: &LabelSets) -> LabelSets {
    postcard::from_bytes(&postcard::to_stdvec(sets).unwrap()).unwrap()
}

#[test]
fn equal_labels_have_one_number_in_whatever_order_they_come() {
    let mut sets = LabelSets::new();
    let web = sets.intern(&[("tier", "front"), ("app", "web")][..]);
    assert_eq!(sets.intern(&[("app", "web"), ("tier", "front")][..]), web);
    assert_eq!(sets.intern(&[("app", "db"), ("tier", "front"), ("app", "web")][..]), web);
    assert_eq!(sets.get(web).to_map().iter().len(), 2);
    assert_eq!(sets.get(web).value_of("tier"), Some("front"));
    assert_eq!(sets.get(web).value_of("x"), None);
    assert_eq!(sets.intern(&[][..]), LabelSets::empty());
}

#[test]
fn labels_that_never_repeat_leave_nothing_behind() {
    let mut sets = LabelSets::new();
    let base = sets.intern(&[("app", "job")][..]);
    let mut numbers = Vec::new();
    for uid in 0..10_000 {
        let uid = format!("uid-{uid}");
        let set = sets.intern(&[("app", "job"), ("uid", uid.as_str()), (uid.as_str(), "")][..]);
        numbers.push(set);
        sets.release(set, 1);
    }
    assert_eq!(sets.len(), 2);
    assert!(numbers.iter().all(|set| *set == numbers[0]), "a freed number is used again");
    let ends = [sets.sets.end(), sets.pairs.end(), sets.keys.end(), sets.values.end()];
    assert_eq!(ends, [3, 3, 3, 3]);
    assert!(sets.sets_by_pair.iter().skip(1).all(Posting::is_empty));
    assert_eq!(sets.find(&[("app", "job")][..]), Some(base));
}

#[test]
#[should_panic(expected = "released more than it was retained")]
fn releasing_too_much_is_a_bug_that_shows() {
    let mut sets = LabelSets::new();
    let set = sets.intern(&[("a", "b")][..]);
    sets.release(set, 2);
}

#[test]
fn what_does_not_fit_together_is_not_loaded() {
    let mut sets = LabelSets::new();
    sets.intern(&[("a", "b")][..]);
    sets.sets.get_mut(1)[0] = 7;
    let bytes = postcard::to_stdvec(&sets).unwrap();
    assert!(postcard::from_bytes::<LabelSets>(&bytes).is_err());
}

/// Every derived index agrees with the sets themselves.
fn check(sets: &LabelSets, alive: &[(Vec<(&'static str, &'static str)>, LabelSetId)]) {
    for (labels, id) in alive {
        assert_eq!(sets.find(&labels[..]), Some(*id));
        assert!(sets.get(*id).iter().eq(labels.iter().copied()));
        for (key, value) in labels {
            let number = sets.find_key(key).unwrap();
            let pair = sets.find_pair(number, value).unwrap();
            assert!(sets.sets_with_key(number).contains(id.number()));
            let with_pair = alive.iter().filter(|(other, _)| other.contains(&(*key, *value)));
            let mut with_pair: Vec<u32> = with_pair.map(|(_, id)| id.number()).collect();
            with_pair.sort_unstable();
            assert!(sets.sets_with_pair(pair).iter().eq(with_pair));
        }
    }
    let distinct = alive.iter().filter(|(labels, _)| !labels.is_empty()).count();
    assert_eq!(sets.len(), distinct + 1);
}

proptest! {
    #[test]
    fn numbers_survive_churn_forks_and_reloads(
        ops in prop::collection::vec((any_labels(), 0..3u8), 1..40),
    ) {
        let mut sets = LabelSets::new();
        let mut twin = LabelSets::new();
        let mut uses: Vec<(Vec<(&str, &str)>, LabelSetId)> = Vec::new();
        for (at, (labels, op)) in ops.into_iter().enumerate() {
            if op == 0 && !uses.is_empty() {
                let (_, id) = uses.swap_remove(at % uses.len());
                sets.release(id, 1);
                twin.release(id, 1);
            } else {
                let id = sets.intern(&labels[..]);
                prop_assert_eq!(twin.intern(&labels[..]), id, "a reload changed the numbers");
                uses.push((labels, id));
            }
            if op == 2 {
                twin = reloaded(&twin);
            }
            let mut alive = uses.clone();
            alive.sort();
            alive.dedup();
            check(&sets, &alive);
        }
        let fork = sets.clone();
        let before = uses.clone();
        for (_, id) in uses {
            sets.release(id, 1);
        }
        prop_assert_eq!(sets.len(), 1);
        for (labels, id) in before {
            prop_assert_eq!(fork.find(&labels[..]), Some(id));
        }
    }
}
