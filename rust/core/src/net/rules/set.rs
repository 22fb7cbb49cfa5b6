//! The rules of a node by table and chain, for whoever walks them.

use super::config::{Config, Node};
use super::proxier::LARGE_CLUSTER_ENDPOINTS;
use super::service::service_rules;
use super::{Chain, Rule, Table, frame};
use crate::base::FastMap;
use crate::net::service_ports::Family;
use crate::net::table::ServiceTable;

/// Rules by table and chain.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    chains: FastMap<(Table, Chain), Vec<Rule>>,
}

impl RuleSet {
    /// The rules of a node in a family, as after a full sync.
    pub fn of(table: &ServiceTable, family: Family, config: &Config, node: &Node) -> Self {
        let mut set = Self::default();
        let large = table.endpoint_count(family) > LARGE_CLUSTER_ENDPOINTS;
        set.add(Table::Filter, frame::filter_head(config, family));
        set.add(Table::Nat, frame::nat_head(config));
        for service in table.in_order(family) {
            for port in &service.ports {
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
