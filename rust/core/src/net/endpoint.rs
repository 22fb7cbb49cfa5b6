//! One pod as an endpoint of one Service: its addresses, its state, its resolved ports.

use super::Family;
use super::ports::{PortList, resolve_ports};
use crate::base::{Map, Text, Value};
use crate::labels::Labels;
use crate::store::pod::SANDBOX;
use crate::store::{Body, Store};

/// What a pod contributes to a Service. The ports decide the slice.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// The pod's name.
    pub name: Text,
    /// The Service's ports as this pod has them.
    pub ports: PortList,
    /// The addresses by family.
    pub addresses: [Option<Text>; 2],
    /// New connections go to it.
    pub ready: bool,
    /// The entry of `endpoints`, still without addresses.
    rest: Map,
}

impl Endpoint {
    /// The entry of `endpoints` in slices of a family, if the pod has an address of it.
    pub fn value(&self, family: Family) -> Option<Value> {
        let address = self.addresses[family as usize].as_ref()?;
        let mut value = self.rest.clone();
        value.insert("addresses", vec![Value::from(address.clone())]);
        Some(value.into())
    }
}

/// The endpoint a pod is for a Service, or `None` when it is none: terminal, without an address
/// yet, or on a node nobody knows, unless the Service wants even those.
pub fn endpoint_of(store: &Store, name: &str, service: &Body, slot: u32) -> Option<Endpoint> {
    let row = store.table(store.kinds.pod).row(slot)?;
    let pod = store.pod(slot);
    let body = row.body.as_ref().expect("occupied");
    let is_given = || body.status.get("podIP").is_some() || body.status.get("podIPs").is_some();
    if pod.phase.is_terminal() || !(pod.has(SANDBOX) || is_given()) {
        return None;
    }
    let mut addresses = [None, None];
    for address in store.pod_addresses(pod, body) {
        addresses[Family::of(address) as usize]
            .get_or_insert_with(|| compact_str::format_compact!("{address}"));
    }
    let publish = flag(service, "publishNotReadyAddresses");
    let node_name = pod.node.map(|node| store.strings.text(node));
    let node = node_name.and_then(|node| store.find(store.kinds.node, None, node));
    if addresses == [None, None] || (node.is_none() && !publish) {
        return None;
    }
    let (serving, terminating) = (pod.is_ready(), row.deletion.is_some());
    let ready = publish || (serving && !terminating);
    let mut rest = Map::new();
    rest.insert(
        "conditions",
        Value::map([
            ("ready", Value::from(ready)),
            ("serving", serving.into()),
            ("terminating", terminating.into()),
        ]),
    );
    if let Some(hostname) = stable_hostname(name, body) {
        rest.insert("hostname", hostname);
    }
    if let Some(name) = node_name {
        rest.insert("nodeName", name);
    }
    let node = node.and_then(|node| store.body(node));
    if let Some(zone) = node.and_then(|node| zone_of(store, node)) {
        rest.insert("zone", zone);
    }
    let name = row.name.text(&store.strings);
    rest.insert("targetRef", reference_to(store, slot, body, &name));
    Some(Endpoint { name, ports: resolve_ports(service, body), addresses, ready, rest })
}

/// What points at a pod.
fn reference_to(store: &Store, slot: u32, pod: &Body, name: &Text) -> Value {
    let uid = store.uid_text(store.table(store.kinds.pod).id(store.kinds.pod, slot));
    Value::map([
        ("kind", Value::from("Pod")),
        ("namespace", pod.namespace.map_or("", |id| store.strings.text(id)).into()),
        ("name", name.clone().into()),
        ("uid", uid.unwrap_or_default().into()),
    ])
}

/// The hostname DNS knows the pod by, when its subdomain names this Service.
fn stable_hostname(service: &str, pod: &Body) -> Option<Text> {
    let hostname = pod.at(&["spec", "hostname"])?.as_str().filter(|name| !name.is_empty())?;
    let subdomain = pod.at(&["spec", "subdomain"])?.as_str()?;
    (subdomain == service).then(|| hostname.into())
}

/// The zone of a node; none when its label is empty.
pub(super) fn zone_of(store: &Store, node: &Body) -> Option<Text> {
    let labels = store.sets.get(node.labels);
    let zone = labels.value_of("topology.kubernetes.io/zone");
    zone.filter(|zone| !zone.is_empty()).map(Into::into)
}

/// A boolean of a Service's spec.
pub fn flag(service: &Body, field: &str) -> bool {
    service.at(&["spec", field]).and_then(Value::as_bool).unwrap_or(false)
}
