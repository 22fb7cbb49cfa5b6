//! Kubernetes Events, kept as compact rows: they outnumber every other object.
//!
//! Repeats are folded as client-go's correlator folds them: the same source, object, type,
//! reason and message raise `count` and move `lastTimestamp`. The document and the name are
//! computed when somebody asks. Events a user wrote through the API are ordinary objects of
//! the table of kind Event; these rows are the engine's own.

use serde::{Deserialize, Serialize};

use super::object::{Name, ObjectId};
use super::uid::Uid;
use crate::base::{CowIndex, CowVec, StrId, Time, hash_of};

/// The object an event is about, as it was then; it may be gone when the event is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// The object.
    pub id: ObjectId,
    /// Its name.
    pub name: Name,
    /// Its namespace, if it has one.
    pub namespace: Option<StrId>,
    /// Its uid.
    pub uid: Uid,
}

/// An event's message without its repeated words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Message {
    /// The text as it is.
    Text(StrId),
    /// A text followed by an object's name: `Created pod: web-x7k2p`.
    Named(StrId, Name),
    /// `Successfully assigned NAMESPACE/NAME to NODE`, of the subject.
    Assigned(StrId),
}

/// One event.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Event {
    /// What it is about.
    pub subject: Subject,
    /// `reason`.
    pub reason: StrId,
    /// `source.component`.
    pub component: StrId,
    /// `message`.
    pub message: Message,
    /// `type` is Warning rather than Normal.
    pub warning: bool,
    /// How often it happened.
    pub count: u32,
    /// When it first happened.
    pub first: Time,
    /// When it last happened.
    pub last: Time,
    /// `metadata.resourceVersion`.
    pub revision: u64,
}

/// Which events are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum EventPolicy {
    /// All of them.
    #[default]
    All,
    /// Warnings only.
    Warnings,
    /// None.
    None,
}

/// What makes two events the same one happening again.
fn content(event: &Event) -> (Subject, StrId, StrId, Message) {
    (event.subject, event.reason, event.component, event.message)
}

fn content_hash(event: &Event) -> u64 {
    hash_of(&content(event))
}

/// Every event of a run, in order of first occurrence.
#[derive(Clone, Debug, Default)]
pub struct EventLog {
    /// Which events are kept.
    pub policy: EventPolicy,
    rows: CowVec<Option<Event>>,
    /// Warnings by content, for folding repeats. Normal events of the engine never repeat
    /// soon enough to be worth the room.
    warnings: CowIndex,
}

impl EventLog {
    /// Records an event at time `now`; a repeat of a warning raises its count instead. Returns
    /// the event's number and whether it is new, or `None` when the policy drops it.
    pub fn record(&mut self, event: Event) -> Option<(u32, bool)> {
        if !self.keeps(event.warning) {
            return None;
        }
        if !event.warning {
            return Some((self.rows.push(Some(event)) as u32, true));
        }
        let hash = content_hash(&event);
        let same = |number: u32| {
            self.rows[number as usize].as_ref().is_some_and(|old| content(old) == content(&event))
        };
        if let Some(number) = self.warnings.find(hash, same) {
            let row = self.rows.get_mut(number as usize).as_mut().expect("indexed rows are full");
            row.count += 1;
            row.last = event.last;
            return Some((number, false));
        }
        let number = self.rows.push(Some(event)) as u32;
        self.warnings.insert(hash, number);
        Some((number, true))
    }

    /// Whether the policy keeps an event of this type.
    pub fn keeps(&self, warning: bool) -> bool {
        match self.policy {
            EventPolicy::All => true,
            EventPolicy::Warnings => warning,
            EventPolicy::None => false,
        }
    }

    /// Notes the resourceVersion of an event's latest write and returns the one before.
    pub fn stamp(&mut self, number: u32, revision: u64) -> u64 {
        let row = self.rows.get_mut(number as usize).as_mut().expect("a recorded event");
        std::mem::replace(&mut row.revision, revision)
    }

    /// Forgets an event.
    pub fn remove(&mut self, number: u32) {
        if let Some(event) = self.rows.get_mut(number as usize).take()
            && event.warning
        {
            self.warnings.remove(content_hash(&event), number);
        }
    }

    /// Event number `number`.
    pub fn get(&self, number: u32) -> Option<&Event> {
        self.rows.get(number as usize)?.as_ref()
    }

    /// Every event with its number, in order of first occurrence.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &Event)> {
        self.rows
            .iter()
            .enumerate()
            .filter_map(|(number, row)| row.as_ref().map(|row| (number as u32, row)))
    }

    /// A log of these rows, the index built anew.
    fn from_rows(policy: EventPolicy, rows: CowVec<Option<Event>>) -> Self {
        let mut log = Self { policy, ..Self::default() };
        for (number, event) in rows.iter().enumerate() {
            if let Some(event) = event.as_ref().filter(|event| event.warning) {
                log.warnings.insert(content_hash(event), number as u32);
            }
        }
        log.rows = rows;
        log
    }

    /// The number of events recorded.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether nothing was recorded.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl Serialize for EventLog {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.policy, &self.rows).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for EventLog {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (policy, rows) = Deserialize::deserialize(deserializer)?;
        Ok(Self::from_rows(policy, rows))
    }
}
