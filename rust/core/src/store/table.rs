//! The objects of one kind: rows, and the indexes by name, namespace, label and owner.
//!
//! Everything here is bookkeeping without opinion: whether a write is allowed, what its
//! resourceVersion is and who must hear of it is decided by [`super::Store`].

use std::ops::Range;
use std::sync::Arc;

use super::object::{Body, Name, ObjectId, Row};
use super::owners::OwnerIndex;
use crate::api::KindId;
use crate::base::{CowIndex, CowVec, Interner, StrId, hash_of};
use crate::labels::LabelIndex;

/// The rows of one kind with their indexes.
#[derive(Clone, Debug, Default)]
pub struct Table {
    rows: CowVec<Row>,
    free: CowVec<u32>,
    names: CowIndex,
    /// Objects by namespace and labels.
    pub labels: LabelIndex,
    /// Those of them that no controller owns: whoever selects them may adopt them.
    pub orphans: LabelIndex,
    /// Objects by owner.
    pub owners: OwnerIndex,
}

impl Table {
    /// The number of objects.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there are no objects.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// One past the highest row ever used.
    pub fn slots(&self) -> u32 {
        self.rows.len() as u32
    }

    /// The row at `slot`, if an object is there.
    pub fn row(&self, slot: u32) -> Option<&Row> {
        self.rows.get(slot as usize).filter(|row| row.body.is_some())
    }

    /// The row of `id`, if that very object still exists.
    pub fn get(&self, id: ObjectId) -> Option<&Row> {
        self.row(id.slot).filter(|row| row.reuse == id.generation)
    }

    /// The row at `slot` for writing what no index depends on.
    pub fn row_mut(&mut self, slot: u32) -> &mut Row {
        self.rows.get_mut(slot as usize)
    }

    /// The id of the object at `slot`.
    pub fn id(&self, kind: KindId, slot: u32) -> ObjectId {
        ObjectId { kind, slot, generation: self.rows[slot as usize].reuse }
    }

    /// The slot of the object with this name.
    pub fn find(&self, namespace: Option<StrId>, name: &str, strings: &Interner) -> Option<u32> {
        self.names.find(name_hash(namespace, name), |slot| {
            let row = &self.rows[slot as usize];
            row.body.as_ref().is_some_and(|body| body.namespace == namespace)
                && row.name.text(strings) == name
        })
    }

    /// Every occupied slot, in slot order.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Row)> {
        self.rows
            .iter()
            .enumerate()
            .filter(|(_, row)| row.body.is_some())
            .map(|(slot, row)| (slot as u32, row))
    }

    /// Adds an object and returns its slot. `name` is the text of `row.name`, `owner` the object
    /// that controls it, if it exists.
    pub fn insert(&mut self, row: Row, name: &str, owner: Option<ObjectId>) -> u32 {
        let body = Arc::clone(row.body.as_ref().expect("an object has a body"));
        let slot = if let Some(last) = self.free.len().checked_sub(1) {
            let slot = self.free[last];
            self.free.resize(last);
            slot
        } else {
            self.rows.resize(self.rows.len() + 1);
            self.rows.len() as u32 - 1
        };
        let place = self.rows.get_mut(slot as usize);
        *place = Row { reuse: place.reuse, ..row };
        self.names.insert(name_hash(body.namespace, name), slot);
        self.index(&body, owner, slot..slot + 1);
        slot
    }

    /// Adds `names.len()` objects of one body in fresh, consecutive slots; `make` fills each
    /// row. The caller knows the names to be free.
    pub fn insert_many(
        &mut self,
        body: &Arc<Body>,
        names: &[Name],
        owner: Option<ObjectId>,
        strings: &Interner,
        mut make: impl FnMut(usize, Name) -> Row,
    ) -> Range<u32> {
        let start = self.rows.len();
        let slots = start as u32..(start + names.len()) as u32;
        self.rows.resize(start + names.len());
        self.names.reserve(names.len());
        self.rows.for_range_mut(start, start + names.len(), |at, row| {
            *row = make(at - start, names[at - start]);
        });
        for (name, slot) in names.iter().zip(slots.clone()) {
            self.names.insert(name_hash(body.namespace, &name.text(strings)), slot);
        }
        self.index(body, owner, slots.clone());
        slots
    }

    /// Gives the object at `slot` another body, moving it in the indexes.
    pub fn set_body(&mut self, slot: u32, body: &Arc<Body>, owner: Option<ObjectId>) {
        let row = self.rows.get_mut(slot as usize);
        let old = row.body.replace(Arc::clone(body)).expect("the slot is occupied");
        self.labels.relabel(body.namespace, old.labels, body.labels, slot);
        if old.controller.is_none() {
            self.orphans.remove(old.namespace, old.labels, slot);
        }
        if body.controller.is_none() {
            self.orphans.insert(body.namespace, body.labels, slot);
        }
        if old.owners != body.owners {
            for owner in &old.owners {
                self.owners.remove(*owner, slot);
            }
            self.index_owners(body, owner, slot..slot + 1);
        }
    }

    /// Removes the object at `slot` and returns its last row.
    pub fn remove(&mut self, slot: u32, name: &str) -> Row {
        let place = self.rows.get_mut(slot as usize);
        let row = std::mem::take(place);
        place.reuse = row.reuse.wrapping_add(1);
        let body = row.body.as_ref().expect("the slot is occupied");
        self.names.remove(name_hash(body.namespace, name), slot);
        self.labels.remove(body.namespace, body.labels, slot);
        if body.controller.is_none() {
            self.orphans.remove(body.namespace, body.labels, slot);
        }
        for owner in &body.owners {
            self.owners.remove(*owner, slot);
        }
        self.free.push(slot);
        row
    }

    /// The rows and the free slots, for a snapshot.
    pub fn parts(&self) -> (&CowVec<Row>, &CowVec<u32>) {
        (&self.rows, &self.free)
    }

    /// A table of these rows, with its indexes built anew.
    pub fn from_parts(rows: CowVec<Row>, free: CowVec<u32>, strings: &Interner) -> Self {
        let mut table = Self { free, ..Self::default() };
        table.names.reserve(rows.len());
        let mut run: Option<(Arc<Body>, Range<u32>)> = None;
        for (slot, row) in rows.iter().enumerate() {
            let Some(body) = &row.body else { continue };
            let slot = slot as u32;
            table.names.insert(name_hash(body.namespace, &row.name.text(strings)), slot);
            match &mut run {
                Some((shared, slots)) if Arc::ptr_eq(shared, body) && slots.end == slot => {
                    slots.end += 1;
                }
                _ => {
                    if let Some((body, slots)) = run.replace((Arc::clone(body), slot..slot + 1)) {
                        table.index(&body, None, slots);
                    }
                }
            }
        }
        if let Some((body, slots)) = run {
            table.index(&body, None, slots);
        }
        table.rows = rows;
        table
    }

    fn index(&mut self, body: &Body, owner: Option<ObjectId>, slots: Range<u32>) {
        self.labels.insert_range(body.namespace, body.labels, slots.clone());
        if body.controller.is_none() {
            self.orphans.insert_range(body.namespace, body.labels, slots.clone());
        }
        self.index_owners(body, owner, slots);
    }

    fn index_owners(&mut self, body: &Body, controller: Option<ObjectId>, slots: Range<u32>) {
        for owner in &body.owners {
            let id = controller.filter(|_| body.controller == Some(*owner));
            self.owners.insert_range(*owner, id, slots.clone());
        }
    }
}

fn name_hash(namespace: Option<StrId>, name: &str) -> u64 {
    hash_of(&(namespace, name))
}
