//! The zone of a cluster, and the reverse zones: what CoreDNS's kubernetes plugin answers.
//!
//! The plugin reads a name right to left: `svc` or `pod`, namespace, service, then one label
//! for an endpoint or two for a port and a protocol. Its quirks are kept: see the golden answers
//! in `tests/golden/dns`.

use std::net::{IpAddr, Ipv4Addr};

use smallvec::SmallVec;

use super::index::{Address, Index, Port, Target, key};
use super::name::{self, Wire};
use super::spelled::{REVERSE_4, REVERSE_6, lower_text, reversed, undashed};
use super::wire::{Data, Query, Reply, Rr, kind, rcode};
use crate::base::{FastSet, Text};

/// TXT `dns-version`: the version of the specification.
const VERSION: &[u8] = b"\x051.1.0";
const VERSION_TTL: u32 = 28_800;
/// Aliases that are followed within a zone.
const MAX_ALIASES: usize = 10;

/// How the cluster's zone is set up.
#[derive(Clone, Debug)]
pub struct Zones {
    /// The cluster's zone, in small letters.
    pub cluster: Wire,
    /// The time to live of its records, seconds.
    pub ttl: u32,
    /// Where the DNS server is when no Service says so.
    pub server: IpAddr,
    /// `namespace/name` of the DNS server's Service.
    pub service: Text,
}

/// Looks up a name outside the zone for an alias; the records of the answer.
pub type Lookup<'a> = &'a mut dyn FnMut(&[u8], u16) -> Vec<Rr>;

/// Which zone a name is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// The cluster's.
    Cluster,
    /// in-addr.arpa or ip6.arpa.
    Reverse,
}

impl Zones {
    /// The zone a name is in, and where in the name it begins.
    pub fn of(&self, name: &[u8]) -> Option<(Zone, usize)> {
        if let Some(at) = name::within(name, &self.cluster) {
            return Some((Zone::Cluster, at));
        }
        let reverse = name::within(name, REVERSE_4).or_else(|| name::within(name, REVERSE_6));
        reverse.map(|at| (Zone::Reverse, at))
    }
}

/// There is no such name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Missing;

/// What a name in front of the zone asks for.
#[derive(Clone, Debug, Default)]
struct Asked {
    /// `svc`; otherwise `pod`, when there is a namespace.
    of_services: bool,
    namespace: Text,
    service: Option<Text>,
    endpoint: Option<Text>,
    protocol: Option<Text>,
    port: Option<Text>,
}

/// Where something is.
#[derive(Clone, Copy, Debug)]
enum Host<'a> {
    Ip(IpAddr),
    Name(&'a Wire),
}

/// Something a name stands for.
#[derive(Clone, Copy, Debug)]
struct Found<'a> {
    host: Host<'a>,
    port: i32,
    /// The endpoint's label.
    endpoint: Option<&'a str>,
}

/// Aliases followed so far, for addresses of one type.
struct Chase<'a> {
    kind: u16,
    before: Vec<(Wire, Wire)>,
    lookup: Lookup<'a>,
}

/// The kubernetes plugin, over what a query asks.
pub struct Plugin<'a> {
    zones: &'a Zones,
    index: &'a Index,
    /// The zone as the query writes it.
    zone: &'a [u8],
    kind: Zone,
}

/// The records of an answer and what helps besides.
type Records = (SmallVec<[Rr; 2]>, Vec<Rr>);

impl<'a> Plugin<'a> {
    /// Answers a query for a name in one of the zones; `None` lets others answer, as the reverse
    /// zones do with names they do not have.
    pub fn answer(
        zones: &'a Zones,
        index: &'a Index,
        query: &Query<'a>,
        (kind, at): (Zone, usize),
        lookup: Lookup,
    ) -> Option<Reply> {
        if matches!(query.kind, kind::AXFR | kind::IXFR) {
            return Some(Reply::of(rcode::REFUSED));
        }
        let plugin = Self { zones, index, zone: &query.name[at..], kind };
        let found = plugin.records(query.name, query.kind, lookup);
        let mut reply = Reply { authoritative: true, ..Reply::default() };
        match found {
            Err(Missing) if kind == Zone::Reverse => return None,
            Err(Missing) => {
                reply.rcode = rcode::NXDOMAIN;
                reply.authority.push(plugin.soa());
            }
            Ok((answer, _)) if answer.is_empty() => reply.authority.push(plugin.soa()),
            Ok((answer, additional)) => {
                reply.answer = answer;
                reply.additional = additional;
            }
        }
        Some(reply)
    }

    fn records(&self, name: &[u8], kind: u16, lookup: Lookup) -> Result<Records, Missing> {
        let at_apex = name.len() == self.zone.len();
        let only = |records| Ok((records, Vec::new()));
        match kind {
            kind::A | kind::AAAA => {
                let mut chase = Chase { kind, before: Vec::new(), lookup };
                only(self.addresses(name, None, &mut chase)?)
            }
            kind::SOA if at_apex => only(SmallVec::from_iter([self.soa()])),
            kind::SOA => only(SmallVec::new()),
            kind::NS if at_apex => Ok(self.name_servers()),
            kind::TXT => only(self.text(name)?),
            kind::CNAME => only(self.alias(name)?),
            kind::PTR => only(self.pointers(name)?),
            kind::SRV => self.servers(name),
            // Other types are never there, but whether the name is decides a lookup of addresses.
            _ => self.find(name, kind::A, &mut |_| ()).map(|()| Records::default()),
        }
    }

    fn rr(&self, owner: Option<Wire>, data: Data) -> Rr {
        Rr { owner, ttl: self.zones.ttl, data }
    }

    fn soa(&self) -> Rr {
        let zone: Wire = self.zone.into();
        let ttl = self.zones.ttl;
        let data = Data::Soa(zone.clone(), self.index.serial(), ttl);
        Rr { owner: Some(zone), ttl: ttl.min(300), data }
    }

    /// A or AAAA: those of the name, or of the name it is an alias of.
    fn addresses(
        &self,
        name: &[u8],
        owner: Option<&Wire>,
        chase: &mut Chase,
    ) -> Result<SmallVec<[Rr; 2]>, Missing> {
        let kind = chase.kind;
        let mut found: SmallVec<[Rr; 2]> = SmallVec::new();
        let mut seen: FastSet<IpAddr> = FastSet::default();
        let mut alias = None;
        self.find(name, kind, &mut |one: Found| match one.host {
            Host::Name(target) => alias = Some(target.clone()),
            Host::Ip(ip) => {
                let data = match ip {
                    IpAddr::V4(ip) if kind == kind::A => Data::A(ip),
                    IpAddr::V6(ip) if kind == kind::AAAA => Data::Aaaa(ip),
                    _ => return,
                };
                // A set pays only where there are several.
                let new = if found.len() < 8 {
                    found.iter().all(|record| record.data != data)
                } else {
                    if seen.is_empty() {
                        for record in &found {
                            seen.insert(address_of(&record.data));
                        }
                    }
                    seen.insert(ip)
                };
                if new {
                    found.push(self.rr(owner.cloned(), data));
                }
            }
        })?;
        if let Some(target) = alias {
            found.extend(self.follow(name, owner, &target, chase));
        }
        Ok(found)
    }

    /// An alias and what it leads to; nothing when that is nothing.
    fn follow(
        &self,
        name: &[u8],
        owner: Option<&Wire>,
        target: &Wire,
        chase: &mut Chase,
    ) -> SmallVec<[Rr; 2]> {
        let from = name::lower(name);
        let repeated =
            |(one, other): &(Wire, Wire)| *one == from && other.eq_ignore_ascii_case(target);
        let mut found = SmallVec::new();
        if name::within(target, name).is_some()
            || chase.before.len() > MAX_ALIASES
            || chase.before.iter().any(repeated)
        {
            return found;
        }
        found.push(self.rr(owner.cloned(), Data::Name(kind::CNAME, target.clone())));
        if name::within(target, self.zone).is_none() {
            found.extend((chase.lookup)(target, chase.kind));
            return found;
        }
        chase.before.push((from, target.clone()));
        match self.addresses(target, Some(target), chase) {
            Ok(more) if !more.is_empty() => found.extend(more),
            _ => found.clear(),
        }
        found
    }

    fn text(&self, name: &[u8]) -> Result<SmallVec<[Rr; 2]>, Missing> {
        let front = &name[..name.len() - self.zone.len()];
        if front.eq_ignore_ascii_case(b"\x0bdns-version") {
            let data = Data::Raw(kind::TXT, VERSION.into());
            return Ok(SmallVec::from_iter([Rr { owner: None, ttl: VERSION_TTL, data }]));
        }
        let mut any = false;
        self.lookup(name, &mut |_| any = true)?;
        if any { Ok(SmallVec::new()) } else { Err(Missing) }
    }

    fn alias(&self, name: &[u8]) -> Result<SmallVec<[Rr; 2]>, Missing> {
        let mut found = SmallVec::new();
        self.find(name, kind::CNAME, &mut |one| {
            if let Host::Name(target) = one.host {
                found.push(self.rr(None, Data::Name(kind::CNAME, target.clone())));
            }
        })?;
        Ok(found)
    }

    fn pointers(&self, name: &[u8]) -> Result<SmallVec<[Rr; 2]>, Missing> {
        let Some(ip) = reversed(name) else {
            self.lookup(name, &mut |_| ())?;
            return Ok(SmallVec::new());
        };
        let owners = self.index.owners(ip).ok_or(Missing)?;
        let mut targets: Vec<Wire> = Vec::new();
        if let Some(service) = &owners.service
            && self.has_namespace_of(service)
        {
            targets.push(name_of(service, None, b"svc", &self.zones.cluster));
        } else {
            for slot in &owners.slices {
                let Some(slice) = self.index.slice(*slot) else { continue };
                for address in slice.addresses.iter().filter(|address| address.ip == ip) {
                    let label = Some(address.label.as_str());
                    let target = name_of(&slice.key, label, b"svc", &self.zones.cluster);
                    if !targets.contains(&target) {
                        targets.push(target);
                    }
                }
            }
        }
        if targets.is_empty() {
            return Err(Missing);
        }
        let record = |target| self.rr(None, Data::Name(kind::PTR, target));
        Ok(targets.into_iter().map(record).collect())
    }

    fn servers(&self, name: &[u8]) -> Result<Records, Missing> {
        let mut all: Vec<(IpAddr, i32, Option<Text>)> = Vec::new();
        self.find(name, kind::SRV, &mut |one| {
            if let Host::Ip(ip) = one.host {
                all.push((ip, one.port, one.endpoint.map(Text::from)));
            }
        })?;
        let asked = self.parse(name).unwrap_or_default();
        let space = if asked.of_services { b"svc" } else { b"pod" };
        let service = key(&asked.namespace, asked.service.as_deref().unwrap_or_default());
        // In this order of operations, as rounding goes.
        let share = 100.0 / (100 * all.len()) as f64 * 100.0;
        let weight = (share.floor() as u16).max(1);
        let (mut answer, mut additional) = (SmallVec::new(), Vec::new());
        let mut ports: FastSet<(Option<Text>, u16)> = FastSet::default();
        let mut addresses: FastSet<(Option<Text>, IpAddr)> = FastSet::default();
        for (ip, port, endpoint) in all {
            let Ok(port) = u16::try_from(port) else { continue };
            let target = name_of(&service, endpoint.as_deref(), space, self.zone);
            if ports.insert((endpoint.clone(), port)) {
                answer.push(self.rr(None, Data::Srv(weight, port, target.clone())));
            }
            if addresses.insert((endpoint, ip)) {
                additional.push(self.rr(Some(target), address(ip)));
            }
        }
        Ok((answer, additional))
    }

    fn name_servers(&self) -> Records {
        let (mut answer, mut additional) = (SmallVec::new(), Vec::new());
        for (target, ip) in self.own_addresses() {
            let record = self.rr(None, Data::Name(kind::NS, target.clone()));
            if !answer.contains(&record) {
                answer.push(record);
            }
            additional.push(self.rr(Some(target), address(ip)));
        }
        (answer, additional)
    }

    /// The names and addresses of the DNS server itself.
    fn own_addresses(&self) -> Vec<(Wire, IpAddr)> {
        let key = &self.zones.service;
        let named = self.index.named(key);
        let service = named.and_then(|named| named.service.as_ref());
        let name = |endpoint| name_of(key, endpoint, b"svc", self.zone);
        match service.map(|service| &service.target) {
            Some(Target::Addresses(addresses)) => {
                addresses.iter().map(|ip| (name(None), *ip)).collect()
            }
            Some(Target::Endpoints) => {
                let slices = named.into_iter().flat_map(|named| &named.slices);
                let all = slices.flat_map(|(_, slice)| &slice.addresses);
                all.map(|address| (name(Some(address.label.as_str())), address.ip)).collect()
            }
            _ => vec![(name::join(&[b"ns", b"dns"], self.zone), self.zones.server)],
        }
    }

    fn has_namespace_of(&self, key: &str) -> bool {
        let namespace = key.split_once('/').map_or("", |(namespace, _)| namespace);
        self.index.has_namespace(&Text::from(namespace))
    }

    /// What a name stands for, with the server's own name.
    fn find(&self, name: &[u8], kind: u16, visit: &mut dyn FnMut(Found)) -> Result<(), Missing> {
        let front = &name[..name.len() - self.zone.len()];
        if front.eq_ignore_ascii_case(b"\x02ns\x03dns") {
            for (_, ip) in self.own_addresses() {
                if ip.is_ipv4() == (kind == kind::A) && matches!(kind, kind::A | kind::AAAA) {
                    visit(Found { host: Host::Ip(ip), port: 0, endpoint: None });
                }
            }
            return Ok(());
        }
        self.lookup(name, visit)
    }

    /// What a name stands for.
    fn lookup(&self, name: &[u8], visit: &mut dyn FnMut(Found)) -> Result<(), Missing> {
        let asked = self.parse(name)?;
        if asked.namespace.is_empty() {
            return Ok(());
        }
        if self.kind == Zone::Reverse || !self.index.has_namespace(&asked.namespace) {
            return Err(Missing);
        }
        let Some(service) = &asked.service else { return Ok(()) };
        if asked.of_services {
            return self.services(&asked, &key(&asked.namespace, service), visit);
        }
        let ip = undashed(service).ok_or(Missing)?;
        visit(Found { host: Host::Ip(ip), port: 0, endpoint: None });
        Ok(())
    }

    fn services(
        &self,
        asked: &Asked,
        key: &Text,
        visit: &mut dyn FnMut(Found),
    ) -> Result<(), Missing> {
        let named = self.index.named(key).ok_or(Missing)?;
        let service = named.service.as_ref().ok_or(Missing)?;
        let fits = |port: &Port| {
            asked.port.as_ref().is_none_or(|name| name.eq_ignore_ascii_case(&port.name))
                && asked
                    .protocol
                    .as_ref()
                    .is_none_or(|text| text.eq_ignore_ascii_case(&port.protocol))
        };
        if let Target::Alias(target) = &service.target {
            let is_plain = asked.endpoint.is_none() && asked.protocol.is_none();
            let target = target.as_ref().filter(|_| is_plain).ok_or(Missing)?;
            visit(Found { host: Host::Name(target), port: 0, endpoint: None });
            return Ok(());
        }
        let mut any = false;
        if let (Target::Addresses(addresses), None) = (&service.target, &asked.endpoint) {
            for port in service.ports.iter().filter(|port| fits(port)) {
                any = true;
                for ip in addresses {
                    visit(Found { host: Host::Ip(*ip), port: port.number, endpoint: None });
                }
            }
        } else {
            for (_, slice) in &named.slices {
                for Address { ip, label } in &slice.addresses {
                    if asked.endpoint.as_ref().is_some_and(|one| !one.eq_ignore_ascii_case(label)) {
                        continue;
                    }
                    for port in slice.ports.iter().filter(|port| fits(port)) {
                        any = true;
                        let endpoint = Some(label.as_str());
                        visit(Found { host: Host::Ip(*ip), port: port.number, endpoint });
                    }
                }
            }
        }
        if any { Ok(()) } else { Err(Missing) }
    }

    /// Reads a name right to left. One that says nothing more than `svc` or `pod` asks for
    /// nothing.
    fn parse(&self, name: &[u8]) -> Result<Asked, Missing> {
        let front = &name[..name.len() - self.zone.len()];
        let labels: SmallVec<[&[u8]; 8]> = name::labels(front).collect();
        let mut labels = labels.into_iter().rev();
        let mut asked = Asked::default();
        let Some(space) = labels.next() else { return Ok(asked) };
        asked.of_services = space.eq_ignore_ascii_case(b"svc");
        if !asked.of_services && !space.eq_ignore_ascii_case(b"pod") {
            return Err(Missing);
        }
        let Some(namespace) = labels.next() else { return Ok(asked) };
        asked.namespace = lower_text(namespace).ok_or(Missing)?;
        let Some(service) = labels.next() else { return Ok(asked) };
        asked.service = Some(lower_text(service).ok_or(Missing)?);
        match (labels.next(), labels.next(), labels.next()) {
            (None, ..) => {}
            (Some(endpoint), None, _) => {
                asked.endpoint = Some(lower_text(endpoint).ok_or(Missing)?);
            }
            (Some(protocol), Some(port), None) => {
                asked.protocol = wanted(protocol)?;
                asked.port = wanted(port)?;
            }
            _ => return Err(Missing),
        }
        Ok(asked)
    }
}

/// `endpoint.service.namespace.svc` in front of a zone.
fn name_of(key: &str, endpoint: Option<&str>, space: &[u8], zone: &[u8]) -> Wire {
    let (namespace, service) = key.split_once('/').unwrap_or_default();
    let mut front: SmallVec<[&[u8]; 4]> = SmallVec::new();
    front.extend(endpoint.map(str::as_bytes));
    front.extend([service.as_bytes(), namespace.as_bytes(), space]);
    name::join(&front, zone)
}

/// A label of a port or protocol without its underscore; nothing left asks for any.
fn wanted(label: &[u8]) -> Result<Option<Text>, Missing> {
    let text = lower_text(label.strip_prefix(b"_").unwrap_or(label)).ok_or(Missing)?;
    Ok((!text.is_empty()).then_some(text))
}

fn address(ip: IpAddr) -> Data {
    match ip {
        IpAddr::V4(ip) => Data::A(ip),
        IpAddr::V6(ip) => Data::Aaaa(ip),
    }
}

fn address_of(data: &Data) -> IpAddr {
    match data {
        Data::A(ip) => IpAddr::V4(*ip),
        Data::Aaaa(ip) => IpAddr::V6(*ip),
        _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
    }
}
