//! Pods on nodes by their content: all of them, or those that have affinity terms.
//!
//! Whoever looks for pods of some kind asks once per content, then walks the pods of that
//! content. The walk follows links from row to row.
//!
//! ```text
//!   content ─► first ─► row 7 ⇄ row 3 ⇄ row 9
//! ```

use super::pod_info::InfoId;
use crate::base::{CowMap, CowVec};

/// The neighbours of a row among rows of its content.
#[derive(Clone, Copy, Debug, Default)]
struct Links {
    before: Option<u32>,
    after: Option<u32>,
}

/// Pods by content; see the module header.
#[derive(Clone, Debug, Default)]
pub struct PodsByContent {
    first: CowMap<InfoId, u32>,
    links: CowVec<Links>,
}

impl PodsByContent {
    /// Takes in the pod at `slot`.
    pub fn add(&mut self, info: InfoId, slot: u32) {
        self.links.resize(self.links.len().max(slot as usize + 1));
        let after = self.first.insert(info, slot);
        self.links.set(slot as usize, Links { before: None, after });
        if let Some(after) = after {
            self.links.get_mut(after as usize).before = Some(slot);
        }
    }

    /// Leaves out the pod at `slot`, which was taken in with this content.
    pub fn remove(&mut self, info: InfoId, slot: u32) {
        let Links { before, after } = self.links[slot as usize];
        if let Some(after) = after {
            self.links.get_mut(after as usize).before = before;
        }
        match (before, after) {
            (Some(before), _) => self.links.get_mut(before as usize).after = after,
            (None, Some(after)) => {
                self.first.insert(info, after);
            }
            (None, None) => {
                self.first.remove(&info);
            }
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.first.is_empty()
    }

    /// Every content.
    pub fn contents(&self) -> impl Iterator<Item = InfoId> {
        self.first.iter().map(|(info, _)| *info)
    }

    /// The rows of the pods of one content.
    pub fn slots(&self, info: InfoId) -> impl Iterator<Item = u32> {
        let first = self.first.get(&info).copied();
        std::iter::successors(first, |slot| self.links[*slot as usize].after)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::PodsByContent;
    use crate::sched::pod_info::InfoId;

    proptest! {
        #[test]
        fn the_links_hold_who_was_taken_in_and_not_left_out(
            steps in prop::collection::vec((0..20u32, 0..4usize), 1..200),
        ) {
            let mut pods = PodsByContent::default();
            let mut model: BTreeMap<u32, usize> = BTreeMap::new();
            for (slot, content) in steps {
                if let Some(old) = model.remove(&slot) {
                    pods.remove(InfoId::new(old), slot);
                } else {
                    pods.add(InfoId::new(content), slot);
                    model.insert(slot, content);
                }
                let mut have: Vec<(u32, usize)> = pods
                    .contents()
                    .flat_map(|info| pods.slots(info).map(move |slot| (slot, info.index())))
                    .collect();
                have.sort_unstable();
                prop_assert_eq!(have, model.clone().into_iter().collect::<Vec<_>>());
            }
        }
    }
}
