//! Addresses spelled as names: with dashes for pods, backwards for pointers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use smallvec::SmallVec;

use super::name;
use crate::base::Text;

/// in-addr.arpa.
pub const REVERSE_4: &[u8] = b"\x07in-addr\x04arpa\x00";
/// ip6.arpa.
pub const REVERSE_6: &[u8] = b"\x03ip6\x04arpa\x00";

/// The address a pod's name spells with dashes.
pub fn undashed(label: &str) -> Option<IpAddr> {
    let dashes = label.bytes().filter(|byte| *byte == b'-').count();
    if dashes == 3 && !label.contains("--") {
        return label.replace('-', ".").parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    }
    label.replace('-', ":").parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

/// The address a reverse name spells.
pub fn reversed(name: &[u8]) -> Option<IpAddr> {
    if let Some(at) = name::within(name, REVERSE_4).filter(|at| *at > 0) {
        let labels: SmallVec<[&[u8]; 8]> = name::labels(&name[..at]).collect();
        let texts: Option<Vec<&str>> =
            labels.iter().rev().map(|label| std::str::from_utf8(label).ok()).collect();
        return texts?.join(".").parse::<Ipv4Addr>().ok().map(IpAddr::V4);
    }
    let at = name::within(name, REVERSE_6).filter(|at| *at > 0)?;
    let mut digits = String::with_capacity(40);
    let labels: Vec<&[u8]> = name::labels(&name[..at]).collect();
    for (number, label) in labels.iter().rev().enumerate() {
        if number > 0 && number % 4 == 0 {
            digits.push(':');
        }
        digits.push_str(std::str::from_utf8(label).ok()?);
    }
    digits.parse::<Ipv6Addr>().ok().map(|ip| IpAddr::V6(ip).to_canonical())
}

/// A label in small letters; `None` when it is no text.
pub fn lower_text(label: &[u8]) -> Option<Text> {
    let mut buffer = [0; 64];
    let text = buffer.get_mut(..label.len())?;
    text.copy_from_slice(label);
    text.make_ascii_lowercase();
    std::str::from_utf8(text).map(Text::from).ok()
}
