//! What a node adds to the table: its addresses, how its kube-proxy is set up, and its own lists
//! of endpoints where policies and hints make them differ.

use std::net::{IpAddr, Ipv4Addr};

use super::port::order;
use super::{Addresses, RouteTable};
use crate::base::FastMap;
use crate::base::ip::Cidr;
use crate::net::endpoints::{Endpoint, choose};
use crate::net::rules::{Config, LocalDetector, Node};
use crate::net::service_ports::Family;

/// A node's view of the services of a family; lists are added when somebody asks.
#[derive(Clone, Debug)]
pub struct View {
    /// The node.
    pub node: Node,
    family: Family,
    /// The numbers of its addresses.
    own: Vec<u32>,
    /// Whether all traffic to cluster IPs is masqueraded.
    masquerade_all: bool,
    /// Whether traffic of pods is told from other traffic, and by which block.
    detects: bool,
    pods: Option<Cidr>,
    node_ports: NodePorts,
    lists: FastMap<u32, Lists>,
    client: Option<Client>,
}

/// What all packets of one client have in common, worked out when they are many.
#[derive(Clone, Debug)]
pub struct Client {
    version: u32,
    source: u32,
    /// Whether packets may be refused on their way to an endpoint.
    pub may_be_refused: bool,
    /// Whether packets to cluster IPs are masqueraded.
    pub masquerades: bool,
    /// The endpoints at its own address.
    pub itself: Vec<u32>,
}

/// At which addresses node ports answer.
#[derive(Clone, Debug)]
enum NodePorts {
    /// At all of the node, maybe not those of the loopback.
    Everywhere { loopback: bool },
    /// At these.
    At(Vec<IpAddr>),
}

/// The lists of a service port on the node, as numbers of endpoints.
#[derive(Clone, Debug, Default)]
pub struct Lists {
    version: u32,
    /// For traffic that may go to any node.
    pub cluster: Box<[u32]>,
    /// For traffic kept on the node.
    pub local: Box<[u32]>,
    /// All that have rules on the node.
    pub reachable: Box<[u32]>,
}

impl View {
    /// The view of a node, still without lists.
    pub fn new(table: &mut RouteTable, config: &Config, node: Node) -> Self {
        let family = table.family();
        let of_family = |address: &&IpAddr| Family::of(**address) == family;
        let own = node.addresses.iter().filter(of_family);
        let own = own.map(|address| table.addresses.number(*address)).collect();
        let pods = match config.local(family) {
            LocalDetector::Cidr(block) => Some(*block),
            _ => None,
        };
        let loopback = config.serves_localhost(family);
        let node_ports = match config.node_port_blocks(family) {
            None => NodePorts::Everywhere { loopback },
            Some(blocks) => {
                let localhost: IpAddr = match family {
                    Family::V4 => Ipv4Addr::LOCALHOST.into(),
                    Family::V6 => std::net::Ipv6Addr::LOCALHOST.into(),
                };
                let all = node.addresses.iter().copied().chain([localhost]);
                let listed =
                    all.filter(|address| blocks.iter().any(|block| block.contains(*address)));
                NodePorts::At(listed.filter(|one| !one.is_loopback() || loopback).collect())
            }
        };
        Self {
            family,
            own,
            masquerade_all: config.masquerade_all,
            detects: *config.local(family) != LocalDetector::Nothing,
            pods,
            node_ports,
            lists: FastMap::default(),
            client: None,
            node,
        }
    }

    /// Whether an address is one of the node's, or of the loopback.
    #[inline]
    pub fn is_own(&self, addresses: &Addresses, address: u32) -> bool {
        match self.family {
            Family::V4 => address >> 24 == 127 || self.own.contains(&address),
            Family::V6 => self.own.contains(&address) || addresses.address(address).is_loopback(),
        }
    }

    /// Whether traffic from an address counts as that of the node's pods.
    #[inline]
    pub fn is_pod(&self, addresses: &Addresses, address: u32) -> bool {
        let Some(block) = &self.pods else { return false };
        match block.address {
            IpAddr::V4(network) if self.family == Family::V4 => {
                let differs = u32::from(network) ^ address;
                differs.checked_shr(32 - u32::from(block.prefix_len)).unwrap_or(0) == 0
            }
            _ => block.contains(addresses.address(address)),
        }
    }

    /// Whether traffic to a cluster IP is masqueraded.
    #[inline]
    pub fn masquerades(&self, from_pod: bool) -> bool {
        self.masquerade_all || (self.detects && !from_pod)
    }

    /// Whether node ports answer at an address, given whether it is the node's.
    pub fn has_node_ports(&self, addresses: &Addresses, address: u32, is_own: bool) -> bool {
        match &self.node_ports {
            NodePorts::Everywhere { .. } if !is_own => false,
            NodePorts::Everywhere { loopback } => match self.family {
                Family::V4 => *loopback || address >> 24 != 127,
                Family::V6 => !addresses.address(address).is_loopback(),
            },
            NodePorts::At(listed) => listed.contains(&addresses.address(address)),
        }
    }

    /// The lists of a service port that nodes see differently; `None` when they must be made.
    #[inline]
    pub fn lists(&self, port: u32, version: u32) -> Option<&Lists> {
        self.lists.get(&port).filter(|lists| lists.version == version)
    }

    /// What packets of a client have in common, if that was worked out and still holds.
    pub fn client(&self, table: &RouteTable, source: u32) -> Option<&Client> {
        let is_it = |known: &&Client| known.source == source && known.version == table.version();
        self.client.as_ref().filter(is_it)
    }

    /// Works it out: looks at every endpoint.
    pub fn meet(&mut self, table: &RouteTable, source: u32) {
        if self.client(table, source).is_some() {
            return;
        }
        self.client = Some(Client {
            version: table.version(),
            source,
            may_be_refused: table.may_refuse_any(self),
            masquerades: self.masquerades(self.is_pod(&table.addresses, source)),
            itself: table.endpoints_at(source),
        });
    }

    /// Makes the lists of a service port.
    pub fn make(&mut self, table: &RouteTable, port: u32) {
        let (entry, (_, source)) = (table.entry(port), table.source(port));
        let order = order(&source.endpoints);
        let mut numbers = vec![0; source.endpoints.len()];
        for (offset, place) in order.places.iter().enumerate() {
            numbers[*place as usize] = entry.start() + offset as u32;
        }
        let choice = choose(&source.endpoints, &source.service, self.node.place);
        let number = |chosen: &[&Endpoint]| -> Box<[u32]> {
            // Chosen endpoints are in the order of texts, as all are.
            let mut all = source.endpoints.iter().enumerate();
            let place = |wanted: &&Endpoint| {
                all.find(|(_, one)| std::ptr::eq(*one, *wanted)).map(|(place, _)| numbers[place])
            };
            chosen.iter().filter_map(place).collect()
        };
        let lists = Lists {
            version: entry.version,
            cluster: number(&choice.cluster),
            local: number(&choice.local),
            reachable: number(&choice.reachable),
        };
        self.lists.insert(port, lists);
    }
}
