//! Pods, nodes and events as columns.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::World;
use crate::base::{FastMap, Map, Quantity, StrId, Text, Value};
use crate::labels::Labels;
use crate::record::columns::{Categories, SparseInts, time_or_none};
use crate::record::{Column, ColumnSet};
use crate::store::events::Event;
use crate::store::object::Row;
use crate::store::pod::{ACCEPTED, PodState, RUNNING, SCHEDULED};
use crate::store::recorder::event_type;
use crate::store::shape::Resources;
use crate::store::{Body, ObjectId, Store};

impl World {
    /// Every pod, in order of creation of its row.
    pub fn pod_columns(&self) -> ColumnSet {
        let store = &self.store;
        let table = store.table(store.kinds.pod);
        let rows: Vec<(u32, &Row)> = table.iter().collect();
        let count = rows.len();
        let mut namespace = Categories::with_capacity(count);
        let mut node = Categories::with_capacity(count);
        let mut phase = Categories::with_capacity(count);
        let mut qos = Categories::with_capacity(count);
        let mut owner_kind = Categories::with_capacity(count);
        let mut owner = Categories::with_capacity(count);
        let mut message = Categories::with_capacity(count);
        let mut ip = Vec::with_capacity(count);
        let mut name = Vec::with_capacity(count);
        let mut numbers: [Vec<i64>; 5] = std::array::from_fn(|_| Vec::with_capacity(count));
        let mut others = SparseInts::default();
        let mut templates: FastMap<usize, i64> = FastMap::new();
        let mut template = Vec::with_capacity(count);
        let mut times: [Vec<i64>; 5] = std::array::from_fn(|_| Vec::with_capacity(count));
        let (mut ready, mut deleting) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for (slot, row) in rows {
            let body = row.body.as_ref().expect("occupied");
            let (pod, shape) = (store.pod(slot), store.shape(body));
            let known = templates.len() as i64;
            template.push(*templates.get_or_insert_with(Arc::as_ptr(body) as usize, || known));
            namespace.push_optional(body.namespace.map(|id| store.strings.text(id)));
            name.push(row.name.text(&store.strings));
            node.push_optional(pod.node.map(|id| store.strings.text(id)));
            phase.push(pod.phase.name());
            ready.push(pod.is_ready());
            deleting.push(row.deletion.is_some());
            qos.push(shape.qos.name());
            let (kind, controller) = controller_words(body);
            owner_kind.push_optional(kind);
            owner.push_optional(controller);
            message.push_optional(pod.message.as_deref().map(Text::as_str));
            ip.push(address_text(store, pod, body));
            let amounts = [
                shape.requests.cpu_milli,
                shape.requests.memory_bytes,
                shape.requests.ephemeral_bytes,
                i64::from(shape.priority),
                i64::from(pod.restarts),
            ];
            for (resource, amount) in &shape.requests.scalars {
                others.set(resource, name.len() - 1, *amount);
            }
            for (column, amount) in numbers.iter_mut().zip(amounts) {
                column.push(amount);
            }
            let moments = [
                Some(row.created),
                pod.has(SCHEDULED).then_some(pod.scheduled_at),
                pod.has(RUNNING).then_some(pod.running_at),
                pod.is_ready().then_some(pod.ready_at),
                (pod.has(ACCEPTED) && pod.phase.is_terminal()).then_some(pod.finished_at),
            ];
            for (column, moment) in times.iter_mut().zip(moments) {
                column.push(time_or_none(moment));
            }
        }
        let [cpu, memory, ephemeral, priority, restarts] = numbers;
        let [created, scheduled, started, ready_at, finished] = times;
        let mut set = ColumnSet::new();
        set.push("namespace", namespace.finish());
        set.push("name", Column::Text(name));
        set.push("node", node.finish());
        set.push("phase", phase.finish());
        set.push("ready", Column::Bool(ready));
        set.push("cpu_milli", Column::Int(cpu));
        set.push("memory_bytes", Column::Int(memory));
        set.push("ephemeral_bytes", Column::Int(ephemeral));
        set.push("owner_kind", owner_kind.finish());
        set.push("owner", owner.finish());
        set.push("priority", Column::Int(priority));
        set.push("qos_class", qos.finish());
        set.push("ip", Column::Text(ip));
        set.push("restarts", Column::Int(restarts));
        set.push("deleting", Column::Bool(deleting));
        set.push("created", Column::Time(created));
        set.push("scheduled", Column::Time(scheduled));
        set.push("started", Column::Time(started));
        set.push("ready_since", Column::Time(ready_at));
        set.push("finished", Column::Time(finished));
        set.push("message", message.finish());
        set.push("template", Column::Int(template));
        let resources: Vec<Text> = others.names().cloned().collect();
        for resource in resources {
            let amounts = others.take(&resource, count);
            set.push(resource, amounts);
        }
        set
    }

    /// Every node, with what the pods bound to it request.
    pub fn node_columns(&self) -> ColumnSet {
        let store = &self.store;
        let table = store.table(store.kinds.node);
        let mut name = Vec::new();
        let mut words: [Categories; 3] = std::array::from_fn(|_| Categories::default());
        let (mut ready, mut unschedulable, mut created) = (Vec::new(), Vec::new(), Vec::new());
        let mut numbers: [Vec<i64>; 8] = std::array::from_fn(|_| Vec::new());
        let (mut offered, mut asked) = (SparseInts::default(), SparseInts::default());
        for (_, row) in table.iter() {
            let body = row.body.as_ref().expect("occupied");
            let text = row.name.text(&store.strings);
            let usage = usage(store, store.strings.find(&text));
            let labels = store.sets.get(body.labels);
            let label = |key: &str| labels.value_of(key);
            words[0].push_optional(label("topology.kubernetes.io/zone"));
            words[1].push_optional(label("node.kubernetes.io/instance-type"));
            words[2].push_optional(label("wavetank.dev/pool"));
            name.push(text);
            ready.push(is_ready(&body.status));
            unschedulable
                .push(body.at(&["spec", "unschedulable"]).and_then(Value::as_bool) == Some(true));
            created.push(row.created.0);
            let allocatable = |resource: &str| amount(&body.status, resource);
            let amounts = [
                allocatable("cpu"),
                allocatable("memory"),
                allocatable("ephemeral-storage"),
                allocatable("pods"),
                usage.requests.cpu_milli,
                usage.requests.memory_bytes,
                usage.requests.ephemeral_bytes,
                usage.pods,
            ];
            for resource in other_resources(&body.status) {
                offered.set(resource, name.len() - 1, allocatable(resource));
            }
            for (resource, amount) in &usage.requests.scalars {
                asked.set(resource, name.len() - 1, *amount);
            }
            for (column, amount) in numbers.iter_mut().zip(amounts) {
                column.push(amount);
            }
        }
        let [zone, instance_type, pool] = words;
        let mut set = ColumnSet::new();
        set.push("name", Column::Text(name));
        set.push("ready", Column::Bool(ready));
        set.push("unschedulable", Column::Bool(unschedulable));
        set.push("pool", pool.finish());
        set.push("zone", zone.finish());
        set.push("instance_type", instance_type.finish());
        let names = [
            "allocatable_cpu_milli",
            "allocatable_memory_bytes",
            "allocatable_ephemeral_bytes",
            "allocatable_pods",
            "requested_cpu_milli",
            "requested_memory_bytes",
            "requested_ephemeral_bytes",
            "requested_pods",
        ];
        for (name, column) in names.into_iter().zip(numbers) {
            set.push(name, Column::Int(column));
        }
        set.push("created", Column::Time(created));
        let rows = set.rows();
        let resources: BTreeSet<Text> = offered.names().chain(asked.names()).cloned().collect();
        for resource in &resources {
            set.push(format!("allocatable_{resource}"), offered.take(resource, rows));
            set.push(format!("requested_{resource}"), asked.take(resource, rows));
        }
        set
    }

    /// The engine's events, in order of first occurrence.
    pub fn event_columns(&self) -> ColumnSet {
        self.columns_of_events(self.store.events.iter().map(|(_, event)| event))
    }

    /// The events recorded or repeated after a resourceVersion, in order; see
    /// [`crate::store::Store::events_after`].
    pub fn events_after(&self, revision: u64) -> ColumnSet {
        self.columns_of_events(self.store.events_after(revision))
    }

    fn columns_of_events<'a>(&self, events: impl Iterator<Item = &'a Event>) -> ColumnSet {
        let store = &self.store;
        let count = events.size_hint().0;
        let mut words: [Categories; 5] = std::array::from_fn(|_| Categories::with_capacity(count));
        let (mut name, mut message) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut counts = Vec::with_capacity(count);
        let (mut first, mut last) = (Vec::with_capacity(count), Vec::with_capacity(count));
        for event in events {
            let subject = &event.subject;
            first.push(event.first.0);
            last.push(event.last.0);
            words[0].push(event_type(event));
            words[1].push(store.strings.text(event.reason));
            words[2].push(&store.registry.kind(subject.id.kind).id.kind);
            words[3].push_optional(subject.namespace.map(|id| store.strings.text(id)));
            words[4].push(store.strings.text(event.component));
            name.push(subject.name.text(&store.strings));
            message.push(store.event_message(event));
            counts.push(i64::from(event.count));
        }
        let [kind, reason, object_kind, namespace, component] = words;
        let mut set = ColumnSet::new();
        set.push("first", Column::Time(first));
        set.push("last", Column::Time(last));
        set.push("count", Column::Int(counts));
        set.push("type", kind.finish());
        set.push("reason", reason.finish());
        set.push("object_kind", object_kind.finish());
        set.push("namespace", namespace.finish());
        set.push("name", Column::Text(name));
        set.push("message", Column::Text(message));
        set.push("component", component.finish());
        set
    }

    /// The pods an object controls, one row each, for controllers that rank them.
    pub fn controlled_pods(&self, owner: ObjectId) -> ColumnSet {
        let store = &self.store;
        let pods = store.kinds.pod;
        let table = store.table(pods);
        let uid = store.row(owner).and_then(|row| row.uid);
        let slots: Vec<u32> = uid
            .and_then(|uid| table.owners.slots(uid))
            .map_or_else(Vec::new, |slots| slots.iter().collect());
        let mut node = Categories::with_capacity(slots.len());
        let mut phase = Categories::with_capacity(slots.len());
        let mut name = Vec::with_capacity(slots.len());
        let mut flags: [Vec<bool>; 3] = std::array::from_fn(|_| Vec::with_capacity(slots.len()));
        let mut numbers: [Vec<i64>; 5] = std::array::from_fn(|_| Vec::with_capacity(slots.len()));
        let (mut ready_since, mut created) = (Vec::new(), Vec::new());
        let own = |slot: &u32| {
            let body = table.row(*slot).and_then(|row| row.body.as_ref());
            body.is_some_and(|body| body.controller == uid)
        };
        for slot in slots.into_iter().filter(own) {
            let row = table.row(slot).expect("indexed");
            let body = row.body.as_ref().expect("occupied");
            let pod = store.pod(slot);
            node.push_optional(pod.node.map(|id| store.strings.text(id)));
            phase.push(pod.phase.name());
            name.push(row.name.text(&store.strings));
            flags[0].push(pod.is_ready());
            flags[1].push(row.deletion.is_some());
            flags[2].push(pod.phase.is_terminal());
            let cost = body.annotation("controller.kubernetes.io/pod-deletion-cost");
            let (high, low) = row.uid.map_or((0, 0), |uid| store.uid_order(uid));
            let amounts = [
                table.id(pods, slot).to_bits(),
                cost.and_then(|cost| cost.parse().ok()).unwrap_or(0),
                i64::from(pod.restarts),
                high,
                low,
            ];
            for (column, amount) in numbers.iter_mut().zip(amounts) {
                column.push(amount);
            }
            ready_since.push(time_or_none(pod.is_ready().then_some(pod.ready_at)));
            created.push(row.created.0);
        }
        let [ready, deleting, terminal] = flags;
        let [key, cost, restarts, uid_high, uid_low] = numbers;
        let mut set = ColumnSet::new();
        set.push("key", Column::Int(key));
        set.push("name", Column::Text(name));
        set.push("node", node.finish());
        set.push("phase", phase.finish());
        set.push("ready", Column::Bool(ready));
        set.push("deleting", Column::Bool(deleting));
        set.push("terminal", Column::Bool(terminal));
        set.push("deletion_cost", Column::Int(cost));
        set.push("restarts", Column::Int(restarts));
        set.push("ready_since", Column::Time(ready_since));
        set.push("created", Column::Time(created));
        set.push("uid_high", Column::Int(uid_high));
        set.push("uid_low", Column::Int(uid_low));
        set
    }
}

/// What the pods bound to one node request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Sums by resource.
    pub requests: Resources,
    /// Pods.
    pub pods: i64,
}

/// Sums over the pods that take room on a node.
pub fn usage(store: &Store, node: Option<StrId>) -> Usage {
    let mut usage = Usage::default();
    let Some(slots) = node.and_then(|node| store.pods_on(node)) else { return usage };
    let table = store.table(store.kinds.pod);
    for slot in slots.iter() {
        if store.pod(slot).occupies_node() {
            let body = table.row(slot).and_then(|row| row.body.as_ref()).expect("indexed");
            usage.requests.add(&store.shape(body).requests);
            usage.pods += 1;
        }
    }
    usage
}

/// Resources a node offers beyond those every node has.
fn other_resources(status: &Value) -> impl Iterator<Item = &str> {
    let offered = status.get("allocatable").or_else(|| status.get("capacity"));
    let names = offered.and_then(Value::as_map).into_iter().flat_map(Map::iter);
    let usual = ["cpu", "memory", "ephemeral-storage", "pods"];
    names.map(|(name, _)| name).filter(move |name| !usual.contains(name))
}

/// A node's allocatable amount of a resource, or its capacity when it states only that.
fn amount(status: &Value, resource: &str) -> i64 {
    let stated = status.at(&["allocatable", resource]).or(status.at(&["capacity", resource]));
    let Some(quantity) = stated.and_then(|value| Quantity::from_value(value).ok()) else {
        return 0;
    };
    if resource == "cpu" { quantity.milli_value() } else { quantity.value() }
}

fn is_ready(status: &Value) -> bool {
    status.list_at(&["conditions"]).iter().any(|condition| {
        condition.str_at(&["type"]) == Some("Ready")
            && condition.str_at(&["status"]) == Some("True")
    })
}

/// Kind and name of the controller, from the owner references.
fn controller_words(body: &Body) -> (Option<&str>, Option<&str>) {
    let references = body.meta.get("ownerReferences").and_then(Value::as_list).unwrap_or_default();
    let controller = references
        .iter()
        .find(|owner| owner.get("controller").and_then(Value::as_bool) == Some(true));
    (
        controller.and_then(|owner| owner.str_at(&["kind"])),
        controller.and_then(|owner| owner.str_at(&["name"])),
    )
}

fn address_text(store: &Store, pod: &PodState, body: &Body) -> Text {
    let addresses = store.pod_addresses(pod, body);
    addresses.first().map_or_else(Text::default, |address| address.to_string().into())
}
