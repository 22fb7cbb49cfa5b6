//! Which selectors ask for the labels an object has, without trying all of them.
//!
//! Every selector waits in the bucket of one label it cannot do without: a pair it requires,
//! each pair of a list it allows, or a key it requires. Of several such labels it takes the one
//! whose bucket is emptiest, so a label all selectors share (`managed-by=Helm`) gathers none of
//! them. A selector that only forbids waits in its namespace's bucket for such. An object then
//! tries the selectors in the buckets of its own labels, and those that only forbid.

use super::posting::Posting;
use super::slab::{Slab, Sparse};
use super::{Labels, Operator, Requirement, Selector};
use crate::base::{CowIndex, StrId, Text, hash_of};

/// Registered selectors; see the module header. Their ids are the caller's numbers, best small
/// and dense.
#[derive(Clone, Debug, Default)]
pub struct SelectorIndex {
    entries: Sparse<Option<Entry>>,
    buckets: Slab<Bucket>,
    bucket_index: CowIndex,
    len: usize,
    /// How many selectors look into every namespace.
    unscoped: usize,
}

#[derive(Clone, Debug)]
struct Entry {
    namespace: Option<StrId>,
    selector: Selector,
    /// The requirement whose labels the selector waits under; none when it only forbids.
    anchor: Option<u32>,
}

/// The selectors that wait for one label in one namespace, or in all.
#[derive(Clone, Debug, Default)]
struct Bucket {
    namespace: Option<StrId>,
    /// Empty for selectors that only forbid: no label has an empty key.
    key: Text,
    /// None for selectors that want the key with any value.
    value: Option<Text>,
    ids: Posting,
}

/// A bucket's name.
type Place<'a> = (Option<StrId>, &'a str, Option<&'a str>);

impl SelectorIndex {
    /// No selectors.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of selectors.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no selectors.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Registers a selector that looks at the objects of one namespace, or of all. What was
    /// registered under `id` before is replaced.
    pub fn add(&mut self, id: u32, namespace: Option<StrId>, selector: Selector) {
        self.remove(id);
        let anchor = self.choose_anchor(namespace, &selector);
        let entry = Entry { namespace, selector, anchor };
        for place in entry.places() {
            let bucket = self.bucket(place);
            self.buckets.get_mut(bucket).ids.insert(id);
        }
        *self.entries.get_mut(id) = Some(entry);
        self.len += 1;
        self.unscoped += usize::from(namespace.is_none());
    }

    /// Forgets a selector; true when there was one.
    pub fn remove(&mut self, id: u32) -> bool {
        if self.get(id).is_none() {
            return false;
        }
        let Some(entry) = self.entries.get_mut(id).take() else { return false };
        for place in entry.places() {
            let Some(bucket) = self.find_bucket(place) else { continue };
            let ids = &mut self.buckets.get_mut(bucket).ids;
            ids.remove(id);
            if ids.is_empty() {
                self.bucket_index.remove(hash_of(&place), bucket);
                self.buckets.remove(bucket);
            }
        }
        self.len -= 1;
        self.unscoped -= usize::from(entry.namespace.is_none());
        true
    }

    /// The selector registered under `id`.
    pub fn get(&self, id: u32) -> Option<&Selector> {
        self.entries.get(id)?.as_ref().map(|entry| &entry.selector)
    }

    /// The ids, in order, of the selectors that select an object of this namespace with these
    /// labels. An object outside of namespaces has none.
    pub fn matching<L: Labels + ?Sized>(&self, namespace: Option<StrId>, labels: &L) -> Vec<u32> {
        let mut found = Vec::new();
        if self.unscoped > 0 {
            self.collect(None, labels, &mut found);
        }
        if namespace.is_some() && self.unscoped < self.len {
            self.collect(namespace, labels, &mut found);
        }
        found.sort_unstable();
        found
    }

    fn collect<L: Labels + ?Sized>(
        &self,
        namespace: Option<StrId>,
        labels: &L,
        found: &mut Vec<u32>,
    ) {
        self.collect_bucket((namespace, "", None), labels, found);
        for (key, value) in labels.pairs() {
            self.collect_bucket((namespace, key, Some(value)), labels, found);
            self.collect_bucket((namespace, key, None), labels, found);
        }
    }

    fn collect_bucket<L: Labels + ?Sized>(&self, place: Place, labels: &L, found: &mut Vec<u32>) {
        let Some(bucket) = self.find_bucket(place) else { return };
        let ids = self.buckets.get(bucket).ids.iter();
        found.extend(
            ids.filter(|id| self.get(*id).is_some_and(|selector| selector.matches(labels))),
        );
    }

    /// The requirement whose buckets hold the fewest selectors; pairs before keys, short lists
    /// before long ones.
    fn choose_anchor(&self, namespace: Option<StrId>, selector: &Selector) -> Option<u32> {
        let requirements = selector.requirements()?.iter().enumerate();
        let needed = requirements.filter(|(_, requirement)| requirement.operator().needs_label());
        let cost = |(_, requirement): &(usize, &Requirement)| {
            let waiting = anchor_places(namespace, requirement)
                .filter_map(|place| self.find_bucket(place))
                .map(|bucket| self.buckets.get(bucket).ids.len())
                .max();
            (waiting, !wants_value(requirement), requirement.values().len())
        };
        needed.min_by_key(cost).map(|(at, _)| at as u32)
    }

    fn find_bucket(&self, place: Place) -> Option<u32> {
        self.bucket_index.find(hash_of(&place), |bucket| self.buckets.get(bucket).place() == place)
    }

    fn bucket(&mut self, place: Place) -> u32 {
        self.find_bucket(place).unwrap_or_else(|| {
            let (namespace, key, value) = place;
            let bucket = self.buckets.add(Bucket {
                namespace,
                key: key.into(),
                value: value.map(Into::into),
                ids: Posting::Empty,
            });
            self.bucket_index.insert(hash_of(&place), bucket);
            bucket
        })
    }
}

impl Bucket {
    fn place(&self) -> Place<'_> {
        (self.namespace, &self.key, self.value.as_deref())
    }
}

impl Entry {
    /// The buckets the selector waits in; none for the selector of nothing.
    fn places(&self) -> impl Iterator<Item = Place<'_>> {
        let requirements = self.selector.requirements();
        let anchor = self.anchor.and_then(|at| requirements?.get(at as usize));
        let anchored = anchor.into_iter().flat_map(|anchor| anchor_places(self.namespace, anchor));
        let forbids_only = requirements.is_some() && anchor.is_none();
        let fall_back = forbids_only.then_some((self.namespace, "", None));
        anchored.chain(fall_back)
    }
}

/// Whether a requirement is bound to certain values rather than to a key.
fn wants_value(requirement: &Requirement) -> bool {
    matches!(requirement.operator(), Operator::In | Operator::Equals | Operator::DoubleEquals)
}

/// The buckets for a label that `requirement` asks for.
fn anchor_places(
    namespace: Option<StrId>,
    requirement: &Requirement,
) -> impl Iterator<Item = Place<'_>> {
    let wants_value = wants_value(requirement);
    let values = requirement.values().filter(move |_| wants_value).map(Some);
    let key_only = (!wants_value).then_some(None);
    values.chain(key_only).map(move |value| (namespace, requirement.key(), value))
}

#[cfg(test)]
mod tests;
