//! The addresses of one service range, and which of them are taken.
//!
//! ```text
//!   first                                                      last
//!     │ for those asked by name │ for everybody, from a random place on │
//!     └──── at most 256 ────────┘
//! ```

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::base::ip::{Cidr, Family, number_of};
use crate::base::{CowMap, Stream};

/// A service range; cloning it costs a few reference counts.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ServiceRange {
    cidr: Cidr,
    used: CowMap<u128, ()>,
}

impl ServiceRange {
    /// A range nobody has anything of.
    pub fn new(cidr: Cidr) -> Self {
        Self { cidr, used: CowMap::new() }
    }

    /// The family of its addresses.
    pub fn family(&self) -> Family {
        self.cidr.family()
    }

    /// The first address that can be had and the last: not the network's own, nor the broadcast
    /// address of IPv4.
    fn bounds(&self) -> (u128, u128) {
        let (first, last) = self.cidr.bounds();
        (first + 1, last - u128::from(self.family() == Family::V4))
    }

    /// How many addresses at the low end are kept for those who ask by name.
    fn band(&self) -> u128 {
        let (first, last) = self.cidr.bounds();
        band((last - first).saturating_add(1), 16, 256)
    }

    /// A free address; `None` when all are taken.
    pub fn any(&mut self, stream: &mut Stream) -> Option<IpAddr> {
        let (first, last) = self.bounds();
        let number = pick(stream, self.band(), last - first + 1, |offset| {
            self.used.get(&(first + offset)).is_none()
        });
        let number = first + number?;
        self.used.insert(number, ());
        Some(self.family().address(number))
    }

    /// Takes an address that was asked for.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn take(&mut self, address: IpAddr) -> Result<(), &'static str> {
        let number = self.number(address);
        let Some(number) = number else {
            return Err("the provided network does not match the current range");
        };
        match self.used.insert(number, ()) {
            None => Ok(()),
            Some(()) => Err("provided IP is already allocated"),
        }
    }

    /// Whether an address is one of the range, as a dry run asks.
    ///
    /// # Errors
    /// Why it cannot be had.
    pub fn look(&self, address: IpAddr) -> Result<(), String> {
        let outside = || {
            let range = self.cidr;
            format!(
                "the provided IP ({address}) is not in the valid range. The range of valid IPs is \
                 {range}"
            )
        };
        self.number(address).map(drop).ok_or_else(outside)
    }

    /// Gives an address back, if it is one of the range.
    pub fn release(&mut self, address: IpAddr) {
        if let Some(number) = self.number(address) {
            self.used.remove(&number);
        }
    }

    /// The number of an address that can be had here.
    fn number(&self, address: IpAddr) -> Option<u128> {
        let (first, last) = self.bounds();
        let known = Family::of(address) == self.family();
        Some(number_of(address)).filter(|number| known && (first..=last).contains(number))
    }
}

/// The size of the band kept for choices: a share of the range within bounds.
pub fn band(size: u128, share: u128, most: u128) -> u128 {
    if size <= 16 { 0 } else { (size / share).clamp(16, most) }
}

/// The first free number above the band, from a random place on and round, else one in the band.
pub fn pick(
    stream: &mut Stream,
    band: u128,
    size: u128,
    free: impl Fn(u128) -> bool,
) -> Option<u128> {
    let upper = size.saturating_sub(band);
    let start = u128::from(stream.below(u64::try_from(upper).unwrap_or(u64::MAX).max(1)));
    let above = (0..upper).map(|step| band + (start + step) % upper).find(|offset| free(*offset));
    above.or_else(|| (0..band.min(size)).find(|offset| free(*offset)))
}

#[cfg(test)]
mod tests {
    use super::ServiceRange;
    use crate::base::Streams;
    use crate::base::ip::{parse_cidr, parse_ip};

    fn range(text: &str) -> ServiceRange {
        ServiceRange::new(parse_cidr(text).unwrap())
    }

    #[test]
    fn addresses_nobody_chose_come_from_above_the_band_while_there_are_any() {
        let mut stream = Streams::new(7).stream("addresses");
        let mut small = range("10.96.0.0/24");
        let given: Vec<u8> = (0..254)
            .map(|_| match small.any(&mut stream).unwrap() {
                std::net::IpAddr::V4(address) => address.octets()[3],
                std::net::IpAddr::V6(_) => unreachable!("a range of IPv4"),
            })
            .collect();
        assert!(given[..238].iter().all(|last| (17..=254).contains(last)), "{given:?}");
        assert!(given[238..].iter().all(|last| (1..=16).contains(last)), "{given:?}");
        assert_eq!(small.any(&mut stream), None, "the range is full");
    }

    #[test]
    fn the_largest_range_of_ipv6_hands_out_addresses_of_its_own() {
        let mut stream = Streams::new(7).stream("addresses");
        let mut large = range("fd00:10:96::/64");
        let address = large.any(&mut stream).unwrap();
        assert!(parse_cidr("fd00:10:96::/64").unwrap().contains(address));
        assert_eq!(large.take(address), Err("provided IP is already allocated"));
        large.release(address);
        assert_eq!(large.take(address), Ok(()));
    }

    #[test]
    fn a_network_and_a_broadcast_address_are_nobodys() {
        let away = Err("the provided network does not match the current range");
        for (services, address, answer) in [
            ("10.96.0.0/24", "10.96.0.0", away),
            ("10.96.0.0/24", "10.96.0.255", away),
            ("10.96.0.0/24", "10.96.1.1", away),
            ("10.96.0.0/24", "10.96.0.1", Ok(())),
            ("fd00::/120", "fd00::", away),
            ("fd00::/120", "fd00::ff", Ok(())),
            ("fd00::/120", "10.96.0.1", away),
        ] {
            assert_eq!(range(services).take(parse_ip(address).unwrap()), answer, "{address}");
        }
    }
}
