//! What a node's kube-proxy counts for those who ask whether it has endpoints of a Service.

use std::collections::BTreeSet;

use super::rules::Node;
use super::{Family, ServiceTable};

/// What kube-proxy serves at a Service's `healthCheckNodePort`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LocalHealth {
    /// The port it listens at.
    pub port: u16,
    /// Addresses of ready endpoints on the node; an address with several ports counts once.
    pub endpoints: usize,
}

/// What a node's kube-proxy says of a Service by slot; `None` when it listens for none, because
/// the Service has no `healthCheckNodePort` or nothing of this family.
pub fn local_health(
    table: &ServiceTable,
    family: Family,
    slot: u32,
    node: &Node,
) -> Option<LocalHealth> {
    let service = table.service(family, slot)?;
    let port = service.ports.iter().map(|port| port.service.health_check_node_port).max()?;
    if port == 0 {
        return None;
    }
    let local = service.ports.iter().flat_map(|port| &port.endpoints);
    let local = local.filter(|one| one.ready && one.node.is_some() && one.node == node.place.node);
    let addresses: BTreeSet<_> = local.map(|one| one.address).collect();
    Some(LocalHealth { port, endpoints: addresses.len() })
}
