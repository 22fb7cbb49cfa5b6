//! The scheduler of Kubernetes 1.36 over our store.
//!
//! Read in this order: [`pod_info`] and [`node_spec`] (what is needed of an object, compiled
//! once), [`nodes`] and [`cache`] (the cluster in columns), [`queue`] (who is next), [`cycle`]
//! (one decision) with [`plugins`] (the rules), then [`observe`] and [`write`] (in from the
//! watch log, out through the store).
//!
//! ```text
//!   watch log ──observe──► cache, queue ──schedule_one──► cycle ──► store: bind, or say why not
//!        ▲                                                            │
//!        └────────────────────────────────────────────────────────────┘
//! ```
//!
//! What this is not: it knows no clock but the store's `now`, keeps no thread, and calls no
//! kubelet. A cycle takes no virtual time of its own; the engine decides when the next one is.

pub mod cache;
pub mod config;
pub mod configuration;
pub mod cycle;
pub mod default_selector;
pub mod eligible;
pub mod events;
pub mod explain;
pub mod images;
pub mod journal;
pub mod node_info;
pub mod node_selector;
pub mod node_spec;
pub mod nodes;
pub mod nominations;
pub mod observe;
pub mod plugins;
pub mod pod_affinity;
pub mod pod_info;
pub mod pod_volumes;
pub mod pods_by_content;
pub mod queue;
pub mod replay;
pub mod requests;
mod reserve;
pub mod saved;
pub mod spread_constraint;
pub mod status;
pub mod storage;
pub mod taints;
pub mod topologies;
pub mod user_answers;
pub mod write;
pub mod zones;

use std::sync::Arc;

use self::cache::{Cache, Place};
pub use self::config::{Config, Profile, TieBreak};
use self::cycle::verdicts::Verdicts;
use self::cycle::{Cycle, Failure, Findings, Outcome, Progress};
use self::default_selector::DefaultSelectors;
use self::plugins::Kept;
use self::plugins::default_preemption::kept::KeptTrials;
use self::plugins::inter_pod_affinity::kept::KeptTallies;
use self::plugins::members::MemberLists;
use self::plugins::node_volume_limits::kept::KeptVolumes;
use self::plugins::pod_topology_spread::kept::KeptCounts;
use self::plugins::pod_topology_spread::tallies;
use self::plugins::policies::Turn;
use self::plugins::user::asking::{Answers, Bounds, Halt, Own};
use self::pod_info::{Content, PodInfo};
use self::queue::{Backoff, Queue, State};
use self::reserve::Remembrance;
use self::storage::StorageKinds;
use crate::base::{StrId, Streams, Text, Time};
use crate::labels::Selector;
use crate::store::pod::PodState;
use crate::store::{ObjectId, Store};

/// The scheduler. Cloning it forks it: a few reference counts and what is small.
#[derive(Debug)]
pub struct Scheduler {
    config: Arc<Config>,
    cache: Cache,
    queue: Queue,
    progress: Progress,
    findings: Findings,
    selectors: DefaultSelectors,
    storage: Option<StorageKinds>,
    remembered: Remembered,
    last_message: Option<Arc<Text>>,
    /// Why the last cycle decided nothing.
    halt: Option<Halt>,
}

/// What was found out in earlier cycles and still holds. None of it is state.
#[derive(Debug, Default)]
struct Remembered {
    verdicts: Verdicts,
    by_key: KeptCounts,
    soft: tallies::KeptTallies,
    hard: tallies::KeptTallies,
    affinity: KeptTallies,
    volumes: KeptVolumes,
    trials: KeptTrials,
    members: MemberLists,
    policies: Remembrance,
    /// The last pod no node would have, when that followed from it and the nodes alone: its
    /// content, the position of the nodes' journal, and what came of it.
    failure: Option<(Content, u64, Bounds, Failure)>,
    /// What plugins elsewhere said of the pod that is being tried.
    answers: Answers,
}

impl Clone for Scheduler {
    fn clone(&self) -> Self {
        Self {
            config: Arc::clone(&self.config),
            cache: self.cache.clone(),
            queue: self.queue.clone(),
            progress: self.progress.clone(),
            findings: Findings::default(),
            selectors: DefaultSelectors::default(),
            storage: None,
            remembered: Remembered::default(),
            last_message: self.last_message.clone(),
            halt: None,
        }
    }
}

/// What became of the pod that was tried.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The pod.
    pub pod: ObjectId,
    /// What became of it.
    pub result: DecisionResult,
}

/// What became of a pod that was tried.
#[derive(Clone, Debug, PartialEq)]
pub enum DecisionResult {
    /// It was bound to the node of this name.
    Bound(StrId),
    /// No node would have it.
    Unschedulable {
        /// The text of condition and event.
        message: Arc<Text>,
        /// Pods deleted to make room.
        victims: Vec<ObjectId>,
    },
    /// It was left alone: gone, bound by somebody else, or being deleted.
    Skipped,
}

impl Scheduler {
    /// A scheduler that knows of nothing yet; `now` is when its timers start.
    pub fn new(config: Arc<Config>, seed: u64, now: Time) -> Self {
        Self {
            queue: Queue::new(Backoff::of(&config), now),
            config,
            cache: Cache::default(),
            progress: Progress { next_start: 0, stream: Streams::new(seed).stream("sched") },
            findings: Findings::default(),
            selectors: DefaultSelectors::default(),
            storage: None,
            remembered: Remembered::default(),
            last_message: None,
            halt: None,
        }
    }

    /// The configuration.
    pub fn config(&self) -> &Arc<Config> {
        &self.config
    }

    /// Pods and nodes as the scheduler sees them.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// The queue.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Whether a pod can be tried at `now`.
    pub fn has_ready(&self, now: Time) -> bool {
        self.queue.has_ready(now) || self.queue.has_leftover(now)
    }

    /// When, without anything happening, a pod comes out of an error's backoff and may fare
    /// better.
    pub fn next_retry(&self, _now: Time) -> Option<Time> {
        self.queue.next_retry().filter(|_| self.cache.nodes.any())
    }

    /// When, without anything happening, a pod is tried again only to make sure: one that
    /// waited for five minutes, or any as long as there is no node at all.
    pub fn next_flush(&self, _now: Time) -> Option<Time> {
        let idle_retry = self.queue.next_retry().filter(|_| !self.cache.nodes.any());
        self.queue.next_timeout().into_iter().chain(idle_retry).min()
    }

    /// One scheduling cycle: takes the next pod, decides, and writes what it decided. Nothing
    /// when no pod is ready, or when a plugin of a user's own must answer first
    /// ([`Self::halt`]): then the pod stays first in the queue.
    pub fn schedule_one(&mut self, store: &mut Store) -> Option<Decision> {
        self.flush_leftovers(store);
        let (number, state) = self.queue.pop_from(store.now)?;
        self.try_pod(store, number, state)
    }

    /// One scheduling cycle for this pod, out of turn. Nothing when it is not in the queue, or
    /// when a plugin of a user's own must answer first.
    pub fn schedule_pod(&mut self, store: &mut Store, pod: ObjectId) -> Option<Decision> {
        let record = self.cache.pod(pod.slot);
        let Place::Queue(number) = record.place else { return None };
        if record.generation != pod.generation {
            return None;
        }
        let state = self.queue.get(number).state;
        self.queue.take(number);
        self.try_pod(store, number, state)
    }

    /// What the last cycle found: feasible nodes, rejections and scores.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Whether cycles keep the scores of each plugin, for those who ask.
    pub fn keep_scores(&mut self, keep: bool) {
        self.findings.scores.keep = keep;
    }

    /// Whether feasible nodes and totals are listed in what was found even where nobody needs
    /// the list to decide.
    pub fn list_feasible(&mut self, list: bool) {
        self.findings.list = list;
    }

    /// Whether each cycle begins anew and looks at nodes one by one, as the rules read. What it
    /// decides is the same.
    pub fn be_plain(&mut self, plain: bool) {
        self.findings.plain = plain;
    }

    /// Tries a pod that was taken out of the queue, where it was in this state.
    fn try_pod(&mut self, store: &mut Store, number: u32, state: State) -> Option<Decision> {
        let slot = self.queue.get(number).slot;
        let record = self.cache.pod(slot);
        let pod = ObjectId { kind: store.kinds.pod, slot, generation: record.generation };
        let result = if is_to_be_skipped(store, pod) {
            self.skip(store, pod, number)
        } else {
            match self.decide(store, pod) {
                Outcome::Node(node) => self.bind(store, pod, number, node),
                Outcome::Unschedulable(failure) => self.reject(store, pod, number, failure),
                Outcome::Undecided => {
                    self.queue.put_back(number, state);
                    return None;
                }
            }
        };
        Some(Decision { pod, result })
    }

    /// Runs a cycle for a pod without writing anything.
    fn decide(&mut self, store: &Store, id: ObjectId) -> Outcome {
        let slot = id.slot;
        self.halt = None;
        if self.findings.plain {
            let answers = std::mem::take(&mut self.remembered.answers);
            self.remembered = Remembered { answers, ..Remembered::default() };
        }
        self.cache.nodes.take_snapshot();
        let pod = Arc::clone(self.cache.info(slot));
        let content = self.cache.infos.content(self.cache.pod(slot).info.expect("it is known"));
        let config = Arc::clone(&self.config);
        let profile = config.profile(&pod.scheduler_name).expect("only such pods are queued");
        let bounds = self.bounds(store, &config, profile, &pod, slot);
        if let Some(failure) = self.remembered_failure(store, slot, content, &bounds) {
            self.findings.clear();
            return Outcome::Unschedulable(failure);
        }
        let before = self.progress.clone();
        let draw = self.prepare_policies(profile);
        let default_selector = self.default_selector(store, profile, slot, &pod);
        let mut cycle = Cycle {
            store,
            cache: &self.cache,
            config: &config,
            profile,
            default_selector: default_selector.as_ref(),
            kept: Kept::default(),
            turn: Turn { typical: None, draw },
            pod: &pod,
            slot,
            own: None,
        };
        let Remembered {
            verdicts,
            by_key,
            soft,
            hard,
            affinity,
            volumes,
            trials,
            members,
            policies,
            failure,
            answers,
        } = &mut self.remembered;
        cycle.turn.typical = policies.typical(profile);
        let context = cycle.context();
        if !self.findings.plain {
            cycle.kept = Kept {
                hard: hard.of(&context, &pod, true, members),
                affinity: affinity.of(&context, &pod, members),
                by_key: by_key.of(&context, &pod),
                soft: None,
                volumes: Some(volumes),
                trials: Some(trials),
            };
            if cycle.kept.by_key.is_none() {
                cycle.kept.soft = soft.of(&context, &pod, false, members);
            }
        }
        let column = verdicts.of(&pod, &bounds, &self.cache.nodes);
        *failure = None;
        let position = self.cache.nodes.journal.position();
        let nominated = store.pod(slot).nominated.is_some();
        if profile.has_user_plugins() {
            answers.begin(id, store.revision(), position);
            let own = Own::new(&config.plugins, &bounds, answers, store, id);
            cycle.own = Some(&own);
            let outcome = cycle.run(column, &mut self.progress, &mut self.findings);
            self.halt = own.into_halt();
            if matches!(self.halt, Some(Halt::Fault(_))) {
                column.forget();
                answers.forget();
            }
            if self.halt.is_some() {
                self.progress = before;
                self.findings.clear();
                return Outcome::Undecided;
            }
            self.remember_failure(nominated, content, bounds, &outcome);
            return outcome;
        }
        let outcome = cycle.run(column, &mut self.progress, &mut self.findings);
        self.remember_failure(nominated, content, bounds, &outcome);
        outcome
    }

    /// Remembers that no node will have such pods, if that follows from them and the nodes.
    fn remember_failure(
        &mut self,
        nominated: bool,
        content: Content,
        bounds: Bounds,
        outcome: &Outcome,
    ) {
        let position = self.cache.nodes.journal.position();
        if let Outcome::Unschedulable(found) = outcome
            && self.findings.local
            && found.victims.is_empty()
            && !nominated
        {
            self.remembered.failure = Some((content, position, bounds, found.clone()));
        }
    }

    /// What came of the pod before, if this one is the same to every plugin and nothing happened
    /// to the nodes since. Every node said no, so the next search starts where this one did.
    fn remembered_failure(
        &self,
        store: &Store,
        slot: u32,
        content: Content,
        bounds: &Bounds,
    ) -> Option<Failure> {
        let (of, position, taken, failure) = self.remembered.failure.as_ref()?;
        let same =
            *of == content && *position == self.cache.nodes.journal.position() && taken == bounds;
        let plain = store.pod(slot).nominated.is_none() && !self.findings.scores.keep;
        (same && plain).then(|| failure.clone())
    }

    /// Whom a pod is spread among by default, if default constraints apply to it.
    fn default_selector(
        &mut self,
        store: &Store,
        profile: &Profile,
        slot: u32,
        pod: &Arc<PodInfo>,
    ) -> Option<Arc<Selector>> {
        let defaults = &profile.args.spread.default_constraints;
        if !pod.spread.is_empty() || defaults.is_empty() {
            return None;
        }
        let id = self.cache.pod(slot).info.expect("the pod is known");
        let selector = self.selectors.of(store, id, pod)?;
        for constraint in defaults {
            self.cache.nodes.know_topology(&constraint.key, &store.sets);
        }
        Some(selector)
    }

    /// The profile a pod belongs to, if it is one of ours.
    fn profile_of(&self, info: &PodInfo) -> Option<&Profile> {
        self.config.profile(&info.scheduler_name)
    }

    /// The first plugin that does not let a pod enter the queue.
    fn gate(&self, info: &PodInfo) -> Option<plugins::PluginId> {
        let profile = self.profile_of(info)?;
        profile.pre_enqueue.iter().copied().find(|id| !plugins::pre_enqueue(*id, info))
    }
}

/// Whether a pod is none of the scheduler's business any more.
fn is_over(pod: &PodState) -> bool {
    pod.phase.is_terminal()
}

/// Whether a popped pod is no longer to be scheduled.
fn is_to_be_skipped(store: &Store, pod: ObjectId) -> bool {
    let Some(row) = store.row(pod) else { return true };
    let state = store.pod(pod.slot);
    row.deletion.is_some() || state.node.is_some() || is_over(state)
}
