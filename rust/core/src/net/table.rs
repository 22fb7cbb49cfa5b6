//! The services of a cluster, compiled once for all nodes.
//!
//! [`ServiceTable`] follows Services and EndpointSlices in the store, at the cost of what
//! changed. It knows nothing of single nodes: what differs between them (which endpoints are
//! local, whom hints mean) is worked out from it for the node that asks.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::endpoints::{Endpoint, Place, PortEndpoints, port_endpoints};
use super::rules::Node;
use super::service_ports::{Family, ServicePort, canonical, service_ports};
use crate::base::{CowMap, CowVec, Interner, Map, StrId, Text, Value};
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

/// One Service in one family.
#[derive(Clone, Debug, PartialEq)]
pub struct Service {
    /// `metadata.namespace`.
    pub namespace: Text,
    /// `metadata.name`.
    pub name: Text,
    /// Its ports, in order of name and protocol.
    pub ports: Vec<Port>,
}

impl Service {
    fn endpoints(&self) -> usize {
        self.ports.iter().map(|port| port.endpoints.len()).sum()
    }
}

/// The compiled services; see the module header. Cloning it is a few reference counts.
#[derive(Clone, Debug, Default)]
pub struct ServiceTable {
    families: [Services; 2],
    /// Names of nodes and zones.
    names: Interner,
    /// The resourceVersion taken in last.
    seen: Option<u64>,
}

/// The services of one family.
#[derive(Clone, Debug, Default)]
struct Services {
    by_slot: CowMap<u32, Arc<Service>>,
    /// Endpoints of all service ports together.
    endpoints: usize,
    journal: Journal,
}

/// The slots of Services that became others, for those who follow.
#[derive(Clone, Debug, Default)]
struct Journal {
    slots: CowVec<u32>,
    /// How many were forgotten before the first.
    forgotten: u64,
}

/// Up to where somebody has followed the services of a family.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mark(u64);

/// What a Service is compiled from.
#[derive(Clone, Copy, Debug)]
struct Source<'a> {
    namespace: &'a str,
    name: &'a str,
    spec: &'a Value,
    status: &'a Value,
    slices: &'a [&'a Value],
}

/// Changes remembered for those who follow, at least.
const JOURNAL: usize = 1 << 16;

impl ServiceTable {
    /// Puts the Service of a document, with its EndpointSlices, at a slot; `sliced` says of
    /// which families slices changed.
    pub fn set(&mut self, slot: u32, service: &Value, slices: &[&Value], sliced: [bool; 2]) {
        let null = Value::Null;
        let source = Source {
            namespace: service.str_at(&["metadata", "namespace"]).unwrap_or("default"),
            name: service.str_at(&["metadata", "name"]).unwrap_or_default(),
            spec: service.get("spec").unwrap_or(&null),
            status: service.get("status").unwrap_or(&null),
            slices,
        };
        self.compile(slot, source, sliced);
    }

    /// Forgets the Service at a slot.
    pub fn forget(&mut self, slot: u32) {
        for services in &mut self.families {
            services.put(slot, None, false);
        }
    }

    /// Takes in what was written since the last time; everything at first, and when the log no
    /// longer reaches back.
    pub fn follow(&mut self, store: &Store) {
        let now = store.revision();
        match self.seen {
            Some(seen) if seen == now => {}
            Some(seen) if seen < now && seen >= store.log().compacted() => {
                for (slot, sliced) in changed_services(store, seen, now) {
                    self.refresh(store, slot, sliced);
                }
            }
            _ => {
                // Names keep their numbers: nodes are known by them.
                for services in &mut self.families {
                    services.clear();
                }
                for (slot, _) in store.table(store.kinds.service).iter() {
                    self.refresh(store, slot, [true; 2]);
                }
            }
        }
        self.seen = Some(now);
    }

    /// Compiles the Service at a slot anew, or forgets it when there is none.
    fn refresh(&mut self, store: &Store, slot: u32, sliced: [bool; 2]) {
        let Some(row) = store.table(store.kinds.service).row(slot) else {
            return self.forget(slot);
        };
        let body = row.body.as_ref().expect("occupied");
        let name = row.name.text(&store.strings);
        let slices = slices_of(store, body, &name);
        let slices: Vec<&Value> = slices.iter().map(|(_, document)| document).collect();
        let null = Value::Null;
        let source = Source {
            namespace: body.namespace.map_or("", |id| store.strings.text(id)),
            name: &name,
            spec: body.doc.get("spec").unwrap_or(&null),
            status: &body.status,
            slices: &slices,
        };
        self.compile(slot, source, sliced);
    }

    fn compile(&mut self, slot: u32, source: Source, sliced: [bool; 2]) {
        let Source { namespace, name, spec, status, slices } = source;
        for family in Family::BOTH {
            let ports = service_ports(namespace, name, spec, status, family);
            let mut endpoints = PortEndpoints::default();
            if !ports.is_empty() {
                endpoints = port_endpoints(slices.iter().copied(), family, &mut self.names);
            }
            let with_endpoints = ports.into_iter().map(|(key, service)| Port {
                service,
                endpoints: endpoints.remove(&key).unwrap_or_default(),
            });
            let ports: Vec<Port> = with_endpoints.collect();
            let service = Service { namespace: namespace.into(), name: name.into(), ports };
            let service = (!service.ports.is_empty()).then_some(service);
            self.families[family as usize].put(slot, service, sliced[family as usize]);
        }
    }

    /// The Services that have rules in a family, in order of namespace and name.
    pub fn in_order(&self, family: Family) -> Vec<&Arc<Service>> {
        self.some_in_order(family, |_| true)
    }

    /// Those of them that are wanted, in the same order.
    pub fn some_in_order(
        &self,
        family: Family,
        wanted: impl Fn(&Service) -> bool,
    ) -> Vec<&Arc<Service>> {
        let services = self.families[family as usize].by_slot.iter().map(|(_, service)| service);
        let mut services: Vec<&Arc<Service>> = services.filter(|one| wanted(one)).collect();
        services.sort_unstable_by(|one, other| {
            (&one.namespace, &one.name).cmp(&(&other.namespace, &other.name))
        });
        services
    }

    /// The Service at a slot, when it has rules in a family.
    pub fn service(&self, family: Family, slot: u32) -> Option<&Arc<Service>> {
        self.families[family as usize].by_slot.get(&slot)
    }

    /// All service ports of a family, in no order that means anything.
    pub fn ports(&self, family: Family) -> impl Iterator<Item = &Port> {
        let services = self.families[family as usize].by_slot.iter();
        services.flat_map(|(_, service)| &service.ports)
    }

    /// The slots of Services of a family that became others since a mark, some of them more than
    /// once; `None` when that was forgotten and everything must be read anew.
    pub fn changed_since(&self, family: Family, mark: Mark) -> Option<impl Iterator<Item = u32>> {
        let Journal { slots, forgotten } = &self.families[family as usize].journal;
        let from = mark.0.checked_sub(*forgotten)? as usize;
        Some((from..slots.len()).map(|at| slots[at]))
    }

    /// The slots of all Services that have rules in a family.
    pub fn slots(&self, family: Family) -> impl Iterator<Item = u32> {
        self.families[family as usize].by_slot.iter().map(|(slot, _)| *slot)
    }

    /// The mark of now.
    pub fn mark(&self, family: Family) -> Mark {
        let Journal { slots, forgotten } = &self.families[family as usize].journal;
        Mark(forgotten + slots.len() as u64)
    }

    /// The name of a node or zone.
    pub fn name(&self, id: StrId) -> &str {
        self.names.text(id)
    }

    /// How many endpoints all service ports of a family have together.
    pub fn endpoint_count(&self, family: Family) -> usize {
        self.families[family as usize].endpoints
    }

    /// A node by its name, zone and addresses.
    pub fn node<'a>(
        &mut self,
        name: &str,
        zone: Option<&str>,
        addresses: impl Iterator<Item = &'a str>,
    ) -> Node {
        let mut number = |text: &str| self.names.intern(text);
        let place = Place { node: Some(number(name)), zone: zone.map(number) };
        Node { place, addresses: addresses.filter_map(canonical).collect() }
    }

    /// A node of the store.
    pub fn node_of(&mut self, store: &Store, id: ObjectId) -> Option<Node> {
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

impl Services {
    /// Forgets all, as if each had been forgotten.
    fn clear(&mut self) {
        let gone: Vec<u32> = self.by_slot.iter().map(|(slot, _)| *slot).collect();
        for slot in gone {
            self.put(slot, None, true);
        }
    }

    /// Replaces a Service. One that came out the same stays the very same, unless its slices
    /// changed: kube-proxy does not look whether a changed slice makes a difference.
    fn put(&mut self, slot: u32, service: Option<Service>, sliced: bool) {
        let before = self.by_slot.get(&slot);
        if !sliced && before.map(Arc::as_ref) == service.as_ref() {
            return;
        }
        if before.is_none() && service.is_none() {
            return;
        }
        self.journal.note(slot);
        self.endpoints -= before.map_or(0, |service| service.endpoints());
        self.endpoints += service.as_ref().map_or(0, Service::endpoints);
        match service {
            Some(service) => drop(self.by_slot.insert(slot, Arc::new(service))),
            None => drop(self.by_slot.remove(&slot)),
        }
    }
}

impl Journal {
    fn note(&mut self, slot: u32) {
        self.slots.push(slot);
        if self.slots.len() > 2 * JOURNAL {
            self.forgotten += self.slots.drop_pages_before(JOURNAL) as u64;
        }
    }
}

/// The slots of Services that, or whose slices, were written after `from`, and of which families
/// slices were.
fn changed_services(store: &Store, from: u64, to: u64) -> BTreeMap<u32, [bool; 2]> {
    let mut changed: BTreeMap<u32, [bool; 2]> = BTreeMap::new();
    for revision in from + 1..=to {
        let Some(entry) = store.log().get(revision) else { continue };
        let id = entry.id();
        if id.kind == store.kinds.service {
            changed.entry(id.slot).or_default();
        } else if id.kind == store.kinds.endpoint_slice {
            let before = entry.previous.as_ref().and_then(|version| version.row.body.as_ref());
            for body in before.into_iter().chain(store.body(id)) {
                let Some(slot) = service_of(store, body) else { continue };
                let sliced = changed.entry(slot).or_default();
                let kind = body.at(&["addressType"]).and_then(Value::as_str);
                for family in Family::BOTH {
                    sliced[family as usize] |= kind == Some(family.name());
                }
            }
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
pub fn slices_of(store: &Store, service: &Body, name: &str) -> Vec<(Text, Value)> {
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
