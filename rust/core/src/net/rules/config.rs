//! How a kube-proxy is set up, and what it knows of its node.

use std::net::IpAddr;

use super::{Addresses, Match};
use crate::base::Text;
use crate::base::ip::Cidr;
use crate::net::endpoints::Place;
use crate::net::service_ports::Family;

/// Dropped packets that belong to no connection are counted here.
pub const INVALID_DROPPED: &str = "ct_state_invalid_dropped_pkts";
/// Packets to node ports at the loopback are counted here.
pub const LOCALHOST_ACCEPTED: &str = "localhost_nps_accepted_pkts";

/// How traffic of the node's own pods is told from other traffic.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum LocalDetector {
    /// It is not.
    #[default]
    Nothing,
    /// By the source address.
    Cidr(Cidr),
    /// By the interface it comes in by.
    Bridge(Text),
    /// By how the name of that interface begins.
    InterfacePrefix(Text),
}

impl LocalDetector {
    /// The condition that traffic is local, or that it is not.
    pub fn condition(&self, local: bool) -> Option<Match> {
        let negated = !local;
        let interface = |name: Text| Match::InInterface { negated, name };
        match self {
            Self::Nothing => None,
            Self::Cidr(block) => {
                Some(Match::Source { negated, addresses: Addresses::Block(*block) })
            }
            Self::Bridge(name) => Some(interface(name.clone())),
            Self::InterfacePrefix(prefix) => {
                Some(interface(compact_str::format_compact!("{prefix}+")))
            }
        }
    }
}

/// The options of a kube-proxy that show in its rules.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "options of kube-proxy, each for itself")]
pub struct Config {
    /// The bit that marks packets for masquerading, as it is written.
    pub masquerade_mark: Text,
    /// Whether all traffic to cluster IPs is masqueraded.
    pub masquerade_all: bool,
    /// Whether iptables can choose ports at random when it masquerades.
    pub random_fully: bool,
    /// Whether the kernel has counters for kube-proxy's metrics.
    pub counters: bool,
    /// Whether node ports answer at the loopback.
    pub localhost_node_ports: bool,
    /// Whether the kernel is told to let packets pass that belong to no connection.
    pub conntrack_liberal: bool,
    /// How traffic of the node's own pods is recognised, by family.
    pub local: [LocalDetector; 2],
    /// At which of the node's addresses node ports answer; at all when empty.
    pub node_port_addresses: Vec<Cidr>,
}

impl Default for Config {
    /// kube-proxy's own defaults on a node of today, without a cluster CIDR.
    fn default() -> Self {
        Self {
            masquerade_mark: "0x00004000".into(),
            masquerade_all: false,
            random_fully: true,
            counters: true,
            localhost_node_ports: true,
            conntrack_liberal: false,
            local: [LocalDetector::Nothing, LocalDetector::Nothing],
            node_port_addresses: Vec::new(),
        }
    }
}

impl Config {
    /// How traffic of the node's own pods is recognised.
    pub fn local(&self, family: Family) -> &LocalDetector {
        &self.local[family as usize]
    }

    /// The blocks of a family that node ports are limited to; `None` for no limit.
    pub fn node_port_blocks(&self, family: Family) -> Option<Vec<Cidr>> {
        let of_family = |block: &&Cidr| Family::of(block.address) == family;
        let blocks: Vec<Cidr> =
            self.node_port_addresses.iter().filter(of_family).copied().collect();
        let limited = !blocks.is_empty() && blocks.iter().all(|block| block.prefix_len != 0);
        limited.then_some(blocks)
    }

    /// Whether node ports answer at the loopback of this family: never at IPv6's, and at IPv4's
    /// if it is asked for and among the addresses they are limited to.
    pub fn serves_localhost(&self, family: Family) -> bool {
        let start = IpAddr::from([127, 0, 0, 0]);
        let listed = |blocks: &[Cidr]| {
            blocks.iter().any(|block| block.address.is_loopback() || block.contains(start))
        };
        family == Family::V4
            && self.localhost_node_ports
            && self.node_port_blocks(family).is_none_or(|blocks| listed(&blocks))
    }
}

/// What a kube-proxy knows of the node it runs on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    /// The node and its zone, in the table's numbers.
    pub place: Place,
    /// Its addresses of both families but the loopback's, the primary ones first.
    pub addresses: Vec<IpAddr>,
}

impl Node {
    /// The address the node is known by.
    pub fn primary(&self, family: Family) -> Option<IpAddr> {
        self.addresses.iter().copied().find(|address| Family::of(*address) == family)
    }

    /// Whether packets to an address are the node's own business.
    pub fn is_local(&self, address: IpAddr) -> bool {
        address.is_loopback() || self.addresses.contains(&address)
    }
}
