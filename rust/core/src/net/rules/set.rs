//! The rules of a node by table and chain, for whoever walks them.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};

use super::config::{Config, Node};
use super::proxier::LARGE_CLUSTER_ENDPOINTS;
use super::service::service_rules;
use super::{Chain, Rule, Table, frame};
use crate::base::FastMap;
use crate::net::endpoints::Endpoint;
use crate::net::service_ports::{Family, ServicePort};
use crate::net::table::{Service, ServiceTable};

/// Rules by table and chain.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    chains: FastMap<(Table, Chain), Vec<Rule>>,
}

impl RuleSet {
    /// The rules of a node in a family, as after a full sync.
    pub fn of(table: &ServiceTable, family: Family, config: &Config, node: &Node) -> Self {
        Self::only(table, family, config, node, |_| true)
    }

    /// The rules of a node that a packet to an address and port may meet, and what it may be
    /// translated to: what other service ports have for other addresses is left out.
    pub fn for_packet(table: &ServiceTable, config: &Config, node: &Node, to: SocketAddr) -> Self {
        let family = Family::of(to.ip());
        let mut ends: Vec<SocketAddr> = vec![to];
        for port in table.ports(family).filter(|port| port.service.answers_at(to)) {
            ends.extend(port.endpoints.iter().map(Endpoint::socket));
        }
        let addresses: BTreeSet<IpAddr> = ends.iter().map(SocketAddr::ip).collect();
        let numbers: BTreeSet<u16> = ends.iter().map(SocketAddr::port).collect();
        let may_be_met = |port: &ServicePort| {
            numbers.contains(&port.node_port)
                || numbers.contains(&port.health_check_node_port)
                || port.addresses().any(|address| addresses.contains(&address))
        };
        let mut set = Self::only(table, family, config, node, may_be_met);
        for (table, rule) in frame::jumps() {
            set.add(table, [rule]);
        }
        set
    }

    fn only(
        table: &ServiceTable,
        family: Family,
        config: &Config,
        node: &Node,
        wanted: impl Fn(&ServicePort) -> bool,
    ) -> Self {
        let mut set = Self::default();
        let large = table.endpoint_count(family) > LARGE_CLUSTER_ENDPOINTS;
        set.add(Table::Filter, frame::filter_head(config, family));
        set.add(Table::Nat, frame::nat_head(config));
        let is_wanted = |service: &Service| service.ports.iter().any(|port| wanted(&port.service));
        for service in table.some_in_order(family, is_wanted) {
            for port in service.ports.iter().filter(|port| wanted(&port.service)) {
                let block = service_rules(&port.service, &port.endpoints, config, node, large);
                set.add(Table::Filter, block.filter);
                set.add(Table::Nat, block.portals);
                set.add(Table::Nat, block.rules);
            }
        }
        set.add(Table::Filter, frame::filter_tail(config));
        set.add(Table::Nat, frame::nat_tail(config, node, family));
        set
    }

    fn add(&mut self, table: Table, rules: impl IntoIterator<Item = Rule>) {
        for rule in rules {
            let key = (table, rule.chain);
            match self.chains.get_mut(&key) {
                Some(known) => known.push(rule),
                None => drop(self.chains.insert(key, vec![rule])),
            }
        }
    }

    /// The rules of a chain; none when there is no such chain.
    pub fn chain(&self, table: Table, chain: Chain) -> &[Rule] {
        self.chains.get(&(table, chain)).map_or(&[], Vec::as_slice)
    }
}
