//! Who owns whom: for each owner the rows that name it, and for pods a running count by state.
//!
//! Controllers ask "how many of my pods are ready" after every change; the answer is kept up to
//! date write by write, so it costs the same for ten pods and for ten thousand.

use serde::{Deserialize, Serialize};

use super::object::ObjectId;
use super::uid::Uid;
use crate::base::{CowIndex, CowVec, hash_of};
use crate::labels::{LabelSetId, Posting};

/// How many pods of one controller are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PodCounts {
    /// Neither terminal nor being deleted.
    pub active: u32,
    /// Active with the Ready condition true.
    pub ready: u32,
    /// Being deleted and not terminal.
    pub terminating: u32,
    /// Phase Succeeded.
    pub succeeded: u32,
    /// Phase Failed.
    pub failed: u32,
    /// The label set of the first active pod counted.
    pub labels: Option<LabelSetId>,
    /// Active pods whose label set differs from `labels`.
    pub other_labels: u32,
}

/// What one pod adds to its controller's counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PodClass {
    /// Active, not ready.
    Active,
    /// Active and ready.
    Ready,
    /// Being deleted.
    Terminating,
    /// Phase Succeeded.
    Succeeded,
    /// Phase Failed.
    Failed,
}

impl PodCounts {
    fn add(&mut self, class: PodClass, labels: LabelSetId, sign: i32) {
        let step = |count: &mut u32| *count = count.wrapping_add_signed(sign);
        match class {
            PodClass::Active | PodClass::Ready => {
                if self.active == 0 {
                    self.labels = Some(labels);
                    self.other_labels = 0;
                }
                step(&mut self.active);
                if class == PodClass::Ready {
                    step(&mut self.ready);
                }
                if self.labels != Some(labels) {
                    step(&mut self.other_labels);
                }
            }
            PodClass::Terminating => step(&mut self.terminating),
            PodClass::Succeeded => step(&mut self.succeeded),
            PodClass::Failed => step(&mut self.failed),
        }
    }
}

/// The rows of one table by owner.
#[derive(Clone, Debug, Default)]
pub struct OwnerIndex {
    entries: CowVec<Entry>,
    by_uid: CowIndex,
    free: CowVec<u32>,
}

#[derive(Clone, Debug, Default)]
struct Entry {
    uid: Option<Uid>,
    /// The owner, if it existed when its first dependent was written.
    id: Option<ObjectId>,
    slots: Posting,
    counts: PodCounts,
}

impl OwnerIndex {
    /// The rows that name `owner`, if any does.
    pub fn slots(&self, owner: Uid) -> Option<&Posting> {
        self.find(owner).map(|at| &self.entries[at].slots)
    }

    /// The pods `owner` controls, counted by state.
    pub fn counts(&self, owner: Uid) -> PodCounts {
        self.find(owner).map_or_else(PodCounts::default, |at| self.entries[at].counts)
    }

    /// The owner as an object, if it existed when its first dependent was written.
    pub fn owner(&self, owner: Uid) -> Option<ObjectId> {
        self.entries[self.find(owner)?].id
    }

    /// Whether any row names `owner`.
    pub fn contains(&self, owner: Uid) -> bool {
        self.find(owner).is_some()
    }

    /// Notes that every row in `slots` names `owner`, which is the object `id` if that is known.
    pub fn insert_range(&mut self, owner: Uid, id: Option<ObjectId>, slots: std::ops::Range<u32>) {
        let at = self.find(owner).unwrap_or_else(|| self.add(owner, id));
        self.entries.get_mut(at).slots.insert_range(slots);
    }

    /// Notes that the row at `slot` no longer names `owner`.
    pub fn remove(&mut self, owner: Uid, slot: u32) {
        let Some(at) = self.find(owner) else { return };
        let entry = self.entries.get_mut(at);
        entry.slots.remove(slot);
        if entry.slots.is_empty() {
            *entry = Entry::default();
            self.by_uid.remove(hash_of(&owner), at as u32);
            self.free.push(at as u32);
        }
    }

    /// Counts `pods` pods of one class and label set in (`sign` 1) or out (`sign` -1).
    pub fn count(&mut self, owner: Uid, class: PodClass, labels: LabelSetId, pods: i32) {
        let Some(at) = self.find(owner) else { return };
        self.entries.get_mut(at).counts.add(class, labels, pods);
    }

    /// Notes which object an owner is; for a loaded table, whose owners were not known yet.
    pub fn set_owner(&mut self, owner: Uid, id: ObjectId) {
        if let Some(at) = self.find(owner) {
            self.entries.get_mut(at).id = Some(id);
        }
    }

    fn find(&self, owner: Uid) -> Option<usize> {
        let is_it = |at: u32| self.entries[at as usize].uid == Some(owner);
        self.by_uid.find(hash_of(&owner), is_it).map(|at| at as usize)
    }

    fn add(&mut self, owner: Uid, id: Option<ObjectId>) -> usize {
        let entry = Entry { uid: Some(owner), id, ..Entry::default() };
        let at = match self.free.len().checked_sub(1) {
            Some(last) => {
                let at = self.free[last] as usize;
                self.free.resize(last);
                self.entries.set(at, entry);
                at
            }
            None => self.entries.push(entry),
        };
        self.by_uid.insert(hash_of(&owner), at as u32);
        at
    }
}

#[cfg(test)]
mod tests {
    use super::{OwnerIndex, PodClass, PodCounts};
    use crate::labels::LabelSetId;
    use crate::store::uid::Uids;

    #[test]
    fn counts_follow_every_change_of_class() {
        let mut uids = Uids::new(1);
        let (web, db) = (uids.issue(), uids.issue());
        let labels = LabelSetId::new(0);
        let mut owners = OwnerIndex::default();
        owners.insert_range(web, None, 0..3);
        owners.insert_range(db, None, 7..8);
        owners.count(web, PodClass::Active, labels, 3);
        owners.count(web, PodClass::Active, labels, -1);
        owners.count(web, PodClass::Ready, labels, 1);
        let counts = owners.counts(web);
        assert_eq!((counts.active, counts.ready, counts.other_labels), (3, 1, 0));
        assert_eq!(owners.slots(web).unwrap().len(), 3);
        assert_eq!(owners.counts(db), PodCounts::default());
    }

    #[test]
    fn an_owner_without_rows_is_forgotten_and_its_place_used_again() {
        let mut uids = Uids::new(1);
        let mut owners = OwnerIndex::default();
        let first = uids.issue();
        owners.insert_range(first, None, 4..5);
        owners.remove(first, 4);
        assert!(owners.slots(first).is_none());
        let second = uids.issue();
        owners.insert_range(second, None, 5..6);
        assert_eq!(owners.entries.len(), 1);
        assert_eq!(owners.slots(second).unwrap().iter().collect::<Vec<_>>(), [5]);
    }
}
