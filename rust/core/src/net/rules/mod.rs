//! Rules as kube-proxy 1.36 writes them in iptables mode.
//!
//! A [`Rule`] is what one line says; [`text`] writes it. [`service`] makes the rules of one
//! service port, [`frame`] those around them, [`proxier`] puts together what `iptables-restore` is
//! given and keeps what did not change, [`set`] holds the rules of a node by chain. Between
//! services kube-proxy's order is random; here it is by namespace, name, port and protocol.

pub mod chain;
pub mod config;
pub mod frame;
pub mod proxier;
pub mod service;
pub mod set;
pub mod text;

use std::net::{IpAddr, SocketAddr};

use smallvec::SmallVec;

pub use self::chain::{Chain, ChainHash};
pub use self::config::{Config, LocalDetector, Node};
pub use self::proxier::Proxier;
pub use self::set::RuleSet;
use super::service_ports::Protocol;
use crate::base::Text;
use crate::base::ip::Cidr;

/// A table of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// Which packets pass.
    Filter,
    /// Where packets go.
    Nat,
}

impl Table {
    /// The table's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Filter => "filter",
            Self::Nat => "nat",
        }
    }
}

/// One address or a block of them: they are written differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Addresses {
    /// `10.0.0.1`.
    One(IpAddr),
    /// `10.0.0.0/8`.
    Block(Cidr),
}

impl Addresses {
    /// Whether an address is among them.
    pub fn contain(self, address: IpAddr) -> bool {
        match self {
            Self::One(one) => one == address,
            Self::Block(block) => block.contains(address),
        }
    }
}

/// One condition of a rule; a packet must meet all of them.
#[derive(Clone, Debug, PartialEq)]
pub enum Match {
    /// No condition: a remark.
    Comment(Text),
    /// The protocol.
    Protocol(Protocol),
    /// The source address lies in (or outside of, when negated) these.
    Source {
        /// Whether it must not be so.
        negated: bool,
        /// The addresses.
        addresses: Addresses,
    },
    /// The destination address does.
    Destination {
        /// Whether it must not be so.
        negated: bool,
        /// The addresses.
        addresses: Addresses,
    },
    /// The destination port.
    DestinationPort(u16),
    /// The source is an address of the node.
    SourceLocal,
    /// The destination is.
    DestinationLocal,
    /// The interface the packet came in by; a name that ends in `+` stands for all it begins.
    InInterface {
        /// Whether it must not be so.
        negated: bool,
        /// The name.
        name: Text,
    },
    /// The state of the connection is one of these.
    ConnectionState {
        /// Whether it must not be so.
        negated: bool,
        /// The states, with commas.
        states: &'static str,
    },
    /// The mark for masquerading is set, or not.
    Marked {
        /// Whether it must not be so.
        negated: bool,
        /// The bit, as it is written.
        mark: Text,
    },
    /// No condition: a counter that counts the packet.
    Counter(&'static str),
    /// One in so many packets.
    OneIn(u32),
    /// The client was seen in the endpoint's list less than so many seconds ago.
    SeenWithin {
        /// The chain of the endpoint, which names its list.
        list: Chain,
        /// How long a client is remembered.
        seconds: i64,
    },
    /// No condition: the client is noted in the endpoint's list.
    Note(Chain),
}

/// What becomes of a packet that meets the conditions.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Nothing: the next rule is looked at.
    Nothing,
    /// It goes through another chain.
    Jump(Chain),
    /// It passes.
    Accept,
    /// It is thrown away.
    Drop,
    /// It is thrown away, and its sender told.
    Reject,
    /// It goes on behind the rule that led here.
    Return,
    /// It is marked.
    SetMark(Text),
    /// It loses the mark.
    ClearMark(Text),
    /// It gets the node's address as source, with a random port if the kernel can.
    Masquerade {
        /// Whether the port is chosen at random.
        random_fully: bool,
    },
    /// It gets another destination.
    Dnat(SocketAddr),
}

/// One rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// The chain it is in.
    pub chain: Chain,
    /// Its conditions, as they are written.
    pub matches: SmallVec<[Match; 6]>,
    /// What it does.
    pub target: Target,
}

impl Rule {
    /// A rule without conditions that does nothing yet.
    pub fn new(chain: Chain) -> Self {
        Self { chain, matches: SmallVec::new(), target: Target::Nothing }
    }

    /// Adds a condition.
    pub fn when(mut self, condition: Match) -> Self {
        self.matches.push(condition);
        self
    }

    /// Adds several.
    pub fn when_all(mut self, conditions: &[Match]) -> Self {
        self.matches.extend(conditions.iter().cloned());
        self
    }

    /// Says what the rule does.
    pub fn then(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// Jumps to another chain.
    pub fn jump(self, chain: Chain) -> Self {
        self.then(Target::Jump(chain))
    }

    /// How many packets share what the rule does: one in so many.
    pub fn one_in(&self) -> Option<u32> {
        self.matches.iter().find_map(|condition| match condition {
            Match::OneIn(packets) => Some(*packets),
            _ => None,
        })
    }
}
