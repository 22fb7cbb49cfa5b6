//! Whole manifests in one call: applying them, and putting dumps back.

use pyo3::prelude::*;
use pyo3::types::PyAny;
use wavetank_core::api::convert;
use wavetank_core::api::{ApiError, Registry};
use wavetank_core::base::Value;
use wavetank_core::store::create::{WriteOptions, Written};
use wavetank_core::store::dump;

use crate::convert::{value_from_py, value_to_py};
use crate::error::{ManifestError, api_error};
use crate::manifest::Document;
use crate::objects::read_strictness;
use crate::world::{World, kind_id};

/// What became of one object: `(word, name, namespace, warnings)`, the name as kubectl prints it:
/// `deployment.apps/web`.
type Outcome = Result<(&'static str, String, Option<String>, Vec<String>), Refusal>;

/// Why an object was not taken.
enum Refusal {
    /// The API server's answer.
    Api(ApiError),
    /// It never came to that: its version is gone.
    Removed(String),
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Api(error)
    }
}

#[pymethods]
impl World {
    /// Applies documents in order, each on its own, as `kubectl apply` does. For each
    /// `(word, name, namespace, warnings)`, or the exception it met.
    #[pyo3(signature = (documents, namespace=None, *, dry_run=false, field_validation="Warn"))]
    fn apply_all<'py>(
        &self,
        py: Python<'py>,
        documents: Vec<Bound<'py, Document>>,
        namespace: Option<&str>,
        dry_run: bool,
        field_validation: &str,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let strictness = read_strictness(field_validation)?;
        let options = WriteOptions { namespace: namespace.map(Into::into), dry_run, strictness };
        let values = values(&documents);
        let outcomes: Vec<Outcome> = self.enter(py, |inner| {
            let store = &mut inner.engine.store;
            let mut apply = |value: &Value| -> Outcome {
                let (value, upgraded) = current(value, &store.registry)?;
                let (applied, written) = store.apply(&value, &options)?;
                Ok(done(applied.word(), written, upgraded))
            };
            values.iter().map(&mut apply).collect()
        });
        outcomes.into_iter().map(|outcome| to_py(py, outcome)).collect()
    }

    /// Puts the objects of a dump back as the state they were. For each
    /// `("restored", name, namespace, warnings)` or the exception it met; and sentences about
    /// what the dump does not have.
    #[pyo3(signature = (documents, *, field_validation="Warn"))]
    fn restore_all<'py>(
        &self,
        py: Python<'py>,
        documents: Vec<Bound<'py, Document>>,
        field_validation: &str,
    ) -> PyResult<(Vec<Bound<'py, PyAny>>, Vec<String>)> {
        let strictness = read_strictness(field_validation)?;
        let values = values(&documents);
        let (outcomes, notes) = self.enter(py, |inner| {
            let store = &mut inner.engine.store;
            let mut outcomes: Vec<Option<Outcome>> = Vec::new();
            let (mut places, mut objects, mut upgrades) = (Vec::new(), Vec::new(), Vec::new());
            for value in &values {
                match current(value, &store.registry) {
                    Ok((object, upgraded)) => {
                        places.push(outcomes.len());
                        objects.push(object);
                        upgrades.push(upgraded);
                        outcomes.push(None);
                    }
                    Err(refusal) => outcomes.push(Some(Err(refusal))),
                }
            }
            let restored = store.restore_all(&objects, strictness);
            inner.engine.adopt_control_plane();
            let found = restored.results.into_iter().zip(upgrades).zip(places);
            for ((result, upgraded), at) in found {
                let outcome = result.map_err(Refusal::from);
                outcomes[at] = Some(outcome.map(|written| done("restored", written, upgraded)));
            }
            (outcomes, restored.notes)
        });
        let outcomes: PyResult<Vec<_>> =
            outcomes.into_iter().flatten().map(|outcome| to_py(py, outcome)).collect();
        Ok((outcomes?, notes))
    }

    /// An object of a removed version as one of its successor: `(object, warning)`; None when
    /// the cluster takes it as it is.
    fn upgrade<'py>(
        &self,
        py: Python<'py>,
        object: &Bound<PyAny>,
    ) -> PyResult<Option<(Bound<'py, PyAny>, String)>> {
        let value = value_from_py(object)?;
        let registry = self.enter(py, |inner| inner.engine.store.registry.clone());
        match current(&value, &registry) {
            Ok((_, None)) => Ok(None),
            Ok((object, Some(warning))) => Ok(Some((value_to_py(py, &object)?, warning))),
            Err(refusal) => Err(refusal.into_exception()),
        }
    }
}

#[pymethods]
impl World {
    /// Objects of one kind in another version of it, as the API server converts them.
    fn in_version<'py>(
        &self,
        py: Python<'py>,
        kind: usize,
        version: &str,
        objects: Vec<Bound<'py, PyAny>>,
    ) -> PyResult<Vec<Bound<'py, PyAny>>> {
        let registry = self.enter(py, |inner| inner.engine.store.registry.clone());
        let kind = registry.kind(kind_id(kind));
        objects
            .iter()
            .map(|object| {
                value_to_py(py, &convert::convert(kind, &value_from_py(object)?, version))
            })
            .collect()
    }
}

impl Refusal {
    fn into_exception(self) -> PyErr {
        match self {
            Self::Api(error) => api_error(&error),
            Self::Removed(sentence) => ManifestError::new_err(sentence),
        }
    }
}

/// The document in a version the cluster serves, and what to say when that is another one.
fn current(value: &Value, registry: &Registry) -> Result<(Value, Option<String>), Refusal> {
    let upgraded = convert::upgrade(value).map_err(Refusal::Removed)?;
    if let Some(upgraded) = upgraded {
        return Ok((upgraded.object, Some(upgraded.warning)));
    }
    let text = |key: &str| value.str_at(&[key]).unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let deprecation = registry.find(api_version, kind).map(|found| &found.version.deprecation);
    Ok((value.clone(), deprecation.filter(|warning| !warning.is_empty()).cloned()))
}

fn done(
    word: &'static str,
    written: Written,
    upgraded: Option<String>,
) -> (&'static str, String, Option<String>, Vec<String>) {
    let text = |path: &[&str]| written.object.str_at(path).unwrap_or_default();
    let group = text(&["apiVersion"]).split_once('/').map_or("", |(group, _)| group);
    let dot = if group.is_empty() { "" } else { "." };
    let kind = text(&["kind"]).to_lowercase();
    let name = format!("{kind}{dot}{group}/{}", text(&["metadata", "name"]));
    let namespace = written.object.str_at(&["metadata", "namespace"]).map(ToOwned::to_owned);
    (word, name, namespace, upgraded.into_iter().chain(written.warnings).collect())
}

fn values(documents: &[Bound<Document>]) -> Vec<Value> {
    documents.iter().map(|document| document.get().value.clone()).collect()
}

fn to_py(py: Python, outcome: Outcome) -> PyResult<Bound<PyAny>> {
    match outcome {
        Ok(done) => Ok(done.into_pyobject(py)?.into_any()),
        Err(refusal) => Ok(refusal.into_exception().into_value(py).into_bound(py).into_any()),
    }
}

/// The latest time that objects tell of, nanoseconds since the Unix epoch; None if none does.
#[pyfunction]
pub fn latest_time(py: Python, documents: Vec<Bound<Document>>) -> Option<i64> {
    let values = values(&documents);
    py.detach(|| values.iter().filter_map(dump::latest_time).max()).map(|time| time.0)
}
