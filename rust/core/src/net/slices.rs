//! The EndpointSlice controller: slices follow Services and pods, at the cost of what changed.
//!
//! For each Service with a selector the controller keeps which pod is in which slice. A pod's
//! change finds its Services through the reverse index of selectors and touches the slices it
//! is in; slices touched are written once per turn. New endpoints go into slices that are
//! written anyway, fullest first; then into one other slice, the one with the tightest fit;
//! then into new ones. A Service without endpoints keeps one empty slice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::endpoint::{Endpoint, PortList, endpoint_of};
use crate::base::{CowMap, Map, Text, Value};
use crate::labels::{Labels, Selector, SelectorIndex};
use crate::store::create::WriteOptions;
use crate::store::delete::DeleteOptions;
use crate::store::log::Verb;
use crate::store::update::Part;
use crate::store::{Body, ObjectId, Store};

/// Endpoints per slice, at most.
const SLICE_MAX: usize = 100;

const MANAGED_BY: &str = "endpointslice.kubernetes.io/managed-by";
const MANAGER: &str = "endpointslice-controller.k8s.io";
const SERVICE_NAME: &str = "kubernetes.io/service-name";
const HEADLESS: &str = "service.kubernetes.io/headless";

/// The controller's state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct EndpointSlices {
    /// Selectors of the Services, by slot; computed anew after loading.
    #[serde(skip)]
    selectors: SelectorIndex,
    services: CowMap<u32, Arc<Service>>,
}

/// What is kept about one Service.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Service {
    generation: u32,
    slices: Vec<Slice>,
    /// Which slice a pod is in.
    members: BTreeMap<u32, usize>,
}

/// One slice.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Slice {
    id: Option<ObjectId>,
    ports: PortList,
    endpoints: BTreeMap<u32, Value>,
    touched: bool,
}

impl EndpointSlices {
    /// Reads the selectors of all known Services from the store, after loading.
    pub fn rebuild(&mut self, store: &Store) {
        for (slot, row) in store.table(store.kinds.service).iter() {
            let body = row.body.as_ref().expect("occupied");
            if let Some(selector) = selector(body).filter(|_| self.services.get(&slot).is_some()) {
                self.selectors.add(slot, body.namespace, selector);
            }
        }
    }

    /// Takes in the log entries `(from, to]` and writes what follows.
    pub fn sync(&mut self, store: &mut Store, from: u64, to: u64) {
        let mut dirty: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        let mut changed: BTreeSet<u32> = BTreeSet::new();
        for revision in from + 1..=to {
            let Some(entry) = store.log().get(revision) else { continue };
            let id = entry.id();
            if id.kind == store.kinds.service {
                if entry.verb == Verb::Deleted {
                    self.forget(id.slot);
                }
                changed.insert(id.slot);
            } else if id.kind == store.kinds.pod && !self.selectors.is_empty() {
                let old = entry.previous.as_ref().and_then(|version| version.row.body.clone());
                let now = store.body(id).cloned();
                for body in old.iter().chain(&now) {
                    let labels = store.sets.get(body.labels);
                    for service in self.selectors.matching(body.namespace, &labels) {
                        dirty.entry(service).or_default().insert(id.slot);
                    }
                }
            }
        }
        for slot in changed {
            self.service_changed(store, slot, &mut dirty);
        }
        for (service, pods) in dirty {
            self.sync_service(store, service, &pods);
        }
    }

    fn forget(&mut self, slot: u32) {
        self.selectors.remove(slot);
        self.services.remove(&slot);
    }

    /// A Service is new or another: its selector is registered and all its pods are looked at.
    fn service_changed(
        &mut self,
        store: &Store,
        slot: u32,
        dirty: &mut BTreeMap<u32, BTreeSet<u32>>,
    ) {
        let Some(row) = store.table(store.kinds.service).row(slot) else { return };
        let body = Arc::clone(row.body.as_ref().expect("occupied"));
        let Some(selector) = selector(&body) else {
            self.selectors.remove(slot);
            return;
        };
        let generation = row.reuse;
        if self.services.get(&slot).is_none_or(|service| service.generation != generation) {
            let mut service = Service { generation, ..Service::default() };
            service.adopt(store, &body, &row.name.text(&store.strings));
            self.services.insert(slot, Arc::new(service));
        }
        let pods = &store.table(store.kinds.pod).labels;
        let selected = pods.select(&store.sets, body.namespace, &selector);
        let members = self.services.get(&slot).expect("just inserted").members.keys().copied();
        dirty.entry(slot).or_default().extend(selected.iter().chain(members));
        self.selectors.add(slot, body.namespace, selector);
    }

    /// Brings a Service's slices up to date with these pods.
    fn sync_service(&mut self, store: &mut Store, slot: u32, pods: &BTreeSet<u32>) {
        let Some(row) = store.table(store.kinds.service).row(slot) else { return };
        if row.deletion.is_some() {
            return;
        }
        let name = row.name.text(&store.strings);
        let body = Arc::clone(row.body.as_ref().expect("occupied"));
        let id = store.table(store.kinds.service).id(store.kinds.service, slot);
        let Some(wanted) = self.selectors.get(slot).cloned() else { return };
        let Some(kept) = self.services.get_mut(&slot) else { return };
        let service = Arc::make_mut(kept);
        let mut added: Vec<(u32, Endpoint)> = Vec::new();
        for pod in pods {
            let endpoint = selects(store, &wanted, &body, *pod)
                .then(|| endpoint_of(store, &name, &body, *pod))
                .flatten();
            service.follow(*pod, endpoint, &mut added);
        }
        service.place(added);
        service.write(store, id, &name, &body);
    }
}

impl Service {
    /// Takes over slices that are there already, as after loading a dump.
    fn adopt(&mut self, store: &Store, body: &Body, name: &str) {
        let Ok(selector) =
            Selector::parse(&format!("{SERVICE_NAME}={name},{MANAGED_BY}={MANAGER}"))
        else {
            return;
        };
        let table = store.table(store.kinds.endpoint_slice);
        for slot in &table.labels.select(&store.sets, body.namespace, &selector) {
            let slice = table.row(slot).and_then(|row| row.body.as_ref()).expect("indexed");
            let namespace = body.namespace.map(|id| store.strings.text(id));
            let mut endpoints = BTreeMap::new();
            for endpoint in slice.at(&["endpoints"]).and_then(Value::as_list).unwrap_or_default() {
                let pod = endpoint.str_at(&["targetRef", "name"]);
                let pod = pod.and_then(|pod| store.find(store.kinds.pod, namespace, pod));
                if let Some(pod) = pod {
                    endpoints.insert(pod.slot, endpoint.clone());
                    self.members.insert(pod.slot, self.slices.len());
                }
            }
            let ports = slice.at(&["ports"]).and_then(Value::as_list).unwrap_or_default();
            self.slices.push(Slice {
                id: Some(table.id(store.kinds.endpoint_slice, slot)),
                ports: ports.iter().map(read_port).collect(),
                endpoints,
                touched: false,
            });
        }
    }

    /// Updates or removes one pod where it is; one that is in no fitting slice is `added`.
    fn follow(&mut self, pod: u32, endpoint: Option<Endpoint>, added: &mut Vec<(u32, Endpoint)>) {
        let at = self.members.get(&pod).copied();
        if let (Some(at), Some(endpoint)) = (at, &endpoint)
            && self.slices[at].ports == endpoint.ports
        {
            let slice = &mut self.slices[at];
            if slice.endpoints.get(&pod) != Some(&endpoint.value) {
                slice.endpoints.insert(pod, endpoint.value.clone());
                slice.touched = true;
            }
            return;
        }
        if let Some(at) = at {
            self.members.remove(&pod);
            self.slices[at].endpoints.remove(&pod);
            self.slices[at].touched = true;
        }
        added.extend(endpoint.map(|endpoint| (pod, endpoint)));
    }

    /// Finds slices for new endpoints, group by group of equal ports.
    fn place(&mut self, added: Vec<(u32, Endpoint)>) {
        let mut groups: BTreeMap<PortList, Vec<(u32, Value)>> = BTreeMap::new();
        for (pod, endpoint) in added {
            groups.entry(endpoint.ports).or_default().push((pod, endpoint.value));
        }
        for (ports, mut endpoints) in groups {
            endpoints.reverse();
            self.fill_touched(&ports, &mut endpoints);
            if !endpoints.is_empty() {
                self.fill_tightest(&ports, &mut endpoints);
            }
            while !endpoints.is_empty() {
                self.slices.push(Slice {
                    id: None,
                    ports: ports.clone(),
                    endpoints: BTreeMap::new(),
                    touched: true,
                });
                self.fill(self.slices.len() - 1, &ports, &mut endpoints);
            }
        }
    }

    /// Slices that are written anyway take what they can, fullest first.
    fn fill_touched(&mut self, ports: &PortList, endpoints: &mut Vec<(u32, Value)>) {
        let mut order: Vec<usize> = (0..self.slices.len())
            .filter(|at| self.slices[*at].touched && self.slices[*at].takes(ports))
            .collect();
        order.sort_by_key(|at| std::cmp::Reverse(self.slices[*at].endpoints.len()));
        for at in order {
            self.fill(at, ports, endpoints);
        }
    }

    /// The fullest untouched slice that has room for what is left of a slice takes it.
    fn fill_tightest(&mut self, ports: &PortList, endpoints: &mut Vec<(u32, Value)>) {
        let rest = endpoints.len() % SLICE_MAX;
        let rest = if rest == 0 { SLICE_MAX } else { rest };
        let best = (0..self.slices.len())
            .filter(|at| !self.slices[*at].touched && self.slices[*at].takes(ports))
            .filter(|at| self.slices[*at].endpoints.len() + rest <= SLICE_MAX)
            .max_by_key(|at| (self.slices[*at].endpoints.len(), std::cmp::Reverse(*at)));
        let Some(best) = best else { return };
        self.slices[best].touched = true;
        let mut part = endpoints.split_off(endpoints.len() - rest);
        self.fill(best, ports, &mut part);
        endpoints.append(&mut part);
    }

    /// Moves endpoints from the end of the list into slice `at` while it has room.
    fn fill(&mut self, at: usize, ports: &PortList, endpoints: &mut Vec<(u32, Value)>) {
        let slice = &mut self.slices[at];
        // A slice that was empty takes the ports of what comes.
        slice.ports.clone_from(ports);
        while slice.endpoints.len() < SLICE_MAX {
            let Some((pod, value)) = endpoints.pop() else { return };
            slice.endpoints.insert(pod, value);
            slice.touched = true;
            self.members.insert(pod, at);
        }
    }

    /// Writes the slices that were touched; empty ones go, but for the last.
    fn write(&mut self, store: &mut Store, owner: ObjectId, name: &str, body: &Body) {
        self.drop_empty(store);
        if self.slices.is_empty() {
            let ports = PortList::new();
            self.slices.push(Slice { id: None, ports, endpoints: BTreeMap::new(), touched: true });
        }
        for at in 0..self.slices.len() {
            if self.slices[at].touched {
                let document = self.slices[at].document(store, owner, name, body);
                self.slices[at].id = self.slices[at].store(store, document);
                self.slices[at].touched = false;
            }
        }
    }

    fn drop_empty(&mut self, store: &mut Store) {
        let mut kept = Vec::with_capacity(self.slices.len());
        let mut spare: Option<Slice> = None;
        for slice in std::mem::take(&mut self.slices) {
            if !slice.endpoints.is_empty() {
                kept.push(slice);
            } else if spare.is_none() {
                spare = Some(slice);
            } else {
                slice.delete(store);
            }
        }
        if let Some(spare) = spare {
            if kept.is_empty() {
                kept.push(spare);
            } else {
                spare.delete(store);
            }
        }
        self.slices = kept;
        self.members.clear();
        for (at, slice) in self.slices.iter().enumerate() {
            self.members.extend(slice.endpoints.keys().map(|pod| (*pod, at)));
        }
    }
}

impl Slice {
    fn takes(&self, ports: &PortList) -> bool {
        (self.ports == *ports || self.endpoints.is_empty()) && self.endpoints.len() < SLICE_MAX
    }

    fn document(&self, store: &Store, owner: ObjectId, name: &str, service: &Body) -> Value {
        let mut labels: Map = store
            .sets
            .get(service.labels)
            .pairs()
            .map(|(key, value)| (key.into(), value.into()))
            .collect();
        labels.insert(SERVICE_NAME, name);
        labels.insert(MANAGED_BY, MANAGER);
        if service.at(&["spec", "clusterIP"]).and_then(Value::as_str) == Some("None") {
            labels.insert(HEADLESS, "");
        }
        let reference = Value::map([
            ("apiVersion", Value::from("v1")),
            ("kind", "Service".into()),
            ("name", name.into()),
            ("uid", store.uid_text(owner).unwrap_or_default().into()),
            ("controller", true.into()),
            ("blockOwnerDeletion", true.into()),
        ]);
        let mut meta = Map::new();
        meta.insert("generateName", format!("{name}-"));
        meta.insert("labels", labels);
        meta.insert("ownerReferences", vec![reference]);
        if let Some(namespace) = service.namespace {
            meta.insert("namespace", store.strings.text(namespace));
        }
        let ports: Vec<Value> = self.ports.iter().map(write_port).collect();
        let endpoints: Vec<Value> = self.endpoints.values().cloned().collect();
        Value::map([
            ("apiVersion", Value::from("discovery.k8s.io/v1")),
            ("kind", "EndpointSlice".into()),
            ("metadata", meta.into()),
            ("addressType", "IPv4".into()),
            ("ports", ports.into()),
            ("endpoints", endpoints.into()),
        ])
    }

    /// Creates or replaces the slice's object.
    fn store(&self, store: &mut Store, mut document: Value) -> Option<ObjectId> {
        let options = WriteOptions::default();
        if let Some(id) = self.id.filter(|id| store.exists(*id)) {
            let name = store.name(id).unwrap_or_default();
            document.set(&["metadata", "name"], name);
            return store.update(document, Part::Whole, &options).ok().map(|written| written.id);
        }
        store.create(document, &options).ok().map(|written| written.id)
    }

    fn delete(&self, store: &mut Store) {
        if let Some(id) = self.id.filter(|id| store.exists(*id)) {
            store
                .delete(id, &DeleteOptions::default())
                .expect("a delete without preconditions succeeds");
        }
    }
}

/// The selector of a Service that has endpoints of its own making.
fn selector(service: &Body) -> Option<Selector> {
    if service.at(&["spec", "type"]).and_then(Value::as_str) == Some("ExternalName") {
        return None;
    }
    let map = service.at(&["spec", "selector"])?.as_map().filter(|map| !map.is_empty())?;
    Some(Selector::from_map(map))
}

/// Whether a pod is one of the Service's.
fn selects(store: &Store, selector: &Selector, service: &Body, pod: u32) -> bool {
    let row = store.table(store.kinds.pod).row(pod);
    row.and_then(|row| row.body.as_ref()).is_some_and(|body| {
        body.namespace == service.namespace && store.sets.matches(body.labels, selector)
    })
}

fn write_port((name, number, protocol, application): &(Text, i64, Text, Option<Text>)) -> Value {
    let mut port = Map::new();
    port.insert("name", name.clone());
    port.insert("port", *number);
    port.insert("protocol", protocol.clone());
    if let Some(application) = application {
        port.insert("appProtocol", application.clone());
    }
    port.into()
}

fn read_port(port: &Value) -> (Text, i64, Text, Option<Text>) {
    (
        port.str_at(&["name"]).unwrap_or_default().into(),
        port.int_at(&["port"]).unwrap_or(0),
        port.str_at(&["protocol"]).unwrap_or("TCP").into(),
        port.str_at(&["appProtocol"]).map(Into::into),
    )
}
