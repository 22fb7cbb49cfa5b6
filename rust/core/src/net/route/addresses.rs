//! Addresses as numbers of 32 bits: an IPv4 address is its own number, an IPv6 address gets the
//! next one when it is first seen, and keeps it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::{CowIndex, CowVec, hash_of};
use crate::net::Family;

/// Stands for an IPv6 address nobody has asked to be numbered, and for no address.
pub const UNKNOWN: u32 = u32::MAX;

/// The numbers of the addresses of one family.
#[derive(Clone, Debug)]
pub struct Addresses {
    family: Family,
    known: CowVec<u128>,
    index: CowIndex,
}

impl Addresses {
    /// No address has a number yet, but for those of IPv4, which always do.
    pub fn new(family: Family) -> Self {
        Self { family, known: CowVec::new(), index: CowIndex::new() }
    }

    /// The number of an address of the family, given to it now if it has none.
    pub fn number(&mut self, address: IpAddr) -> u32 {
        match (self.find(address), address) {
            (UNKNOWN, IpAddr::V6(address)) if self.family == Family::V6 => {
                let bits = u128::from(address);
                let number = self.known.push(bits) as u32;
                self.index.insert(hash_of(&bits), number);
                number
            }
            (number, _) => number,
        }
    }

    /// The number of an address, or [`UNKNOWN`].
    pub fn find(&self, address: IpAddr) -> u32 {
        match address {
            IpAddr::V4(address) if self.family == Family::V4 => address.into(),
            IpAddr::V6(address) if self.family == Family::V6 => {
                let bits = u128::from(address);
                let found =
                    self.index.find(hash_of(&bits), |number| self.known[number as usize] == bits);
                found.unwrap_or(UNKNOWN)
            }
            _ => UNKNOWN,
        }
    }

    /// The address behind a number.
    pub fn address(&self, number: u32) -> IpAddr {
        match self.family {
            Family::V4 => Ipv4Addr::from(number).into(),
            Family::V6 => {
                let bits = self.known.get(number as usize).copied();
                bits.map_or(Ipv6Addr::UNSPECIFIED, Ipv6Addr::from).into()
            }
        }
    }
}

impl Serialize for Addresses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.family == Family::V6, &self.known).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Addresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (six, known) = <(bool, CowVec<u128>)>::deserialize(deserializer)?;
        let mut index = CowIndex::new();
        index.reserve(known.len());
        for (number, bits) in known.iter().enumerate() {
            index.insert(hash_of(bits), number as u32);
        }
        let family = if six { Family::V6 } else { Family::V4 };
        Ok(Self { family, known, index })
    }
}
