//! Cluster events: what happened that could let a waiting pod in.
//!
//! Names and granularity are Kubernetes'. Each plugin says which events it cares about
//! ([`super::plugins::interests`]) and, for one event and one waiting pod it rejected, whether
//! the event could help ([`super::plugins::hint`]). Everything else about an event costs
//! nothing.

use std::ops::{BitOr, BitOrAssign};

use super::node_spec::NodeSpec;
use super::pod_info::PodInfo;
use crate::base::StrId;
use crate::store::object::Body;

/// What was done to an object, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Actions(u32);

impl Actions {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// It came into being.
    pub const ADD: Self = Self(1);
    /// It is gone.
    pub const DELETE: Self = Self(1 << 1);
    /// A node's allocatable changed.
    pub const UPDATE_NODE_ALLOCATABLE: Self = Self(1 << 2);
    /// A node's labels changed.
    pub const UPDATE_NODE_LABEL: Self = Self(1 << 3);
    /// A node's taints changed, or it became schedulable.
    pub const UPDATE_NODE_TAINT: Self = Self(1 << 4);
    /// A node's declared features changed.
    pub const UPDATE_NODE_DECLARED_FEATURE: Self = Self(1 << 5);
    /// A pod's labels changed.
    pub const UPDATE_POD_LABEL: Self = Self(1 << 6);
    /// A pod asks for less of something.
    pub const UPDATE_POD_SCALE_DOWN: Self = Self(1 << 7);
    /// A pod got another toleration.
    pub const UPDATE_POD_TOLERATION: Self = Self(1 << 8);
    /// A pod's last scheduling gate was removed.
    pub const UPDATE_POD_GATES_ELIMINATED: Self = Self(1 << 9);

    /// A pod asks for other GPUs, or has others; an event of our own.
    pub const UPDATE_POD_GPU: Self = Self(1 << 11);
    /// An object of a kind whose changes are not told apart changed.
    pub const UPDATE: Self = Self(1 << 10);

    /// Whatever it is.
    pub const ANY: Self = Self(u32::MAX);
    /// Any change to what was there before and still is.
    pub const ANY_UPDATE: Self = Self(!(Self::ADD.0 | Self::DELETE.0));

    /// Whether nothing is in it.
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// What is in either, for constants.
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether anything is in both.
    pub fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Actions {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        self.or(other)
    }
}

impl BitOrAssign for Actions {
    fn bitor_assign(&mut self, other: Self) {
        self.0 |= other.0;
    }
}

/// The kinds of objects events are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Pods, bound or waiting.
    Pod,
    /// Nodes.
    Node,
    /// PersistentVolumeClaims.
    Claim,
    /// PersistentVolumes.
    Volume,
    /// StorageClasses.
    Class,
    /// CSINodes.
    CsiNode,
    /// CSIDrivers.
    Driver,
    /// CSIStorageCapacities.
    Capacity,
    /// VolumeAttachments.
    Attachment,
}

/// A plugin's interest in what is done to one kind of object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest {
    /// The kind of object.
    pub resource: Resource,
    /// What must have been done to it.
    pub actions: Actions,
}

/// An event with the objects it is about. `old` is what was, `new` what is.
#[derive(Clone, Copy, Debug)]
pub struct Event<'a> {
    /// What was done.
    pub actions: Actions,
    /// To what.
    pub subject: Subject<'a>,
}

/// The object an event is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A node.
    Node {
        /// Its name.
        name: &'a str,
        /// As it was.
        old: Option<&'a NodeSpec>,
        /// As it is.
        new: Option<&'a NodeSpec>,
    },
    /// A pod on a node, or nominated to one.
    AssignedPod {
        /// As it was.
        old: Option<&'a PodInfo>,
        /// As it is.
        new: Option<&'a PodInfo>,
    },
    /// An object that has to do with volumes.
    Storage {
        /// Of which kind.
        resource: Resource,
        /// Its namespace.
        namespace: Option<StrId>,
        /// Its name.
        name: &'a str,
        /// As it was; nothing when it is new.
        old: Option<&'a Body>,
        /// As it is; nothing when it is gone.
        new: Option<&'a Body>,
    },
    /// The waiting pod itself.
    Itself {
        /// As it was.
        old: &'a PodInfo,
    },
}

impl Event<'_> {
    /// The kind of object it is about.
    pub fn resource(&self) -> Resource {
        match self.subject {
            Subject::Node { .. } => Resource::Node,
            Subject::Storage { resource, .. } => resource,
            Subject::AssignedPod { .. } | Subject::Itself { .. } => Resource::Pod,
        }
    }
}

/// What changed between two versions of a pod that may let it or another one in.
pub fn pod_changes(old: &PodInfo, new: &PodInfo) -> Actions {
    let noted = [
        (old.labels != new.labels, Actions::UPDATE_POD_LABEL),
        (scaled_down(old, new), Actions::UPDATE_POD_SCALE_DOWN),
        (old.tolerations.len() != new.tolerations.len(), Actions::UPDATE_POD_TOLERATION),
        (!old.gates.is_empty() && new.gates.is_empty(), Actions::UPDATE_POD_GATES_ELIMINATED),
        (old.gpu != new.gpu, Actions::UPDATE_POD_GPU),
    ];
    let changed = noted.into_iter().filter(|(changed, _)| *changed);
    changed.fold(Actions::NONE, |all, (_, action)| all | action)
}

/// Whether a pod asks for less of anything than before.
fn scaled_down(old: &PodInfo, new: &PodInfo) -> bool {
    let (old, new) = (&old.requests.occupied, &new.requests.occupied);
    old.iter().any(|(name, amount)| amount > new.get(name))
}
