//! Defaulting and validation, one question per method, as golden tables ask them.
//!
//! Callers who want the whole of a write use a cluster; this is for those who want to see what
//! the rules alone make of a document.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use wavetank_core::api::rules::RuleKind;
use wavetank_core::api::{ApiError, FieldError, Kind, Registry, Rules, Schema, decode};
use wavetank_core::base::Value;

use crate::convert::{value_from_py, value_to_py};

/// The compiled rules of every kind, shared by all clusters.
#[pyclass(name = "Rules", frozen, module = "wavetank._core")]
pub struct PyRules {
    pub rules: Arc<Rules>,
    registry: Registry,
}

/// A document and what is known of its kind.
struct Document<'a> {
    value: Value,
    kind: &'a Kind,
    schema: &'a Schema,
    rules: Option<RuleKind>,
}

#[pymethods]
impl PyRules {
    /// Compiles what `wavetank.resources.program()` returns.
    #[new]
    fn new(program: &Bound<PyAny>) -> PyResult<Self> {
        let rules = Rules::compile(&value_from_py(program)?).map_err(PyValueError::new_err)?;
        Ok(Self { rules: Arc::new(rules), registry: Registry::new() })
    }

    /// The object decoded; ValueError in the decoder's words if it cannot be.
    fn decode<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.changed(object, |document| {
            decode::decode(document.schema, &mut document.value).map(drop)
        })
    }

    /// The object with its defaults.
    fn default<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.changed(object, |document| {
            if let Some(kind) = document.rules {
                self.rules.default(kind, &mut document.value);
            }
            Ok(())
        })
    }

    /// What a create makes of a defaulted object before it is checked.
    fn prepare_create<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.changed(object, |document| {
            if let Some(kind) = document.rules {
                self.rules.prepare_create(kind, &mut document.value);
            }
            Ok(())
        })
    }

    /// What an update, of all or only of the status, makes of an object before it is checked.
    #[pyo3(signature = (object, old, *, status = false))]
    fn prepare_update<'py>(
        &self,
        object: &Bound<'py, PyAny>,
        old: &Bound<PyAny>,
        status: bool,
    ) -> PyResult<Bound<'py, PyAny>> {
        let old = value_from_py(old)?;
        self.changed(object, |document| {
            match document.rules {
                Some(kind) if status => {
                    self.rules.prepare_status(kind, &mut document.value, &old);
                }
                Some(kind) => {
                    self.rules.prepare_update(kind, &mut document.value, &old);
                }
                None => {}
            }
            Ok(())
        })
    }

    /// The object as the API server writes it.
    fn written<'py>(&self, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
        self.changed(object, |document| {
            decode::canonicalize(document.schema, &mut document.value);
            Ok(())
        })
    }

    /// The Status that refuses the object before addresses are handed out, if any.
    #[pyo3(signature = (object, old = None))]
    fn validate_allocation<'py>(
        &self,
        object: &Bound<'py, PyAny>,
        old: Option<&Bound<PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let old = old.map_or(Ok(Value::Null), value_from_py)?;
        self.checked(object, |kind, value| self.rules.validate_allocation(kind, value, &old))
    }

    /// The Status that refuses the new object, if any.
    fn validate_create<'py>(
        &self,
        object: &Bound<'py, PyAny>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.checked(object, |kind, value| self.rules.validate_create(kind, value))
    }

    /// The Status that refuses to replace `old`, or only its status, by the object, if any.
    #[pyo3(signature = (object, old, *, status = false))]
    fn validate_update<'py>(
        &self,
        object: &Bound<'py, PyAny>,
        old: &Bound<PyAny>,
        status: bool,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let old = value_from_py(old)?;
        self.checked(object, |kind, value| {
            if status {
                self.rules.validate_status(kind, value, &old)
            } else {
                self.rules.validate_update(kind, value, &old)
            }
        })
    }
}

impl PyRules {
    fn document(&self, object: &Bound<PyAny>) -> PyResult<Document<'_>> {
        let value = value_from_py(object)?;
        let text = |name| value.str_at(&[name]).unwrap_or_default();
        let (api_version, kind) = (text("apiVersion"), text("kind"));
        let found = self.registry.find(api_version, kind).ok_or_else(|| {
            PyValueError::new_err(format!("there is no kind {kind:?} in {api_version:?}"))
        })?;
        let rules = self.rules.find(api_version, kind);
        Ok(Document { rules, kind: found.kind, schema: &found.version.schema, value })
    }

    fn changed<'py>(
        &self,
        object: &Bound<'py, PyAny>,
        change: impl FnOnce(&mut Document) -> Result<(), String>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let mut document = self.document(object)?;
        change(&mut document).map_err(PyValueError::new_err)?;
        value_to_py(object.py(), &document.value)
    }

    fn checked<'py>(
        &self,
        object: &Bound<'py, PyAny>,
        check: impl FnOnce(RuleKind, &Value) -> Vec<FieldError>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let document = self.document(object)?;
        let errors = document.rules.map(|kind| check(kind, &document.value)).unwrap_or_default();
        if errors.is_empty() {
            return Ok(None);
        }
        let name = document.value.str_at(&["metadata", "name"]).unwrap_or_default();
        let error = ApiError::invalid(&document.kind.id, name, &errors);
        value_to_py(object.py(), &error.to_status()).map(Some)
    }
}
