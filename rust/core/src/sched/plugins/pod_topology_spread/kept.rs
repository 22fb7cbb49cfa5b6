//! Pods counted for constraints, kept from one cycle to the next.
//!
//! What a node scores for soft constraints follows from the domains it lies in and from how many pods it has that
//! count. Both are in one number per node, its key; nodes of one key score the same.
//!
//! ```text
//!   key = which combination of domains (zone, rack, ...)  ·  pods on the node that count
//! ```
//!
//! Counts follow the journal of the nodes. They are kept for the plain case only: one selector
//! for all constraints, and every node counting. Nothing here is state: counts can be dropped
//! at any time and no decision changes.

use std::sync::{Arc, OnceLock};

use super::tallies::has_constraints;
use super::{Args, constraints};
use crate::base::FastMap;
use crate::base::float::go_log;
use crate::labels::{LabelSets, Selector};
use crate::sched::cache::Cache;
use crate::sched::journal::What;
use crate::sched::node_selector::NodeAffinity;
use crate::sched::nodes::{NodeId, Nodes};
use crate::sched::plugins::{Context, MAX_SCORE};
use crate::sched::pod_info::{Content, InfoId, PodInfo};
use crate::sched::spread_constraint::SpreadConstraint;
use crate::sched::topologies::KeyId;

/// How many keys there may be.
const KEYS: usize = 1 << 18;
/// About how many node keys are kept for all pods together.
const NODE_KEYS: usize = 1 << 23;
/// Bits of a key for the pods on the node, to begin with.
const FIRST_SHIFT: u32 = 3;

/// One constraint.
#[derive(Debug)]
struct Axis {
    constraint: SpreadConstraint,
    topology: KeyId,
    is_hostname: bool,
    /// How far apart two neighbouring domains are among the combinations.
    stride: usize,
    /// How many places there are: the domains, and one before them for a missing label. Of
    /// hostnames only whether there is one matters.
    places: usize,
    /// Pods per place that count.
    pods: Vec<i64>,
    /// Nodes per place.
    nodes: Vec<u32>,
}

/// The counts for pods of one content.
#[derive(Debug)]
pub struct Kept {
    pod: Arc<PodInfo>,
    default_selector: Option<Arc<Selector>>,
    selector: Selector,
    axes: Vec<Axis>,
    /// Whether contents met so far count.
    known: FastMap<Content, bool>,
    read: u64,
    shift: u32,
    combinations: usize,
    keys: Vec<u32>,
}

/// The scores by key, and the key of each feasible node.
#[derive(Clone, Debug, Default)]
pub struct ScoresByKey {
    keys: Vec<u32>,
    scores: Vec<i64>,
}

impl Kept {
    /// Counts for the pod of a cycle, if its soft constraints are plain enough.
    fn new(context: &Context, pod: &Arc<PodInfo>) -> Option<Self> {
        let constraints = constraints(context, false);
        let labels = context.store.sets.get(pod.labels);
        let selector = constraints.first()?.selector(&labels);
        let same = constraints.iter().all(|constraint| constraint.selector(&labels) == selector);
        if selector.is_everything() || !same {
            return None;
        }
        let mut kept = Self {
            pod: Arc::clone(pod),
            default_selector: context.default_selector.cloned(),
            selector,
            axes: Vec::new(),
            known: FastMap::default(),
            read: context.nodes.journal.position(),
            shift: FIRST_SHIFT,
            combinations: 1,
            keys: Vec::new(),
        };
        for constraint in constraints {
            kept.add_axis(constraint, context.nodes)?;
        }
        let wants_all = wants_all(pod, &context.args.spread);
        kept.place_nodes(context.nodes, wants_all)?;
        kept.count_all(context.cache, &context.store.sets)?;
        Some(kept)
    }

    fn add_axis(&mut self, constraint: SpreadConstraint, nodes: &Nodes) -> Option<()> {
        let topology = nodes.topologies.find(&constraint.key).expect("keys in use are known");
        let column = nodes.topologies.get(topology);
        let is_hostname = column.is_hostname();
        let places = if is_hostname { 2 } else { column.domains() + 1 };
        let stride = self.combinations;
        self.combinations = stride.checked_mul(places)?;
        let (pods, nodes) = (vec![0; places], vec![0; places]);
        self.axes.push(Axis { constraint, topology, is_hostname, stride, places, pods, nodes });
        (self.combinations << self.shift <= KEYS).then_some(())
    }

    /// Gives every node its key. Where nodes without all labels do not count at all, there must
    /// be none.
    fn place_nodes(&mut self, nodes: &Nodes, wants_all: bool) -> Option<()> {
        self.keys = vec![0; nodes.numbers()];
        for id in nodes.order() {
            let mut combination = 0;
            for axis in &mut self.axes {
                let domain = nodes.topologies.get(axis.topology).of(*id);
                if wants_all && domain.is_none() {
                    return None;
                }
                let place = match domain {
                    None => 0,
                    Some(_) if axis.is_hostname => 1,
                    Some(domain) => domain.index() + 1,
                };
                axis.nodes[place] += 1;
                combination += place * axis.stride;
            }
            self.keys[id.index()] = (combination << self.shift) as u32;
        }
        Some(())
    }

    fn count_all(&mut self, cache: &Cache, sets: &LabelSets) -> Option<()> {
        for info in self.contents(cache, sets) {
            self.known.insert(cache.infos.content(info), true);
            for slot in cache.on_nodes.slots(info) {
                let node = cache.pod(slot).place.node().expect("the pod is on a node");
                if !cache.is_terminating(slot, node) {
                    self.count(&cache.nodes, node, 1)?;
                }
            }
        }
        Some(())
    }

    /// The contents that count, of pods on nodes.
    fn contents(&self, cache: &Cache, sets: &LabelSets) -> Vec<InfoId> {
        let resolved = sets.resolve(&self.selector);
        let counts =
            |pod: &PodInfo| pod.namespace == self.pod.namespace && resolved.matches(pod.labels);
        cache.on_nodes.contents().filter(|info| counts(cache.infos.get(*info))).collect()
    }

    /// Counts more or fewer pods on a node.
    fn count(&mut self, nodes: &Nodes, node: NodeId, by: i32) -> Option<()> {
        if nodes.info(node).spec.is_none() {
            return Some(());
        }
        let key = self.keys[node.index()];
        let pods = (key & self.mask()).wrapping_add_signed(by);
        if by > 0 && pods > self.mask() {
            self.widen()?;
        }
        let key = &mut self.keys[node.index()];
        *key = key.wrapping_add_signed(by);
        let combination = (*key >> self.shift) as usize;
        for axis in &mut self.axes {
            axis.pods[combination / axis.stride % axis.places] += i64::from(by);
        }
        Some(())
    }

    /// Makes room in the keys for more pods on a node.
    fn widen(&mut self) -> Option<()> {
        let mask = self.mask();
        for key in &mut self.keys {
            *key = (*key & !mask) << 1 | *key & mask;
        }
        self.shift += 1;
        (self.combinations << self.shift <= KEYS).then_some(())
    }

    fn mask(&self) -> u32 {
        (1 << self.shift) - 1
    }

    /// Takes in what happened since; nothing when it must be counted anew.
    fn catch_up(&mut self, cache: &Cache, sets: &LabelSets) -> Option<()> {
        let journal = &cache.nodes.journal;
        // Until everything is taken in, nothing is.
        let changes = journal.since(std::mem::replace(&mut self.read, u64::MAX))?;
        self.keys.resize(cache.nodes.numbers(), 0);
        for change in changes {
            match change.what {
                // Where nodes lie is not followed.
                What::Object => return None,
                What::Room | What::Pods { staying: 0, .. } => {}
                What::Pods { content, staying, .. } => {
                    if self.counts(content, cache, sets) {
                        self.count(&cache.nodes, change.node, i32::from(staying))?;
                    }
                }
            }
        }
        self.read = journal.position();
        Some(())
    }

    /// Whether pods of a content count. What is gone by now and was never counted comes to
    /// nothing.
    fn counts(&mut self, content: Content, cache: &Cache, sets: &LabelSets) -> bool {
        if let Some(counts) = self.known.get(&content) {
            return *counts;
        }
        let Some(pod) = cache.infos.of(content) else { return false };
        let counts =
            pod.namespace == self.pod.namespace && self.selector.matches(&sets.get(pod.labels));
        self.known.insert(content, counts);
        counts
    }

    /// Scores the feasible nodes.
    pub fn score(&self, feasible: &[NodeId]) -> ScoresByKey {
        let keys: Vec<u32> = feasible.iter().map(|id| self.keys[id.index()]).collect();
        let mut scores = vec![-1; self.combinations << self.shift];
        let mut distinct: Vec<u32> = Vec::new();
        for key in &keys {
            let place = &mut scores[*key as usize];
            if *place < 0 {
                *place = 0;
                distinct.push(*key);
            }
        }
        let weights: Vec<f64> =
            self.axes.iter().map(|axis| self.weight(axis, feasible.len(), &distinct)).collect();
        let (mut least, mut most) = (i64::MAX, 0);
        for key in &distinct {
            let raw = self.raw_score(*key, &weights);
            (least, most) = (least.min(raw), most.max(raw));
            scores[*key as usize] = raw;
        }
        for key in distinct {
            let score = &mut scores[key as usize];
            *score = if most == 0 { MAX_SCORE } else { MAX_SCORE * (most + least - *score) / most };
        }
        ScoresByKey { keys, scores }
    }

    fn place(&self, axis: &Axis, key: u32) -> usize {
        (key >> self.shift) as usize / axis.stride % axis.places
    }

    /// A topology weighs by how many domains of it there are among the feasible nodes; a
    /// missing label is one more, nameless domain.
    fn weight(&self, axis: &Axis, feasible: usize, distinct: &[u32]) -> f64 {
        let size = if axis.is_hostname {
            feasible
        } else {
            let mut seen = vec![false; axis.places];
            for key in distinct {
                seen[self.place(axis, *key)] = true;
            }
            seen.into_iter().filter(|seen| *seen).count()
        };
        log_of(size + 2)
    }

    fn raw_score(&self, key: u32, weights: &[f64]) -> i64 {
        let mut score = 0.0;
        for (axis, weight) in self.axes.iter().zip(weights) {
            let place = self.place(axis, key);
            if place == 0 {
                continue;
            }
            let pods =
                if axis.is_hostname { i64::from(key & self.mask()) } else { axis.pods[place] };
            score += pods as f64 * weight + (axis.constraint.max_skew - 1) as f64;
        }
        // Half away from zero, as Go's math.Round.
        f64::round(score) as i64
    }
}

impl ScoresByKey {
    /// Appends the score of each feasible node.
    pub fn append_to(&self, scores: &mut Vec<i64>) {
        scores.extend(self.keys.iter().map(|key| self.scores[*key as usize]));
    }
}

/// Go's logarithm of a whole number; small ones are computed once.
fn log_of(number: usize) -> f64 {
    static LOGS: OnceLock<Vec<f64>> = OnceLock::new();
    let logs = LOGS.get_or_init(|| (0..4096).map(|number| go_log(number.max(1) as f64)).collect());
    logs.get(number).copied().unwrap_or_else(|| go_log(number as f64))
}

/// Whether only nodes with the labels of all constraints count for any. System defaults do not
/// mind.
pub(super) fn wants_all(pod: &PodInfo, args: &Args) -> bool {
    !pod.spread.is_empty() || !args.system_defaulted
}

/// Whether every node counts for the soft constraints of a pod.
fn all_nodes_count(context: &Context) -> bool {
    let own = &context.pod.spread;
    let all = if own.is_empty() { &context.args.spread.default_constraints } else { own };
    let restricts = context.pod.node_affinity.as_ref().is_some_and(NodeAffinity::restricts);
    let any_repels = context.nodes.taints.any_repels();
    all.iter().filter(|constraint| !constraint.hard).all(|constraint| {
        !(constraint.honor_affinity && restricts || constraint.honor_taints && any_repels)
    })
}

/// Counts by content of the pods they are for; see the module header.
#[derive(Debug, Default)]
pub struct KeptCounts {
    places: FastMap<Content, usize>,
    counts: Vec<(Content, Kept)>,
    /// Whose place the next one takes when there are too many.
    oldest: usize,
}

impl KeptCounts {
    /// The counts for the soft constraints of the pod of a cycle, brought up to date; nothing
    /// when they are not kept for pods like it.
    pub fn of(&mut self, context: &Context, pod: &Arc<PodInfo>) -> Option<&Kept> {
        if !has_constraints(context, false) || !all_nodes_count(context) {
            return None;
        }
        let info = context.cache.pod(context.slot).info.expect("the pod is known");
        let content = context.cache.infos.content(info);
        if let Some(at) = self.places.get(&content).copied() {
            let kept = &mut self.counts[at].1;
            if kept.default_selector.as_ref() == context.default_selector
                && kept.catch_up(context.cache, &context.store.sets).is_some()
            {
                return Some(&self.counts[at].1);
            }
            self.counts[at].1 = Kept::new(context, pod)?;
            return Some(&self.counts[at].1);
        }
        let kept = Kept::new(context, pod)?;
        let at = self.place(context.nodes.numbers());
        if at < self.counts.len() {
            self.places.remove(&self.counts[at].0);
            self.counts[at] = (content, kept);
        } else {
            self.counts.push((content, kept));
        }
        self.places.insert(content, at);
        Some(&self.counts[at].1)
    }

    /// A place for one more: the oldest's when there are too many.
    fn place(&mut self, nodes: usize) -> usize {
        let most = (NODE_KEYS / nodes.max(1)).clamp(16, 4096);
        if self.counts.len() < most {
            return self.counts.len();
        }
        self.oldest = (self.oldest + 1) % self.counts.len();
        self.oldest
    }
}
