//! What plugins elsewhere may read of nodes, as columns of whole numbers.

use crate::base::Text;
use crate::sched::nodes::{NodeView, Nodes, Rare};

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeColumn {
    /// Allocatable milli-CPU.
    AllocatableCpuMilli,
    /// Allocatable bytes of memory.
    AllocatableMemoryBytes,
    /// How many pods it may have.
    AllocatablePods,
    /// Milli-CPU its pods asked for.
    RequestedCpuMilli,
    /// Bytes of memory its pods asked for.
    RequestedMemoryBytes,
    /// How many pods it has.
    RequestedPods,
    /// One where `spec.unschedulable` is set.
    Unschedulable,
    /// What the node has of any resource.
    Allocatable(Text),
    /// What its pods asked for of any resource.
    Requested(Text),
}

impl NodeColumn {
    /// The column called `name`, with the resource it is about where the name leaves that open.
    pub fn find(name: &str, resource: &str) -> Option<Self> {
        Some(match (name, resource) {
            ("allocatable_cpu_milli", _) | ("allocatable", "cpu") => Self::AllocatableCpuMilli,
            ("allocatable_memory_bytes", _) | ("allocatable", "memory") => {
                Self::AllocatableMemoryBytes
            }
            ("allocatable_pods", _) | ("allocatable", "pods") => Self::AllocatablePods,
            ("requested_cpu_milli", _) | ("requested", "cpu") => Self::RequestedCpuMilli,
            ("requested_memory_bytes", _) | ("requested", "memory") => Self::RequestedMemoryBytes,
            ("requested_pods", _) | ("requested", "pods") => Self::RequestedPods,
            ("unschedulable", _) => Self::Unschedulable,
            ("allocatable", resource) => Self::Allocatable(resource.into()),
            ("requested", resource) => Self::Requested(resource.into()),
            _ => return None,
        })
    }

    /// What it says of a node.
    pub fn of(&self, node: NodeView, nodes: &Nodes) -> i64 {
        let row = node.row;
        let rare = |name: &Text| match name.as_str() {
            "ephemeral-storage" => Some(Rare::EphemeralStorage),
            name => nodes.resources.find(name).map(Rare::Named),
        };
        match self {
            Self::AllocatableCpuMilli => row.cpu_milli,
            Self::AllocatableMemoryBytes => row.memory_bytes,
            Self::AllocatablePods => i64::from(row.pods_allowed),
            Self::RequestedCpuMilli => row.used_cpu_milli,
            Self::RequestedMemoryBytes => row.used_memory_bytes,
            Self::RequestedPods => i64::from(row.pods),
            Self::Unschedulable => i64::from(row.unschedulable),
            Self::Allocatable(name) => {
                rare(name).map_or(0, |rare| node.info.amount(rare).allocatable)
            }
            Self::Requested(name) => rare(name).map_or(0, |rare| node.info.amount(rare).used),
        }
    }
}
