//! SchedulingGates: a pod with gates does not enter the queue. The API server says so on the
//! pod; the scheduler only leaves it alone.

use crate::sched::events::{Actions, Event, Interest, Resource, Subject};
use crate::sched::pod_info::PodInfo;

/// Events after which a gated pod may enter.
pub const INTERESTS: &[Interest] =
    &[Interest { resource: Resource::Pod, actions: Actions::UPDATE_POD_GATES_ELIMINATED }];

/// Whether the pod may enter the queue.
pub fn admits(pod: &PodInfo) -> bool {
    pod.gates.is_empty()
}

/// Whether an event could let a pod in that it held back.
pub fn hint(event: &Event) -> bool {
    matches!(event.subject, Subject::Itself { .. })
}
