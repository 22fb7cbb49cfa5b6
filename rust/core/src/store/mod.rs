//! The object store: every object of a cluster, and every write to them.
//!
//! Read in this order: [`object`] (how an object is kept), [`table`] (objects of one kind and
//! their indexes), [`log`] (the order of writes), then the verbs: [`create`], [`update`],
//! [`delete`], [`list`], [`watch`], [`bulk`] for many objects at once, [`dump`] and [`snapshot`].
//!
//! What this is not: it starts nothing and reacts to nothing. Controllers, the scheduler and
//! kubelets read the log and write back through the same verbs as any client.

pub mod addresses;
mod admission;
pub mod apply;
pub mod bulk;
pub mod create;
mod definition;
pub mod delete;
pub mod dump;
pub mod events;
pub mod fields;
pub mod list;
pub mod log;
pub mod meta;
pub mod object;
pub mod owners;
pub mod pod;
pub mod pod_address;
pub mod pod_status;
pub mod pods;
pub mod policy;
pub mod ranges;
pub mod recorder;
pub mod render;
pub mod shape;
pub mod snapshot;
pub mod table;
pub mod template;
pub mod uid;
pub mod update;
pub mod watch;

use std::sync::Arc;

use self::events::{EventLog, EventPolicy};
use self::log::{Verb, Version, WatchLog};
use self::object::Row;
pub use self::object::{Body, Name, ObjectId};
use self::pod::PodState;
use self::policy::{WritePolicy, write_policy};
use self::table::Table;
use self::uid::Uids;
use crate::api::{ApiError, ApiResult, GroupResource, KindId, Registry, Rules};
use crate::base::{CowMap, CowVec, Interner, StrId, Stream, Streams, Text, Time, Value};
use crate::labels::{LabelSets, Posting};

/// Kinds the core itself deals with.
#[derive(Clone, Copy, Debug)]
pub struct CoreKinds {
    /// `Pod`.
    pub pod: KindId,
    /// `Node`.
    pub node: KindId,
    /// `Namespace`.
    pub namespace: KindId,
    /// `Event`.
    pub event: KindId,
    /// `Service`.
    pub service: KindId,
    /// `Endpoints`.
    pub endpoints: KindId,
    /// `EndpointSlice.discovery.k8s.io`.
    pub endpoint_slice: KindId,
    /// `ReplicaSet.apps`.
    pub replica_set: KindId,
    /// `CustomResourceDefinition.apiextensions.k8s.io`.
    pub definition: KindId,
    /// `PriorityClass.scheduling.k8s.io`.
    pub priority_class: KindId,
    /// `Ingress.networking.k8s.io`.
    pub ingress: KindId,
    /// `IngressClass.networking.k8s.io`.
    pub ingress_class: KindId,
}

impl CoreKinds {
    fn of(registry: &Registry) -> Self {
        let kind = |group: &str, kind: &str| {
            registry.kind_id(group, kind).unwrap_or_else(|| panic!("{kind}.{group} is built in"))
        };
        Self {
            pod: kind("", "Pod"),
            node: kind("", "Node"),
            namespace: kind("", "Namespace"),
            event: kind("", "Event"),
            service: kind("", "Service"),
            endpoints: kind("", "Endpoints"),
            endpoint_slice: kind("discovery.k8s.io", "EndpointSlice"),
            replica_set: kind("apps", "ReplicaSet"),
            definition: kind("apiextensions.k8s.io", "CustomResourceDefinition"),
            priority_class: kind("scheduling.k8s.io", "PriorityClass"),
            ingress: kind("networking.k8s.io", "Ingress"),
            ingress_class: kind("networking.k8s.io", "IngressClass"),
        }
    }
}

/// Every object of a cluster. Cloning it is a fork: a few reference counts.
#[derive(Clone, Debug)]
pub struct Store {
    /// Every kind there is.
    pub registry: Registry,
    /// Defaulting and validation of every kind.
    pub rules: Arc<Rules>,
    /// The kinds the core deals with.
    pub kinds: CoreKinds,
    /// Names of namespaces, objects and nodes, reasons and messages of events.
    pub strings: Interner,
    /// Label sets of all objects.
    pub sets: LabelSets,
    /// Kubernetes Events of the engine.
    pub events: EventLog,
    /// The virtual time: what a write made now is stamped with.
    pub now: Time,
    /// Where addresses come from.
    pub ranges: Arc<ranges::Ranges>,
    /// Whether the admission plugin Priority runs; without it a pod may name a priority itself.
    pub priority_admission: bool,
    uids: Uids,
    suffixes: Stream,
    tables: Arc<Vec<Arc<Table>>>,
    pods: CowVec<PodState>,
    by_node: CowMap<StrId, Posting>,
    blocks: CowMap<StrId, pod_address::NodeBlock>,
    log: WatchLog,
    addresses: addresses::Addresses,
    pages: list::Pages,
}

impl Store {
    /// What every random stream derives from.
    pub fn seed(&self) -> u64 {
        self.uids.seed()
    }

    /// An empty store at time `now`; `seed` determines generated names and uids.
    pub fn new(registry: Registry, rules: Arc<Rules>, seed: u64, now: Time) -> Self {
        Self {
            kinds: CoreKinds::of(&registry),
            registry,
            rules,
            strings: Interner::new(),
            sets: LabelSets::new(),
            events: EventLog::default(),
            now,
            priority_admission: true,
            ranges: Arc::default(),
            uids: Uids::new(seed),
            suffixes: Streams::new(seed).stream("names"),
            tables: Arc::new(Vec::new()),
            pods: CowVec::new(),
            by_node: CowMap::new(),
            blocks: CowMap::new(),
            log: WatchLog::starting_after(0),
            addresses: addresses::Addresses::new(seed, &ranges::Ranges::default()),
            pages: list::Pages::default(),
        }
    }

    /// The resourceVersion of the latest write.
    pub fn revision(&self) -> u64 {
        self.log.revision()
    }

    /// The watch log.
    pub fn log(&self) -> &WatchLog {
        &self.log
    }

    /// Forgets watch history up to `revision`: watches from before get 410 Gone.
    pub fn compact(&mut self, revision: u64) {
        for version in self.log.compact(revision) {
            let body = version.row.body.as_ref().expect("only objects are kept");
            self.sets.release(body.labels, 1);
        }
    }

    /// Chooses which of the engine's events are kept.
    pub fn set_event_policy(&mut self, policy: EventPolicy) {
        self.events.policy = policy;
    }

    /// The objects of one kind.
    pub fn table(&self, kind: KindId) -> &Table {
        static EMPTY: std::sync::LazyLock<Table> = std::sync::LazyLock::new(Table::default);
        self.tables.get(kind.index()).map_or(&EMPTY, |table| table)
    }

    fn table_mut(&mut self, kind: KindId) -> &mut Table {
        let tables = Arc::make_mut(&mut self.tables);
        if kind.index() >= tables.len() {
            tables.resize_with(kind.index() + 1, Arc::default);
        }
        Arc::make_mut(&mut tables[kind.index()])
    }

    /// The row of an object, if it still exists.
    pub fn row(&self, id: ObjectId) -> Option<&Row> {
        self.table(id.kind).get(id)
    }

    /// The body of an object, if it still exists.
    pub fn body(&self, id: ObjectId) -> Option<&Arc<Body>> {
        self.row(id)?.body.as_ref()
    }

    /// The runtime state of the pod at `slot`.
    pub fn pod(&self, slot: u32) -> &PodState {
        &self.pods[slot as usize]
    }

    /// The slots of the pods bound to a node, terminal ones included.
    pub fn pods_on(&self, node: StrId) -> Option<&Posting> {
        self.by_node.get(&node)
    }

    /// Finds an object by name.
    pub fn find(&self, kind: KindId, namespace: Option<&str>, name: &str) -> Option<ObjectId> {
        let namespace = match namespace.filter(|_| self.registry.kind(kind).namespaced) {
            Some(text) => Some(self.strings.find(text)?),
            None => None,
        };
        let table = self.table(kind);
        let found = table.find(namespace, name, &self.strings).map(|slot| table.id(kind, slot));
        if found.is_none() && kind == self.kinds.event {
            let namespace = namespace.map_or("", |id| self.strings.text(id));
            return self.find_event(namespace, name);
        }
        found
    }

    /// Finds an object by name, or answers 404 as Kubernetes does.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn require(
        &self,
        kind: KindId,
        namespace: Option<&str>,
        name: &str,
    ) -> ApiResult<ObjectId> {
        self.find(kind, namespace, name)
            .ok_or_else(|| ApiError::not_found(self.resource(kind), name))
    }

    /// The resource a kind is called by in messages.
    pub fn resource(&self, kind: KindId) -> &GroupResource {
        &self.registry.kind(kind).resource
    }

    /// What is particular about writes of a kind.
    pub fn policy(&self, kind: KindId) -> WritePolicy {
        let kind = self.registry.kind(kind);
        write_policy(&kind.id, kind.definition.is_some())
    }

    /// The object a number from [`ObjectId::to_bits`] stands for, if it still exists.
    pub fn from_bits(&self, bits: i64) -> Option<ObjectId> {
        let kind = usize::try_from(bits >> 52).ok().filter(|kind| *kind < self.tables.len())?;
        let (kind, slot) = (KindId::new(kind), bits as u32);
        let id = match self.table(kind).row(slot) {
            Some(_) => self.table(kind).id(kind, slot),
            None => ObjectId { kind, slot, generation: 0 },
        };
        (id.to_bits() == bits && self.exists(id)).then_some(id)
    }

    /// Two numbers that order uids as their texts are ordered.
    pub fn uid_order(&self, uid: uid::Uid) -> (i64, i64) {
        let text = self.uids.text(uid);
        let digits: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        let word = |part: &str| u64::from_str_radix(part, 16).unwrap_or(0);
        let split = digits.len().min(16);
        // Unsigned order kept in signed numbers.
        let signed = |word: u64| (word ^ 1 << 63) as i64;
        (signed(word(&digits[..split])), signed(word(&digits[split..])))
    }

    /// Whether an object still exists.
    pub fn exists(&self, id: ObjectId) -> bool {
        match recorder::engine_number(self, id) {
            Some(number) => self.events.get(number).is_some(),
            None => self.row(id).is_some(),
        }
    }

    /// An object's name, if it still exists.
    pub fn name(&self, id: ObjectId) -> Option<Text> {
        Some(self.row(id)?.name.text(&self.strings))
    }

    /// An object's uid as text, if it still exists.
    pub fn uid_text(&self, id: ObjectId) -> Option<String> {
        self.row(id)?.uid.map(|uid| self.uids.text(uid))
    }

    /// The object that controls another, by the uid in its owner references.
    pub fn controller_of(&self, kind: KindId, body: &Body) -> Option<ObjectId> {
        let uid = body.controller?;
        if let Some(owner) = self.table(kind).owners.owner(uid) {
            return Some(owner);
        }
        let references = body.meta.get("ownerReferences")?.as_list()?;
        let reference = references
            .iter()
            .find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true))?;
        self.resolve_owner(body, reference)
    }

    /// Every object that names `owner`, kind by kind.
    pub fn dependents(&self, owner: uid::Uid) -> Vec<ObjectId> {
        let mut found = Vec::new();
        for (number, table) in self.tables.iter().enumerate() {
            let Some(slots) = table.owners.slots(owner) else { continue };
            let kind = KindId::new(number);
            found.extend(slots.iter().map(|slot| table.id(kind, slot)));
        }
        found
    }

    /// The object an owner reference names, if it exists under that uid.
    pub fn resolve_owner(&self, body: &Body, reference: &Value) -> Option<ObjectId> {
        let group =
            reference.str_at(&["apiVersion"])?.split_once('/').map_or("", |(group, _)| group);
        let kind = self.registry.kind_id(group, reference.str_at(&["kind"])?)?;
        let namespace = body.namespace.map(|id| self.strings.text(id));
        let id = self.find(kind, namespace, reference.str_at(&["name"])?)?;
        let uid = self.uids.find(reference.str_at(&["uid"])?)?;
        (self.row(id)?.uid == Some(uid)).then_some(id)
    }

    /// Notes a write in the log and stamps the object with its resourceVersion. The version
    /// kept in the log takes over the old row's use of its label set until compaction; the new
    /// row has one of its own, from interning its labels or from [`Self::keep_labels`].
    fn log_write(
        &mut self,
        verb: Verb,
        id: ObjectId,
        before: u64,
        previous: Option<Version>,
    ) -> u64 {
        let revision = self.log.append(verb, id, before, previous.map(Arc::new));
        if verb != Verb::Deleted {
            self.table_mut(id.kind).row_mut(id.slot).revision = revision;
        }
        revision
    }

    /// Counts a use of an object's label set, for a write that keeps its labels.
    fn keep_labels(&mut self, id: ObjectId) {
        let labels = self.body(id).expect("it exists").labels;
        self.sets.retain(labels, 1);
    }

    /// An object as it is, for the log.
    fn version(&self, id: ObjectId) -> Option<Version> {
        let row = self.row(id)?.clone();
        let pod = (id.kind == self.kinds.pod).then(|| self.pod(id.slot).clone());
        Some(Version { row, pod })
    }
}

#[cfg(test)]
mod tests;
