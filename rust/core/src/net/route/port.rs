//! A service port as routing reads it.

use std::sync::Arc;

use super::arena::Range;
use super::keys::Portal;
use crate::net::endpoints::Endpoint;
use crate::net::table::Port;

/// One service port in 32 bytes.
#[derive(Clone, Copy, Debug, Default)]
pub struct PortEntry {
    start: u32,
    room: u32,
    /// How many endpoints it has.
    pub count: u32,
    /// How many of them take connections of any node that has nothing of its own to say: the
    /// first ones.
    pub shared: u32,
    /// Which change made it what it is.
    pub version: u32,
    /// How long a client stays with an endpoint, in seconds; 0 without session affinity.
    pub affinity_seconds: u32,
    flags: u16,
}

const BY_NODE: u16 = 1;
const EXTERNAL_LOCAL: u16 = 2;
const INTERNAL_LOCAL: u16 = 4;
const FIREWALL: u16 = 8;

impl PortEntry {
    /// A service port with a range of endpoints.
    pub fn new(port: &Port, range: Range, shared: u32, version: u32) -> Self {
        let service = &port.service;
        let hinted = port.endpoints.iter().any(|endpoint| endpoint.hints.is_some());
        let flag = |is: bool, flag: u16| if is { flag } else { 0 };
        Self {
            start: range.start,
            room: range.room,
            count: port.endpoints.len() as u32,
            shared,
            version,
            affinity_seconds: service
                .affinity_seconds
                .map_or(0, |seconds| u32::try_from(seconds).unwrap_or(0)),
            flags: flag(hinted || service.uses_local_endpoints(), BY_NODE)
                | flag(service.external_policy_local, EXTERNAL_LOCAL)
                | flag(service.internal_policy_local, INTERNAL_LOCAL)
                | flag(
                    !service.source_ranges.is_empty() && !service.load_balancer_vips.is_empty(),
                    FIREWALL,
                ),
        }
    }

    /// Its endpoints.
    pub fn range(self) -> Range {
        Range { start: self.start, room: self.room }
    }

    /// The number of its first endpoint.
    #[inline]
    pub fn start(self) -> u32 {
        self.start
    }

    /// Whether nodes may see other endpoints each.
    #[inline]
    pub fn is_by_node(self) -> bool {
        self.flags & BY_NODE != 0
    }

    /// Whether external traffic stays on the node it arrives at.
    pub fn is_external_local(self) -> bool {
        self.flags & EXTERNAL_LOCAL != 0
    }

    /// Whether traffic to the cluster IP stays on the node it comes from.
    pub fn is_internal_local(self) -> bool {
        self.flags & INTERNAL_LOCAL != 0
    }

    /// Whether it has a load balancer that does not let everybody in. Without any endpoint it has
    /// no such rules.
    #[inline]
    pub fn has_firewall(self) -> bool {
        self.flags & FIREWALL != 0 && self.shared > 0
    }

    /// Whether every packet to it goes to one of the endpoints all nodes share, each as likely.
    #[inline]
    pub fn is_plain(self) -> bool {
        self.flags & (BY_NODE | FIREWALL) == 0 && self.shared > 0 && self.affinity_seconds == 0
    }

    /// Whether packets to an address of it may be refused on some node.
    pub fn may_refuse(self, portal: Portal) -> bool {
        let local = match portal {
            Portal::ClusterIp => self.is_internal_local(),
            _ => self.is_external_local(),
        };
        self.shared == 0 || local || (portal == Portal::LoadBalancer && self.has_firewall())
    }
}

/// In which order endpoints lie in the arena.
pub struct Order {
    /// Their places in the order of texts.
    pub places: Vec<u32>,
    /// How many of them are shared.
    pub shared: u32,
}

/// First those a node uses without hints and policies: the ready ones, or else those that still
/// answer while they end.
pub fn order(endpoints: &[Endpoint]) -> Order {
    let any_ready = endpoints.iter().any(|endpoint| endpoint.ready);
    let is_shared = |place: &u32| {
        let endpoint = &endpoints[*place as usize];
        if any_ready { endpoint.ready } else { endpoint.serving && endpoint.terminating }
    };
    let (mut places, others): (Vec<u32>, Vec<u32>) =
        (0..endpoints.len() as u32).partition(is_shared);
    let shared = places.len() as u32;
    places.extend(others);
    Order { places, shared }
}

const BUCKETS: usize = 1 << 13;

/// Addresses at which packets may be refused: a packet that was sent on to an endpoint is looked
/// at again if the endpoint's address may be one of them. It may say so of others too.
#[derive(Clone, Debug, Default)]
pub struct Refusing {
    addresses: Arc<Vec<u32>>,
    /// How many refusals are counted.
    count: u32,
    /// How many at node ports, which may be at any address of a node.
    pub at_node_ports: u32,
}

impl Refusing {
    /// Counts a key, or counts it no more.
    pub fn add(&mut self, is_node_port: bool, key: u64, may_refuse: bool, by: i32) {
        if !may_refuse {
            return;
        }
        if is_node_port {
            self.at_node_ports = self.at_node_ports.wrapping_add_signed(by);
            return;
        }
        let buckets = Arc::make_mut(&mut self.addresses);
        buckets.resize(BUCKETS, 0);
        let bucket = &mut buckets[bucket((key >> 32) as u32)];
        *bucket = bucket.wrapping_add_signed(by);
        self.count = self.count.wrapping_add_signed(by);
    }

    /// Whether no address refuses anything.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether packets may be refused at an address.
    #[inline]
    pub fn may_be(&self, address: u32) -> bool {
        self.count > 0 && self.addresses[bucket(address)] > 0
    }
}

fn bucket(address: u32) -> usize {
    (address.wrapping_mul(0x9E37_79B1) >> (32 - BUCKETS.trailing_zeros())) as usize
}
