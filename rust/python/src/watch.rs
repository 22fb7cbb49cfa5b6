//! Watches as Python objects.

use std::sync::{Mutex, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyAny;
use wavetank_core::store::watch::{Watch as CoreWatch, WatchEvent};

use crate::convert::value_to_py;
use crate::error::api_error;
use crate::objects::read_criteria;
use crate::world::{World, kind_id};

/// A place in a cluster's history and what is looked for from there.
#[pyclass(frozen, module = "wavetank._core")]
pub struct Watch {
    world: Py<World>,
    watch: Mutex<CoreWatch>,
}

#[pymethods]
impl World {
    /// A watch of a kind from a resourceVersion on; from now when None.
    #[pyo3(signature = (kind, namespace=None, label_selector=None, field_selector=None, resource_version=None))]
    fn watch(
        slf: &Bound<Self>,
        kind: usize,
        namespace: Option<&str>,
        label_selector: Option<&str>,
        field_selector: Option<&str>,
        resource_version: Option<u64>,
    ) -> PyResult<Watch> {
        let criteria = read_criteria(namespace, label_selector, field_selector)?;
        let watch = slf.get().enter(slf.py(), |inner| {
            let store = &inner.engine.store;
            store.watch(
                kind_id(kind),
                criteria,
                resource_version.unwrap_or_else(|| store.revision()),
            )
        });
        let watch = Mutex::new(watch.map_err(|error| api_error(&error))?);
        Ok(Watch { world: slf.clone().unbind(), watch })
    }
}

#[pymethods]
impl Watch {
    /// What happened since the last call, at most `limit` events: `(type, object)` each. A
    /// BOOKMARK carries the resource version reached instead of an object.
    #[pyo3(signature = (limit=1000))]
    fn poll<'py>(
        &self,
        py: Python<'py>,
        limit: usize,
    ) -> PyResult<Vec<(&'static str, Bound<'py, PyAny>)>> {
        let events = self.world.get().enter(py, |inner| {
            let mut watch = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
            inner.engine.store.poll(&mut watch, limit)
        });
        events
            .map_err(|error| api_error(&error))?
            .iter()
            .map(|event| {
                let object = match event {
                    WatchEvent::Added(object)
                    | WatchEvent::Modified(object)
                    | WatchEvent::Deleted(object) => value_to_py(py, object)?,
                    WatchEvent::Bookmark(revision) => revision.into_pyobject(py)?.into_any(),
                };
                Ok((event.name(), object))
            })
            .collect()
    }

    /// Everything up to this resourceVersion was seen.
    #[getter]
    fn resource_version(&self) -> u64 {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner).revision
    }
}
