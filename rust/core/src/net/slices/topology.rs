//! How the CPUs of ready nodes are spread over zones, and what endpoints each zone should get.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::hints::Zones;
use crate::base::{Quantity, Text, Value};
use crate::labels::Labels;
use crate::net::endpoint::zone_of;
use crate::store::{Body, Store};

/// How much more than its share an endpoint may get.
const OVERLOAD: f64 = 0.2;

/// The share of each zone; none when that makes no sense: a node without a zone or CPUs, or all
/// nodes in one zone.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Topology {
    shares: Option<BTreeMap<Text, f64>>,
}

/// How many endpoints a zone should get.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Allocation {
    minimum: usize,
    /// No more than this.
    pub maximum: usize,
    /// The best number.
    pub desired: f64,
}

/// Whether a node is ready.
pub fn is_ready(node: &Body) -> bool {
    let conditions = node.status.list_at(&["conditions"]).iter();
    let mut ready = conditions.filter(|one| one.str_at(&["type"]) == Some("Ready"));
    ready.next().and_then(|one| one.str_at(&["status"])) == Some("True")
}

impl Topology {
    /// What the nodes say now.
    pub fn of(store: &Store) -> Self {
        let mut zones: BTreeMap<Text, i64> = BTreeMap::new();
        for (_, row) in store.table(store.kinds.node).iter() {
            let node = row.body.as_ref().expect("occupied");
            let labels = store.sets.get(node.labels);
            let roles = ["control-plane", "master"];
            let is_left_out = roles
                .iter()
                .any(|role| labels.value_of(&format!("node-role.kubernetes.io/{role}")).is_some());
            if is_left_out || !is_ready(node) {
                continue;
            }
            let cpu = cpu_milli(node);
            match zone_of(store, node) {
                Some(zone) if cpu > 0 => *zones.entry(zone).or_default() += cpu,
                _ => return Self::default(),
            }
        }
        let total: i64 = zones.values().sum();
        if total == 0 || zones.len() < 2 {
            return Self::default();
        }
        let share = |(zone, cpu): (Text, i64)| (zone, cpu as f64 / total as f64);
        Self { shares: Some(zones.into_iter().map(share).collect()) }
    }

    /// How many of so many endpoints each zone should get.
    ///
    /// # Errors
    /// Why none gets any.
    pub fn allocations(&self, endpoints: usize) -> Result<BTreeMap<Text, Allocation>, String> {
        let Some(shares) = &self.shares else {
            return Err("Insufficient Node information: allocatable CPU or zone not specified on \
                        one or more nodes"
                .to_owned());
        };
        let counted = format!("({endpoints} endpoints, {} zones)", shares.len());
        if shares.len() > endpoints {
            return Err(format!("Insufficient number of endpoints {counted}"));
        }
        let minimum = |share: f64| (share * endpoints as f64 * (1.0 / (1.0 + OVERLOAD))).ceil();
        let total: usize = shares.values().map(|share| minimum(*share) as usize).sum();
        let Some(spare) = endpoints.checked_sub(total) else {
            return Err(format!(
                "Unable to allocate minimum required endpoints to each zone without exceeding \
                 overload threshold {counted}"
            ));
        };
        let allocation = |(zone, share): (&Text, &f64)| {
            let (least, best) = (minimum(*share), share * endpoints as f64);
            let minimum = least as usize;
            let desired = best.max(least);
            (zone.clone(), Allocation { minimum, maximum: minimum + spare, desired })
        };
        Ok(shares.iter().map(allocation).collect())
    }

    /// Whether endpoints hinted like this overload some zone by now.
    pub fn overloads(&self, zones: &Zones) -> bool {
        if zones.is_empty() {
            return false;
        }
        let Some(shares) = &self.shares else { return true };
        let total: usize = zones.values().sum();
        shares.iter().any(|(zone, share)| {
            let least = (total as f64 * share * (1.0 / (1.0 + OVERLOAD))).ceil() as usize;
            zones.get(zone).is_none_or(|count| *count < least)
        })
    }
}

fn cpu_milli(node: &Body) -> i64 {
    let cpu = node.status.at(&["allocatable", "cpu"]);
    cpu.and_then(Value::as_str)
        .and_then(|text| Quantity::parse(text).ok())
        .map_or(0, Quantity::milli_value)
}
