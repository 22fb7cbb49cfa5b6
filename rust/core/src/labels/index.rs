//! Which objects of one kind have the labels a selector asks for.
//!
//! ```text
//!   selector ──► label sets ──► cells (namespace, set) ──► slots of objects
//!       level 1: [`Resolved`]         level 2: here
//! ```
//!
//! A cell holds the slots of the objects of one namespace that carry one label set. A query
//! visits the cells of matching sets, or, when its namespace has few cells, tests the sets of
//! those; so it costs what it finds and not what the cluster holds. Objects never share a slot,
//! so cells are disjoint and counting needs no union.
//!
//! The index does not count uses of label sets: an object that is in here keeps its own (see
//! [`LabelSets`]). It is not saved either; whoever loads objects enters them again.

use std::ops::Range;
use std::sync::Arc;

use roaring::RoaringBitmap;

use super::posting::{DisjointUnion, Posting};
use super::slab::{Slab, Sparse};
use super::{LabelSetId, LabelSets, Selector};
use crate::base::{CowIndex, StrId, hash_of};

/// The objects of one kind by label set; see the module header.
#[derive(Clone, Debug, Default)]
pub struct LabelIndex {
    cells: Slab<Cell>,
    cells_of_set: Sparse<SetCells>,
    scopes: Slab<Scope>,
    scope_index: CowIndex,
    /// The sets that have a cell.
    live: Arc<RoaringBitmap>,
}

/// The objects of one namespace that carry one label set.
#[derive(Clone, Debug, Default)]
struct Cell {
    scope: u32,
    set: u32,
    slots: Posting,
}

/// A namespace, or none for objects outside of any, and its cells.
#[derive(Clone, Debug, Default)]
struct Scope {
    namespace: Option<StrId>,
    cells: Posting,
}

/// The cells of one label set.
#[derive(Clone, Debug, Default)]
enum SetCells {
    #[default]
    None,
    One(u32),
    /// `(scope, cell)`, sorted.
    Many(Arc<Vec<(u32, u32)>>),
}

impl LabelIndex {
    /// An index of nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Enters the object at `slot`. Objects outside of namespaces have none.
    pub fn insert(&mut self, namespace: Option<StrId>, set: LabelSetId, slot: u32) {
        let cell = self.cell(namespace, set);
        self.cells.get_mut(cell).slots.insert(slot);
    }

    /// Enters the objects at `slots`, which share namespace and labels.
    pub fn insert_range(&mut self, namespace: Option<StrId>, set: LabelSetId, slots: Range<u32>) {
        if !slots.is_empty() {
            let cell = self.cell(namespace, set);
            self.cells.get_mut(cell).slots.insert_range(slots);
        }
    }

    /// Takes the object at `slot` out; true when it was there.
    pub fn remove(&mut self, namespace: Option<StrId>, set: LabelSetId, slot: u32) -> bool {
        let Some(cell) = self.find_cell(namespace, set) else { return false };
        let slots = &mut self.cells.get_mut(cell).slots;
        let found = slots.remove(slot);
        if slots.is_empty() {
            self.remove_cell(cell);
        }
        found
    }

    /// Gives the object at `slot` other labels.
    pub fn relabel(
        &mut self,
        namespace: Option<StrId>,
        from: LabelSetId,
        to: LabelSetId,
        slot: u32,
    ) {
        if from != to && self.remove(namespace, from, slot) {
            self.insert(namespace, to, slot);
        }
    }

    /// The slots of the objects that `selector` selects, in one namespace or in all.
    pub fn select(
        &self,
        sets: &LabelSets,
        namespace: Option<StrId>,
        selector: &Selector,
    ) -> RoaringBitmap {
        let mut union = DisjointUnion::default();
        self.each(sets, namespace, selector, |_, slots| union.add(slots));
        union.finish()
    }

    /// How many objects `selector` selects, in one namespace or in all.
    pub fn count(&self, sets: &LabelSets, namespace: Option<StrId>, selector: &Selector) -> u64 {
        let mut count = 0;
        self.each(sets, namespace, selector, |_, slots| count += slots.len());
        count
    }

    /// Visits the selected objects cell by cell: a label set and the slots of the objects that
    /// carry it. A set comes once per namespace; the order is the same on every run.
    pub fn each<'a>(
        &'a self,
        sets: &LabelSets,
        namespace: Option<StrId>,
        selector: &Selector,
        mut visit: impl FnMut(LabelSetId, &'a Posting),
    ) {
        let resolved = sets.resolve(selector);
        let scope = match namespace.map(|namespace| self.find_scope(Some(namespace))) {
            Some(None) => return,
            scope => scope.flatten(),
        };
        if let Some(scope) = scope {
            let cells = &self.scopes.get(scope).cells;
            if cells.len() <= resolved.bound(&self.live) {
                for cell in cells.iter().map(|cell| self.cells.get(cell)) {
                    let set = LabelSetId::new(cell.set as usize);
                    if resolved.matches(set) {
                        visit(set, &cell.slots);
                    }
                }
                return;
            }
        }
        resolved.each(&self.live, |set| {
            let cells = self.cells_of_set.get(set.number());
            cells.unwrap_or(&SetCells::None).each(|cell| {
                let cell = self.cells.get(cell);
                if scope.is_none_or(|scope| scope == cell.scope) {
                    visit(set, &cell.slots);
                }
            });
        });
    }

    /// How many cells there are: what a query can visit at most.
    pub fn cells(&self) -> usize {
        self.cells.len()
    }

    fn find_scope(&self, namespace: Option<StrId>) -> Option<u32> {
        self.scope_index
            .find(hash_of(&namespace), |scope| self.scopes.get(scope).namespace == namespace)
    }

    fn find_cell(&self, namespace: Option<StrId>, set: LabelSetId) -> Option<u32> {
        let scope = self.find_scope(namespace)?;
        self.cells_of_set.get(set.number())?.find(scope, |cell| self.cells.get(cell).scope)
    }

    /// The cell of a namespace and a label set, made now if there is none.
    fn cell(&mut self, namespace: Option<StrId>, set: LabelSetId) -> u32 {
        let scope = self.find_scope(namespace).unwrap_or_else(|| {
            let scope = self.scopes.add(Scope { namespace, cells: Posting::Empty });
            self.scope_index.insert(hash_of(&namespace), scope);
            scope
        });
        let set = set.number();
        let known = self.cells_of_set.get(set);
        if let Some(cell) =
            known.and_then(|cells| cells.find(scope, |cell| self.cells.get(cell).scope))
        {
            return cell;
        }
        let cell = self.cells.add(Cell { scope, set, slots: Posting::Empty });
        self.scopes.get_mut(scope).cells.insert(cell);
        let cells = &self.cells;
        self.cells_of_set.get_mut(set).insert(scope, cell, |cell| cells.get(cell).scope);
        if !self.live.contains(set) {
            Arc::make_mut(&mut self.live).insert(set);
        }
        cell
    }

    fn remove_cell(&mut self, number: u32) {
        let Cell { scope, set, .. } = *self.cells.get(number);
        self.cells.remove(number);
        let in_scope = &mut self.scopes.get_mut(scope).cells;
        in_scope.remove(number);
        if in_scope.is_empty() {
            let namespace = self.scopes.get(scope).namespace;
            self.scope_index.remove(hash_of(&namespace), scope);
            self.scopes.remove(scope);
        }
        let cells = self.cells_of_set.get_mut(set);
        cells.remove(scope);
        if matches!(cells, SetCells::None) {
            Arc::make_mut(&mut self.live).remove(set);
        }
    }
}

impl SetCells {
    /// The cell of a scope.
    fn find(&self, scope: u32, scope_of: impl Fn(u32) -> u32) -> Option<u32> {
        match self {
            Self::None => None,
            Self::One(cell) => Some(*cell).filter(|cell| scope_of(*cell) == scope),
            Self::Many(cells) => {
                let at = cells.binary_search_by_key(&scope, |(scope, _)| *scope).ok()?;
                Some(cells[at].1)
            }
        }
    }

    fn each(&self, mut visit: impl FnMut(u32)) {
        match self {
            Self::None => {}
            Self::One(cell) => visit(*cell),
            Self::Many(cells) => cells.iter().for_each(|(_, cell)| visit(*cell)),
        }
    }

    /// Adds the cell of a scope that has none.
    fn insert(&mut self, scope: u32, cell: u32, scope_of: impl Fn(u32) -> u32) {
        match self {
            Self::None => *self = Self::One(cell),
            Self::One(only) => {
                let mut cells = vec![(scope_of(*only), *only), (scope, cell)];
                cells.sort_unstable();
                *self = Self::Many(Arc::new(cells));
            }
            Self::Many(cells) => {
                let at = cells.partition_point(|(other, _)| *other < scope);
                Arc::make_mut(cells).insert(at, (scope, cell));
            }
        }
    }

    /// Removes the cell of a scope that has one.
    fn remove(&mut self, scope: u32) {
        match self {
            Self::None | Self::One(_) => *self = Self::None,
            Self::Many(cells) => {
                Arc::make_mut(cells).retain(|(other, _)| *other != scope);
                if let [(_, last)] = cells[..] {
                    *self = Self::One(last);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
