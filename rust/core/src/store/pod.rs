//! What changes about a pod while it runs, in typed columns instead of a status document.
//!
//! ```text
//!             bind            sandbox, init            containers start       probes pass
//!   Pending ───────► Pending ───────────────► Pending ─────────────────► Running ──────► Ready
//!                    SCHEDULED                SANDBOX, INITIALIZED       RUNNING         READY
//!                                                                           │
//!                                                                           ▼ containers end
//!                                                                   Succeeded or Failed
//! ```
//!
//! [`super::pod_status`] renders the status document from these columns and reads one back. A
//! status that came from outside is kept as a document in the body until the engine changes
//! the pod; these columns follow it, so the engine never reads the document.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::object::Row;
use super::owners::PodClass;
use crate::base::{StrId, Text, Time};

/// `status.phase`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Phase {
    /// Accepted, not all containers started yet.
    #[default]
    Pending,
    /// Bound, and at least one container runs or restarts.
    Running,
    /// Every container ended with success and none restarts.
    Succeeded,
    /// Every container ended, at least one in failure, and none restarts.
    Failed,
    /// The node cannot be asked.
    Unknown,
}

impl Phase {
    /// Every phase, in the order of their numbers.
    pub const ALL: [Self; 5] =
        [Self::Pending, Self::Running, Self::Succeeded, Self::Failed, Self::Unknown];

    /// The API's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Running => "Running",
            Self::Succeeded => "Succeeded",
            Self::Failed => "Failed",
            Self::Unknown => "Unknown",
        }
    }

    /// The phase the API's word names.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }

    /// Whether the pod will never run again.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed)
    }
}

/// Condition `PodScheduled` is true.
pub const SCHEDULED: u16 = 1;
/// Condition `PodScheduled` is false, reason Unschedulable.
pub const UNSCHEDULABLE: u16 = 1 << 1;
/// The kubelet has accepted the pod and reports on it.
pub const ACCEPTED: u16 = 1 << 2;
/// Condition `PodReadyToStartContainers` is true.
pub const SANDBOX: u16 = 1 << 3;
/// Condition `Initialized` is true.
pub const INITIALIZED: u16 = 1 << 4;
/// Every container has started.
pub const RUNNING: u16 = 1 << 5;
/// Conditions `ContainersReady` and `Ready` are true.
pub const READY: u16 = 1 << 6;
/// The kubelet is stopping the containers; `finished_at` says when they are gone.
pub const STOPPING: u16 = 1 << 7;

/// The times of the pod's start are decided; they show once their bit is set.
pub const PLANNED: u16 = 1 << 8;
/// Condition `DisruptionTarget` is true: the scheduler deletes the pod to make room.
pub const PREEMPTED: u16 = 1 << 9;

/// The runtime state of a pod, 88 bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PodState {
    /// `spec.nodeName`.
    pub node: Option<StrId>,
    /// `status.nominatedNodeName`.
    pub nominated: Option<StrId>,
    /// The pod's IPv4 address, or its place among the addresses of its node
    /// ([`super::pod_address`]); 0 when there is none.
    pub ip: u32,
    /// `restartCount` of the container that restarted most.
    pub restarts: u32,
    /// The bits above.
    pub flags: u16,
    /// Exit code of the containers, once they ended.
    pub exit_code: i16,
    /// `status.phase`.
    pub phase: Phase,
    /// When `PodScheduled` last changed.
    pub scheduled_at: Time,
    /// `status.startTime`.
    pub accepted_at: Time,
    /// When the sandbox was ready and when it went.
    pub sandbox_at: Time,
    /// When `Initialized` became true.
    pub initialized_at: Time,
    /// When the containers started.
    pub running_at: Time,
    /// When `Ready` last changed.
    pub ready_at: Time,
    /// When the containers ended, or will end; 0 while nothing ends them.
    pub finished_at: Time,
    /// Why the pod is unschedulable; shared by all pods with the same message. A snapshot
    /// keeps it apart.
    #[serde(skip)]
    pub message: Option<Arc<Text>>,
}

impl PodState {
    /// Whether every bit of `flags` is set.
    pub fn has(&self, flags: u16) -> bool {
        self.flags & flags == flags
    }

    /// Whether the Ready condition is true.
    pub fn is_ready(&self) -> bool {
        self.has(READY)
    }

    /// Whether the kubelet is stopping the containers.
    pub fn stopping(&self) -> bool {
        self.has(STOPPING)
    }

    /// Notes that a kubelet has the pod: accepted, sandbox ready, initialised; what was so
    /// before keeps its time.
    pub fn accept(&mut self, now: Time) {
        for (flag, time) in [
            (ACCEPTED, &mut self.accepted_at),
            (SANDBOX, &mut self.sandbox_at),
            (INITIALIZED, &mut self.initialized_at),
        ] {
            if self.flags & flag == 0 {
                self.flags |= flag;
                *time = now;
            }
        }
    }

    /// How the pod counts for its controller.
    pub fn class(&self, row: &Row) -> PodClass {
        match self.phase {
            Phase::Succeeded => PodClass::Succeeded,
            Phase::Failed => PodClass::Failed,
            _ if row.deletion.is_some() => PodClass::Terminating,
            _ if self.is_ready() => PodClass::Ready,
            _ => PodClass::Active,
        }
    }

    /// Whether the pod takes room on its node: bound and not terminal.
    pub fn occupies_node(&self) -> bool {
        self.node.is_some() && !self.phase.is_terminal()
    }
}
