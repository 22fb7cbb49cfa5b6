//! The three ways to find matching sets agree with trying every set.

use proptest::prelude::*;
use roaring::RoaringBitmap;

use crate::labels::selector::tests::{any_labels, any_requirement};
use crate::labels::{LabelSetId, LabelSets, Selector};

proptest! {
    #[test]
    fn finds_the_sets_that_match_by_algebra_and_one_by_one(
        all in prop::collection::vec((any_labels(), any::<bool>()), 0..40),
        requirements in prop::collection::vec(any_requirement(), 0..4),
    ) {
        let (mut sets, mut live) = (LabelSets::new(), RoaringBitmap::new());
        for (labels, is_live) in &all {
            let set = sets.intern(&labels[..]);
            if *is_live {
                live.insert(set.number());
            }
        }
        let selector = Selector::new(requirements);
        let resolved = sets.resolve(&selector);
        let wanted: Vec<LabelSetId> = live
            .iter()
            .map(|set| LabelSetId::new(set as usize))
            .filter(|set| sets.matches(*set, &selector))
            .collect();
        prop_assert!(wanted.len() as u64 <= resolved.bound(&live).max(live.len()));
        for one_by_one in [0, 3, u64::MAX] {
            let mut found = Vec::new();
            resolved.each_within(&live, one_by_one, |set| found.push(set));
            prop_assert!(found.is_sorted() && found.iter().all(|set| resolved.matches(*set)));
            found.retain(|set| live.contains(set.number()));
            prop_assert_eq!(&found, &wanted, "one by one up to {}", one_by_one);
        }
    }
}
