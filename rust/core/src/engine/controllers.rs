//! Controllers written outside the core: what they watch, and their keys.
//!
//! A watch turns each write into keys: the object itself, the object that controls it, or the
//! objects whose selector selects it. The controller gets keys, never events.

use serde::{Deserialize, Serialize};

use super::consumer::{Consumer, Role};
use super::work_queue::WorkQueue;
use super::{Event, World};
use crate::api::KindId;
use crate::base::{Nanos, Time};
use crate::labels::{LabelSet, Selector, SelectorIndex};
use crate::store::log::Verb;
use crate::store::object::Row;
use crate::store::{Body, ObjectId, Store};

/// Which keys a write to a watched object yields.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyOf {
    /// The object itself.
    Itself,
    /// The object of this kind that controls it; for an object nobody controls, those of the
    /// kind whose `spec.selector` selects it, for they may adopt it.
    Controller(KindId),
    /// The objects of this kind whose `spec.selector` selects it, now or before.
    Selected(KindId),
    /// Its namespace.
    Namespace,
}

/// A kind watched and the keys its writes yield.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchRule {
    /// The kind watched; every kind when `None`.
    pub kind: Option<KindId>,
    /// The keys a write yields.
    pub keys: KeyOf,
    /// Writes of the status alone yield none: for owners whose controllers write it themselves.
    pub spec_only: bool,
    /// Only deletions yield keys.
    pub deletes_only: bool,
}

/// One controller.
#[derive(Clone, Debug)]
pub struct Controller {
    /// Its name, as in events and stop reasons.
    pub name: String,
    watches: Vec<WatchRule>,
    queue: WorkQueue,
    /// Selectors of the objects that adopt or select, by slot; one index per kind asked about.
    selectors: Vec<(KindId, SelectorIndex)>,
}

/// A controller without what can be computed anew.
#[derive(Serialize, Deserialize)]
pub struct SavedController {
    name: String,
    watches: Vec<WatchRule>,
    queue: WorkQueue,
}

impl SavedController {
    /// The controller, its selectors read from the store.
    pub(super) fn restore(self, store: &Store) -> Controller {
        let mut controller = Controller::new(self.name, self.watches);
        controller.queue = self.queue;
        controller.register_everything(store);
        controller
    }
}

/// What a controller says about a key it worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing more to do until something changes.
    Done,
    /// Look again after this long.
    After(Nanos),
    /// Look again after this long unless the cluster settles before: a timeout.
    TimeoutAfter(Nanos),
    /// It failed: again after backing off.
    Failed,
    /// It was not worked on: first in line next time.
    PutBack,
}

/// Keys handed out at once, at most.
const BATCH: usize = 4096;

impl World {
    /// Adds a controller and returns its number. It sees everything there is as new.
    pub fn add_controller(&mut self, name: &str, watches: Vec<WatchRule>) -> u16 {
        let number = self.controllers.len() as u16;
        self.controllers.push(Controller::new(name.to_owned(), watches));
        let mut consumer = Consumer::new(Role::Controller(number));
        let revision = self.store.revision();
        (consumer.seen, consumer.visible, consumer.announced) = (revision, revision, revision);
        // Controllers stand after the garbage collector and before the scheduler.
        self.consumers.insert(1 + usize::from(number), consumer);
        self.renumber_visibility(1 + number);
        self.turn = super::advance::Turn::default();
        self.enqueue_everything(number);
        number
    }

    /// Names of the controllers by number.
    pub fn controller_names(&self) -> Vec<String> {
        self.controllers.iter().map(|controller| controller.name.clone()).collect()
    }

    /// Takes in what a controller has not seen and hands out the keys that are ready.
    pub(super) fn controller_keys(&mut self, at: usize, number: u16) -> Vec<ObjectId> {
        if let Some((from, to)) = self.unread(at) {
            let controller = &mut self.controllers[usize::from(number)];
            for revision in from + 1..=to {
                controller.take_in(&self.store, revision);
            }
            self.read(at, to);
        }
        self.controllers[usize::from(number)].queue.take(BATCH)
    }

    /// Notes what a controller answered for keys it was handed.
    pub fn answer(&mut self, number: u16, answers: &[(ObjectId, Answer)]) {
        for (key, answer) in answers {
            let queue = &mut self.controllers[usize::from(number)].queue;
            match answer {
                Answer::PutBack => queue.put_back(*key),
                Answer::Failed => {
                    let wait = queue.back_off(*key);
                    queue.done(*key);
                    self.add_key_at(number, *key, self.store.now.after(wait), false);
                }
                Answer::Done => {
                    queue.forget(*key);
                    queue.done(*key);
                }
                Answer::After(wait) | Answer::TimeoutAfter(wait) => {
                    queue.forget(*key);
                    queue.done(*key);
                    let timeout = matches!(answer, Answer::TimeoutAfter(_));
                    self.add_key_at(number, *key, self.store.now.after(*wait), timeout);
                }
            }
        }
    }

    /// How often a key failed in a row.
    pub fn failures(&self, number: u16, key: ObjectId) -> u32 {
        self.controllers[usize::from(number)].queue.failures(key)
    }

    pub(super) fn key_is_due(&mut self, number: u16, key: ObjectId) {
        let now = self.store.now;
        self.controllers[usize::from(number)].queue.fire(key, now);
    }

    fn add_key_at(&mut self, number: u16, key: ObjectId, time: Time, timeout: bool) {
        if self.controllers[usize::from(number)].queue.add_at(key, time) {
            let event = if timeout { Event::Timeout(number, key) } else { Event::Key(number, key) };
            self.schedule(time, super::consumer::phase::CONTROLLERS, event);
        }
    }

    /// Pending announcements name consumers by place; those after a new one moved.
    fn renumber_visibility(&mut self, inserted: u16) {
        self.queue.for_each_mut(|event| {
            if let Event::Visible(at, _) = event
                && *at >= inserted
            {
                *at += 1;
            }
        });
    }

    /// A new controller starts from a list of everything it watches.
    fn enqueue_everything(&mut self, number: u16) {
        let controller = &mut self.controllers[usize::from(number)];
        let store = &self.store;
        controller.register_everything(store);
        for rule in controller.watches.clone() {
            if rule.deletes_only {
                continue;
            }
            let kinds: Vec<KindId> = match rule.kind {
                Some(kind) => vec![kind],
                None => store.registry.kinds().map(|(kind, _)| kind).collect(),
            };
            for kind in kinds {
                for (slot, row) in store.table(kind).iter() {
                    controller.enqueue(store, rule, store.table(kind).id(kind, slot), row);
                }
            }
        }
    }
}

impl Controller {
    fn new(name: String, watches: Vec<WatchRule>) -> Self {
        let mut kinds: Vec<KindId> = Vec::new();
        for rule in &watches {
            if let KeyOf::Controller(kind) | KeyOf::Selected(kind) = rule.keys
                && !kinds.contains(&kind)
            {
                kinds.push(kind);
            }
        }
        let selectors = kinds.into_iter().map(|kind| (kind, SelectorIndex::new())).collect();
        Self { name, watches, queue: WorkQueue::default(), selectors }
    }

    /// The controller without what can be computed anew.
    pub(super) fn to_saved(&self) -> SavedController {
        let Self { name, watches, queue, .. } = self;
        SavedController { name: name.clone(), watches: watches.clone(), queue: queue.clone() }
    }

    fn register_everything(&mut self, store: &Store) {
        for (kind, index) in &mut self.selectors {
            for (slot, row) in store.table(*kind).iter() {
                register(index, slot, Some(row));
            }
        }
    }

    /// Turns one write into keys.
    fn take_in(&mut self, store: &Store, revision: u64) {
        let Some(entry) = store.log().get(revision) else { return };
        let id = entry.id();
        let current = store.row(id);
        for (kind, index) in &mut self.selectors {
            if *kind == id.kind {
                register(index, id.slot, store.table(*kind).row(id.slot));
            }
        }
        for at in 0..self.watches.len() {
            let rule = self.watches[at];
            let concerned = rule.kind.is_none_or(|kind| kind == id.kind);
            if !concerned || (rule.deletes_only && entry.verb != Verb::Deleted) {
                continue;
            }
            let previous = entry.previous.as_ref().map(|version| &version.row);
            if rule.spec_only && entry.verb == Verb::Modified {
                let now =
                    store.log().version_after(revision).map(|version| &version.row).or(current);
                if let (Some(before), Some(now)) = (previous, now)
                    && same_but_status(before, now)
                {
                    continue;
                }
            }
            if let Some(before) = previous {
                self.enqueue(store, rule, id, before);
            }
            if let Some(row) = current {
                self.enqueue(store, rule, id, row);
            }
        }
    }

    fn enqueue(&mut self, store: &Store, rule: WatchRule, id: ObjectId, row: &Row) {
        let body = row.body.as_ref().expect("only objects are kept");
        match rule.keys {
            KeyOf::Itself => self.queue.add(id),
            KeyOf::Namespace => {
                let name = body.namespace.map(|id| store.strings.text(id));
                if let Some(id) =
                    name.and_then(|name| store.find(store.kinds.namespace, None, name))
                {
                    self.queue.add(id);
                }
            }
            KeyOf::Controller(kind) => match body.controller {
                Some(_) => {
                    if let Some(owner) =
                        store.controller_of(id.kind, body).filter(|id| id.kind == kind)
                    {
                        self.queue.add(owner);
                    }
                }
                None => self.enqueue_selecting(store, kind, body),
            },
            KeyOf::Selected(kind) => self.enqueue_selecting(store, kind, body),
        }
    }

    fn enqueue_selecting(&mut self, store: &Store, kind: KindId, body: &Body) {
        let Some((_, index)) = self.selectors.iter().find(|(of, _)| *of == kind) else { return };
        let labels: LabelSet = store.sets.get(body.labels);
        for slot in index.matching(body.namespace, &labels) {
            self.queue.add(store.table(kind).id(kind, slot));
        }
    }
}

/// Keeps the selector of the object at `slot` as it is now.
fn register(index: &mut SelectorIndex, slot: u32, row: Option<&Row>) {
    let body = row.and_then(|row| row.body.as_ref());
    match body.and_then(|body| Some((body.namespace, selector_of(body)?))) {
        Some((namespace, selector)) => {
            if index.get(slot) != Some(&selector) {
                index.add(slot, namespace, selector);
            }
        }
        None => {
            index.remove(slot);
        }
    }
}

/// What an object selects: a LabelSelector of a workload, or a plain map of a Service. An
/// object without a selector, or with an empty one, selects nothing here.
pub fn selector_of(body: &Body) -> Option<Selector> {
    let selector = body.at(&["spec", "selector"])?;
    let map = selector.as_map()?;
    let structured = map.contains_key("matchLabels") || map.contains_key("matchExpressions");
    let selector = if structured {
        Selector::from_label_selector(selector).ok()?
    } else {
        Selector::from_map(map)
    };
    (!selector.is_everything()).then_some(selector)
}

/// Whether two versions of an object differ in nothing but status and resourceVersion.
fn same_but_status(before: &Row, now: &Row) -> bool {
    let (a, b) = (before.body.as_ref(), now.body.as_ref());
    let (Some(a), Some(b)) = (a, b) else { return false };
    before.deletion == now.deletion
        && a.labels == b.labels
        && a.owners == b.owners
        && a.doc == b.doc
        && a.meta == b.meta
}
