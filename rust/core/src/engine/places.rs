//! Whose an address is.

use std::net::IpAddr;

use super::World;
use crate::api::KindId;
use crate::base::Value;
use crate::base::ip::parse_ip;
use crate::store::ObjectId;

impl World {
    /// The node or pod that has an address; a node before the pods that share its addresses.
    ///
    /// Looks at every node and pod: a question a person asks, not one for every packet.
    pub fn owner_of_address(&self, address: IpAddr) -> Option<ObjectId> {
        let kinds = &self.store.kinds;
        self.node_at(address).or_else(|| {
            let rows = self.store.table(kinds.pod).iter();
            let mut pods = rows.filter(|(slot, row)| {
                let pod = self.store.pod(*slot);
                let body = row.body.as_deref().expect("occupied");
                !pod.phase.is_terminal() && self.store.pod_addresses(pod, body).contains(&address)
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
