//! Required terms: those of the pod, and the anti-affinity of pods already on nodes.

use std::rc::Rc;

use smallvec::SmallVec;

use super::counts::Counts;
use crate::labels::LabelSetId;
use crate::sched::cache::Cache;
use crate::sched::nodes::{NodeId, NodeView};
use crate::sched::plugins::{Context, Filter, PluginId, PreFilter};
use crate::sched::pod_affinity::{AffinityTerm, ResolvedTerm, namespace_labels};
use crate::sched::pod_info::PodInfo;
use crate::sched::status::Rejection;
use crate::sched::topologies::KeyId;
use crate::store::Store;

/// The required terms that concern a pod, with the pods they are about counted per domain.
#[derive(Clone)]
pub struct AffinityFilter<'a> {
    own: Rc<Own<'a>>,
    /// Pods that all terms of affinity are about.
    near: Counts<'a>,
    /// Pods that terms of anti-affinity are about.
    away: Counts<'a>,
    /// Terms of anti-affinity of pods on nodes that are about the pod.
    kept_away: Counts<'a>,
}

/// What does not change during a cycle.
struct Own<'a> {
    store: &'a Store,
    pod: &'a PodInfo,
    namespace_labels: LabelSetId,
    near: Vec<(KeyId, ResolvedTerm<'a>)>,
    away: Vec<(KeyId, ResolvedTerm<'a>)>,
}

/// What the pod's own terms have to do with another pod.
struct Concern {
    near: bool,
    away: SmallVec<[KeyId; 2]>,
}

/// Prepares the filter, unless neither the pod nor any pod on a node demands anything.
pub fn pre_filter<'a>(context: &Context<'a>) -> PreFilter<'a> {
    let (store, topologies) = (context.store, &context.nodes.topologies);
    let none = Counts::new(topologies);
    let (mut near, mut away) = (Vec::new(), Vec::new());
    if let Some(affinity) = &context.pod.affinity {
        let resolve = |term: &'a AffinityTerm| {
            let term = term.resolve(store);
            (none.key(term.key), term)
        };
        near.extend(affinity.required.iter().map(resolve));
        away.extend(affinity.required_anti.iter().map(resolve));
    }
    if near.is_empty() && away.is_empty() && context.cache.affinity.is_empty() {
        return PreFilter::Skip;
    }
    let namespace_labels = namespace_labels(context.pod, store);
    let own = Own { store, pod: context.pod, namespace_labels, near, away };
    let kept_away = own.count_kept_away(context.cache, none.clone());
    if kept_away.is_empty() && own.near.is_empty() && own.away.is_empty() {
        return PreFilter::Skip;
    }
    let mut filter =
        AffinityFilter { own: Rc::new(own), near: none.clone(), away: none, kept_away };
    filter.count_all(context);
    PreFilter::Ready { filter: Some(Filter::InterPodAffinity(Box::new(filter))), only: None }
}

impl<'a> Own<'a> {
    /// The terms of anti-affinity of a pod that are about ours, by their keys.
    fn kept_away_by(&self, other: &PodInfo, counts: &Counts) -> SmallVec<[KeyId; 2]> {
        let terms = other.affinity.iter().flat_map(|affinity| &affinity.required_anti);
        let about = terms.filter(|term| term.is_about(self.pod, self.namespace_labels, self.store));
        about.map(|term| counts.key(&term.key)).collect()
    }

    fn count_kept_away(&self, cache: &Cache, mut counts: Counts<'a>) -> Counts<'a> {
        for content in cache.affinity.contents() {
            let keys = self.kept_away_by(cache.infos.get(content), &counts);
            if keys.is_empty() {
                continue;
            }
            for slot in cache.affinity.slots(content) {
                let node = cache.pod(slot).place.node().expect("the pod is on a node");
                for key in &keys {
                    counts.add(*key, node, 1);
                }
            }
        }
        counts
    }

    fn concern(&self, other: &PodInfo) -> Concern {
        let near = self.all_near(other);
        let away = self.away.iter().filter(|(_, term)| term.is_about(other));
        Concern { near, away: away.map(|(key, _)| *key).collect() }
    }

    /// Whether there are terms of affinity, all of them about a pod.
    fn all_near(&self, other: &PodInfo) -> bool {
        !self.near.is_empty() && self.near.iter().all(|(_, term)| term.is_about(other))
    }
}

impl AffinityFilter<'_> {
    /// Counts the pods the pod's own terms are about.
    fn count_all(&mut self, context: &Context) {
        let own = Rc::clone(&self.own);
        if own.near.is_empty() && own.away.is_empty() {
            return;
        }
        let cache = context.cache;
        for content in cache.on_nodes.contents() {
            let concern = own.concern(cache.infos.get(content));
            if !concern.near && concern.away.is_empty() {
                continue;
            }
            for slot in cache.on_nodes.slots(content) {
                let node = cache.pod(slot).place.node().expect("the pod is on a node");
                self.count(&concern, node, 1);
            }
        }
    }

    fn count(&mut self, concern: &Concern, node: NodeId, sign: i64) {
        if concern.near {
            for (key, _) in &self.own.near {
                self.near.add(*key, node, sign);
            }
        }
        for key in &concern.away {
            self.away.add(*key, node, sign);
        }
    }

    /// Judges a node.
    pub fn check(&self, node: NodeView) -> Result<(), Rejection> {
        let plugin = PluginId::INTER_POD_AFFINITY;
        if !self.is_near(node.id) {
            return Err(Rejection::unresolvable(plugin, 0));
        }
        let of = |(key, _): &(KeyId, ResolvedTerm)| self.away.of(*key, node.id);
        if !self.away.is_empty() && self.own.away.iter().filter_map(of).any(|pods| pods > 0) {
            return Err(Rejection::unschedulable(plugin, 1));
        }
        if !self.kept_away.is_empty() && self.kept_away.all_of(node.id).any(|terms| terms > 0) {
            return Err(Rejection::unschedulable(plugin, 2));
        }
        Ok(())
    }

    /// Bits of the pod's own terms that a node does not satisfy: of affinity from the lowest on,
    /// of anti-affinity from bit 32 on.
    pub fn unmet(&self, node: NodeId) -> u64 {
        let near = self.own.near.iter().map(|(key, _)| self.near.of(*key, node));
        let near = near.map(|pods| pods.is_none_or(|pods| pods <= 0));
        let near = near.map(|unmet| unmet && !self.is_near(node));
        let away = self.own.away.iter().map(|(key, _)| self.away.of(*key, node));
        let away = away.map(|pods| pods.is_some_and(|pods| pods > 0));
        let bits = |unmet: &mut dyn Iterator<Item = bool>| {
            unmet.take(32).enumerate().fold(0, |bits, (at, one)| bits | u64::from(one) << at)
        };
        bits(&mut { near }) | bits(&mut { away }) << 32
    }

    /// Whether the terms of affinity hold on a node. The first of a group of pods that want to
    /// be together may go to any node that has the labels.
    fn is_near(&self, node: NodeId) -> bool {
        let mut all = true;
        for (key, _) in &self.own.near {
            match self.near.of(*key, node) {
                None => return false,
                Some(pods) => all &= pods > 0,
            }
        }
        all || (self.near.is_empty() && self.own.all_near(self.own.pod))
    }

    /// Follows a pod being put on a node, or taken off it.
    pub fn follow(&mut self, pod: &PodInfo, node: NodeView, sign: i64) {
        for key in self.own.kept_away_by(pod, &self.kept_away) {
            self.kept_away.add(key, node.id, sign);
        }
        let concern = self.own.concern(pod);
        self.count(&concern, node.id, sign);
    }
}
