//! InterPodAffinity: pods near certain other pods, or away from them, as each side demands or
//! wishes.

pub mod counts;
pub mod filter;
pub mod kept;
pub mod relation;
pub mod score;

use crate::labels::{LabelSets, Labels};
use crate::sched::events::{Actions, Event, Interest, Resource, Subject};
use crate::sched::node_spec::NodeSpec;
use crate::sched::pod_affinity::{AffinityTerm, PodAffinity};
use crate::sched::pod_info::PodInfo;
use crate::store::Store;

/// The reason in words, by its number.
pub const REASONS: [&str; 3] = [
    "node(s) didn't match pod affinity rules",
    "node(s) didn't match pod anti-affinity rules",
    "node(s) didn't satisfy existing pods anti-affinity rules",
];

/// Events after which a pod it rejected may fit.
pub const INTERESTS: &[Interest] = &[
    Interest {
        resource: Resource::Pod,
        actions: Actions::ADD.or(Actions::UPDATE_POD_LABEL).or(Actions::DELETE),
    },
    Interest { resource: Resource::Node, actions: Actions::ADD.or(Actions::UPDATE_NODE_LABEL) },
];

/// `InterPodAffinityArgs`.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    /// `hardPodAffinityWeight`: what a required term of a pod already there weighs.
    pub hard_pod_affinity_weight: i64,
    /// `ignorePreferredTermsOfExistingPods`: leave out the wishes of pods already there when
    /// the pod has none itself.
    pub ignore_preferred_terms_of_existing_pods: bool,
}

impl Default for Args {
    fn default() -> Self {
        Self { hard_pod_affinity_weight: 1, ignore_preferred_terms_of_existing_pods: false }
    }
}

/// Whether an event could let a pod in that it rejected.
pub fn hint(event: &Event, pod: &PodInfo, store: &Store) -> bool {
    match event.subject {
        // Its labels changed: others may no longer keep away from it.
        Subject::Itself { .. } => true,
        Subject::Storage { .. } => false,
        Subject::AssignedPod { old, new } => pod_helps(old, new, pod, store),
        Subject::Node { old, new, .. } => {
            let Some(new) = new else { return false };
            pod.affinity.as_ref().is_some_and(|own| node_helps(old, new, own, &store.sets))
        }
    }
}

fn pod_helps(old: Option<&PodInfo>, new: Option<&PodInfo>, pod: &PodInfo, store: &Store) -> bool {
    let (wanted, hated) = (terms(pod, false), terms(pod, true));
    match (old, new) {
        (Some(old), Some(new)) => {
            (!all_about(wanted, old, store) && all_about(wanted, new, store))
                || (all_about(hated, old, store) && !all_about(hated, new, store))
        }
        (None, Some(new)) => all_about(wanted, new, store),
        (Some(old), None) => {
            all_about(hated, old, store) || all_about(terms(old, true), pod, store)
        }
        (None, None) => false,
    }
}

/// The required terms of affinity, or of anti-affinity.
fn terms(pod: &PodInfo, anti: bool) -> &[AffinityTerm] {
    match &pod.affinity {
        Some(own) if anti => &own.required_anti,
        Some(own) => &own.required,
        None => &[],
    }
}

/// Whether there are terms, all of them about a pod. Labels of namespaces are not looked at
/// here.
fn all_about(terms: &[AffinityTerm], pod: &PodInfo, store: &Store) -> bool {
    let about = |term: &AffinityTerm| term.is_about(pod, LabelSets::empty(), store);
    !terms.is_empty() && terms.iter().all(about)
}

/// Whether a node that came, or has other labels now, changes the topologies of the terms.
fn node_helps(old: Option<&NodeSpec>, new: &NodeSpec, own: &PodAffinity, sets: &LabelSets) -> bool {
    let value = |node: &NodeSpec, term: &AffinityTerm| {
        sets.get(node.labels).value_of(&term.key).map(ToOwned::to_owned)
    };
    let near = own.required.iter().any(|term| {
        let (before, now) = (old.and_then(|old| value(old, term)), value(new, term));
        now.is_some() && before != now
    });
    near || own.required_anti.iter().any(|term| {
        old.is_none_or(|old| {
            let before = value(old, term);
            before.is_some() && before != value(new, term)
        })
    })
}
