//! Nodes by the dozen: pools of equal machines with labels, zones and addresses.

use std::net::Ipv4Addr;

use serde::{Deserialize, Serialize};

use super::World;
use super::kubelets::post_ready;
use crate::api::{ApiError, ApiResult};
use crate::base::{Map, Text, Value};
use crate::node::network::block_size;
use crate::store::ObjectId;
use crate::store::create::WriteOptions;

/// The taint of a node that has not booted yet.
pub const NOT_READY: &str = "node.kubernetes.io/not-ready";

/// Where pod blocks of pool nodes come from: 10.0.0.0/8.
const POD_RANGE: (u32, u32) = (u32::from_be_bytes([10, 0, 0, 0]), 1 << 24);
/// Where addresses of pool nodes come from: 172.16.0.0/12.
const NODE_RANGE: (u32, u32) = (u32::from_be_bytes([172, 16, 0, 0]), 1 << 20);

/// What was handed out to pools so far.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Pools {
    pod_addresses: u32,
    node_addresses: u32,
}

/// A pool of equal nodes.
#[derive(Clone, Debug, Default)]
pub struct Pool {
    /// Names of the nodes, all free.
    pub names: Vec<Text>,
    /// `status.capacity` and, with what the system keeps taken off, `status.allocatable`.
    pub capacity: Map,
    /// `status.allocatable`; the capacity when empty.
    pub allocatable: Map,
    /// Labels of every node.
    pub labels: Map,
    /// `kubernetes.io/arch` of every node; `amd64` when empty.
    pub arch: Text,
    /// Taints of every node.
    pub taints: Vec<Value>,
    /// Zones, dealt to the nodes in turn.
    pub zones: Vec<Text>,
    /// The region of the zones.
    pub region: Text,
    /// Pods per node: what the pod block must hold.
    pub pods: i64,
}

impl World {
    /// Adds the nodes of a pool. They are Ready once they have booted.
    ///
    /// # Errors
    /// What creating one of them answers. A name that is taken is found before any is created.
    pub fn add_pool(&mut self, pool: &Pool) -> ApiResult<Vec<ObjectId>> {
        let kind = self.store.kinds.node;
        if let Some(taken) =
            pool.names.iter().find(|name| self.store.find(kind, None, name).is_some())
        {
            return Err(ApiError::already_exists(self.store.resource(kind), taken));
        }
        let boots = !self.latencies.node_boot.is_zero();
        let labels = pool.common_labels();
        let mut ids = Vec::with_capacity(pool.names.len());
        for (at, name) in pool.names.iter().enumerate() {
            let zone = (!pool.zones.is_empty()).then(|| &pool.zones[at % pool.zones.len()]);
            let node = self.pool_node(pool, &labels, name, zone, boots);
            ids.push(self.store.create(node, &WriteOptions::default())?.id);
        }
        Ok(ids)
    }

    fn pool_node(
        &mut self,
        pool: &Pool,
        labels: &Map,
        name: &Text,
        zone: Option<&Text>,
        boots: bool,
    ) -> Value {
        let mut labels = labels.clone();
        labels.insert("kubernetes.io/hostname", name.clone());
        if let Some(zone) = zone {
            labels.insert("topology.kubernetes.io/zone", zone.clone());
            labels.insert("failure-domain.beta.kubernetes.io/zone", zone.clone());
        }
        let mut taints = pool.taints.clone();
        if boots {
            taints.push(Value::map([
                ("key", Value::from(NOT_READY)),
                ("effect", "NoSchedule".into()),
            ]));
        }
        let mut spec = Map::new();
        if let Some(cidr) = self.pools.pod_block(pool.pods) {
            spec.insert("podCIDRs", vec![Value::from(cidr.as_str())]);
            spec.insert("podCIDR", cidr);
        }
        if !taints.is_empty() {
            spec.insert("taints", taints);
        }
        let mut addresses = vec![address("Hostname", name)];
        if let Some(ip) = self.pools.node_address() {
            addresses.insert(0, address("InternalIP", &ip));
        }
        let allocatable =
            if pool.allocatable.is_empty() { &pool.capacity } else { &pool.allocatable };
        let status = Value::map([
            ("capacity", Value::from(pool.capacity.clone())),
            ("allocatable", Value::from(allocatable.clone())),
            ("addresses", Value::from(addresses)),
            ("nodeInfo", node_info(pool.arch())),
        ]);
        let mut node = Value::map([
            ("apiVersion", Value::from("v1")),
            ("kind", "Node".into()),
            (
                "metadata",
                Value::map([("name", Value::from(name.clone())), ("labels", labels.into())]),
            ),
            ("spec", spec.into()),
            ("status", status),
        ]);
        if !boots {
            post_ready(&mut node, self.store.now);
        }
        node
    }
}

impl Pool {
    fn arch(&self) -> &str {
        if self.arch.is_empty() { "amd64" } else { &self.arch }
    }

    /// The labels every node has: those asked for, and what kubelets, the node lifecycle
    /// controller and cloud controllers add, their old names included.
    fn common_labels(&self) -> Map {
        let mut labels = Map::new();
        for (key, beta, value) in [
            ("kubernetes.io/os", "beta.kubernetes.io/os", "linux"),
            ("kubernetes.io/arch", "beta.kubernetes.io/arch", self.arch()),
            (
                "topology.kubernetes.io/region",
                "failure-domain.beta.kubernetes.io/region",
                self.region.as_str(),
            ),
        ] {
            if !value.is_empty() {
                labels.insert(key, value);
                labels.insert(beta, value);
            }
        }
        for (key, value) in self.labels.iter() {
            labels.insert(key, value.clone());
        }
        labels
    }
}

impl Pools {
    fn pod_block(&mut self, pods: i64) -> Option<String> {
        let size = block_size(pods);
        let start = self.pod_addresses.next_multiple_of(size);
        let (base, room) = POD_RANGE;
        (start + size <= room).then(|| {
            self.pod_addresses = start + size;
            format!("{}/{}", Ipv4Addr::from(base + start), 32 - size.ilog2())
        })
    }

    fn node_address(&mut self) -> Option<String> {
        let (base, room) = NODE_RANGE;
        // The first address is the network's, the second its gateway's.
        let offset = self.node_addresses + 2;
        (offset < room).then(|| {
            self.node_addresses += 1;
            Ipv4Addr::from(base + offset).to_string()
        })
    }
}

fn address(kind: &str, address: &str) -> Value {
    Value::map([("type", Value::from(kind)), ("address", address.into())])
}

fn node_info(arch: &str) -> Value {
    Value::map([
        ("kubeletVersion", Value::from("v1.36.3")),
        ("operatingSystem", "linux".into()),
        ("architecture", arch.into()),
        ("osImage", "wavetank".into()),
        ("kernelVersion", "".into()),
        ("containerRuntimeVersion", "containerd://2.1.0".into()),
        ("bootID", "".into()),
        ("kubeProxyVersion", "".into()),
        ("machineID", "".into()),
        ("systemUUID", "".into()),
    ])
}
