//! How long decisions take by the wall clock. The figures go to whoever asked for them and
//! nowhere else: no decision sees them.

use std::time::{Duration, Instant};

use numpy::{IntoPyArray, PyArray1};
use pyo3::prelude::*;
use wavetank_core::base::StrId;
use wavetank_core::engine::Watcher;
use wavetank_core::labels::Selector;
use wavetank_core::sched::{Decision, DecisionResult};
use wavetank_core::store::{ObjectId, Store};

use crate::error::value_error;
use crate::world::World;

/// What became of a pod, as a number.
mod outcome {
    pub const SKIPPED: u8 = 0;
    pub const UNSCHEDULABLE: u8 = 1;
    pub const BOUND: u8 = 2;
    /// Bound, and one of those that are counted.
    pub const COUNTED: u8 = 3;
}

/// Nanoseconds and outcome of each decision, and nanoseconds of taking in what was written.
type Measured<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<u8>>, i64);

/// What was measured since it was asked for.
pub struct Measure {
    /// The namespaces whose pods are counted; all when absent.
    namespaces: Option<Vec<String>>,
    /// The labels of the pods that are counted.
    selector: Selector,
    began: Instant,
    durations_ns: Vec<i64>,
    outcomes: Vec<u8>,
    observing: Duration,
    /// The namespace looked at last, and whether its pods are counted.
    last: Option<(StrId, bool)>,
}

impl Measure {
    fn new(namespaces: Option<Vec<String>>, selector: Selector) -> Self {
        Self {
            namespaces,
            selector,
            began: clock(),
            durations_ns: Vec::new(),
            outcomes: Vec::new(),
            observing: Duration::ZERO,
            last: None,
        }
    }

    fn counts(&mut self, store: &Store, pod: ObjectId) -> bool {
        let Some(body) = store.body(pod) else { return false };
        let Some(namespace) = body.namespace else { return false };
        let known = self.last.filter(|(last, _)| *last == namespace).map(|(_, counted)| counted);
        let counted = known.unwrap_or_else(|| {
            let name = store.strings.text(namespace);
            self.namespaces.as_ref().is_none_or(|names| names.iter().any(|one| one == name))
        });
        self.last = Some((namespace, counted));
        counted && store.sets.matches(body.labels, &self.selector)
    }
}

impl Watcher for Measure {
    fn observing(&mut self) {
        self.began = clock();
    }

    fn observed(&mut self) {
        self.observing += clock() - self.began;
    }

    fn deciding(&mut self) {
        self.began = clock();
    }

    fn decided(&mut self, store: &Store, decision: &Decision) {
        let took = clock() - self.began;
        self.durations_ns.push(i64::try_from(took.as_nanos()).unwrap_or(i64::MAX));
        let outcome = match &decision.result {
            DecisionResult::Skipped => outcome::SKIPPED,
            DecisionResult::Unschedulable { .. } => outcome::UNSCHEDULABLE,
            DecisionResult::Bound(_) if self.counts(store, decision.pod) => outcome::COUNTED,
            DecisionResult::Bound(_) => outcome::BOUND,
        };
        self.outcomes.push(outcome);
    }
}

#[expect(clippy::disallowed_methods, reason = "what is measured is shown, never acted on")]
fn clock() -> Instant {
    Instant::now()
}

#[pymethods]
impl World {
    /// Begins to measure decisions by the wall clock, from queue to written binding or refusal.
    /// Bound pods of these namespaces (all when None) and labels are counted.
    #[pyo3(signature = (namespaces=None, label_selector=None))]
    fn measure(
        &self,
        py: Python,
        namespaces: Option<Vec<String>>,
        label_selector: Option<&str>,
    ) -> PyResult<()> {
        let selector = match label_selector {
            Some(text) => Selector::parse(text).map_err(|error| value_error(error.to_string()))?,
            None => Selector::everything(),
        };
        let measure = Measure::new(namespaces, selector);
        self.enter(py, |inner| inner.measure = Some(measure));
        Ok(())
    }

    /// Ends measuring: `(nanoseconds of each decision, outcomes, nanoseconds spent on taking in
    /// what was written)`. Outcomes are 0 left alone, 1 unschedulable, 2 bound, 3 bound and
    /// counted. None when nothing was asked for.
    fn measured<'py>(&self, py: Python<'py>) -> Option<Measured<'py>> {
        let measure = self.enter(py, |inner| inner.measure.take())?;
        let observing = i64::try_from(measure.observing.as_nanos()).unwrap_or(i64::MAX);
        let Measure { durations_ns, outcomes, .. } = measure;
        Some((durations_ns.into_pyarray(py), outcomes.into_pyarray(py), observing))
    }
}
