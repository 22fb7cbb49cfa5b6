//! Messages as people read them: every name and record as text, in the form master files have.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::rr::{RData, RecordType};
use hickory_proto::serialize::binary::{BinDecoder, Restrict};

use super::name::{self, MAX_WIRE, Wire};
use super::wire::{Data, Rr, kind};

/// A message, taken apart.
#[derive(Clone, Debug, Default)]
pub struct Decoded {
    /// The identifier.
    pub id: u16,
    /// The second word of the header.
    pub flags: u16,
    /// The whole response code, EDNS included.
    pub rcode: u16,
    /// What is asked: name, type, class.
    pub question: Vec<(Wire, u16, u16)>,
    /// Answer, authority, additional; EDNS is left out.
    pub sections: [Vec<Rr>; 3],
    /// EDNS: version, whether DNSSEC is wanted, and the size its sender takes.
    pub edns: Option<(u8, bool, u16)>,
}

impl Decoded {
    /// Takes a message apart; `None` when it is malformed.
    pub fn read(message: &[u8]) -> Option<Self> {
        let word = |at: usize| Some(u16::from_be_bytes([*message.get(at)?, *message.get(at + 1)?]));
        let mut decoded = Self { id: word(0)?, flags: word(2)?, ..Self::default() };
        decoded.rcode = decoded.flags & 15;
        let mut at = 12;
        for _ in 0..word(4)? {
            let (name, end) = expand(message, at)?;
            decoded.question.push((name, word(end)?, word(end + 2)?));
            at = end + 4;
        }
        for (section, count) in [6, 8, 10].into_iter().enumerate() {
            for _ in 0..word(count)? {
                let (owner, end) = expand(message, at)?;
                let (kind, class) = (word(end)?, word(end + 2)?);
                let (high, low) = (word(end + 4)?, word(end + 6)?);
                let len = usize::from(word(end + 8)?);
                let start = end + 10;
                message.get(start..start + len)?;
                at = start + len;
                if kind == kind::OPT {
                    decoded.rcode |= (high >> 8) << 4;
                    decoded.edns = Some((high as u8, low & 0x8000 != 0, class));
                    continue;
                }
                let data = data_at(message, kind, start, len)?;
                let ttl = u32::from(high) << 16 | u32::from(low);
                decoded.sections[section].push(Rr { owner: Some(owner), ttl, data });
            }
        }
        Some(decoded)
    }
}

/// A name that begins at `at`, pointers followed, and where it ends.
fn expand(message: &[u8], at: usize) -> Option<(Wire, usize)> {
    let mut wire = Vec::new();
    let (mut next, mut end, mut limit) = (at, None, at);
    loop {
        let len = *message.get(next)?;
        match len {
            0 => {
                wire.push(0);
                return Some((wire.into(), end.unwrap_or(next + 1)));
            }
            1..=63 => {
                wire.extend_from_slice(message.get(next..=next + usize::from(len))?);
                next += 1 + usize::from(len);
            }
            192.. => {
                let target = usize::from(len & 63) << 8 | usize::from(*message.get(next + 1)?);
                end = end.or(Some(next + 2));
                // Each pointer leads further back than the last, so there is an end.
                if target >= limit {
                    return None;
                }
                (next, limit) = (target, target);
            }
            _ => return None,
        }
        if wire.len() >= MAX_WIRE {
            return None;
        }
    }
}

/// What a record says, with names written out.
fn data_at(message: &[u8], kind: u16, at: usize, len: usize) -> Option<Data> {
    let bytes = &message[at..at + len];
    Some(match kind {
        kind::A => Data::A(Ipv4Addr::from(<[u8; 4]>::try_from(bytes).ok()?)),
        kind::AAAA => Data::Aaaa(Ipv6Addr::from(<[u8; 16]>::try_from(bytes).ok()?)),
        kind::CNAME | kind::NS | kind::PTR => Data::Name(kind, expand(message, at)?.0),
        kind::SOA => {
            let (server, next) = expand(message, at)?;
            let (mailbox, next) = expand(message, next)?;
            let rest = message.get(next..next + 20)?;
            Data::Raw(kind, [&server, &mailbox, rest].concat().into())
        }
        kind::MX | kind::SRV => {
            let fixed = if kind == kind::MX { 2 } else { 6 };
            let (target, _) = expand(message, at + fixed)?;
            Data::Raw(kind, [bytes.get(..fixed)?, &target].concat().into())
        }
        _ => Data::Raw(kind, bytes.into()),
    })
}

/// A type's name.
pub fn type_name(kind: u16) -> String {
    match RecordType::from(kind) {
        RecordType::Unknown(number) => format!("TYPE{number}"),
        known => known.to_string(),
    }
}

/// A response code's name.
pub fn rcode_name(rcode: u16) -> String {
    let known = [
        "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
        "NXRRSET", "NOTAUTH", "NOTZONE",
    ];
    match known.get(usize::from(rcode)) {
        Some(name) => (*name).to_owned(),
        None if rcode == 16 => "BADVERS".to_owned(),
        None => format!("RESERVED{rcode}"),
    }
}

impl Data {
    /// The data as text, as master files have it.
    pub fn text(&self) -> String {
        match self {
            Self::A(ip) => ip.to_string(),
            Self::Aaaa(ip) => ip.to_string(),
            Self::Name(_, target) => name::text(target),
            Self::Srv(weight, port, target) => format!("0 {weight} {port} {}", name::text(target)),
            Self::Soa(zone, serial, ttl) => {
                let zone = name::text(zone);
                format!("ns.dns.{zone} hostmaster.{zone} {serial} 7200 1800 86400 {ttl}")
            }
            Self::Raw(kind, bytes) => raw_text(*kind, bytes).unwrap_or_else(|| generic(bytes)),
        }
    }

    /// The names a record leads to: of a server, an exchanger, a service.
    pub fn target(&self) -> Option<Wire> {
        match self {
            Self::Name(kind::NS, target) | Self::Srv(_, _, target) => Some(target.clone()),
            Self::Raw(kind::MX, bytes) => Some(bytes.get(2..)?.into()),
            Self::Raw(kind::SRV, bytes) => Some(bytes.get(6..)?.into()),
            _ => None,
        }
    }

    /// The last field of a SOA: how long to remember that something is not there.
    pub fn minimum(&self) -> Option<u32> {
        match self {
            Self::Soa(_, _, ttl) => Some(*ttl),
            Self::Raw(kind::SOA, bytes) => Some(u32::from_be_bytes(*bytes.last_chunk()?)),
            _ => None,
        }
    }
}

fn raw_text(kind: u16, bytes: &[u8]) -> Option<String> {
    let word = |at: usize| Some(u16::from_be_bytes([*bytes.get(at)?, *bytes.get(at + 1)?]));
    Some(match kind {
        kind::SOA => {
            let (server, next) = expand(bytes, 0)?;
            let (mailbox, next) = expand(bytes, next)?;
            let mut text = format!("{} {}", name::text(&server), name::text(&mailbox));
            let (numbers, _) = bytes.get(next..)?.as_chunks::<4>();
            for number in numbers {
                write!(text, " {}", u32::from_be_bytes(*number)).ok()?;
            }
            text
        }
        kind::MX => format!("{} {}", word(0)?, name::text(bytes.get(2..)?)),
        kind::SRV => {
            let target = name::text(bytes.get(6..)?);
            format!("{} {} {} {target}", word(0)?, word(2)?, word(4)?)
        }
        kind::TXT => strings(bytes)?,
        _ => {
            let mut decoder = BinDecoder::new(bytes);
            let len = Restrict::new(u16::try_from(bytes.len()).ok()?);
            let known = RecordType::from(kind);
            match RData::read(&mut decoder, known, len).ok()? {
                RData::Unknown { .. } | RData::NULL(_) | RData::OPT(_) => return None,
                data => data.to_string(),
            }
        }
    })
}

/// Strings in quotes.
fn strings(mut bytes: &[u8]) -> Option<String> {
    let mut text = String::new();
    while let Some((&len, rest)) = bytes.split_first() {
        let (string, rest) = rest.split_at_checked(usize::from(len))?;
        if !text.is_empty() {
            text.push(' ');
        }
        text.push('"');
        for &byte in string {
            match byte {
                b'"' | b'\\' => text.extend(['\\', char::from(byte)]),
                0x20..=0x7e => text.push(char::from(byte)),
                _ => write!(text, "\\{byte:03}").ok()?,
            }
        }
        text.push('"');
        bytes = rest;
    }
    Some(text)
}

/// Data of a type nobody here knows (RFC 3597).
fn generic(bytes: &[u8]) -> String {
    let mut text = format!("\\# {}", bytes.len());
    if !bytes.is_empty() {
        text.push(' ');
    }
    for byte in bytes {
        let _ = write!(text, "{byte:02X}");
    }
    text
}
