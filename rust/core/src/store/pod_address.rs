//! The addresses of pods and nodes, of both families.
//!
//! A pod keeps one number, its place: where the pod's node has IPv4 addresses for pods it is the
//! IPv4 address itself. The IPv6 address stands as far into the node's IPv6 block as the number
//! into the node's block of numbers, so that pods need no second column. In a cluster of IPv6
//! alone the numbers are nobody's addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::Store;
use super::object::Body;
use super::pod::PodState;
use crate::base::ip::{Family, parse_ip};
use crate::base::{StrId, Value};

/// One address, or one of each family, the one of the cluster's first family first.
pub type Addresses = SmallVec<[IpAddr; 2]>;

/// The pod addresses of one node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeBlock {
    /// The first number of the node's pods.
    pub base: u32,
    /// How many numbers there are.
    pub size: u32,
    /// The numbers are IPv4 addresses of pods.
    pub has_v4: bool,
    /// The first IPv6 address; 0 where pods have none.
    pub base_v6: u128,
    /// IPv6 addresses are listed first.
    pub v6_first: bool,
}

impl NodeBlock {
    /// The addresses of the pod with a number.
    pub fn addresses(&self, number: u32) -> Addresses {
        let mut all = Addresses::new();
        let offset = number.checked_sub(self.base).filter(|offset| *offset < self.size);
        if self.has_v4 || offset.is_none() {
            all.push(Ipv4Addr::from(number).into());
        }
        if let Some(offset) = offset.filter(|_| self.base_v6 != 0) {
            let address = Ipv6Addr::from(self.base_v6 + u128::from(offset));
            all.insert(if self.v6_first { 0 } else { all.len() }, address.into());
        }
        all
    }
}

impl Store {
    /// Notes where a node's pods have their addresses.
    pub fn set_node_block(&mut self, node: StrId, block: NodeBlock) {
        self.blocks.insert(node, block);
    }

    /// Where a node's pods have their addresses, if its kubelet ever said so.
    pub fn node_block(&self, node: StrId) -> Option<&NodeBlock> {
        self.blocks.get(&node)
    }

    /// The addresses of a pod that a kubelet gave it.
    pub fn own_addresses(&self, pod: &PodState) -> Addresses {
        if pod.ip == 0 {
            return Addresses::new();
        }
        let block = pod.node.and_then(|node| self.blocks.get(&node)).copied();
        block.unwrap_or_default().addresses(pod.ip)
    }

    /// The addresses of a pod, as `status.podIPs` lists them: its own, those a status from
    /// outside says, or its node's when it uses the node's network. Empty before it has any.
    pub fn pod_addresses(&self, pod: &PodState, body: &Body) -> Addresses {
        let listed = body.status.list_at(&["podIPs"]).iter();
        let mut said: Addresses =
            listed.filter_map(|item| parse_ip(item.str_at(&["ip"])?)).collect();
        if said.is_empty() {
            said.extend(body.status.str_at(&["podIP"]).and_then(parse_ip));
        }
        if !said.is_empty() {
            return said;
        }
        let own = self.own_addresses(pod);
        if !own.is_empty() || !self.shape(body).host_network {
            return own;
        }
        pod.node.map_or_else(Addresses::new, |node| self.node_addresses(self.strings.text(node)))
    }

    /// The address of a pod in a family; see [`Self::pod_addresses`].
    pub fn pod_address(&self, pod: &PodState, body: &Body, family: Family) -> Option<IpAddr> {
        self.pod_addresses(pod, body).into_iter().find(|address| Family::of(*address) == family)
    }

    /// The addresses of a node within the cluster: the first InternalIP, and the first one of
    /// the other family.
    pub fn node_addresses(&self, name: &str) -> Addresses {
        let mut found = Addresses::new();
        let body = self.find(self.kinds.node, None, name).and_then(|id| self.body(id));
        let Some(list) = body.and_then(|body| body.status.get("addresses")?.as_list()) else {
            return found;
        };
        for address in list.iter().filter(|one| one.str_at(&["type"]) == Some("InternalIP")) {
            let Some(address) = address.str_at(&["address"]).and_then(parse_ip) else { continue };
            if found.iter().all(|known| Family::of(*known) != Family::of(address)) {
                found.push(address);
            }
        }
        found
    }

    /// The first address of a node within the cluster.
    pub fn node_address(&self, name: &str) -> Option<crate::base::Text> {
        self.node_addresses(name).first().map(|address| address.to_string().into())
    }
}

/// `[{ip: ...}, ...]`, as statuses list addresses.
pub fn listed(addresses: &Addresses) -> Vec<Value> {
    let item = |address: &IpAddr| Value::map([("ip", Value::from(address.to_string()))]);
    addresses.iter().map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::NodeBlock;

    fn texts(block: NodeBlock, number: u32) -> Vec<String> {
        block.addresses(number).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn both_addresses_of_a_pod_are_as_far_into_their_blocks() {
        let base = u32::from_be_bytes([10, 0, 1, 0]);
        let base_v6 = 0xfd00_0010_0200_0001_u128 << 64;
        let four = NodeBlock { base, size: 256, has_v4: true, ..NodeBlock::default() };
        assert_eq!(texts(four, base + 5), ["10.0.1.5"]);
        let both = NodeBlock { base_v6, ..four };
        assert_eq!(texts(both, base + 5), ["10.0.1.5", "fd00:10:200:1::5"]);
        let turned = NodeBlock { v6_first: true, ..both };
        assert_eq!(texts(turned, base + 5), ["fd00:10:200:1::5", "10.0.1.5"]);
        let six = NodeBlock { has_v4: false, ..both };
        assert_eq!(texts(six, base + 5), ["fd00:10:200:1::5"]);
        assert_eq!(texts(both, 7), ["0.0.0.7"], "an address of another block is all there is");
    }
}
