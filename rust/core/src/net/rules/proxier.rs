//! What kube-proxy gives `iptables-restore`, sync by sync.
//!
//! The first sync writes everything. Later ones write the chains all services share in full, and
//! chains of a service only when it changed; chains nobody needs any more are deleted, in large
//! clusters not more often than every sync period. The text of a service that did not change is
//! kept, so that a sync renders what changed and copies the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::config::{Config, Node};
use super::frame::{FILTER_CHAINS, NAT_CHAINS, filter_head, filter_tail, nat_head, nat_tail};
use super::service::service_rules;
use super::text::{write_chain, write_rules};
use super::{Chain, Rule};
use crate::base::{Nanos, Text, Time};
use crate::net::service_ports::Family;
use crate::net::table::{Service, ServiceTable};

/// With more endpoints than this rules of endpoints have no comments.
pub const LARGE_CLUSTER_ENDPOINTS: usize = 1000;
/// How often stale chains are deleted in large clusters, at most.
const SYNC_PERIOD: Nanos = Nanos::from_secs(30);
/// How often everything is written anew in small ones, at least.
const FULL_SYNC_PERIOD: Nanos = Nanos::from_secs(3600);

/// A kube-proxy's state between syncs.
#[derive(Clone, Debug)]
pub struct Proxier {
    family: Family,
    config: Config,
    node: Node,
    services: BTreeMap<(Text, Text), Kept>,
    /// Chains in the kernel that no service needs.
    stale: BTreeSet<Chain>,
    full_at: Option<Time>,
    cleaned_at: Option<Time>,
}

/// The text of a service, as it was last written.
#[derive(Clone, Debug)]
struct Kept {
    service: Arc<Service>,
    ports: Vec<PortText>,
}

#[derive(Clone, Debug, Default)]
struct PortText {
    filter: String,
    portals: String,
    chains: Vec<Chain>,
    rules: String,
}

impl Proxier {
    /// A kube-proxy that starts on a node.
    pub fn new(family: Family, config: Config, node: Node) -> Self {
        Self {
            family,
            config,
            node,
            services: BTreeMap::new(),
            stale: BTreeSet::new(),
            full_at: None,
            cleaned_at: None,
        }
    }

    /// Everything a node needs, at once.
    pub fn full(table: &ServiceTable, family: Family, config: Config, node: Node) -> String {
        Self::new(family, config, node).sync(table, Time(0))
    }

    /// Tells what is known of the node now: when it is something else, the next sync is a full
    /// one.
    pub fn set_node(&mut self, node: Node) {
        if self.node != node {
            self.node = node;
            self.full_at = None;
        }
    }

    /// What `iptables-restore --noflush` is given now.
    pub fn sync(&mut self, table: &ServiceTable, now: Time) -> String {
        let large = table.endpoint_count(self.family) > LARGE_CLUSTER_ENDPOINTS;
        let since = |at: Time| Nanos(now.0 - at.0);
        let full = self.full_at.is_none_or(|at| !large && since(at) > FULL_SYNC_PERIOD);
        let changed = self.take_in(table, full, large);
        let cleans = !large || self.cleaned_at.is_none_or(|at| since(at) > SYNC_PERIOD);
        let stale = if cleans { std::mem::take(&mut self.stale) } else { BTreeSet::new() };
        if cleans {
            self.cleaned_at = Some(now);
        }
        if full {
            self.full_at = Some(now);
        }
        let mut text = String::with_capacity(self.size());
        self.write_filter(&mut text);
        self.write_nat(&mut text, &changed, &stale);
        text
    }

    /// Renders what changed, or everything, and answers which services those are.
    fn take_in(&mut self, table: &ServiceTable, full: bool, large: bool) -> BTreeSet<(Text, Text)> {
        let mut changed = BTreeSet::new();
        let mut gone = std::mem::take(&mut self.services);
        for service in table.in_order(self.family) {
            let key = (service.namespace.clone(), service.name.clone());
            let kept = match gone.remove(&key) {
                Some(kept) if !full && Arc::ptr_eq(&kept.service, service) => kept,
                before => {
                    changed.insert(key.clone());
                    self.stale.extend(before.iter().flat_map(Kept::chains));
                    let kept = self.render(service, large);
                    for chain in kept.chains() {
                        self.stale.remove(&chain);
                    }
                    kept
                }
            };
            self.services.insert(key, kept);
        }
        self.stale.extend(gone.values().flat_map(Kept::chains));
        changed
    }

    fn render(&self, service: &Arc<Service>, large: bool) -> Kept {
        let ports = service.ports.iter().map(|port| {
            let block =
                service_rules(&port.service, &port.endpoints, &self.config, &self.node, large);
            PortText {
                filter: lines(&block.filter),
                portals: lines(&block.portals),
                chains: block.chains,
                rules: lines(&block.rules),
            }
        });
        Kept { service: Arc::clone(service), ports: ports.collect() }
    }

    fn size(&self) -> usize {
        let ports = self.services.values().flat_map(|kept| &kept.ports);
        let size = |port: &PortText| {
            port.filter.len() + port.portals.len() + port.rules.len() + 40 * port.chains.len()
        };
        4096 + ports.map(size).sum::<usize>()
    }

    fn write_filter(&self, text: &mut String) {
        text.push_str("*filter\n");
        let head = filter_head(&self.config, self.family);
        for chain in FILTER_CHAINS.iter().copied().chain(head.as_ref().map(|rule| rule.chain)) {
            write_chain(text, chain);
        }
        write_rules(text, &head);
        for kept in self.services.values() {
            for port in &kept.ports {
                text.push_str(&port.filter);
            }
        }
        write_rules(text, &filter_tail(&self.config));
        text.push_str("COMMIT\n");
    }

    fn write_nat(
        &self,
        text: &mut String,
        changed: &BTreeSet<(Text, Text)>,
        stale: &BTreeSet<Chain>,
    ) {
        text.push_str("*nat\n");
        let written = changed.iter().flat_map(|key| self.services[key].chains());
        for chain in NAT_CHAINS.iter().copied().chain(written).chain(stale.iter().copied()) {
            write_chain(text, chain);
        }
        write_rules(text, &nat_head(&self.config));
        for (key, kept) in &self.services {
            let changed = changed.contains(key);
            for port in &kept.ports {
                text.push_str(&port.portals);
                if changed {
                    text.push_str(&port.rules);
                }
            }
        }
        for chain in stale {
            text.push_str("-X ");
            chain.write(text);
            text.push('\n');
        }
        write_rules(text, &nat_tail(&self.config, &self.node, self.family));
        text.push_str("COMMIT\n");
    }
}

impl Kept {
    fn chains(&self) -> impl Iterator<Item = Chain> {
        self.ports.iter().flat_map(|port| port.chains.iter().copied())
    }
}

fn lines(rules: &[Rule]) -> String {
    let mut text = String::with_capacity(160 * rules.len());
    write_rules(&mut text, rules);
    text
}

#[cfg(test)]
mod tests;
