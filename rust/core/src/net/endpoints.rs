//! The endpoints of a service port, and which of them a node uses.
//!
//! [`port_endpoints`] reads EndpointSlices into lists all nodes share; [`choose`] answers what
//! one node makes of a list: which endpoints traffic to all nodes goes to, which traffic kept on
//! the node, and whether there is any at all.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::service_ports::{Family, PortKey, Protocol, ServicePort, canonical};
use crate::base::{Interner, StrId, Text, Value};

/// One address and port that serves.
#[derive(Clone, Debug, PartialEq)]
pub struct Endpoint {
    /// The address.
    pub address: IpAddr,
    /// The port.
    pub port: u16,
    /// It takes new connections.
    pub ready: bool,
    /// It would, were it not about to end.
    pub serving: bool,
    /// It is about to end.
    pub terminating: bool,
    /// The node it is on, in the table's own numbers.
    pub node: Option<StrId>,
    /// Who is meant to use it; `None` when nothing is said.
    pub hints: Option<Arc<Hints>>,
}

impl Endpoint {
    /// The address and port, which print as in rules: an IPv6 address in brackets.
    pub fn socket(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }

    /// It still answers while it ends: used when nothing better is left.
    fn is_last_resort(&self) -> bool {
        self.serving && self.terminating
    }
}

/// Zones and nodes an endpoint is meant for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hints {
    /// `hints.forZones`.
    pub zones: Vec<StrId>,
    /// `hints.forNodes`.
    pub nodes: Vec<StrId>,
}

/// Endpoints by port of the Service, each list in order of its text, as kube-proxy sorts it.
pub type PortEndpoints = BTreeMap<PortKey, Vec<Endpoint>>;

/// The endpoints of a Service's slices in a family, in the order of the slices' names. An
/// endpoint that is listed twice counts as listed last, unless it ends there.
pub fn port_endpoints<'a>(
    slices: impl Iterator<Item = &'a Value>,
    family: Family,
    names: &mut Interner,
) -> PortEndpoints {
    let mut found: BTreeMap<PortKey, BTreeMap<Text, Endpoint>> = BTreeMap::new();
    for slice in slices {
        if slice.str_at(&["addressType"]) != Some(family.name()) {
            continue;
        }
        let endpoints = read_endpoints(slice, names);
        for port in slice.list_at(&["ports"]) {
            let number = port.int_at(&["port"]).and_then(|number| u16::try_from(number).ok());
            let Some(number) = number.filter(|number| *number != 0) else { continue };
            let name = port.str_at(&["name"]).unwrap_or_default().into();
            let protocol = Protocol::read(port.str_at(&["protocol"]));
            let known = found.entry((name, protocol)).or_default();
            for endpoint in &endpoints {
                let endpoint = Endpoint { port: number, ..endpoint.clone() };
                let text = compact_str::format_compact!("{}", endpoint.socket());
                if !endpoint.terminating || !known.contains_key(&text) {
                    known.insert(text, endpoint);
                }
            }
        }
    }
    let sorted = found.into_iter().filter(|(_, endpoints)| !endpoints.is_empty());
    sorted.map(|(key, endpoints)| (key, endpoints.into_values().collect())).collect()
}

/// The endpoints of a slice, still without a port.
fn read_endpoints(slice: &Value, names: &mut Interner) -> Vec<Endpoint> {
    let mut last: Option<(Value, Arc<Hints>)> = None;
    let mut endpoints = Vec::new();
    for endpoint in slice.list_at(&["endpoints"]) {
        let Some(address) = endpoint.list_at(&["addresses"]).first().and_then(Value::as_str) else {
            continue;
        };
        let Some(address) = canonical(address) else { continue };
        let condition = |name: &str| endpoint.at(&["conditions", name]).and_then(Value::as_bool);
        endpoints.push(Endpoint {
            address,
            port: 0,
            ready: condition("ready").unwrap_or(true),
            serving: condition("serving").unwrap_or(true),
            terminating: condition("terminating").unwrap_or(false),
            node: endpoint.str_at(&["nodeName"]).map(|node| names.intern(node)),
            hints: endpoint.get("hints").map(|hints| match &last {
                Some((same, read)) if same == hints => Arc::clone(read),
                _ => {
                    let read = Arc::new(read_hints(hints, names));
                    last = Some((hints.clone(), Arc::clone(&read)));
                    read
                }
            }),
        });
    }
    endpoints
}

fn read_hints(hints: &Value, names: &mut Interner) -> Hints {
    let mut read = |list: &str| {
        let hinted = hints.list_at(&[list]).iter().filter_map(|hint| hint.str_at(&["name"]));
        hinted.map(|name| names.intern(name)).collect()
    };
    Hints { zones: read("forZones"), nodes: read("forNodes") }
}

/// Where a node stands, in the table's numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The node itself.
    pub node: Option<StrId>,
    /// Its zone.
    pub zone: Option<StrId>,
}

/// What a node makes of the endpoints of a service port.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Choice<'a> {
    /// For traffic that may go to any node.
    pub cluster: Vec<&'a Endpoint>,
    /// For traffic kept on the node.
    pub local: Vec<&'a Endpoint>,
    /// All of both, each once, in order.
    pub reachable: Vec<&'a Endpoint>,
    /// Whether anything, anywhere, can take a connection.
    pub any: bool,
}

/// Chooses as kube-proxy does: ready endpoints, those hinted at this node or zone if every one
/// has a hint and one names it, and ending ones only when no other is left.
pub fn choose<'a>(endpoints: &'a [Endpoint], port: &ServicePort, place: Place) -> Choice<'a> {
    let mut choice = Choice::default();
    if endpoints.is_empty() {
        return choice;
    }
    let topology = if port.uses_cluster_endpoints() {
        choice.cluster_endpoints(endpoints, place)
    } else {
        Topology::Anywhere
    };
    if !port.uses_local_endpoints() {
        choice.reachable.clone_from(&choice.cluster);
        return choice;
    }
    let fell_back = choice.local_endpoints(endpoints, place);
    choice.reachable = if !port.uses_cluster_endpoints() {
        choice.local.clone()
    } else if topology == Topology::Anywhere && !fell_back {
        choice.cluster.clone()
    } else {
        merge(&choice.cluster, &choice.local)
    };
    choice
}

/// Whom hints restrict traffic to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Topology {
    Anywhere,
    SameZone,
    SameNode,
}

impl<'a> Choice<'a> {
    fn cluster_endpoints(&mut self, endpoints: &'a [Endpoint], place: Place) -> Topology {
        let topology = Topology::of(endpoints, place);
        let usable = |one: &&Endpoint| one.ready && topology.allows(one, place);
        self.cluster = endpoints.iter().filter(usable).collect();
        if self.cluster.is_empty() {
            self.cluster = endpoints.iter().filter(|one| one.is_last_resort()).collect();
        }
        self.any = !self.cluster.is_empty();
        topology
    }

    /// Whether only ending endpoints were left.
    fn local_endpoints(&mut self, endpoints: &'a [Endpoint], place: Place) -> bool {
        self.any |= endpoints.iter().any(|one| one.ready || one.is_last_resort());
        let is_local = |one: &&Endpoint| place.node.is_some() && one.node == place.node;
        let local = || endpoints.iter().filter(is_local);
        self.local = local().filter(|one| one.ready).collect();
        if !self.local.is_empty() {
            return false;
        }
        self.local = local().filter(|one| one.is_last_resort()).collect();
        !self.local.is_empty()
    }
}

impl Topology {
    /// Hints count only when every ready endpoint has one and one of them names this place.
    fn of(endpoints: &[Endpoint], place: Place) -> Self {
        let none = Hints::default();
        let hinted = |all: fn(&Hints) -> &[StrId], place: Option<StrId>| {
            let mut named = false;
            for endpoint in endpoints.iter().filter(|endpoint| endpoint.ready) {
                let hints = all(endpoint.hints.as_deref().unwrap_or(&none));
                if hints.is_empty() {
                    return false;
                }
                named |= place.is_some_and(|place| hints.contains(&place));
            }
            named
        };
        if hinted(|hints| &hints.nodes, place.node) {
            Self::SameNode
        } else if hinted(|hints| &hints.zones, place.zone) {
            Self::SameZone
        } else {
            Self::Anywhere
        }
    }

    fn allows(self, endpoint: &Endpoint, place: Place) -> bool {
        let Some(hints) = &endpoint.hints else { return self == Self::Anywhere };
        match self {
            Self::Anywhere => true,
            Self::SameZone => place.zone.is_some_and(|zone| hints.zones.contains(&zone)),
            Self::SameNode => place.node.is_some_and(|node| hints.nodes.contains(&node)),
        }
    }
}

/// Both lists as one, in the order of the texts.
fn merge<'a>(cluster: &[&'a Endpoint], local: &[&'a Endpoint]) -> Vec<&'a Endpoint> {
    let all = cluster.iter().chain(local).copied();
    let all: BTreeMap<String, &Endpoint> =
        all.map(|endpoint| (endpoint.socket().to_string(), endpoint)).collect();
    all.into_values().collect()
}

#[cfg(test)]
mod tests;
