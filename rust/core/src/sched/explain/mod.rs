//! What every node says of a waiting pod, all filters asked.
//!
//! A cycle ends a node at the first no, which is enough for deciding. Who wants to know what
//! would have to change needs every no: a node with a single one is one change away. So all
//! filters of the profile are asked of all nodes here, and each no comes with a [`Detail`]: which
//! of the pod's own terms it is about. Nothing is decided, remembered or written.
//!
//! Nodes that say the same are one [`Verdict`]; a node is a number into the list of those.

mod detail;

use std::sync::Arc;

use self::detail::{Details, Requirement};
use super::cycle::Cycle;
use super::cycle::post_filter::Trial;
use super::nodes::{NodeView, Nodes, Rare};
use super::plugins::policies::Turn;
use super::plugins::user::asking::Own;
use super::plugins::{self, Filter, PluginId, PreFilter, user};
use super::pod_info::PodInfo;
use super::status::{Code, Reasons, Rejection};
use super::taints::tolerated;
use super::{Config, Scheduler};
use crate::base::{FastMap, StrId, Text, Value};
use crate::store::{ObjectId, Store};

/// The node has no fault.
pub const FEASIBLE: i64 = -1;

/// One filter's no, in the words of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct No {
    /// The plugin.
    pub plugin: Text,
    /// How final it is.
    pub code: Code,
    /// The reasons in words.
    pub reasons: Reasons,
    /// Bits of what it is about; see [`detail`].
    pub detail: u64,
    /// Taints nobody tolerates: key, value, effect.
    pub taints: Vec<[Text; 3]>,
}

/// Everything one node says; the first is the one Kubernetes reports.
pub type Verdict = Vec<No>;

/// How much of a resource a pod asks for, and what is free of it on each node.
#[derive(Clone, Debug, PartialEq)]
pub struct Supply {
    /// The resource; `pods` for a place.
    pub name: Text,
    /// What the pod asks for; milli-CPU for `cpu`.
    pub asked: i64,
    /// What each node has left.
    pub free: Vec<i64>,
    /// What each node has in all.
    pub allocatable: Vec<i64>,
}

/// How unevenly pods would be spread, for one hard constraint.
#[derive(Clone, Debug, PartialEq)]
pub struct Skew {
    /// `topologyKey`.
    pub key: Text,
    /// `maxSkew`.
    pub most: i64,
    /// What the skew would be with the pod on each node; -1 where the label is missing.
    pub skews: Vec<i64>,
}

/// What every node says of a pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    /// Names of the nodes in the order they are looked at.
    pub nodes: Vec<Text>,
    /// Per node the number of its verdict, or [`FEASIBLE`].
    pub said: Vec<i64>,
    /// The verdicts, in order of first use.
    pub verdicts: Vec<Verdict>,
    /// What was said of the pod before any node was looked at, by plugin.
    pub blocked: Vec<(Text, Text)>,
    /// Resources.
    pub supplies: Vec<Supply>,
    /// Hard spread constraints.
    pub skews: Vec<Skew>,
    /// What the pod requires of labels and names of nodes, by field; bit `n` of NodeAffinity's
    /// detail is about the n-th.
    pub requirements: Vec<Text>,
    /// Pods whose anti-affinity keeps the pod away: row, node and topology key.
    pub kept_away_by: Vec<(u32, Text, Text)>,
    /// The priorities of the pods on nodes, lowest first.
    pub priorities: Vec<i32>,
}

impl Scheduler {
    /// Asks every filter about every node for the waiting pod at `slot`, whose `spec` this is.
    ///
    /// # Panics
    /// When no pod of a known profile is at the slot.
    pub fn judge_all(&mut self, store: &Store, slot: u32, spec: &Value) -> Judgement {
        self.cache.nodes.take_snapshot();
        let pod = Arc::clone(self.cache.info(slot));
        let config = Arc::clone(&self.config);
        let profile = config.profile(&pod.scheduler_name).expect("only such pods are queued");
        let default_selector = self.default_selector(store, profile, slot, &pod);
        let bounds = self.bounds(store, &config, profile, &pod, slot);
        let generation = self.cache.pod(slot).generation;
        let id = ObjectId { kind: store.kinds.pod, slot, generation };
        let own = Own::new(&config.plugins, &bounds, &self.remembered.answers, store, id);
        let cycle = Cycle {
            store,
            cache: &self.cache,
            config: &config,
            profile,
            default_selector: default_selector.as_ref(),
            kept: plugins::Kept::default(),
            turn: Turn::default(),
            pod: &pod,
            slot,
            own: profile.has_user_plugins().then_some(&own),
        };
        let requirements = Requirement::list(spec);
        let details = Details::new(&pod, &store.sets, &requirements);
        let mut judgement = Judgement {
            supplies: supplies(&pod),
            requirements: requirements.iter().map(|one| one.field.clone()).collect(),
            ..Judgement::default()
        };
        let filters = judgement.prepare(&cycle);
        judgement.walk(&cycle, &filters, &details);
        judgement.kept_away_by = detail::kept_away_by(&cycle);
        judgement.priorities = self.cache.priorities().collect();
        judgement
    }

    /// Lets cycles score every feasible node from now on, however many are enough.
    pub fn score_all(&mut self) {
        let mut config = Config::clone(&self.config);
        config.percentage_of_nodes_to_score = 100;
        for profile in &mut config.profiles {
            profile.percentage_of_nodes_to_score = None;
        }
        self.config = Arc::new(config);
    }
}

/// What tells one verdict from another.
type Key = Vec<(PluginId, bool, u64, u64)>;

impl Judgement {
    /// Prepares every filter by itself, so that no plugin's no keeps another from being heard.
    fn prepare<'a>(&mut self, cycle: &Cycle<'a>) -> Vec<Filter<'a>> {
        let context = cycle.context();
        let mut filters = Vec::new();
        for id in &cycle.profile.filter {
            match plugins::pre_filter(*id, &context) {
                PreFilter::Skip => {}
                PreFilter::Ready { filter, .. } => filters.extend(filter),
                PreFilter::Blocked(why, filter) => {
                    // With a filter every node says no for itself.
                    if filter.is_none() {
                        self.blocked.push((cycle.config.name_of(*id), why));
                    }
                    filters.extend(filter);
                }
                PreFilter::Reject(why) => self.blocked.push((cycle.config.name_of(*id), why)),
            }
            filters.extend(user::filter(*id, &context).map(Filter::User));
        }
        for filter in &filters {
            if let Filter::PodTopologySpread(spread) = filter {
                let constraints = spread.constraints();
                self.skews = constraints
                    .map(|(key, most)| Skew { key: key.clone(), most, skews: Vec::new() })
                    .collect();
            }
        }
        filters
    }

    fn walk<'a>(&mut self, cycle: &Cycle<'a>, filters: &[Filter<'a>], details: &Details) {
        let nodes = &cycle.cache.nodes;
        let resources: Vec<Kind> =
            self.supplies.iter().map(|supply| Kind::of(nodes, &supply.name)).collect();
        let mut known: FastMap<Key, i64> = FastMap::default();
        let mut last: (Key, i64) = (Key::new(), FEASIBLE);
        for id in nodes.order() {
            let node = nodes.view(*id);
            self.nodes.push(node.info.name.clone());
            let full = node.row.nominated.then(|| Trial::new(cycle, filters, node));
            let full = full.and_then(|trial| trial.with_promised());
            // A node that is promised to others is judged with them on it.
            let (asked, view) =
                full.as_ref().map_or((filters, node), |full| (&full.filters[..], full.node.view()));
            self.measure(&resources, asked, view);
            let mut noes = noes(asked, view, details);
            if noes.is_empty() && full.is_some() {
                noes = self::noes(filters, node, details);
            }
            let key: Key = noes
                .iter()
                .map(|(no, detail)| {
                    (no.plugin, no.code == Code::Unschedulable, no.reasons, *detail)
                })
                .collect();
            if key != last.0 {
                let number = match known.get(&key) {
                    Some(number) => *number,
                    None => self.add(&noes, cycle, node),
                };
                known.insert(key.clone(), number);
                last = (key, number);
            }
            self.said.push(last.1);
        }
    }

    /// Notes the room a node has and how uneven the pod would make things there.
    fn measure(&mut self, resources: &[Kind], filters: &[Filter], node: NodeView) {
        for (supply, kind) in self.supplies.iter_mut().zip(resources) {
            let (allocatable, used) = kind.on(node);
            supply.free.push(allocatable - used);
            supply.allocatable.push(allocatable);
        }
        if self.skews.is_empty() {
            return;
        }
        let spread = filters.iter().find_map(|filter| match filter {
            Filter::PodTopologySpread(spread) => Some(spread),
            _ => None,
        });
        let skews = spread.into_iter().flat_map(|spread| spread.skews(node.id));
        for (column, skew) in self.skews.iter_mut().zip(skews) {
            column.skews.push(skew.unwrap_or(-1));
        }
    }

    fn add(&mut self, noes: &[(Rejection, u64)], cycle: &Cycle, node: NodeView) -> i64 {
        if noes.is_empty() {
            return FEASIBLE;
        }
        let verdict = noes.iter().map(|(no, detail)| {
            let of_taints = no.plugin == PluginId::TAINT_TOLERATION;
            No {
                plugin: cycle.config.name_of(no.plugin),
                code: no.code,
                reasons: Own::reasons(cycle.own, *no, cycle.pod),
                detail: *detail,
                taints: if of_taints { untolerated(cycle, node) } else { Vec::new() },
            }
        });
        self.verdicts.push(verdict.collect());
        self.verdicts.len() as i64 - 1
    }
}

/// Every filter's no, in the order of the profile, with its detail.
fn noes(filters: &[Filter], node: NodeView, details: &Details) -> Vec<(Rejection, u64)> {
    let noes = filters.iter().filter_map(|filter| {
        let no = filter.check(node).err()?;
        Some((no, details.of(filter, no, node)))
    });
    noes.collect()
}

fn untolerated(cycle: &Cycle, node: NodeView) -> Vec<[Text; 3]> {
    let taints = cycle.cache.nodes.taints.get(node.row.taints).iter();
    let repel =
        taints.filter(|taint| taint.effect.repels() && !tolerated(taint, &cycle.pod.tolerations));
    repel
        .map(|taint| {
            let effect = if taint.effect == super::taints::Effect::NoExecute {
                "NoExecute"
            } else {
                "NoSchedule"
            };
            [taint.key.clone(), taint.value.clone(), effect.into()]
        })
        .collect()
}

/// What a pod asks for, a place among pods first.
fn supplies(pod: &PodInfo) -> Vec<Supply> {
    let asked = pod.requests.asked.iter().filter(|(_, amount)| *amount > 0);
    let places = std::iter::once(("pods", 1));
    let supply = |(name, asked): (&str, i64)| Supply {
        name: name.into(),
        asked,
        free: Vec::new(),
        allocatable: Vec::new(),
    };
    places.chain(asked).map(supply).collect()
}

/// Where a node keeps what it has of a resource.
#[derive(Clone, Copy)]
enum Kind {
    Pods,
    Cpu,
    Memory,
    Rare(Rare),
    /// No node has it.
    Unknown,
}

impl Kind {
    fn of(nodes: &Nodes, name: &str) -> Self {
        let named = |name: &str| nodes.resources.find(name).map(|id: StrId| Rare::Named(id));
        match name {
            "pods" => Self::Pods,
            "cpu" => Self::Cpu,
            "memory" => Self::Memory,
            "ephemeral-storage" => Self::Rare(Rare::EphemeralStorage),
            _ => named(name).map_or(Self::Unknown, Self::Rare),
        }
    }

    /// What a node has in all and what is in use.
    fn on(self, node: NodeView) -> (i64, i64) {
        let row = node.row;
        match self {
            Self::Pods => (i64::from(row.pods_allowed), i64::from(row.pods)),
            Self::Cpu => (row.cpu_milli, row.used_cpu_milli),
            Self::Memory => (row.memory_bytes, row.used_memory_bytes),
            Self::Rare(resource) => {
                let amount = node.info.amount(resource);
                (amount.allocatable, amount.used)
            }
            Self::Unknown => (0, 0),
        }
    }
}
