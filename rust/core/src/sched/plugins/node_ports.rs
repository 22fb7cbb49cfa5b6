//! NodePorts: two pods cannot have the same port of one node.

use super::{Context, Filter, PluginId, PreFilter};
use crate::sched::events::{Actions, Event, Interest, Resource, Subject};
use crate::sched::nodes::NodeView;
use crate::sched::pod_info::{HostPort, PodInfo};
use crate::sched::status::Rejection;

/// The reason in words.
pub const REASON: &str = "node(s) didn't have free ports for the requested pod ports";

/// Events after which a pod it rejected may fit.
pub const INTERESTS: &[Interest] = &[
    Interest { resource: Resource::Pod, actions: Actions::DELETE },
    Interest { resource: Resource::Node, actions: Actions::ADD },
];

const EVERY_ADDRESS: &str = "0.0.0.0";

/// Prepares the filter.
pub fn pre_filter<'a>(context: &Context<'a>) -> PreFilter<'a> {
    if context.pod.host_ports.is_empty() {
        return PreFilter::Skip;
    }
    PreFilter::Ready { filter: Some(Filter::NodePorts(&context.pod.host_ports)), only: None }
}

/// Judges a node for a pod that wants these ports.
pub fn check(wanted: &[HostPort], node: NodeView) -> Result<(), Rejection> {
    if conflict(wanted, &node.info.host_ports) {
        return Err(Rejection::unschedulable(PluginId::NODE_PORTS, 0));
    }
    Ok(())
}

fn conflict(wanted: &[HostPort], used: &[HostPort]) -> bool {
    wanted.iter().any(|want| used.iter().any(|used| collide(want, used)))
}

/// Every address collides with each, an address with itself.
fn collide(a: &HostPort, b: &HostPort) -> bool {
    a.port == b.port
        && a.protocol == b.protocol
        && (a.ip == b.ip || a.ip == EVERY_ADDRESS || b.ip == EVERY_ADDRESS)
}

/// Whether an event could let a pod in that it rejected.
pub fn hint(event: &Event, pod: &PodInfo) -> bool {
    match event.subject {
        Subject::Node { .. } => true,
        Subject::AssignedPod { old: Some(gone), .. } => conflict(&pod.host_ports, &gone.host_ports),
        _ => false,
    }
}
