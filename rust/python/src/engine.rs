//! The clock, controllers and node pools.

use std::time::{Duration, Instant};

use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyList};
use wavetank_core::base::{Map, Nanos, Text, Time, Value};
use wavetank_core::engine::controllers::{Answer, KeyOf, WatchRule};
use wavetank_core::engine::pools::Pool;
use wavetank_core::engine::{Stop, Until};
use wavetank_core::store::ObjectId;
use wavetank_core::store::events::EventPolicy;
use wavetank_core::store::recorder::Said;
use wavetank_core::store::update::Part;

use crate::convert::{value_from_py, value_to_py};
use crate::error::{PluginError, api_error, value_error};
use crate::objects::to_keys;
use crate::world::{Inner, World, kind_id};

/// Why the cluster came back, and the controller and keys that are ready, if any.
type Advanced<'py> = (&'static str, Option<u16>, Option<Bound<'py, PyList>>);

/// `(kind or all, what its writes yield, of which kind, spec only, deletions only)`.
type Watched = (Option<usize>, String, Option<usize>, bool, bool);

#[pymethods]
impl World {
    /// Adds a controller; its number.
    fn add_controller(&self, py: Python, name: &str, watches: Vec<Watched>) -> PyResult<u16> {
        let rules: PyResult<Vec<WatchRule>> = watches.into_iter().map(read_watch).collect();
        let rules = rules?;
        Ok(self.enter(py, |inner| inner.engine.add_controller(name, rules)))
    }

    /// Names of the controllers by number.
    fn controller_names(&self, py: Python) -> Vec<String> {
        self.enter(py, |inner| inner.engine.controller_names())
    }

    /// Lets the cluster act: `(reason, controller, keys)`. The reason is "deadline", "settled",
    /// "instant", "slice" when `slice_ms` of wall clock have passed, "keys" when a controller has
    /// work, or "plugin" when a plugin of the scheduler is asked something. Ctrl-C raises KeyboardInterrupt between two steps and leaves a consistent
    /// cluster.
    fn advance<'py>(
        &self,
        py: Python<'py>,
        until_ns: i64,
        mode: &str,
        slice_ms: u64,
    ) -> PyResult<Advanced<'py>> {
        let time = Time(until_ns);
        let until = match mode {
            "time" => Until::Time(time),
            "settled" => Until::Settled(time),
            "instant" => Until::NextInstant(time),
            _ => return Err(value_error(format!("no such way to advance: {mode:?}"))),
        };
        let mut signal: Option<PyErr> = None;
        #[expect(clippy::disallowed_methods, reason = "a slice of wall clock; no result sees it")]
        let began = Instant::now();
        let slice = Duration::from_millis(slice_ms);
        let stop = self.enter(py, |inner| {
            if inner.handed.is_some() {
                return Err(PyRuntimeError::new_err("a controller's batch was not answered"));
            }
            let mut calls = 0_u32;
            let mut interrupted = || {
                calls = calls.wrapping_add(1);
                if !calls.is_multiple_of(16) {
                    return false;
                }
                signal = Python::attach(|py| py.check_signals().err());
                signal.is_some() || began.elapsed() > slice
            };
            let Inner { engine, measure, .. } = inner;
            let stop = match measure {
                Some(measure) => engine.advance_watched(until, &mut interrupted, measure),
                None => engine.advance(until, &mut interrupted),
            };
            if let Stop::Keys(number, keys) = &stop {
                inner.handed = Some((*number, keys.clone()));
            }
            Ok(stop)
        })?;
        Ok(match stop {
            Stop::Deadline => ("deadline", None, None),
            Stop::Settled => ("settled", None, None),
            Stop::Instant => ("instant", None, None),
            Stop::Interrupted => match signal {
                Some(signal) => return Err(signal),
                None => ("slice", None, None),
            },
            Stop::Asked => ("plugin", None, None),
            Stop::Fault(fault) => return Err(PluginError::new_err(fault)),
            Stop::Keys(number, ids) => {
                let keys = PyList::new(py, ids.iter().map(|id| id.to_bits()))?;
                ("keys", Some(number), Some(keys))
            }
        })
    }

    /// Answers for the batch handed out last, in its order: `(word, nanoseconds)` each, the word
    /// being "done", "after", "timeout", "failed" or "put_back".
    fn answer(&self, py: Python, answers: Vec<(String, i64)>) -> PyResult<()> {
        let answers: PyResult<Vec<Answer>> = answers.iter().map(read_answer).collect();
        let answers = answers?;
        self.enter(py, |inner| {
            let Some((number, ids)) = inner.handed.take() else {
                return Err(PyRuntimeError::new_err("no batch waits for an answer"));
            };
            if ids.len() != answers.len() {
                let message = format!("{} answers for a batch of {}", answers.len(), ids.len());
                inner.handed = Some((number, ids));
                return Err(value_error(message));
            }
            let pairs: Vec<(ObjectId, Answer)> = ids.into_iter().zip(answers).collect();
            inner.engine.answer(number, &pairs);
            Ok(())
        })
    }

    /// Puts the batch handed out last back, if it was not answered: first in line next time.
    /// What a plugin of the scheduler was asked will be asked again.
    fn put_back(&self, py: Python) {
        self.enter(py, |inner| {
            inner.engine.scheduler.forget_answers();
            if let Some((number, ids)) = inner.handed.take() {
                let pairs: Vec<_> = ids.into_iter().map(|id| (id, Answer::PutBack)).collect();
                inner.engine.answer(number, &pairs);
            }
        });
    }

    /// How often each of these keys of the batch failed in a row.
    fn failures(&self, py: Python, controller: u16, keys: Vec<i64>) -> Vec<u32> {
        self.enter(py, |inner| {
            let id = |key: &i64| inner.engine.store.from_bits(*key);
            keys.iter()
                .map(|key| id(key).map_or(0, |id| inner.engine.failures(controller, id)))
                .collect()
        })
    }

    /// Offers waiting pods to the scheduler one at a time, in this order; for each whether a node
    /// took it. Those that no node takes are deleted.
    fn offer<'py>(
        &self,
        py: Python<'py>,
        keys: PyReadonlyArray1<i64>,
    ) -> PyResult<Bound<'py, PyArray1<bool>>> {
        let keys = keys.as_slice()?.to_vec();
        let taken = self.enter(py, |inner| {
            let ids = keys.iter().filter_map(|key| inner.engine.store.from_bits(*key));
            let ids: Vec<ObjectId> = ids.collect();
            if ids.len() < keys.len() {
                return Ok(None);
            }
            inner.engine.offer(&ids).map(Some)
        });
        let taken = taken.map_err(|error| api_error(&error))?;
        let taken =
            taken.ok_or_else(|| value_error("a key is of no pod that exists".to_owned()))?;
        Ok(taken.into_pyarray(py))
    }

    /// Which of the engine's events are kept: "all", "warnings" or "none".
    fn set_event_policy(&self, py: Python, policy: &str) -> PyResult<()> {
        let policy = match policy {
            "all" => EventPolicy::All,
            "warnings" => EventPolicy::Warnings,
            "none" => EventPolicy::None,
            _ => {
                return Err(value_error(format!(
                    "events are all, warnings or none, not {policy:?}"
                )));
            }
        };
        self.enter(py, |inner| inner.engine.store.set_event_policy(policy));
        Ok(())
    }

    /// How many versions of history watches can go back.
    fn set_history(&self, py: Python, versions: u64) {
        self.enter(py, |inner| inner.engine.set_history(versions));
    }

    /// Adds a pool of equal nodes; their keys.
    fn add_pool<'py>(
        &self,
        py: Python<'py>,
        pool: &Bound<PyDict>,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let pool = read_pool(&value_from_py(pool.as_any())?);
        let ids = self.enter(py, |inner| inner.engine.add_pool(&pool));
        Ok(to_keys(py, &ids.map_err(|error| api_error(&error))?))
    }

    /// Creates `count` pods from the owner's template; their keys.
    fn create_from_template<'py>(
        &self,
        py: Python<'py>,
        owner: i64,
        count: usize,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let created = self.enter(py, |inner| {
            let store = &mut inner.engine.store;
            match store.from_bits(owner) {
                Some(owner) => store.create_from_template(owner, count),
                None => Ok(Vec::new()),
            }
        });
        Ok(to_keys(py, &created.map_err(|error| api_error(&error))?))
    }

    /// Adopts and releases objects of a kind for an owner: keys of both.
    fn claim<'py>(
        &self,
        py: Python<'py>,
        owner: i64,
        kind: usize,
    ) -> (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray1<i64>>) {
        let claimed = self.enter(py, |inner| {
            let store = &mut inner.engine.store;
            let owner = store.from_bits(owner);
            owner.map(|owner| store.claim(owner, kind_id(kind))).unwrap_or_default()
        });
        (to_keys(py, &claimed.adopted), to_keys(py, &claimed.released))
    }

    /// For each owner how many pods it controls: an array of shape (owners, 6) with active,
    /// ready, terminating, succeeded, failed, and active pods of other labels than the first.
    fn pod_counts<'py>(&self, py: Python<'py>, owners: Vec<i64>) -> PyResult<Bound<'py, PyAny>> {
        let flat: Vec<i64> = self.enter(py, |inner| {
            let store = &inner.engine.store;
            let pods = &store.table(store.kinds.pod).owners;
            let counts = |key: &i64| {
                let uid = store.from_bits(*key).and_then(|id| store.row(id)?.uid);
                let counts = uid.map(|uid| pods.counts(uid)).unwrap_or_default();
                [
                    counts.active,
                    counts.ready,
                    counts.terminating,
                    counts.succeeded,
                    counts.failed,
                    counts.other_labels,
                ]
            };
            owners.iter().flat_map(counts).map(i64::from).collect()
        });
        flat.into_pyarray(py).call_method1("reshape", ((-1, 6),))
    }

    /// Objects of a kind that `owner` controls: `(key, object)` each, in slot order.
    fn controlled<'py>(
        &self,
        py: Python<'py>,
        owner: i64,
        kind: usize,
    ) -> PyResult<Vec<(i64, Bound<'py, PyAny>)>> {
        let objects: Vec<(i64, Value)> = self.enter(py, |inner| {
            let store = &inner.engine.store;
            let kind = kind_id(kind);
            let Some(uid) = store.from_bits(owner).and_then(|id| store.row(id)?.uid) else {
                return Vec::new();
            };
            let table = store.table(kind);
            let Some(slots) = table.owners.slots(uid) else { return Vec::new() };
            slots
                .iter()
                .map(|slot| table.id(kind, slot))
                .filter(|id| store.body(*id).is_some_and(|body| body.controller == Some(uid)))
                .map(|id| (id.to_bits(), store.get(id).expect("indexed")))
                .collect()
        });
        objects.iter().map(|(key, object)| Ok((*key, value_to_py(py, object)?))).collect()
    }

    /// Writes the status of an object by key; true when it changed.
    fn set_status(&self, py: Python, key: i64, status: &Bound<PyAny>) -> PyResult<bool> {
        let status = value_from_py(status)?;
        self.write(py, key, Part::Status, move |object| object.set(&["status"], status))
    }

    /// Merges annotations into an object by key through its status subresource; true when it
    /// changed.
    fn annotate(&self, py: Python, key: i64, annotations: &Bound<PyAny>) -> PyResult<bool> {
        let annotations = value_from_py(annotations)?;
        self.write(py, key, Part::Status, move |object| {
            for (name, value) in annotations.as_map().into_iter().flat_map(Map::iter) {
                object.set(&["metadata", "annotations", name], value.clone());
            }
        })
    }

    /// Records an event about an object by key.
    #[pyo3(signature = (key, event_type, reason, component, message, named=None))]
    fn record_event(
        &self,
        py: Python,
        key: i64,
        event_type: &str,
        reason: &str,
        component: &str,
        message: &str,
        named: Option<i64>,
    ) -> bool {
        self.enter(py, |inner| {
            let store = &mut inner.engine.store;
            let Some(id) = store.from_bits(key) else { return false };
            let other = named.and_then(|key| store.from_bits(key)).and_then(|id| store.row(id));
            let said = other.map_or(Said::Text(message), |row| Said::Named(message, row.name));
            store.record(id, event_type == "Warning", reason, component, said)
        })
    }

    /// Records one Normal event per object of `keys` about `about`; the message ends with the
    /// object's name.
    fn record_events(
        &self,
        py: Python,
        about: i64,
        reason: &str,
        component: &str,
        message: &str,
        keys: Vec<i64>,
    ) {
        self.enter(py, |inner| {
            let store = &mut inner.engine.store;
            let Some(id) = store.from_bits(about) else { return };
            for key in keys {
                let row = store.from_bits(key).and_then(|id| store.row(id));
                if let Some(name) = row.map(|row| row.name) {
                    store.record(id, false, reason, component, Said::Named(message, name));
                }
            }
        });
    }
}

impl World {
    /// Reads an object, changes it and writes it back; true when that changed anything.
    fn write(
        &self,
        py: Python,
        key: i64,
        part: Part,
        change: impl FnOnce(&mut Value) + Send,
    ) -> PyResult<bool> {
        let written = self.enter(py, |inner| {
            let store = &mut inner.engine.store;
            let Some(id) = store.from_bits(key) else { return Ok(false) };
            let mut object = store.get(id).expect("it exists");
            change(&mut object);
            let options = wavetank_core::store::create::WriteOptions::default();
            store.update(object, part, &options).map(|written| written.changed)
        });
        written.map_err(|error| api_error(&error))
    }
}

fn read_watch((kind, keys, of, spec_only, deletes_only): Watched) -> PyResult<WatchRule> {
    let of = of.map(kind_id);
    let keys = match (keys.as_str(), of) {
        ("itself", _) => KeyOf::Itself,
        ("namespace", _) => KeyOf::Namespace,
        ("controller", Some(kind)) => KeyOf::Controller(kind),
        ("selected", Some(kind)) => KeyOf::Selected(kind),
        _ => return Err(value_error(format!("no such mapping to keys: {keys:?}"))),
    };
    Ok(WatchRule { kind: kind.map(kind_id), keys, spec_only, deletes_only })
}

fn read_answer((word, nanos): &(String, i64)) -> PyResult<Answer> {
    match word.as_str() {
        "done" => Ok(Answer::Done),
        "after" => Ok(Answer::After(Nanos(*nanos))),
        "timeout" => Ok(Answer::TimeoutAfter(Nanos(*nanos))),
        "failed" => Ok(Answer::Failed),
        "put_back" => Ok(Answer::PutBack),
        _ => Err(value_error(format!("no such answer: {word:?}"))),
    }
}

fn read_pool(given: &Value) -> Pool {
    let texts = |field: &str| -> Vec<Text> {
        given.list_at(&[field]).iter().filter_map(|item| item.as_str().map(Text::from)).collect()
    };
    let map = |field: &str| given.get(field).and_then(Value::as_map).cloned().unwrap_or_default();
    Pool {
        names: texts("names"),
        capacity: map("capacity"),
        allocatable: map("allocatable"),
        labels: map("labels"),
        arch: given.str_at(&["arch"]).unwrap_or_default().into(),
        taints: given.list_at(&["taints"]).to_vec(),
        zones: texts("zones"),
        region: given.str_at(&["region"]).unwrap_or_default().into(),
        pods: given.int_at(&["pods"]).unwrap_or(110),
    }
}
