//! The servers a cluster's resolvers reach: its own CoreDNS, set up as kubeadm does, the
//! recursive resolver behind it, and the authoritative servers of the world outside.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::authority::World;
use super::cluster::{Plugin, Zone, Zones};
use super::index::{Index, Target};
use super::master;
use super::name;
use super::recursor::{Outcome, Recursor, Step};
use super::resolv::ResolvConf;
use super::wire::{Query, Reply, Rr, Transport, kind, rcode, write_unfit};
use crate::base::{CowMap, Text, Time};
use crate::store::Store;

const SECOND: i64 = 1_000_000_000;
/// `cache 30`: the bounds of a time to live, seconds.
const CACHE: (u32, u32) = (5, 30);
/// How many answers the cache holds.
const CACHE_ENTRIES: usize = 9984;
/// How long a failure is remembered, seconds.
const FAILURE_TTL: u32 = 5;

/// How DNS is set up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Settings {
    /// The cluster's zone, without the dot at its end.
    pub zone: String,
    /// Where pods find the DNS server when there is no Service for it; `None`: at the tenth
    /// address of the service range, as kubeadm has it.
    pub server: Option<IpAddr>,
    /// The nodes' own resolv.conf.
    pub node: ResolvConf,
    /// Zone files: name and text.
    pub files: Vec<(String, String)>,
    /// Servers outside that do not reply.
    pub silent: Vec<IpAddr>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            zone: "cluster.local".to_owned(),
            server: None,
            node: ResolvConf { nameservers: vec!["192.168.0.2".into()], ..ResolvConf::default() },
            files: Vec::new(),
            silent: Vec::new(),
        }
    }
}

/// A reply CoreDNS remembers.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Cached {
    until: Time,
    reply: Arc<Reply>,
}

/// All DNS of a cluster; see the module header. Cloning it is cheap.
#[derive(Clone, Debug)]
pub struct Dns {
    settings: Arc<Settings>,
    zones: Zones,
    index: Index,
    outside: Outside,
}

/// What is not the cluster's own.
#[derive(Clone, Debug)]
struct Outside {
    cache: CowMap<(Box<[u8]>, u16), Cached>,
    world: Arc<World>,
    silent: Arc<[IpAddr]>,
    recursor: Arc<Recursor>,
    /// Queries the recursive resolver sent for what was asked last.
    steps: Vec<Step>,
}

/// What is saved: how DNS is set up and what resolvers remember; the rest is made anew.
#[derive(Debug, Serialize, Deserialize)]
pub struct Saved {
    settings: Settings,
    cache: CowMap<(Box<[u8]>, u16), Cached>,
    recursor: Recursor,
}

/// Who replies at an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The cluster's own server.
    Cluster,
    /// The nodes' recursive resolver.
    Resolver,
    /// A server of a zone.
    Authority,
}

impl Default for Dns {
    fn default() -> Self {
        Self::new(Settings::default()).expect("the defaults make sense")
    }
}

impl Dns {
    /// DNS set up in some way.
    ///
    /// # Errors
    /// One sentence when the zone's name is none or a zone file is malformed.
    pub fn new(settings: Settings) -> Result<Self, String> {
        let zones = Zones {
            cluster: name::lower(&name::parse(&settings.zone)?),
            ttl: 30,
            server: settings.server.unwrap_or(IpAddr::V4(Ipv4Addr::new(10, 96, 0, 10))),
            service: "kube-system/kube-dns".into(),
        };
        let mut files = Vec::new();
        for (file, text) in &settings.files {
            files.push((file.clone(), master::read(file, text)?));
        }
        let outside = Outside {
            cache: CowMap::default(),
            world: Arc::new(World::new(files)?),
            silent: settings.silent.clone().into(),
            recursor: Arc::default(),
            steps: Vec::new(),
        };
        Ok(Self { zones, index: Index::default(), outside, settings: Arc::new(settings) })
    }

    /// What is saved of it.
    pub fn to_saved(&self) -> Saved {
        Saved {
            settings: self.settings().clone(),
            cache: self.outside.cache.clone(),
            recursor: Recursor::clone(&self.outside.recursor),
        }
    }

    /// DNS as it was saved.
    ///
    /// # Errors
    /// When what was saved makes no sense.
    pub fn from_saved(saved: Saved) -> Result<Self, String> {
        let mut dns = Self::new(saved.settings)?;
        dns.outside.cache = saved.cache;
        dns.outside.recursor = Arc::new(saved.recursor);
        Ok(dns)
    }

    /// How it is set up.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The world outside.
    pub fn world(&self) -> &World {
        &self.outside.world
    }

    /// The resourceVersion whose names are answered.
    pub fn seen(&self) -> Option<u64> {
        self.index.seen()
    }

    /// The names, for those who have them from elsewhere than a store.
    pub fn names_mut(&mut self) -> &mut Index {
        &mut self.index
    }

    /// Takes in what was written.
    pub fn follow(&mut self, store: &Store) {
        self.index.follow(store);
        if self.settings.server.is_none()
            && let Some(range) = store.ranges.services.first()
        {
            self.zones.server = tenth(range.network());
        }
    }

    /// The names of another, with what it takes to answer about them; the memory stays one's own.
    pub fn take_names(&mut self, other: &Self) {
        self.index.clone_from(&other.index);
        self.zones.clone_from(&other.zones);
        if !Arc::ptr_eq(&self.settings, &other.settings) {
            self.clone_from(other);
        }
    }

    /// Whether another is set up the very same.
    pub fn same_settings(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.settings, &other.settings)
    }

    /// Queries the recursive resolver sent since this was asked last.
    pub fn take_steps(&mut self) -> Vec<Step> {
        std::mem::take(&mut self.outside.steps)
    }

    /// Where pods find the DNS server: the addresses of its Service.
    pub fn addresses(&self) -> Vec<IpAddr> {
        let service =
            self.index.named(&self.zones.service).and_then(|named| named.service.as_ref());
        match service.map(|service| &service.target) {
            Some(Target::Addresses(addresses)) if !addresses.is_empty() => addresses.clone(),
            _ => vec![self.zones.server],
        }
    }

    /// Who replies at an address; `None` for nobody.
    pub fn role(&self, server: IpAddr) -> Option<Role> {
        if self.addresses().contains(&server) {
            return Some(Role::Cluster);
        }
        let is_node_server = |text: &Text| text.parse() == Ok(server);
        if self.settings.node.nameservers.iter().any(is_node_server) {
            return Some(Role::Resolver);
        }
        let silent = self.settings.silent.contains(&server);
        self.outside.world.server(server).filter(|_| !silent).map(|_| Role::Authority)
    }

    /// Sends a message to the server at an address; `false` when nothing comes back.
    pub fn exchange(
        &mut self,
        server: IpAddr,
        message: &[u8],
        transport: Transport,
        now: Time,
        turn: u64,
        buffer: &mut Vec<u8>,
    ) -> bool {
        let Some(role) = self.role(server) else { return false };
        if role == Role::Cluster {
            return self.answer(message, transport, now, turn, buffer).is_some();
        }
        let query = match Query::read(message) {
            Ok(query) => query,
            Err(unfit) => return write_unfit(message, unfit, buffer),
        };
        let reply = if query.edns.is_some_and(|edns| edns.version != 0) {
            Reply::of(rcode::BADVERS)
        } else if role == Role::Resolver {
            self.outside.recurse(&query, now)
        } else {
            let world = &self.outside.world;
            world.answer(world.server(server).expect("it has a role"), &query)
        };
        reply.write(&query, query.room(transport), transport, buffer);
        true
    }

    /// CoreDNS's reply to a message, in `buffer`; returns its response code and the type that was
    /// asked for, or `None` when there is no reply.
    pub fn answer(
        &mut self,
        message: &[u8],
        transport: Transport,
        now: Time,
        turn: u64,
        buffer: &mut Vec<u8>,
    ) -> Option<(u16, u16, bool)> {
        let query = match Query::read(message) {
            Ok(query) => query,
            Err(unfit) => {
                let written = write_unfit(message, unfit, buffer);
                let code = buffer.get(3).map_or(0, |byte| u16::from(byte & 15));
                return written.then_some((code, 0, false));
            }
        };
        let reply = if !query.of_internet() {
            Reply::of(rcode::REFUSED)
        } else if query.edns.is_some_and(|edns| edns.version != 0) {
            Reply::of(rcode::BADVERS)
        } else {
            self.reply(&query, now, turn)
        };
        reply.write(&query, query.room(transport), transport, buffer);
        let truncated = buffer.get(2).is_some_and(|byte| byte & 2 != 0);
        Some((reply.rcode, query.kind, truncated))
    }

    /// Whether a message asks for something outside: the answer is remembered.
    pub fn is_outside(&self, message: &[u8]) -> bool {
        Query::read(message).is_ok_and(|query| self.zones.of(query.name).is_none())
    }

    /// Exchanges what resolvers remember, and the world they ask, with another.
    pub fn swap_outside(&mut self, other: &mut Self) {
        std::mem::swap(&mut self.outside, &mut other.outside);
    }

    /// What CoreDNS replies to a query.
    pub fn reply(&mut self, query: &Query, now: Time, turn: u64) -> Reply {
        if let Some(place) = self.zones.of(query.name) {
            let mut lookup = |name: &[u8], kind: u16| self.outside.lookup(name, kind, now);
            let found = Plugin::answer(&self.zones, &self.index, query, place, &mut lookup);
            if let Some(mut reply) = found {
                if place.0 == Zone::Cluster || reply.rcode != rcode::REFUSED {
                    reply.level_ttl(CACHE.0, CACHE.1);
                }
                reply.shuffle(turn);
                return reply;
            }
        }
        let mut reply = self.outside.forward(query, now);
        reply.shuffle(turn);
        reply
    }

    /// Whether CoreDNS remembers an answer.
    pub fn is_cached(&self, name: &[u8], kind: u16, now: Time) -> bool {
        let key: (Box<[u8]>, u16) = (name.to_ascii_lowercase().into(), kind);
        self.outside.cache.get(&key).is_some_and(|cached| cached.until > now)
    }

    /// Forgets what the caches hold.
    pub fn flush(&mut self) {
        self.outside.cache = CowMap::default();
        self.outside.recursor = Arc::default();
    }
}

impl Outside {
    /// Looks up what an alias of the cluster stands for.
    fn lookup(&mut self, name: &[u8], kind: u16, now: Time) -> Vec<Rr> {
        let query = Query { id: 0, flags: 0x0100, name, kind, class: 1, edns: None };
        // The owner of a record of the name itself is that name, not the one asked for first.
        let named = |mut record: Rr| {
            record.owner = record.owner.or_else(|| Some(name.into()));
            record
        };
        let reply = self.forward(&query, now);
        reply.answer.into_iter().map(named).collect()
    }

    /// Answers from the cache, or asks the nodes' resolver.
    fn forward(&mut self, query: &Query, now: Time) -> Reply {
        let key: (Box<[u8]>, u16) = (query.name.to_ascii_lowercase().into(), query.kind);
        if let Some(cached) = self.cache.get(&key).filter(|cached| cached.until > now) {
            let mut reply = Reply::clone(&cached.reply);
            reply.set_ttl(((cached.until.0 - now.0) / SECOND) as u32);
            // CoreDNS calls what it remembers authoritative: some clients discard the rest.
            reply.authoritative = true;
            return reply;
        }
        let mut reply = self.recurse(query, now);
        let denied = reply.authority.iter().any(|record| record.data.kind() == kind::SOA);
        let ttl = match reply.rcode {
            rcode::SERVFAIL => FAILURE_TTL,
            rcode::NOERROR if !reply.answer.is_empty() || denied => {
                reply.level_ttl(CACHE.0, CACHE.1)
            }
            rcode::NXDOMAIN if denied => reply.level_ttl(CACHE.0, CACHE.1),
            _ => return reply,
        };
        if self.cache.len() >= CACHE_ENTRIES {
            self.cache = CowMap::default();
        }
        let until = Time(now.0 + i64::from(ttl) * SECOND);
        self.cache.insert(key, Cached { until, reply: Arc::new(reply.clone()) });
        reply
    }

    fn recurse(&mut self, query: &Query, now: Time) -> Reply {
        let recursor = Arc::make_mut(&mut self.recursor);
        let (mut reply, steps) = recursor.answer(&self.world, &self.silent, query, now);
        self.steps.extend(steps);
        // A name is its own owner as the query writes it.
        for record in &mut reply.answer {
            if record.owner.as_deref() == Some(query.name) {
                record.owner = None;
            }
        }
        reply
    }
}

/// The tenth address after the first of a range.
fn tenth(first: IpAddr) -> IpAddr {
    match first {
        IpAddr::V4(ip) => IpAddr::V4(Ipv4Addr::from(u32::from(ip).saturating_add(10))),
        IpAddr::V6(ip) => IpAddr::V6(Ipv6Addr::from(u128::from(ip).saturating_add(10))),
    }
}

impl Outcome {
    /// The outcome in a word or two.
    pub fn text(self) -> String {
        match self {
            Self::Answer(rcode) => super::decode::rcode_name(rcode),
            Self::Referral => "referral".to_owned(),
            Self::Lame(rcode) => format!("lame ({})", super::decode::rcode_name(rcode)),
            Self::Timeout => "timeout".to_owned(),
        }
    }
}
