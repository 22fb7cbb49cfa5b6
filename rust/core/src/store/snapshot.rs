//! The store as bytes and back.
//!
//! Everything observable is saved as it is: rows, bodies (each once, however many rows share
//! it), interned texts and label sets with their numbers, free lists, the watch log. Indexes
//! are built anew. So a loaded store answers, and goes on, exactly as the saved one would.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::addresses::Addresses;
use super::events::EventLog;
use super::list::Pages;
use super::log::{Entry, EntryParts, Version, WatchLog};
use super::object::{Body, Deletion, Name, ObjectId, Row};
use super::pod::PodState;
use super::pod_address::NodeBlock;
use super::ranges::Ranges;
use super::table::Table;
use super::uid::{Uid, Uids};
use super::{CoreKinds, Store};
use crate::api::{KindId, Registry, Rules};
use crate::base::{CowMap, CowVec, FastMap, Interner, StrId, Stream, Text, Time, Value};
use crate::labels::{LabelSets, Posting};

/// A store in the form it is written in.
#[derive(Serialize, Deserialize)]
pub struct Saved {
    definitions: Vec<(Value, bool)>,
    strings: Interner,
    sets: LabelSets,
    events: EventLog,
    now: Time,
    priority_admission: bool,
    uids: Uids,
    suffixes: Stream,
    bodies: Vec<Body>,
    tables: Vec<(CowVec<SavedRow>, CowVec<u32>)>,
    pods: CowVec<PodState>,
    messages: Vec<Text>,
    pod_messages: Vec<(u32, u32)>,
    log: SavedLog,
    ranges: Arc<Ranges>,
    blocks: CowMap<StrId, NodeBlock>,
    addresses: Addresses,
}

#[derive(Serialize, Deserialize)]
struct SavedLog {
    first: u64,
    compacted: u64,
    entries: Vec<(EntryParts, Option<Box<SavedVersion>>)>,
}

#[derive(Clone, Serialize, Deserialize)]
struct SavedVersion {
    row: SavedRow,
    pod: Option<PodState>,
    message: Option<u32>,
}

/// A row with the number of its body.
#[derive(Clone, Default, Serialize, Deserialize)]
struct SavedRow {
    body: Option<u32>,
    deletion: Option<Deletion>,
    name: Name,
    uid: Option<Uid>,
    created: Time,
    revision: u64,
    generation: u32,
    reuse: u32,
}

/// Numbers for things shared by reference, handed out at first sight.
struct Shared<T> {
    /// By address; the addresses stay valid while the store is borrowed.
    numbers: FastMap<usize, u32>,
    items: Vec<Arc<T>>,
}

impl<T> Shared<T> {
    fn new() -> Self {
        Self { numbers: FastMap::new(), items: Vec::new() }
    }

    fn number(&mut self, item: &Arc<T>) -> u32 {
        let items = &mut self.items;
        *self.numbers.get_or_insert_with(Arc::as_ptr(item).addr(), || {
            items.push(Arc::clone(item));
            items.len() as u32 - 1
        })
    }
}

/// Numbers for messages, equal ones once: which of them share memory is nobody's business.
#[derive(Default)]
struct Messages {
    numbers: FastMap<Text, u32>,
    items: Vec<Text>,
}

impl Messages {
    fn number(&mut self, message: &Text) -> u32 {
        if let Some(number) = self.numbers.get(message) {
            return *number;
        }
        self.items.push(message.clone());
        let number = self.items.len() as u32 - 1;
        self.numbers.insert(message.clone(), number);
        number
    }
}

impl Store {
    /// The store in the form it is written in.
    pub fn to_saved(&self) -> Saved {
        let mut bodies = Shared::new();
        let mut messages = Messages::default();
        let tables = self
            .tables
            .iter()
            .map(|table| {
                let (rows, free) = table.parts();
                (rows.iter().map(|row| save_row(row, &mut bodies)).collect(), free.clone())
            })
            .collect();
        let pod_messages = self
            .pods
            .iter()
            .enumerate()
            .filter_map(|(slot, pod)| Some((slot as u32, messages.number(pod.message.as_ref()?))))
            .collect();
        let entries = self
            .log
            .entries()
            .map(|entry| {
                let version = entry.previous.as_ref().map(|version| {
                    Box::new(SavedVersion {
                        row: save_row(&version.row, &mut bodies),
                        pod: version.pod.clone(),
                        message: version
                            .pod
                            .as_ref()
                            .and_then(|pod| pod.message.as_ref())
                            .map(|message| messages.number(message)),
                    })
                });
                (entry.parts(), version)
            })
            .collect();
        let (first, compacted) = self.log.bounds();
        Saved {
            definitions: self.registry.definitions(),
            strings: self.strings.clone(),
            sets: self.sets.clone(),
            events: self.events.clone(),
            now: self.now,
            priority_admission: self.priority_admission,
            uids: self.uids.clone(),
            suffixes: self.suffixes.clone(),
            bodies: bodies.items.iter().map(|body| body.to_changed()).collect(),
            tables,
            pods: self.pods.clone(),
            messages: messages.items,
            pod_messages,
            log: SavedLog { first, compacted, entries },
            ranges: Arc::clone(&self.ranges),
            blocks: self.blocks.clone(),
            addresses: self.addresses.clone(),
        }
    }

    /// The store as bytes.
    ///
    /// # Panics
    /// Never: every part of a store can be written.
    pub fn to_bytes(&self) -> Vec<u8> {
        postcard::to_stdvec(&self.to_saved()).expect("a store can be written")
    }

    /// The store some bytes stand for.
    ///
    /// # Errors
    /// A sentence when they are no store of this version.
    pub fn from_bytes(bytes: &[u8], rules: Arc<Rules>) -> Result<Self, String> {
        let saved = postcard::from_bytes(bytes)
            .map_err(|error| format!("not a saved cluster of this version: {error}"))?;
        Ok(Self::from_saved(saved, rules))
    }

    /// The store a saved form stands for.
    pub fn from_saved(saved: Saved, rules: Arc<Rules>) -> Self {
        let mut registry = Registry::new();
        for (definition, living) in &saved.definitions {
            registry.define(definition).expect("a stored definition was accepted before");
            if !living {
                let name = definition.str_at(&["metadata", "name"]).unwrap_or_default();
                registry.undefine(name);
            }
        }
        let bodies: Vec<Arc<Body>> = saved.bodies.into_iter().map(Arc::new).collect();
        let messages: Vec<Arc<Text>> = saved.messages.into_iter().map(Arc::new).collect();
        let mut pods = saved.pods;
        for (slot, message) in saved.pod_messages {
            let message = Arc::clone(&messages[message as usize]);
            pods.get_mut(slot as usize).message = Some(message);
        }
        let tables = saved
            .tables
            .into_iter()
            .map(|(rows, free)| {
                let rows = rows.iter().map(|row| load_row(row, &bodies)).collect();
                Arc::new(Table::from_parts(rows, free, &saved.strings))
            })
            .collect();
        let entries = saved
            .log
            .entries
            .into_iter()
            .map(|(parts, version)| {
                let version = version.map(|version| {
                    let mut pod = version.pod;
                    if let (Some(pod), Some(message)) = (&mut pod, version.message) {
                        pod.message = Some(Arc::clone(&messages[message as usize]));
                    }
                    Arc::new(Version { row: load_row(&version.row, &bodies), pod })
                });
                Entry::from_parts(parts, version)
            })
            .collect();
        let mut store = Self {
            kinds: CoreKinds::of(&registry),
            registry,
            rules,
            strings: saved.strings,
            sets: saved.sets,
            events: saved.events,
            now: saved.now,
            priority_admission: saved.priority_admission,
            uids: saved.uids,
            suffixes: saved.suffixes,
            tables: Arc::new(tables),
            pods,
            by_node: CowMap::new(),
            blocks: saved.blocks,
            log: WatchLog::from_parts(entries, saved.log.first, saved.log.compacted),
            ranges: saved.ranges,
            addresses: saved.addresses,
            pages: Pages::default(),
        };
        store.rebuild();
        store
    }

    /// What is derived from rows and pods: owners, counts, pods by node.
    fn rebuild(&mut self) {
        for kind in 0..self.tables.len() {
            let kind = KindId::new(kind);
            let mut last = None;
            for id in self.ids(kind) {
                let body = Arc::clone(self.body(id).expect("it exists"));
                let Some(uid) = body.controller.filter(|uid| last != Some(*uid)) else { continue };
                last = Some(uid);
                if let Some(owner) = self.controller_of(kind, &body) {
                    self.table_mut(kind).owners.set_owner(uid, owner);
                }
            }
        }
        let mut nodes: std::collections::BTreeMap<StrId, Vec<u32>> =
            std::collections::BTreeMap::new();
        for id in self.ids(self.kinds.pod) {
            if let Some(node) = self.pod(id.slot).node {
                nodes.entry(node).or_default().push(id.slot);
            }
            self.count_in(id.slot, 1);
        }
        for (node, slots) in nodes {
            self.by_node.insert(node, Posting::from_sorted(slots));
        }
    }

    fn ids(&self, kind: KindId) -> Vec<ObjectId> {
        let table = self.table(kind);
        table.iter().map(|(slot, _)| table.id(kind, slot)).collect()
    }
}

fn save_row(row: &Row, bodies: &mut Shared<Body>) -> SavedRow {
    SavedRow {
        body: row.body.as_ref().map(|body| bodies.number(body)),
        deletion: row.deletion.as_deref().copied(),
        name: row.name,
        uid: row.uid,
        created: row.created,
        revision: row.revision,
        generation: row.generation,
        reuse: row.reuse,
    }
}

fn load_row(saved: &SavedRow, bodies: &[Arc<Body>]) -> Row {
    Row {
        body: saved.body.map(|number| Arc::clone(&bodies[number as usize])),
        deletion: saved.deletion.map(Arc::new),
        name: saved.name,
        uid: saved.uid,
        created: saved.created,
        revision: saved.revision,
        generation: saved.generation,
        reuse: saved.reuse,
    }
}
