//! `World`: a cluster behind a lock. Every method leaves the GIL while the core works, so other
//! Python threads run meanwhile and the lock is never awaited with the GIL held.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use numpy::PyReadonlyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use wavetank_core::api::{KindId, Registry};
use wavetank_core::base::{Latencies, Latency, Nanos, Time, Value};
use wavetank_core::engine::consumer::Role;
use wavetank_core::engine::{Setup, World as Engine};
use wavetank_core::net::dns::serve::Published;
use wavetank_core::sched::configuration;
use wavetank_core::store::ObjectId;
use wavetank_core::store::ranges::{Given, Ranges};

use crate::convert::value_from_py;
use crate::error::value_error;
use crate::measure::Measure;
use crate::policy::{LockedColumns, read_plugins};
use crate::rules::PyRules;

/// A cluster: objects, clock and everything that acts in it.
#[pyclass(frozen, module = "wavetank._core")]
pub struct World {
    inner: Mutex<Inner>,
    /// What plugins of the scheduler read of nodes.
    pub columns: LockedColumns,
}

/// What the lock protects.
pub struct Inner {
    /// The cluster.
    pub engine: Engine,
    /// The batch a controller was handed and has not answered.
    pub handed: Option<(u16, Vec<ObjectId>)>,
    /// How long decisions take, while somebody wants to know.
    pub measure: Option<Measure>,
    /// DNS servers on real sockets, and what they were told last.
    pub served: Vec<Weak<Published>>,
}

impl World {
    /// A world around an engine.
    pub fn around(engine: Engine) -> Self {
        let inner = Mutex::new(Inner { engine, handed: None, measure: None, served: Vec::new() });
        Self { inner, columns: LockedColumns::default() }
    }

    /// Runs `work` on the cluster without the GIL.
    pub fn enter<T: Send>(&self, py: Python, work: impl FnOnce(&mut Inner) -> T + Send) -> T {
        py.detach(|| {
            // A panic is a bug of ours; the state behind it is still what the caller has.
            let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
            let done = work(&mut inner);
            if !inner.served.is_empty() {
                inner.publish();
            }
            done
        })
    }
}

impl Inner {
    /// Tells DNS servers what the names are now.
    fn publish(&mut self) {
        let now = self.engine.now();
        let dns = self.engine.dns();
        self.served
            .retain(|served| served.upgrade().inspect(|served| served.publish(dns, now)).is_some());
    }
}

#[pymethods]
impl World {
    #[new]
    #[pyo3(signature = (
        rules, *, seed, start_ns, latencies, scheduler="", scheduler_file="", plugins=vec![],
        without=vec![], ranges=None
    ))]
    fn new(
        rules: &Bound<PyRules>,
        seed: u64,
        start_ns: i64,
        latencies: &Bound<PyDict>,
        scheduler: &str,
        scheduler_file: &str,
        plugins: Vec<Bound<PyDict>>,
        without: Vec<String>,
        ranges: Option<&Bound<PyDict>>,
    ) -> PyResult<Self> {
        let rules = Arc::clone(&rules.get().rules);
        let plugins: PyResult<Vec<Value>> =
            plugins.iter().map(|plugin| value_from_py(plugin.as_any())).collect();
        let plugins = read_plugins(&plugins?).map_err(value_error)?;
        let config = configuration::reread_with(scheduler, plugins)
            .map_err(|error| value_error(of_file(scheduler_file, error)))?;
        let setup = Setup {
            seed,
            start: Time(start_ns),
            latencies: read_latencies(latencies)?,
            scheduler: Arc::new(config),
            ranges: read_ranges(ranges)?,
        };
        let mut engine = Engine::new(Registry::new(), rules, setup);
        for part in &without {
            leave_out(&mut engine, part)?;
        }
        Ok(Self::around(engine))
    }

    /// The virtual time, nanoseconds since the Unix epoch.
    #[getter]
    fn now_ns(&self, py: Python) -> i64 {
        self.enter(py, |inner| inner.engine.now().0)
    }

    /// The resourceVersion of the latest write.
    #[getter]
    fn revision(&self, py: Python) -> u64 {
        self.enter(py, |inner| inner.engine.store.revision())
    }

    /// Where addresses come from: texts by option, as given to the constructor.
    fn ranges(&self, py: Python) -> Vec<(&'static str, String)> {
        let ranges = self.enter(py, |inner| Arc::clone(&inner.engine.store.ranges));
        let joined =
            |blocks: &mut dyn Iterator<Item = String>| blocks.collect::<Vec<_>>().join(",");
        vec![
            ("service_cidr", joined(&mut ranges.services.iter().map(ToString::to_string))),
            ("pod_cidr", joined(&mut ranges.pods.iter().map(|range| range.cidr.to_string()))),
            ("node_cidr", joined(&mut ranges.nodes.iter().map(ToString::to_string))),
            ("api_server", ranges.api_server.to_string()),
        ]
    }

    /// A branch: the same cluster, going its own way from here.
    fn fork(&self, py: Python) -> Self {
        Self::around(self.enter(py, |inner| inner.engine.clone()))
    }

    /// The latencies by name, as given to the constructor.
    fn latencies<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let mut latencies = self.enter(py, |inner| inner.engine.latencies.clone());
        write_latencies(py, &mut latencies)
    }

    /// Replaces the latencies from now on.
    fn set_latencies(&self, py: Python, latencies: &Bound<PyDict>) -> PyResult<()> {
        let latencies = read_latencies(latencies)?;
        self.enter(py, |inner| inner.engine.latencies = latencies);
        Ok(())
    }

    /// The cluster as bytes.
    fn to_bytes<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let bytes = self.enter(py, |inner| inner.engine.to_bytes());
        PyBytes::new(py, &bytes)
    }

    /// The cluster some bytes (an array of uint8) stand for; `rules` as for the constructor.
    #[staticmethod]
    fn from_bytes(
        py: Python,
        data: PyReadonlyArray1<u8>,
        rules: &Bound<PyRules>,
    ) -> PyResult<Self> {
        let rules = Arc::clone(&rules.get().rules);
        let bytes = data.as_slice()?;
        let engine = py.detach(|| Engine::from_bytes(bytes, rules)).map_err(value_error)?;
        Ok(Self::around(engine))
    }
}

/// Ranges of addresses from a dict of texts, and of sizes for nodes.
fn read_ranges(given: Option<&Bound<PyDict>>) -> PyResult<Ranges> {
    let Some(given) = given else { return Ok(Ranges::default()) };
    let given = value_from_py(given.as_any())?;
    let text = |name: &str| given.str_at(&[name]).unwrap_or_default().to_owned();
    let lengths: PyResult<Vec<u8>> = given
        .list_at(&["node_cidr_mask_size"])
        .iter()
        .map(|length| {
            let length = length.as_int().unwrap_or(-1);
            u8::try_from(length).map_err(|_| {
                value_error(format!(
                    "node_cidr_mask_size: {length}: must be within the range [0, 128]"
                ))
            })
        })
        .collect();
    let given = Given {
        services: text("service_cidr"),
        pods: text("pod_cidr"),
        nodes: text("node_cidr"),
        node_prefix_lens: lengths?,
        api_server: text("api_server"),
    };
    Ranges::read(&given).map_err(value_error)
}

/// Takes a part out of a new cluster: "kubelets", "endpoints" or "priority-admission".
fn leave_out(engine: &mut Engine, part: &str) -> PyResult<()> {
    match part {
        "kubelets" => engine.leave_out(Role::Kubelets),
        "endpoints" => engine.leave_out(Role::Endpoints),
        "priority-admission" => engine.store.priority_admission = false,
        _ => return Err(value_error(format!("no such part of a cluster: {part:?}"))),
    }
    Ok(())
}

/// Kinds travel as small integers.
pub fn kind_id(number: usize) -> KindId {
    KindId::new(number)
}

/// Latencies from a dict of names: `{"constant_ns": n}`, `{"uniform_ns": [low, high]}` or
/// `{"lognormal": [median_ns, sigma]}` each; the byte figures are plain integers.
fn read_latencies(dict: &Bound<PyDict>) -> PyResult<Latencies> {
    let mut latencies = Latencies::ideal();
    for (name, latency) in latencies.fields_mut() {
        if let Some(given) = dict.get_item(name)? {
            *latency = read_latency(name, &value_from_py(&given)?)?;
        }
    }
    let bytes = |name: &str| -> PyResult<i64> {
        dict.get_item(name)?.map_or(Ok(0), |given| given.extract())
    };
    latencies.image_pull_bytes_per_second = bytes("image_pull_bytes_per_second")?;
    latencies.image_bytes_assumed = bytes("image_bytes_assumed")?;
    Ok(latencies)
}

/// An error of a scheduler configuration, after the name of the file it is from.
fn of_file(file: &str, error: String) -> String {
    match error.strip_prefix("configuration:") {
        _ if file.is_empty() => error,
        Some(line_and_error) => format!("{file}:{line_and_error}"),
        None => format!("{file}: {error}"),
    }
}

fn read_latency(name: &str, given: &Value) -> PyResult<Latency> {
    let number = |value: &Value| value.as_f64().map(|number| number as i64).map(Nanos);
    let pair = |key: &str| match given.list_at(&[key]) {
        [first, second] => number(first).zip(second.as_f64()),
        _ => None,
    };
    let latency = given
        .get("constant_ns")
        .and_then(number)
        .map(Latency::Constant)
        .or_else(|| pair("uniform_ns").map(|(low, high)| Latency::Uniform(low, Nanos(high as i64))))
        .or_else(|| pair("lognormal").map(|(median, sigma)| Latency::LogNormal(median, sigma)))
        .ok_or_else(|| value_error(format!("latency {name}: no such distribution")))?;
    latency.validate().map_err(|fault| value_error(format!("latency {name}: {fault}")))?;
    Ok(latency)
}

fn write_latencies<'py>(
    py: Python<'py>,
    latencies: &mut Latencies,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (name, latency) in latencies.fields_mut() {
        let one = PyDict::new(py);
        match latency {
            Latency::Constant(nanos) => one.set_item("constant_ns", nanos.0)?,
            Latency::Uniform(low, high) => one.set_item("uniform_ns", (low.0, high.0))?,
            Latency::LogNormal(median, sigma) => one.set_item("lognormal", (median.0, *sigma))?,
        }
        dict.set_item(name, one)?;
    }
    dict.set_item("image_pull_bytes_per_second", latencies.image_pull_bytes_per_second)?;
    dict.set_item("image_bytes_assumed", latencies.image_bytes_assumed)?;
    Ok(dict)
}
