//! Which service port an address, port and protocol lead to: an open-addressed map with linear
//! probing in copy-on-write pages, sixteen bytes a cell and never more than half full.

use crate::base::CowVec;
use crate::net::service_ports::Protocol;

/// An address (by number), a port and a protocol in 64 bits.
#[inline]
pub fn key(address: u32, port: u16, protocol: Protocol) -> u64 {
    u64::from(address) << 32 | u64::from(port) << 16 | protocol as u64
}

/// By what sort of address a service port is reached. They are tried in this order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Portal {
    /// The cluster IP.
    #[default]
    ClusterIp,
    /// One of `spec.externalIPs`.
    ExternalIp,
    /// An address of the load balancer.
    LoadBalancer,
    /// A port of every node.
    NodePort,
}

/// Where a key leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The number of the service port.
    pub port: u32,
    /// The sort of address.
    pub portal: Portal,
    /// Other service ports claim the same key.
    pub shared: bool,
}

impl Target {
    const NONE: Self = Self { port: u32::MAX, portal: Portal::ClusterIp, shared: false };

    /// No target.
    #[inline]
    pub fn nowhere() -> Self {
        Self::NONE
    }

    /// Whether it leads nowhere.
    #[inline]
    pub fn is_none(self) -> bool {
        self.port == u32::MAX
    }
}

/// A cell; the default is empty.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// What is looked up.
    pub key: u64,
    /// Where it leads; nowhere in an empty cell.
    pub target: Target,
}

impl Default for Cell {
    fn default() -> Self {
        Self { key: 0, target: Target::NONE }
    }
}

/// The map; see the module header.
#[derive(Clone, Debug)]
pub struct Keys {
    cells: CowVec<Cell>,
    len: usize,
    shift: u32,
}

impl Default for Keys {
    fn default() -> Self {
        Self { cells: CowVec::with_len(16), len: 0, shift: 64 - 4 }
    }
}

impl Keys {
    /// Where a key would like to be.
    #[inline]
    pub fn home(&self, key: u64) -> usize {
        ((key ^ key >> 29).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize
    }

    /// A cell, whatever is in it.
    #[inline]
    pub fn cell(&self, at: usize) -> Cell {
        self.cells[at]
    }

    /// Where a key leads, if anywhere.
    #[inline]
    pub fn get(&self, key: u64) -> Option<Target> {
        self.get_from(self.home(key), key)
    }

    /// The same, by one who knows where the key would like to be.
    #[inline]
    pub fn get_from(&self, home: usize, key: u64) -> Option<Target> {
        let (mut at, mask) = (home, self.cells.len() - 1);
        loop {
            let cell = self.cells[at];
            if cell.target.is_none() {
                return None;
            }
            if cell.key == key {
                return Some(cell.target);
            }
            at = (at + 1) & mask;
        }
    }

    /// Lets a key lead somewhere, whatever it led to.
    pub fn set(&mut self, key: u64, target: Target) {
        if (self.len + 1) * 2 > self.cells.len() {
            self.grow();
        }
        let at = self.place(key);
        self.len += usize::from(self.cells[at].target.is_none());
        self.cells.set(at, Cell { key, target });
    }

    /// Lets a key lead nowhere.
    pub fn remove(&mut self, key: u64) {
        let (mut hole, mask) = (self.place(key), self.cells.len() - 1);
        if self.cells[hole].target.is_none() {
            return;
        }
        self.len -= 1;
        let mut at = hole;
        loop {
            at = (at + 1) & mask;
            let cell = self.cells[at];
            if cell.target.is_none() {
                break;
            }
            // A cell may fill the hole unless its home lies cyclically in (hole, at].
            let home = self.home(cell.key);
            if (at.wrapping_sub(home) & mask) >= (at.wrapping_sub(hole) & mask) {
                self.cells.set(hole, cell);
                hole = at;
            }
        }
        self.cells.set(hole, Cell::default());
    }

    /// How many bytes it takes.
    pub fn bytes(&self) -> usize {
        self.cells.len() * size_of::<Cell>()
    }

    /// The cell of a key, or the empty one it would get.
    fn place(&self, key: u64) -> usize {
        let (mut at, mask) = (self.home(key), self.cells.len() - 1);
        while !self.cells[at].target.is_none() && self.cells[at].key != key {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) {
        let cells = CowVec::with_len(self.cells.len() * 2);
        let old = std::mem::replace(&mut self.cells, cells);
        self.shift -= 1;
        for cell in old.iter().filter(|cell| !cell.target.is_none()) {
            let at = self.place(cell.key);
            self.cells.set(at, *cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::{Keys, Portal, Target, key};
    use crate::net::service_ports::Protocol;

    proptest! {
        #[test]
        fn behaves_as_a_map(ops in prop::collection::vec((any::<bool>(), 0..99u32, 0..9u32), 1..900)) {
            let (mut model, mut keys) = (BTreeMap::new(), Keys::default());
            for (set, address, port) in ops {
                let key = key(address, 80, Protocol::Udp);
                if set {
                    model.insert(key, port);
                    keys.set(key, Target { port, portal: Portal::ExternalIp, shared: false });
                } else {
                    model.remove(&key);
                    keys.remove(key);
                }
            }
            for address in 0..99 {
                let key = key(address, 80, Protocol::Udp);
                let found = keys.get(key).map(|target| target.port);
                prop_assert_eq!(found, model.get(&key).copied());
            }
        }
    }
}
