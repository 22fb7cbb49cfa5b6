//! Nodes by the dozen: pools of equal machines with labels, zones and addresses.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::World;
use super::kubelets::post_ready;
use crate::api::{ApiError, ApiResult};
use crate::base::ip::Cidr;
use crate::base::{Map, Text, Value};
use crate::node::network::block_size;
use crate::store::ObjectId;
use crate::store::create::WriteOptions;
use crate::store::ranges::{PodRange, Ranges};

/// The taint of a node that has not booted yet.
pub const NOT_READY: &str = "node.kubernetes.io/not-ready";

/// What was handed out to pools so far: addresses of each family, from the start of its range.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Pools {
    pods: [u128; 2],
    nodes: [u128; 2],
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
        let ranges = Arc::clone(&self.store.ranges);
        let blocks = self.pools.pod_blocks(&ranges, pool.pods);
        if let Some(first) = blocks.first() {
            spec.insert("podCIDR", first.clone());
            spec.insert("podCIDRs", blocks);
        }
        if !taints.is_empty() {
            spec.insert("taints", taints);
        }
        let addresses = self.pools.node_addresses(&ranges);
        let mut addresses: Vec<Value> =
            addresses.iter().map(|ip| address("InternalIP", ip)).collect();
        addresses.push(address("Hostname", name));
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
    /// A block of pod addresses in each family that has room for one. None holds an address a
    /// Service may get.
    fn pod_blocks(&mut self, ranges: &Ranges, pods: i64) -> Vec<Value> {
        let blocks = ranges.pods.iter().filter_map(|range| {
            let used = &mut self.pods[range.cidr.family() as usize];
            pod_block(*range, pods, &ranges.services, used)
        });
        blocks.map(Value::from).collect()
    }

    /// An address of a node in each family that has one left. The first address is the
    /// network's, the second its gateway's.
    fn node_addresses(&mut self, ranges: &Ranges) -> Vec<String> {
        let addresses = ranges.nodes.iter().filter_map(|range| {
            let used = &mut self.nodes[range.family() as usize];
            let (first, last) = range.bounds();
            let number = first + 2 + *used;
            (number < last).then(|| {
                *used += 1;
                range.family().address(number).to_string()
            })
        });
        addresses.collect()
    }
}

/// The next block of a range that is not used and none of the services' addresses.
fn pod_block(range: PodRange, pods: i64, services: &[Cidr], used: &mut u128) -> Option<String> {
    let family = range.cidr.family();
    let hosts = range
        .node_prefix_len
        .map_or_else(|| block_size(pods).ilog2(), |length| u32::from(family.bits() - length));
    let size = 1_u128.checked_shl(hosts)?;
    let (first, last) = range.cidr.bounds();
    let mut start = used.next_multiple_of(size);
    for services in services.iter().filter(|services| services.family() == family) {
        let (low, high) = services.bounds();
        if first + start <= high && low < first + start + size {
            start = (high + 1 - first).next_multiple_of(size);
        }
    }
    (first + start + (size - 1) <= last).then(|| {
        *used = start + size;
        format!("{}/{}", family.address(first + start), u32::from(family.bits()) - hosts)
    })
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
