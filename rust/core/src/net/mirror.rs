//! The EndpointSlice mirroring controller: Endpoints written by hand become slices.
//!
//! That is for Services without a selector. Each family and list of ports has one slice, of at
//! most a thousand addresses per subset, with the labels and annotations of the Endpoints.

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::Family;
use super::ports::{Port, PortList, read_port, sort_ports, write_port};
use super::slices::has_selector;
use super::slices::slice::{MANAGED_BY, prefix};
use super::table::SERVICE_NAME;
use crate::base::ip::parse_ip;
use crate::base::{Map, Text, Value};
use crate::labels::{Labels, Selector};
use crate::store::create::WriteOptions;
use crate::store::delete::DeleteOptions;
use crate::store::recorder::Said;
use crate::store::update::Part;
use crate::store::{ObjectId, Store};

const MANAGER: &str = "endpointslicemirroring-controller.k8s.io";
const COMPONENT: &str = "endpoint-slice-mirroring-controller";
/// Addresses of one subset that are mirrored, at most.
const MOST: usize = 1000;
/// Endpoints so labelled are left alone, and those a leader election is kept in.
const SKIP: &str = "endpointslice.kubernetes.io/skip-mirror";
const LEADER: &str = "control-plane.alpha.kubernetes.io/leader";
/// Annotations that are not the slices'.
const OWN_ANNOTATIONS: [&str; 2] = [
    "endpoints.kubernetes.io/last-change-trigger-time",
    "kubectl.kubernetes.io/last-applied-configuration",
];

/// What a slice is made from: the family and ports all its endpoints share.
type Key = (Family, PortList);

/// Brings the mirrored slices of a Service up to date with its Endpoints.
pub fn sync(store: &mut Store, namespace: &str, name: &str) {
    let mirrored = mirrored(store, namespace, name);
    let wanted = store.find(store.kinds.endpoints, Some(namespace), name);
    let wanted = wanted.filter(|id| is_mirrored(store, *id, namespace, name));
    let mut slices = wanted.map_or_else(BTreeMap::new, |id| desired(store, id));
    let mut spare: Vec<(ObjectId, Family)> = Vec::new();
    let mut written: Vec<(Option<ObjectId>, Key, Vec<Value>)> = Vec::new();
    for (id, key) in mirrored {
        match slices.remove(&key) {
            Some(endpoints) => written.push((Some(id), key, endpoints)),
            None => spare.push((id, key.0)),
        }
    }
    for (key, endpoints) in slices {
        let old = spare.iter().position(|(_, family)| *family == key.0);
        written.push((old.map(|at| spare.remove(at).0), key, endpoints));
    }
    if let Some(owner) = wanted {
        for (id, key, endpoints) in written {
            write(store, owner, id, &key, endpoints);
        }
    }
    for (id, _) in spare {
        store.delete(id, &DeleteOptions::default()).expect("a delete without preconditions");
    }
}

/// Whether Endpoints are mirrored: somebody wrote them for a Service without a selector.
fn is_mirrored(store: &Store, endpoints: ObjectId, namespace: &str, name: &str) -> bool {
    let body = store.body(endpoints).expect("just found");
    let skips = store.sets.get(body.labels).value_of(SKIP) == Some("true");
    let service = store.find(store.kinds.service, Some(namespace), name);
    let service = service.and_then(|id| store.body(id));
    !skips
        && body.annotation(LEADER).is_none()
        && service.is_some_and(|service| !has_selector(service))
}

/// The slices that mirror something of a Service, in order of their slots.
fn mirrored(store: &Store, namespace: &str, name: &str) -> Vec<(ObjectId, Key)> {
    let mut labels = Map::new();
    labels.insert(SERVICE_NAME, name);
    labels.insert(MANAGED_BY, MANAGER);
    let Some(namespace) = store.strings.find(namespace) else { return Vec::new() };
    let table = store.table(store.kinds.endpoint_slice);
    let found = table.labels.select(&store.sets, Some(namespace), &Selector::from_map(&labels));
    let read = |slot: u32| {
        let body = table.row(slot)?.body.as_ref()?;
        let kind = body.at(&["addressType"])?.as_str()?;
        let family = Family::BOTH.into_iter().find(|family| family.name() == kind)?;
        let ports = body.at(&["ports"]).and_then(Value::as_list).unwrap_or_default();
        let mut ports: PortList = ports.iter().map(read_port).collect();
        sort_ports(&mut ports);
        Some((table.id(store.kinds.endpoint_slice, slot), (family, ports)))
    };
    found.iter().filter_map(read).collect()
}

/// The slices Endpoints ask for, without those that would be empty.
fn desired(store: &mut Store, id: ObjectId) -> BTreeMap<Key, Vec<Value>> {
    let body = store.body(id).expect("just found");
    let subsets = body.at(&["subsets"]).and_then(Value::as_list).unwrap_or_default();
    let mut slices: BTreeMap<Key, Vec<Value>> = BTreeMap::new();
    let mut skipped = 0;
    for (mut ports, addresses) in repacked(subsets) {
        sort_ports(&mut ports);
        skipped += addresses.len().saturating_sub(MOST);
        for (address, value) in addresses.into_iter().take(MOST) {
            slices.entry((Family::of(address), ports.clone())).or_default().push(value);
        }
    }
    for endpoints in slices.values_mut() {
        endpoints.truncate(MOST);
    }
    if skipped > 0 {
        let text = format!(
            "A max of {MOST} addresses can be mirrored to EndpointSlices per Endpoints subset. \
             {skipped} addresses were skipped"
        );
        store.record(id, true, "TooManyAddressesToMirror", COMPONENT, Said::Text(&text));
    }
    slices
}

/// Lists of ports and the endpoints that serve all of them, the ready ones first.
fn repacked(subsets: &[Value]) -> Vec<(PortList, Vec<(IpAddr, Value)>)> {
    /// Addresses by their text and uid, and whether they are ready.
    type Addresses<'a> = BTreeMap<(&'a str, &'a str), (&'a Value, bool)>;
    let mut by_port: BTreeMap<Option<Port>, Addresses> = BTreeMap::new();
    for subset in subsets {
        let ports = subset.list_at(&["ports"]);
        let ports: Vec<Option<Port>> = match ports {
            [] => vec![None],
            _ => ports.iter().map(|port| Some(read_port(port))).collect(),
        };
        for port in ports {
            let known = by_port.entry(port).or_default();
            for (field, ready) in [("addresses", true), ("notReadyAddresses", false)] {
                for address in subset.list_at(&[field]) {
                    let uid = address.str_at(&["targetRef", "uid"]).unwrap_or_default();
                    let key = (address.str_at(&["ip"]).unwrap_or_default(), uid);
                    known.entry(key).or_insert((address, true)).1 &= ready;
                }
            }
        }
    }
    let mut packed: Vec<(Addresses, PortList)> = Vec::new();
    for (port, addresses) in by_port {
        match packed.iter_mut().find(|(known, _)| *known == addresses) {
            Some((_, ports)) => ports.extend(port),
            None => packed.push((addresses, port.into_iter().collect())),
        }
    }
    let endpoints = |addresses: Addresses| {
        let mut list: Vec<_> = addresses.into_values().collect();
        list.sort_by_key(|(_, ready)| !ready);
        list.into_iter().filter_map(|(address, ready)| endpoint(address, ready)).collect()
    };
    packed.into_iter().map(|(addresses, ports)| (ports, endpoints(addresses))).collect()
}

fn endpoint(address: &Value, ready: bool) -> Option<(IpAddr, Value)> {
    let ip = parse_ip(address.str_at(&["ip"])?)?;
    let mut made = Map::new();
    made.insert("addresses", vec![Value::from(ip.to_string())]);
    made.insert("conditions", Value::map([("ready", Value::from(ready))]));
    for field in ["hostname", "nodeName", "targetRef"] {
        if let Some(value) = address.get(field) {
            made.insert(field, value.clone());
        }
    }
    Some((ip, made.into()))
}

fn write(
    store: &mut Store,
    owner: ObjectId,
    id: Option<ObjectId>,
    key: &Key,
    endpoints: Vec<Value>,
) {
    let name = store.name(owner).unwrap_or_default();
    let mut meta = metadata(store, owner, &name);
    match id {
        Some(id) => meta.insert("name", store.name(id).unwrap_or_default()),
        None => meta.insert("generateName", prefix(&name)),
    };
    let object = Value::map([
        ("apiVersion", Value::from("discovery.k8s.io/v1")),
        ("kind", "EndpointSlice".into()),
        ("metadata", meta.into()),
        ("addressType", key.0.name().into()),
        ("ports", key.1.iter().map(write_port).collect::<Vec<Value>>().into()),
        ("endpoints", endpoints.into()),
    ]);
    let options = WriteOptions::default();
    // In a namespace that is going there are no new slices.
    let _ = match id {
        Some(_) => store.update(object, Part::Whole, &options),
        None => store.create(object, &options),
    };
}

fn metadata(store: &Store, owner: ObjectId, name: &Text) -> Map {
    let body = store.body(owner).expect("it is there");
    let own = store.sets.get(body.labels);
    let mut labels: Map = own.pairs().map(|(key, value)| (key.into(), value.into())).collect();
    labels.insert(SERVICE_NAME, name.clone());
    labels.insert(MANAGED_BY, MANAGER);
    let mut annotations = match body.meta.get("annotations") {
        Some(Value::Map(map)) => (**map).clone(),
        _ => Map::new(),
    };
    for key in OWN_ANNOTATIONS {
        annotations.remove(key);
    }
    let mut meta = Map::new();
    meta.insert("labels", labels);
    if !annotations.is_empty() {
        meta.insert("annotations", annotations);
    }
    if let Some(namespace) = body.namespace {
        meta.insert("namespace", store.strings.text(namespace));
    }
    let reference = Value::map([
        ("apiVersion", Value::from("v1")),
        ("kind", "Endpoints".into()),
        ("name", name.clone().into()),
        ("uid", store.uid_text(owner).unwrap_or_default().into()),
        ("controller", true.into()),
        ("blockOwnerDeletion", true.into()),
    ]);
    meta.insert("ownerReferences", vec![reference]);
    meta
}
