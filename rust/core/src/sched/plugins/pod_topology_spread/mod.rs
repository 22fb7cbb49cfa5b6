//! PodTopologySpread: pods of one kind are spread evenly over the domains of a topology, as far
//! as a constraint demands or wishes.

pub mod count;
pub mod filter;
pub mod kept;
pub mod score;
pub mod tallies;

use std::cell::OnceCell;

use super::Context;
use crate::labels::Selector;
use crate::labels::{LabelSets, Labels};
use crate::sched::events::{Actions, Event, Interest, Resource, Subject};
use crate::sched::node_selector::Matcher;
use crate::sched::node_spec::NodeSpec;
use crate::sched::pod_info::PodInfo;
use crate::sched::spread_constraint::SpreadConstraint;
use crate::sched::taints::admits;
use crate::sched::topologies::HOSTNAME;

/// The reason in words.
pub const REASON: &str = "node(s) didn't match pod topology spread constraints";
/// The reason of a node without the topology's label.
pub const REASON_LABEL: &str =
    "node(s) didn't match pod topology spread constraints (missing required label)";
/// The reason bit of [`REASON_LABEL`].
pub const MISSING_LABEL: u64 = 1;

/// Events after which a pod it rejected may fit.
pub const INTERESTS: &[Interest] = &[
    Interest {
        resource: Resource::Pod,
        actions: Actions::ADD
            .or(Actions::UPDATE_POD_LABEL)
            .or(Actions::UPDATE_POD_TOLERATION)
            .or(Actions::DELETE),
    },
    Interest {
        resource: Resource::Node,
        actions: Actions::ADD
            .or(Actions::DELETE)
            .or(Actions::UPDATE_NODE_LABEL)
            .or(Actions::UPDATE_NODE_TAINT),
    },
];

/// `PodTopologySpreadArgs`.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// What pods without constraints of their own get.
    pub default_constraints: Vec<SpreadConstraint>,
    /// Whether those are Kubernetes' own (`defaultingType` System).
    pub system_defaulted: bool,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            default_constraints: vec![
                SpreadConstraint::soft(HOSTNAME, 3),
                SpreadConstraint::soft("topology.kubernetes.io/zone", 5),
            ],
            system_defaulted: true,
        }
    }
}

/// The constraints that hold for the pod of a cycle, hard or soft ones.
fn constraints(context: &Context, hard: bool) -> Vec<SpreadConstraint> {
    let labels = context.store.sets.get(context.pod.labels);
    let own = context.pod.spread.iter().filter(|constraint| constraint.hard == hard);
    if !context.pod.spread.is_empty() {
        return own.map(|own| own.with_selector(own.selector(&labels))).collect();
    }
    let Some(selector) = context.default_selector else { return Vec::new() };
    let defaults = context.args.spread.default_constraints.iter();
    let defaults = defaults.filter(|constraint| constraint.hard == hard);
    defaults.map(|constraint| constraint.with_selector(Selector::clone(selector))).collect()
}

/// Which nodes count for a constraint, by its inclusion policies.
struct Inclusion<'a> {
    sets: &'a LabelSets,
    pod: &'a PodInfo,
    /// What the pod's own affinity asks of nodes, once it was needed.
    affinity: OnceCell<Option<Matcher<'a>>>,
}

impl<'a> Inclusion<'a> {
    fn new(context: &Context<'a>) -> Self {
        Self { sets: &context.store.sets, pod: context.pod, affinity: OnceCell::new() }
    }

    fn affinity(&self) -> Option<&Matcher<'a>> {
        let matcher = || {
            let own = self.pod.node_affinity.as_ref().filter(|own| own.restricts());
            own.map(|own| Matcher::of_pod(self.sets, own))
        };
        self.affinity.get_or_init(matcher).as_ref()
    }

    fn includes(&self, constraint: &SpreadConstraint, node: &NodeSpec, name: &str) -> bool {
        let matches = || self.affinity().is_none_or(|own| own.matches(node.labels, name));
        (!constraint.honor_affinity || matches())
            && (!constraint.honor_taints || admits(&node.taints, &self.pod.tolerations))
    }
}

/// Whether an event could let a pod in that it rejected. Only its own constraints are known
/// here; a pod held up by hard default constraints is woken by anything.
pub fn hint(event: &Event, pod: &PodInfo, sets: &LabelSets, args: &Args) -> bool {
    if pod.spread.is_empty() {
        return args.default_constraints.iter().any(|constraint| constraint.hard);
    }
    let labels = sets.get(pod.labels);
    let hard = pod.spread.iter().filter(|constraint| constraint.hard);
    let hard: Vec<(&SpreadConstraint, Selector)> =
        hard.map(|constraint| (constraint, constraint.selector(&labels))).collect();
    match event.subject {
        Subject::Storage { .. } => false,
        Subject::Node { old, new, .. } => node_matters(&hard, old, new, sets),
        Subject::AssignedPod { old, new } => {
            let same_namespace = old.or(new).is_some_and(|other| other.namespace == pod.namespace);
            same_namespace && pod_matters(&hard, old, new, sets)
        }
        Subject::Itself { old } => {
            let honors_taints = hard.iter().any(|(constraint, _)| constraint.honor_taints);
            (honors_taints && old.tolerations != pod.tolerations)
                || pod_matters(&hard, Some(old), Some(pod), sets)
        }
    }
}

/// Whether a pod came, went, or changed sides for any constraint.
fn pod_matters(
    hard: &[(&SpreadConstraint, Selector)],
    old: Option<&PodInfo>,
    new: Option<&PodInfo>,
    sets: &LabelSets,
) -> bool {
    let selects = |selector: &Selector, pod: Option<&PodInfo>| {
        pod.is_some_and(|pod| selector.matches(&sets.get(pod.labels)))
    };
    hard.iter().any(|(_, selector)| selects(selector, old) != selects(selector, new))
}

/// Whether a node joined, left, or moved within the topologies of the constraints.
fn node_matters(
    hard: &[(&SpreadConstraint, Selector)],
    old: Option<&NodeSpec>,
    new: Option<&NodeSpec>,
    sets: &LabelSets,
) -> bool {
    let value =
        |node: &NodeSpec, key: &str| sets.get(node.labels).value_of(key).map(ToOwned::to_owned);
    let in_all = |node: &NodeSpec| hard.iter().all(|(c, _)| value(node, &c.key).is_some());
    match (old, new) {
        (Some(old), Some(new)) => {
            let moved = || hard.iter().any(|(c, _)| value(old, &c.key) != value(new, &c.key));
            in_all(old) != in_all(new) || (in_all(new) && (moved() || old.taints != new.taints))
        }
        (Some(node), None) | (None, Some(node)) => in_all(node),
        (None, None) => false,
    }
}
