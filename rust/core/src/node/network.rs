//! Pod addresses: a block per node, and the next free address within it.
//!
//! A node with `spec.podCIDR` uses that block. Others get one from 100.64.0.0/10 that is just
//! large enough for their pods. Within a block addresses are handed out in turn, as host-local
//! address management does, so a freed address rests before it is used again.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use crate::labels::Posting;

/// Where blocks for nodes without a podCIDR come from.
const SPARE_RANGE: (u32, u32) = (u32::from_be_bytes([100, 64, 0, 0]), 1 << 22);

/// Addresses that no pod gets in a block: network, gateway and broadcast.
const RESERVED: u32 = 3;

/// The addresses of one node's pods.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Block {
    base: u32,
    size: u32,
    /// The last address handed out.
    last: u32,
    #[serde(with = "offsets")]
    used: Posting,
}

impl Block {
    /// The block a `podCIDR` names.
    pub fn parse(cidr: &str) -> Option<Self> {
        let (address, length) = cidr.split_once('/')?;
        let base: Ipv4Addr = address.parse().ok()?;
        let length: u32 = length.parse().ok().filter(|length| *length <= 30)?;
        Some(Self { base: base.into(), size: 1 << (32 - length), last: 1, used: Posting::Empty })
    }

    /// The next free address; 0 when there is none.
    pub fn allocate(&mut self) -> u32 {
        let usable = self.size.saturating_sub(RESERVED);
        if self.used.len() >= u64::from(usable) {
            return 0;
        }
        let first = RESERVED - 1;
        let mut offset = self.last;
        loop {
            offset = if offset + 1 >= self.size - 1 { first } else { offset + 1 };
            if !self.used.contains(offset) {
                self.last = offset;
                self.used.insert(offset);
                return self.base + offset;
            }
        }
    }

    /// Notes that `address` is taken, by a pod that was there before.
    pub fn take(&mut self, address: u32) {
        if let Some(offset) = address.checked_sub(self.base).filter(|offset| *offset < self.size) {
            self.used.insert(offset);
        }
    }

    /// Frees an address.
    pub fn release(&mut self, address: u32) {
        if let Some(offset) = address.checked_sub(self.base).filter(|offset| *offset < self.size) {
            self.used.remove(offset);
        }
    }
}

/// Hands out blocks to nodes without a podCIDR.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SpareBlocks {
    used: u32,
}

impl SpareBlocks {
    /// A block for a node of so many pods; an empty block when the range is used up.
    pub fn next(&mut self, pods: i64) -> Block {
        let size = block_size(pods);
        let (base, room) = SPARE_RANGE;
        let start = self.used.next_multiple_of(size);
        if start.saturating_add(size) > room {
            return Block::default();
        }
        self.used = start + size;
        Block { base: base + start, size, last: 1, used: Posting::Empty }
    }
}

/// The smallest power of two with room for so many pods, at least 16.
pub fn block_size(pods: i64) -> u32 {
    let wanted = u32::try_from(pods.max(0)).unwrap_or(u32::MAX / 4).min(1 << 20) + RESERVED;
    wanted.next_power_of_two().max(16)
}

/// Postings as plain lists.
mod offsets {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::labels::Posting;

    pub fn serialize<S: Serializer>(posting: &Posting, serializer: S) -> Result<S::Ok, S::Error> {
        posting.iter().collect::<Vec<u32>>().serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Posting, D::Error> {
        Vec::deserialize(deserializer).map(Posting::from_sorted)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::{Block, SpareBlocks, block_size};

    #[test]
    fn addresses_go_round_the_block_and_rest_before_they_are_used_again() {
        let mut block = Block::parse("10.1.2.0/29").unwrap();
        let text = |address: u32| Ipv4Addr::from(address).to_string();
        let given: Vec<String> = (0..5).map(|_| text(block.allocate())).collect();
        assert_eq!(given, ["10.1.2.2", "10.1.2.3", "10.1.2.4", "10.1.2.5", "10.1.2.6"]);
        assert_eq!(block.allocate(), 0, "the block is full");
        block.release(u32::from(Ipv4Addr::new(10, 1, 2, 3)));
        assert_eq!(text(block.allocate()), "10.1.2.3");
    }

    #[test]
    fn nodes_without_a_block_get_one_of_their_size() {
        let mut spare = SpareBlocks::default();
        let (mut small, mut large) = (spare.next(5), spare.next(110));
        assert_eq!(Ipv4Addr::from(small.allocate()).to_string(), "100.64.0.2");
        assert_eq!(Ipv4Addr::from(large.allocate()).to_string(), "100.64.0.130");
        assert_eq!((block_size(110), block_size(0), block_size(250)), (128, 16, 256));
    }
}
