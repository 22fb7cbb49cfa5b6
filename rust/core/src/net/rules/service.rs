//! The rules of one service port on one node.
//!
//! ```text
//! nat     KUBE-SERVICES ── cluster IP ──────────────────────► SVC or SVL ─► SEP ─► endpoint
//!                       ── external IP ──────────────► EXT ─► SVC or SVL
//!                       ── load balancer's IP ─► FW ─► EXT
//!         KUBE-NODEPORTS ─ node port ────────────────► EXT
//! filter  KUBE-SERVICES, KUBE-EXTERNAL-SERVICES: refused where no endpoint is left
//!         KUBE-PROXY-FIREWALL: what FW did not let through
//! ```

use std::net::IpAddr;

use compact_str::format_compact;

use super::config::{Config, LOCALHOST_ACCEPTED, Node};
use super::{Addresses, Chain, ChainHash, Match, Rule, Target};
use crate::base::Text;
use crate::base::ip::Cidr;
use crate::net::endpoints::{Choice, Endpoint, choose};
use crate::net::service_ports::{Family, Protocol, ServicePort};

/// The rules of a service port.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Block {
    /// Rules of the filter table.
    pub filter: Vec<Rule>,
    /// Rules of the nat table in chains all services share.
    pub portals: Vec<Rule>,
    /// Chains of its own, all in the nat table.
    pub chains: Vec<Chain>,
    /// The rules in those.
    pub rules: Vec<Rule>,
}

/// What decides about all rules of a service port.
struct Builder<'a> {
    port: &'a ServicePort,
    config: &'a Config,
    node: &'a Node,
    family: Family,
    /// Whether rules name what they are for: not in large clusters.
    comments: bool,
    choice: Choice<'a>,
    block: Block,
}

/// The rules of a service port with these endpoints. In `large` clusters the rules of endpoints
/// go without comments.
pub fn service_rules(
    port: &ServicePort,
    endpoints: &[Endpoint],
    config: &Config,
    node: &Node,
    large: bool,
) -> Block {
    let mut builder = Builder {
        port,
        config,
        node,
        family: Family::of(port.cluster_ip),
        comments: !large,
        choice: choose(endpoints, port, node.place),
        block: Block::default(),
    };
    builder.cluster_ip();
    builder.external_ips();
    builder.load_balancer();
    builder.node_port();
    builder.health_check();
    builder.internal_chain();
    builder.external_chain();
    builder.firewall_chain();
    builder.endpoint_choices();
    builder.endpoint_chains();
    builder.block
}

impl Builder<'_> {
    fn name(&self) -> &str {
        &self.port.name
    }

    fn comment(&self, what: &str) -> Match {
        Match::Comment(format_compact!("{} {what}", self.port.name))
    }

    fn protocol(&self) -> Match {
        Match::Protocol(self.port.protocol)
    }

    fn svc(&self) -> Chain {
        Chain::cluster(self.port.hash)
    }

    fn ext(&self) -> Chain {
        Chain::external(self.port.hash)
    }

    /// The chain and whether it leads anywhere, by traffic policy.
    fn policy(&self, local: bool) -> (Chain, bool) {
        if local {
            (Chain::local(self.port.hash), self.choice.any && !self.choice.local.is_empty())
        } else {
            (self.svc(), self.choice.any)
        }
    }

    fn internal(&self) -> (Chain, bool) {
        self.policy(self.port.internal_policy_local)
    }

    fn external(&self) -> (Chain, bool) {
        self.policy(self.port.external_policy_local)
    }

    fn uses_firewall(&self) -> bool {
        self.choice.any
            && !self.port.load_balancer_vips.is_empty()
            && !self.port.source_ranges.is_empty()
    }

    /// Refuses traffic: with an answer when there is no endpoint at all, in silence when there
    /// is one elsewhere.
    fn refuse(&mut self, chain: Chain, conditions: &[Match]) {
        let (why, target) = if self.choice.any {
            ("has no local endpoints", Target::Drop)
        } else {
            ("has no endpoints", Target::Reject)
        };
        let rule = Rule::new(chain).when(self.comment(why)).when_all(conditions);
        self.block.filter.push(rule.then(target));
    }

    /// The conditions that a packet is for the port at an address.
    fn is_for(&self, address: IpAddr) -> [Match; 3] {
        [self.protocol(), destination(address), Match::DestinationPort(self.port.port)]
    }

    fn cluster_ip(&mut self) {
        let (chain, leads_on) = self.internal();
        let conditions = self.is_for(self.port.cluster_ip);
        if leads_on {
            let rule = Rule::new(Chain::SERVICES).when(self.comment("cluster IP"));
            self.block.portals.push(rule.when_all(&conditions).jump(chain));
        } else {
            self.refuse(Chain::SERVICES, &conditions);
        }
    }

    fn external_ips(&mut self) {
        for address in &self.port.external_ips {
            let conditions = self.is_for(*address);
            if self.choice.any {
                let rule = Rule::new(Chain::SERVICES).when(self.comment("external IP"));
                self.block.portals.push(rule.when_all(&conditions).jump(self.ext()));
            }
            if !self.external().1 {
                self.refuse(Chain::EXTERNAL_SERVICES, &conditions);
            }
        }
    }

    fn load_balancer(&mut self) {
        let firewall = Chain::firewall(self.port.hash);
        let chain = if self.uses_firewall() { firewall } else { self.ext() };
        for address in &self.port.load_balancer_vips {
            let conditions = self.is_for(*address);
            if self.choice.any {
                let rule = Rule::new(Chain::SERVICES).when(self.comment("loadbalancer IP"));
                self.block.portals.push(rule.when_all(&conditions).jump(chain));
            }
            if self.uses_firewall() {
                let comment = format_compact!("{} traffic not accepted by {firewall}", self.name());
                let rule = Rule::new(Chain::PROXY_FIREWALL).when(Match::Comment(comment));
                self.block.filter.push(rule.when_all(&conditions).then(Target::Drop));
            }
        }
        if !self.external().1 {
            for address in &self.port.load_balancer_vips {
                self.refuse(Chain::EXTERNAL_SERVICES, &self.is_for(*address));
            }
        }
    }

    fn node_port(&mut self) {
        if self.port.node_port == 0 {
            return;
        }
        let port = Match::DestinationPort(self.port.node_port);
        if self.choice.any {
            let rule = Rule::new(Chain::NODE_PORTS)
                .when(Match::Comment(self.port.name.clone()))
                .when(self.protocol());
            if self.config.counters && self.config.serves_localhost(self.family) {
                let counted = rule.clone().when(loopback(false)).when(port.clone());
                let counted = counted.when(Match::Counter(LOCALHOST_ACCEPTED));
                self.block.portals.push(counted.jump(self.ext()));
            }
            self.block.portals.push(rule.when(port.clone()).jump(self.ext()));
        }
        if !self.external().1 {
            let conditions = [Match::DestinationLocal, self.protocol(), port];
            self.refuse(Chain::EXTERNAL_SERVICES, &conditions);
        }
    }

    fn health_check(&mut self) {
        if self.port.health_check_node_port != 0 {
            let rule = Rule::new(Chain::NODE_PORTS)
                .when(self.comment("health check node port"))
                .when(Match::Protocol(Protocol::Tcp))
                .when(Match::DestinationPort(self.port.health_check_node_port));
            self.block.filter.push(rule.then(Target::Accept));
        }
    }

    /// What is not from a local pod may come back another way: it is masqueraded.
    fn internal_chain(&mut self) {
        let (chain, leads_on) = self.internal();
        let off_cluster = self.config.local(self.family).condition(false);
        if !leads_on || (off_cluster.is_none() && !self.config.masquerade_all) {
            return;
        }
        let mut rule = Rule::new(chain)
            .when(self.comment("cluster IP"))
            .when_all(&self.is_for(self.port.cluster_ip));
        if !self.config.masquerade_all {
            rule.matches.extend(off_cluster);
        }
        self.block.rules.push(rule.jump(Chain::MARK_MASQ));
    }

    fn external_chain(&mut self) {
        if !self.choice.any || !self.port.externally_accessible() {
            return;
        }
        let ext = self.ext();
        self.block.chains.push(ext);
        let remark = |what: &str| {
            let comment =
                format_compact!("{what} traffic for {} external destinations", self.name());
            Rule::new(ext).when(Match::Comment(comment))
        };
        let mut rules = Vec::new();
        if self.port.external_policy_local {
            if let Some(is_local) = self.config.local(self.family).condition(true) {
                rules.push(remark("pod").when(is_local).jump(self.svc()));
            }
            let local = |what: &str| remark(what).when(Match::SourceLocal);
            rules.push(local("masquerade LOCAL").jump(Chain::MARK_MASQ));
            rules.push(local("route LOCAL").jump(self.svc()));
        } else {
            rules.push(remark("masquerade").jump(Chain::MARK_MASQ));
        }
        let (chain, leads_on) = self.external();
        if leads_on {
            rules.push(Rule::new(ext).jump(chain));
        }
        self.block.rules.append(&mut rules);
    }

    fn firewall_chain(&mut self) {
        if !self.uses_firewall() {
            return;
        }
        let chain = Chain::firewall(self.port.hash);
        self.block.chains.push(chain);
        let comment = self.comment("loadbalancer IP");
        let admit = |addresses: Addresses| {
            Rule::new(chain)
                .when(comment.clone())
                .when(Match::Source { negated: false, addresses })
                .jump(self.ext())
        };
        let mut rules: Vec<Rule> =
            self.port.source_ranges.iter().map(|range| admit(Addresses::Block(*range))).collect();
        let node = self.node.primary(self.family);
        let admits_node = |range: &Cidr| node.is_some_and(|node| range.contains(node));
        if self.port.source_ranges.iter().any(admits_node) {
            // A node that has the load balancer's address sends from it to itself.
            let vips = self.port.load_balancer_vips.iter();
            rules.extend(vips.map(|address| admit(Addresses::One(*address))));
        }
        let rest = format_compact!(
            "other traffic to {} will be dropped by KUBE-PROXY-FIREWALL",
            self.name()
        );
        rules.push(Rule::new(chain).when(Match::Comment(rest)));
        self.block.rules.append(&mut rules);
    }

    fn endpoint_choices(&mut self) {
        let lists = [
            (self.svc(), self.port.uses_cluster_endpoints(), false),
            (Chain::local(self.port.hash), self.port.uses_local_endpoints(), true),
        ];
        for (chain, is_used, local) in lists {
            let endpoints = if local { &self.choice.local } else { &self.choice.cluster };
            if is_used && !endpoints.is_empty() {
                let mut rules = self.choices(chain, endpoints);
                self.block.chains.push(chain);
                self.block.rules.append(&mut rules);
            }
        }
    }

    /// First the endpoint a client is used to, then each with an equal share of what is left.
    fn choices(&self, chain: Chain, endpoints: &[&Endpoint]) -> Vec<Rule> {
        let named: Vec<(Chain, Text)> =
            endpoints.iter().map(|endpoint| self.endpoint_chain(endpoint)).collect();
        let rule = |text: &Text| {
            let rule = Rule::new(chain);
            if !self.comments {
                return rule;
            }
            rule.when(Match::Comment(format_compact!("{} -> {text}", self.name())))
        };
        let mut rules = Vec::with_capacity(endpoints.len());
        if let Some(seconds) = self.port.affinity_seconds {
            for (list, text) in &named {
                let seen = Match::SeenWithin { list: *list, seconds };
                rules.push(rule(text).when(seen).jump(*list));
            }
        }
        for (at, (endpoint, text)) in named.iter().enumerate() {
            let mut rule = rule(text);
            let left = named.len() - at;
            if left > 1 {
                rule = rule.when(Match::OneIn(left as u32));
            }
            rules.push(rule.jump(*endpoint));
        }
        rules
    }

    fn endpoint_chain(&self, endpoint: &Endpoint) -> (Chain, Text) {
        let text = format_compact!("{}", endpoint.socket());
        let hash = ChainHash::of_endpoint(self.name(), self.port.protocol, &text);
        (Chain::endpoint(hash), text)
    }

    fn endpoint_chains(&mut self) {
        let endpoints = std::mem::take(&mut self.choice.reachable);
        for endpoint in endpoints {
            let (chain, _) = self.endpoint_chain(endpoint);
            self.block.chains.push(chain);
            let mut rule = Rule::new(chain);
            if self.comments {
                rule = rule.when(Match::Comment(self.port.name.clone()));
            }
            // An endpoint that reaches itself must not see its own address as the client's.
            let own = Addresses::One(endpoint.address);
            let itself = rule.clone().when(Match::Source { negated: false, addresses: own });
            self.block.rules.push(itself.jump(Chain::MARK_MASQ));
            if self.port.affinity_seconds.is_some() {
                rule = rule.when(Match::Note(chain));
            }
            let rule = rule.when(self.protocol()).then(Target::Dnat(endpoint.socket()));
            self.block.rules.push(rule);
        }
    }
}

fn destination(address: IpAddr) -> Match {
    Match::Destination { negated: false, addresses: Addresses::One(address) }
}

/// The destination is, or is not, an address of IPv4's loopback.
pub fn loopback(negated: bool) -> Match {
    let block = Cidr { address: IpAddr::from([127, 0, 0, 0]), prefix_len: 8 };
    Match::Destination { negated, addresses: Addresses::Block(block) }
}
