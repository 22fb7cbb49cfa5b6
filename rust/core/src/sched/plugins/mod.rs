//! The plugins of Kubernetes' scheduler and further ones, one file each, and how the cycle calls
//! them.
//!
//! A plugin here is a set of functions around a piece of per-cycle state. PreFilter and
//! PreScore look at the pod once and hand back a [`Filter`] or [`Scorer`] that holds what they
//! found; those are asked about nodes. Calls go through the two enums, never by name.
//!
//! ```text
//!   pre_filter(id) ─► Skip │ Reject │ Ready(Filter) ─► Filter::check(node)   per node
//!   pre_score(id)  ─► None │ Some(Scorer)           ─► Scorer::score(nodes)  all at once
//! ```
//!
//! A plugin of a user's own ([`user`]) takes a number after the built-in ones and brings its own
//! filter or scorer; the cycle does not know the difference.

pub mod copies;
pub mod default_preemption;
pub mod gpu_share;
pub mod image_locality;
pub mod inter_pod_affinity;
pub mod members;
pub mod node_affinity;
pub mod node_name;
pub mod node_ports;
pub mod node_resources_balanced_allocation;
pub mod node_resources_fit;
pub mod node_unschedulable;
pub mod node_volume_limits;
pub mod pod_topology_spread;
pub mod policies;
pub mod priority_sort;
pub mod registry;
pub mod resource_allocation;
pub mod scheduling_gates;
pub mod shelf;
pub mod taint_toleration;
pub mod user;
pub mod volume_binding;
pub mod volume_restrictions;
pub mod volume_zone;

use std::rc::Rc;
use std::sync::Arc;

pub use self::registry::{PluginId, Point};
use self::resource_allocation::Demands;
use super::cache::Cache;
use super::events::{Event, Interest};
use super::node_selector::Preferences;
use super::nodes::{NodeId, NodeView, Nodes};
use super::pod_info::{HostPort, PodInfo};
use super::status::{Reasons, Rejection};
use super::taints::Toleration;
use crate::base::Text;
use crate::labels::Selector;
use crate::store::Store;

/// The highest score a plugin may give after normalisation.
pub const MAX_SCORE: i64 = 100;

/// The arguments of every plugin that takes any.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args {
    /// `NodeAffinityArgs`.
    pub node_affinity: node_affinity::Args,
    /// `NodeResourcesFitArgs`.
    pub fit: node_resources_fit::Args,
    /// `NodeResourcesBalancedAllocationArgs`.
    pub balanced_allocation: node_resources_balanced_allocation::Args,
    /// `PodTopologySpreadArgs`.
    pub spread: pod_topology_spread::Args,
    /// `InterPodAffinityArgs`.
    pub pod_affinity: inter_pod_affinity::Args,
    /// `DefaultPreemptionArgs`.
    pub preemption: default_preemption::Args,
    /// `OpenGpuShareArgs`.
    pub gpu_share: gpu_share::Args,
    /// `FGDScoreArgs`.
    pub fragmentation: policies::fgd_score::Args,
}

/// What was counted in earlier cycles and is up to date. Where there is nothing, pods are
/// counted anew.
#[derive(Clone, Copy, Default)]
pub struct Kept<'a> {
    /// Pods counted for the pod's soft constraints, by keys of nodes.
    pub by_key: Option<&'a pod_topology_spread::kept::Kept>,
    /// Pods counted for its soft constraints, by domains.
    pub soft: Option<&'a pod_topology_spread::tallies::Tallies>,
    /// The same for its hard constraints.
    pub hard: Option<&'a pod_topology_spread::tallies::Tallies>,
    /// Pods counted for its terms and theirs.
    pub affinity: Option<&'a inter_pod_affinity::kept::Kept>,
    /// Volumes on nodes.
    pub volumes: Option<&'a node_volume_limits::kept::KeptVolumes>,
    /// What preemption would do on nodes.
    pub trials: Option<&'a default_preemption::kept::KeptTrials>,
}

/// What a plugin may look at while it prepares a cycle.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// Every object.
    pub store: &'a Store,
    /// Pods and nodes.
    pub cache: &'a Cache,
    /// The nodes.
    pub nodes: &'a Nodes,
    /// The arguments of the pod's profile.
    pub args: &'a Args,
    /// Whom the pod is spread among by default.
    pub default_selector: Option<&'a Arc<Selector>>,
    /// What was counted in earlier cycles.
    pub kept: Kept<'a>,
    /// What the policies for shared GPUs go by.
    pub turn: policies::Turn<'a>,
    /// The pod.
    pub pod: &'a PodInfo,
    /// The pod's row.
    pub slot: u32,
    /// What plugins of a user's own see, if the profile has any.
    pub own: Option<&'a user::asking::Own<'a>>,
}

impl Context<'_> {
    /// Whether a plugin scores each node by itself: its scorer is asked about one node at a
    /// time, and does not mind which others are feasible.
    pub fn scores_locally(&self, id: PluginId) -> bool {
        match id {
            PluginId::NODE_RESOURCES_FIT
            | PluginId::NODE_RESOURCES_BALANCED_ALLOCATION
            | PluginId::IMAGE_LOCALITY
            | PluginId::DYNAMIC_RESOURCES => true,
            PluginId::TAINT_TOLERATION => !self.nodes.taints.any_prefers(),
            _ => policies::is_local(id) || user::scores_locally(id, self),
        }
    }
}

/// What PreFilter came to.
pub enum PreFilter<'a> {
    /// The plugin has nothing to say about this pod: its filter is left out.
    Skip,
    /// The plugin's filter is prepared; none when it would pass every node.
    Ready {
        /// The filter.
        filter: Option<Filter<'a>>,
        /// The names of the only nodes that can pass, if the plugin knows.
        only: Option<Vec<Text>>,
    },
    /// No node is right, but one may be without some pods: the filter is there for finding out.
    Blocked(Text, Option<Filter<'a>>),
    /// No node can be right.
    Reject(Text),
}

/// A prepared filter, to be asked about one node at a time.
#[derive(Clone)]
pub enum Filter<'a> {
    /// See [`node_unschedulable`].
    NodeUnschedulable,
    /// See [`taint_toleration`].
    TaintToleration(taint_toleration::TaintFilter<'a>),
    /// See [`node_affinity`].
    NodeAffinity(Rc<node_affinity::AffinityFilter<'a>>),
    /// See [`node_ports`].
    NodePorts(&'a [HostPort]),
    /// See [`node_resources_fit`].
    Fit(node_resources_fit::FitFilter),
    /// See [`volume_restrictions`].
    VolumeRestrictions(volume_restrictions::RestrictionsFilter<'a>),
    /// See [`node_volume_limits`].
    NodeVolumeLimits(node_volume_limits::LimitsFilter<'a>),
    /// See [`volume_binding`].
    VolumeBinding(volume_binding::BindingFilter<'a>),
    /// See [`volume_zone`].
    VolumeZone(volume_zone::ZoneFilter<'a>),
    /// See [`pod_topology_spread`].
    PodTopologySpread(Box<pod_topology_spread::filter::SpreadFilter<'a>>),
    /// See [`inter_pod_affinity`].
    InterPodAffinity(Box<inter_pod_affinity::filter::AffinityFilter<'a>>),
    /// See [`gpu_share`].
    GpuShare(&'a gpu_share::request::GpuRequest),
    /// See [`user`].
    User(user::UserFilter<'a>),
}

impl Filter<'_> {
    /// Judges a node.
    #[inline]
    pub fn check(&self, node: NodeView) -> Result<(), Rejection> {
        match self {
            Self::NodeUnschedulable => node_unschedulable::check(node),
            Self::TaintToleration(filter) => filter.check(node),
            Self::NodeAffinity(filter) => filter.check(node),
            Self::NodePorts(wanted) => node_ports::check(wanted, node),
            Self::Fit(filter) => filter.check(node),
            Self::VolumeRestrictions(filter) => filter.check(node),
            Self::NodeVolumeLimits(filter) => filter.check(node),
            Self::VolumeBinding(filter) => filter.check(node),
            Self::VolumeZone(filter) => filter.check(node),
            Self::PodTopologySpread(filter) => filter.check(node),
            Self::InterPodAffinity(filter) => filter.check(node),
            Self::GpuShare(request) => gpu_share::filter::check(request, node),
            Self::User(filter) => filter.check(node),
        }
    }

    /// Whether it looks at the pod and at one node and nothing else.
    pub fn is_local(&self) -> bool {
        match self {
            Self::NodeUnschedulable
            | Self::TaintToleration(_)
            | Self::NodeAffinity(_)
            | Self::NodePorts(_)
            | Self::Fit(_)
            | Self::GpuShare(_) => true,
            Self::User(filter) => filter.is_local(),
            _ => false,
        }
    }

    /// Where it lets the pod go, a bit per node in the order they are looked at, if it knows that
    /// without being asked.
    pub fn allowed(&self) -> Option<&[u64]> {
        match self {
            Self::PodTopologySpread(filter) => filter.allowed(),
            Self::InterPodAffinity(filter) => filter.allowed(),
            _ => None,
        }
    }

    /// Follows a pod being put on a node.
    pub fn add_pod(&mut self, pod: &PodInfo, node: NodeView) {
        self.follow(pod, node, 1);
    }

    /// Follows a pod being taken off a node.
    pub fn remove_pod(&mut self, pod: &PodInfo, node: NodeView) {
        self.follow(pod, node, -1);
    }

    fn follow(&mut self, pod: &PodInfo, node: NodeView, sign: i64) {
        match self {
            Self::VolumeRestrictions(filter) => filter.follow(pod, sign),
            Self::NodeVolumeLimits(filter) => filter.follow(),
            Self::PodTopologySpread(filter) => filter.follow(pod, node, sign),
            Self::InterPodAffinity(filter) => filter.follow(pod, node, sign),
            _ => {}
        }
    }
}

/// A prepared score, to be asked about all feasible nodes at once.
pub enum Scorer<'a> {
    /// The same for every node.
    Constant(i64),
    /// See [`taint_toleration`].
    TaintToleration(&'a [Toleration]),
    /// See [`node_affinity`].
    NodeAffinity(Box<Preferences<'a>>),
    /// See [`node_resources_fit`].
    Fit(Demands, &'a node_resources_fit::Strategy),
    /// See [`node_resources_balanced_allocation`].
    BalancedAllocation(Demands),
    /// See [`pod_topology_spread`].
    PodTopologySpread(pod_topology_spread::score::SpreadScores),
    /// See [`inter_pod_affinity`].
    InterPodAffinity(inter_pod_affinity::score::AffinityScores),
    /// See [`image_locality`].
    ImageLocality(image_locality::Wanted),
    /// See [`policies`].
    Policy(policies::Policy<'a>),
    /// See [`user`].
    User(user::UserScorer<'a>),
}

impl Scorer<'_> {
    /// Appends the normalised score of each node.
    pub fn score(&self, nodes: &Nodes, ids: &[NodeId], scores: &mut Vec<i64>) {
        match self {
            Self::Constant(score) => scores.resize(scores.len() + ids.len(), *score),
            Self::TaintToleration(tolerations) => {
                taint_toleration::score(tolerations, nodes, ids, scores);
                normalize(scores, true);
            }
            Self::NodeAffinity(preferences) => {
                node_affinity::score(preferences, nodes, ids, scores);
                normalize(scores, false);
            }
            Self::PodTopologySpread(spread) => pod_topology_spread::score::score(spread, scores),
            Self::InterPodAffinity(affinity) => inter_pod_affinity::score::score(affinity, scores),
            Self::Policy(policy) => policy.score(nodes, ids, scores),
            Self::User(scorer) => scorer.score(nodes, ids, scores),
            Self::Fit(..) | Self::BalancedAllocation(_) | Self::ImageLocality(_) => {
                scores.extend(ids.iter().map(|id| self.score_one(nodes.view(*id))));
            }
        }
    }

    /// The score of one node, from a scorer that looks at nothing else.
    ///
    /// # Panics
    /// When it does.
    #[inline]
    pub fn score_one(&self, node: NodeView) -> i64 {
        match self {
            Self::Constant(score) => *score,
            Self::Fit(demands, strategy) => node_resources_fit::score(demands, strategy, node),
            Self::BalancedAllocation(demands) => {
                node_resources_balanced_allocation::score(demands, node)
            }
            Self::ImageLocality(wanted) => image_locality::score(wanted, node),
            Self::Policy(policy) => policy.score_one(node),
            Self::User(scorer) => scorer.score_one(node),
            Self::TaintToleration(_)
            | Self::NodeAffinity(_)
            | Self::PodTopologySpread(_)
            | Self::InterPodAffinity(_) => unreachable!("it compares nodes"),
        }
    }
}

/// Kubernetes' default normalisation: the highest becomes a hundred; reversed, the lowest does.
fn normalize(scores: &mut [i64], reverse: bool) {
    let highest = scores.iter().copied().max().unwrap_or(0);
    for score in scores {
        let scaled = if highest == 0 { 0 } else { MAX_SCORE * *score / highest };
        *score = if reverse { MAX_SCORE - scaled } else { scaled };
    }
}

/// Runs PreFilter of one plugin; plugins without one prepare their filter here too.
pub fn pre_filter<'a>(id: PluginId, context: &Context<'a>) -> PreFilter<'a> {
    let ready = |filter| PreFilter::Ready { filter, only: None };
    match id {
        PluginId::NODE_UNSCHEDULABLE => ready(node_unschedulable::filter(context)),
        PluginId::TAINT_TOLERATION => ready(taint_toleration::filter(context)),
        PluginId::NODE_AFFINITY => node_affinity::pre_filter(context),
        PluginId::NODE_PORTS => node_ports::pre_filter(context),
        PluginId::NODE_RESOURCES_FIT => ready(Some(node_resources_fit::filter(context))),
        PluginId::VOLUME_RESTRICTIONS => volume_restrictions::pre_filter(context),
        PluginId::NODE_VOLUME_LIMITS => node_volume_limits::pre_filter(context),
        PluginId::VOLUME_BINDING => volume_binding::pre_filter(context),
        PluginId::VOLUME_ZONE => volume_zone::pre_filter(context),
        PluginId::POD_TOPOLOGY_SPREAD => pod_topology_spread::filter::pre_filter(context),
        PluginId::INTER_POD_AFFINITY => inter_pod_affinity::filter::pre_filter(context),
        PluginId::OPEN_GPU_SHARE => gpu_share::filter::pre_filter(context),
        _ => user::pre_filter(id, context),
    }
}

/// Runs PreScore of one plugin: its scorer, or nothing when it skips this pod.
pub fn pre_score<'a>(
    id: PluginId,
    context: &Context<'a>,
    feasible: &[NodeId],
) -> Option<Scorer<'a>> {
    match id {
        PluginId::TAINT_TOLERATION => Some(taint_toleration::scorer(context)),
        PluginId::NODE_AFFINITY => node_affinity::scorer(context),
        PluginId::NODE_RESOURCES_FIT => Some(node_resources_fit::scorer(context)),
        PluginId::NODE_RESOURCES_BALANCED_ALLOCATION => {
            node_resources_balanced_allocation::scorer(context)
        }
        PluginId::POD_TOPOLOGY_SPREAD => pod_topology_spread::score::scorer(context, feasible),
        PluginId::INTER_POD_AFFINITY => inter_pod_affinity::score::scorer(context, feasible),
        PluginId::IMAGE_LOCALITY => Some(image_locality::scorer(context)),
        // Claims of devices are not modelled; without any, every node scores nothing.
        PluginId::DYNAMIC_RESOURCES => Some(Scorer::Constant(0)),
        _ if id.user_place().is_some() => user::scorer(id, context).map(Scorer::User),
        _ => policies::scorer(id, context, feasible),
    }
}

/// Whether a plugin is sure to give every node the same score for this pod, without looking at
/// nodes.
pub fn scores_alike(id: PluginId, context: &Context) -> bool {
    match id {
        PluginId::NODE_AFFINITY => node_affinity::scorer(context).is_none(),
        PluginId::POD_TOPOLOGY_SPREAD => {
            !pod_topology_spread::tallies::has_constraints(context, false)
        }
        PluginId::INTER_POD_AFFINITY => match context.kept.affinity {
            Some(kept) => kept.tally.wishes.is_empty(),
            None => context.pod.affinity.is_none() && context.cache.affinity.is_empty(),
        },
        PluginId::DYNAMIC_RESOURCES | PluginId::VOLUME_BINDING => true,
        _ => false,
    }
}

/// Whether the pod may enter the queue, as far as one PreEnqueue plugin goes.
pub fn pre_enqueue(id: PluginId, pod: &PodInfo) -> bool {
    match id {
        PluginId::SCHEDULING_GATES => scheduling_gates::admits(pod),
        _ => true,
    }
}

/// A built-in plugin's reasons in words; those of a user's own are told by
/// [`user::asking::Own::reasons`].
pub fn reasons(rejection: Rejection, pod: &PodInfo) -> Reasons {
    let one = |words: &str| Reasons::from_iter([Text::from(words)]);
    match rejection.plugin {
        PluginId::NODE_UNSCHEDULABLE => one(node_unschedulable::REASON),
        PluginId::NODE_NAME => one(node_name::REASON),
        PluginId::TAINT_TOLERATION => one(taint_toleration::REASON),
        PluginId::NODE_AFFINITY if rejection.reasons == node_affinity::ENFORCED => {
            one(node_affinity::REASON_ENFORCED)
        }
        PluginId::NODE_AFFINITY => one(node_affinity::REASON_POD),
        PluginId::NODE_PORTS => one(node_ports::REASON),
        PluginId::NODE_RESOURCES_FIT => node_resources_fit::reasons(rejection.reasons, pod),
        PluginId::VOLUME_RESTRICTIONS => {
            one(volume_restrictions::REASONS[rejection.reasons as usize])
        }
        PluginId::NODE_VOLUME_LIMITS => one(node_volume_limits::REASON),
        PluginId::VOLUME_BINDING => volume_binding::reasons(rejection.reasons),
        PluginId::VOLUME_ZONE => one(volume_zone::REASON),
        PluginId::POD_TOPOLOGY_SPREAD
            if rejection.reasons == pod_topology_spread::MISSING_LABEL =>
        {
            one(pod_topology_spread::REASON_LABEL)
        }
        PluginId::POD_TOPOLOGY_SPREAD => one(pod_topology_spread::REASON),
        PluginId::INTER_POD_AFFINITY => {
            one(inter_pod_affinity::REASONS[rejection.reasons as usize])
        }
        PluginId::DEFAULT_PREEMPTION => one(default_preemption::REASON_NO_VICTIMS),
        PluginId::OPEN_GPU_SHARE => one(&gpu_share::filter::reason(rejection.reasons, pod)),
        _ => Reasons::new(),
    }
}

/// Every built-in plugin.
pub fn built_in() -> impl Iterator<Item = PluginId> {
    (0..PluginId::BUILT_IN.len()).map(|number| PluginId(number as u8))
}

/// Whether an event is of a kind that may let in a pod a plugin rejected.
pub fn is_interested(id: PluginId, event: &Event) -> bool {
    let resource = event.resource();
    interests(id)
        .iter()
        .any(|interest| interest.resource == resource && interest.actions.intersects(event.actions))
}

/// The events that may let in a pod a plugin rejected.
pub fn interests(id: PluginId) -> &'static [Interest] {
    match id {
        PluginId::SCHEDULING_GATES => scheduling_gates::INTERESTS,
        PluginId::NODE_UNSCHEDULABLE => node_unschedulable::INTERESTS,
        PluginId::NODE_NAME => node_name::INTERESTS,
        PluginId::TAINT_TOLERATION => taint_toleration::INTERESTS,
        PluginId::NODE_AFFINITY => node_affinity::INTERESTS,
        PluginId::NODE_PORTS => node_ports::INTERESTS,
        PluginId::NODE_RESOURCES_FIT => node_resources_fit::INTERESTS,
        PluginId::VOLUME_RESTRICTIONS => volume_restrictions::INTERESTS,
        PluginId::NODE_VOLUME_LIMITS => node_volume_limits::INTERESTS,
        PluginId::VOLUME_BINDING => volume_binding::INTERESTS,
        PluginId::VOLUME_ZONE => volume_zone::INTERESTS,
        PluginId::POD_TOPOLOGY_SPREAD => pod_topology_spread::INTERESTS,
        PluginId::INTER_POD_AFFINITY => inter_pod_affinity::INTERESTS,
        PluginId::OPEN_GPU_SHARE => gpu_share::INTERESTS,
        _ => &[],
    }
}

/// Whether an event could let a pod in that a plugin rejected.
pub fn hint(id: PluginId, event: &Event, pod: &PodInfo, store: &Store, args: &Args) -> bool {
    let sets = &store.sets;
    match id {
        PluginId::SCHEDULING_GATES => scheduling_gates::hint(event),
        PluginId::NODE_UNSCHEDULABLE => node_unschedulable::hint(event, pod),
        PluginId::NODE_NAME => node_name::hint(event),
        PluginId::TAINT_TOLERATION => taint_toleration::hint(event, pod),
        PluginId::NODE_AFFINITY => node_affinity::hint(event, pod, sets, &args.node_affinity),
        PluginId::NODE_PORTS => node_ports::hint(event, pod),
        PluginId::NODE_RESOURCES_FIT => node_resources_fit::hint(event, pod),
        PluginId::VOLUME_RESTRICTIONS => volume_restrictions::hint(event, pod),
        PluginId::NODE_VOLUME_LIMITS => node_volume_limits::hint(event, pod),
        PluginId::VOLUME_BINDING => volume_binding::hint(event, pod),
        PluginId::VOLUME_ZONE => volume_zone::hint(event, pod, sets),
        PluginId::POD_TOPOLOGY_SPREAD => pod_topology_spread::hint(event, pod, sets, &args.spread),
        PluginId::INTER_POD_AFFINITY => inter_pod_affinity::hint(event, pod, store),
        PluginId::OPEN_GPU_SHARE => gpu_share::hint(event),
        _ => true,
    }
}
