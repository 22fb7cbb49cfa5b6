//! Walking the rules one by one, as the kernel does with the first packet of a connection.
//!
//! [`walk`] follows every branch a random choice could take and answers all endpoints a packet
//! may reach; [`walk_once`] draws, and answers the one it takes. Both go through the nat table
//! first, then, with the destination the first translation gave, through the chains of the
//! filter table. Conditions on what was before (marks, the state of the connection, lists of
//! clients) are never met: this is the first packet of a connection of a new client.
//!
//! Which chains of the filter table a packet meets depends on where it comes from and goes to.
//! [`Hooks`] says whether that is taken into account, as the kernel does, or whether all are
//! gone through, as the recorded cases of kube-proxy do.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::rules::{Chain, Match, Node, Rule, RuleSet, Table, Target};
use super::service_ports::Protocol;
use crate::base::{Stream, Text};

/// The first packet of a connection.
#[derive(Clone, Debug, PartialEq)]
pub struct Packet {
    /// Where it comes from.
    pub source: IpAddr,
    /// Its protocol.
    pub protocol: Protocol,
    /// Where it goes to.
    pub destination: IpAddr,
    /// The port there.
    pub port: u16,
    /// The interface it came in by, if that is known.
    pub interface: Option<Text>,
}

/// Where a walk ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes to an endpoint.
    Endpoint(SocketAddr),
    /// It passes.
    Accept,
    /// It is thrown away.
    Drop,
    /// It is thrown away, and its sender told.
    Reject,
}

/// The endpoint, or the target's word.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Endpoint(to) => write!(f, "{to}"),
            Self::Accept => f.write_str("ACCEPT"),
            Self::Drop => f.write_str("DROP"),
            Self::Reject => f.write_str("REJECT"),
        }
    }
}

/// A rule a packet met the conditions of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The table.
    pub table: Table,
    /// The chain.
    pub chain: Chain,
    /// Which of the chain's rules, counted from 0.
    pub rule: usize,
    /// How many jumps led to the chain.
    pub depth: usize,
}

/// What became of a packet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outcome {
    /// Every end the packet may come to, in the order of the rules; none when no rule applies.
    pub verdicts: Vec<Verdict>,
    /// Whether it gets the node's address as source.
    pub masquerade: bool,
    /// The rules it met.
    pub steps: Vec<Step>,
}

/// Which chains of the filter table a packet goes through.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hooks {
    /// All that could refuse it, wherever it comes from.
    #[default]
    All,
    /// Those the kernel sends it through: a packet of the node's own goes out, one to the node
    /// comes in, others are forwarded. It ends at the first verdict.
    Kernel,
}

/// Every end a packet may come to.
pub fn walk(rules: &RuleSet, node: &Node, packet: &Packet, hooks: Hooks) -> Outcome {
    let packet = packet.clone();
    Walk { rules, node, packet, hooks, draws: None, outcome: Outcome::default() }.run()
}

/// The end a packet comes to, with random choices drawn from `stream`.
pub fn walk_once(rules: &RuleSet, node: &Node, packet: &Packet, stream: &mut Stream) -> Outcome {
    walk_by(rules, node, packet, &mut || stream.next_u64())
}

/// The same, with random bits from elsewhere.
pub fn walk_by<'a>(
    rules: &'a RuleSet,
    node: &'a Node,
    packet: &Packet,
    random: &'a mut (dyn FnMut() -> u64 + 'a),
) -> Outcome {
    let (packet, draws, hooks) = (packet.clone(), Some(random), Hooks::Kernel);
    Walk { rules, node, packet, hooks, draws, outcome: Outcome::default() }.run()
}

struct Walk<'a> {
    rules: &'a RuleSet,
    node: &'a Node,
    packet: Packet,
    hooks: Hooks,
    draws: Option<&'a mut (dyn FnMut() -> u64 + 'a)>,
    outcome: Outcome,
}

impl Walk<'_> {
    fn run(mut self) -> Outcome {
        self.chain(Table::Nat, Chain::SERVICES, 0);
        if let Some(Verdict::Endpoint(to)) = self.outcome.verdicts.first() {
            self.packet.destination = to.ip();
            if self.hooks == Hooks::Kernel {
                self.packet.port = to.port();
            }
        }
        for chain in self.filter_chains() {
            if self.chain(Table::Filter, *chain, 0) && self.hooks == Hooks::Kernel {
                break;
            }
        }
        self.outcome
    }

    /// The chains of the filter table that lie on the packet's way, in the order it meets them.
    fn filter_chains(&self) -> &'static [Chain] {
        const SERVICES: Chain = Chain::SERVICES;
        const EXTERNAL: Chain = Chain::EXTERNAL_SERVICES;
        const NODE_PORTS: Chain = Chain::NODE_PORTS;
        const FIREWALL: Chain = Chain::PROXY_FIREWALL;
        if self.hooks == Hooks::All {
            return &[SERVICES, EXTERNAL, NODE_PORTS, FIREWALL];
        }
        let is_own = self.node.is_local(self.packet.source);
        match (is_own, self.node.is_local(self.packet.destination)) {
            (false, true) => &[FIREWALL, NODE_PORTS, EXTERNAL],
            (false, false) => &[FIREWALL, SERVICES, EXTERNAL],
            // It goes out, and comes in again by the loopback.
            (true, true) => &[FIREWALL, SERVICES, NODE_PORTS, EXTERNAL],
            (true, false) => &[FIREWALL, SERVICES],
        }
    }

    /// Whether the packet came to an end for sure.
    fn chain(&mut self, table: Table, chain: Chain, depth: usize) -> bool {
        let rules = self.rules;
        for (at, rule) in rules.chain(table, chain).iter().enumerate() {
            if rule.target == Target::Nothing || !self.matches(rule) {
                continue;
            }
            self.outcome.steps.push(Step { table, chain, rule: at, depth });
            let verdict = match &rule.target {
                Target::Jump(Chain::MARK_MASQ) => {
                    self.outcome.masquerade = true;
                    continue;
                }
                Target::Jump(next) => {
                    let ended = self.chain(table, *next, depth + 1);
                    // One of several choices: the others are looked at as well.
                    let is_open = self.draws.is_none() && rule.one_in().is_some();
                    if ended && !is_open {
                        return true;
                    }
                    continue;
                }
                Target::Return => return false,
                Target::Dnat(to) => Verdict::Endpoint(*to),
                Target::Accept => Verdict::Accept,
                Target::Drop => Verdict::Drop,
                Target::Reject => Verdict::Reject,
                _ => continue,
            };
            self.outcome.verdicts.push(verdict);
            return true;
        }
        false
    }

    fn matches(&mut self, rule: &Rule) -> bool {
        rule.matches.iter().all(|condition| self.meets(condition))
    }

    fn meets(&mut self, condition: &Match) -> bool {
        if let Some(met) = of_packet(condition, &self.packet, self.node) {
            return met;
        }
        match (condition, &mut self.draws) {
            (Match::OneIn(packets), Some(random)) => draw(random(), *packets),
            (Match::OneIn(_), None) => true,
            // What came before: nothing.
            _ => false,
        }
    }
}

/// Whether a packet meets a condition; `None` when that depends on more than the packet itself:
/// on what was before, or on chance.
pub(super) fn of_packet(condition: &Match, packet: &Packet, node: &Node) -> Option<bool> {
    Some(match condition {
        Match::Comment(_) | Match::Counter(_) | Match::Note(_) => true,
        Match::Protocol(protocol) => packet.protocol == *protocol,
        Match::Source { negated, addresses } => addresses.contain(packet.source) != *negated,
        Match::Destination { negated, addresses } => {
            addresses.contain(packet.destination) != *negated
        }
        Match::DestinationPort(port) => packet.port == *port,
        Match::SourceLocal => node.is_local(packet.source),
        Match::DestinationLocal => node.is_local(packet.destination),
        Match::InInterface { negated, name } => {
            packet.interface.as_ref().is_some_and(|has| is_interface(has, name)) != *negated
        }
        Match::ConnectionState { .. }
        | Match::Marked { .. }
        | Match::SeenWithin { .. }
        | Match::OneIn(_) => return None,
    })
}

/// Whether an interface is the one named, or begins with what stands before a `+`.
fn is_interface(interface: &str, name: &str) -> bool {
    name.strip_suffix('+').map_or(interface == name, |prefix| interface.starts_with(prefix))
}

/// One draw of the kernel: 31 bits against the chance as iptables keeps it, which it reads from
/// the ten decimals of the text.
pub(super) fn draw(random: u64, packets: u32) -> bool {
    const DECIMALS: f64 = 1e10;
    let chance = (DECIMALS / f64::from(packets)).round() / DECIMALS;
    let below = (chance * f64::from(1_u32 << 31)).round() as u64;
    random >> 33 < below
}

#[cfg(test)]
mod tests;
