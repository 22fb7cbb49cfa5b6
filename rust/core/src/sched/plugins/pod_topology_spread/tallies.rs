//! Pods counted per domain for each constraint of a pod, kept from one cycle to the next.
//!
//! ```text
//!   node ─► per constraint: the domain it counts in, if it counts, and its pods that count
//!   domain ─► nodes that count, pods on them
//! ```
//!
//! Pods that come and go change the numbers of one node and its domains; a node object that
//! changes is taken out and counted in again. Nothing here is state: a tally can be dropped at
//! any time and no decision changes.

use std::collections::BTreeMap;
use std::sync::Arc;

use smallvec::SmallVec;

use super::{Inclusion, constraints, kept};
use crate::base::FastMap;
use crate::labels::{LabelSets, Selector};
use crate::sched::cache::Cache;
use crate::sched::journal::What;
use crate::sched::nodes::{NodeId, Nodes};
use crate::sched::plugins::members::{Edition, MemberLists, Places};
use crate::sched::plugins::{Context, shelf::Shelf};
use crate::sched::pod_info::{Content, PodInfo};
use crate::sched::spread_constraint::SpreadConstraint;
use crate::sched::topologies::KeyId;

/// How many tallies there may be.
const TALLIES: usize = 4096;
/// About how many nodes and domains are kept in all tallies together.
const NUMBERS: usize = 1 << 22;
/// How many contents a tally may remember that no pod has any more, about.
const CONTENTS: usize = 1 << 16;
/// The domain of a node that does not count.
const NOWHERE: u32 = u32::MAX;

/// What one constraint counts on one node.
#[derive(Clone, Copy, Debug)]
struct Place {
    domain: u32,
    pods: u32,
}

/// One constraint with what was counted for it.
#[derive(Clone, Debug)]
pub struct Tally {
    /// The constraint.
    pub constraint: Arc<SpreadConstraint>,
    /// Which pods count.
    pub selector: Arc<Selector>,
    /// Its topology.
    pub topology: KeyId,
    /// Pods per domain; nothing for a domain in which no node counts.
    pub pods: Arc<Vec<Option<i64>>>,
    /// Nodes per domain that count.
    nodes: Vec<u32>,
    /// How many domains have so many pods.
    spread: BTreeMap<i64, u32>,
    /// How many domains there are.
    domains: i64,
    /// Whether the pod itself would be counted.
    pub counts_itself: i64,
    /// By domain whether one more pod there would not be too many.
    open: Vec<bool>,
    /// The fewest pods when that was found.
    least_then: i64,
    /// Domains whose numbers have changed since.
    changed: Vec<u32>,
}

/// What was counted for all hard, or all soft, constraints of a pod.
#[derive(Debug)]
pub struct Tallies {
    pod: Arc<PodInfo>,
    default_selector: Option<Arc<Selector>>,
    /// Whether only nodes in all of the topologies count.
    wants_all: bool,
    /// One per constraint.
    pub list: Vec<Tally>,
    /// Per node one place for each constraint.
    places: Vec<Place>,
    /// For which constraints pods of contents met so far count, as bits.
    known: FastMap<Content, u64>,
    read: u64,
    /// Where hard constraints let the pod go.
    pub allowed: Places,
    /// The nodes and domains of `allowed`.
    edition: Edition,
}

impl Tally {
    /// The fewest pods any domain has; nothing as long as there are too few domains.
    pub fn least(&self) -> i64 {
        let enough = self.domains >= self.constraint.min_domains;
        let least = self.spread.first_key_value().map_or(0, |(pods, _)| *pods);
        if enough { least } else { 0 }
    }

    /// Whether one more pod in a domain would not be too many.
    fn is_open(&self, domain: usize, least: i64) -> bool {
        let pods = self.pods.get(domain).copied().flatten().unwrap_or(0);
        pods + self.counts_itself - least <= self.constraint.max_skew
    }

    /// Finds out anew which domains are open; returns those that were not, or are no more.
    fn reopen(&mut self, domains: usize) -> Vec<u32> {
        let least = self.least();
        let mut turned = Vec::new();
        let mut changed = std::mem::take(&mut self.changed);
        let all = least != self.least_then || self.open.len() < domains;
        if all {
            self.open.resize(domains, false);
            changed.clear();
            changed.extend(0..domains as u32);
        }
        for domain in &changed {
            let (at, open) = (*domain as usize, self.is_open(*domain as usize, least));
            if self.open[at] != open {
                self.open[at] = open;
                turned.push(*domain);
            }
        }
        changed.clear();
        self.changed = changed;
        self.least_then = least;
        turned
    }

    /// Counts more or fewer nodes and pods in a domain.
    fn count(&mut self, domain: u32, nodes: i32, pods: i64) {
        let at = domain as usize;
        let column = Arc::make_mut(&mut self.pods);
        if at >= column.len() {
            column.resize(at + 1, None);
            self.nodes.resize(at + 1, 0);
        }
        let before = column[at];
        self.nodes[at] = self.nodes[at].wrapping_add_signed(nodes);
        column[at] = (self.nodes[at] > 0).then(|| before.unwrap_or(0) + pods);
        let now = column[at];
        if before == now {
            return;
        }
        self.changed.push(domain);
        if let Some(before) = before {
            let domains = self.spread.get_mut(&before).expect("the domain was counted");
            *domains -= 1;
            if *domains == 0 {
                self.spread.remove(&before);
            }
        }
        if let Some(now) = now {
            *self.spread.entry(now).or_default() += 1;
        }
        self.domains += i64::from(now.is_some()) - i64::from(before.is_some());
    }
}

impl Tallies {
    fn new(context: &Context, pod: &Arc<PodInfo>, hard: bool) -> Option<Self> {
        let sets = &context.store.sets;
        let labels = sets.get(pod.labels);
        let constraints = constraints(context, hard);
        if constraints.is_empty() || constraints.len() > 64 {
            return None;
        }
        let tally = |constraint: SpreadConstraint| Tally {
            selector: Arc::new(constraint.selector(&labels)),
            topology: context
                .nodes
                .topologies
                .find(&constraint.key)
                .expect("keys in use are known"),
            constraint: Arc::new(constraint),
            pods: Arc::default(),
            nodes: Vec::new(),
            spread: BTreeMap::new(),
            domains: 0,
            counts_itself: 0,
            open: Vec::new(),
            least_then: 0,
            changed: Vec::new(),
        };
        let mut tallies = Self {
            pod: Arc::clone(pod),
            default_selector: context.default_selector.cloned(),
            wants_all: hard || kept::wants_all(pod, &context.args.spread),
            list: constraints.into_iter().map(tally).collect(),
            places: Vec::new(),
            known: FastMap::default(),
            read: context.nodes.journal.position(),
            allowed: Places::default(),
            edition: Edition::default(),
        };
        for tally in &mut tallies.list {
            tally.counts_itself = i64::from(tally.selector.matches(&labels));
        }
        tallies.count_all(context);
        Some(tallies)
    }

    fn count_all(&mut self, context: &Context) {
        let (cache, sets) = (context.cache, &context.store.sets);
        self.resize(cache.nodes.numbers());
        let inclusion = Inclusion::new(context);
        for id in cache.nodes.order() {
            self.place(*id, context, &inclusion);
        }
        for info in cache.on_nodes.contents() {
            let content = cache.infos.content(info);
            let counts = self.counts(content, cache, sets);
            if counts == 0 {
                continue;
            }
            for slot in cache.on_nodes.slots(info) {
                let node = cache.pod(slot).place.node().expect("the pod is on a node");
                if !cache.is_terminating(slot, node) {
                    self.count(node, counts, 1);
                }
            }
        }
    }

    fn resize(&mut self, nodes: usize) {
        self.places.resize(nodes * self.list.len(), Place { domain: NOWHERE, pods: 0 });
    }

    /// Gives a node its places, without pods.
    fn place(&mut self, id: NodeId, context: &Context, inclusion: &Inclusion) {
        let nodes = context.nodes;
        let info = nodes.info(id);
        let Some(spec) = &info.spec else { return };
        let domain = |tally: &Tally| nodes.topologies.get(tally.topology).of(id);
        if self.wants_all && self.list.iter().any(|tally| domain(tally).is_none()) {
            return;
        }
        let at = id.index() * self.list.len();
        for (place, tally) in self.places[at..].iter_mut().zip(&mut self.list) {
            if let Some(domain) = domain(tally)
                && inclusion.includes(&tally.constraint, spec, &info.name)
            {
                place.domain = domain.index() as u32;
                tally.count(place.domain, 1, 0);
            }
        }
    }

    /// Takes a node out with its pods.
    fn take_out(&mut self, id: NodeId) {
        let at = id.index() * self.list.len();
        for (place, tally) in self.places[at..].iter_mut().zip(&mut self.list) {
            if place.domain != NOWHERE {
                tally.count(place.domain, -1, -i64::from(place.pods));
            }
            *place = Place { domain: NOWHERE, pods: 0 };
        }
    }

    /// Counts more or fewer pods on a node for some of the constraints.
    fn count(&mut self, id: NodeId, counts: u64, by: i8) {
        let at = id.index() * self.list.len();
        let places = self.places[at..].iter_mut().zip(&mut self.list).enumerate();
        for (number, (place, tally)) in places {
            if counts & 1 << number != 0 && place.domain != NOWHERE {
                place.pods = place.pods.wrapping_add_signed(i32::from(by));
                tally.count(place.domain, 0, i64::from(by));
            }
        }
    }

    /// Takes in what happened since; false when it must be counted anew.
    fn catch_up(&mut self, context: &Context) -> bool {
        let (cache, sets) = (context.cache, &context.store.sets);
        let journal = &cache.nodes.journal;
        if self.known.len() > CONTENTS + cache.infos.len() {
            return false;
        }
        let Some(changes) = journal.since(self.read) else { return false };
        self.resize(cache.nodes.numbers());
        let mut objects: Vec<NodeId> = Vec::new();
        for change in changes {
            if matches!(change.what, What::Object) && !objects.contains(&change.node) {
                objects.push(change.node);
            }
        }
        for change in changes {
            let What::Pods { content, staying, .. } = change.what else { continue };
            if staying != 0 && !objects.contains(&change.node) {
                let counts = self.counts(content, cache, sets);
                self.count(change.node, counts, staying);
            }
        }
        if !objects.is_empty() {
            let inclusion = Inclusion::new(context);
            for id in objects {
                self.take_out(id);
                self.place(id, context, &inclusion);
                for pod in cache.nodes.info(id).pods.iter().filter(|pod| !pod.terminating) {
                    let counts = self.counts(cache.infos.content(pod.info), cache, sets);
                    self.count(id, counts, 1);
                }
            }
        }
        self.read = journal.position();
        true
    }

    /// Brings up to date where the pod may go.
    fn allow(&mut self, nodes: &Nodes, members: &mut MemberLists) {
        let domains = |tally: &Tally| nodes.topologies.get(tally.topology).domains();
        let turned: SmallVec<[Vec<u32>; 2]> =
            self.list.iter_mut().map(|tally| tally.reopen(domains(tally))).collect();
        let order = nodes.order();
        let list = &self.list;
        let may_go = |place: usize| {
            list.iter().all(|tally| {
                let domain = nodes.topologies.get(tally.topology).of(order[place]);
                domain.is_some_and(|domain| tally.open[domain.index()])
            })
        };
        if !self.edition.holds(nodes) {
            self.allowed = Places::new(order.len(), may_go);
            self.edition = Edition::of(nodes);
            return;
        }
        for (tally, turned) in list.iter().zip(turned).filter(|(_, turned)| !turned.is_empty()) {
            let members = members.of(nodes, tally.topology);
            for place in turned.iter().flat_map(|domain| members.of(*domain as usize)) {
                self.allowed.set(*place as usize, may_go(*place as usize));
            }
        }
    }

    /// For which constraints pods of a content count. What is gone by now and was never counted
    /// comes to nothing.
    fn counts(&mut self, content: Content, cache: &Cache, sets: &LabelSets) -> u64 {
        if let Some(counts) = self.known.get(&content) {
            return *counts;
        }
        let Some(pod) = cache.infos.of(content) else { return 0 };
        let mut counts = 0;
        if pod.namespace == self.pod.namespace {
            let labels = sets.get(pod.labels);
            for (number, tally) in self.list.iter().enumerate() {
                // An empty selector counts nobody, though it would match everybody.
                let selector = &tally.selector;
                let mine = !selector.is_everything() && selector.matches(&labels);
                counts |= u64::from(mine) << number;
            }
        }
        self.known.insert(content, counts);
        counts
    }

    /// Whether it serves a pod of its namespace and labels.
    fn serves(&self, pod: &Arc<PodInfo>, context: &Context) -> bool {
        let own = &self.pod;
        self.default_selector.as_ref() == context.default_selector
            && (Arc::ptr_eq(own, pod)
                || (own.spread == pod.spread
                    && own.node_affinity == pod.node_affinity
                    && own.tolerations == pod.tolerations
                    && own.scheduler_name == pod.scheduler_name))
    }
}

/// The tallies in use for hard, or for soft, constraints.
#[derive(Debug, Default)]
pub struct KeptTallies(Shelf<Tallies>);

impl KeptTallies {
    /// The tallies for the hard or soft constraints of the pod of a cycle, brought up to date;
    /// nothing when it has none. One of these keeps one sort.
    pub fn of(
        &mut self,
        context: &Context,
        pod: &Arc<PodInfo>,
        hard: bool,
        members: &mut MemberLists,
    ) -> Option<&Tallies> {
        if !has_constraints(context, hard) {
            return None;
        }
        let at = if let Some(at) = self.0.find(pod, |tallies| tallies.serves(pod, context)) {
            if !self.0.at(at).catch_up(context) {
                *self.0.at(at) = Tallies::new(context, pod, hard)?;
            }
            at
        } else {
            let tallies = Tallies::new(context, pod, hard)?;
            let size = tallies.places.len().max(1);
            self.0.insert(pod, tallies, (NUMBERS / size).clamp(16, TALLIES))
        };
        let tallies = self.0.at(at);
        if hard {
            tallies.allow(context.nodes, members);
        } else {
            tallies.list.iter_mut().for_each(|tally| tally.changed.clear());
        }
        Some(tallies)
    }
}

/// Whether hard, or soft, constraints hold for the pod of a cycle.
pub fn has_constraints(context: &Context, hard: bool) -> bool {
    let own = &context.pod.spread;
    if !own.is_empty() {
        return own.iter().any(|constraint| constraint.hard == hard);
    }
    let mut defaults = context.args.spread.default_constraints.iter();
    context.default_selector.is_some() && defaults.any(|constraint| constraint.hard == hard)
}
