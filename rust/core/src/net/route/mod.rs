//! Services as a table: where a packet goes without walking any rules.
//!
//! ```text
//!   (address, port, protocol) ──► service port ──► range of endpoints ──► one of them
//!        keys, 16 bytes             ports              arena
//! ```
//!
//! [`RouteTable`] is compiled from the [`ServiceTable`] and follows it at the cost of what
//! changed; nodes share all of it. What a node adds is a [`View`]: its addresses, how it tells its
//! pods, and the lists of those service ports that are not the same for everybody. [`decide`]
//! answers what the rules say of one packet, exactly; [`batch`] does so for columns of packets,
//! quickly; [`plain`] is the way to compare both with rules. [`draw`] has the random
//! numbers, [`aggregate`] counts without packets. [`Traffic`] is what nodes remember of packets that
//! were sent: [`affinity`] and [`flows`].

pub mod addresses;
pub mod affinity;
pub mod aggregate;
pub mod arena;
pub mod batch;
pub mod decide;
pub mod draw;
pub mod flows;
pub mod keys;
pub mod plain;
pub mod port;
pub mod router;
pub mod traffic;
pub mod view;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

pub use self::addresses::{Addresses, UNKNOWN};
use self::arena::{Arena, Hot};
pub use self::batch::{Column, Request, Routed};
pub use self::decide::{Flow, Way};
pub use self::draw::Dice;
use self::keys::{Cell, Keys, Portal, Target, key};
pub use self::port::PortEntry;
pub use self::router::Router;
pub use self::traffic::Traffic;
pub use self::view::View;
use crate::base::{CowMap, CowVec, Text};
use crate::net::endpoints::Endpoint;
use crate::net::service_ports::{Family, Protocol, ServicePort};
use crate::net::table::{Mark, Port, Service, ServiceTable};

/// The services of one family as a table; see the module header. Cloning it is a few reference
/// counts.
#[derive(Clone, Debug)]
pub struct RouteTable {
    family: Family,
    /// The numbers of addresses.
    pub addresses: Addresses,
    keys: Keys,
    /// By port and protocol, at any address of a node.
    node_ports: Keys,
    /// Where keys lead that several service ports claim, in the order of their rules.
    claims: Arc<Claims>,
    /// Ports of health checks, and how many Services have each.
    health_checks: CowMap<u16, u32>,
    ports: CowVec<PortEntry>,
    /// What the service ports were compiled from, and which of its Service's ports each is.
    sources: CowVec<Option<(Arc<Service>, u32)>>,
    free: CowVec<u32>,
    /// The first service port of each Service, by slot, and how many follow it.
    services: CowMap<u32, Vec<u32>>,
    arena: Arena,
    /// Counts changes of service ports.
    version: u32,
    mark: Option<Mark>,
    /// Addresses of service ports at which packets may be refused.
    refusing: port::Refusing,
}

/// Service ports by the key they share, and whether that is one of node ports.
type Claims = BTreeMap<(bool, u64), Vec<(u32, Portal)>>;

/// A service port that became another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Touched {
    /// `namespace/name:port`.
    pub name: Text,
    /// Its protocol.
    pub protocol: Protocol,
    /// Its number now; `None` for what was before.
    pub port: Option<u32>,
}

impl RouteTable {
    /// The table of no services.
    pub fn new(family: Family) -> Self {
        Self {
            family,
            addresses: Addresses::new(family),
            keys: Keys::default(),
            node_ports: Keys::default(),
            claims: Arc::default(),
            health_checks: CowMap::new(),
            ports: CowVec::new(),
            sources: CowVec::new(),
            free: CowVec::new(),
            services: CowMap::new(),
            arena: Arena::default(),
            version: 0,
            mark: None,
            refusing: port::Refusing::default(),
        }
    }

    /// The family.
    pub fn family(&self) -> Family {
        self.family
    }

    /// Takes in what changed since the last time. Whoever wants to know is told which service
    /// ports became others.
    pub fn follow(&mut self, services: &ServiceTable, mut touched: Option<&mut Vec<Touched>>) {
        let mark = services.mark(self.family);
        if self.mark == Some(mark) {
            return;
        }
        let changed = self.mark.and_then(|mark| services.changed_since(self.family, mark));
        let changed: Option<Vec<u32>> = changed.map(Iterator::collect);
        let mut slots = changed.unwrap_or_else(|| {
            let known = self.services.iter().map(|(slot, _)| *slot);
            known.chain(services.slots(self.family)).collect()
        });
        slots.sort_unstable();
        slots.dedup();
        for slot in slots {
            if let Some(touched) = &mut touched {
                let before = self.ports_of(slot).iter().map(|port| self.touched(*port, false));
                touched.extend(before);
            }
            self.put(slot, services.service(self.family, slot));
            if let Some(touched) = &mut touched {
                touched.extend(self.ports_of(slot).iter().map(|port| self.touched(*port, true)));
            }
        }
        self.mark = Some(mark);
    }

    fn touched(&self, port: u32, is_there: bool) -> Touched {
        let service = &self.source(port).1.service;
        let (name, protocol) = (service.name.clone(), service.protocol);
        Touched { name, protocol, port: is_there.then_some(port) }
    }

    /// The number of a service port's key, its portal and whether others claim it too.
    pub fn target(&self, address: u32, port: u16, protocol: Protocol) -> Option<Target> {
        self.keys.get(key(address, port, protocol))
    }

    /// The service port that a node port leads to.
    pub fn node_port(&self, port: u16, protocol: Protocol) -> Option<Target> {
        self.node_ports.get(key(0, port, protocol))
    }

    /// A service port by number.
    pub fn entry(&self, port: u32) -> PortEntry {
        self.ports[port as usize]
    }

    /// What a service port was compiled from, with its Service.
    ///
    /// # Panics
    /// When there is no such service port.
    pub fn source(&self, port: u32) -> (&Service, &Port) {
        let (service, at) = self.sources[port as usize].as_ref().expect("a service port in use");
        (service, &service.ports[*at as usize])
    }

    /// The numbers of the service ports of the Service at a slot.
    pub fn ports_of(&self, slot: u32) -> &[u32] {
        self.services.get(&slot).map_or(&[], Vec::as_slice)
    }

    /// How many service ports there is room for.
    pub fn port_count(&self) -> usize {
        self.ports.len()
    }

    /// How many endpoints there is room for: the numbers of endpoints lie below.
    pub fn endpoint_count(&self) -> usize {
        self.arena.len()
    }

    /// The address and port of an endpoint.
    pub fn endpoint(&self, at: u32) -> (IpAddr, u16) {
        let hot = self.arena.hot(at);
        (self.addresses.address(hot.address), hot.port)
    }

    /// An endpoint as lists of clients know it.
    pub fn end(&self, at: u32) -> affinity::End {
        let hot = self.arena.hot(at);
        (hot.address, hot.port)
    }

    /// The service port an endpoint belongs to.
    pub fn owner(&self, endpoint: u32) -> u32 {
        self.arena.owner(endpoint)
    }

    /// The endpoints of a service port in the order of their numbers.
    pub fn in_arena_order(&self, port: u32) -> impl Iterator<Item = &Endpoint> {
        let endpoints = &self.source(port).1.endpoints;
        port::order(endpoints).places.into_iter().map(|place| &endpoints[place as usize])
    }

    /// The number of the endpoint with an address and port among those a packet may be for;
    /// [`batch::NO_ENDPOINT`] when there is none.
    pub fn find_endpoint(&self, flow: Flow, to: SocketAddr) -> u32 {
        self.find_end(flow, (self.addresses.find(to.ip()), to.port()))
    }

    /// The same by the number of the address.
    pub fn find_end(&self, flow: Flow, end: affinity::End) -> u32 {
        let claimed = key(flow.destination, flow.port, flow.protocol);
        let at_node = self.targets(true, key(0, flow.port, flow.protocol));
        self.targets(false, claimed)
            .chain(at_node)
            .find_map(|(port, _)| {
                let entry = self.entry(port);
                let mut numbers = entry.start()..entry.start() + entry.count;
                numbers.find(|endpoint| self.end(*endpoint) == end)
            })
            .unwrap_or(batch::NO_ENDPOINT)
    }

    /// Whether a node has rules for an endpoint of a service port; the view gets the lists it
    /// lacks.
    pub fn reaches(&self, view: &mut View, port: u32, end: affinity::End) -> bool {
        let entry = self.entry(port);
        if !entry.is_by_node() {
            let mut shared = entry.start()..entry.start() + entry.shared;
            return shared.any(|endpoint| self.end(endpoint) == end);
        }
        if view.lists(port, entry.version).is_none() {
            view.make(self, port);
        }
        let lists = view.lists(port, entry.version).expect("just made");
        lists.reachable.iter().any(|endpoint| self.end(*endpoint) == end)
    }

    /// The numbers of the endpoints at an address; looks at every endpoint.
    pub fn endpoints_at(&self, address: u32) -> Vec<u32> {
        self.arena.all(|endpoint| endpoint == address)
    }

    /// Whether packets to any endpoint may be refused on a node; looks at every endpoint.
    pub fn may_refuse_any(&self, view: &View) -> bool {
        let is_suspect = |address| self.may_be_refused(view, address);
        self.may_refuse_later() && !self.arena.all(is_suspect).is_empty()
    }

    /// Counts changes.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// How many bytes the table takes, but for the compiled services it points to.
    pub fn bytes(&self) -> usize {
        self.keys.bytes()
            + self.node_ports.bytes()
            + self.arena.bytes()
            + self.ports.len() * (size_of::<PortEntry>() + size_of::<Option<(Arc<Service>, u32)>>())
    }

    /// Replaces the service ports of the Service at a slot.
    fn put(&mut self, slot: u32, service: Option<&Arc<Service>>) {
        let before = self.services.get(&slot).cloned().unwrap_or_default();
        if let (Some((old, _)), Some(new)) =
            (before.first().and_then(|port| self.sources[*port as usize].as_ref()), service)
            && Arc::ptr_eq(old, new)
        {
            return;
        }
        self.version = self.version.wrapping_add(1);
        let wanted = service.map_or(0, |service| service.ports.len());
        for port in before.iter().copied() {
            self.retract(port);
        }
        let mut numbers = before;
        for port in numbers.drain(wanted.min(numbers.len())..).collect::<Vec<_>>() {
            self.arena.release(self.entry(port).range());
            self.ports.set(port as usize, PortEntry::default());
            self.sources.set(port as usize, None);
            self.free.push(port);
        }
        while numbers.len() < wanted {
            let number = self.number();
            numbers.push(number);
        }
        let Some(service) = service else {
            self.services.remove(&slot);
            return;
        };
        for (at, port) in numbers.iter().enumerate() {
            self.sources.set(*port as usize, Some((Arc::clone(service), at as u32)));
            self.compile(*port, &service.ports[at]);
            self.claim(*port);
        }
        self.services.insert(slot, numbers);
    }

    /// A number for a new service port.
    fn number(&mut self) -> u32 {
        if let Some(last) = self.free.len().checked_sub(1) {
            let number = self.free[last];
            self.free.resize(last);
            return number;
        }
        self.sources.push(None);
        self.ports.push(PortEntry::default()) as u32
    }

    /// Writes a service port and its endpoints.
    fn compile(&mut self, number: u32, port: &Port) {
        let count = port.endpoints.len() as u32;
        let range = self.arena.fit(self.entry(number).range(), count);
        let order = port::order(&port.endpoints);
        for (offset, place) in order.places.iter().enumerate() {
            let endpoint = &port.endpoints[*place as usize];
            let address = self.addresses.number(endpoint.address);
            let hot = Hot { address, port: endpoint.port };
            self.arena.set(range.start + offset as u32, hot, number);
        }
        let entry = PortEntry::new(port, range, order.shared, self.version);
        self.ports.set(number as usize, entry);
    }

    /// The keys of a service port, with their portals.
    fn portals(&mut self, service: &ServicePort) -> Vec<(bool, u64, Portal)> {
        let mut found = Vec::with_capacity(2);
        let one = |address: u32| key(address, service.port, service.protocol);
        found.push((false, one(self.addresses.number(service.cluster_ip)), Portal::ClusterIp));
        for (list, portal) in [
            (&service.external_ips, Portal::ExternalIp),
            (&service.load_balancer_vips, Portal::LoadBalancer),
        ] {
            for address in list {
                found.push((false, one(self.addresses.number(*address)), portal));
            }
        }
        if service.node_port != 0 {
            let key = key(0, service.node_port, service.protocol);
            found.push((true, key, Portal::NodePort));
        }
        found
    }

    /// Lets its keys lead to a service port.
    fn claim(&mut self, number: u32) {
        let port = self.source(number).1.service.clone();
        for (is_node_port, key, portal) in self.portals(&port) {
            let keys = if is_node_port { &self.node_ports } else { &self.keys };
            let known = keys.get(key);
            if let Some(known) = known {
                let claims = Arc::make_mut(&mut self.claims);
                let claimants = claims
                    .entry((is_node_port, key))
                    .or_insert_with(|| vec![(known.port, known.portal)]);
                claimants.push((number, portal));
                let sources = &self.sources;
                claimants.sort_by(|one, other| {
                    let rank = |(port, portal): &(u32, Portal)| {
                        let (service, at) = sources[*port as usize].as_ref().expect("claimed");
                        (service.namespace.clone(), service.name.clone(), *at, *portal)
                    };
                    rank(one).cmp(&rank(other))
                });
            }
            let target = Target { port: number, portal, shared: known.is_some() };
            self.set_key(is_node_port, key, target);
            self.refusing.add(is_node_port, key, self.ports[number as usize].may_refuse(portal), 1);
        }
        if port.health_check_node_port != 0 {
            let known = self.health_checks.get(&port.health_check_node_port).copied().unwrap_or(0);
            self.health_checks.insert(port.health_check_node_port, known + 1);
        }
    }

    fn set_key(&mut self, is_node_port: bool, key: u64, target: Target) {
        let entry = self.entry(target.port);
        let is_plain = entry.is_plain() && !target.shared;
        let count = if is_plain { entry.shared } else { 0 };
        let keys = if is_node_port { &mut self.node_ports } else { &mut self.keys };
        keys.set(Cell { key, start: entry.start(), count, target });
    }

    /// Undoes [`Self::claim`].
    fn retract(&mut self, number: u32) {
        let port = self.source(number).1.service.clone();
        for (is_node_port, key, portal) in self.portals(&port) {
            match self.left_of_claim(is_node_port, key, (number, portal)) {
                Some(target) => self.set_key(is_node_port, key, target),
                None if is_node_port => self.node_ports.remove(key),
                None => self.keys.remove(key),
            }
            self.refusing.add(
                is_node_port,
                key,
                self.ports[number as usize].may_refuse(portal),
                -1,
            );
        }
        if port.health_check_node_port != 0 {
            let known = self.health_checks.get(&port.health_check_node_port).copied().unwrap_or(0);
            if known > 1 {
                self.health_checks.insert(port.health_check_node_port, known - 1);
            } else {
                self.health_checks.remove(&port.health_check_node_port);
            }
        }
    }

    /// Where a key leads when one of those who claim it does so no more.
    fn left_of_claim(
        &mut self,
        is_node_port: bool,
        key: u64,
        gone: (u32, Portal),
    ) -> Option<Target> {
        if !self.claims.contains_key(&(is_node_port, key)) {
            return None;
        }
        let claims = Arc::make_mut(&mut self.claims);
        let claimants = claims.get_mut(&(is_node_port, key)).expect("just seen");
        claimants.retain(|claimant| *claimant != gone);
        let (port, portal) = *claimants.first()?;
        let shared = claimants.len() > 1;
        if !shared {
            claims.remove(&(is_node_port, key));
        }
        Some(Target { port, portal, shared })
    }

    /// Where a key leads, in the order of the rules.
    pub(super) fn targets(
        &self,
        is_node_port: bool,
        key: u64,
    ) -> impl Iterator<Item = (u32, Portal)> {
        let keys = if is_node_port { &self.node_ports } else { &self.keys };
        let target = keys.get(key);
        let shared = target.filter(|target| target.shared);
        let several = shared.map_or(&[][..], |_| &self.claims[&(is_node_port, key)]);
        let one = target.filter(|target| !target.shared).map(|target| (target.port, target.portal));
        several.iter().copied().chain(one)
    }

    /// Where rules of a service port stand among all.
    pub(super) fn rank(&self, port: u32, portal: Portal) -> (&str, &str, u32, Portal) {
        let (service, at) = self.sources[port as usize].as_ref().expect("a service port in use");
        (&service.namespace, &service.name, *at, portal)
    }
}
