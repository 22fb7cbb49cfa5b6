//! The whole way of a connection's first packet through a node: every hook, chain and rule.
//!
//! ```text
//! from elsewhere ─► PREROUTING nat ─► for the node? ─► INPUT filter ─► a process
//!                                          └─ else ──► FORWARD filter ─► POSTROUTING nat ─►
//! from a process ─► OUTPUT nat ─► OUTPUT filter ─► POSTROUTING nat ─► (the loopback: INPUT) ─►
//! ```
//!
//! A [`Way`] carries what the kernel carries along: the mark, what was translated, the rule it is
//! at. Where a rule leaves the choice to chance the way forks, and each branch has its chance; or,
//! with a stream of random numbers, one is drawn. Clients are new: no endpoint remembers them.

use std::net::{IpAddr, SocketAddr};

use super::rules::{Chain, Match, Node, Rule, RuleSet, Table, Target};
use super::service_ports::Family;
use super::walk::{Packet, Verdict, draw, of_packet};
use crate::base::Stream;

/// A rule a packet met, or the chain of the kernel that it went through without meeting any.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Met<'a> {
    /// The table.
    pub table: Table,
    /// The kernel's chain it is reached by.
    pub hook: Chain,
    /// How many jumps led to the rule.
    pub depth: usize,
    /// The rule.
    pub rule: &'a Rule,
    /// The chance that a packet comes past here.
    pub chance: f64,
}

/// One way through a node, from the first hook to its end.
#[derive(Clone, Debug)]
pub struct Way<'a> {
    /// The packet as it is at the end: translated, masqueraded.
    pub packet: Packet,
    /// How likely it goes this way.
    pub chance: f64,
    /// What it met.
    pub met: Vec<Met<'a>>,
    /// The hooks it went through, in order.
    pub hooks: Vec<(Table, Chain)>,
    /// `Endpoint` when it was given another destination, `Accept` when not.
    pub verdict: Verdict,
    /// Whether it leaves with the node's address.
    pub masqueraded: bool,
    marked: bool,
    frames: Vec<(Chain, usize)>,
}

/// What every way of a packet has in common.
struct Tracer<'a, 'b> {
    rules: &'a RuleSet,
    node: &'b Node,
    is_own: bool,
    draws: Option<&'b mut Stream>,
    ends: Vec<Way<'a>>,
}

/// Every way of a packet, in the order of the rules; the one it takes when `draws` decides.
/// `is_own` says that a process of the node sends it.
pub fn trace<'a>(
    rules: &'a RuleSet,
    node: &Node,
    packet: &Packet,
    is_own: bool,
    draws: Option<&mut Stream>,
) -> Vec<Way<'a>> {
    let mut tracer = Tracer { rules, node, is_own, draws, ends: Vec::new() };
    let way = Way {
        packet: packet.clone(),
        chance: 1.0,
        met: Vec::new(),
        hooks: Vec::new(),
        verdict: Verdict::Accept,
        masqueraded: false,
        marked: false,
        frames: Vec::new(),
    };
    tracer.go_on(way);
    tracer.ends
}

impl<'a> Tracer<'a, '_> {
    /// Takes a way to its end, and those that fork from it before it.
    fn go_on(&mut self, mut way: Way<'a>) {
        loop {
            if way.frames.is_empty() {
                let Some(hook) = self.next_hook(&way) else { break };
                way.hooks.push(hook);
                way.frames.push((hook.1, 0));
            }
            if self.step(&mut way) {
                break;
            }
        }
        self.ends.push(way);
    }

    fn next_hook(&self, way: &Way) -> Option<(Table, Chain)> {
        let to_node = self.node.is_local(way.packet.destination);
        let Some((table, chain)) = way.hooks.last().copied() else {
            let first = if self.is_own { Chain::OUTPUT } else { Chain::PREROUTING };
            return Some((Table::Nat, first));
        };
        match (table, chain) {
            (Table::Nat, Chain::OUTPUT) => Some((Table::Filter, Chain::OUTPUT)),
            (Table::Nat, Chain::PREROUTING) if to_node => Some((Table::Filter, Chain::INPUT)),
            (Table::Nat, Chain::PREROUTING) => Some((Table::Filter, Chain::FORWARD_HOOK)),
            (Table::Filter, Chain::OUTPUT | Chain::FORWARD_HOOK) => {
                Some((Table::Nat, Chain::POSTROUTING_HOOK))
            }
            // It goes out by the loopback and comes in again, as the same connection.
            (Table::Nat, Chain::POSTROUTING_HOOK) if to_node => Some((Table::Filter, Chain::INPUT)),
            _ => None,
        }
    }

    /// Looks at the next rule of the hook; whether the packet's way ends with it.
    fn step(&mut self, way: &mut Way<'a>) -> bool {
        let (table, hook) = *way.hooks.last().expect("it is in one");
        let depth = way.frames.len() - 1;
        let (chain, at) = way.frames.last_mut().expect("it is at a rule");
        let Some(rule) = self.rules.chain(table, *chain).get(*at) else {
            way.frames.pop();
            return false;
        };
        *at += 1;
        if rule.target == Target::Nothing || !rule.matches.iter().all(|one| self.meets(way, one)) {
            return false;
        }
        if let Some(packets) = rule.one_in() {
            match &mut self.draws {
                Some(stream) => {
                    if !draw(stream.next_u64(), packets) {
                        return false;
                    }
                }
                None => {
                    let mut taken = way.clone();
                    taken.chance /= f64::from(packets);
                    way.chance -= taken.chance;
                    taken.note(table, hook, depth, rule);
                    if !self.act(&mut taken, rule) {
                        self.go_on(taken);
                    }
                    return false;
                }
            }
        }
        way.note(table, hook, depth, rule);
        self.act(way, rule)
    }

    /// Does what a rule says; whether the packet's way ends with it.
    fn act(&self, way: &mut Way<'a>, rule: &Rule) -> bool {
        match &rule.target {
            Target::Nothing => {}
            Target::Jump(chain) => way.frames.push((*chain, 0)),
            Target::Return => drop(way.frames.pop()),
            Target::Accept => way.frames.clear(),
            Target::Drop => way.verdict = Verdict::Drop,
            Target::Reject => way.verdict = Verdict::Reject,
            Target::SetMark(_) => way.marked = true,
            Target::ClearMark(_) => way.marked = false,
            Target::Masquerade { .. } => {
                way.masqueraded = true;
                let family = Family::of(way.packet.source);
                way.packet.source = self.node.primary(family).unwrap_or(way.packet.source);
                way.frames.clear();
            }
            Target::Dnat(to) => {
                way.packet.destination = to.ip();
                way.packet.port = to.port();
                way.verdict = Verdict::Endpoint(*to);
                way.frames.clear();
            }
        }
        matches!(way.verdict, Verdict::Drop | Verdict::Reject)
    }

    fn meets(&self, way: &Way, condition: &Match) -> bool {
        if let Some(met) = of_packet(condition, &way.packet, self.node) {
            return met;
        }
        match condition {
            Match::ConnectionState { negated, states } => {
                let is = |state| match state {
                    "NEW" => true,
                    "DNAT" => matches!(way.verdict, Verdict::Endpoint(_)),
                    _ => false,
                };
                states.split(',').any(is) != *negated
            }
            Match::Marked { negated, .. } => way.marked != *negated,
            Match::OneIn(_) => true,
            _ => false,
        }
    }
}

impl<'a> Way<'a> {
    fn note(&mut self, table: Table, hook: Chain, depth: usize, rule: &'a Rule) {
        self.met.push(Met { table, hook, depth, rule, chance: self.chance });
    }

    /// Where the packet ends up.
    pub fn destination(&self) -> SocketAddr {
        SocketAddr::new(self.packet.destination, self.packet.port)
    }

    /// Whose packet it looks like at its end.
    pub fn source(&self) -> IpAddr {
        self.packet.source
    }
}

#[cfg(test)]
mod tests;
