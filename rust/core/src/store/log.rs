//! The watch log: one entry per write, in order of resourceVersion.
//!
//! Entry `r` stands for the write that produced resourceVersion `r`; versions have no gaps, so
//! the log is an array. A consumer holds a cursor and pulls; nothing reacts inside a write.
//!
//! ```text
//!   compacted │ base+1 │ ... │ r │ ... │ now         entry r: verb, object, next write of it,
//!   410 Gone  └────────┴─────┴───┴─────┘                      what the object was before
//! ```
//!
//! A create keeps nothing besides its 24 bytes. An update or delete keeps the version it
//! replaced; so the object as of version `r` is what its next write replaced, or the current
//! one when there was none.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::object::{ObjectId, Row};
use super::pod::PodState;
use crate::api::KindId;
use crate::base::CowVec;

/// What a write did to its object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Verb {
    /// It came into being.
    #[default]
    Added,
    /// It changed.
    Modified,
    /// It is gone.
    Deleted,
    /// It was put back from a dump: an addition that nothing is concluded from.
    Restored,
}

/// An object as it was: its row and, for a pod, its state.
#[derive(Clone, Debug)]
pub struct Version {
    /// The row, whose body says the rest.
    pub row: Row,
    /// A pod's runtime state.
    pub pod: Option<PodState>,
}

/// One write.
#[derive(Clone, Debug, Default)]
pub struct Entry {
    kind: u16,
    /// What happened.
    pub verb: Verb,
    slot: u32,
    generation: u32,
    /// How many versions later the same object was written again; 0 for not yet.
    next: u32,
    /// What the object was before; `None` for a create.
    pub previous: Option<Arc<Version>>,
}

/// An entry with everything but the version it kept, for a snapshot.
pub type EntryParts = (u16, Verb, u32, u32, u32);

impl Entry {
    /// The entry without the version it kept.
    pub fn parts(&self) -> EntryParts {
        (self.kind, self.verb, self.slot, self.generation, self.next)
    }

    /// An entry with the version it kept.
    pub fn from_parts(parts: EntryParts, previous: Option<Arc<Version>>) -> Self {
        let (kind, verb, slot, generation, next) = parts;
        Self { kind, verb, slot, generation, next, previous }
    }

    /// The object written.
    pub fn id(&self) -> ObjectId {
        let kind = KindId::new(usize::from(self.kind));
        ObjectId { kind, slot: self.slot, generation: self.generation }
    }
}

/// The writes since the last compaction; see the module header.
#[derive(Clone, Debug)]
pub struct WatchLog {
    entries: CowVec<Entry>,
    /// The resourceVersion of `entries[0]`.
    first: u64,
    /// Versions below this one are compacted, even if their page is still here.
    compacted: u64,
}

impl WatchLog {
    /// An empty log whose next write will be `revision + 1`.
    pub fn starting_after(revision: u64) -> Self {
        Self { entries: CowVec::new(), first: revision + 1, compacted: revision }
    }

    /// The resourceVersion of the latest write.
    pub fn revision(&self) -> u64 {
        self.first + self.entries.len() as u64 - 1
    }

    /// The oldest version a watch may start after.
    pub fn compacted(&self) -> u64 {
        self.compacted
    }

    /// Appends a write of `id`, whose previous version was written at `before`, and returns its
    /// resourceVersion.
    pub fn append(
        &mut self,
        verb: Verb,
        id: ObjectId,
        before: u64,
        previous: Option<Arc<Version>>,
    ) -> u64 {
        let revision = self.revision() + 1;
        if let Some(entry) = self.entry_mut(before, id) {
            entry.next = u32::try_from(revision - before).unwrap_or(0);
        }
        let kind = u16::try_from(id.kind.index()).expect("fewer than 65,536 kinds");
        let (slot, generation) = (id.slot, id.generation);
        self.entries.push(Entry { kind, verb, slot, generation, next: 0, previous });
        revision
    }

    /// Appends creates of rows `slots` of one kind, none used before.
    pub fn append_created(&mut self, kind: KindId, slots: std::ops::Range<u32>) {
        let kind = u16::try_from(kind.index()).expect("fewer than 65,536 kinds");
        let start = self.entries.len();
        self.entries.resize(start + slots.len());
        self.entries.for_range_mut(start, start + slots.len(), |at, entry| {
            entry.kind = kind;
            entry.slot = slots.start + (at - start) as u32;
        });
    }

    /// The write that produced `revision`, unless it was compacted or has not happened.
    pub fn get(&self, revision: u64) -> Option<&Entry> {
        if revision <= self.compacted {
            return None;
        }
        self.entries.get(usize::try_from(revision.checked_sub(self.first)?).ok()?)
    }

    /// The object as the write `revision` left it; `None` when that is its current state.
    pub fn version_after(&self, revision: u64) -> Option<&Arc<Version>> {
        let next = self.get(revision)?.next;
        if next == 0 {
            return None;
        }
        self.get(revision + u64::from(next))?.previous.as_ref()
    }

    /// Forgets writes up to and including `revision` and returns the versions they kept.
    pub fn compact(&mut self, revision: u64) -> Vec<Arc<Version>> {
        let revision = revision.min(self.revision());
        let mut versions = Vec::new();
        if revision <= self.compacted {
            return versions;
        }
        let (from, to) = (self.compacted + 1 - self.first, revision + 1 - self.first);
        self.entries.for_range_mut(from as usize, to as usize, |_, entry| {
            versions.extend(entry.previous.take());
        });
        self.compacted = revision;
        let dropped = self.entries.drop_pages_before((revision + 1 - self.first) as usize);
        self.first += dropped as u64;
        versions
    }

    /// Every entry kept, oldest first, with the versions they stand for.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    /// First version kept and last version compacted, for a snapshot.
    pub fn bounds(&self) -> (u64, u64) {
        (self.first, self.compacted)
    }

    /// A log of these entries, the first of which made version `first`.
    pub fn from_parts(entries: CowVec<Entry>, first: u64, compacted: u64) -> Self {
        Self { entries, first, compacted }
    }

    fn entry_mut(&mut self, revision: u64, id: ObjectId) -> Option<&mut Entry> {
        if self.get(revision)?.id() != id {
            return None;
        }
        Some(self.entries.get_mut((revision - self.first) as usize))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{Verb, Version, WatchLog};
    use crate::api::KindId;
    use crate::store::object::{ObjectId, Row};

    fn id(slot: u32) -> ObjectId {
        ObjectId { kind: KindId::new(3), slot, generation: 0 }
    }

    fn version(revision: u64) -> Arc<Version> {
        Arc::new(Version { row: Row { revision, ..Row::default() }, pod: None })
    }

    #[test]
    fn every_version_of_an_object_can_be_found_again() {
        let mut log = WatchLog::starting_after(10);
        assert_eq!(log.append(Verb::Added, id(1), 0, None), 11);
        assert_eq!(log.append(Verb::Added, id(2), 0, None), 12);
        assert_eq!(log.append(Verb::Modified, id(1), 11, Some(version(11))), 13);
        assert_eq!(log.append(Verb::Deleted, id(1), 13, Some(version(13))), 14);
        assert_eq!(log.version_after(11).unwrap().row.revision, 11);
        assert_eq!(log.version_after(13).unwrap().row.revision, 13);
        assert!(log.version_after(12).is_none(), "object 2 is as version 12 left it");
        assert_eq!(log.get(14).unwrap().id(), id(1));
        assert!(log.get(15).is_none());
    }

    #[test]
    fn compaction_hides_old_versions_and_frees_whole_pages() {
        let mut log = WatchLog::starting_after(0);
        for slot in 0..10_000 {
            log.append(Verb::Added, id(slot), 0, None);
        }
        let pages = log.entries.pages();
        log.compact(9_000);
        assert!(log.entries.pages() < pages);
        assert!(log.get(9_000).is_none());
        assert_eq!(log.get(9_001).unwrap().id(), id(9_000));
        assert_eq!(log.revision(), 10_000);
        assert_eq!(log.append(Verb::Added, id(1), 0, None), 10_001);
        log.compact(u64::MAX);
        assert_eq!((log.revision(), log.compacted()), (10_001, 10_001));
    }

    #[test]
    fn an_entry_takes_24_bytes() {
        assert_eq!(size_of::<super::Entry>(), 24);
    }
}
