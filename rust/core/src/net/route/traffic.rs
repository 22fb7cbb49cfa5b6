//! What nodes remember of the packets they have seen. It is part of a cluster's state.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::affinity::{End, Sticky};
use super::batch::{
    Column, DROP, ENDPOINT, ESTABLISHED, MASQUERADED, NO_ENDPOINT, REJECT, Request, Routed, STICKS,
};
use super::decide::{Flow, Missing, Way};
use super::draw::place;
use super::flows::{Entry, Flows, State, Tuple};
use super::{RouteTable, Touched, View};
use crate::base::{Interner, Text};
use crate::net::service_ports::{Family, Protocol};

/// What nodes remember; see the module header. Cloning it is a few reference counts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// How many connections were sent so far: the number of the next.
    pub sent: u64,
    /// Which clients stay with which endpoints.
    sticky: Arc<BTreeMap<Scope, Arc<Sticky>>>,
    /// Connections that are remembered, by family.
    flows: [Flows; 2],
    /// The numbers of nodes in them, less one.
    nodes: Interner,
}

/// A service port on a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Scope {
    is_six: bool,
    service: Text,
    protocol: u8,
    node: Text,
}

/// Packets of one node that need what it remembers.
pub struct Sticking<'a> {
    /// The node's name.
    pub node: &'a str,
    /// The packets.
    pub request: Request<'a>,
    /// When each is sent, in nanoseconds of virtual time.
    pub at_ns: Column<'a, i64>,
    /// How many clients a list holds; any number without it.
    pub cap: Option<u32>,
    /// The ports they come from; only connections that are remembered have any.
    pub source_port: Column<'a, u16>,
}

/// Where packets of a connection go whose endpoint no service has any more.
pub type Departed = (usize, End);

impl Sticking<'_> {
    fn tuple(&self, node: u32, at: usize) -> Tuple {
        let flow = self.request.flow(at);
        Tuple {
            node,
            source: flow.source,
            destination: flow.destination,
            source_port: self.source_port.at(at),
            port: flow.port,
            protocol: flow.protocol as u8,
        }
    }
}

/// A packet of no connection that is remembered.
const NEW: u8 = 32;

impl Traffic {
    /// Whether anything is remembered that depends on endpoints being there.
    pub fn is_live(&self) -> bool {
        !self.sticky.is_empty() || self.flows.iter().any(|flows| flows.has_udp)
    }

    /// How many connections are remembered at a time.
    pub fn connections(&self, now_ns: i64) -> usize {
        self.flows.iter().map(|flows| flows.len(now_ns)).sum()
    }

    /// Sends packets of connections: those of one that is remembered follow it, others begin one
    /// if they reach an endpoint. Answers which go to endpoints no service has any more.
    pub fn track(
        &mut self,
        table: &RouteTable,
        view: &mut View,
        sticking: &Sticking,
        routed: &mut Routed,
    ) -> Vec<Departed> {
        let node = self.number(sticking.node);
        let (mut departed, version) = (Vec::new(), table.version());
        let count = routed.flags.len();
        let tuple = |at: usize| sticking.tuple(node, at);
        let flows = &mut self.flows[table.family() as usize];
        let mut open = flows.open(count, tuple);
        let mut any_new = false;
        open.each(
            count,
            tuple,
            |at| sticking.at_ns.at(at),
            |at, entry| {
                let entry = entry.filter(|entry| entry.state != State::TimeWait);
                let Some(entry) = entry else {
                    any_new = true;
                    routed.flags[at] = NEW;
                    return;
                };
                entry.refresh(sticking.at_ns.at(at));
                routed.endpoints[at] = entry.endpoint(version).unwrap_or_else(|| {
                    let endpoint = table.find_end(sticking.request.flow(at), entry.end);
                    entry.remember(endpoint, version);
                    endpoint
                });
                if routed.endpoints[at] == NO_ENDPOINT {
                    departed.push((at, entry.end));
                }
                routed.flags[at] = established(entry);
            },
        );
        if any_new {
            self.begin(table, view, sticking, node, routed, &mut departed);
        }
        departed
    }

    /// Begins the connections nothing is remembered of, in order.
    fn begin(
        &mut self,
        table: &RouteTable,
        view: &mut View,
        sticking: &Sticking,
        node: u32,
        routed: &mut Routed,
        departed: &mut Vec<Departed>,
    ) {
        let family = table.family() as usize;
        let mut open = BTreeMap::new();
        for at in 0..routed.flags.len() {
            if routed.flags[at] != NEW {
                continue;
            }
            let (tuple, now_ns) = (sticking.tuple(node, at), sticking.at_ns.at(at));
            let known = self.flows[family].find(tuple, now_ns);
            if let Some(entry) = known.filter(|entry| entry.state != State::TimeWait) {
                let mut entry = *entry;
                entry.refresh(now_ns);
                let flow = sticking.request.flow(at);
                routed.endpoints[at] = table.find_end(flow, entry.end);
                routed.flags[at] = established(&entry);
                if routed.endpoints[at] == NO_ENDPOINT {
                    departed.push((at, entry.end));
                }
                self.flows[family].insert(entry, now_ns);
                continue;
            }
            let (endpoint, flags) = loop {
                match self.begin_one(table, view, sticking, at, &mut open) {
                    Ok(end) => break end,
                    Err(Missing(port)) => view.make(table, port),
                }
            };
            (routed.endpoints[at], routed.flags[at]) = (endpoint, flags);
            if flags & REJECT != ENDPOINT {
                continue;
            }
            let end = table.end(endpoint);
            let mut nat_port = 0;
            if flags & MASQUERADED != 0 {
                let mut random = sticking.request.dice.more(sticking.request.number.at(at));
                let wish = random() as u16;
                let Some(port) = self.flows[family].free_port(tuple, end, wish, now_ns) else {
                    (routed.endpoints[at], routed.flags[at]) = (NO_ENDPOINT, DROP);
                    continue;
                };
                nat_port = port;
            }
            let entry = Entry::new(tuple, end, nat_port, now_ns, (endpoint, table.version()));
            self.flows[family].insert(entry, now_ns);
        }
        self.put_back(open);
    }

    fn begin_one(
        &mut self,
        table: &RouteTable,
        view: &View,
        sticking: &Sticking,
        at: usize,
        open: &mut BTreeMap<u32, (Scope, Sticky)>,
    ) -> Result<(u32, u8), Missing> {
        let (endpoint, flags) = table.route_one(view, &sticking.request, at)?;
        if flags == STICKS {
            return self.stick_one(table, view, sticking, at, sticking.request.flow(at), open);
        }
        Ok((endpoint, flags))
    }

    /// Which of some connections are remembered, and the ports they seem to come from.
    pub fn look(&self, family: Family, sticking: &Sticking, count: usize) -> Vec<Option<u16>> {
        let Some(node) = self.nodes.find(sticking.node) else { return vec![None; count] };
        let node = node.index() as u32 + 1;
        let flows = &self.flows[family as usize];
        let find = |at: usize| flows.find(sticking.tuple(node, at), sticking.at_ns.at(at));
        (0..count).map(|at| find(at).map(|entry| entry.nat_port)).collect()
    }

    /// Closes connections, or one side of them.
    pub fn close(&mut self, family: Family, sticking: &Sticking, count: usize, half: bool) {
        let node = self.number(sticking.node);
        let tuple = |at: usize| sticking.tuple(node, at);
        let mut open = self.flows[family as usize].open(count, tuple);
        open.each(
            count,
            tuple,
            |at| sticking.at_ns.at(at),
            |at, entry| {
                if let Some(entry) = entry {
                    entry.close(half, sticking.at_ns.at(at));
                }
            },
        );
    }

    /// The number of a node in connections.
    fn number(&mut self, node: &str) -> u32 {
        self.nodes.intern(node).index() as u32 + 1
    }

    /// How many clients are noted in all lists together.
    pub fn clients(&self) -> usize {
        self.sticky.values().map(|sticky| sticky.len()).sum()
    }

    /// Sends on the packets a batch left because their clients stay with an endpoint, in order.
    pub fn stick(
        &mut self,
        table: &RouteTable,
        view: &mut View,
        sticking: &Sticking,
        routed: &mut Routed,
    ) {
        let mut open: BTreeMap<u32, (Scope, Sticky)> = BTreeMap::new();
        let request = &sticking.request;
        for at in 0..routed.flags.len() {
            if routed.flags[at] != STICKS {
                continue;
            }
            let flow = request.flow(at);
            let end = loop {
                match self.stick_one(table, view, sticking, at, flow, &mut open) {
                    Ok(end) => break end,
                    Err(Missing(port)) => view.make(table, port),
                }
            };
            (routed.endpoints[at], routed.flags[at]) = end;
        }
        self.put_back(open);
    }

    fn put_back(&mut self, open: BTreeMap<u32, (Scope, Sticky)>) {
        if open.is_empty() {
            return;
        }
        let sticky = Arc::make_mut(&mut self.sticky);
        for (scope, lists) in open.into_values() {
            sticky.insert(scope, Arc::new(lists));
        }
    }

    fn stick_one(
        &mut self,
        table: &RouteTable,
        view: &View,
        sticking: &Sticking,
        at: usize,
        flow: Flow,
        open: &mut BTreeMap<u32, (Scope, Sticky)>,
    ) -> Result<(u32, u8), Missing> {
        let Way::Endpoints { port, list, masquerade } = table.decide(view, flow)? else {
            return Ok((NO_ENDPOINT, super::batch::PASS));
        };
        let (_, sticky) = open.entry(port).or_insert_with(|| self.take(table, port, sticking.node));
        let now_ns = sticking.at_ns.at(at);
        let end = |endpoint: u32| -> End { table.end(endpoint) };
        let seconds = table.entry(port).affinity_seconds;
        let known = sticky.find(flow.source, list.iter().map(end), now_ns, seconds);
        let request = &sticking.request;
        let chosen =
            known.unwrap_or_else(|| place(request.dice.of(request.number.at(at)), list.len()));
        let arrived = table.arrive(view, flow, list, chosen, masquerade)?;
        sticky.note(flow.source, end(list.at(chosen)), now_ns, sticking.cap);
        Ok(arrived)
    }

    /// The lists of a service port on a node, taken out.
    fn take(&mut self, table: &RouteTable, port: u32, node: &str) -> (Scope, Sticky) {
        let service = &table.source(port).1.service;
        let scope = Scope {
            is_six: table.family() == Family::V6,
            service: service.name.clone(),
            protocol: service.protocol as u8,
            node: node.into(),
        };
        let known = Arc::make_mut(&mut self.sticky).remove(&scope);
        (scope, known.map(Arc::unwrap_or_clone).unwrap_or_default())
    }

    /// Forgets what depends on endpoints that are gone. `view_of` answers a node's view by name,
    /// if there is such a node still.
    pub fn heed(
        &mut self,
        table: &RouteTable,
        touched: &[Touched],
        now_ns: i64,
        mut has_rules: impl FnMut(&str, u32, End) -> bool,
    ) {
        let is_six = table.family() == Family::V6;
        let flows = &mut self.flows[table.family() as usize];
        if flows.has_udp && touched.iter().any(|port| port.protocol == Protocol::Udp) {
            flows.remove_if(now_ns, |entry| is_stale(table, entry));
        }
        for Touched { name, protocol, port } in touched {
            if port.is_none() && touched.iter().any(|other| is_same(other, name, *protocol)) {
                continue;
            }
            let first = Scope {
                is_six,
                service: name.clone(),
                protocol: *protocol as u8,
                node: Text::default(),
            };
            let scopes = self.sticky.range(first..).map(|(scope, _)| scope);
            let its = |scope: &&Scope| {
                scope.is_six == is_six
                    && scope.service == *name
                    && scope.protocol == *protocol as u8
            };
            let scopes: Vec<Scope> = scopes.take_while(its).cloned().collect();
            for scope in scopes {
                let sticky = Arc::make_mut(&mut self.sticky);
                let lists = Arc::make_mut(sticky.get_mut(&scope).expect("just seen"));
                lists.keep(|end| port.is_some_and(|port| has_rules(&scope.node, port, end)));
                if lists.is_empty() {
                    sticky.remove(&scope);
                }
            }
        }
    }
}

fn established(entry: &Entry) -> u8 {
    ENDPOINT | ESTABLISHED | if entry.nat_port == 0 { 0 } else { MASQUERADED }
}

/// Whether kube-proxy clears an entry: one of UDP to an address or node port of a service that
/// has serving endpoints, but not this one.
fn is_stale(table: &RouteTable, entry: &Entry) -> bool {
    if entry.tuple.protocol != Protocol::Udp as u8 {
        return false;
    }
    let Tuple { destination, port, .. } = entry.tuple;
    let ports =
        [table.target(destination, port, Protocol::Udp), table.node_port(port, Protocol::Udp)];
    let (address, number) = entry.end;
    let end = (table.addresses.address(address), number);
    ports.into_iter().flatten().any(|target| {
        let endpoints = &table.source(target.port).1.endpoints;
        let mut serving = endpoints.iter().filter(|endpoint| endpoint.serving).peekable();
        serving.peek().is_some() && !serving.any(|one| (one.address, one.port) == end)
    })
}

/// Whether a service port is still there under this name.
fn is_same(touched: &Touched, name: &str, protocol: Protocol) -> bool {
    touched.port.is_some() && touched.name == name && touched.protocol == protocol
}
