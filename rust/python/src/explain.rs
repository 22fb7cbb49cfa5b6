//! Why a pod is where it is, or nowhere, on branches of the cluster.

use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict, PyList};
use wavetank_core::api::ApiResult;
use wavetank_core::base::{Text, Value};
use wavetank_core::engine::explain::{Explained, Tried};
use wavetank_core::sched::explain::{Judgement, No};
use wavetank_core::store::ObjectId;

use crate::convert::value_from_py;
use crate::error::{api_error, value_error};
use crate::world::World;

/// The word for a pod that does not exist any more.
const GONE: &str = "the pod is gone";

#[pymethods]
impl World {
    /// What every node says of a pod, given by its key, as it is or in the form given, and what
    /// the scheduler does with it. The cluster itself does not change.
    #[pyo3(signature = (pod, form=None))]
    fn explain<'py>(
        &self,
        py: Python<'py>,
        pod: i64,
        form: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let form = form.as_ref().map(value_from_py).transpose()?;
        let found = self.enter(py, |inner| {
            let pod = inner.engine.store.from_bits(pod)?;
            Some(inner.engine.explain(pod, form))
        });
        let found = found.ok_or_else(|| value_error(GONE.to_owned()))?;
        explained_to_py(py, found.map_err(|error| api_error(&error))?)
    }

    /// Tries pods, each a key and a form of it or none, in order on a branch of their own:
    /// per pod node, message, victims and whether the scheduler leaves it alone.
    fn try_pods<'py>(
        &self,
        py: Python<'py>,
        pods: Vec<(i64, Option<Bound<'py, PyAny>>)>,
    ) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let pods: PyResult<Vec<(i64, Option<Value>)>> = pods
            .into_iter()
            .map(|(key, form)| Ok((key, form.as_ref().map(value_from_py).transpose()?)))
            .collect();
        let pods = pods?;
        let tried = self.enter(py, |inner| -> Option<ApiResult<Vec<Tried>>> {
            let known = pods.into_iter().map(|(key, form)| {
                let pod: ObjectId = inner.engine.store.from_bits(key)?;
                Some((pod, form))
            });
            let known: Option<Vec<_>> = known.collect();
            Some(inner.engine.try_pods(&known?))
        });
        let tried = tried.ok_or_else(|| value_error(GONE.to_owned()))?;
        let tried = tried.map_err(|error| api_error(&error))?;
        tried.iter().map(|one| tried_to_py(py, one)).collect()
    }

    /// How a pod stands in the scheduler's queue: state, attempts and since when, in
    /// nanoseconds.
    fn waiting(&self, py: Python, pod: i64) -> PyResult<(&'static str, u32, i64)> {
        let waiting = self.enter(py, |inner| {
            let pod = inner.engine.store.from_bits(pod)?;
            Some(inner.engine.waiting(pod))
        });
        let waiting = waiting.ok_or_else(|| value_error(GONE.to_owned()))?;
        Ok((waiting.state, waiting.attempts, waiting.since.0))
    }
}

fn texts<'a>(words: impl IntoIterator<Item = &'a Text>) -> Vec<&'a str> {
    words.into_iter().map(Text::as_str).collect()
}

fn tried_to_py<'py>(py: Python<'py>, tried: &Tried) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("node", tried.node.as_deref())?;
    dict.set_item("message", tried.message.as_str())?;
    dict.set_item("victims", texts(&tried.victims))?;
    dict.set_item("left_alone", tried.left_alone)?;
    Ok(dict)
}

fn no_to_py<'py>(py: Python<'py>, no: &No) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("plugin", no.plugin.as_str())?;
    dict.set_item("code", no.code.name())?;
    dict.set_item("reasons", texts(&no.reasons))?;
    dict.set_item("detail", no.detail)?;
    let taints: Vec<Vec<&str>> = no.taints.iter().map(texts).collect();
    dict.set_item("taints", taints)?;
    Ok(dict)
}

fn explained_to_py(py: Python, found: Explained) -> PyResult<Bound<PyDict>> {
    let dict = judgement_to_py(py, found.judgement, &found.kept_away_by)?;
    dict.set_item("tried", tried_to_py(py, &found.tried)?)?;
    dict.set_item("feasible", texts(&found.scored.nodes))?;
    dict.set_item("totals", found.scored.totals.into_pyarray(py))?;
    let scores = PyDict::new(py);
    for (plugin, column) in found.scored.by_plugin {
        scores.set_item(plugin.as_str(), column.into_pyarray(py))?;
    }
    dict.set_item("scores", scores)?;
    Ok(dict)
}

fn judgement_to_py<'py>(
    py: Python<'py>,
    found: Judgement,
    kept_away_by: &[Text],
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    dict.set_item("nodes", texts(&found.nodes))?;
    dict.set_item("said", found.said.into_pyarray(py))?;
    let verdicts = PyList::empty(py);
    for verdict in &found.verdicts {
        let noes: PyResult<Vec<_>> = verdict.iter().map(|no| no_to_py(py, no)).collect();
        verdicts.append(noes?)?;
    }
    dict.set_item("verdicts", verdicts)?;
    let blocked: Vec<(&str, &str)> =
        found.blocked.iter().map(|(plugin, why)| (plugin.as_str(), why.as_str())).collect();
    dict.set_item("blocked", blocked)?;
    let supplies = PyDict::new(py);
    for supply in found.supplies {
        let columns = (supply.free.into_pyarray(py), supply.allocatable.into_pyarray(py));
        supplies.set_item(supply.name.as_str(), (supply.asked, columns.0, columns.1))?;
    }
    dict.set_item("supplies", supplies)?;
    let skews = PyList::empty(py);
    for skew in found.skews {
        skews.append((skew.key.as_str(), skew.most, skew.skews.into_pyarray(py)))?;
    }
    dict.set_item("skews", skews)?;
    dict.set_item("requirements", texts(&found.requirements))?;
    let away: Vec<(&str, &str, &str)> = found
        .kept_away_by
        .iter()
        .zip(kept_away_by)
        .map(|((_, node, key), pod)| (pod.as_str(), node.as_str(), key.as_str()))
        .collect();
    dict.set_item("kept_away_by", away)?;
    dict.set_item("priorities", found.priorities)?;
    Ok(dict)
}
