//! Whose an address is.

use std::net::IpAddr;

use super::World;
use crate::api::KindId;
use crate::base::Value;
use crate::base::ip::parse_ip;
use crate::store::{Body, ObjectId};

impl World {
    /// The node or pod that has an address; a node before the pods that share its addresses.
    ///
    /// Looks at every node and pod: a question a person asks, not one for every packet.
    pub fn owner_of_address(&self, address: IpAddr) -> Option<ObjectId> {
        let kinds = &self.store.kinds;
        self.node_at(address).or_else(|| {
            let ipv4 = match address {
                IpAddr::V4(address) => u32::from(address),
                IpAddr::V6(_) => 0,
            };
            let rows = self.store.table(kinds.pod).iter();
            let mut pods = rows.filter(|(slot, row)| {
                let pod = self.store.pod(*slot);
                !pod.phase.is_terminal()
                    && ((ipv4 != 0 && pod.ip == ipv4)
                        || row.body.as_deref().is_some_and(|body| says(body, address)))
            });
            pods.next().map(|(slot, _)| self.id(kinds.pod, slot))
        })
    }

    fn node_at(&self, address: IpAddr) -> Option<ObjectId> {
        let node = self.store.kinds.node;
        let has = |entry: &Value| entry.str_at(&["address"]).and_then(parse_ip) == Some(address);
        let mut nodes = self.store.table(node).iter().filter(|(_, row)| {
            let addresses = row.body.as_ref().map(|body| body.status.list_at(&["addresses"]));
            addresses.unwrap_or_default().iter().any(has)
        });
        nodes.next().map(|(slot, _)| self.id(node, slot))
    }

    fn id(&self, kind: KindId, slot: u32) -> ObjectId {
        self.store.table(kind).id(kind, slot)
    }
}

/// Whether a status written from outside says a pod has an address.
fn says(pod: &Body, address: IpAddr) -> bool {
    let is_it = |text: Option<&str>| text.and_then(parse_ip) == Some(address);
    is_it(pod.status.str_at(&["podIP"]))
        || pod.status.list_at(&["podIPs"]).iter().any(|entry| is_it(entry.str_at(&["ip"])))
}
