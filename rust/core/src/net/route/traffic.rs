//! What nodes remember of the packets they have seen. It is part of a cluster's state.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::affinity::{End, Sticky};
use super::batch::{Column, NO_ENDPOINT, Request, Routed, STICKS};
use super::decide::{Flow, Missing, Way};
use super::draw::place;
use super::{RouteTable, Touched, View};
use crate::base::Text;
use crate::net::service_ports::{Family, Protocol};

/// What nodes remember; see the module header. Cloning it is a few reference counts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Traffic {
    /// How many connections were sent so far: the number of the next.
    pub sent: u64,
    /// Which clients stay with which endpoints.
    sticky: Arc<BTreeMap<Scope, Arc<Sticky>>>,
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
}

impl Traffic {
    /// Whether anything is remembered that depends on endpoints being there.
    pub fn is_live(&self) -> bool {
        !self.sticky.is_empty()
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
        mut has_rules: impl FnMut(&str, u32, End) -> bool,
    ) {
        let is_six = table.family() == Family::V6;
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

/// Whether a service port is still there under this name.
fn is_same(touched: &Touched, name: &str, protocol: Protocol) -> bool {
    touched.port.is_some() && touched.name == name && touched.protocol == protocol
}
