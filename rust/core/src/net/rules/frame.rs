//! The rules around those of services: the same on every node, whatever the services.

use std::net::{IpAddr, Ipv6Addr};

use super::config::{Config, INVALID_DROPPED, Node};
use super::service::loopback;
use super::{Addresses, Chain, Match, Rule, Table, Target};
use crate::base::ip::Cidr;
use crate::net::service_ports::Family;

/// The chains of the filter table that are always written.
pub const FILTER_CHAINS: [Chain; 5] = [
    Chain::SERVICES,
    Chain::EXTERNAL_SERVICES,
    Chain::FORWARD,
    Chain::NODE_PORTS,
    Chain::PROXY_FIREWALL,
];

/// The chains of the nat table that are always written.
pub const NAT_CHAINS: [Chain; 4] =
    [Chain::SERVICES, Chain::NODE_PORTS, Chain::POSTROUTING, Chain::MARK_MASQ];

fn comment(text: &str) -> Match {
    Match::Comment(text.into())
}

/// What leads the nat table: how marked packets get the node's address.
pub fn nat_head(config: &Config) -> [Rule; 4] {
    let mark = &config.masquerade_mark;
    let unmarked = Match::Marked { negated: true, mark: mark.clone() };
    [
        Rule::new(Chain::POSTROUTING).when(unmarked).then(Target::Return),
        Rule::new(Chain::POSTROUTING).then(Target::ClearMark(mark.clone())),
        Rule::new(Chain::POSTROUTING)
            .when(comment("kubernetes service traffic requiring SNAT"))
            .then(Target::Masquerade { random_fully: config.random_fully }),
        Rule::new(Chain::MARK_MASQ).then(Target::SetMark(mark.clone())),
    ]
}

/// What leads the filter table: nobody outside may speak to the loopback, since node ports at
/// it are routed.
pub fn filter_head(config: &Config, family: Family) -> Option<Rule> {
    if !config.serves_localhost(family) {
        return None;
    }
    let Match::Destination { addresses, .. } = loopback(false) else { unreachable!() };
    let rule = Rule::new(Chain::FIREWALL)
        .when(comment("block incoming localnet connections"))
        .when(loopback(false))
        .when(Match::Source { negated: true, addresses })
        .when(Match::ConnectionState { negated: true, states: "RELATED,ESTABLISHED,DNAT" });
    Some(rule.then(Target::Drop))
}

/// What ends the filter table: which packets are forwarded.
pub fn filter_tail(config: &Config) -> Vec<Rule> {
    let state = |states| Match::ConnectionState { negated: false, states };
    let mut rules = Vec::with_capacity(3);
    if !config.conntrack_liberal {
        let mut invalid = Rule::new(Chain::FORWARD).when(state("INVALID"));
        if config.counters {
            invalid = invalid.when(Match::Counter(INVALID_DROPPED));
        }
        rules.push(invalid.then(Target::Drop));
    }
    let marked = Match::Marked { negated: false, mark: config.masquerade_mark.clone() };
    rules.push(
        Rule::new(Chain::FORWARD)
            .when(comment("kubernetes forwarding rules"))
            .when(marked)
            .then(Target::Accept),
    );
    rules.push(
        Rule::new(Chain::FORWARD)
            .when(comment("kubernetes forwarding conntrack rule"))
            .when(state("RELATED,ESTABLISHED"))
            .then(Target::Accept),
    );
    rules
}

/// What ends the nat table: packets to the node itself are looked up by node port.
pub fn nat_tail(config: &Config, node: &Node, family: Family) -> Vec<Rule> {
    let rule = || {
        Rule::new(Chain::SERVICES).when(comment(
            "kubernetes service nodeports; NOTE: this must be the last rule in this chain",
        ))
    };
    let Some(blocks) = config.node_port_blocks(family) else {
        let mut rule = rule().when(Match::DestinationLocal);
        if family == Family::V6 {
            let own = Cidr { address: Ipv6Addr::LOCALHOST.into(), prefix_len: 128 };
            let addresses = Addresses::Block(own);
            rule = rule.when(Match::Destination { negated: true, addresses });
        } else if !config.serves_localhost(family) {
            rule = rule.when(loopback(true));
        }
        return vec![rule.jump(Chain::NODE_PORTS)];
    };
    let localhost = match family {
        Family::V4 => IpAddr::from([127, 0, 0, 1]),
        Family::V6 => Ipv6Addr::LOCALHOST.into(),
    };
    let own = node.addresses.iter().copied().chain([localhost]);
    own.filter(|address| blocks.iter().any(|block| block.contains(*address)))
        .filter(|address| !address.is_loopback() || config.serves_localhost(family))
        .map(|address| {
            let addresses = Addresses::One(address);
            let at = Match::Destination { negated: false, addresses };
            rule().when(at).jump(Chain::NODE_PORTS)
        })
        .collect()
}

/// The rules that lead from the kernel's own chains to those above, table by table, first to
/// last. kube-proxy makes them one by one when it starts.
pub fn jumps() -> [(Table, Rule); 14] {
    const NEW: Match = Match::ConnectionState { negated: false, states: "NEW" };
    let firewall = |from| {
        let rule = Rule::new(from).when(NEW).when(comment("kubernetes load balancer firewall"));
        (Table::Filter, rule.jump(Chain::PROXY_FIREWALL))
    };
    let external = |from| {
        let portals = comment("kubernetes externally-visible service portals");
        (Table::Filter, Rule::new(from).when(NEW).when(portals).jump(Chain::EXTERNAL_SERVICES))
    };
    let refused = |from| {
        let rule = Rule::new(from).when(NEW).when(comment("kubernetes service portals"));
        (Table::Filter, rule.jump(Chain::SERVICES))
    };
    let bare = |from| (Table::Filter, Rule::new(from).jump(Chain::FIREWALL));
    let remark = |table, from, text, to| (table, Rule::new(from).when(comment(text)).jump(to));
    let portals = |from| remark(Table::Nat, from, "kubernetes service portals", Chain::SERVICES);
    let health = "kubernetes health check service ports";
    let forwarding = "kubernetes forwarding rules";
    let leaving = "kubernetes postrouting rules";
    [
        bare(Chain::INPUT),
        firewall(Chain::INPUT),
        remark(Table::Filter, Chain::INPUT, health, Chain::NODE_PORTS),
        external(Chain::INPUT),
        firewall(Chain::FORWARD_HOOK),
        remark(Table::Filter, Chain::FORWARD_HOOK, forwarding, Chain::FORWARD),
        refused(Chain::FORWARD_HOOK),
        external(Chain::FORWARD_HOOK),
        bare(Chain::OUTPUT),
        firewall(Chain::OUTPUT),
        refused(Chain::OUTPUT),
        portals(Chain::PREROUTING),
        portals(Chain::OUTPUT),
        remark(Table::Nat, Chain::POSTROUTING_HOOK, leaving, Chain::POSTROUTING),
    ]
}
