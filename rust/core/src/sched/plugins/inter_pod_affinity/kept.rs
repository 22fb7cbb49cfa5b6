//! What was counted for a pod's terms, kept from one cycle to the next.
//!
//! One [`Tally`] serves all pods of one namespace with the same labels and terms. It follows the
//! journal of the nodes: a pod that comes or goes changes the numbers of the domains it is in,
//! as its [`Relation`] says, which is found out once per content. Nothing here is state: a tally
//! can be dropped at any time and no decision changes.

use std::sync::Arc;

use super::relation::{Own, Relation, Tally};
use crate::base::FastMap;
use crate::sched::cache::Cache;
use crate::sched::journal::What;
use crate::sched::nodes::Nodes;
use crate::sched::plugins::members::{Edition, MemberLists, Places};
use crate::sched::plugins::{Context, shelf::Shelf};
use crate::sched::pod_info::{Content, PodInfo};
use crate::store::Store;

/// How many tallies there may be.
const TALLIES: usize = 4096;
/// About how many numbers are kept in all tallies together.
const NUMBERS: usize = 1 << 23;
/// How many contents a tally may remember that no pod has any more, about.
const CONTENTS: usize = 1 << 16;

/// The tally for pods of one sort.
#[derive(Debug)]
pub struct Kept {
    pod: Arc<PodInfo>,
    /// Up to where the journal of the nodes was read.
    read: u64,
    /// What pods of contents met so far have to do with the pod; nothing for strangers.
    known: FastMap<Content, Option<Arc<Relation>>>,
    /// What was counted.
    pub tally: Tally,
    /// Where demands let the pod go; nothing as long as nobody demands anything.
    pub allowed: Option<Places>,
    /// The nodes and domains of `allowed`.
    edition: Edition,
    /// Whether nobody was there that the pod wants to be near when `allowed` was found.
    was_alone: bool,
}

impl Kept {
    fn new(own: &Own, pod: &Arc<PodInfo>, cache: &Cache) -> Self {
        let (mut known, mut tally) = (FastMap::default(), Tally::default());
        for info in own.contents(cache) {
            let relation = own.relation(cache.infos.get(info));
            if !relation.is_none() {
                tally.add_all(own, &relation, info, cache);
                known.insert(cache.infos.content(info), Some(Arc::new(relation)));
            }
        }
        Self {
            pod: Arc::clone(pod),
            read: cache.nodes.journal.position(),
            known,
            tally,
            allowed: None,
            edition: Edition::default(),
            was_alone: true,
        }
    }

    /// Takes in what happened since; false when it must be counted anew.
    fn catch_up(&mut self, own: &Own, cache: &Cache) -> bool {
        let journal = &cache.nodes.journal;
        if self.known.len() > CONTENTS + cache.infos.len() {
            return false;
        }
        let Some(changes) = journal.since(self.read) else { return false };
        for change in changes {
            let What::Pods { content, all, .. } = change.what else { continue };
            if all != 0
                && let Some(relation) = self.relation(own, content, cache)
            {
                self.tally.add(own, &relation, change.node, i64::from(all));
            }
        }
        self.read = journal.position();
        true
    }

    /// Brings up to date where the pod may go.
    fn allow(&mut self, own: &Own, nodes: &Nodes, members: &mut MemberLists) {
        let mut turns = std::mem::take(&mut self.tally.turns);
        let demands = !own.near_keys().is_empty() || !own.away_keys().is_empty();
        let tally = &self.tally;
        if !demands && tally.kept_away.is_empty() {
            self.allowed = None;
            return;
        }
        let order = nodes.order();
        let may_go = |place: usize| tally.objection(own, order[place]).is_none();
        let holds = self.edition.holds(nodes) && self.was_alone == tally.near.is_empty();
        if let Some(allowed) = self.allowed.as_mut().filter(|_| holds) {
            for (key, domain) in &turns {
                for place in members.of(nodes, *key).of(domain.index()) {
                    allowed.set(*place as usize, may_go(*place as usize));
                }
            }
        } else {
            self.allowed = Some(Places::new(order.len(), may_go));
            self.edition = Edition::of(nodes);
            self.was_alone = tally.near.is_empty();
        }
        turns.clear();
        self.tally.turns = turns;
    }

    /// What pods of a content have to do with the pod. What is gone by now and was never
    /// counted comes to nothing.
    fn relation(&mut self, own: &Own, content: Content, cache: &Cache) -> Option<Arc<Relation>> {
        if let Some(known) = self.known.get(&content) {
            return known.clone();
        }
        let relation = own.relation(cache.infos.of(content)?);
        let relation = (!relation.is_none()).then(|| Arc::new(relation));
        self.known.insert(content, relation.clone());
        relation
    }

    /// Whether it serves a pod of its namespace and labels.
    fn serves(&self, pod: &Arc<PodInfo>) -> bool {
        Arc::ptr_eq(&self.pod, pod)
            || (self.pod.affinity == pod.affinity && self.pod.scheduler_name == pod.scheduler_name)
    }
}

/// The tallies in use; see the module header.
#[derive(Debug, Default)]
pub struct KeptTallies {
    kept: Shelf<Kept>,
    /// Up to where the log was read for changes of namespaces.
    namespaces: u64,
}

impl KeptTallies {
    /// The tally for the pod of a cycle, brought up to date; nothing when neither it nor any
    /// pod on a node has terms.
    pub fn of(
        &mut self,
        context: &Context,
        pod: &Arc<PodInfo>,
        members: &mut MemberLists,
    ) -> Option<&Kept> {
        let cache = context.cache;
        if pod.affinity.is_none() && cache.affinity.is_empty() {
            return None;
        }
        self.follow_namespaces(context.store);
        let own = Own::new(context);
        let at = if let Some(at) = self.kept.find(pod, |kept| kept.serves(pod)) {
            if !self.kept.at(at).catch_up(&own, cache) {
                *self.kept.at(at) = Kept::new(&own, pod, cache);
            }
            at
        } else {
            let kept = Kept::new(&own, pod, cache);
            let most = (NUMBERS / kept.tally.size().max(1)).clamp(16, TALLIES);
            self.kept.insert(pod, kept, most)
        };
        let kept = self.kept.at(at);
        kept.allow(&own, &cache.nodes, members);
        Some(kept)
    }

    /// Drops everything when a namespace came, went or changed: terms choose by their labels.
    fn follow_namespaces(&mut self, store: &Store) {
        let to = store.revision();
        let kind = store.kinds.namespace;
        let mut entries = (self.namespaces + 1..=to).map(|revision| store.log().get(revision));
        if !self.kept.is_empty() && entries.any(|entry| entry.is_none_or(|e| e.id().kind == kind)) {
            self.kept.clear();
        }
        self.namespaces = to;
    }
}
