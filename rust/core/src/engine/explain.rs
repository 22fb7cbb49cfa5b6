//! Why a pod is where it is, or nowhere: asked on branches that nobody sees.
//!
//! The pod in question is made to wait, whether it has a node or not and as it is or in another
//! form, and the scheduler tries it before anybody else. Only the scheduler acts there, as in
//! [`super::headroom`]; the cluster itself does not change.

use super::World;
use crate::api::{ApiError, ApiResult};
use crate::base::{Text, Time, Value};
use crate::sched::DecisionResult;
use crate::sched::cache::Place;
use crate::sched::explain::Judgement;
use crate::sched::plugins::PluginId;
use crate::sched::queue::State;
use crate::store::ObjectId;
use crate::store::create::Strictness;
use crate::store::delete::DeleteOptions;

/// What became of a pod that was tried.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tried {
    /// The node it is bound to.
    pub node: Option<Text>,
    /// Why no node would have it at first.
    pub message: Text,
    /// Pods, `namespace/name`, that were preempted for it before it was bound.
    pub victims: Vec<Text>,
    /// Whether the scheduler leaves it alone: gated, or none of its own.
    pub left_alone: bool,
}

/// The scores of the nodes a cycle could choose from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scored {
    /// Names of the feasible nodes, in the order they were found.
    pub nodes: Vec<Text>,
    /// The sum per node; empty when there was nothing to choose.
    pub totals: Vec<i64>,
    /// Per plugin that had a say, normalised score times weight for each node.
    pub by_plugin: Vec<(Text, Vec<i64>)>,
}

/// How a waiting pod stands in the queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Waiting {
    /// `active`, `backoff`, `unschedulable` or `gated`; empty for a pod that does not wait.
    pub state: &'static str,
    /// How often it was rejected.
    pub attempts: u32,
    /// Since when it has waited there.
    pub since: Time,
}

/// Everything there is to say about where a pod can go.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explained {
    /// What every node says.
    pub judgement: Judgement,
    /// The rows of [`Judgement::kept_away_by`] in words.
    pub kept_away_by: Vec<Text>,
    /// What the scheduler does with it.
    pub tried: Tried,
    /// What it chose from.
    pub scored: Scored,
}

impl World {
    /// Asks what every node says of a pod, as it is or in the form given, and tries it. Of a pod
    /// that has a node every feasible node is scored, so that its own is among them.
    ///
    /// # Errors
    /// A form that cannot be read.
    pub fn explain(&self, pod: ObjectId, form: Option<Value>) -> ApiResult<Explained> {
        self.only_the_core_decides()?;
        let has_node = self.store.pod(pod.slot).node.is_some();
        let (mut branch, pod) = self.with_waiting(&[(pod, form)])?;
        let pod = pod[0];
        if !branch.is_tried(pod) {
            return Ok(Explained {
                tried: Tried { left_alone: true, ..Tried::default() },
                ..Explained::default()
            });
        }
        let body = branch.store.body(pod).map(std::sync::Arc::clone).expect("it was just written");
        let spec = body.doc.get("spec").cloned().unwrap_or(Value::Null);
        let judgement = branch.scheduler.judge_all(&branch.store, pod, &spec);
        let judgement = judgement.map_err(ApiError::bad_request)?;
        let rows = judgement.kept_away_by.iter();
        let kept_away_by = rows.map(|(slot, ..)| branch.full_name(*slot)).collect();
        branch.scheduler.keep_scores(true);
        if has_node {
            branch.scheduler.score_all();
        }
        let decision = branch.scheduler.schedule_pod(&mut branch.store, pod);
        let scored = branch.scored();
        let tried = branch.follow(pod, decision.map(|decision| decision.result));
        Ok(Explained { judgement, kept_away_by, tried, scored })
    }

    /// Tries pods in order, each as it is or in the form given; those before are in place when
    /// the next is tried.
    ///
    /// # Errors
    /// A form that cannot be read.
    pub fn try_pods(&self, pods: &[(ObjectId, Option<Value>)]) -> ApiResult<Vec<Tried>> {
        self.only_the_core_decides()?;
        let (mut branch, pods) = self.with_waiting(pods)?;
        let tried = pods.into_iter().map(|pod| {
            if !branch.is_tried(pod) {
                return Tried { left_alone: true, ..Tried::default() };
            }
            let decision = branch.scheduler.schedule_pod(&mut branch.store, pod);
            branch.follow(pod, decision.map(|decision| decision.result))
        });
        Ok(tried.collect())
    }

    /// Refuses where a scheduling plugin written elsewhere would have to be asked.
    fn only_the_core_decides(&self) -> ApiResult<()> {
        let Some(plugin) = self.plugins().find(|plugin| plugin.is_elsewhere()) else {
            return Ok(());
        };
        Err(ApiError::bad_request(format!(
            "a pod is explained without leaving the core, where plugin \"{}\" is not",
            plugin.name
        )))
    }

    /// How a pod stands in the scheduler's queue.
    pub fn waiting(&self, pod: ObjectId) -> Waiting {
        let Place::Queue(number) = self.scheduler.cache().pod(pod.slot).place else {
            return Waiting::default();
        };
        let queued = self.scheduler.queue().get(number);
        let state = match queued.state {
            State::Gated(PluginId::SCHEDULING_GATES) => "gated",
            State::Gated(_) => "held back",
            State::Backoff | State::ErrorBackoff => "backoff",
            State::Unschedulable => "unschedulable",
            State::Free | State::Active | State::InFlight => "active",
        };
        Waiting { state, attempts: queued.rejections, since: queued.key.time }
    }

    /// A branch on which these pods wait, and who they are there.
    fn with_waiting(&self, pods: &[(ObjectId, Option<Value>)]) -> ApiResult<(Self, Vec<ObjectId>)> {
        let mut branch = self.branch_for_placement();
        let mut waiting = Vec::with_capacity(pods.len());
        for (pod, form) in pods {
            let bound = branch.store.pod(pod.slot).node.is_some();
            if form.is_none() && !bound {
                waiting.push(*pod);
                continue;
            }
            let document = form.clone().or_else(|| branch.store.get(*pod));
            let document = document.ok_or_else(|| ApiError::bad_request("the pod is gone"))?;
            waiting.push(branch.put_back(*pod, document)?);
        }
        branch.let_scheduler_see();
        Ok((branch, waiting))
    }

    /// Puts a pod in the place of another of its name, without a node and a past.
    fn put_back(&mut self, pod: ObjectId, mut document: Value) -> ApiResult<ObjectId> {
        document.remove(&["status"]);
        document.remove(&["spec", "nodeName"]);
        document.remove(&["metadata", "deletionTimestamp"]);
        document.remove(&["metadata", "finalizers"]);
        self.remove_now(pod);
        self.store.restore(document, Strictness::Ignore).map(|written| written.id)
    }

    fn remove_now(&mut self, pod: ObjectId) {
        if self.store.row(pod).is_none() {
            return;
        }
        self.store.edit(pod, |meta, _| {
            meta.remove("finalizers");
        });
        let at_once = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
        self.store.delete(pod, &at_once).expect("a delete without preconditions succeeds");
    }

    /// Whether the scheduler would try a pod at all.
    fn is_tried(&self, pod: ObjectId) -> bool {
        let waits = matches!(self.scheduler.cache().pod(pod.slot).place, Place::Queue(_));
        waits && !self.scheduler.is_gated(pod)
    }

    /// What a decision comes to, once the pods that make room are gone.
    fn follow(&mut self, pod: ObjectId, decision: Option<DecisionResult>) -> Tried {
        match decision {
            Some(DecisionResult::Bound(node)) => {
                let node = self.store.strings.text(node).into();
                Tried { node: Some(node), ..Tried::default() }
            }
            Some(DecisionResult::Unschedulable { message, victims }) => {
                let mut tried = Tried { message: Text::clone(&message), ..Tried::default() };
                if victims.is_empty() {
                    return tried;
                }
                tried.victims = victims.iter().map(|victim| self.full_name(victim.slot)).collect();
                for victim in &victims {
                    self.remove_now(*victim);
                }
                self.let_scheduler_see();
                let again = self.scheduler.schedule_pod(&mut self.store, pod);
                if let Some(DecisionResult::Bound(node)) = again.map(|decision| decision.result) {
                    tried.node = Some(self.store.strings.text(node).into());
                }
                tried
            }
            Some(DecisionResult::Skipped) | None => Tried { left_alone: true, ..Tried::default() },
        }
    }

    fn scored(&self) -> Scored {
        let findings = self.scheduler.findings();
        let nodes = &self.scheduler.cache().nodes;
        Scored {
            nodes: findings.feasible.iter().map(|id| nodes.info(*id).name.clone()).collect(),
            totals: findings.scores.totals.clone(),
            by_plugin: findings
                .scores
                .by_plugin
                .iter()
                .map(|(plugin, scores)| (self.plugin_name(*plugin), scores.clone()))
                .collect(),
        }
    }

    fn plugin_name(&self, id: PluginId) -> Text {
        let own = self.scheduler.config().plugin(id);
        own.map_or_else(|| id.name().into(), |plugin| plugin.declaration.name.clone())
    }

    fn full_name(&self, slot: u32) -> Text {
        let table = self.store.table(self.store.kinds.pod);
        let Some(row) = table.row(slot) else { return Text::default() };
        let body = row.body.as_ref().expect("an object has a body");
        let namespace = body.namespace.map_or("", |id| self.store.strings.text(id));
        format!("{namespace}/{}", row.name.text(&self.store.strings)).into()
    }
}
