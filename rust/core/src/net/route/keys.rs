//! Which service port an address, port and protocol lead to: an open-addressed map with linear
//! probing in copy-on-write pages, never more than half full. A cell says of a plain service port
//! all that routing wants to know, so that most packets read one cell and nothing else.

use crate::base::CowVec;
use crate::base::random::mix;
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

    /// Whether it leads nowhere.
    #[inline]
    pub fn is_none(self) -> bool {
        self.port == u32::MAX
    }
}

/// A cell of 24 bytes; the default is empty.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    /// What is looked up.
    pub key: u64,
    /// The first endpoint of a plain service port.
    pub start: u32,
    /// How many it has; 0 when it is not that plain.
    pub count: u32,
    /// Where it leads; nowhere in an empty cell.
    pub target: Target,
}

impl Default for Cell {
    fn default() -> Self {
        Self { key: 0, start: 0, count: 0, target: Target::NONE }
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
        // Addresses come in rows: one multiplication leaves them in rows.
        (mix(key) >> self.shift) as usize
    }

    /// The cell where a key would like to be, or the next one if another is there.
    #[inline]
    pub fn near(&self, home: usize, key: u64) -> Cell {
        let cell = &self.cells[home];
        if cell.key == key { *cell } else { self.cells[(home + 1) & (self.cells.len() - 1)] }
    }

    /// Where a key leads, if anywhere.
    #[inline]
    pub fn get(&self, key: u64) -> Option<Target> {
        Some(self.cells[self.place(key)].target).filter(|target| !target.is_none())
    }

    /// The cell of a key; an empty one when it leads nowhere.
    #[inline]
    pub fn find(&self, key: u64) -> Cell {
        self.cells[self.place(key)]
    }

    /// Puts a cell, whatever its key led to.
    pub fn set(&mut self, cell: Cell) {
        if (self.len + 1) * 2 > self.cells.len() {
            self.grow();
        }
        let at = self.place(cell.key);
        self.len += usize::from(self.cells[at].target.is_none());
        self.cells.set(at, cell);
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
    #[inline]
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

    use super::{Cell, Keys, Portal, Target, key};
    use crate::net::service_ports::Protocol;

    proptest! {
        #[test]
        fn behaves_as_a_map(ops in prop::collection::vec((any::<bool>(), 0..99u32, 0..9u32), 1..900)) {
            let (mut model, mut keys) = (BTreeMap::new(), Keys::default());
            for (set, address, port) in ops {
                let key = key(address, 80, Protocol::Udp);
                if set {
                    model.insert(key, port);
                    let target = Target { port, portal: Portal::ExternalIp, shared: false };
                    keys.set(Cell { key, target, ..Cell::default() });
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
