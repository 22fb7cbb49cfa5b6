//! Which nodes a pod's own rules leave, whatever room is on them: what a DaemonSet asks before
//! it creates pods.

use std::sync::Arc;

use super::Scheduler;
use super::cache::Place;
use super::plugins::policies::Turn;
use super::plugins::{self, Context, Filter, Kept, PluginId, PreFilter};
use super::queue::State;
use crate::base::Text;
use crate::store::{ObjectId, Store};

/// The plugins that ask about the node alone and not about what runs on it.
const PLACEMENT: [PluginId; 2] = [PluginId::TAINT_TOLERATION, PluginId::NODE_AFFINITY];

impl Scheduler {
    /// Whether a pod waits for its scheduling gates to be lifted.
    pub fn is_gated(&self, pod: ObjectId) -> bool {
        match self.cache.pod(pod.slot).place {
            Place::Queue(number) => matches!(self.queue.get(number).state, State::Gated(_)),
            _ => false,
        }
    }

    /// Names of the nodes that selector, required affinity and taints leave to the waiting pod
    /// at `slot`, in the order the scheduler visits them. Cordons do not count.
    pub fn eligible_nodes(&mut self, store: &Store, slot: u32) -> Vec<Text> {
        self.cache.nodes.take_snapshot();
        let pod = Arc::clone(self.cache.info(slot));
        let config = Arc::clone(&self.config);
        let profile = config.profile(&pod.scheduler_name).expect("only such pods are queued");
        let context = Context {
            store,
            cache: &self.cache,
            nodes: &self.cache.nodes,
            args: &profile.args,
            default_selector: None,
            kept: Kept::default(),
            turn: Turn::default(),
            pod: &pod,
            slot,
            own: None,
        };
        let mut filters: Vec<Filter> = Vec::new();
        let mut only: Option<Vec<Text>> = None;
        for plugin in PLACEMENT {
            match plugins::pre_filter(plugin, &context) {
                PreFilter::Skip => {}
                PreFilter::Ready { filter, only: names } => {
                    filters.extend(filter);
                    only = names.or(only);
                }
                PreFilter::Blocked(..) | PreFilter::Reject(_) => return Vec::new(),
            }
        }
        let nodes = &self.cache.nodes;
        let passes = |filter: &Filter, id| filter.check(nodes.view(id)).is_ok();
        nodes
            .order()
            .iter()
            .filter(|id| filters.iter().all(|filter| passes(filter, **id)))
            .map(|id| nodes.info(*id).name.clone())
            .filter(|name| only.as_ref().is_none_or(|names| names.contains(name)))
            .collect()
    }
}
