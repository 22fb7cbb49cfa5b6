//! What the names of a cluster stand for, compiled, following the store at the cost of what
//! changed.

use std::net::IpAddr;
use std::sync::Arc;

use super::name::{self, Wire};
use crate::base::{CowMap, Text, Value};
use crate::net::service_ports::canonical;
use crate::net::table::SERVICE_NAME;
use crate::store::{Body, Store};

/// A port: its name, its protocol in small letters and its number; -1 where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name; may be empty.
    pub name: Text,
    /// TCP, UDP or SCTP.
    pub protocol: Text,
    /// Its number.
    pub number: i32,
}

/// What a Service's name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Addresses of its own.
    Addresses(Vec<IpAddr>),
    /// Its endpoints.
    Endpoints,
    /// Another name; `None` for one that is an address or no name at all.
    Alias(Option<Wire>),
}

/// A Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// `namespace/name`.
    pub key: Text,
    /// What it stands for.
    pub target: Target,
    /// Its ports.
    pub ports: Vec<Port>,
}

/// An endpoint that is ready: its address, and the label it is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub ip: IpAddr,
    /// Its hostname, or the address with dashes.
    pub label: Text,
}

/// The ready endpoints of an EndpointSlice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slice {
    /// `namespace/name` of the Service it says it is of; there need not be one.
    pub key: Text,
    /// Its own name.
    pub name: Text,
    /// Who is ready.
    pub addresses: Vec<Address>,
    /// Where they listen; one without number where the slice lists none.
    pub ports: Vec<Port>,
}

/// All that is known by one `namespace/name`.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// The Service.
    pub service: Option<Arc<Service>>,
    /// Its slices, by their names.
    pub slices: Vec<(u32, Arc<Slice>)>,
}

/// Who has an address.
#[derive(Clone, Debug, Default)]
pub struct Owners {
    /// The Service whose address it is.
    pub service: Option<Text>,
    /// The slices that have it as a ready endpoint.
    pub slices: Vec<u32>,
}

/// The compiled names; see the module header. Cloning it is a few reference counts.
#[derive(Clone, Debug, Default)]
pub struct Index {
    named: CowMap<Text, Arc<Named>>,
    owners: CowMap<IpAddr, Arc<Owners>>,
    services: CowMap<u32, Arc<Service>>,
    slices: CowMap<u32, Arc<Slice>>,
    namespaces: CowMap<u32, Text>,
    spaces: CowMap<Text, u32>,
    /// The resourceVersion taken in last.
    seen: Option<u64>,
    /// When something of it changed last, seconds since the epoch: the serial of the zone.
    serial: u32,
}

impl Index {
    /// What is known by `namespace/name`.
    pub fn named(&self, key: &Text) -> Option<&Named> {
        self.named.get(key).map(Arc::as_ref)
    }

    /// Who has an address.
    pub fn owners(&self, ip: IpAddr) -> Option<&Owners> {
        self.owners.get(&ip).map(Arc::as_ref)
    }

    /// The slice at a slot.
    pub fn slice(&self, slot: u32) -> Option<&Slice> {
        self.slices.get(&slot).map(Arc::as_ref)
    }

    /// Whether there is a namespace.
    pub fn has_namespace(&self, name: &Text) -> bool {
        self.spaces.get(name).is_some()
    }

    /// The serial of the zone.
    pub fn serial(&self) -> u32 {
        self.serial
    }

    /// The resourceVersion taken in last.
    pub fn seen(&self) -> Option<u64> {
        self.seen
    }

    /// Takes in what was written since the last time; everything at first, and when the log no
    /// longer reaches back.
    pub fn follow(&mut self, store: &Store) {
        let now = store.revision();
        let mut changed = false;
        match self.seen {
            Some(seen) if seen == now => return,
            Some(seen) if seen < now && seen >= store.log().compacted() => {
                for revision in seen + 1..=now {
                    let Some(entry) = store.log().get(revision) else { continue };
                    let id = entry.id();
                    changed |= self.refresh(store, id.kind, id.slot);
                }
            }
            _ => {
                *self = Self::default();
                for kind in [store.kinds.namespace, store.kinds.service, store.kinds.endpoint_slice]
                {
                    let slots: Vec<u32> = store.table(kind).iter().map(|(slot, _)| slot).collect();
                    for slot in slots {
                        changed |= self.refresh(store, kind, slot);
                    }
                }
            }
        }
        self.seen = Some(now);
        if changed || self.serial == 0 {
            self.serial = (store.now.0 / 1_000_000_000) as u32;
        }
    }

    /// Compiles an object anew and says whether that made a difference.
    fn refresh(&mut self, store: &Store, kind: crate::api::KindId, slot: u32) -> bool {
        if kind == store.kinds.service {
            self.put_service(slot, service_at(store, slot))
        } else if kind == store.kinds.endpoint_slice {
            self.put_slice(slot, slice_at(store, slot))
        } else if kind == store.kinds.namespace {
            let row = store.table(kind).row(slot);
            self.put_namespace(slot, row.map(|row| row.name.text(&store.strings)))
        } else {
            false
        }
    }

    /// Puts a namespace at a slot, or forgets it; whether that made a difference.
    pub fn put_namespace(&mut self, slot: u32, name: Option<Text>) -> bool {
        if self.namespaces.get(&slot) == name.as_ref() {
            return false;
        }
        if let Some(old) = self.namespaces.remove(&slot)
            && self.spaces.get(&old) == Some(&slot)
        {
            self.spaces.remove(&old);
        }
        if let Some(name) = name {
            self.spaces.insert(name.clone(), slot);
            self.namespaces.insert(slot, name);
        }
        true
    }

    /// Puts a Service at a slot, or forgets it; whether that made a difference.
    pub fn put_service(&mut self, slot: u32, service: Option<Service>) -> bool {
        let old = self.services.get(&slot).cloned();
        if old.as_deref() == service.as_ref() {
            return false;
        }
        if let Some(old) = old {
            self.services.remove(&slot);
            self.change(&old.key, |named| named.service = None);
            for ip in old.target.addresses() {
                self.change_owners(*ip, |owners| {
                    if owners.service.as_ref() == Some(&old.key) {
                        owners.service = None;
                    }
                });
            }
        }
        if let Some(service) = service.map(Arc::new) {
            for ip in service.target.addresses() {
                self.change_owners(*ip, |owners| owners.service = Some(service.key.clone()));
            }
            self.change(&service.key, |named| named.service = Some(Arc::clone(&service)));
            self.services.insert(slot, service);
        }
        true
    }

    /// Puts an EndpointSlice at a slot, or forgets it; whether that made a difference.
    pub fn put_slice(&mut self, slot: u32, slice: Option<Slice>) -> bool {
        let old = self.slices.get(&slot).cloned();
        if old.as_deref() == slice.as_ref() {
            return false;
        }
        let has = |slice: Option<&Slice>, ip: IpAddr| {
            slice.is_some_and(|slice| slice.addresses.iter().any(|address| address.ip == ip))
        };
        if let Some(old) = &old {
            self.slices.remove(&slot);
            for Address { ip, .. } in &old.addresses {
                if !has(slice.as_ref(), *ip) {
                    self.change_owners(*ip, |owners| owners.slices.retain(|one| *one != slot));
                }
            }
            if slice.as_ref().is_none_or(|slice| slice.key != old.key) {
                self.change(&old.key, |named| named.slices.retain(|(one, _)| *one != slot));
            }
        }
        let Some(slice) = slice.map(Arc::new) else { return true };
        for Address { ip, .. } in &slice.addresses {
            if !has(old.as_deref(), *ip) {
                self.change_owners(*ip, |owners| owners.slices.push(slot));
            }
        }
        self.change(&slice.key, |named| {
            named.slices.retain(|(one, _)| *one != slot);
            let at = named.slices.partition_point(|(_, other)| other.name < slice.name);
            named.slices.insert(at, (slot, Arc::clone(&slice)));
        });
        self.slices.insert(slot, slice);
        true
    }

    fn change(&mut self, key: &Text, how: impl FnOnce(&mut Named)) {
        let mut named = self.named.get(key).map(|named| Named::clone(named)).unwrap_or_default();
        how(&mut named);
        if named.service.is_none() && named.slices.is_empty() {
            self.named.remove(key);
        } else {
            self.named.insert(key.clone(), Arc::new(named));
        }
    }

    fn change_owners(&mut self, ip: IpAddr, how: impl FnOnce(&mut Owners)) {
        let mut owners =
            self.owners.get(&ip).map(|owners| Owners::clone(owners)).unwrap_or_default();
        how(&mut owners);
        owners.slices.sort_unstable();
        owners.slices.dedup();
        if owners.service.is_none() && owners.slices.is_empty() {
            self.owners.remove(&ip);
        } else {
            self.owners.insert(ip, Arc::new(owners));
        }
    }
}

impl Target {
    fn addresses(&self) -> &[IpAddr] {
        match self {
            Self::Addresses(addresses) => addresses,
            _ => &[],
        }
    }
}

/// `namespace/name` of an object.
fn key_of(store: &Store, body: &Body, name: &str) -> Text {
    let namespace = body.namespace.map_or("", |id| store.strings.text(id));
    key(namespace, name)
}

/// `namespace/name`.
pub fn key(namespace: &str, name: &str) -> Text {
    let mut text = Text::from(namespace);
    text.push('/');
    text.push_str(name);
    text
}

fn service_at(store: &Store, slot: u32) -> Option<Service> {
    let row = store.table(store.kinds.service).row(slot)?;
    let body = row.body.as_ref()?;
    let key = key_of(store, body, &row.name.text(&store.strings));
    let spec = body.doc.get("spec").unwrap_or(&Value::Null);
    let text = |field: &str| spec.str_at(&[field]).unwrap_or_default();
    let target = match (text("type"), text("clusterIP")) {
        ("ExternalName", _) => Target::Alias(alias(text("externalName"))),
        (_, "None" | "") => Target::Endpoints,
        (_, first) => {
            let listed = spec.list_at(&["clusterIPs"]).iter().filter_map(Value::as_str);
            let mut addresses: Vec<IpAddr> = listed.filter_map(canonical).collect();
            if addresses.is_empty() {
                addresses.extend(canonical(first));
            }
            Target::Addresses(addresses)
        }
    };
    Some(Service { key, target, ports: ports(spec.list_at(&["ports"])) })
}

/// The name of an ExternalName; an address is none.
fn alias(text: &str) -> Option<Wire> {
    if canonical(text.trim_end_matches('.')).is_some() {
        return None;
    }
    name::parse(text).ok()
}

fn ports(list: &[Value]) -> Vec<Port> {
    let port = |port: &Value| Port {
        name: port.str_at(&["name"]).unwrap_or_default().into(),
        protocol: port.str_at(&["protocol"]).unwrap_or("TCP").into(),
        number: port.int_at(&["port"]).map_or(-1, |number| number as i32),
    };
    list.iter().map(port).collect()
}

fn slice_at(store: &Store, slot: u32) -> Option<Slice> {
    let row = store.table(store.kinds.endpoint_slice).row(slot)?;
    let body = row.body.as_ref()?;
    let labels = store.sets.get(body.labels);
    let service = crate::labels::Labels::value_of(&labels, SERVICE_NAME)?;
    let list = |field: &str| body.doc.get(field).and_then(Value::as_list).unwrap_or_default();
    let mut ports = ports(list("ports"));
    if ports.is_empty() {
        ports.push(Port { name: Text::default(), protocol: Text::default(), number: -1 });
    }
    let mut addresses = Vec::new();
    for endpoint in list("endpoints") {
        if endpoint.at(&["conditions", "ready"]).and_then(Value::as_bool) == Some(false) {
            continue;
        }
        let hostname = endpoint.str_at(&["hostname"]).filter(|hostname| !hostname.is_empty());
        for address in endpoint.list_at(&["addresses"]).iter().filter_map(Value::as_str) {
            let Some(ip) = canonical(address) else { continue };
            let label = hostname.map_or_else(|| dashed(address), Text::from);
            addresses.push(Address { ip, label });
        }
    }
    let name = row.name.text(&store.strings);
    Some(Slice { key: key_of(store, body, service), name, addresses, ports })
}

/// The label an address gives an endpoint without a hostname.
fn dashed(address: &str) -> Text {
    let mut text = Text::from(address.replace(['.', ':'], "-"));
    if text.ends_with('-') && address.contains(':') {
        text.push('0');
    }
    text
}
