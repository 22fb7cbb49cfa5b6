//! TaintToleration: pods keep off nodes whose taints they do not tolerate, and prefer nodes
//! with few taints they would rather avoid.

use std::cell::Cell;

use super::{Context, Filter, PluginId, Scorer};
use crate::sched::events::{Actions, Event, Interest, Resource, Subject};
use crate::sched::nodes::{NodeId, NodeView, Nodes};
use crate::sched::pod_info::PodInfo;
use crate::sched::status::Rejection;
use crate::sched::taints::{TaintSets, Toleration, admits, disliked};

/// The reason in words.
pub const REASON: &str = "node(s) had untolerated taint(s)";

/// Events after which a pod it rejected may fit.
pub const INTERESTS: &[Interest] = &[
    Interest { resource: Resource::Node, actions: Actions::ADD.or(Actions::UPDATE_NODE_TAINT) },
    Interest { resource: Resource::Pod, actions: Actions::UPDATE_POD_TOLERATION },
];

/// A pod's tolerations against the cluster's taint lists, each compared once.
#[derive(Clone)]
pub struct TaintFilter<'a> {
    tolerations: &'a [Toleration],
    taints: &'a TaintSets,
    admitted: Vec<Cell<Option<bool>>>,
}

/// The filter, unless no taint in the cluster repels anybody.
pub fn filter<'a>(context: &Context<'a>) -> Option<Filter<'a>> {
    let taints = &context.nodes.taints;
    taints.any_repels().then(|| {
        Filter::TaintToleration(TaintFilter {
            tolerations: &context.pod.tolerations,
            taints,
            admitted: vec![Cell::new(None); taints.len()],
        })
    })
}

impl TaintFilter<'_> {
    /// Judges a node.
    pub fn check(&self, node: NodeView) -> Result<(), Rejection> {
        if node.row.taints == 0 || self.admits(node.row.taints) {
            return Ok(());
        }
        Err(Rejection::unresolvable(PluginId::TAINT_TOLERATION, 0))
    }

    fn admits(&self, list: u32) -> bool {
        let known = &self.admitted[list as usize];
        known.get().unwrap_or_else(|| {
            let admitted = admits(self.taints.get(list), self.tolerations);
            known.set(Some(admitted));
            admitted
        })
    }
}

/// The scorer: how many taints of a node the pod would rather avoid, fewest best.
pub fn scorer<'a>(context: &Context<'a>) -> Scorer<'a> {
    if !context.nodes.taints.any_prefers() {
        return Scorer::Constant(super::MAX_SCORE);
    }
    Scorer::TaintToleration(&context.pod.tolerations)
}

/// The raw scores of some nodes.
pub fn score(tolerations: &[Toleration], nodes: &Nodes, ids: &[NodeId], scores: &mut Vec<i64>) {
    let mut known: Vec<Option<i64>> = vec![None; nodes.taints.len()];
    scores.extend(ids.iter().map(|id| {
        let list = nodes.row(*id).taints;
        *known[list as usize].get_or_insert_with(|| disliked(nodes.taints.get(list), tolerations))
    }));
}

/// Whether an event could let a pod in that it rejected.
pub fn hint(event: &Event, pod: &PodInfo) -> bool {
    match event.subject {
        Subject::Node { old, new: Some(new), .. } => {
            let admitted = |taints| admits(taints, &pod.tolerations);
            old.is_none_or(|old| !admitted(&old.taints)) && admitted(&new.taints)
        }
        Subject::Itself { .. } => true,
        _ => false,
    }
}
