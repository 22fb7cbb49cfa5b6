//! One pod as an endpoint of one Service: its address, its state, its resolved ports.

use std::net::Ipv4Addr;

use crate::base::{Map, Text, Value};
use crate::labels::Labels;
use crate::store::pod::{PodState, SANDBOX};
use crate::store::{Body, Store};

/// A port of a slice: name, number, protocol and application protocol, as the slice lists them.
pub type PortList = Vec<(Text, i64, Text, Option<Text>)>;

/// What a pod contributes to a Service: the ports decide the slice, the rest is the endpoint.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// The Service's ports as this pod has them.
    pub ports: PortList,
    /// The entry of `endpoints`.
    pub value: Value,
}

/// The endpoint a pod is for a Service, or `None` when it is none: terminal, or without an
/// address yet.
pub fn endpoint_of(store: &Store, name: &str, service: &Body, slot: u32) -> Option<Endpoint> {
    let row = store.table(store.kinds.pod).row(slot)?;
    let pod = store.pod(slot);
    if pod.phase.is_terminal() || !pod.has(SANDBOX) {
        return None;
    }
    let body = row.body.as_ref().expect("occupied");
    let address = address_of(store, pod, body)?;
    let publish = flag(service, "publishNotReadyAddresses");
    let serving = pod.is_ready();
    let terminating = row.deletion.is_some();
    let ready = publish || (serving && !terminating);
    let mut value = Map::new();
    value.insert("addresses", vec![Value::from(address)]);
    value.insert(
        "conditions",
        Value::map([
            ("ready", Value::from(ready)),
            ("serving", serving.into()),
            ("terminating", terminating.into()),
        ]),
    );
    if let Some(hostname) = stable_hostname(name, body) {
        value.insert("hostname", hostname);
    }
    if let Some(node) = pod.node {
        let node = store.strings.text(node);
        value.insert("nodeName", node);
        if let Some(zone) = zone_of(store, node) {
            value.insert("zone", zone);
        }
    }
    let name = row.name.text(&store.strings);
    let uid = store.uid_text(store.table(store.kinds.pod).id(store.kinds.pod, slot));
    value.insert(
        "targetRef",
        Value::map([
            ("kind", Value::from("Pod")),
            ("namespace", body.namespace.map_or("", |id| store.strings.text(id)).into()),
            ("name", name.into()),
            ("uid", uid.unwrap_or_default().into()),
        ]),
    );
    Some(Endpoint { ports: resolve_ports(service, body), value: value.into() })
}

/// The address of a pod: its own, the one a status from outside says, or its node's.
fn address_of(store: &Store, pod: &PodState, body: &Body) -> Option<String> {
    if pod.ip != 0 {
        return Some(Ipv4Addr::from(pod.ip).to_string());
    }
    if let Some(ip) = body.status.str_at(&["podIP"]) {
        return Some(ip.to_owned());
    }
    let node = store.strings.text(pod.node?);
    if store.shape(body).host_network { store.node_address(node).map(Into::into) } else { None }
}

/// The Service's ports with every named target looked up in the pod. A name the pod does not
/// have leaves its port out.
fn resolve_ports(service: &Body, pod: &Body) -> PortList {
    let ports = service.at(&["spec", "ports"]).and_then(Value::as_list).unwrap_or_default();
    let mut resolved = Vec::with_capacity(ports.len());
    for port in ports {
        let protocol = port.str_at(&["protocol"]).unwrap_or("TCP");
        let number = match port.get("targetPort") {
            Some(Value::Str(name)) => container_port(pod, name, protocol),
            Some(Value::Int(number)) if *number != 0 => Some(*number),
            _ => port.int_at(&["port"]),
        };
        if let Some(number) = number {
            let name = port.str_at(&["name"]).unwrap_or_default();
            let application = port.str_at(&["appProtocol"]).map(Text::from);
            resolved.push((name.into(), number, protocol.into(), application));
        }
    }
    resolved
}

fn container_port(pod: &Body, name: &str, protocol: &str) -> Option<i64> {
    let lists = ["containers", "initContainers"];
    let containers = lists.iter().filter_map(|list| pod.at(&["spec", list])?.as_list()).flatten();
    containers
        .flat_map(|container| container.list_at(&["ports"]))
        .find(|port| {
            port.str_at(&["name"]) == Some(name)
                && port.str_at(&["protocol"]).unwrap_or("TCP") == protocol
        })?
        .int_at(&["containerPort"])
}

/// The hostname DNS knows the pod by, when its subdomain names this Service.
fn stable_hostname(service: &str, pod: &Body) -> Option<Text> {
    let hostname = pod.at(&["spec", "hostname"])?.as_str()?;
    let subdomain = pod.at(&["spec", "subdomain"])?.as_str()?;
    (subdomain == service).then(|| hostname.into())
}

fn zone_of(store: &Store, node: &str) -> Option<Text> {
    let id = store.find(store.kinds.node, None, node)?;
    let labels = store.sets.get(store.body(id)?.labels);
    labels.value_of("topology.kubernetes.io/zone").map(Into::into)
}

/// A boolean of a Service's spec.
pub fn flag(service: &Body, field: &str) -> bool {
    service.at(&["spec", field]).and_then(Value::as_bool).unwrap_or(false)
}
