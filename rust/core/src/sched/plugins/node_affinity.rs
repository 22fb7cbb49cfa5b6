//! NodeAffinity: `nodeSelector`, required and preferred node affinity, and the affinity a
//! profile adds to every pod.

use super::{Context, Filter, PluginId, PreFilter, Scorer};
use crate::base::Value;
use crate::labels::LabelSets;
use crate::sched::events::{Actions, Event, Interest, Resource, Subject};
use crate::sched::node_selector::{
    Matcher, Narrowing, NodeAffinity, NodeSelector, Preference, Preferences,
};
use crate::sched::node_spec::NodeSpec;
use crate::sched::nodes::{NodeId, NodeView, Nodes};
use crate::sched::pod_info::PodInfo;
use crate::sched::status::Rejection;

/// The reason for a pod's own affinity, in words.
pub const REASON_POD: &str = "node(s) didn't match Pod's node affinity/selector";
/// The reason for the profile's affinity, in words.
pub const REASON_ENFORCED: &str = "node(s) didn't match scheduler-enforced node affinity";
const REASON_CONFLICT: &str = "pod affinity terms conflict";

/// The reason bit of [`REASON_ENFORCED`].
pub const ENFORCED: u64 = 1;

/// Events after which a pod it rejected may fit.
pub const INTERESTS: &[Interest] =
    &[Interest { resource: Resource::Node, actions: Actions::ADD.or(Actions::UPDATE_NODE_LABEL) }];

/// `NodeAffinityArgs`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args {
    /// `addedAffinity.requiredDuringSchedulingIgnoredDuringExecution`.
    pub required: Option<NodeSelector>,
    /// `addedAffinity.preferredDuringSchedulingIgnoredDuringExecution`.
    pub preferred: Vec<Preference>,
}

impl Args {
    /// Reads `addedAffinity`, a NodeAffinity object.
    pub fn read(added: &Value) -> Self {
        let required = added.get("requiredDuringSchedulingIgnoredDuringExecution");
        let preferred = added.list_at(&["preferredDuringSchedulingIgnoredDuringExecution"]);
        Self {
            required: required.filter(|value| !value.is_null()).map(NodeSelector::read),
            preferred: Preference::read_list(preferred),
        }
    }
}

/// What nodes must match: the profile's affinity, then the pod's own.
pub struct AffinityFilter<'a> {
    enforced: Option<Matcher<'a>>,
    own: Option<Matcher<'a>>,
}

/// Prepares the filter and says which nodes alone can pass it, if the pod names them.
pub fn pre_filter<'a>(context: &Context<'a>) -> PreFilter<'a> {
    let (sets, args) = (&context.store.sets, &context.args.node_affinity);
    let own = context.pod.node_affinity.as_ref().filter(|affinity| affinity.restricts());
    if own.is_none() && args.required.is_none() {
        return PreFilter::Skip;
    }
    let narrowing = own.and_then(|own| own.required.as_ref()).map(NodeSelector::narrowing);
    let only = match narrowing {
        Some(Narrowing::Conflict) => {
            return PreFilter::Reject(REASON_CONFLICT.into());
        }
        Some(Narrowing::Names(names)) => Some(names.clone()),
        Some(Narrowing::None) | None => None,
    };
    let filter = AffinityFilter {
        enforced: args.required.as_ref().map(|s| Matcher::of_selector(sets, Some(s))),
        own: own.map(|own| Matcher::of_pod(sets, own)),
    };
    PreFilter::Ready { filter: Some(Filter::NodeAffinity(std::rc::Rc::new(filter))), only }
}

impl AffinityFilter<'_> {
    /// Judges a node.
    pub fn check(&self, node: NodeView) -> Result<(), Rejection> {
        let spec = node.info.spec.as_ref().expect("only nodes that exist are judged");
        let matches = |matcher: &Option<Matcher>| {
            matcher.as_ref().is_none_or(|matcher| matcher.matches(spec.labels, &node.info.name))
        };
        let reasons = match (matches(&self.enforced), matches(&self.own)) {
            (false, _) => ENFORCED,
            (true, false) => 0,
            (true, true) => return Ok(()),
        };
        Err(Rejection::unresolvable(PluginId::NODE_AFFINITY, reasons))
    }
}

/// The scorer, unless neither pod nor profile prefers anything.
pub fn scorer<'a>(context: &Context<'a>) -> Option<Scorer<'a>> {
    let own = context.pod.node_affinity.as_ref().and_then(|own| own.preferred.as_ref());
    let added = &context.args.node_affinity.preferred;
    if own.is_none() && added.is_empty() {
        return None;
    }
    let terms = added.iter().chain(own.into_iter().flatten());
    Some(Scorer::NodeAffinity(Box::new(Preferences::new(&context.store.sets, terms))))
}

/// The raw scores of some nodes: the weights of the terms they match.
pub fn score(preferences: &Preferences, nodes: &Nodes, ids: &[NodeId], scores: &mut Vec<i64>) {
    scores.extend(ids.iter().map(|id| {
        let info = nodes.info(*id);
        let spec = info.spec.as_ref().expect("only nodes that exist are scored");
        preferences.score(spec.labels, &info.name)
    }));
}

/// Whether an event could let a pod in that it rejected.
pub fn hint(event: &Event, pod: &PodInfo, sets: &LabelSets, args: &Args) -> bool {
    let Subject::Node { name, old, new: Some(new) } = event.subject else { return false };
    let enforced = Matcher::of_selector(sets, args.required.as_ref());
    let own = pod.node_affinity.as_ref();
    let matches_own = |spec: &NodeSpec| {
        own.is_none_or(|own: &NodeAffinity| Matcher::of_pod(sets, own).matches(spec.labels, name))
    };
    enforced.matches(new.labels, name)
        && matches_own(new)
        && old.is_none_or(|old| !matches_own(old))
}
