//! Messages as bytes: what a server reads of a query, and the reply it writes.
//!
//! A reply is written without compressed names while it fits, as CoreDNS does; only one that
//! does not fit is compressed, and then cut. hickory-proto does that, and everything that is not
//! on the way of a plain answer.

use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::op::{Edns as Edns0, Message};
use hickory_proto::serialize::binary::{BinEncodable, BinEncoder};
use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::name::{MAX_WIRE, Wire};
pub use super::numbers::{Transport, kind, rcode};

const HEADER: usize = 12;
const INTERNET: u16 = 1;
/// Datagrams without EDNS.
const PLAIN_SIZE: u16 = 512;

/// What a query says about EDNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edns<'a> {
    /// The datagram its sender can take.
    pub size: u16,
    /// The version, of which there is only 0.
    pub version: u8,
    /// DNSSEC records are wanted.
    pub dnssec: bool,
    /// The options, as they came.
    pub options: &'a [u8],
}

/// A query with one question.
#[derive(Clone, Copy, Debug)]
pub struct Query<'a> {
    /// The identifier.
    pub id: u16,
    /// The second word of the header.
    pub flags: u16,
    /// The name, as it came.
    pub name: &'a [u8],
    /// The type.
    pub kind: u16,
    /// The class.
    pub class: u16,
    /// EDNS, if the query has it.
    pub edns: Option<Edns<'a>>,
}

/// Why a message is no query to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Too short to say anything back, or an answer itself.
    Ignore,
    /// It is malformed.
    Malformed,
    /// Its operation is none of ours.
    NotImplemented,
}

impl<'a> Query<'a> {
    /// Reads a message the way CoreDNS's server does.
    ///
    /// # Errors
    /// When it is nothing to answer.
    pub fn read(message: &'a [u8]) -> Result<Self, Unfit> {
        let word =
            |at: usize| message.get(at..at + 2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
        if message.len() < HEADER {
            return Err(Unfit::Ignore);
        }
        let [id, flags, questions, answers, authorities, additionals] =
            [0, 2, 4, 6, 8, 10].map(|at| word(at).unwrap_or_default());
        if flags & 0x8000 != 0 {
            return Err(Unfit::Ignore);
        }
        if !matches!(flags >> 11 & 15, 0 | 4) {
            return Err(Unfit::NotImplemented);
        }
        if questions != 1 || answers > 1 || authorities > 1 || additionals > 2 {
            return Err(Unfit::Malformed);
        }
        let end = plain_name(message, HEADER).ok_or(Unfit::Malformed)?;
        let name = &message[HEADER..end];
        let kind = word(end).ok_or(Unfit::Malformed)?;
        let class = word(end + 2).ok_or(Unfit::Malformed)?;
        let mut query = Self { id, flags, name, kind, class, edns: None };
        let mut at = end + 4;
        for number in 0..answers + authorities + additionals {
            let start = skip_name(message, at).ok_or(Unfit::Malformed)?;
            let fixed = message.get(start..start + 10).ok_or(Unfit::Malformed)?;
            let pair = |at: usize| u16::from_be_bytes([fixed[at], fixed[at + 1]]);
            let len = usize::from(pair(8));
            let data = message.get(start + 10..start + 10 + len).ok_or(Unfit::Malformed)?;
            if pair(0) == kind::OPT && number >= answers + authorities {
                if !well_formed(data) {
                    return Err(Unfit::Malformed);
                }
                query.edns = Some(Edns {
                    size: pair(2),
                    version: fixed[5],
                    dnssec: fixed[6] & 0x80 != 0,
                    options: data,
                });
            }
            at = start + 10 + len;
        }
        Ok(query)
    }

    /// The longest reply its sender can take.
    pub fn room(&self, transport: Transport) -> usize {
        match transport {
            Transport::Tcp => usize::from(u16::MAX),
            Transport::Udp => {
                usize::from(self.edns.map_or(PLAIN_SIZE, |edns| edns.size.max(PLAIN_SIZE)))
            }
        }
    }

    /// Whether the class is the Internet's.
    pub fn of_internet(&self) -> bool {
        self.class == INTERNET
    }

    /// Whether recursion is desired.
    pub fn recursion_desired(&self) -> bool {
        self.flags & 0x0100 != 0
    }
}

/// Where a name without pointers that begins at `at` ends.
fn plain_name(message: &[u8], at: usize) -> Option<usize> {
    let mut next = at;
    loop {
        let len = usize::from(*message.get(next)?);
        next += 1 + len;
        if len == 0 {
            return (next - at <= MAX_WIRE && next <= message.len()).then_some(next);
        }
        if len > 63 || next - at > MAX_WIRE {
            return None;
        }
    }
}

/// Where a name that begins at `at` ends; a pointer ends it, and must point back.
fn skip_name(message: &[u8], at: usize) -> Option<usize> {
    let mut next = at;
    loop {
        let len = usize::from(*message.get(next)?);
        match len {
            0 => return Some(next + 1),
            1..=63 => next += 1 + len,
            192.. => {
                let target = (len & 63) << 8 | usize::from(*message.get(next + 1)?);
                return resolves(message, target, next).then_some(next + 2);
            }
            _ => return None,
        }
        if next - at > MAX_WIRE {
            return None;
        }
    }
}

/// Whether a pointer leads to the end of a name; each must point further back than the last.
fn resolves(message: &[u8], mut target: usize, mut limit: usize) -> bool {
    loop {
        if target >= limit {
            return false;
        }
        limit = target;
        let mut next = target;
        loop {
            let Some(&len) = message.get(next) else { return false };
            match len {
                0 => return true,
                1..=63 => next += 1 + usize::from(len),
                192.. => {
                    let Some(&low) = message.get(next + 1) else { return false };
                    target = usize::from(len & 63) << 8 | usize::from(low);
                    break;
                }
                _ => return false,
            }
            if next - limit > MAX_WIRE {
                return false;
            }
        }
    }
}

/// Whether options of EDNS are whole.
fn well_formed(mut options: &[u8]) -> bool {
    while !options.is_empty() {
        let Some(head) = options.first_chunk::<4>() else { return false };
        let len = usize::from(u16::from_be_bytes([head[2], head[3]]));
        let Some(rest) = options.get(4 + len..) else { return false };
        options = rest;
    }
    true
}

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Data {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// One name: CNAME, NS or PTR.
    Name(u16, Wire),
    /// A service: weight, port, target; the priority is always 0.
    Srv(u16, u16, Wire),
    /// The start of a zone: its name, serial and time to live.
    Soa(Wire, u32, u32),
    /// Anything: type and data without compressed names.
    Raw(u16, Box<[u8]>),
}

impl Data {
    /// The type's number.
    pub fn kind(&self) -> u16 {
        match self {
            Self::A(_) => kind::A,
            Self::Aaaa(_) => kind::AAAA,
            Self::Name(kind, _) | Self::Raw(kind, _) => *kind,
            Self::Srv(..) => kind::SRV,
            Self::Soa(..) => kind::SOA,
        }
    }

    fn is_address(&self) -> bool {
        matches!(self, Self::A(_) | Self::Aaaa(_))
    }

    fn len(&self) -> usize {
        match self {
            Self::A(_) => 4,
            Self::Aaaa(_) => 16,
            Self::Name(_, name) => name.len(),
            Self::Srv(_, _, name) => 6 + name.len(),
            Self::Soa(zone, ..) => 7 + zone.len() + 11 + zone.len() + 20,
            Self::Raw(_, data) => data.len(),
        }
    }

    fn write(&self, into: &mut Vec<u8>) {
        match self {
            Self::A(address) => into.extend_from_slice(&address.octets()),
            Self::Aaaa(address) => into.extend_from_slice(&address.octets()),
            Self::Name(_, name) => into.extend_from_slice(name),
            Self::Srv(weight, port, target) => {
                into.extend_from_slice(&[0, 0]);
                into.extend_from_slice(&weight.to_be_bytes());
                into.extend_from_slice(&port.to_be_bytes());
                into.extend_from_slice(target);
            }
            Self::Soa(zone, serial, ttl) => {
                into.extend_from_slice(b"\x02ns\x03dns");
                into.extend_from_slice(zone);
                into.extend_from_slice(b"\x0ahostmaster");
                into.extend_from_slice(zone);
                for number in [*serial, 7200, 1800, 86400, *ttl] {
                    into.extend_from_slice(&number.to_be_bytes());
                }
            }
            Self::Raw(_, data) => into.extend_from_slice(data),
        }
    }
}

/// A record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rr {
    /// Whose it is; `None` for the name that was asked for.
    pub owner: Option<Wire>,
    /// How long it may be kept, seconds.
    pub ttl: u32,
    /// What it says.
    pub data: Data,
}

/// A reply, but for what it repeats of its query.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Reply {
    /// The response code.
    pub rcode: u16,
    /// The server is an authority for the name.
    pub authoritative: bool,
    /// The server would look further.
    pub recursion_available: bool,
    /// Something was left out already.
    pub truncated: bool,
    /// The answer.
    pub answer: SmallVec<[Rr; 2]>,
    /// Who is the authority.
    pub authority: SmallVec<[Rr; 1]>,
    /// What helps besides.
    pub additional: Vec<Rr>,
}

impl Reply {
    /// A reply that only says so much.
    pub fn of(rcode: u16) -> Self {
        Self { rcode, ..Self::default() }
    }

    /// All its records.
    pub fn records(&self) -> impl Iterator<Item = &Rr> {
        self.answer.iter().chain(&self.authority).chain(&self.additional)
    }

    /// Gives every record the same time to live: the shortest, within bounds.
    pub fn level_ttl(&mut self, least: u32, most: u32) -> u32 {
        let shortest = self.records().map(|record| record.ttl).min().unwrap_or(least);
        let ttl = shortest.clamp(least, most);
        self.set_ttl(ttl);
        ttl
    }

    /// Gives every record a time to live.
    pub fn set_ttl(&mut self, ttl: u32) {
        let records = self.answer.iter_mut().chain(&mut self.authority).chain(&mut self.additional);
        for record in records {
            record.ttl = ttl;
        }
    }

    /// Aliases first, then the rest, then addresses in an order that `turn` decides.
    pub fn shuffle(&mut self, turn: u64) {
        if self.rcode != rcode::NOERROR {
            return;
        }
        shuffle(&mut self.answer, turn);
        shuffle(&mut self.additional, turn.wrapping_add(1));
    }

    /// The bytes, no longer than `room`; `buffer` is used again.
    pub fn write(&self, query: &Query, room: usize, transport: Transport, buffer: &mut Vec<u8>) {
        buffer.clear();
        let mut flags = 0x8000 | query.flags & 0x7900 | self.rcode & 15;
        flags |= u16::from(self.authoritative) << 10;
        flags |= u16::from(self.recursion_available) << 7;
        flags |= u16::from(self.truncated) << 9;
        // Checking disabled is repeated.
        flags |= query.flags & 0x0010;
        let additionals = self.additional.len() + usize::from(query.edns.is_some());
        let counts = [1, self.answer.len(), self.authority.len(), additionals];
        buffer.extend_from_slice(&query.id.to_be_bytes());
        buffer.extend_from_slice(&flags.to_be_bytes());
        for count in counts {
            buffer.extend_from_slice(&(count as u16).to_be_bytes());
        }
        buffer.extend_from_slice(query.name);
        buffer.extend_from_slice(&query.kind.to_be_bytes());
        buffer.extend_from_slice(&query.class.to_be_bytes());
        for record in self.records() {
            write_record(record, query.name, buffer);
        }
        if let Some(edns) = &query.edns {
            write_edns(edns, self.rcode, buffer);
        }
        // A datagram that would be cut in pieces on its way is better compressed.
        let plain = if transport == Transport::Udp { room.min(1480) } else { room };
        if buffer.len() > plain {
            squeeze(buffer, room);
        }
    }
}

/// The reply to a message that is no query: its header, and what is wrong with it.
pub fn write_unfit(message: &[u8], unfit: Unfit, buffer: &mut Vec<u8>) -> bool {
    buffer.clear();
    let (Some(head), true) = (message.first_chunk::<4>(), unfit != Unfit::Ignore) else {
        return false;
    };
    let rcode = if unfit == Unfit::Malformed { rcode::FORMERR } else { rcode::NOTIMP };
    let flags = u16::from_be_bytes([head[2], head[3]]);
    // The operation is repeated only to one who asked for another.
    let operation = if unfit == Unfit::NotImplemented { flags & 0x7800 } else { 0 };
    buffer.extend_from_slice(&head[..2]);
    buffer.extend_from_slice(&(0x8000 | operation | flags & 0x0110 | rcode).to_be_bytes());
    buffer.extend_from_slice(&[0; 8]);
    true
}

fn write_record(record: &Rr, question: &[u8], buffer: &mut Vec<u8>) {
    buffer.extend_from_slice(record.owner.as_deref().unwrap_or(question));
    let mut fixed = [0; 10];
    fixed[..2].copy_from_slice(&record.data.kind().to_be_bytes());
    fixed[2..4].copy_from_slice(&INTERNET.to_be_bytes());
    fixed[4..8].copy_from_slice(&record.ttl.to_be_bytes());
    fixed[8..].copy_from_slice(&(record.data.len() as u16).to_be_bytes());
    buffer.extend_from_slice(&fixed);
    record.data.write(buffer);
}

/// The query's own EDNS, with the options CoreDNS lets through: NSID, EXPIRE, COOKIE,
/// TCP-KEEPALIVE and PADDING.
fn write_edns(edns: &Edns, rcode: u16, buffer: &mut Vec<u8>) {
    let dnssec = if edns.dnssec { 0x80 } else { 0 };
    buffer.extend_from_slice(&[0, 0, 41]);
    buffer.extend_from_slice(&edns.size.to_be_bytes());
    buffer.extend_from_slice(&[(rcode >> 4) as u8, 0, dnssec, 0, 0, 0]);
    let at = buffer.len();
    let mut options = edns.options;
    while let Some(head) = options.first_chunk::<4>() {
        let code = u16::from_be_bytes([head[0], head[1]]);
        let len = 4 + usize::from(u16::from_be_bytes([head[2], head[3]]));
        let (option, rest) = options.split_at(len);
        if matches!(code, 3 | 9 | 10 | 11 | 12) {
            buffer.extend_from_slice(option);
        }
        options = rest;
    }
    let len = ((buffer.len() - at) as u16).to_be_bytes();
    buffer[at - 2..at].copy_from_slice(&len);
}

/// Compresses a message, and leaves records out from where it no longer fits.
fn squeeze(buffer: &mut Vec<u8>, room: usize) {
    let Ok(mut message) = Message::from_vec(buffer) else { return };
    let edns = message.edns.take();
    // Root, type, size, flags and the length of the options.
    let options = message_options(edns.as_ref());
    let room = room.saturating_sub(options);
    let mut scratch = Vec::with_capacity(buffer.len());
    let mut encoder = BinEncoder::new(&mut scratch);
    let mut cut = false;
    if head_of(&message).emit(&mut encoder).is_err() {
        return;
    }
    for section in [&mut message.answers, &mut message.authorities, &mut message.additionals] {
        let mut fits = 0;
        for record in section.iter() {
            if cut || record.emit(&mut encoder).is_err() || encoder.len() > room {
                break;
            }
            fits += 1;
        }
        cut |= fits < section.len();
        section.truncate(fits);
    }
    message.metadata.truncation |= cut;
    message.edns = edns;
    if let Ok(bytes) = message.to_vec() {
        *buffer = bytes;
    }
}

/// The bytes EDNS takes.
fn message_options(edns: Option<&Edns0>) -> usize {
    edns.map_or(0, |edns| {
        let mut bytes = Vec::new();
        let written = edns.emit(&mut BinEncoder::new(&mut bytes)).is_ok();
        if written { bytes.len() } else { 0 }
    })
}

/// The message without its records.
fn head_of(message: &Message) -> Message {
    let mut head = Message::new(message.id, message.message_type, message.op_code);
    head.metadata = message.metadata;
    head.queries.clone_from(&message.queries);
    head
}

fn shuffle(records: &mut [Rr], turn: u64) {
    if records.len() < 2 {
        return;
    }
    records.sort_by_key(|record| match record.data.kind() {
        kind::CNAME => 0,
        _ if record.data.is_address() => 2,
        kind::MX => 3,
        _ => 1,
    });
    let first = records.iter().position(|record| record.data.is_address());
    let Some(first) = first else { return };
    let last = records.iter().rposition(|record| record.data.is_address()).unwrap_or(first);
    let addresses = &mut records[first..=last];
    let mut state = turn;
    for at in 0..addresses.len().saturating_sub(1) {
        // A step of splitmix64.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let left = (addresses.len() - at) as u64;
        addresses.swap(at, at + (mixed % left) as usize);
    }
}
