//! What the C libraries in a pod do with a name: search list, dots, retries.
//!
//! glibc goes on through the search list past a name that is there without the type; musl stops
//! at it, never searches for a name with enough dots, and asks all nameservers at once.

use std::net::IpAddr;

use super::decode::Decoded;
use super::name::{self, Wire};
use super::resolv::ResolvConf;
use super::server::{Dns, Role};
use super::wire::{Data, Rr, Transport, kind, rcode};
use crate::base::Time;

/// A C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// The one of most images.
    Glibc,
    /// The one of Alpine.
    Musl,
}

/// A query that was sent.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The whole name.
    pub name: Wire,
    /// The type.
    pub kind: u16,
    /// Whom.
    pub server: IpAddr,
    /// What came back; `None` when nothing did.
    pub rcode: Option<u16>,
    /// How many records answered.
    pub answers: usize,
    /// How it was sent.
    pub transport: Transport,
    /// The cluster's server remembered the answer.
    pub cached: bool,
}

/// What came of a name.
#[derive(Clone, Debug, Default)]
pub struct Resolution {
    /// The records of the answer; none when there is no such name.
    pub records: Vec<Rr>,
    /// The last response code; `None` when nobody replied.
    pub rcode: Option<u16>,
    /// The name at the end of aliases, if anything was found.
    pub canonical: Option<Wire>,
    /// Every query it took.
    pub queries: Vec<Asked>,
}

/// What came of one candidate.
enum Outcome {
    Found(Vec<Rr>),
    NoData,
    NoName,
    /// Somebody replied, and could not say.
    Failed,
    /// Nobody replied.
    Silence,
}

/// A resolver: who asks whom, and how.
pub struct Stub<'a> {
    /// The servers.
    pub dns: &'a mut Dns,
    /// How it is set up.
    pub conf: &'a ResolvConf,
    /// Which library asks.
    pub library: Library,
    /// When.
    pub now: Time,
    /// What decides the order of addresses.
    pub turn: u64,
}

impl Stub<'_> {
    /// Looks a name up: one type, or addresses of both families as getaddrinfo does.
    ///
    /// # Errors
    /// When the text is no name.
    pub fn resolve(&mut self, text: &str, wanted: Option<u16>) -> Result<Resolution, String> {
        let mut resolution = Resolution::default();
        if wanted.is_none()
            && let Ok(ip) = text.parse::<IpAddr>()
        {
            // An address is its own answer.
            let data = match ip {
                IpAddr::V4(ip) => Data::A(ip),
                IpAddr::V6(ip) => Data::Aaaa(ip),
            };
            resolution.records.push(Rr { owner: None, ttl: 0, data });
            resolution.rcode = Some(rcode::NOERROR);
            return Ok(resolution);
        }
        let plain = name::parse(text)?;
        let one = [wanted.unwrap_or(kind::A)];
        let kinds: &[u16] = if wanted.is_some() { &one } else { &[kind::A, kind::AAAA] };
        let dots = text.bytes().filter(|byte| *byte == b'.').count();
        let ndots = self.conf.option("ndots").unwrap_or(1).min(15) as usize;
        let absolute = text.ends_with('.');
        match self.library {
            Library::Glibc => {
                self.glibc(&plain, absolute, dots >= ndots, kinds, &mut resolution);
            }
            Library::Musl => self.musl(&plain, absolute || dots >= ndots, kinds, &mut resolution),
        }
        Ok(resolution)
    }

    fn candidates(&self, plain: &Wire) -> Vec<Wire> {
        let behind = |domain: &str| {
            let domain = name::parse(domain).ok()?;
            let whole = [&plain[..plain.len() - 1], &domain].concat();
            (whole.len() <= name::MAX_WIRE).then(|| Wire::from(whole))
        };
        self.conf.searches.iter().filter_map(|domain| behind(domain)).collect()
    }

    fn glibc(
        &mut self,
        plain: &Wire,
        absolute: bool,
        enough: bool,
        kinds: &[u16],
        resolution: &mut Resolution,
    ) {
        let mut tried = false;
        let mut first_failure = None;
        if absolute || enough {
            tried = true;
            match self.try_name(plain, kinds, resolution) {
                Outcome::Found(records) => return finish(resolution, records),
                _ if absolute => return,
                _ => first_failure = resolution.rcode,
            }
        }
        let (mut no_data, mut failed) = (false, false);
        for candidate in self.candidates(plain) {
            tried |= candidate == *plain;
            match self.try_name(&candidate, kinds, resolution) {
                Outcome::Found(records) => return finish(resolution, records),
                Outcome::NoData => no_data = true,
                Outcome::NoName => {}
                Outcome::Failed => failed = true,
                Outcome::Silence => break,
            }
        }
        if !tried {
            match self.try_name(plain, kinds, resolution) {
                Outcome::Found(records) => return finish(resolution, records),
                Outcome::NoData => no_data = true,
                _ => {}
            }
        }
        if first_failure.is_some() {
            resolution.rcode = first_failure;
        } else if no_data {
            resolution.rcode = Some(rcode::NOERROR);
        } else if failed {
            resolution.rcode = Some(rcode::SERVFAIL);
        }
    }

    fn musl(&mut self, plain: &Wire, absolute: bool, kinds: &[u16], resolution: &mut Resolution) {
        let mut candidates = if absolute { Vec::new() } else { self.candidates(plain) };
        candidates.push(plain.clone());
        for candidate in candidates {
            match self.try_name(&candidate, kinds, resolution) {
                Outcome::Found(records) => return finish(resolution, records),
                Outcome::NoName => {}
                _ => return,
            }
        }
    }

    /// Asks for one whole name, all types together, server by server.
    fn try_name(&mut self, name: &Wire, kinds: &[u16], resolution: &mut Resolution) -> Outcome {
        let servers: Vec<IpAddr> = self.servers();
        let attempts = self.conf.option("attempts").unwrap_or(2).clamp(1, 5);
        let mut heard = false;
        for _ in 0..attempts {
            for &server in &servers {
                let replies: Vec<Option<Decoded>> =
                    kinds.iter().map(|&kind| self.ask(name, kind, server, resolution)).collect();
                let replies: Vec<Decoded> = replies.into_iter().flatten().collect();
                heard |= !replies.is_empty();
                let said =
                    |reply: &&Decoded| matches!(reply.rcode, rcode::NOERROR | rcode::NXDOMAIN);
                let Some(first) = replies.iter().find(said) else {
                    resolution.rcode = replies.first().map(|reply| reply.rcode);
                    continue;
                };
                resolution.rcode = Some(first.rcode);
                let records: Vec<Rr> = replies
                    .iter()
                    .filter(said)
                    .flat_map(|reply| reply.sections[0].clone())
                    .collect();
                // Aliases alone end the search too, though they lead to nothing.
                if !records.is_empty() {
                    return Outcome::Found(records);
                }
                let missing = first.rcode == rcode::NXDOMAIN;
                return if missing { Outcome::NoName } else { Outcome::NoData };
            }
        }
        if heard { Outcome::Failed } else { Outcome::Silence }
    }

    fn servers(&self) -> Vec<IpAddr> {
        let texts = self.conf.nameservers.iter().take(3);
        let servers: Vec<IpAddr> =
            texts.filter_map(|text| text.split('%').next()?.parse().ok()).collect();
        if servers.is_empty() { vec![IpAddr::from([127, 0, 0, 1])] } else { servers }
    }

    /// Sends one query, again over TCP when the reply did not fit.
    fn ask(
        &mut self,
        name: &Wire,
        kind: u16,
        server: IpAddr,
        resolution: &mut Resolution,
    ) -> Option<Decoded> {
        let query = query(name, kind, 0x0100, None);
        let mut transport = if self.conf.has("use-vc") { Transport::Tcp } else { Transport::Udp };
        loop {
            let is_cluster = self.dns.role(server) == Some(Role::Cluster);
            let cached = is_cluster && self.dns.is_cached(name, kind, self.now);
            let mut buffer = Vec::new();
            let replied =
                self.dns.exchange(server, &query, transport, self.now, self.turn, &mut buffer);
            let reply = if replied { Decoded::read(&buffer) } else { None };
            let answers = reply.as_ref().map_or(0, |reply| reply.sections[0].len());
            let rcode = reply.as_ref().map(|reply| reply.rcode);
            let name = name.clone();
            resolution.queries.push(Asked {
                name,
                kind,
                server,
                rcode,
                answers,
                transport,
                cached,
            });
            let cut = reply.as_ref().is_some_and(|reply| reply.flags & 0x0200 != 0);
            if !cut || transport == Transport::Tcp {
                return reply;
            }
            transport = Transport::Tcp;
        }
    }
}

/// A query as it travels.
pub fn query(name: &[u8], kind: u16, flags: u16, edns: Option<u16>) -> Vec<u8> {
    let mut message = vec![0, 0];
    message.extend_from_slice(&flags.to_be_bytes());
    message.extend_from_slice(&[0, 1, 0, 0, 0, 0, 0, u8::from(edns.is_some())]);
    message.extend_from_slice(name);
    message.extend_from_slice(&kind.to_be_bytes());
    message.extend_from_slice(&[0, 1]);
    if let Some(size) = edns {
        message.extend_from_slice(&[0, 0, 41]);
        message.extend_from_slice(&size.to_be_bytes());
        message.extend_from_slice(&[0; 6]);
    }
    message
}

/// Notes what was found, and the name at the end of its aliases.
fn finish(resolution: &mut Resolution, records: Vec<Rr>) {
    let last = records.iter().rfind(|record| record.data.kind() != kind::CNAME);
    resolution.canonical = last.and_then(|record| record.owner.clone());
    if last.is_none() {
        resolution.canonical = records.first().and_then(|record| record.owner.clone());
    }
    // Two types repeat the aliases they share.
    let mut kept: Vec<Rr> = Vec::new();
    for record in records {
        if !kept.contains(&record) {
            kept.push(record);
        }
    }
    resolution.records = kept;
}
