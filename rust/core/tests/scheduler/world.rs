//! A store and a scheduler on it, with shorthands for tests.

use std::sync::Arc;

use wavetank_core::api::{Registry, Rules};
use wavetank_core::base::{Nanos, Time, Value};
use wavetank_core::sched::{Config, Decision, DecisionResult, Scheduler};
use wavetank_core::store::create::{Strictness, WriteOptions};
use wavetank_core::store::update::Part;
use wavetank_core::store::{ObjectId, Store};

/// A store and a scheduler on it.
#[derive(Clone)]
pub struct World {
    pub store: Store,
    pub scheduler: Scheduler,
    pub seen: u64,
}

pub fn json(text: &str) -> Value {
    Value::from_json(text).unwrap_or_else(|error| panic!("{error:?} in {text}"))
}

impl World {
    pub fn new() -> Self {
        Self::with(Config::default())
    }

    pub fn with(config: Config) -> Self {
        let now = Time::from_unix_secs(1_000_000);
        let store = Store::new(Registry::new(), rules(), 7, now);
        let mut scheduler = Scheduler::new(Arc::new(config), 7, now);
        scheduler.keep_scores(true);
        let mut world = Self { store, scheduler, seen: 0 };
        world.create(&json(
            r#"{"apiVersion":"v1","kind":"Namespace","metadata":{"name":"default"}}"#,
        ));
        world
    }

    /// Puts an object into the store as it is.
    pub fn restore(&mut self, object: &Value) -> ObjectId {
        self.store.restore(object.clone(), Strictness::Ignore).unwrap().id
    }

    pub fn create(&mut self, object: &Value) -> ObjectId {
        self.store.create(object.clone(), &WriteOptions::default()).unwrap().id
    }

    pub fn update(&mut self, object: &Value, part: Part) {
        self.store.update(object.clone(), part, &WriteOptions::default()).unwrap();
    }

    /// A node of this size; `more` goes into its spec.
    pub fn node(&mut self, name: &str, cpu: &str, more: &str) -> ObjectId {
        self.create(&json(&format!(
            r#"{{"apiVersion":"v1","kind":"Node","metadata":{{"name":"{name}",
            "labels":{{"kubernetes.io/hostname":"{name}"}}}},"spec":{{{more}}},
            "status":{{"allocatable":{{"cpu":"{cpu}","memory":"8Gi","pods":"10"}}}}}}"#
        )))
    }

    /// A pod that asks for this much CPU; `more` goes into its spec.
    pub fn pod(&mut self, name: &str, cpu: &str, more: &str) -> ObjectId {
        self.restore(&json(&format!(
            r#"{{"apiVersion":"v1","kind":"Pod","metadata":{{"name":"{name}",
            "labels":{{"app":"{name}"}}}},"spec":{{"containers":[{{"name":"c","image":"i",
            "resources":{{"requests":{{"cpu":"{cpu}","memory":"128Mi"}}}}}}]{more}}}}}"#
        )))
    }

    /// Lets the scheduler see everything written so far.
    pub fn observe(&mut self) {
        let to = self.store.revision();
        self.scheduler.observe(&self.store, self.seen, to);
        self.seen = to;
    }

    /// One cycle after everything was seen.
    pub fn step(&mut self) -> Option<Decision> {
        self.observe();
        self.scheduler.schedule_one(&mut self.store)
    }

    /// Cycles until no pod is ready; what each came to in short.
    pub fn run(&mut self) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(decision) = self.step() {
            lines.push(self.describe(&decision));
        }
        lines
    }

    pub fn describe(&self, decision: &Decision) -> String {
        let name = self.store.name(decision.pod).unwrap_or_default();
        match &decision.result {
            DecisionResult::Bound(node) => format!("{name} -> {}", self.store.strings.text(*node)),
            DecisionResult::Unschedulable { message, .. } => format!("{name}: {message}"),
            DecisionResult::Skipped => format!("{name} skipped"),
        }
    }

    pub fn pass(&mut self, seconds: i64) {
        self.store.now = self.store.now.after(Nanos::from_secs(seconds));
    }

    /// Saves store and scheduler and loads both again.
    pub fn reload(&self) -> Self {
        let store = Store::from_bytes(&self.store.to_bytes(), rules()).unwrap();
        let bytes = postcard::to_stdvec(&self.scheduler.to_saved()).unwrap();
        let saved = postcard::from_bytes(&bytes).unwrap();
        let config = Arc::clone(self.scheduler.config());
        let mut scheduler = Scheduler::from_saved(saved, config, &store, self.seen).unwrap();
        scheduler.keep_scores(true);
        Self { store, scheduler, seen: self.seen }
    }
}

pub fn rules() -> Arc<Rules> {
    Arc::default()
}
