//! NodeUnschedulable: cordoned nodes take no new pods, but for those that tolerate it.

use super::{Context, Filter, PluginId};
use crate::sched::events::{Actions, Event, Interest, Resource, Subject};
use crate::sched::nodes::NodeView;
use crate::sched::pod_info::PodInfo;
use crate::sched::status::Rejection;
use crate::sched::taints::{Taint, tolerated};

/// The reason in words.
pub const REASON: &str = "node(s) were unschedulable";

/// Events after which a pod it rejected may fit.
pub const INTERESTS: &[Interest] = &[
    Interest { resource: Resource::Node, actions: Actions::ADD.or(Actions::UPDATE_NODE_TAINT) },
    Interest { resource: Resource::Pod, actions: Actions::UPDATE_POD_TOLERATION },
];

/// The filter, unless it lets the pod go everywhere.
pub fn filter<'a>(context: &Context<'a>) -> Option<Filter<'a>> {
    let applies = context.nodes.unschedulable > 0 && !tolerates(context.pod);
    applies.then_some(Filter::NodeUnschedulable)
}

/// Judges a node for a pod that does not tolerate cordons.
pub fn check(node: NodeView) -> Result<(), Rejection> {
    if node.row.unschedulable {
        return Err(Rejection::unresolvable(PluginId::NODE_UNSCHEDULABLE, 0));
    }
    Ok(())
}

/// Whether an event could let a pod in that it rejected.
pub fn hint(event: &Event, pod: &PodInfo) -> bool {
    match event.subject {
        Subject::Node { old, new: Some(new), .. } => {
            old.is_none_or(|old| old.unschedulable) && !new.unschedulable
        }
        Subject::Itself { .. } => tolerates(pod),
        _ => false,
    }
}

fn tolerates(pod: &PodInfo) -> bool {
    tolerated(&Taint::unschedulable(), &pod.tolerations)
}
