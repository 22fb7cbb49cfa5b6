//! Connections a node remembers: what the kernel's conntrack does for services.
//!
//! The first packet of a connection decides where it goes; later ones follow it, whatever becomes
//! of the service meanwhile, until the connection has been silent for longer than its timeout.
//! Entries lie in an open-addressed table in shards of a thousand, each copied when a fork first
//! writes to it. An entry whose time is up is no entry, and its place is used again.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::affinity::End;
use super::batch::NO_ENDPOINT;
use crate::base::CowMap;
use crate::base::random::mix;
use crate::net::service_ports::Protocol;

const SHARD: usize = 1024;
/// Entries per shard, on average, before there are more shards.
const FULL: usize = SHARD / 2;

const MS: i64 = 1_000_000;
const SECOND_MS: u64 = 1000;
/// kube-proxy sets this one; the others are the kernel's, or kube-proxy's too: see below.
const TCP_ESTABLISHED_MS: u64 = 24 * 3600 * SECOND_MS;
/// Set by kube-proxy.
const TCP_CLOSE_WAIT_MS: u64 = 3600 * SECOND_MS;
const TCP_TIME_WAIT_MS: u64 = 120 * SECOND_MS;
const UDP_MS: u64 = 30 * SECOND_MS;
const UDP_STREAM_MS: u64 = 120 * SECOND_MS;
/// A UDP connection that is older than this when a packet comes is a stream.
const UDP_STREAM_AFTER_MS: u64 = 2 * SECOND_MS;
const SCTP_ESTABLISHED_MS: u64 = 210 * SECOND_MS;

/// The five values that tell a connection, and the node that remembers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tuple {
    /// The node's number, from 1.
    pub node: u32,
    /// Where it comes from.
    pub source: u32,
    /// Where it was sent to.
    pub destination: u32,
    /// The port it comes from.
    pub source_port: u16,
    /// The port it was sent to.
    pub port: u16,
    /// Its protocol, by number.
    pub protocol: u8,
}

impl Tuple {
    #[inline]
    fn hash(self) -> u64 {
        let one = u64::from(self.source) << 32 | u64::from(self.destination);
        let other = u64::from(self.node) << 34
            | u64::from(self.source_port) << 18
            | u64::from(self.port) << 2
            | u64::from(self.protocol);
        mix(one ^ mix(other))
    }
}

impl Tuple {
    /// 0 if it is the same, told without a branch.
    #[inline]
    fn differs(self, other: Self) -> u32 {
        (self.node ^ other.node)
            | (self.source ^ other.source)
            | (self.destination ^ other.destination)
            | u32::from(self.source_port ^ other.source_port)
            | u32::from(self.port ^ other.port)
            | u32::from(self.protocol ^ other.protocol)
    }
}

/// How far a connection is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// Under way.
    #[default]
    Open,
    /// Both sides have closed it.
    TimeWait,
    /// One side has.
    CloseWait,
}

/// An entry: one line of a cache.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[repr(align(64))]
pub struct Entry {
    /// Which connection it is of.
    pub tuple: Tuple,
    /// Where its packets go.
    pub end: End,
    /// The port at the node's address it seems to come from; 0 when it is not masqueraded.
    pub nat_port: u16,
    /// How far it is.
    pub state: State,
    /// When it was begun, in milliseconds of virtual time.
    began_ms: u64,
    /// When it is forgotten.
    expires_ms: u64,
    /// The number its endpoint had, and the version of the table then: no state.
    #[serde(skip)]
    hint: (u32, u32),
}

impl Default for Entry {
    fn default() -> Self {
        let tuple =
            Tuple { node: 0, source: 0, destination: 0, source_port: 0, port: 0, protocol: 0 };
        let (state, hint) = (State::Open, (NO_ENDPOINT, 0));
        Self { tuple, end: (0, 0), nat_port: 0, state, began_ms: 0, expires_ms: 0, hint }
    }
}

impl Entry {
    /// An entry for a new connection.
    pub fn new(tuple: Tuple, end: End, nat_port: u16, now_ns: i64, hint: (u32, u32)) -> Self {
        let mut entry = Self { tuple, end, nat_port, hint, ..Self::default() };
        entry.began_ms = ms(now_ns);
        entry.refresh(now_ns);
        entry
    }

    /// The number of its endpoint, if the table is still of this version.
    #[inline]
    pub fn endpoint(&self, version: u32) -> Option<u32> {
        (self.hint.1 == version).then_some(self.hint.0)
    }

    /// Remembers the number of its endpoint.
    pub fn remember(&mut self, endpoint: u32, version: u32) {
        self.hint = (endpoint, version);
    }

    /// A packet went by: it is kept for longer.
    #[inline]
    pub fn refresh(&mut self, now_ns: i64) {
        let now = ms(now_ns);
        let timeout = match (self.state, self.tuple.protocol) {
            (State::CloseWait, _) => TCP_CLOSE_WAIT_MS,
            (State::TimeWait, _) => return,
            (State::Open, TCP) => TCP_ESTABLISHED_MS,
            (State::Open, UDP) if now > self.began_ms + UDP_STREAM_AFTER_MS => UDP_STREAM_MS,
            (State::Open, UDP) => UDP_MS,
            (State::Open, _) => SCTP_ESTABLISHED_MS,
        };
        // What stays the same is not written: nobody has to fetch it anew.
        if self.expires_ms != now + timeout {
            self.expires_ms = now + timeout;
        }
    }

    /// One side closed it, or both did.
    pub fn close(&mut self, half: bool, now_ns: i64) {
        if self.tuple.protocol == UDP {
            return;
        }
        let (state, timeout) = if half {
            (State::CloseWait, TCP_CLOSE_WAIT_MS)
        } else {
            (State::TimeWait, TCP_TIME_WAIT_MS)
        };
        self.state = state;
        self.expires_ms = ms(now_ns) + timeout;
    }

    #[inline]
    fn is_live(&self, now_ms: u64) -> bool {
        self.tuple.node != 0 && self.expires_ms > now_ms
    }
}

const TCP: u8 = Protocol::Tcp as u8;
const UDP: u8 = Protocol::Udp as u8;

/// Milliseconds, the next full one: nothing ends early.
fn ms(now_ns: i64) -> u64 {
    (now_ns.max(0) as u64).div_ceil(MS as u64)
}

/// The entries of a family; see the module header.
#[derive(Clone, Debug, Default)]
pub struct Flows {
    shards: Vec<Arc<Vec<Entry>>>,
    /// Places in use, those of entries whose time is up among them.
    used: usize,
    /// Whether there was ever an entry of UDP.
    pub has_udp: bool,
    /// Whose each port is that a node has given to a masqueraded connection.
    nat: CowMap<Reply, Tuple>,
}

/// What an answer to a masqueraded connection is told by: the node, the endpoint, the port the
/// connection seems to come from, and the protocol.
type Reply = (u32, End, u16, u8);

impl Flows {
    /// How many connections are remembered at a time.
    pub fn len(&self, now_ns: i64) -> usize {
        self.live(now_ns).count()
    }

    /// Whether none ever was.
    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    /// The entries that count at a time.
    pub fn live(&self, now_ns: i64) -> impl Iterator<Item = &Entry> {
        let now_ms = ms(now_ns);
        let all = self.shards.iter().flat_map(|shard| shard.iter());
        all.filter(move |entry| entry.is_live(now_ms))
    }

    /// The entry of a connection, if it is remembered.
    pub fn find(&self, tuple: Tuple, now_ns: i64) -> Option<&Entry> {
        let (shard, mut at) = self.home(tuple)?;
        let (entries, now_ms) = (&self.shards[shard], ms(now_ns));
        loop {
            let entry = &entries[at];
            if entry.tuple.node == 0 {
                return None;
            }
            if entry.tuple == tuple {
                return Some(entry).filter(|entry| entry.is_live(now_ms));
            }
            at = (at + 1) % SHARD;
        }
    }

    /// Adds an entry in the place of what was remembered of its connection.
    pub fn insert(&mut self, entry: Entry, now_ns: i64) {
        if self.used + 1 > self.shards.len() * FULL {
            self.make_room(now_ns);
        }
        self.has_udp |= entry.tuple.protocol == UDP;
        self.note_reply(&entry);
        self.place(entry, ms(now_ns));
    }

    /// A port a node can give to a connection to an endpoint: a free one, looked for from `wish`
    /// on; `None` when every port is taken.
    pub fn free_port(&self, tuple: Tuple, end: End, wish: u16, now_ns: i64) -> Option<u16> {
        let (first, count) = (1024, u32::from(u16::MAX) - 1023);
        let ports = (0..count).map(|step| first + (u32::from(wish) + step) % count);
        ports.map(|port| port as u16).find(|port| {
            let owner = self.nat.get(&(tuple.node, end, *port, tuple.protocol));
            let entry = owner.and_then(|owner| self.find(*owner, now_ns));
            entry.is_none_or(|entry| entry.end != end || entry.nat_port != *port)
        })
    }

    fn note_reply(&mut self, entry: &Entry) {
        if entry.nat_port != 0 {
            let Tuple { node, protocol, .. } = entry.tuple;
            self.nat.insert((node, entry.end, entry.nat_port, protocol), entry.tuple);
        }
    }

    /// Forgets those a rule names.
    pub fn remove_if(&mut self, now_ns: i64, mut is_stale: impl FnMut(&Entry) -> bool) {
        let now_ms = ms(now_ns);
        for shard in &mut self.shards {
            let mut stale = |entry: &Entry| entry.is_live(now_ms) && is_stale(entry);
            let gone: Vec<usize> = (0..SHARD).filter(|at| stale(&shard[*at])).collect();
            for at in gone {
                Arc::make_mut(shard)[at].expires_ms = 0;
            }
        }
    }

    /// Opens the shards of some connections for writing, all at once.
    pub fn open(&mut self, count: usize, tuple: impl Fn(usize) -> Tuple) -> Open<'_> {
        // So many of them want all.
        let all = count >= self.shards.len() * 4;
        let mut wanted = vec![all; self.shards.len()];
        for at in 0..if all { 0 } else { count } {
            if let Some((shard, _)) = self.home(tuple(at)) {
                wanted[shard] = true;
            }
        }
        let shards = self.shards.iter_mut().zip(wanted);
        let shards = shards
            .map(|(shard, wanted)| wanted.then(|| Arc::make_mut(shard).as_mut_slice()))
            .collect();
        Open { shards }
    }

    #[inline]
    fn home(&self, tuple: Tuple) -> Option<(usize, usize)> {
        home(self.shards.len(), tuple)
    }

    fn place(&mut self, entry: Entry, now_ms: u64) {
        let (shard, mut at) = self.home(entry.tuple).expect("there is room");
        let entries = Arc::make_mut(&mut self.shards[shard]);
        let mut free = None;
        loop {
            let known = &entries[at];
            if known.tuple == entry.tuple {
                free = Some(at);
                break;
            }
            if known.tuple.node == 0 {
                self.used += usize::from(free.is_none());
                free = free.or(Some(at));
                break;
            }
            if free.is_none() && !known.is_live(now_ms) {
                free = Some(at);
            }
            at = (at + 1) % SHARD;
        }
        entries[free.expect("the loop ends with a place")] = entry;
    }

    /// Forgets what is over, and makes more shards when that does not help enough.
    fn make_room(&mut self, now_ns: i64) {
        let mut kept: Vec<Entry> = self.live(now_ns).copied().collect();
        kept.sort_unstable_by_key(|entry| entry.tuple);
        let mut shards = self.shards.len().max(1);
        while kept.len() * 4 >= shards * FULL * 3 {
            shards *= 2;
        }
        self.fill(shards, kept, ms(now_ns));
    }

    fn fill(&mut self, shards: usize, entries: Vec<Entry>, now_ms: u64) {
        self.shards = (0..shards).map(|_| Arc::new(vec![Entry::default(); SHARD])).collect();
        self.used = 0;
        self.nat = CowMap::new();
        for entry in entries {
            self.note_reply(&entry);
            self.place(entry, now_ms);
        }
    }
}

#[inline]
fn home(shards: usize, tuple: Tuple) -> Option<(usize, usize)> {
    let hash = tuple.hash();
    (shards > 0).then(|| (hash as usize & (shards - 1), (hash >> 54) as usize))
}

/// Shards that may be written to.
pub struct Open<'a> {
    shards: Vec<Option<&'a mut [Entry]>>,
}

/// Connections that are looked up together.
const GROUP: usize = 32;

impl Open<'_> {
    /// Calls `visit` with every connection and its entry, if it is remembered, in order.
    pub fn each(
        &mut self,
        count: usize,
        tuple: impl Fn(usize) -> Tuple,
        now_ns: impl Fn(usize) -> i64,
        mut visit: impl FnMut(usize, Option<&mut Entry>),
    ) {
        for from in (0..count).step_by(GROUP) {
            let to = (from + GROUP).min(count);
            let mut tuples = [Entry::default().tuple; GROUP];
            let mut homes = [(usize::MAX, 0); GROUP];
            for at in from..to {
                tuples[at - from] = tuple(at);
                homes[at - from] =
                    home(self.shards.len(), tuples[at - from]).unwrap_or((usize::MAX, 0));
            }
            // The first entry of each is read, from its beginning to its end, before any is worked
            // on: they are far apart in memory, and this way they are fetched side by side.
            let mut is_first = [false; GROUP];
            for at in 0..to - from {
                let (shard, place) = homes[at];
                if let Some(Some(entries)) = self.shards.get(shard) {
                    let entry = &entries[place];
                    is_first[at] =
                        (entry.tuple.differs(tuples[at]) | u32::from(entry.expires_ms == 0)) == 0;
                }
            }
            for at in from..to {
                let ((shard, place), wanted) = (homes[at - from], tuples[at - from]);
                let entries = self.shards.get_mut(shard).and_then(Option::as_deref_mut);
                let found = entries.and_then(|entries| {
                    if is_first[at - from] {
                        Some(&mut entries[place])
                    } else {
                        find_in(entries, place, wanted)
                    }
                });
                visit(at, found.filter(|entry| entry.is_live(ms(now_ns(at)))));
            }
        }
    }
}

fn find_in(entries: &mut [Entry], home: usize, wanted: Tuple) -> Option<&mut Entry> {
    let mut at = home;
    loop {
        let tuple = entries[at].tuple;
        if tuple == wanted {
            return Some(&mut entries[at]);
        }
        if tuple.node == 0 {
            return None;
        }
        at = (at + 1) % SHARD;
    }
}

/// In the order of the connections: where entries lie is no state.
impl Serialize for Flows {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let all = self.shards.iter().flat_map(|shard| shard.iter());
        let mut all: Vec<Entry> = all.filter(|entry| entry.tuple.node != 0).copied().collect();
        all.retain(|entry| entry.expires_ms != 0);
        all.sort_unstable_by_key(|entry| entry.tuple);
        all.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Flows {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entries = Vec::<Entry>::deserialize(deserializer)?;
        let mut flows = Self {
            has_udp: entries.iter().any(|entry| entry.tuple.protocol == UDP),
            ..Self::default()
        };
        if !entries.is_empty() {
            let shards = (entries.len() * 4 / (FULL * 3) + 1).next_power_of_two();
            flows.fill(shards, entries, 0);
        }
        Ok(flows)
    }
}

#[cfg(test)]
mod tests;
