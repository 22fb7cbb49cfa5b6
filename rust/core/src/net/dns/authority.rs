//! Authoritative servers: what each says of the zones it has, and referrals to others (RFC 1034,
//! section 4.3.2).

use std::collections::BTreeMap;
use std::net::IpAddr;

use super::master::ZoneFile;
use super::name::{self, Wire};
use super::wire::{Data, Query, Reply, Rr, kind, rcode};

/// Aliases that a server follows within its zones.
const MAX_ALIASES: usize = 16;

/// A zone.
#[derive(Clone, Debug)]
pub struct Zone {
    /// Its name, in small letters.
    pub apex: Wire,
    /// The records of each name in small letters; names between others have none.
    nodes: BTreeMap<Wire, Vec<Rr>>,
}

/// A server: its address, its name, and which zones it has.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its name, as its zones call it.
    pub name: Wire,
    /// Its address.
    pub address: IpAddr,
    /// The zones it has, by number.
    pub zones: Vec<usize>,
}

/// Zones and the servers that have them; see the module header.
#[derive(Clone, Debug, Default)]
pub struct World {
    zones: Vec<Zone>,
    servers: BTreeMap<IpAddr, Server>,
}

impl Zone {
    fn of(file: ZoneFile) -> Self {
        let mut nodes: BTreeMap<Wire, Vec<Rr>> = BTreeMap::new();
        for entry in file.entries {
            let owner = name::lower(entry.record.owner.as_deref().unwrap_or(&[0]));
            // Names between a record and the apex are there, with nothing.
            let mut above: &[u8] = &owner;
            while above.len() > file.apex.len()
                && let Some(parent) = name::parent(above)
            {
                nodes.entry(parent.into()).or_default();
                above = parent;
            }
            nodes.entry(owner).or_default().push(entry.record);
        }
        // Records of one name and type have one TTL, and none is there twice.
        for records in nodes.values_mut() {
            let mut kept: Vec<Rr> = Vec::new();
            for record in std::mem::take(records) {
                if !kept.iter().any(|other| other.data == record.data) {
                    kept.push(record);
                }
            }
            *records = kept;
        }
        Self { apex: file.apex, nodes }
    }

    fn node(&self, name: &[u8]) -> Option<&[Rr]> {
        self.nodes.get(name).map(Vec::as_slice)
    }

    fn of_type(&self, name: &[u8], kind: u16) -> Vec<Rr> {
        let records = self.node(name).unwrap_or_default().iter();
        let wanted = |record: &&Rr| record.data.kind() == kind || kind == kind::ANY;
        records.filter(wanted).cloned().collect()
    }

    /// The start of the zone, as a negative answer has it: kept no longer than its last field.
    fn soa(&self) -> Option<Rr> {
        let mut soa = self.of_type(&self.apex, kind::SOA).pop()?;
        soa.ttl = soa.ttl.min(soa.data.minimum()?);
        Some(soa)
    }

    /// The highest name from the apex down to `name` that another server has.
    fn cut(&self, name: &[u8]) -> Option<Wire> {
        let mut above = Vec::new();
        let mut at = name;
        while at.len() > self.apex.len() {
            above.push(at);
            at = name::parent(at)?;
        }
        let has_servers = |one: &&[u8]| !self.of_type(one, kind::NS).is_empty();
        above.into_iter().rev().find(has_servers).map(Wire::from)
    }

    /// The records of a name that is not there, from a wildcard; `None` when there is none.
    fn wildcard(&self, name: &[u8]) -> Option<Wire> {
        let mut at = name;
        while at.len() > self.apex.len() {
            at = name::parent(at)?;
            if self.nodes.contains_key(at) {
                let wildcard = name::join(&[b"*"], at);
                return self.nodes.contains_key(&wildcard).then_some(wildcard);
            }
        }
        None
    }

    fn addresses(&self, name: &[u8]) -> Vec<Rr> {
        let mut found = self.of_type(name, kind::A);
        found.extend(self.of_type(name, kind::AAAA));
        found
    }
}

impl World {
    /// The world of some zone files. Each zone's servers are those its own NS records name, at
    /// the addresses any of the files gives them.
    ///
    /// # Errors
    /// When two files are the same zone.
    pub fn new(files: Vec<(String, ZoneFile)>) -> Result<Self, String> {
        let mut names: BTreeMap<Wire, String> = BTreeMap::new();
        for (file, zone) in &files {
            if let Some(first) = names.insert(zone.apex.clone(), file.clone()) {
                let zone = name::text(&zone.apex);
                return Err(format!("{file}: the zone {zone} is in {first} already"));
            }
        }
        let zones: Vec<Zone> = files.into_iter().map(|(_, file)| Zone::of(file)).collect();
        let mut servers: BTreeMap<IpAddr, Server> = BTreeMap::new();
        for (number, zone) in zones.iter().enumerate() {
            for record in zone.of_type(&zone.apex, kind::NS) {
                let Some(target) = record.data.target() else { continue };
                let lower = name::lower(&target);
                for address in zones.iter().flat_map(|zone| zone.addresses(&lower)) {
                    let address = match address.data {
                        Data::A(ip) => IpAddr::V4(ip),
                        Data::Aaaa(ip) => IpAddr::V6(ip),
                        _ => continue,
                    };
                    let server = servers.entry(address).or_insert_with(|| Server {
                        name: target.clone(),
                        address,
                        zones: Vec::new(),
                    });
                    if !server.zones.contains(&number) {
                        server.zones.push(number);
                    }
                }
            }
        }
        Ok(Self { zones, servers })
    }

    /// Whether there is nothing.
    pub fn is_empty(&self) -> bool {
        self.zones.is_empty()
    }

    /// The server at an address.
    pub fn server(&self, address: IpAddr) -> Option<&Server> {
        self.servers.get(&address)
    }

    /// All servers, by address.
    pub fn servers(&self) -> impl Iterator<Item = &Server> {
        self.servers.values()
    }

    /// The names of the zones.
    pub fn zones(&self) -> impl Iterator<Item = &Wire> {
        self.zones.iter().map(|zone| &zone.apex)
    }

    /// The servers of the root and their addresses, which every resolver knows.
    pub fn hints(&self) -> (Vec<Rr>, Vec<Rr>) {
        let Some(root) = self.zones.iter().find(|zone| zone.apex.len() == 1) else {
            return Default::default();
        };
        let servers = root.of_type(&root.apex, kind::NS);
        let targets = servers.iter().filter_map(|record| record.data.target());
        let glue = targets.flat_map(|target| self.any_addresses(&name::lower(&target))).collect();
        (servers, glue)
    }

    fn any_addresses(&self, name: &[u8]) -> Vec<Rr> {
        let found = self.zones.iter().map(|zone| zone.addresses(name));
        found.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
    }

    /// What a server replies.
    pub fn answer(&self, server: &Server, query: &Query) -> Reply {
        let mut reply = Reply::default();
        if matches!(query.kind, kind::AXFR | kind::IXFR) || !query.of_internet() {
            return Reply::of(rcode::REFUSED);
        }
        let mut owner: Wire = query.name.into();
        for step in 0..=MAX_ALIASES {
            let lower = name::lower(&owner);
            let zones = server.zones.iter().map(|number| &self.zones[*number]);
            let within = zones.filter(|zone| name::within(&lower, &zone.apex).is_some());
            let Some(zone) = within.max_by_key(|zone| zone.apex.len()) else {
                if step == 0 {
                    return Reply::of(rcode::REFUSED);
                }
                break;
            };
            let Some(target) = step_in(zone, &owner, &lower, query.kind, step == 0, &mut reply)
            else {
                break;
            };
            owner = target;
        }
        self.add_addresses(server, &mut reply);
        reply
    }

    /// Adds the addresses of what the records lead to, as far as the server has them.
    fn add_addresses(&self, server: &Server, reply: &mut Reply) {
        let leading = reply.answer.iter().chain(&reply.authority);
        let targets: Vec<Wire> = leading.filter_map(|record| record.data.target()).collect();
        for target in targets {
            let lower = name::lower(&target);
            let zones = server.zones.iter().map(|number| &self.zones[*number]);
            let within = zones.filter(|zone| name::within(&lower, &zone.apex).is_some());
            let Some(zone) = within.max_by_key(|zone| zone.apex.len()) else { continue };
            for record in zone.addresses(&lower) {
                if !reply.answer.contains(&record) && !reply.additional.contains(&record) {
                    reply.additional.push(record);
                }
            }
        }
    }
}

/// Answers for a name in a zone; returns the name to go on with.
fn step_in(
    zone: &Zone,
    owner: &Wire,
    lower: &[u8],
    kind: u16,
    first: bool,
    reply: &mut Reply,
) -> Option<Wire> {
    if let Some(cut) = zone.cut(lower) {
        // A referral; of a name at the end of aliases, the answer so far is the authority's.
        reply.authority.extend(zone.of_type(&cut, kind::NS));
        return None;
    }
    reply.authoritative |= first;
    let renamed = |mut record: Rr| {
        record.owner = Some(owner.clone());
        record
    };
    let node: Wire = if zone.nodes.contains_key(lower) {
        lower.into()
    } else {
        match zone.wildcard(lower) {
            Some(wildcard) => wildcard,
            None => {
                reply.rcode = rcode::NXDOMAIN;
                reply.authority.extend(zone.soa());
                return None;
            }
        }
    };
    if let Some(alias) =
        zone.of_type(&node, kind::CNAME).pop().filter(|_| kind != kind::CNAME && kind != kind::ANY)
    {
        let target = match &alias.data {
            Data::Name(_, target) => target.clone(),
            _ => return None,
        };
        reply.answer.push(renamed(alias));
        return Some(target);
    }
    let found = zone.of_type(&node, kind);
    if found.is_empty() {
        reply.authority.extend(zone.soa());
    }
    reply.answer.extend(found.into_iter().map(renamed));
    None
}
