//! What the rules say of one packet, read off the table.
//!
//! The order is that of the rules: first the nat table, service by service, then the chains of
//! the filter table that lie on the packet's way.

use super::keys::{Portal, key};
use super::{PortEntry, RouteTable, View};
use crate::net::service_ports::Protocol;

/// The first packet of a connection, addresses as numbers.
#[derive(Clone, Copy, Debug)]
pub struct Flow {
    /// Where it comes from.
    pub source: u32,
    /// Where it goes to.
    pub destination: u32,
    /// The port there.
    pub port: u16,
    /// Its protocol.
    pub protocol: Protocol,
}

/// Where a packet may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way<'a> {
    /// To one of the endpoints of a service port.
    Endpoints {
        /// The service port.
        port: u32,
        /// Which endpoints.
        list: List<'a>,
        /// Whether it gets the node's address as source, whichever it is.
        masquerade: bool,
    },
    /// No service claims it: it goes where it is addressed to.
    Pass,
    /// It is accepted as it is.
    Accept,
    /// It is thrown away.
    Drop,
    /// It is thrown away, and its sender told.
    Reject,
}

/// A list of endpoints by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum List<'a> {
    /// So many, beginning with this.
    Run(u32, u32),
    /// These.
    Own(&'a [u32]),
}

impl List<'_> {
    /// How many there are.
    #[inline]
    pub fn len(self) -> u32 {
        match self {
            Self::Run(_, count) => count,
            Self::Own(numbers) => numbers.len() as u32,
        }
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// One of them.
    #[inline]
    pub fn at(self, place: u32) -> u32 {
        match self {
            Self::Run(start, _) => start + place,
            Self::Own(numbers) => numbers[place as usize],
        }
    }

    /// All of them, in order.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        (0..self.len()).map(move |place| self.at(place))
    }
}

/// A service port whose lists the view must be given first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing(pub u32);

impl RouteTable {
    /// Where a packet may go.
    ///
    /// # Errors
    /// The service port whose lists [`View::make`] is to make first.
    pub fn decide<'a>(&self, view: &'a View, flow: Flow) -> Result<Way<'a>, Missing> {
        let from_pod = view.is_pod(&self.addresses, flow.source);
        let is_own = view.is_own(&self.addresses, flow.source);
        let to_own = view.is_own(&self.addresses, flow.destination);
        let claimed = key(flow.destination, flow.port, flow.protocol);
        let node_port = key(0, flow.port, flow.protocol);
        let has_node_ports = view.has_node_ports(&self.addresses, flow.destination, to_own);
        let at_node = has_node_ports.then(|| self.targets(true, node_port)).into_iter().flatten();
        for (port, portal) in self.targets(false, claimed).chain(at_node) {
            let entry = self.entry(port);
            let list = if portal == Portal::ClusterIp {
                let list = Self::list(view, port, entry, entry.is_internal_local())?;
                (list, view.masquerades(from_pod))
            } else if portal == Portal::LoadBalancer && !self.admits(view, port, flow.source) {
                continue;
            } else {
                self.external(view, port, from_pod, is_own)?
            };
            if !list.0.is_empty() {
                return Ok(Way::Endpoints { port, list: list.0, masquerade: list.1 });
            }
        }
        self.filter(view, flow, is_own, to_own)
    }

    /// What the filter table says of a packet that goes to an endpoint: `None` when it passes.
    ///
    /// # Errors
    /// As for [`Self::decide`].
    pub fn after<'a>(&self, view: &'a View, flow: Flow) -> Result<Option<Way<'a>>, Missing> {
        if !self.may_refuse_later() || !self.may_be_refused(view, flow.destination) {
            return Ok(None);
        }
        let to_own = view.is_own(&self.addresses, flow.destination);
        let is_own = view.is_own(&self.addresses, flow.source);
        let way = self.filter(view, flow, is_own, to_own)?;
        Ok(matches!(way, Way::Drop | Way::Reject).then_some(way))
    }

    /// Whether a packet to any endpoint may be refused.
    #[inline]
    pub fn may_refuse_later(&self) -> bool {
        !self.refusing.is_empty() || self.has_rules_for_nodes()
    }

    /// Whether one to the endpoint at this address may be.
    #[inline]
    pub fn may_be_refused(&self, view: &View, address: u32) -> bool {
        self.refusing.may_be(address)
            || (self.has_rules_for_nodes() && view.is_own(&self.addresses, address))
    }

    /// Whether there are rules for any address of the node.
    #[inline]
    fn has_rules_for_nodes(&self) -> bool {
        self.refusing.at_node_ports > 0 || !self.health_checks.is_empty()
    }

    /// The endpoints of a service port for traffic that stays on the node, or for other.
    fn list(view: &View, port: u32, entry: PortEntry, local: bool) -> Result<List<'_>, Missing> {
        if entry.shared == 0 {
            return Ok(List::Run(0, 0));
        }
        if !entry.is_by_node() {
            return Ok(List::Run(entry.start(), entry.shared));
        }
        let lists = view.lists(port, entry.version).ok_or(Missing(port))?;
        Ok(List::Own(if local { &lists.local } else { &lists.cluster }))
    }

    /// The endpoints for traffic to an external address, and whether it is masqueraded.
    fn external<'a>(
        &self,
        view: &'a View,
        port: u32,
        from_pod: bool,
        is_own: bool,
    ) -> Result<(List<'a>, bool), Missing> {
        let entry = self.entry(port);
        let stays = entry.is_external_local() && !from_pod && !is_own;
        let list = Self::list(view, port, entry, stays)?;
        Ok((list, !entry.is_external_local() || (is_own && !from_pod)))
    }

    /// Whether a load balancer's source ranges let a packet in.
    fn admits(&self, view: &View, port: u32, source: u32) -> bool {
        if !self.entry(port).has_firewall() {
            return true;
        }
        let service = &self.source(port).1.service;
        let source = self.addresses.address(source);
        let primary = view.node.primary(self.family);
        // A node that has the load balancer's address sends from it to itself.
        let by_node = service.load_balancer_vips.contains(&source)
            && primary.is_some_and(|node| service.source_ranges.iter().any(|r| r.contains(node)));
        by_node || service.source_ranges.iter().any(|range| range.contains(source))
    }

    /// The filter table: chains in the order a packet meets them.
    fn filter<'a>(
        &self,
        view: &'a View,
        flow: Flow,
        is_own: bool,
        to_own: bool,
    ) -> Result<Way<'a>, Missing> {
        let claimed = key(flow.destination, flow.port, flow.protocol);
        if self
            .targets(false, claimed)
            .any(|(port, portal)| portal == Portal::LoadBalancer && self.entry(port).has_firewall())
        {
            return Ok(Way::Drop);
        }
        if is_own || !to_own {
            for (port, portal) in self.targets(false, claimed) {
                if portal == Portal::ClusterIp
                    && let Some(way) = self.refusal(view, port, portal)?
                {
                    return Ok(way);
                }
            }
        }
        if to_own && flow.protocol == Protocol::Tcp && self.health_checks.get(&flow.port).is_some()
        {
            return Ok(Way::Accept);
        }
        if is_own && !to_own {
            return Ok(Way::Pass);
        }
        let node_port = key(0, flow.port, flow.protocol);
        let at_node = to_own.then(|| self.targets(true, node_port)).into_iter().flatten();
        let mut first = None;
        for (port, portal) in self.targets(false, claimed).chain(at_node) {
            if portal != Portal::ClusterIp
                && let Some(way) = self.refusal(view, port, portal)?
                && first.is_none_or(|(known, _)| self.rank(port, portal) < known)
            {
                first = Some((self.rank(port, portal), way));
            }
        }
        Ok(first.map_or(Way::Pass, |(_, way)| way))
    }

    /// How a service port refuses packets to one of its addresses, if it does.
    fn refusal<'a>(
        &self,
        view: &'a View,
        port: u32,
        portal: Portal,
    ) -> Result<Option<Way<'a>>, Missing> {
        let entry = self.entry(port);
        if entry.shared == 0 {
            return Ok(Some(Way::Reject));
        }
        let local = match portal {
            Portal::ClusterIp => entry.is_internal_local(),
            _ => entry.is_external_local(),
        };
        let refuses = local && Self::list(view, port, entry, true)?.is_empty();
        Ok(refuses.then_some(Way::Drop))
    }
}
