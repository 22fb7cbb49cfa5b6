//! Listing: selectors, order, and pages that stay consistent while the cluster goes on.
//!
//! The first page of a list keeps a fork of the store, which costs a few reference counts; the
//! following pages read from it, so a list is one moment of the cluster however long it takes.
//! The last few such moments are kept; an older continue token gets 410 Expired.

use std::sync::Arc;

use super::object::{ObjectId, Row};
use super::pod::PodState;
use super::{Store, fields};
use crate::api::{ApiError, ApiResult, KindId};
use crate::base::{StrId, Text};
use crate::labels::{FieldSelector, Selector};

/// How many unfinished lists can be continued.
const KEPT_LISTS: usize = 16;

/// What a list is asked for.
#[derive(Clone, Debug, Default)]
pub struct ListOptions {
    /// One namespace, or all.
    pub namespace: Option<Text>,
    /// Labels the objects must have.
    pub labels: Option<Selector>,
    /// Fields the objects must have.
    pub fields: FieldSelector,
    /// At most this many objects; 0 for no limit.
    pub limit: usize,
    /// Where an earlier list with a limit stopped.
    pub next: Option<Token>,
}

/// Where a list stopped: the moment it reads, and the last key it returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// The resourceVersion of the list.
    pub revision: u64,
    /// Namespace and name of the last object returned.
    pub last: (Text, Text),
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page {
    /// The objects, sorted by namespace and name.
    pub ids: Vec<ObjectId>,
    /// The moment the list shows.
    pub revision: u64,
    /// Where to go on, if there is more.
    pub next: Option<Token>,
    /// How many objects remain, when no selector hides it.
    pub remaining: Option<u64>,
}

/// Lists that can be continued, oldest first.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages(Arc<Vec<Arc<Store>>>);

/// What an object must satisfy to be listed or watched.
#[derive(Clone, Debug, Default)]
pub struct Criteria {
    /// One namespace, or all.
    pub namespace: Option<Text>,
    /// Labels the object must have.
    pub labels: Option<Selector>,
    /// Fields the object must have.
    pub fields: FieldSelector,
}

impl Store {
    /// The objects of a kind that match, in the API's order, a page at a time. Read them from
    /// [`Self::moment`] of the page's revision.
    ///
    /// # Errors
    /// A field selector the kind does not support, or a token that is too old.
    pub fn list(&mut self, kind: KindId, options: &ListOptions) -> ApiResult<Page> {
        let criteria = Criteria {
            namespace: options.namespace.clone(),
            labels: options.labels.clone(),
            fields: options.fields.clone(),
        };
        fields::check(self.registry.kind(kind), &criteria.fields)?;
        let revision = options.next.as_ref().map_or(self.revision(), |token| token.revision);
        let store = self.moment(revision)?;
        let mut keys = store.keys(kind, &criteria);
        keys.sort_unstable();
        let from = options.next.as_ref().map_or(0, |token| {
            keys.partition_point(|key| (&key.0, &key.1) <= (&token.last.0, &token.last.1))
        });
        let limit = if options.limit == 0 { keys.len() } else { options.limit };
        let to = (from + limit).min(keys.len());
        let ids = keys[from..to].iter().map(|key| store.id_at(kind, key.2)).collect();
        let more = (to < keys.len() && to > from).then(|| {
            let (namespace, name, _) = keys[to - 1].clone();
            Token { revision, last: (namespace, name) }
        });
        let plain = criteria.labels.is_none() && criteria.fields.is_everything();
        let remaining = (plain && more.is_some()).then(|| (keys.len() - to) as u64);
        if more.is_some() && revision == self.revision() {
            self.keep_moment();
        }
        Ok(Page { ids, revision, next: more, remaining })
    }

    /// The store as it was at `revision`: now, or a moment an unfinished list keeps.
    ///
    /// # Errors
    /// 410 Expired when that moment is gone.
    pub fn moment(&self, revision: u64) -> ApiResult<&Self> {
        if revision == self.revision() {
            return Ok(self);
        }
        let kept = self.pages.0.iter().rev().find(|store| store.revision() == revision);
        kept.map(|store| &**store).ok_or_else(|| {
            ApiError::expired(
                "The provided continue parameter is too old to display a consistent list result. \
                 You can start a new list without the continue parameter.",
            )
        })
    }

    /// The object at a slot; for events the slot may be an engine event's.
    fn id_at(&self, kind: KindId, slot: u32) -> ObjectId {
        let table = self.table(kind);
        if table.row(slot).is_some() {
            return table.id(kind, slot);
        }
        ObjectId { kind, slot, generation: 0 }
    }

    /// Every object of a kind that matches, in slot order: for uses that need no order.
    pub fn matching(&self, kind: KindId, criteria: &Criteria) -> Vec<ObjectId> {
        let table = self.table(kind);
        let mut ids: Vec<ObjectId> =
            self.slots(kind, criteria).into_iter().map(|slot| table.id(kind, slot)).collect();
        if kind == self.kinds.event {
            ids.extend(self.engine_events(criteria));
        }
        ids
    }

    /// Whether an object matches; `row` and `pod` may be an earlier version of it.
    pub fn matches(
        &self,
        kind: KindId,
        row: &Row,
        pod: Option<&PodState>,
        criteria: &Criteria,
    ) -> bool {
        let body = row.body.as_ref().expect("only occupied rows are asked about");
        if let Some(wanted) = &criteria.namespace
            && body.namespace.is_none_or(|id| self.strings.text(id) != wanted)
        {
            return false;
        }
        if let Some(selector) = &criteria.labels
            && !self.sets.matches(body.labels, selector)
        {
            return false;
        }
        criteria.fields.terms().iter().all(|term| {
            let value = fields::value(self, kind, row, pod, &term.field).unwrap_or_default();
            (value == term.value) == term.equal
        })
    }

    /// Keys of the matching objects: namespace, name, slot.
    fn keys(&self, kind: KindId, criteria: &Criteria) -> Vec<(Text, Text, u32)> {
        let table = self.table(kind);
        let key = |slot: u32| {
            let row = table.row(slot).expect("indexed slots are occupied");
            let namespace = row.body.as_ref().and_then(|body| body.namespace);
            let namespace = namespace.map_or("", |id| self.strings.text(id));
            (Text::from(namespace), row.name.text(&self.strings), slot)
        };
        let mut keys: Vec<_> = self.slots(kind, criteria).into_iter().map(key).collect();
        if kind == self.kinds.event {
            for id in self.engine_events(criteria) {
                let object = self.get(id).expect("just listed");
                let text =
                    |field| Text::from(object.str_at(&["metadata", field]).unwrap_or_default());
                keys.push((text("namespace"), text("name"), id.slot));
            }
        }
        keys
    }

    /// Slots of the matching objects: the label index first, then the fields one by one.
    fn slots(&self, kind: KindId, criteria: &Criteria) -> Vec<u32> {
        let table = self.table(kind);
        let namespace: Option<StrId> = match &criteria.namespace {
            Some(name) => match self.strings.find(name) {
                Some(id) => Some(id),
                None => return Vec::new(),
            },
            None => None,
        };
        if let Some(node) = criteria
            .fields
            .exact_value_of("spec.nodeName")
            .filter(|node| !node.is_empty() && kind == self.kinds.pod)
        {
            let on_node = self.strings.find(node).and_then(|node| self.pods_on(node));
            return on_node
                .map_or_else(Vec::new, |slots| self.filter(kind, slots.iter(), criteria));
        }
        if let Some(name) =
            criteria.fields.exact_value_of("metadata.name").filter(|_| namespace.is_some())
        {
            let slot = table.find(namespace, name, &self.strings);
            return self.filter(kind, slot.into_iter(), criteria);
        }
        match (&criteria.labels, namespace) {
            (None, None) => self.filter(kind, table.iter().map(|(slot, _)| slot), criteria),
            (selector, namespace) => {
                let everything = Selector::everything();
                let selector = selector.as_ref().unwrap_or(&everything);
                let slots = table.labels.select(&self.sets, namespace, selector);
                self.filter(kind, slots.iter(), criteria)
            }
        }
    }

    fn filter(
        &self,
        kind: KindId,
        slots: impl Iterator<Item = u32>,
        criteria: &Criteria,
    ) -> Vec<u32> {
        if criteria.fields.is_everything() {
            return slots.collect();
        }
        let table = self.table(kind);
        slots
            .filter(|slot| {
                let row = table.row(*slot).expect("indexed slots are occupied");
                let pod = (kind == self.kinds.pod).then(|| self.pod(*slot));
                self.matches(kind, row, pod, criteria)
            })
            .collect()
    }

    /// Keeps a fork of the store for the following pages of a list.
    fn keep_moment(&mut self) {
        if self.pages.0.last().is_some_and(|store| store.revision() == self.revision()) {
            return;
        }
        let mut fork = self.clone();
        fork.pages = Pages::default();
        let pages = Arc::make_mut(&mut self.pages.0);
        if pages.len() == KEPT_LISTS {
            pages.remove(0);
        }
        pages.push(Arc::new(fork));
    }
}
