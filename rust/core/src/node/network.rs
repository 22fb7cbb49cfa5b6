//! Pod addresses: a block per node, and the next free address within it.
//!
//! A node with `spec.podCIDRs` uses those blocks. Others get some from 100.64.0.0/10 and
//! fd00:100:64::/48 that are just large enough for their pods. Within a block addresses are
//! handed out in turn, as host-local address management does, so a freed address rests before it
//! is used again. Both addresses of a pod are as far into their blocks.

use serde::{Deserialize, Serialize};

use crate::base::ip::{Cidr, Family, number_of, parse_cidr};
use crate::labels::Posting;
use crate::store::pod_address::NodeBlock;
use crate::store::ranges::Ranges;

/// Where blocks for nodes without a podCIDR come from.
const SPARE_RANGE: (u32, u32) = (u32::from_be_bytes([100, 64, 0, 0]), 1 << 22);
/// The same of IPv6: as far in as the block of numbers is in its range.
const SPARE_RANGE_V6: u128 = 0xfd00_0100_0064 << 80;

/// Addresses that no pod gets in a block: network, gateway and broadcast.
const RESERVED: u32 = 3;

/// The addresses of one node's pods.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Block {
    /// Where they are.
    pub place: NodeBlock,
    /// The last number handed out.
    last: u32,
    #[serde(with = "offsets")]
    used: Posting,
}

impl Block {
    /// The numbers of some place, none of them in use.
    pub fn at(place: NodeBlock) -> Self {
        Self { place, last: 1, used: Posting::Empty }
    }

    /// The blocks `podCIDRs` name, for a node of so many pods; `None` when there is no room in
    /// them.
    pub fn parse(cidrs: &[&str], pods: i64) -> Option<Self> {
        let blocks: Vec<Cidr> = cidrs.iter().filter_map(|cidr| parse_cidr(cidr)).collect();
        let of = |family: Family| blocks.iter().find(|block| block.family() == family);
        let room = |block: &Cidr| {
            let hosts = u32::from(block.family().bits() - block.prefix_len);
            (hosts >= 2).then(|| 1_u32.checked_shl(hosts).unwrap_or(u32::MAX))
        };
        let mut place = NodeBlock {
            size: block_size(pods),
            v6_first: blocks.first()?.family() == Family::V6,
            ..NodeBlock::default()
        };
        if let Some(block) = of(Family::V6) {
            place.size = place.size.min(room(block)?);
            place.base_v6 = number_of(block.network());
        }
        if let Some(block) = of(Family::V4) {
            let size = room(block)?;
            place.size = if place.base_v6 == 0 { size } else { size.min(place.size) };
            place.base = number_of(block.network()) as u32;
            place.has_v4 = true;
        }
        Some(Self::at(place))
    }

    /// The next free address; 0 when there is none.
    pub fn allocate(&mut self) -> u32 {
        let NodeBlock { base, size, .. } = self.place;
        let usable = size.saturating_sub(RESERVED);
        if self.used.len() >= u64::from(usable) {
            return 0;
        }
        let first = RESERVED - 1;
        let mut offset = self.last;
        loop {
            offset = if offset + 1 >= size - 1 { first } else { offset + 1 };
            if !self.used.contains(offset) {
                self.last = offset;
                self.used.insert(offset);
                return base + offset;
            }
        }
    }

    /// Notes that `address` is taken, by a pod that was there before.
    pub fn take(&mut self, address: u32) {
        if let Some(offset) = self.offset(address) {
            self.used.insert(offset);
        }
    }

    /// Frees an address.
    pub fn release(&mut self, address: u32) {
        if let Some(offset) = self.offset(address) {
            self.used.remove(offset);
        }
    }

    fn offset(&self, address: u32) -> Option<u32> {
        address.checked_sub(self.place.base).filter(|offset| *offset < self.place.size)
    }
}

/// Hands out blocks to nodes without a podCIDR.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct SpareBlocks {
    used: u32,
}

impl SpareBlocks {
    /// A block for a node of so many pods; an empty block when the range is used up.
    pub fn next(&mut self, pods: i64, ranges: &Ranges) -> Block {
        let size = block_size(pods);
        let (base, room) = SPARE_RANGE;
        let start = self.used.next_multiple_of(size);
        if start.saturating_add(size) > room {
            return Block::default();
        }
        self.used = start + size;
        let has_v6 = ranges.pods_of(Family::V6).is_some();
        Block::at(NodeBlock {
            base: base + start,
            size,
            has_v4: ranges.pods_of(Family::V4).is_some(),
            base_v6: if has_v6 { SPARE_RANGE_V6 + u128::from(start) } else { 0 },
            v6_first: ranges.pod_families().next() == Some(Family::V6),
        })
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
    use super::{Block, SpareBlocks, block_size};
    use crate::store::ranges::{Given, Ranges};

    /// The addresses the next pod gets.
    fn next(block: &mut Block) -> Vec<String> {
        let number = block.allocate();
        block.place.addresses(number).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn addresses_go_round_the_block_and_rest_before_they_are_used_again() {
        let mut block = Block::parse(&["10.1.2.0/29"], 110).unwrap();
        let given: Vec<String> = (0..5).map(|_| next(&mut block).remove(0)).collect();
        assert_eq!(given, ["10.1.2.2", "10.1.2.3", "10.1.2.4", "10.1.2.5", "10.1.2.6"]);
        assert_eq!(block.allocate(), 0, "the block is full");
        block.release(block.place.base + 3);
        assert_eq!(next(&mut block), ["10.1.2.3"]);
    }

    #[test]
    fn a_pod_has_an_address_of_each_block_of_its_node() {
        let mut both = Block::parse(&["fd00:10:200:7::/64", "10.1.2.0/29"], 110).unwrap();
        assert_eq!(next(&mut both), ["fd00:10:200:7::2", "10.1.2.2"]);
        assert_eq!(next(&mut both), ["fd00:10:200:7::3", "10.1.2.3"]);
        let mut six = Block::parse(&["fd00:10:200:7::/64"], 5).unwrap();
        let given: Vec<String> = (0..13).map(|_| next(&mut six).remove(0)).collect();
        assert_eq!(given[0], "fd00:10:200:7::2");
        assert_eq!(given[12], "fd00:10:200:7::e");
        assert_eq!(six.allocate(), 0, "as many as a block of IPv4 would hold");
    }

    #[test]
    fn nodes_without_a_block_get_one_of_their_size() {
        let mut spare = SpareBlocks::default();
        let four = Ranges::default();
        let (mut small, mut large) = (spare.next(5, &four), spare.next(110, &four));
        assert_eq!(next(&mut small), ["100.64.0.2"]);
        assert_eq!(next(&mut large), ["100.64.0.130"]);
        assert_eq!((block_size(110), block_size(0), block_size(250)), (128, 16, 256));
        let given = Given { services: "10.96.0.0/16,fd00:10:96::/112".into(), ..Given::default() };
        let mut dual = spare.next(5, &Ranges::read(&given).unwrap());
        assert_eq!(next(&mut dual), ["100.64.1.2", "fd00:100:64::102"]);
    }
}
