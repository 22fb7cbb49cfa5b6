//! IP addresses and CIDR blocks as the API reads them.
//!
//! Kubernetes long accepted octets with leading zeros and IPv4 addresses in IPv6 clothes.
//! [`parse_ip`] and [`parse_cidr`] still read them, since stored objects have them; the rules
//! for new values refuse them.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

use super::quote::go_quote;

/// A family of addresses. The two know nothing of each other: each has rules of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both, in the order the API lists them.
    pub const BOTH: [Self; 2] = [Self::V4, Self::V6];

    /// The family of an address.
    pub fn of(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// The API's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }

    /// The family the API's word means.
    pub fn parse(name: &str) -> Option<Self> {
        Self::BOTH.into_iter().find(|family| family.name() == name)
    }

    /// The length of an address in bits.
    pub fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::V4 => Self::V6,
            Self::V6 => Self::V4,
        }
    }

    /// The address a number stands for.
    pub fn address(self, number: u128) -> IpAddr {
        match self {
            Self::V4 => Ipv4Addr::from(number as u32).into(),
            Self::V6 => Ipv6Addr::from(number).into(),
        }
    }
}

/// An address as a number.
pub fn number_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u32::from(address).into(),
        IpAddr::V6(address) => address.into(),
    }
}

/// An address and how many of its leading bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cidr {
    /// The address as written, host bits included.
    pub address: IpAddr,
    /// The length of the prefix, out of 32 or 128 bits.
    pub prefix_len: u8,
}

impl Cidr {
    /// The block's first address.
    pub fn network(self) -> IpAddr {
        match self.address {
            IpAddr::V4(address) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix_len)).unwrap_or(0);
                Ipv4Addr::from(u32::from(address) & mask).into()
            }
            IpAddr::V6(address) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix_len)).unwrap_or(0);
                Ipv6Addr::from(u128::from(address) & mask).into()
            }
        }
    }

    /// Whether `address` lies in the block.
    pub fn contains(self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4()
            && Self { address, ..self }.network() == self.network()
    }

    /// The block's family.
    pub fn family(self) -> Family {
        Family::of(self.address)
    }

    /// The block as numbers: its first address and its last.
    pub fn bounds(self) -> (u128, u128) {
        let first = number_of(self.network());
        let hosts = u32::from(self.family().bits() - self.prefix_len);
        (first, first | 1_u128.checked_shl(hosts).map_or(u128::MAX, |size| size - 1))
    }

    /// `address/length` in canonical form, of this address in this block.
    fn text_of(self, address: IpAddr) -> String {
        let canonical = address.to_canonical();
        // An IPv4 address in IPv6 clothes counts its prefix without the clothes; Kubernetes
        // prints a negative length when the prefix ends inside them.
        let clothes = if canonical.is_ipv4() && self.prefix_len > 32 { 96 } else { 0 };
        let prefix_len = i32::from(self.prefix_len) - clothes;
        format!("{canonical}/{prefix_len}")
    }
}

/// The block in canonical form: its first address and the prefix length.
impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text_of(self.network()))
    }
}

/// The address, leading zeros allowed.
pub fn parse_ip(text: &str) -> Option<IpAddr> {
    match text.bytes().find(|byte| matches!(byte, b'.' | b':'))? {
        b'.' => parse_ipv4(text).map(IpAddr::V4),
        _ => parse_ipv6(text).map(IpAddr::V6),
    }
}

/// The block, leading zeros and host bits allowed.
pub fn parse_cidr(text: &str) -> Option<Cidr> {
    let (address, length) = text.split_once('/')?;
    let address = match parse_ipv4(address) {
        Some(address) => IpAddr::V4(address),
        None => IpAddr::V6(parse_ipv6(address)?),
    };
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let prefix_len = parse_number(length, 10).filter(|length| *length <= longest)?;
    Some(Cidr { address, prefix_len: prefix_len as u8 })
}

fn parse_ipv4(text: &str) -> Option<Ipv4Addr> {
    let mut octets = text.split('.').map(|octet| u8::try_from(parse_number(octet, 10)?).ok());
    let mut next = || octets.next().flatten();
    let address = Ipv4Addr::new(next()?, next()?, next()?, next()?);
    octets.next().is_none().then_some(address)
}

fn parse_ipv6(text: &str) -> Option<Ipv6Addr> {
    let (head, tail) = match text.split_once("::") {
        Some((head, tail)) => (head, Some(tail)),
        None => (text, None),
    };
    // An IPv4 address may end the whole, so it may end the head only where no tail follows.
    let head = parse_groups(head, tail.is_none())?;
    let tail_groups = tail.map_or(Some(Vec::new()), |tail| parse_groups(tail, true))?;
    let known = head.len() + tail_groups.len();
    if known > 8 || (known == 8) == tail.is_some() {
        return None;
    }
    let mut groups = [0; 8];
    groups[..head.len()].copy_from_slice(&head);
    groups[8 - tail_groups.len()..].copy_from_slice(&tail_groups);
    Some(groups.into())
}

fn parse_groups(text: &str, may_end_in_ipv4: bool) -> Option<Vec<u16>> {
    let mut groups = Vec::with_capacity(8);
    if text.is_empty() {
        return Some(groups);
    }
    let mut parts = text.split(':').peekable();
    while let Some(part) = parts.next() {
        if part.contains('.') && may_end_in_ipv4 && parts.peek().is_none() {
            let [a, b, c, d] = parse_ipv4(part)?.octets();
            groups.extend([u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d])]);
        } else {
            groups.push(u16::try_from(parse_number(part, 16)?).ok()?);
        }
    }
    Some(groups)
}

/// A number of digits only, however many zeros lead it.
fn parse_number(text: &str, radix: u32) -> Option<u32> {
    if text.is_empty() || !text.chars().all(|symbol| symbol.is_digit(radix)) {
        return None;
    }
    let digits = text.trim_start_matches('0');
    if digits.is_empty() { Some(0) } else { u32::from_str_radix(digits, radix).ok() }
}

/// Whether a text that parses has no needless leading zeros.
fn has_no_leading_zeros(address: &str) -> bool {
    let (groups, octets) = match address.rsplit_once(':') {
        Some((groups, octets)) if octets.contains('.') => (groups, octets),
        None => ("", address),
        Some(_) => (address, ""),
    };
    groups.split(':').all(|group| group.len() <= 4)
        && octets.split('.').all(|octet| octet.len() <= 1 || !octet.starts_with('0'))
}

fn is_ipv4_in_ipv6(address: IpAddr) -> bool {
    address.is_ipv6() && address.to_canonical().is_ipv4()
}

/// What is wrong with an address in a field that predates the canonical form, as 1.36 checks
/// it: any spelling of IPv6 is legal.
pub fn legacy_ip_faults(value: &str) -> Vec<String> {
    let Some(address) = parse_ip(value) else {
        return vec!["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)".to_owned()];
    };
    let mut faults = Vec::new();
    if !has_no_leading_zeros(value) {
        faults.push("must not have leading 0s".to_owned());
    } else if is_ipv4_in_ipv6(address) {
        faults.push("must not be an IPv4-mapped IPv6 address".to_owned());
    }
    faults
}

/// What is wrong with an address in a field that wants the canonical form.
pub fn ip_faults(value: &str) -> Vec<String> {
    let faults = legacy_ip_faults(value);
    match parse_ip(value).map(|address| address.to_canonical().to_string()) {
        Some(canonical) if faults.is_empty() && canonical != value => {
            vec![format!("must be in canonical form ({})", go_quote(&canonical))]
        }
        _ => faults,
    }
}

/// What is wrong with a block in a field that predates the canonical form, as 1.36 checks it.
pub fn legacy_cidr_faults(value: &str) -> Vec<String> {
    let fault = match (parse_cidr(value), value.split_once('/')) {
        (Some(cidr), Some((address, length))) => {
            if !has_no_leading_zeros(address) || (length.len() > 1 && length.starts_with('0')) {
                "must not have leading 0s in IP or prefix length"
            } else if is_ipv4_in_ipv6(cidr.address) {
                "must not have an IPv4-mapped IPv6 address"
            } else if cidr.network() != cidr.address {
                "must not have bits set beyond the prefix length"
            } else {
                return Vec::new();
            }
        }
        _ => "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)",
    };
    vec![fault.to_owned()]
}

/// What is wrong with a block in a field that wants the canonical form.
pub fn cidr_faults(value: &str) -> Vec<String> {
    let faults = legacy_cidr_faults(value);
    match parse_cidr(value).map(|cidr| cidr.to_string()) {
        Some(canonical) if faults.is_empty() && canonical != value => {
            vec![format!("must be in canonical form ({})", go_quote(&canonical))]
        }
        _ => faults,
    }
}

/// What is wrong with an address of an interface, host bits and prefix length included.
pub fn interface_address_faults(value: &str) -> Vec<String> {
    let Some(cidr) = parse_cidr(value) else {
        return vec![
            "must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)".to_owned(),
        ];
    };
    let canonical = cidr.text_of(cidr.address);
    if canonical == value {
        return Vec::new();
    }
    vec![format!("must be in canonical form ({})", go_quote(&canonical))]
}

/// What a client is told about an address that is legal but not written canonically.
pub fn ip_warning(value: &str) -> Option<String> {
    let address = parse_ip(value)?;
    let (canonical, quoted) = (address.to_canonical().to_string(), go_quote(value));
    if !has_no_leading_zeros(value) || is_ipv4_in_ipv6(address) {
        let better = go_quote(&canonical);
        return Some(format!("non-standard IP address {quoted} is invalid: use {better}"));
    }
    (canonical != value).then(|| {
        let better = go_quote(&canonical);
        format!("IPv6 address {quoted} should be in RFC 5952 canonical format ({better})")
    })
}

#[cfg(test)]
mod tests {
    use super::{parse_cidr, parse_ip};

    #[test]
    fn a_block_holds_its_addresses_and_no_others() {
        let block = parse_cidr("10.96.7.0/12").unwrap();
        assert_eq!(block.to_string(), "10.96.0.0/12");
        for (address, inside) in [
            ("10.96.0.0", true),
            ("10.111.255.255", true),
            ("10.112.0.0", false),
            ("::ffff:10.96.0.1", false),
        ] {
            assert_eq!(block.contains(parse_ip(address).unwrap()), inside, "{address}");
        }
        assert!(parse_cidr("::/0").unwrap().contains(parse_ip("fe80::1").unwrap()));
    }
}
