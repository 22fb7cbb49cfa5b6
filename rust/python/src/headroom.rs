//! Trying how many pods fit, on branches of the cluster.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict};
use wavetank_core::api::ApiResult;
use wavetank_core::engine::World as Engine;
use wavetank_core::engine::headroom::{Copies, End, Headroom};

use crate::convert::value_from_py;
use crate::error::api_error;
use crate::world::World;

/// How often Ctrl-C is looked for.
const PATIENCE: Duration = Duration::from_millis(50);

#[pymethods]
impl World {
    /// For each of `copies`, the key of an owner or a pod, how many more fit, at most
    /// `at_most`, or without that as many as can be told: `{"count", "nodes": {name: count}, "end", "message"}`, or the exception that
    /// creating one raises. The ends are "asked", "unschedulable" and "not scheduled". The
    /// cluster itself does not change.
    #[pyo3(signature = (copies, at_most=None))]
    fn headroom<'py>(
        &self,
        py: Python<'py>,
        copies: Vec<Bound<'py, PyAny>>,
        at_most: Option<usize>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let branch = self.enter(py, |inner| inner.engine.clone());
        let copies: PyResult<Vec<Option<Copies>>> =
            copies.iter().map(|given| read_copies(&branch, given)).collect();
        let copies = copies?;
        let known: Vec<Copies> = copies.iter().flatten().cloned().collect();
        let found = watch_for_ctrl_c(py, |stop| branch.headrooms(&known, at_most, stop))?;
        let mut found = found.into_iter();
        copies.iter().map(|copies| to_py(py, copies.as_ref().and_then(|_| found.next()))).collect()
    }

    /// Names of the nodes that a pod's selector, required affinity and tolerations leave to it.
    fn eligible_nodes(&self, py: Python, pod: &Bound<PyAny>) -> PyResult<Vec<String>> {
        let pod = value_from_py(pod)?;
        let names = self.enter(py, |inner| inner.engine.eligible_nodes(pod));
        let names = names.map_err(|error| api_error(&error))?;
        Ok(names.iter().map(ToString::to_string).collect())
    }
}

/// The key of an owner, if it still exists, or a pod.
fn read_copies(branch: &Engine, given: &Bound<PyAny>) -> PyResult<Option<Copies>> {
    match given.extract::<i64>() {
        Ok(key) => Ok(branch.store.from_bits(key).map(Copies::Owner)),
        Err(_) => value_from_py(given).map(|pod| Some(Copies::Pod(pod))),
    }
}

fn to_py(py: Python, found: Option<ApiResult<Headroom>>) -> PyResult<Bound<PyAny>> {
    let found = match found {
        None => return Ok(py.None().into_bound(py)),
        Some(Err(error)) => return Ok(api_error(&error).into_value(py).into_bound(py).into_any()),
        Some(Ok(found)) => found,
    };
    let (end, message) = match &found.end {
        End::Asked => ("asked", None),
        End::Unschedulable(message) => ("unschedulable", Some(message.as_str())),
        End::NotScheduled => ("not scheduled", None),
        End::Interrupted => ("interrupted", None),
    };
    let nodes = PyDict::new(py);
    for (name, count) in &found.nodes {
        nodes.set_item(name.as_str(), count)?;
    }
    let dict = PyDict::new(py);
    dict.set_item("count", found.count)?;
    dict.set_item("nodes", nodes)?;
    dict.set_item("end", end)?;
    dict.set_item("message", message)?;
    Ok(dict.into_any())
}

/// Runs `work` on other threads and raises KeyboardInterrupt when asked to stop.
fn watch_for_ctrl_c<T: Send>(
    py: Python,
    work: impl FnOnce(&AtomicBool) -> T + Send,
) -> PyResult<T> {
    let stop = AtomicBool::new(false);
    py.detach(|| {
        std::thread::scope(|scope| {
            let (done, finished) = channel();
            let stop = &stop;
            scope.spawn(move || done.send(work(stop)));
            loop {
                match finished.recv_timeout(PATIENCE) {
                    Ok(found) => return Ok(found),
                    Err(RecvTimeoutError::Timeout) => {
                        let signals: PyResult<()> = Python::attach(|py| {
                            py.check_signals()?;
                            Ok(())
                        });
                        if let Err(signal) = signals {
                            stop.store(true, Ordering::Relaxed);
                            return Err(signal);
                        }
                    }
                    // The thread panicked; leaving the scope passes that on.
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(pyo3::exceptions::PyRuntimeError::new_err("a thread died"));
                    }
                }
            }
        })
    })
}
