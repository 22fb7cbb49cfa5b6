//! Kinds: what `kubectl api-resources` knows, and how an argument names one.

use pyo3::prelude::*;
use pyo3::types::{PyAny, PyDict};
use wavetank_core::api::decode::fields_in_their_case;
use wavetank_core::api::{Found, Kind, KindId, Verb};

use crate::convert::{value_from_py, value_to_py};
use crate::error::value_error;
use crate::world::World;

#[pymethods]
impl World {
    /// Every kind as a dict, in discovery's order.
    fn kinds<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let registry = self.enter(py, |inner| inner.engine.store.registry.clone());
        registry.kinds().map(|(id, kind)| describe(py, id, kind, &kind.preferred().name)).collect()
    }

    /// The kinds behind an argument as people type it: `po`, `deploy,svc`, `all`.
    fn resolve<'py>(&self, py: Python<'py>, argument: &str) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let registry = self.enter(py, |inner| inner.engine.store.registry.clone());
        let found = registry.resolve_all(argument).map_err(value_error)?;
        found.iter().map(|found| describe_found(py, *found)).collect()
    }

    /// The kind of an object by its `apiVersion` and `kind`, if it is known.
    fn kind_of<'py>(
        &self,
        py: Python<'py>,
        api_version: &str,
        kind: &str,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let registry = self.enter(py, |inner| inner.engine.store.registry.clone());
        let found = registry.find(api_version, kind);
        found.map(|found| describe_found(py, found)).transpose()
    }

    /// An object with its field names in the case of its kind, as Go's JSON decoder reads them:
    /// `NodeTaintsPolicy` is `nodeTaintsPolicy`. One of an unknown kind stays as it is.
    fn field_names<'py>(
        &self,
        py: Python<'py>,
        object: &Bound<PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let object = value_from_py(object)?;
        let registry = self.enter(py, |inner| inner.engine.store.registry.clone());
        let api_version = object.str_at(&["apiVersion"]).unwrap_or_default();
        let kind = object.str_at(&["kind"]).unwrap_or_default();
        match registry.find(api_version, kind) {
            Some(found) => value_to_py(py, &fields_in_their_case(&found.version.schema, &object)),
            None => value_to_py(py, &object),
        }
    }
}

fn describe_found<'py>(py: Python<'py>, found: Found) -> PyResult<Bound<'py, PyDict>> {
    describe(py, found.id, found.kind, &found.version.name)
}

fn describe<'py>(
    py: Python<'py>,
    id: KindId,
    kind: &Kind,
    version: &str,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let texts = |items: &[wavetank_core::base::Text]| -> Vec<String> {
        items.iter().map(ToString::to_string).collect()
    };
    let versions: Vec<String> =
        kind.versions.iter().map(|version| version.name.to_string()).collect();
    let preferred = kind.preferred();
    let columns: Vec<(String, String, String, i64)> = preferred
        .columns
        .iter()
        .map(|column| {
            let path = column.json_path.to_string();
            (column.name.to_string(), column.kind.to_string(), path, column.priority)
        })
        .collect();
    let subresources: Vec<String> =
        preferred.subresources.iter().map(|part| part.name.to_string()).collect();
    dict.set_item("id", id.index())?;
    dict.set_item("group", kind.id.group.as_str())?;
    dict.set_item("kind", kind.id.kind.as_str())?;
    dict.set_item("plural", kind.resource.resource.as_str())?;
    dict.set_item("singular", kind.singular.as_str())?;
    dict.set_item("short_names", texts(&kind.short_names))?;
    dict.set_item("categories", texts(&kind.categories))?;
    dict.set_item("namespaced", kind.namespaced)?;
    dict.set_item("versions", versions)?;
    dict.set_item("version", version)?;
    dict.set_item("subresources", subresources)?;
    dict.set_item("columns", columns)?;
    dict.set_item("custom", kind.definition.is_some())?;
    dict.set_item("verbs", preferred.verbs.iter().map(Verb::as_str).collect::<Vec<_>>())?;
    Ok(dict)
}
