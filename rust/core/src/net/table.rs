//! The services of a cluster, compiled once for all nodes.
//!
//! [`ServiceTable`] follows Services and EndpointSlices in the store, at the cost of what
//! changed. It knows nothing of single nodes: what differs between them (which endpoints are
//! local, whom hints mean) is worked out from it for the node that asks.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::endpoints::{Endpoint, PortEndpoints, port_endpoints};
use super::rules::Node;
use super::service_ports::{Family, ServicePort, canonical, service_ports};
use crate::base::{CowMap, Interner, Map, Text, Value};
use crate::labels::{Labels, Selector};
use crate::store::{Body, ObjectId, Store};

/// The label of an EndpointSlice that names its Service.
pub const SERVICE_NAME: &str = "kubernetes.io/service-name";
const ZONE: &str = "topology.kubernetes.io/zone";

/// A service port with its endpoints.
#[derive(Clone, Debug, PartialEq)]
pub struct Port {
    /// What the Service asks for.
    pub service: ServicePort,
    /// Who serves, in order of the text.
    pub endpoints: Vec<Endpoint>,
}

/// One Service.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// `metadata.namespace`.
    pub namespace: Text,
    /// `metadata.name`.
    pub name: Text,
    /// Its ports by family, in order of name and protocol.
    ports: [Vec<Port>; 2],
}

impl Service {
    /// The ports in a family.
    pub fn ports(&self, family: Family) -> &[Port] {
        &self.ports[family as usize]
    }

    fn endpoints(&self, family: Family) -> usize {
        self.ports(family).iter().map(|port| port.endpoints.len()).sum()
    }
}

/// The compiled services; see the module header. Cloning it is a few reference counts.
#[derive(Clone, Debug, Default)]
pub struct ServiceTable {
    services: CowMap<u32, Arc<Service>>,
    /// Endpoints of all service ports, by family.
    endpoints: [usize; 2],
    /// Names of nodes and zones.
    names: Interner,
    /// The resourceVersion taken in last.
    seen: Option<u64>,
}

impl ServiceTable {
    /// Compiles documents: Services and EndpointSlices in any order.
    pub fn of(services: &[Value], slices: &[Value]) -> Self {
        let mut table = Self::default();
        for (slot, service) in services.iter().enumerate() {
            let namespace = service.str_at(&["metadata", "namespace"]).unwrap_or("default");
            let name = service.str_at(&["metadata", "name"]).unwrap_or_default();
            let is_its = |slice: &&Value| {
                slice.str_at(&["metadata", "namespace"]).unwrap_or("default") == namespace
                    && slice.str_at(&["metadata", "labels", SERVICE_NAME]) == Some(name)
            };
            let mut its: Vec<&Value> = slices.iter().filter(is_its).collect();
            its.sort_by_key(|slice| slice.str_at(&["metadata", "name"]));
            let null = Value::Null;
            let part = |field: &str| service.get(field).unwrap_or(&null);
            let compiled = table.compile((namespace, name), part("spec"), part("status"), &its);
            table.put(slot as u32, Some(compiled));
        }
        table
    }

    /// Takes in what was written since the last time; everything at first, and when the log no
    /// longer reaches back.
    pub fn follow(&mut self, store: &Store) {
        let now = store.revision();
        match self.seen {
            Some(seen) if seen == now => {}
            Some(seen) if seen < now && seen >= store.log().compacted() => {
                for slot in changed_services(store, seen, now) {
                    self.refresh(store, slot);
                }
            }
            _ => {
                *self = Self::default();
                for (slot, _) in store.table(store.kinds.service).iter() {
                    self.refresh(store, slot);
                }
            }
        }
        self.seen = Some(now);
    }

    /// Compiles the Service at a slot anew, or forgets it when there is none.
    fn refresh(&mut self, store: &Store, slot: u32) {
        let Some(row) = store.table(store.kinds.service).row(slot) else {
            return self.put(slot, None);
        };
        let body = row.body.as_ref().expect("occupied");
        let name = row.name.text(&store.strings);
        let slices = slices_of(store, body, &name);
        let slices: Vec<&Value> = slices.iter().map(|(_, document)| document).collect();
        let namespace = body.namespace.map_or("", |id| store.strings.text(id));
        let null = Value::Null;
        let spec = body.doc.get("spec").unwrap_or(&null);
        let compiled = self.compile((namespace, &name), spec, &body.status, &slices);
        self.put(slot, Some(compiled));
    }

    fn compile(
        &mut self,
        (namespace, name): (&str, &str),
        spec: &Value,
        status: &Value,
        slices: &[&Value],
    ) -> Service {
        let ports = Family::BOTH.map(|family| {
            let ports = service_ports(namespace, name, spec, status, family);
            if ports.is_empty() {
                return Vec::new();
            }
            let slices = slices.iter().copied();
            let mut endpoints: PortEndpoints = port_endpoints(slices, family, &mut self.names);
            let with_endpoints = ports.into_iter().map(|(key, service)| Port {
                service,
                endpoints: endpoints.remove(&key).unwrap_or_default(),
            });
            with_endpoints.collect()
        });
        Service { namespace: namespace.into(), name: name.into(), ports }
    }

    /// Replaces a Service. One that came out the same stays the very same.
    fn put(&mut self, slot: u32, service: Option<Service>) {
        let before = self.services.get(&slot);
        let service = service.filter(|service| !service.ports.iter().all(Vec::is_empty));
        if before.map(Arc::as_ref) == service.as_ref() {
            return;
        }
        for family in Family::BOTH {
            let count = &mut self.endpoints[family as usize];
            *count -= before.map_or(0, |service| service.endpoints(family));
            *count += service.as_ref().map_or(0, |service| service.endpoints(family));
        }
        match service {
            Some(service) => drop(self.services.insert(slot, Arc::new(service))),
            None => drop(self.services.remove(&slot)),
        }
    }

    /// The Services that have rules, in order of namespace and name.
    pub fn in_order(&self) -> Vec<&Arc<Service>> {
        let mut services: Vec<&Arc<Service>> =
            self.services.iter().map(|(_, service)| service).collect();
        services.sort_unstable_by(|one, other| {
            (&one.namespace, &one.name).cmp(&(&other.namespace, &other.name))
        });
        services
    }

    /// How many endpoints all service ports of a family have together.
    pub fn endpoint_count(&self, family: Family) -> usize {
        self.endpoints[family as usize]
    }

    /// A node by its name, zone and addresses.
    pub fn node<'a>(
        &self,
        name: &str,
        zone: Option<&str>,
        addresses: impl Iterator<Item = &'a str>,
    ) -> Node {
        let number = |text: &str| self.names.find(text);
        let place = super::endpoints::Place { node: number(name), zone: zone.and_then(number) };
        Node { place, addresses: addresses.filter_map(canonical).collect() }
    }

    /// A node of the store.
    pub fn node_of(&self, store: &Store, id: ObjectId) -> Option<Node> {
        let name = store.name(id)?;
        let body = store.body(id)?;
        let labels = store.sets.get(body.labels);
        let addresses = body.status.list_at(&["addresses"]).iter();
        let is_ip = |address: &&Value| {
            matches!(address.str_at(&["type"]), Some("InternalIP" | "ExternalIP"))
        };
        let mut addresses: Vec<&Value> = addresses.filter(is_ip).collect();
        // The node is known by its internal address.
        addresses.sort_by_key(|address| address.str_at(&["type"]) != Some("InternalIP"));
        let texts = addresses.into_iter().filter_map(|address| address.str_at(&["address"]));
        Some(self.node(&name, labels.value_of(ZONE), texts))
    }
}

/// The slots of Services that, or whose slices, were written after `from`.
fn changed_services(store: &Store, from: u64, to: u64) -> BTreeSet<u32> {
    let mut changed = BTreeSet::new();
    for revision in from + 1..=to {
        let Some(entry) = store.log().get(revision) else { continue };
        let id = entry.id();
        if id.kind == store.kinds.service {
            changed.insert(id.slot);
        } else if id.kind == store.kinds.endpoint_slice {
            let before = entry.previous.as_ref().and_then(|version| version.row.body.as_ref());
            let bodies = before.into_iter().chain(store.body(id));
            changed.extend(bodies.filter_map(|body| service_of(store, body)));
        }
    }
    changed
}

/// The slot of the Service a slice belongs to.
fn service_of(store: &Store, slice: &Body) -> Option<u32> {
    let labels = store.sets.get(slice.labels);
    let namespace = store.strings.text(slice.namespace?);
    let name = labels.value_of(SERVICE_NAME)?;
    store.find(store.kinds.service, Some(namespace), name).map(|id| id.slot)
}

/// The slices of a Service by name, as documents without their metadata.
fn slices_of(store: &Store, service: &Body, name: &str) -> Vec<(Text, Value)> {
    let mut wanted = Map::new();
    wanted.insert(SERVICE_NAME, name);
    let selector = Selector::from_map(&wanted);
    let table = store.table(store.kinds.endpoint_slice);
    let selected = table.labels.select(&store.sets, service.namespace, &selector);
    let mut slices: Vec<(Text, Value)> = selected
        .iter()
        .map(|slot| {
            let row = table.row(slot).expect("indexed");
            let body = row.body.as_ref().expect("occupied");
            (row.name.text(&store.strings), Value::Map(Arc::clone(&body.doc)))
        })
        .collect();
    slices.sort_by(|one, other| one.0.cmp(&other.0));
    slices
}
