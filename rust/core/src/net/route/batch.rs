//! Columns of packets through the table.
//!
//! Packets go in groups: all of a group look up their service port, then all read it, then all
//! read their endpoint. The steps of different packets do not wait for each other, so what is not
//! in a cache is fetched for many of them at once.

use rayon::prelude::*;

use super::decide::{Flow, List, Missing, Way};
use super::draw::{Dice, place};
use super::keys::{Cell, Portal, key};
use super::view::Client;
use super::{RouteTable, View};
use crate::net::service_ports::Protocol;

/// Packets that are looked up together.
const GROUP: usize = 32;
/// Packets one thread takes at a time.
const SHARE: usize = 1 << 15;

/// Stands for no endpoint.
pub const NO_ENDPOINT: u32 = u32::MAX;

/// What became of a packet, in the low two bits: it goes to an endpoint.
pub const ENDPOINT: u8 = 0;
/// It goes where it was addressed to.
pub const PASS: u8 = 1;
/// It is thrown away.
pub const DROP: u8 = 2;
/// It is thrown away, and its sender told.
pub const REJECT: u8 = 3;
/// It goes to the endpoint its client is used to, which a batch does not know.
pub const STICKS: u8 = 8;
/// It belongs to a connection that was there already.
pub const ESTABLISHED: u8 = 16;
/// It got the node's address as source.
pub const MASQUERADED: u8 = 4;

/// One value for all packets, or one for each.
#[derive(Clone, Copy, Debug)]
pub enum Column<'a, T> {
    /// For all.
    One(T),
    /// For each.
    Many(&'a [T]),
}

impl<T: Copy> Column<'_, T> {
    /// The value of a packet.
    #[inline]
    pub fn at(&self, packet: usize) -> T {
        match self {
            Self::One(value) => *value,
            Self::Many(values) => values[packet],
        }
    }

    /// Writes the values of the first packets.
    #[inline]
    fn fill(&self, into: &mut [T]) {
        match self {
            Self::One(value) => into.fill(*value),
            Self::Many(values) => into.copy_from_slice(values),
        }
    }

    /// The values from one packet up to another.
    fn part(&self, from: usize, to: usize) -> Self {
        match self {
            Self::One(value) => Self::One(*value),
            Self::Many(values) => Self::Many(&values[from..to]),
        }
    }
}

/// First packets of connections that meet the rules of one node.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Where they come from.
    pub source: Column<'a, u32>,
    /// Where they go to.
    pub destination: Column<'a, u32>,
    /// The port there.
    pub port: Column<'a, u16>,
    /// The protocol of all of them.
    pub protocol: Protocol,
    /// The number of each connection.
    pub number: Numbers<'a>,
    /// The random numbers.
    pub dice: Dice,
}

/// Which random number each connection has.
#[derive(Clone, Copy, Debug)]
pub enum Numbers<'a> {
    /// One after the other, from here.
    From(u64),
    /// These, after a first.
    After(u64, &'a [u32]),
}

impl Numbers<'_> {
    /// The number of a packet.
    #[inline]
    pub fn at(&self, packet: usize) -> u64 {
        match self {
            Self::From(first) => first + packet as u64,
            Self::After(first, numbers) => first + u64::from(numbers[packet]),
        }
    }

    fn part(&self, from: usize, to: usize) -> Self {
        match self {
            Self::From(first) => Self::From(first + from as u64),
            Self::After(first, numbers) => Self::After(*first, &numbers[from..to]),
        }
    }
}

impl Request<'_> {
    /// The packets from one up to another.
    fn part(&self, from: usize, to: usize) -> Self {
        Self {
            source: self.source.part(from, to),
            destination: self.destination.part(from, to),
            port: self.port.part(from, to),
            number: self.number.part(from, to),
            ..*self
        }
    }

    /// One packet.
    #[inline]
    pub fn flow(&self, packet: usize) -> Flow {
        Flow {
            source: self.source.at(packet),
            destination: self.destination.at(packet),
            port: self.port.at(packet),
            protocol: self.protocol,
        }
    }
}

/// What became of packets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routed {
    /// The endpoint of each by number, or [`NO_ENDPOINT`].
    pub endpoints: Vec<u32>,
    /// What became of it: a verdict, and whether it was masqueraded.
    pub flags: Vec<u8>,
    /// Packets of connections whose endpoint no service has any more, and that endpoint.
    pub departed: Vec<(usize, super::affinity::End)>,
}

impl RouteTable {
    /// Sends so many packets, on several threads when `threads` allows it. The view gets the lists
    /// it lacks.
    pub fn route(&self, view: &mut View, request: &Request, count: usize, threads: bool) -> Routed {
        if let Column::One(source) = request.source
            && count * 16 > self.endpoint_count()
        {
            view.meet(self, source);
        }
        let mut routed = Routed {
            endpoints: vec![NO_ENDPOINT; count],
            flags: vec![0; count],
            departed: Vec::new(),
        };
        let shares = routed.endpoints.chunks_mut(SHARE).zip(routed.flags.chunks_mut(SHARE));
        let shares: Vec<_> = shares
            .enumerate()
            .map(|(at, (endpoints, flags))| {
                let from = at * SHARE;
                (request.part(from, from + endpoints.len()), endpoints, flags)
            })
            .collect();
        if !threads || count <= SHARE {
            for (request, endpoints, flags) in shares {
                let mut done = 0;
                while let Err((at, Missing(port))) =
                    self.route_part(view, &request, done, endpoints, flags)
                {
                    view.make(self, port);
                    done = at;
                }
            }
            return routed;
        }
        let mut waiting: Vec<_> = shares.into_iter().map(|share| (share, 0)).collect();
        while !waiting.is_empty() {
            let shared = &*view;
            let stopped: Vec<_> = waiting
                .into_par_iter()
                .filter_map(|((request, endpoints, flags), done)| {
                    let stop = self.route_part(shared, &request, done, endpoints, flags).err()?;
                    Some(((request, endpoints, flags), stop))
                })
                .collect();
            waiting = Vec::with_capacity(stopped.len());
            for (share, (at, Missing(port))) in stopped {
                view.make(self, port);
                waiting.push((share, at));
            }
        }
        routed
    }

    /// Sends the packets from `done` on; stops before the group that lacks a list.
    fn route_part(
        &self,
        view: &View,
        request: &Request,
        done: usize,
        endpoints: &mut [u32],
        flags: &mut [u8],
    ) -> Result<(), (usize, Missing)> {
        let client = match request.source {
            Column::One(source) => view.client(self, source),
            Column::Many(_) => None,
        };
        let client = client.filter(|client| !client.may_be_refused);
        for from in (done..endpoints.len()).step_by(GROUP) {
            let to = (from + GROUP).min(endpoints.len());
            let (endpoints, flags) = (&mut endpoints[from..to], &mut flags[from..to]);
            let part = request.part(from, to);
            let sent = self.route_group(view, &part, client, endpoints, flags);
            sent.map_err(|lacks| (from, lacks))?;
        }
        Ok(())
    }

    #[inline]
    fn route_group(
        &self,
        view: &View,
        request: &Request,
        client: Option<&Client>,
        endpoints: &mut [u32],
        flags: &mut [u8],
    ) -> Result<(), Missing> {
        let count = endpoints.len().min(GROUP);
        let (mut addresses, mut ports) = ([0; GROUP], [0; GROUP]);
        request.destination.fill(&mut addresses[..count]);
        request.port.fill(&mut ports[..count]);
        let mut keys = [0; GROUP];
        let mut cells = [Cell::default(); GROUP];
        for at in 0..count {
            keys[at] = key(addresses[at], ports[at], request.protocol);
            cells[at] = self.keys.near(self.keys.home(keys[at]), keys[at]);
        }
        let mut careful = false;
        for at in 0..count {
            if cells[at].key != keys[at] && !cells[at].target.is_none() {
                cells[at] = self.keys.find(keys[at]);
            }
            let Cell { start, count, target, key } = cells[at];
            careful |= count == 0 || key != keys[at];
            let random = request.dice.of(request.number.at(at));
            endpoints[at] = start.wrapping_add(place(random, count));
            let is_internal = target.portal == Portal::ClusterIp;
            flags[at] = if is_internal { 0 } else { MASQUERADED };
        }
        if let Some(client) = client.filter(|_| !careful) {
            for at in 0..count {
                let masquerades = client.masquerades || client.itself.contains(&endpoints[at]);
                flags[at] |= if masquerades { MASQUERADED } else { ENDPOINT };
            }
            return Ok(());
        }
        self.finish_group(view, request, &cells, &keys, endpoints, flags)
    }

    /// The rest of a group: who reaches itself, and packets that want to be looked at.
    fn finish_group(
        &self,
        view: &View,
        request: &Request,
        cells: &[Cell; GROUP],
        keys: &[u64; GROUP],
        endpoints: &mut [u32],
        flags: &mut [u8],
    ) -> Result<(), Missing> {
        let later = self.may_refuse_later();
        let is_plain = |at: usize| cells[at].count > 0 && cells[at].key == keys[at];
        let mut hots = [super::Hot::default(); GROUP];
        for at in 0..endpoints.len() {
            if is_plain(at) {
                hots[at] = self.arena.hot(endpoints[at]);
            }
        }
        for at in 0..endpoints.len() {
            let source = request.source.at(at);
            if !is_plain(at) || (later && self.may_be_refused(view, hots[at].address)) {
                (endpoints[at], flags[at]) = self.route_one(view, request, at)?;
            } else if hots[at].address == source
                || view.masquerades(view.is_pod(&self.addresses, source))
            {
                flags[at] |= MASQUERADED;
            }
        }
        Ok(())
    }

    /// Sends one packet, the careful way.
    pub(super) fn route_one(
        &self,
        view: &View,
        request: &Request,
        at: usize,
    ) -> Result<(u32, u8), Missing> {
        let flow = request.flow(at);
        Ok(match self.decide(view, flow)? {
            Way::Endpoints { port, .. } if self.entry(port).affinity_seconds > 0 => {
                (NO_ENDPOINT, STICKS)
            }
            Way::Endpoints { list, masquerade, .. } => {
                let random = request.dice.of(request.number.at(at));
                self.arrive(view, flow, list, place(random, list.len()), masquerade)?
            }
            Way::Pass | Way::Accept => (NO_ENDPOINT, PASS),
            Way::Drop => (NO_ENDPOINT, DROP),
            Way::Reject => (NO_ENDPOINT, REJECT),
        })
    }

    /// Sends a packet on to one of the endpoints it may go to.
    ///
    /// # Errors
    /// As for [`Self::decide`].
    pub fn arrive(
        &self,
        view: &View,
        flow: Flow,
        list: List,
        place: u32,
        masquerade: bool,
    ) -> Result<(u32, u8), Missing> {
        let endpoint = list.at(place);
        let hot = self.arena.hot(endpoint);
        let sent_on = Flow { destination: hot.address, port: hot.port, ..flow };
        let masquerade = masquerade || hot.address == flow.source;
        Ok(match self.after(view, sent_on)? {
            Some(Way::Drop) => (NO_ENDPOINT, DROP),
            Some(_) => (NO_ENDPOINT, REJECT),
            None => (endpoint, ENDPOINT | if masquerade { MASQUERADED } else { 0 }),
        })
    }
}
