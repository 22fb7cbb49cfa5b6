//! Connections through the network: who sends, what nodes make of it, and what they remember.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;

use super::World;
use crate::api::ApiResult;
use crate::base::ip::parse_ip;
use crate::base::{FastMap, Text};
use crate::net::Family;
use crate::net::route::batch::{
    Column, DROP, ENDPOINT, MASQUERADED, NO_ENDPOINT, Numbers, PASS, REJECT, STICKS,
};
use crate::net::route::decide::{Flow, Missing, Way};
use crate::net::route::traffic::Sticking;
use crate::net::route::{Dice, Request, RouteTable, Routed, View, aggregate};
use crate::net::rules::{Config, Node, RuleSet};
use crate::net::service_ports::Protocol;
use crate::net::walk::{Packet, Verdict, walk_by};

/// How connections find their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// By the table.
    Table,
    /// By walking the rules, with a draw of 31 bits per rule. Clients are new to every list.
    Chain,
}

/// Connections to send. Columns have one value, or one per connection.
#[derive(Clone, Debug)]
pub struct Sending {
    /// The family of all addresses.
    pub family: Family,
    /// The protocol of all.
    pub protocol: Protocol,
    /// How kube-proxies are set up.
    pub config: Config,
    /// The nodes whose rules are met, by name.
    pub nodes: Vec<String>,
    /// Which of those each connection meets.
    pub node: Vec<u32>,
    /// Where they come from.
    pub source: Vec<u32>,
    /// Where they go to.
    pub destination: Vec<u32>,
    /// The port there.
    pub port: Vec<u16>,
    /// When they begin, in nanoseconds of virtual time.
    pub at_ns: Vec<i64>,
    /// How many there are.
    pub count: usize,
    /// Other random numbers for each.
    pub epoch: u64,
    /// Whether several threads may share the work.
    pub threads: bool,
    /// How many clients a list of session affinity holds.
    pub cap: Option<u32>,
    /// How they find their way.
    pub mode: Mode,
    /// The ports they come from, when nodes are to remember them.
    pub source_port: Option<Vec<u16>>,
}

/// What became of connections that were only counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// How many each endpoint got, by number.
    pub endpoints: BTreeMap<u32, u64>,
    /// How many of all that arrived got the address of a node as source.
    pub masqueraded: u64,
    /// How many met each verdict: [`ENDPOINT`], [`PASS`], [`DROP`] and [`REJECT`].
    pub verdicts: [u64; 4],
}

/// A column of values, seen as one value for all where there is only one.
fn column<T: Copy>(values: &[T], count: usize) -> Column<'_, T> {
    if values.len() == 1 && count != 1 { Column::One(values[0]) } else { Column::Many(values) }
}

impl World {
    /// The numbers of addresses of a family, and new ones for those that have none.
    pub fn number_addresses(
        &mut self,
        family: Family,
        addresses: impl Iterator<Item = IpAddr>,
    ) -> Vec<u32> {
        let table = self.router.table_mut(family);
        addresses.map(|address| table.addresses.number(address)).collect()
    }

    /// The table of a family as it was when something was last sent.
    pub fn route_table(&self, family: Family) -> &RouteTable {
        self.router.table(family)
    }

    /// Sends connections.
    ///
    /// # Errors
    /// When there is no node of a name.
    pub fn send(&mut self, sending: &Sending) -> ApiResult<Routed> {
        self.follow_routes();
        self.router.set_config(sending.config.clone());
        let nodes = self.gates(&sending.nodes)?;
        let first = self.traffic.sent;
        self.traffic.sent += sending.count as u64;
        if nodes.len() == 1 {
            let all = Part::all(sending);
            return Ok(self.send_by(sending, &all, &nodes[0], Numbers::From(first)));
        }
        let mut routed = Routed {
            endpoints: vec![NO_ENDPOINT; sending.count],
            flags: vec![PASS; sending.count],
            departed: Vec::new(),
        };
        let mut places: Vec<Vec<u32>> = vec![Vec::new(); nodes.len()];
        let node = column(&sending.node, sending.count);
        for at in 0..sending.count {
            places[node.at(at) as usize].push(at as u32);
        }
        for (places, node) in places.iter().zip(&nodes).filter(|(places, _)| !places.is_empty()) {
            let part = Part::of(sending, places);
            let numbers = Numbers::After(first, places);
            let its = self.send_by(sending, &part, node, numbers);
            for (at, place) in places.iter().enumerate() {
                routed.endpoints[*place as usize] = its.endpoints[at];
                routed.flags[*place as usize] = its.flags[at];
            }
            let departed = its.departed.iter().map(|(at, end)| (places[*at] as usize, *end));
            routed.departed.extend(departed);
        }
        Ok(routed)
    }

    /// Counts connections without sending each: `counts` to each destination.
    ///
    /// # Errors
    /// When there is no node of a name.
    pub fn send_counted(&mut self, sending: &Sending, counts: &[u64]) -> ApiResult<Counted> {
        self.follow_routes();
        self.router.set_config(sending.config.clone());
        let nodes = self.gates(&sending.nodes)?;
        let dice = Dice::new(self.store.seed(), sending.epoch);
        let all = Part::all(sending);
        let request = all.request(sending, Numbers::From(self.traffic.sent), dice);
        let (node, count) = (column(&sending.node, sending.count), column(counts, sending.count));
        let mut counted = Counted::default();
        for at in 0..sending.count {
            let here = nodes[node.at(at) as usize].clone();
            let (table, view) = self.router.view(sending.family, here);
            let mut random = dice.more(request.number.at(at));
            let flow = request.flow(at);
            while let Err(Missing(port)) = counted.add(table, view, flow, count.at(at), &mut random)
            {
                view.make(table, port);
            }
            self.traffic.sent += 1;
        }
        Ok(counted)
    }

    /// Brings the tables up to date, and lets nodes forget what depended on what is gone.
    pub fn follow_routes(&mut self) {
        self.routes.follow(&self.store);
        if !self.traffic.is_live() {
            return self.router.follow(&self.routes, None);
        }
        let mut touched = [Vec::new(), Vec::new()];
        self.router.follow(&self.routes, Some(&mut touched));
        for family in Family::BOTH {
            let touched = &touched[family as usize];
            if touched.is_empty() {
                continue;
            }
            let (store, routes, router) = (&self.store, &mut self.routes, &mut self.router);
            let table = router.table(family).clone();
            self.traffic.heed(&table, touched, store.now.0, |node, port, end| {
                let Ok(id) = store.require(store.kinds.node, None, node) else { return false };
                let Some(node) = routes.node_of(store, id) else { return false };
                let (table, view) = router.view(family, node);
                table.reaches(view, port, end)
            });
        }
    }

    /// The nodes of these names as their kube-proxies know them.
    fn gates(&mut self, names: &[String]) -> ApiResult<Vec<Node>> {
        let find = |name: &String| {
            let id = self.store.require(self.store.kinds.node, None, name)?;
            Ok(self.routes.node_of(&self.store, id).expect("it was just found"))
        };
        names.iter().map(find).collect()
    }

    /// Sends connections that meet the rules of one node.
    fn send_by(&mut self, sending: &Sending, part: &Part, node: &Node, numbers: Numbers) -> Routed {
        let dice = Dice::new(self.store.seed(), sending.epoch);
        let request = part.request(sending, numbers, dice);
        if sending.mode == Mode::Chain {
            return self.send_by_rules(sending, &request, part.count, node);
        }
        let (table, view) = self.router.view(sending.family, node.clone());
        let name = node.place.node.map_or("", |node| self.routes.name(node));
        let sticking = part.sticking(sending, name, request);
        if sending.source_port.is_some() {
            let mut routed = Routed {
                endpoints: vec![NO_ENDPOINT; part.count],
                flags: vec![PASS; part.count],
                departed: Vec::new(),
            };
            routed.departed = self.traffic.track(table, view, &sticking, &mut routed);
            return routed;
        }
        let mut routed = table.route(view, &request, part.count, sending.threads);
        if routed.flags.contains(&STICKS) {
            self.traffic.stick(table, view, &sticking, &mut routed);
        }
        routed
    }

    /// Which connections are remembered, and the ports they seem to come from when they are
    /// masqueraded.
    pub fn look_at_connections(&mut self, sending: &Sending) -> Vec<Option<u16>> {
        self.follow_routes();
        let mut found = vec![None; sending.count];
        for (name, part, places) in parts(sending) {
            let request = part.request(sending, Numbers::From(0), Dice::new(0, 0));
            let sticking = part.sticking(sending, name, request);
            let its = self.traffic.look(sending.family, &sticking, part.count);
            for (place, one) in places.into_iter().zip(its) {
                found[place as usize] = one;
            }
        }
        found
    }

    /// Closes connections, or one side of them.
    pub fn close_connections(&mut self, sending: &Sending, half: bool) {
        self.follow_routes();
        for (name, part, _) in parts(sending) {
            let request = part.request(sending, Numbers::From(0), Dice::new(0, 0));
            let sticking = part.sticking(sending, name, request);
            self.traffic.close(sending.family, &sticking, part.count, half);
        }
    }

    fn send_by_rules(
        &mut self,
        sending: &Sending,
        request: &Request,
        count: usize,
        node: &Node,
    ) -> Routed {
        let rules = RuleSet::of(&self.routes, sending.family, &sending.config, node);
        let (table, _) = self.router.view(sending.family, node.clone());
        let one = |at: usize| {
            let flow = request.flow(at);
            let packet = Packet {
                source: table.addresses.address(flow.source),
                protocol: flow.protocol,
                destination: table.addresses.address(flow.destination),
                port: flow.port,
                interface: None,
            };
            let number = request.number.at(at);
            let outcome = walk_by(&rules, node, &packet, &mut request.dice.more(number));
            match outcome.verdicts.last() {
                Some(Verdict::Endpoint(to)) => {
                    let masqueraded = if outcome.masquerade { MASQUERADED } else { 0 };
                    (table.find_endpoint(flow, *to), ENDPOINT | masqueraded)
                }
                Some(Verdict::Drop) => (NO_ENDPOINT, DROP),
                Some(Verdict::Reject) => (NO_ENDPOINT, REJECT),
                Some(Verdict::Accept) | None => (NO_ENDPOINT, PASS),
            }
        };
        let (endpoints, flags) = (0..count).map(one).unzip();
        Routed { endpoints, flags, departed: Vec::new() }
    }

    /// The nodes IPv4 addresses are on, by name, and which of them each is; `elsewhere` for
    /// addresses no pod or node has.
    pub fn nodes_of_addresses(
        &self,
        addresses: &[u32],
        elsewhere: &str,
    ) -> (Vec<String>, Vec<u32>) {
        let owners = self.nodes_by_address();
        let (mut names, mut numbers) = (Vec::new(), FastMap::<&str, u32>::default());
        let mut codes = Vec::with_capacity(addresses.len());
        for address in addresses {
            let name = owners.get(address).map_or(elsewhere, |name| name.as_str());
            let code = *numbers.get_or_insert_with(name, || {
                names.push(name.to_owned());
                names.len() as u32 - 1
            });
            codes.push(code);
        }
        (names, codes)
    }

    /// The node of every pod and node with an IPv4 address.
    fn nodes_by_address(&self) -> FastMap<u32, Text> {
        let (store, mut owners) = (&self.store, FastMap::default());
        for (slot, _) in store.table(store.kinds.pod).iter() {
            let pod = store.pod(slot);
            if let Some(node) = pod.node.filter(|_| pod.ip != 0 && !pod.phase.is_terminal()) {
                owners.insert(pod.ip, store.strings.text(node).into());
            }
        }
        for (_, row) in store.table(store.kinds.node).iter() {
            let addresses = row.body.as_ref().map(|body| body.status.list_at(&["addresses"]));
            for entry in addresses.unwrap_or_default() {
                if let Some(IpAddr::V4(address)) = entry.str_at(&["address"]).and_then(parse_ip) {
                    owners.insert(address.into(), row.name.text(&store.strings));
                }
            }
        }
        owners
    }
}

impl Counted {
    /// Counts connections of one sort.
    fn add(
        &mut self,
        table: &RouteTable,
        view: &View,
        flow: Flow,
        connections: u64,
        random: &mut impl FnMut() -> u64,
    ) -> Result<(), Missing> {
        let verdict = match table.decide(view, flow)? {
            Way::Endpoints { list, masquerade, .. } => {
                let mut counts = vec![0; list.len() as usize];
                // Whether each arrives is known before anything is counted.
                let arrives: Result<Vec<(u32, u8)>, Missing> = (0..list.len())
                    .map(|place| table.arrive(view, flow, list, place, masquerade))
                    .collect();
                let arrives = arrives?;
                aggregate::spread(connections, &mut counts, random);
                for ((endpoint, flags), count) in arrives.into_iter().zip(counts) {
                    self.verdicts[usize::from(flags & REJECT)] += count;
                    if flags & REJECT == ENDPOINT {
                        *self.endpoints.entry(endpoint).or_default() += count;
                        self.masqueraded += if flags & MASQUERADED == 0 { 0 } else { count };
                    }
                }
                return Ok(());
            }
            Way::Pass | Way::Accept => PASS,
            Way::Drop => DROP,
            Way::Reject => REJECT,
        };
        self.verdicts[usize::from(verdict)] += connections;
        Ok(())
    }
}

/// The columns of some of the connections.
struct Part<'a> {
    source: Cow<'a, [u32]>,
    destination: Cow<'a, [u32]>,
    port: Cow<'a, [u16]>,
    at_ns: Cow<'a, [i64]>,
    source_port: Cow<'a, [u16]>,
    count: usize,
}

impl<'a> Part<'a> {
    fn all(sending: &'a Sending) -> Self {
        Self {
            source: Cow::Borrowed(&sending.source),
            destination: Cow::Borrowed(&sending.destination),
            port: Cow::Borrowed(&sending.port),
            at_ns: Cow::Borrowed(&sending.at_ns),
            source_port: Cow::Borrowed(sending.source_port.as_deref().unwrap_or(&[0])),
            count: sending.count,
        }
    }

    /// Those at these places.
    fn of(sending: &Sending, places: &[u32]) -> Part<'static> {
        Part {
            source: chosen(&sending.source, sending.count, places),
            destination: chosen(&sending.destination, sending.count, places),
            port: chosen(&sending.port, sending.count, places),
            at_ns: chosen(&sending.at_ns, sending.count, places),
            source_port: match &sending.source_port {
                Some(ports) => chosen(ports, sending.count, places),
                None => Cow::Owned(vec![0]),
            },
            count: places.len(),
        }
    }

    fn sticking<'b>(
        &'b self,
        sending: &Sending,
        node: &'b str,
        request: Request<'b>,
    ) -> Sticking<'b> {
        Sticking {
            node,
            request,
            at_ns: column(&self.at_ns, self.count),
            cap: sending.cap,
            source_port: column(&self.source_port, self.count),
        }
    }

    fn request<'b>(&'b self, sending: &Sending, number: Numbers<'b>, dice: Dice) -> Request<'b> {
        Request {
            source: column(&self.source, self.count),
            destination: column(&self.destination, self.count),
            port: column(&self.port, self.count),
            protocol: sending.protocol,
            number,
            dice,
        }
    }
}

/// The connections of each node, with its name and their places.
fn parts(sending: &Sending) -> Vec<(&str, Part<'static>, Vec<u32>)> {
    let node = column(&sending.node, sending.count);
    let mut places = vec![Vec::new(); sending.nodes.len()];
    for at in 0..sending.count {
        places[node.at(at) as usize].push(at as u32);
    }
    let named = sending.nodes.iter().zip(places);
    named.map(|(name, places)| (name.as_str(), Part::of(sending, &places), places)).collect()
}

/// The values of some connections; one that is for all stays so, unless there is but one left.
fn chosen<T: Copy>(values: &[T], count: usize, places: &[u32]) -> Cow<'static, [T]> {
    let values = column(values, count);
    match values {
        Column::One(value) => Cow::Owned(vec![value]),
        Column::Many(_) => Cow::Owned(places.iter().map(|at| values.at(*at as usize)).collect()),
    }
}
