//! Replaying recorded decisions: a cluster in, what becomes of each pod out.
//!
//! The input names nodes, other objects and pods already bound, all in order of arrival, then
//! pods that are scheduled one at a time; each sees what became of those before it. The answer
//! says per pod which nodes were feasible, how they scored and why the others were not, in the
//! form in which the real scheduler's answers were recorded. Nothing here decides anything: the
//! pods go through the same cycle as in any cluster.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::cycle::Findings;
use super::nodes::NodeId;
use super::{Config, DecisionResult, Scheduler, configuration, plugins};
use crate::api::{Registry, Rules};
use crate::base::{Map, Text, Time, Value};
use crate::store::create::Strictness;
use crate::store::delete::DeleteOptions;
use crate::store::pod::ACCEPTED;
use crate::store::{ObjectId, Store};

/// Clusters larger than this answer without scores and reasons per node.
const DETAILED_NODES: usize = 40;
/// When the first pod placed is said to have started.
const FIRST_START: i64 = 1_700_000_000;
/// What the clock says: later than any pod started.
const NOW: i64 = 4_000_000_000;

/// Replays a case and answers what became of each pod.
///
/// # Errors
/// An object that is none, or a configuration that Kubernetes would refuse.
pub fn replay(case: &Value, rules: Arc<Rules>) -> Result<Value, String> {
    let config = config_of(case)?;
    let mut replay = Replay::new(config, rules);
    for list in ["nodes", "objects", "existing"] {
        for object in case.list_at(&[list]) {
            replay.add(object)?;
        }
    }
    replay.observe();
    let pods = case.list_at(&["pods"]).iter();
    pods.map(|pod| replay.schedule(pod)).collect::<Result<Vec<Value>, String>>().map(Value::from)
}

/// The configuration of a case. Unless it says otherwise all nodes are considered.
fn config_of(case: &Value) -> Result<Arc<Config>, String> {
    let text = case.str_at(&["config"]).unwrap_or_default();
    let mut config = if text.is_empty() { Config::default() } else { configuration::read(text)? };
    if config.percentage_of_nodes_to_score == 0 {
        config.percentage_of_nodes_to_score = 100;
    }
    Ok(Arc::new(config))
}

/// A cluster on which a case is played.
struct Replay {
    store: Store,
    scheduler: Scheduler,
    seen: u64,
    placed: i64,
}

impl Replay {
    fn new(config: Arc<Config>, rules: Arc<Rules>) -> Self {
        let now = Time::from_unix_secs(NOW);
        let mut scheduler = Scheduler::new(config, 0, now);
        scheduler.keep_scores(true);
        Self { store: Store::new(Registry::new(), rules, 0, now), scheduler, seen: 0, placed: 0 }
    }

    fn add(&mut self, object: &Value) -> Result<ObjectId, String> {
        let object = with_requests_of_limits(object.clone());
        let written = self.store.restore(object, Strictness::Ignore);
        written.map(|written| written.id).map_err(|error| error.message)
    }

    fn observe(&mut self) {
        let to = self.store.revision();
        self.scheduler.observe(&self.store, self.seen, to);
        self.seen = to;
    }

    /// Schedules one pod, and once more if room was made for it.
    fn schedule(&mut self, pod: &Value) -> Result<Value, String> {
        let id = self.add(pod)?;
        let mut answer = Map::new();
        let namespace = pod.str_at(&["metadata", "namespace"]).unwrap_or("default");
        let name = pod.str_at(&["metadata", "name"]).unwrap_or_default();
        answer.insert("pod", format!("{namespace}/{name}"));
        answer.insert("node", "");
        let mut result = self.attempt(id, &mut answer);
        if let DecisionResult::Unschedulable { message, victims } = &result {
            answer.insert("message", message.as_str());
            if !victims.is_empty() {
                self.make_room(id, victims, &mut answer);
                result = self.attempt(id, &mut answer);
            }
        }
        if let DecisionResult::Bound(node) = result {
            answer.insert("node", self.store.strings.text(node));
            let started = Time::from_unix_secs(FIRST_START + self.placed);
            self.placed += 1;
            self.store.update_pod(id.slot, |pod| {
                pod.flags |= ACCEPTED;
                pod.accepted_at = started;
            });
        }
        Ok(answer.into())
    }

    /// One cycle for one pod. Reasons are those of the first attempt.
    fn attempt(&mut self, id: ObjectId, answer: &mut Map) -> DecisionResult {
        self.observe();
        let again = answer.contains_key("message");
        let decision = self.scheduler.schedule_pod(&mut self.store, id);
        let decision = decision.expect("the pod is in the queue");
        let findings = self.scheduler.findings();
        self.describe_feasible(findings, answer);
        if !again && self.is_small() {
            self.describe_rejected(id, findings, answer);
        }
        decision.result
    }

    fn is_small(&self) -> bool {
        self.scheduler.cache().nodes.order().len() <= DETAILED_NODES
    }

    fn describe_feasible(&self, findings: &Findings, answer: &mut Map) {
        if findings.feasible.is_empty() {
            return;
        }
        let names = findings.feasible.iter().map(|id| Value::Str(self.name(*id)));
        answer.insert("feasible", Value::list(names));
        if findings.feasible.len() < 2 {
            return;
        }
        let scores = &findings.scores;
        let totals = findings.feasible.iter().zip(&scores.totals);
        let totals = totals.map(|(id, total)| (self.name(*id), Value::Int(*total)));
        answer.insert("totals", Value::map(totals));
        if self.is_small() {
            let of_node = |at: usize| {
                let each = scores.by_plugin.iter();
                Value::map(each.map(|(plugin, scores)| (plugin.name(), Value::Int(scores[at]))))
            };
            let nodes = findings.feasible.iter().enumerate();
            let scores = nodes.map(|(at, id)| (self.name(*id), of_node(at)));
            answer.insert("scores", Value::map(scores));
        }
    }

    fn describe_rejected(&self, id: ObjectId, findings: &Findings, answer: &mut Map) {
        if findings.rejected.is_empty() {
            return;
        }
        let pod = crate::sched::pod_info::PodInfo::of(self.store.body(id).expect("it exists"));
        let (mut reasons, mut codes) = (BTreeMap::new(), BTreeMap::new());
        for (node, rejection) in &findings.rejected {
            let mut words: Vec<Text> = plugins::reasons(*rejection, &pod).to_vec();
            words.sort_unstable();
            reasons.insert(self.name(*node), Value::list(words.into_iter().map(Value::Str)));
            codes.insert(self.name(*node), Value::from(rejection.code.name()));
        }
        answer.insert("reasons", Value::map(reasons));
        answer.insert("codes", Value::map(codes));
    }

    /// Notes whom the pod preempts, and lets them be gone.
    fn make_room(&mut self, id: ObjectId, victims: &[ObjectId], answer: &mut Map) {
        let nominated = self.store.pod(id.slot).nominated.expect("victims make room somewhere");
        answer.insert("nominated", self.store.strings.text(nominated));
        let mut names: Vec<String> = victims.iter().map(|id| self.full_name(*id)).collect();
        names.sort_unstable();
        answer.insert("victims", Value::list(names.into_iter().map(Value::from)));
        let at_once = DeleteOptions { grace_seconds: Some(0), ..DeleteOptions::default() };
        for victim in victims {
            if self.store.row(*victim).is_some() {
                let deleted = self.store.delete(*victim, &at_once);
                deleted.expect("a delete without preconditions succeeds");
            }
        }
    }

    fn full_name(&self, id: ObjectId) -> String {
        let body = self.store.body(id).expect("it exists");
        let namespace = body.namespace.map_or("", |id| self.store.strings.text(id));
        format!("{namespace}/{}", self.store.name(id).unwrap_or_default())
    }

    fn name(&self, id: NodeId) -> Text {
        self.scheduler.cache().nodes.info(id).name.clone()
    }
}

/// What the API's defaulting does to resources before a scheduler sees them.
fn with_requests_of_limits(mut object: Value) -> Value {
    if object.str_at(&["kind"]) != Some("Pod") && object.at(&["spec", "containers"]).is_none() {
        return object;
    }
    for list in ["containers", "initContainers"] {
        if object.list_at(&["spec", list]).is_empty() {
            continue;
        }
        let spec = object.map_mut().entry("spec").map_mut();
        for container in spec.entry(list).list_mut() {
            let limits = container.at(&["resources", "limits"]).and_then(Value::as_map).cloned();
            for (name, limit) in limits.iter().flat_map(Map::iter) {
                if container.at(&["resources", "requests", name]).is_none() {
                    container.set(&["resources", "requests", name], limit.clone());
                }
            }
        }
    }
    object
}
