//! Manifests: text in, documents out; and the way back.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyAny;
use wavetank_core::base::{Text, Value};
use wavetank_core::manifest::{self, Document as CoreDocument, Limits, Step};

use crate::convert::{value_from_py, value_to_py};
use crate::error::ManifestError;

/// One object of a manifest. Objects of a `List` are documents of their own.
#[pyclass(frozen, module = "wavetank._core")]
pub struct Document {
    inner: Arc<CoreDocument>,
    /// Where the object stands in its document: empty, or `items` and a number.
    inside: Vec<Own>,
    /// What it says.
    pub value: Value,
}

/// A step that owns its key.
#[derive(Clone, FromPyObject)]
enum Own {
    Index(usize),
    Key(String),
}

#[pymethods]
impl Document {
    /// The object as a dict.
    fn object<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        value_to_py(py, &self.value)
    }

    /// The name of the text it came from, usually a path.
    #[getter]
    fn source(&self) -> &str {
        self.inner.source_name()
    }

    /// Which document of the text it is, counted from 1.
    #[getter]
    fn number(&self) -> usize {
        self.inner.number
    }

    /// The line a field stands on, counted from 1; that of its nearest parent when absent.
    #[pyo3(signature = (path=Vec::new()))]
    fn line(&self, path: Vec<Own>) -> usize {
        if path.is_empty() && self.inside.is_empty() {
            return self.inner.line;
        }
        let steps: Vec<Step> = self.inside.iter().chain(&path).map(Own::step).collect();
        self.inner.line_of(&steps)
    }

    /// What kubectl passes over in silence: `(line, sentence)` each.
    fn notices(&self) -> Vec<(usize, String)> {
        if !self.inside.is_empty() && self.inside != [Own::Key("items".into()), Own::Index(0)] {
            return Vec::new();
        }
        self.inner.notices.iter().map(|notice| (notice.line, notice.kind.to_string())).collect()
    }

    /// A string of the object, such as `kind`, by the path to it.
    #[pyo3(signature = (*path))]
    fn text(&self, path: Vec<String>) -> Option<&str> {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        self.value.str_at(&path)
    }

    /// A copy with another value at a path of keys.
    fn with_value(&self, path: Vec<String>, value: &Bound<PyAny>) -> PyResult<Self> {
        let mut changed = self.value.clone();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        changed.set(&path, value_from_py(value)?);
        Ok(Self { inner: Arc::clone(&self.inner), inside: self.inside.clone(), value: changed })
    }
}

impl PartialEq for Own {
    fn eq(&self, other: &Self) -> bool {
        self.step() == other.step()
    }
}

impl Own {
    fn step(&self) -> Step<'_> {
        match self {
            Self::Index(index) => Step::Index(*index),
            Self::Key(key) => Step::Key(key),
        }
    }
}

/// The objects of a manifest in order. Empty documents are skipped, lists are taken apart.
#[pyfunction]
#[pyo3(signature = (data, source, *, bytes_max=None))]
pub fn read_manifest(
    py: Python,
    data: &Bound<PyAny>,
    source: &str,
    bytes_max: Option<usize>,
) -> PyResult<Vec<Document>> {
    let bytes: Vec<u8> = match data.extract::<String>() {
        Ok(text) => text.into_bytes(),
        Err(_) => data.extract()?,
    };
    let mut limits = Limits::default();
    if let Some(bytes_max) = bytes_max {
        limits.bytes_max = bytes_max;
    }
    let documents = py.detach(|| manifest::read(&bytes, source, &limits));
    let documents = documents.map_err(|error| {
        let exception = ManifestError::new_err(error.to_string());
        let value = exception.value(py);
        let _ = value.setattr("source", &error.source_name);
        let _ = value.setattr("line", error.line);
        let _ = value.setattr("document", error.document);
        exception
    })?;
    let mut objects = Vec::with_capacity(documents.len());
    for document in documents {
        let value = document.value.clone();
        flatten(&Arc::new(document), Vec::new(), value, &mut objects);
    }
    Ok(objects)
}

/// Adds an object, or the items of a list, which may be lists themselves.
fn flatten(
    document: &Arc<CoreDocument>,
    inside: Vec<Own>,
    value: Value,
    objects: &mut Vec<Document>,
) {
    let is_list = value.str_at(&["kind"]).is_some_and(|kind| kind.ends_with("List"))
        && matches!(value.get("items"), Some(Value::List(_) | Value::Null));
    if !is_list {
        objects.push(Document { inner: Arc::clone(document), inside, value });
        return;
    }
    let (kind, version) = (value.get("kind").cloned(), value.get("apiVersion").cloned());
    for (at, item) in value.list_at(&["items"]).iter().enumerate() {
        let mut place = inside.clone();
        place.extend([Own::Key("items".into()), Own::Index(at)]);
        let item = with_types(item, kind.as_ref(), version.as_ref());
        flatten(document, place, item, objects);
    }
}

/// Items of a typed list such as `PodList` may leave out what the list says already.
fn with_types(item: &Value, list_kind: Option<&Value>, version: Option<&Value>) -> Value {
    let mut item = item.clone();
    let Some(kind) = list_kind.and_then(Value::as_str).and_then(|kind| kind.strip_suffix("List"))
    else {
        return item;
    };
    if kind.is_empty() || item.get("kind").is_some() || item.as_map().is_none() {
        return item;
    }
    item.set(&["kind"], Text::from(kind));
    if let (None, Some(version)) = (item.get("apiVersion"), version) {
        item.set(&["apiVersion"], version.clone());
    }
    item
}

/// An object as `kubectl get -o yaml` prints it.
#[pyfunction]
pub fn to_yaml(object: &Bound<PyAny>) -> PyResult<String> {
    Ok(manifest::to_yaml(&value_from_py(object)?))
}

/// An object as compact JSON, keys sorted, as Go prints it.
#[pyfunction]
pub fn to_json(object: &Bound<PyAny>) -> PyResult<String> {
    Ok(value_from_py(object)?.to_json())
}
