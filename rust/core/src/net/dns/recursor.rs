//! A recursive resolver: asks from the root down, believes servers only about names below
//! theirs, and remembers what it was told, in virtual time (RFC 1034, section 5.3.3; RFC 2308).

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::authority::World;
use super::name::{self, Wire};
use super::wire::{Data, Query, Reply, Rr, kind, rcode};
use crate::base::Time;

const SECOND: i64 = 1_000_000_000;
/// Aliases that are followed.
const MAX_ALIASES: usize = 16;
/// Resolutions within a resolution, of addresses of servers.
const MAX_DEPTH: usize = 8;
/// Queries that one name may cost.
const MAX_QUERIES: usize = 200;
/// Nothing is remembered longer: a day, and three hours that something is not there.
const MAX_TTL: u32 = 86_400;
const MAX_NEGATIVE_TTL: u32 = 10_800;

/// What came of asking a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It answered, with this code.
    Answer(u16),
    /// It named others, nearer to the name.
    Referral,
    /// It does not have the zone it should.
    Lame(u16),
    /// It did not reply.
    Timeout,
}

/// A query the resolver sent.
#[derive(Clone, Debug)]
pub struct Step {
    /// The server's name.
    pub server: Wire,
    /// Its address.
    pub address: IpAddr,
    /// What was asked.
    pub name: Wire,
    /// Of which type.
    pub kind: u16,
    /// What came of it.
    pub outcome: Outcome,
}

/// Something remembered.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    until: Time,
    /// The records; none with a SOA in `denial` when there are none.
    records: Vec<Rr>,
    denial: Option<(u16, Vec<Rr>)>,
    /// From the answer section of an authority, not from what helps besides.
    credible: bool,
}

/// A resolver's memory; see the module header.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Recursor {
    memory: BTreeMap<(Wire, u16), Entry>,
}

/// A resolution under way.
struct Run<'a> {
    memory: &'a mut BTreeMap<(Wire, u16), Entry>,
    world: &'a World,
    silent: &'a [IpAddr],
    now: Time,
    steps: Vec<Step>,
}

impl Recursor {
    /// Forgets everything.
    pub fn forget(&mut self) {
        self.memory.clear();
    }

    /// How many answers are remembered.
    pub fn len(&self) -> usize {
        self.memory.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.memory.is_empty()
    }

    /// Answers a query, and tells which servers were asked. Without recursion, only from memory.
    pub fn answer(
        &mut self,
        world: &World,
        silent: &[IpAddr],
        query: &Query,
        now: Time,
    ) -> (Reply, Vec<Step>) {
        if !query.of_internet() || matches!(query.kind, kind::AXFR | kind::IXFR) {
            return (Reply::of(rcode::REFUSED), Vec::new());
        }
        if self.memory.len() > 100_000 {
            self.memory.retain(|_, entry| entry.until > now);
        }
        let mut run = Run { memory: &mut self.memory, world, silent, now, steps: Vec::new() };
        let mut reply = if query.recursion_desired() {
            run.resolve(query.name, query.kind, 0)
        } else {
            run.remembered(query.name, query.kind)
        };
        reply.recursion_available = true;
        (reply, run.steps)
    }
}

impl Run<'_> {
    fn get(&self, name: &[u8], kind: u16) -> Option<&Entry> {
        self.memory.get(&(name.into(), kind)).filter(|entry| entry.until > self.now)
    }

    /// The records of an entry with the time they have left.
    fn aged(&self, entry: &Entry, records: &[Rr]) -> Vec<Rr> {
        let left = ((entry.until.0 - self.now.0) / SECOND).max(0) as u32;
        records
            .iter()
            .cloned()
            .map(|mut record| {
                record.ttl = record.ttl.min(left);
                record
            })
            .collect()
    }

    fn put(&mut self, name: Wire, kind: u16, ttl: u32, entry: Entry) {
        if ttl == 0 {
            return;
        }
        let kept = self.get(&name, kind).is_some_and(|old| old.credible && !entry.credible);
        if !kept {
            let until = Time(self.now.0 + i64::from(ttl) * SECOND);
            self.memory.insert((name, kind), Entry { until, ..entry });
        }
    }

    /// What is known without asking: an answer, or the nearest servers.
    fn remembered(&mut self, name: &[u8], kind: u16) -> Reply {
        let mut reply = Reply::default();
        let mut owner: Wire = name.into();
        for _ in 0..=MAX_ALIASES {
            match self.known(&owner, kind, &mut reply) {
                Known::Done => return reply,
                Known::Alias(target) => owner = target,
                Known::Nothing => break,
            }
        }
        let (_, servers) = self.nearest(&name::lower(&owner));
        reply.authority.extend(servers);
        reply
    }

    /// Adds what is known of a name.
    fn known(&self, owner: &Wire, kind: u16, reply: &mut Reply) -> Known {
        let lower = name::lower(owner);
        let renamed = |mut record: Rr| {
            record.owner = Some(owner.clone());
            record
        };
        if let Some(entry) = self.get(&lower, kind).filter(|entry| entry.credible) {
            if let Some((rcode, authority)) = &entry.denial {
                reply.rcode = *rcode;
                reply.authority.extend(self.aged(entry, authority));
            }
            let records = self.aged(entry, &entry.records);
            reply.answer.extend(records.into_iter().map(renamed));
            return Known::Done;
        }
        // Of a name that is not there, no type is.
        if let Some(entry) = self.get(&lower, kind::ANY)
            && let Some((rcode::NXDOMAIN, authority)) = &entry.denial
        {
            reply.rcode = rcode::NXDOMAIN;
            reply.authority.extend(self.aged(entry, authority));
            return Known::Done;
        }
        if kind != kind::CNAME
            && let Some(entry) = self.get(&lower, kind::CNAME).filter(|entry| entry.credible)
            && let Some(Rr { data: Data::Name(_, target), .. }) = entry.records.first()
        {
            let target = target.clone();
            let records = self.aged(entry, &entry.records);
            reply.answer.extend(records.into_iter().map(renamed));
            return Known::Alias(target);
        }
        Known::Nothing
    }

    fn resolve(&mut self, name: &[u8], kind: u16, depth: usize) -> Reply {
        let mut reply = Reply::default();
        let mut owner: Wire = name.into();
        let mut seen: Vec<Wire> = Vec::new();
        while seen.len() <= MAX_ALIASES {
            let lower = name::lower(&owner);
            if seen.contains(&lower) {
                break;
            }
            seen.push(lower);
            let mut known = self.known(&owner, kind, &mut reply);
            if matches!(known, Known::Nothing) {
                if !self.ask(&owner, kind, depth) {
                    return Reply::of(rcode::SERVFAIL);
                }
                known = self.known(&owner, kind, &mut reply);
            }
            match known {
                Known::Done => return reply,
                Known::Alias(target) => owner = target,
                Known::Nothing => return Reply::of(rcode::SERVFAIL),
            }
        }
        // Aliases in a circle.
        Reply::of(rcode::SERVFAIL)
    }

    /// The nearest zone above a name whose servers are known, and these.
    fn nearest(&self, lower: &[u8]) -> (Wire, Vec<Rr>) {
        let mut at = Some(lower);
        while let Some(zone) = at {
            if let Some(entry) = self.get(zone, kind::NS).filter(|entry| !entry.records.is_empty())
            {
                return (zone.into(), self.aged(entry, &entry.records));
            }
            at = name::parent(zone);
        }
        (Wire::from([0].as_slice()), self.world.hints().0)
    }

    /// Asks servers until what is wanted is remembered; `false` when none could say.
    fn ask(&mut self, owner: &Wire, kind: u16, depth: usize) -> bool {
        let lower = name::lower(owner);
        let (mut zone, mut servers) = self.nearest(&lower);
        // Each round comes nearer to the name, or ends.
        loop {
            let mut nearer = None;
            for server in &servers {
                let Some(target) = server.data.target() else { continue };
                for address in self.addresses(&target, depth) {
                    if self.steps.len() >= MAX_QUERIES {
                        return false;
                    }
                    match self.exchange(&target, address, owner, kind, &zone) {
                        Told::Answer => return true,
                        Told::Nothing => {}
                        Told::Nearer(below) => {
                            nearer = Some(below);
                            break;
                        }
                    }
                }
                if nearer.is_some() {
                    break;
                }
            }
            let Some(below) = nearer else { return false };
            let Some(entry) = self.get(&below, kind::NS) else { return false };
            servers.clone_from(&entry.records);
            zone = below;
        }
    }

    /// The addresses of a server: remembered, the root's as everybody knows, or looked up.
    fn addresses(&mut self, server: &Wire, depth: usize) -> Vec<IpAddr> {
        let lower = name::lower(server);
        let mut found: Vec<IpAddr> = Vec::new();
        let ip = |record: &Rr| match record.data {
            Data::A(ip) => Some(IpAddr::V4(ip)),
            Data::Aaaa(ip) => Some(IpAddr::V6(ip)),
            _ => None,
        };
        for kind in [kind::A, kind::AAAA] {
            if let Some(entry) = self.get(&lower, kind) {
                found.extend(entry.records.iter().filter_map(ip));
            }
        }
        if found.is_empty() {
            let (_, glue) = self.world.hints();
            let mine = |record: &&Rr| {
                record.owner.as_ref().is_some_and(|owner| owner.eq_ignore_ascii_case(&lower))
            };
            found.extend(glue.iter().filter(mine).filter_map(ip));
        }
        if found.is_empty() && depth < MAX_DEPTH {
            let reply = self.resolve(server, kind::A, depth + 1);
            found.extend(reply.answer.iter().filter_map(ip));
        }
        found
    }

    /// Sends one query and remembers what may be believed of the reply.
    fn exchange(
        &mut self,
        server: &Wire,
        address: IpAddr,
        owner: &Wire,
        kind: u16,
        zone: &Wire,
    ) -> Told {
        let step =
            |outcome| Step { server: server.clone(), address, name: owner.clone(), kind, outcome };
        let there = self.world.server(address).filter(|_| !self.silent.contains(&address));
        let Some(there) = there else {
            self.steps.push(step(Outcome::Timeout));
            return Told::Nothing;
        };
        let query = Query { id: 0, flags: 0, name: owner, kind, class: 1, edns: None };
        let reply = self.world.answer(there, &query);
        let lower = name::lower(owner);
        let referral = !reply.authoritative && reply.answer.is_empty();
        if !matches!(reply.rcode, rcode::NOERROR | rcode::NXDOMAIN) {
            self.steps.push(step(Outcome::Lame(reply.rcode)));
            return Told::Nothing;
        }
        if referral {
            let cut = reply.authority.iter().find(|record| record.data.kind() == kind::NS);
            let cut = cut.and_then(|record| record.owner.as_deref()).map(name::lower);
            // One that leads upwards or aside comes from a server without the zone.
            let cut = cut.filter(|cut| {
                cut.len() > zone.len()
                    && name::within(cut, zone).is_some()
                    && name::within(&lower, cut).is_some()
            });
            let Some(cut) = cut else {
                self.steps.push(step(Outcome::Lame(reply.rcode)));
                return Told::Nothing;
            };
            self.steps.push(step(Outcome::Referral));
            self.believe(&reply.authority, zone, false);
            self.believe(&reply.additional, zone, false);
            return Told::Nearer(cut);
        }
        self.steps.push(step(Outcome::Answer(reply.rcode)));
        self.believe(&reply.answer, zone, true);
        if kind == kind::ANY && !reply.answer.is_empty() {
            let ttl = reply.answer.iter().map(|record| record.ttl).min().unwrap_or(0);
            let records = reply.answer.to_vec();
            let entry = Entry { until: self.now, records, denial: None, credible: true };
            self.put(lower.clone(), kind, ttl.min(MAX_TTL), entry);
        }
        self.believe(&reply.additional, zone, false);
        self.remember_denial(&reply, &lower, kind, zone);
        Told::Answer
    }

    /// Remembers sets of records whose owners are within the zone that was asked.
    fn believe(&mut self, records: &[Rr], zone: &[u8], credible: bool) {
        let mut sets: BTreeMap<(Wire, u16), Vec<Rr>> = BTreeMap::new();
        for record in records {
            let Some(owner) = record.owner.as_deref() else { continue };
            if record.data.kind() != kind::SOA && name::within(owner, zone).is_some()
                || credible && name::within(owner, zone).is_some()
            {
                let set = sets.entry((name::lower(owner), record.data.kind())).or_default();
                set.push(record.clone());
            }
        }
        for ((owner, kind), records) in sets {
            let ttl = records.iter().map(|record| record.ttl).min().unwrap_or(0).min(MAX_TTL);
            let entry = Entry { until: self.now, records, denial: None, credible };
            self.put(owner, kind, ttl, entry);
        }
    }

    /// Remembers that a name, or a type of it, is not there; aliases before it are.
    fn remember_denial(&mut self, reply: &Reply, lower: &Wire, kind: u16, zone: &[u8]) {
        let mut last = lower.clone();
        for record in &reply.answer {
            match &record.data {
                Data::Name(kind::CNAME, target) if kind != kind::CNAME => {
                    last = name::lower(target);
                }
                _ => return,
            }
        }
        let soa = reply.authority.iter().find(|record| record.data.kind() == kind::SOA);
        let Some(soa) = soa else { return };
        let of = soa.owner.as_deref().unwrap_or(&[0]);
        if name::within(of, zone).is_none() || name::within(&last, of).is_none() {
            return;
        }
        let ttl = soa.ttl.min(soa.data.minimum().unwrap_or(0)).min(MAX_NEGATIVE_TTL);
        let kind = if reply.rcode == rcode::NXDOMAIN { kind::ANY } else { kind };
        let denial = Some((reply.rcode, vec![soa.clone()]));
        let entry = Entry { until: self.now, records: Vec::new(), denial, credible: true };
        self.put(last, kind, ttl, entry);
    }
}

enum Known {
    Done,
    Alias(Wire),
    Nothing,
}

enum Told {
    Answer,
    Nearer(Wire),
    Nothing,
}
