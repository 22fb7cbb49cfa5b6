//! What two pods have to do with each other by their terms: one that is to be placed, and one
//! on a node.

use std::cell::OnceCell;

use smallvec::SmallVec;

use super::counts::Counts;
use crate::base::StrId;
use crate::labels::LabelSetId;
use crate::sched::cache::Cache;
use crate::sched::nodes::NodeId;
use crate::sched::plugins::Context;
use crate::sched::pod_affinity::{AffinityTerm, PodAffinity, ResolvedTerm, namespace_labels};
use crate::sched::pod_info::{InfoId, PodInfo};
use crate::sched::topologies::{KeyId, Topologies};
use crate::store::Store;

/// What a pod on a node adds to the counts for the pod that is to be placed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Relation {
    /// All of the pod's required terms of affinity are about the other.
    pub near: bool,
    /// Topologies of the pod's terms of anti-affinity that are about the other.
    pub away: SmallVec<[KeyId; 2]>,
    /// Topologies of the other's terms of anti-affinity that are about the pod.
    pub kept_away: SmallVec<[KeyId; 2]>,
    /// Topologies of preferred terms of either that are about the other one, with weights.
    pub wishes: SmallVec<[(KeyId, i64); 2]>,
}

impl Relation {
    /// Whether they have nothing to do with each other.
    pub fn is_none(&self) -> bool {
        !self.near && self.away.is_empty() && self.kept_away.is_empty() && self.wishes.is_empty()
    }
}

/// A pod that is to be placed, with its terms looked up when they are needed.
pub struct Own<'a> {
    store: &'a Store,
    pod: &'a PodInfo,
    topologies: &'a Topologies,
    /// What a required term of another pod weighs.
    hard_weight: i64,
    /// Whether wishes count.
    wishes: bool,
    near_keys: SmallVec<[KeyId; 2]>,
    away_keys: SmallVec<[KeyId; 2]>,
    namespace_labels: OnceCell<LabelSetId>,
    near: OnceCell<Vec<ResolvedTerm<'a>>>,
    away: OnceCell<Vec<ResolvedTerm<'a>>>,
    preferred: OnceCell<Vec<ResolvedTerm<'a>>>,
}

impl<'a> Own<'a> {
    /// The pod of a cycle.
    pub fn new(context: &Context<'a>) -> Self {
        let args = &context.args.pod_affinity;
        let pod = context.pod;
        let own = pod.affinity.as_deref();
        let prefers = own.is_some_and(|own| !own.preferred.is_empty());
        let topologies = &context.nodes.topologies;
        let key = |term: &AffinityTerm| topologies.find(&term.key).expect("keys in use are known");
        Self {
            near_keys: own.into_iter().flat_map(|own| &own.required).map(key).collect(),
            away_keys: own.into_iter().flat_map(|own| &own.required_anti).map(key).collect(),
            store: context.store,
            pod,
            topologies,
            hard_weight: args.hard_pod_affinity_weight,
            wishes: prefers || !args.ignore_preferred_terms_of_existing_pods,
            namespace_labels: OnceCell::new(),
            near: OnceCell::new(),
            away: OnceCell::new(),
            preferred: OnceCell::new(),
        }
    }

    /// The pod.
    pub fn pod(&self) -> &'a PodInfo {
        self.pod
    }

    /// The topologies of the nodes.
    pub fn topologies(&self) -> &'a Topologies {
        self.topologies
    }

    /// The topologies of the required terms of affinity.
    pub fn near_keys(&self) -> &[KeyId] {
        &self.near_keys
    }

    /// The topologies of the terms of anti-affinity.
    pub fn away_keys(&self) -> &[KeyId] {
        &self.away_keys
    }

    /// Whether the pod itself has terms.
    pub fn has_terms(&self) -> bool {
        self.pod.affinity.is_some()
    }

    /// What a pod on a node has to do with it.
    pub fn relation(&self, other: &PodInfo) -> Relation {
        let wishes = if self.wishes { self.wishes_about(other) } else { SmallVec::new() };
        Relation { wishes, ..self.demands(other) }
    }

    /// What a pod on a node demands of it, and it of that pod.
    pub fn demands(&self, other: &PodInfo) -> Relation {
        Relation {
            near: self.all_near(other),
            away: self.away_from(other),
            kept_away: self.kept_away_by(other),
            wishes: SmallVec::new(),
        }
    }

    /// The contents on nodes that can have anything to do with it, as far as that is clear
    /// without looking at them.
    pub fn contents(&self, cache: &Cache) -> Vec<InfoId> {
        let pods = if self.has_terms() { &cache.on_nodes } else { &cache.affinity };
        pods.contents().collect()
    }

    /// Whether there are required terms of affinity, all of them about a pod.
    pub fn all_near(&self, other: &PodInfo) -> bool {
        let terms = self.near.get_or_init(|| self.resolve(self.own(|own| &own.required)));
        !terms.is_empty() && terms.iter().all(|term| term.is_about(other))
    }

    fn away_from(&self, other: &PodInfo) -> SmallVec<[KeyId; 2]> {
        let terms = self.away.get_or_init(|| self.resolve(self.own(|own| &own.required_anti)));
        let about = terms.iter().filter(|term| term.is_about(other));
        about.map(|term| self.key_of(term.key)).collect()
    }

    fn kept_away_by(&self, other: &PodInfo) -> SmallVec<[KeyId; 2]> {
        let terms = other.affinity.iter().flat_map(|affinity| &affinity.required_anti);
        terms.filter(|term| self.is_meant(term)).map(|term| self.key(term)).collect()
    }

    fn wishes_about(&self, other: &PodInfo) -> SmallVec<[(KeyId, i64); 2]> {
        let mut wishes = SmallVec::new();
        if let Some(own) = &self.pod.affinity {
            let resolve =
                || own.preferred.iter().map(|(term, _)| term.resolve(self.store)).collect();
            let terms = self.preferred.get_or_init(resolve);
            let about = terms.iter().zip(&own.preferred).filter(|(term, _)| term.is_about(other));
            wishes.extend(about.map(|(_, (term, weight))| (self.key(term), *weight)));
        }
        if let Some(theirs) = &other.affinity {
            let hard = self.hard_weight;
            let required = theirs.required.iter().filter(|_| hard > 0).map(|term| (term, hard));
            let preferred = theirs.preferred.iter().map(|(term, weight)| (term, *weight));
            let about = required.chain(preferred).filter(|(term, _)| self.is_meant(term));
            wishes.extend(about.map(|(term, weight)| (self.key(term), weight)));
        }
        wishes
    }

    /// Whether a term of another pod is about this one.
    fn is_meant(&self, term: &AffinityTerm) -> bool {
        let labels = self.namespace_labels.get_or_init(|| namespace_labels(self.pod, self.store));
        term.is_about(self.pod, *labels, self.store)
    }

    fn own(&self, part: fn(&PodAffinity) -> &Vec<AffinityTerm>) -> &'a [AffinityTerm] {
        self.pod.affinity.as_deref().map_or(&[], |own| part(own))
    }

    fn resolve(&self, terms: &'a [AffinityTerm]) -> Vec<ResolvedTerm<'a>> {
        terms.iter().map(|term| term.resolve(self.store)).collect()
    }

    fn key(&self, term: &AffinityTerm) -> KeyId {
        self.key_of(&term.key)
    }

    fn key_of(&self, key: &str) -> KeyId {
        self.topologies.find(key).expect("keys in use are known")
    }
}

/// Everything that is counted for a pod, per domain.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Pods that all required terms of affinity are about.
    pub near: Counts,
    /// Pods that terms of anti-affinity are about.
    pub away: Counts,
    /// Terms of anti-affinity of pods on nodes that are about the pod.
    pub kept_away: Counts,
    /// Weights of preferred terms, on either side.
    pub wishes: Counts,
    /// How many of those met a node with their topology.
    pub granted: i64,
    /// Domains where a demand began or ceased to matter, for those who follow that.
    pub turns: Vec<(KeyId, StrId)>,
}

impl Tally {
    /// Counts pods on every node.
    pub fn of(own: &Own, cache: &Cache) -> Self {
        let mut tally = Self::default();
        for content in own.contents(cache) {
            let relation = own.relation(cache.infos.get(content));
            tally.add_all(own, &relation, content, cache);
        }
        tally
    }

    /// Counts all pods of a content.
    pub fn add_all(&mut self, own: &Own, relation: &Relation, content: InfoId, cache: &Cache) {
        if relation.is_none() {
            return;
        }
        for slot in cache.on_nodes.slots(content) {
            let node = cache.pod(slot).place.node().expect("the pod is on a node");
            self.add(own, relation, node, 1);
        }
    }

    /// Counts pods on a node, or, below zero, counts them no more.
    pub fn add(&mut self, own: &Own, relation: &Relation, node: NodeId, pods: i64) {
        let topologies = own.topologies();
        let near: &[KeyId] = if relation.near { own.near_keys() } else { &[] };
        let demands = [
            (&mut self.near, near),
            (&mut self.away, &relation.away),
            (&mut self.kept_away, &relation.kept_away),
        ];
        for (counts, keys) in demands {
            for key in keys {
                if let Some((domain, true)) = counts.add(topologies, *key, node, pods) {
                    self.turns.push((*key, domain));
                }
            }
        }
        for (key, weight) in &relation.wishes {
            if self.wishes.add(topologies, *key, node, weight * pods).is_some() {
                self.granted += pods;
            }
        }
    }

    /// Why a node is not for the pod: nobody it wants to be near (0), somebody it keeps away from
    /// (1), somebody who keeps away from it (2).
    #[inline]
    pub fn objection(&self, own: &Own, node: NodeId) -> Option<u64> {
        let topologies = own.topologies();
        if !own.near_keys().is_empty() && !self.is_near(own, node) {
            return Some(0);
        }
        let away = |key: &KeyId| self.away.of(topologies, *key, node).is_some_and(|pods| pods > 0);
        if !self.away.is_empty() && own.away_keys().iter().any(away) {
            return Some(1);
        }
        let kept_away = &self.kept_away;
        let any =
            !kept_away.is_empty() && kept_away.all_of(topologies, node).any(|terms| terms > 0);
        any.then_some(2)
    }

    /// Bits of the pod's own terms that a node does not satisfy: of affinity from the lowest on,
    /// of anti-affinity from bit 32 on.
    pub fn unmet(&self, own: &Own, node: NodeId) -> u64 {
        let topologies = own.topologies();
        let near = own.near_keys().iter().map(|key| self.near.of(topologies, *key, node));
        let near = near.map(|pods| pods.is_none_or(|pods| pods <= 0));
        let near = near.map(|unmet| unmet && !self.is_near(own, node));
        let away = own.away_keys().iter().map(|key| self.away.of(topologies, *key, node));
        let away = away.map(|pods| pods.is_some_and(|pods| pods > 0));
        let bits = |unmet: &mut dyn Iterator<Item = bool>| {
            unmet.take(32).enumerate().fold(0, |bits, (at, one)| bits | u64::from(one) << at)
        };
        bits(&mut { near }) | bits(&mut { away }) << 32
    }

    /// Whether the terms of affinity hold on a node. The first of a group of pods that want to
    /// be together may go to any node that has the labels.
    pub fn is_near(&self, own: &Own, node: NodeId) -> bool {
        let mut all = true;
        for key in own.near_keys() {
            match self.near.of(own.topologies(), *key, node) {
                None => return false,
                Some(pods) => all &= pods > 0,
            }
        }
        all || (self.near.is_empty() && own.all_near(own.pod()))
    }

    /// How many numbers it holds.
    pub fn size(&self) -> usize {
        [&self.near, &self.away, &self.kept_away, &self.wishes]
            .iter()
            .map(|counts| counts.size())
            .sum()
    }
}
