//! What copies of a pod mean to each other, plugin by plugin.
//!
//! When copies of one pod are placed one after the other, most plugins say of a node what they
//! said before the first: only the room on the node itself has changed. Where that holds for
//! all plugins, nodes can be filled without trying every copy ([`crate::sched::cycle::fill`]).

use super::{Context, PluginId};

/// Whether a plugin judges a node by the node, the pod and what else runs in the cluster, but
/// not by copies of the pod, other than by the room they take on that node.
///
/// A plugin that is not named here minds: trying every copy is slow and always right.
pub fn ignores_copies(id: PluginId, context: &Context) -> bool {
    let pod = context.pod;
    match id {
        PluginId::NODE_UNSCHEDULABLE
        | PluginId::NODE_NAME
        | PluginId::TAINT_TOLERATION
        | PluginId::NODE_AFFINITY
        | PluginId::NODE_RESOURCES_FIT
        | PluginId::NODE_DECLARED_FEATURES
        // Claims of devices are not modelled: it never says no.
        | PluginId::DYNAMIC_RESOURCES
        // Pods of the same priority are nobody's victims.
        | PluginId::DEFAULT_PREEMPTION => true,
        PluginId::NODE_PORTS => pod.host_ports.is_empty(),
        PluginId::VOLUME_RESTRICTIONS
        | PluginId::NODE_VOLUME_LIMITS
        | PluginId::VOLUME_BINDING
        | PluginId::VOLUME_ZONE => pod.volumes.is_empty(),
        PluginId::POD_TOPOLOGY_SPREAD => {
            let defaults = &context.args.spread.default_constraints;
            pod.spread.iter().chain(defaults).all(|constraint| !constraint.hard)
        }
        // What pods that were there before demand stays as it is.
        PluginId::INTER_POD_AFFINITY => {
            let own = pod.affinity.as_ref();
            own.is_none_or(|own| own.required.is_empty() && own.required_anti.is_empty())
        }
        _ => false,
    }
}
