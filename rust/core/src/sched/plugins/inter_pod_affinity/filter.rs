//! Required terms: those of the pod, and the anti-affinity of pods already on nodes.

use std::rc::Rc;

use super::relation::{Own, Tally};
use crate::sched::nodes::{NodeId, NodeView};
use crate::sched::plugins::members::Places;
use crate::sched::plugins::{Context, Filter, PluginId, PreFilter};
use crate::sched::pod_info::PodInfo;
use crate::sched::status::Rejection;

/// The required terms that concern a pod, with the pods they are about counted per domain.
#[derive(Clone)]
pub struct AffinityFilter<'a> {
    own: Rc<Own<'a>>,
    tally: Tally,
    /// Where it lets the pod go, if that is kept.
    allowed: Option<&'a Places>,
}

/// Prepares the filter, unless neither the pod nor any pod on a node demands anything.
pub fn pre_filter<'a>(context: &Context<'a>) -> PreFilter<'a> {
    if context.pod.affinity.is_none() && context.cache.affinity.is_empty() {
        return PreFilter::Skip;
    }
    let own = Own::new(context);
    let tally = match context.kept.affinity {
        Some(kept) => kept.tally.clone(),
        None => Tally::of(&own, context.cache),
    };
    let demands = !own.near_keys().is_empty() || !own.away_keys().is_empty();
    if tally.kept_away.is_empty() && !demands {
        return PreFilter::Skip;
    }
    let allowed = context.kept.affinity.and_then(|kept| kept.allowed.as_ref());
    let filter = AffinityFilter { own: Rc::new(own), tally, allowed };
    PreFilter::Ready { filter: Some(Filter::InterPodAffinity(Box::new(filter))), only: None }
}

impl AffinityFilter<'_> {
    /// Where it lets the pod go, if it knows.
    pub fn allowed(&self) -> Option<&[u64]> {
        self.allowed.map(Places::bits)
    }

    /// Judges a node.
    pub fn check(&self, node: NodeView) -> Result<(), Rejection> {
        let plugin = PluginId::INTER_POD_AFFINITY;
        match self.tally.objection(&self.own, node.id) {
            None => Ok(()),
            Some(0) => Err(Rejection::unresolvable(plugin, 0)),
            Some(reason) => Err(Rejection::unschedulable(plugin, reason)),
        }
    }

    /// Bits of the pod's own terms that a node does not satisfy: of affinity from the lowest on,
    /// of anti-affinity from bit 32 on.
    pub fn unmet(&self, node: NodeId) -> u64 {
        let (own, tally) = (&self.own, &self.tally);
        let near = own.near_keys().iter().map(|key| tally.near.of(own.topologies(), *key, node));
        let near = near.map(|pods| pods.is_none_or(|pods| pods <= 0));
        let near = near.map(|unmet| unmet && !tally.is_near(own, node));
        let away = own.away_keys().iter().map(|key| tally.away.of(own.topologies(), *key, node));
        let away = away.map(|pods| pods.is_some_and(|pods| pods > 0));
        let bits = |unmet: &mut dyn Iterator<Item = bool>| {
            unmet.take(32).enumerate().fold(0, |bits, (at, one)| bits | u64::from(one) << at)
        };
        bits(&mut { near }) | bits(&mut { away }) << 32
    }

    /// Follows a pod being put on a node, or taken off it.
    pub fn follow(&mut self, pod: &PodInfo, node: NodeView, sign: i64) {
        self.allowed = None;
        let demands = self.own.demands(pod);
        self.tally.add(&self.own, &demands, node.id, sign);
    }
}
