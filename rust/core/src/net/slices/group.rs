//! The slices of one Service in one family: which pod is where, and where new ones go.
//!
//! A pod that changes does so where it is. New endpoints go into slices that are written anyway,
//! fullest first; what is left and less than a slice into the other slice it fills most; the
//! rest into new ones. Without endpoints one empty slice stays.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::slice::{Entry, Need, SLICE_MAX, Slice};
use crate::net::ports::PortList;

/// The slices of one family.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Group {
    /// The slices, in the order they were made.
    pub slices: Vec<Slice>,
    /// Which slice a pod is in.
    members: BTreeMap<u32, usize>,
}

impl Group {
    /// Slices that are there already.
    pub fn of(slices: Vec<Slice>) -> Self {
        let mut group = Self { slices, members: BTreeMap::new() };
        group.number();
        group
    }

    /// The pods in it.
    pub fn pods(&self) -> impl Iterator<Item = u32> {
        self.members.keys().copied()
    }

    /// Brings pods up to date; `None` for one that is no endpoint, or has other ports by now.
    pub fn follow(&mut self, found: Vec<(u32, Option<(PortList, Entry)>)>) {
        let mut added: BTreeMap<PortList, Vec<Entry>> = BTreeMap::new();
        let mut changed: BTreeSet<usize> = BTreeSet::new();
        for (pod, endpoint) in found {
            let at = self.members.get(&pod).copied();
            let Some((ports, entry)) = endpoint else {
                changed.extend(at.map(|at| self.leave(at, pod)));
                continue;
            };
            if let Some(at) = at {
                let slice = &mut self.slices[at];
                let known = slice.entries.iter_mut().find(|known| known.pod == pod);
                let known = known.expect("a member is in its slice");
                if slice.ports == ports && known.is_same(&entry) {
                    if known.value != entry.value {
                        let hints = known.hints.take();
                        *known = Entry { hints, ..entry };
                        changed.insert(at);
                    }
                    continue;
                }
                changed.insert(self.leave(at, pod));
            }
            added.entry(ports).or_default().push(entry);
        }
        for at in changed {
            self.changed(at);
        }
        for (ports, mut entries) in added {
            entries.sort_by(|one, other| other.name.cmp(&one.name));
            self.place(&ports, entries);
        }
    }

    fn leave(&mut self, at: usize, pod: u32) -> usize {
        self.members.remove(&pod);
        self.slices[at].entries.retain(|entry| entry.pod != pod);
        at
    }

    /// The endpoints of a slice differ: it is written with hints thought over again, or goes.
    fn changed(&mut self, at: usize) {
        let slice = &mut self.slices[at];
        slice.need = if slice.entries.is_empty() { Need::Delete } else { Need::Write };
        for entry in &mut slice.entries {
            entry.hints = None;
        }
    }

    /// Finds slices for new endpoints of equal ports, the last of the list first.
    fn place(&mut self, ports: &PortList, mut entries: Vec<Entry>) {
        let mut written: Vec<usize> = self.with(ports, Need::Write).collect();
        written.sort_by_key(|at| std::cmp::Reverse(self.slices[*at].entries.len()));
        for at in written {
            self.fill(at, &mut entries);
        }
        while !entries.is_empty() {
            let at = self.tightest(ports, entries.len()).unwrap_or_else(|| {
                self.slices.push(Slice { ports: ports.clone(), ..Slice::default() });
                self.slices.len() - 1
            });
            self.slices[at].need = Need::Write;
            self.fill(at, &mut entries);
        }
    }

    fn with(&self, ports: &PortList, need: Need) -> impl Iterator<Item = usize> {
        let fits = move |(_, slice): &(usize, &Slice)| slice.need == need && slice.ports == *ports;
        self.slices.iter().enumerate().filter(fits).map(|(at, _)| at)
    }

    /// The slice, of those that are not written yet, that so many endpoints fill most.
    fn tightest(&self, ports: &PortList, count: usize) -> Option<usize> {
        let room = SLICE_MAX.checked_sub(count).filter(|room| *room > 0)?;
        let len = |at: &usize| self.slices[*at].entries.len();
        let fitting = self.with(ports, Need::Nothing).filter(|at| len(at) <= room);
        fitting.max_by_key(|at| (len(at), std::cmp::Reverse(*at)))
    }

    /// Moves endpoints from the end of the list into slice `at` while it has room.
    fn fill(&mut self, at: usize, entries: &mut Vec<Entry>) {
        let slice = &mut self.slices[at];
        while slice.has_room() {
            let Some(entry) = entries.pop() else { return };
            self.members.insert(entry.pod, at);
            slice.entries.push(entry);
        }
    }

    /// Settles which slices stay: empty ones go, unless one is needed to say that there is
    /// nothing.
    pub fn settle(&mut self) {
        let is_kept = self.slices.first().is_some_and(|slice| slice.need == Need::Nothing);
        let need = if is_kept { Need::Nothing } else { Need::Write };
        for slice in &mut self.slices {
            if slice.entries.is_empty() {
                slice.need = Need::Delete;
            }
        }
        if self.slices.iter().all(|slice| slice.need == Need::Delete) {
            self.keep_place(need);
        }
    }

    /// Gives the objects of slices that go to slices that come.
    pub fn reuse_objects(&mut self) {
        let goes = |slice: &Slice| slice.need == Need::Delete;
        let comes = |slice: &Slice| slice.id.is_none() && !goes(slice);
        while let Some(new) = self.slices.iter().rposition(comes) {
            let old = self.slices.iter().position(|slice| goes(slice) && slice.id.is_some());
            let Some(old) = old else { return };
            let slice = &mut self.slices[new];
            let slice = std::mem::take(slice);
            let id = self.slices[old].id;
            let relabelled = self.slices[old].relabelled;
            self.slices[old] = Slice { id, relabelled, ..slice };
            self.slices[new].need = Need::Delete;
        }
    }

    /// Every slice is written, with the hints it has.
    pub fn relabel(&mut self) {
        for slice in &mut self.slices {
            slice.need = Need::Write;
            slice.relabelled = true;
        }
    }

    /// One empty slice without ports stands for nothing.
    fn keep_place(&mut self, need: Need) {
        match self.slices.as_mut_slice() {
            [only] if only.ports.is_empty() && only.id.is_some() => only.need = need,
            _ => self.slices.push(Slice { need: Need::Write, ..Slice::default() }),
        }
    }

    /// Drops the slices that are gone from the list.
    pub fn forget_deleted(&mut self) {
        self.slices.retain(|slice| slice.need != Need::Delete);
        self.number();
    }

    fn number(&mut self) {
        let pods = |(at, slice): (usize, &Slice)| -> Vec<(u32, usize)> {
            slice.entries.iter().map(|entry| (entry.pod, at)).collect()
        };
        self.members = self.slices.iter().enumerate().flat_map(pods).collect();
    }
}
