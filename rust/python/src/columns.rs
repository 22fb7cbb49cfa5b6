//! Columns of the core as NumPy arrays and as Arrow data.

use std::sync::Arc;

use arrow_array::types::Int32Type;
use arrow_array::{
    ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, RecordBatch,
    StringArray, TimestampNanosecondArray,
};
use arrow_schema::{Field, Schema};
use numpy::IntoPyArray;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString};
use pyo3_arrow::PyTable;
use wavetank_core::engine::World as Engine;
use wavetank_core::record::{Column, ColumnSet};

use crate::error::value_error;
use crate::world::World;

#[pymethods]
impl World {
    /// A table as columns: "pods", "nodes" or "events". Integers and times are int64 arrays,
    /// truth values bool arrays, text lists of str, repeated words `(codes, words)`.
    fn columns<'py>(&self, py: Python<'py>, table: &str) -> PyResult<Bound<'py, PyDict>> {
        let read = reader(table)?;
        let set = self.enter(py, |inner| read(&inner.engine));
        to_dict(py, set)
    }

    /// The same table as an Arrow table.
    fn arrow(&self, py: Python, table: &str) -> PyResult<PyTable> {
        let read = reader(table)?;
        let set = self.enter(py, |inner| read(&inner.engine));
        to_arrow(set)
    }

    /// The events recorded or repeated after a resourceVersion, as columns, and the version
    /// reached.
    fn events_after<'py>(
        &self,
        py: Python<'py>,
        revision: u64,
    ) -> PyResult<(Bound<'py, PyDict>, u64)> {
        let (set, reached) = self.enter(py, |inner| {
            (inner.engine.events_after(revision), inner.engine.store.revision())
        });
        Ok((to_dict(py, set)?, reached))
    }

    /// The pods an object controls, as columns.
    fn controlled_pods<'py>(&self, py: Python<'py>, owner: i64) -> PyResult<Bound<'py, PyDict>> {
        let set = self.enter(py, |inner| {
            let owner = inner.engine.store.from_bits(owner);
            owner.map(|owner| inner.engine.controlled_pods(owner)).unwrap_or_default()
        });
        to_dict(py, set)
    }
}

fn reader(table: &str) -> PyResult<fn(&Engine) -> ColumnSet> {
    match table {
        "pods" => Ok(Engine::pod_columns),
        "nodes" => Ok(Engine::node_columns),
        "events" => Ok(Engine::event_columns),
        _ => Err(value_error(format!("no such table: {table:?}"))),
    }
}

/// Columns as a dict of arrays and lists.
pub fn to_dict(py: Python, set: ColumnSet) -> PyResult<Bound<PyDict>> {
    let dict = PyDict::new(py);
    for (name, column) in set.into_columns() {
        let name = name.as_str();
        match column {
            Column::Int(items) => dict.set_item(name, items.into_pyarray(py))?,
            Column::Time(items) => {
                let times = items.into_pyarray(py).call_method1("view", ("datetime64[ns]",))?;
                dict.set_item(name, times)?;
            }
            Column::Float(items) => dict.set_item(name, items.into_pyarray(py))?,
            Column::Bool(items) => dict.set_item(name, items.into_pyarray(py))?,
            Column::Category { codes, words } => {
                let words = PyList::new(py, words.iter().map(|word| PyString::new(py, word)))?;
                dict.set_item(name, (codes.into_pyarray(py), words))?;
            }
            Column::Text(items) => {
                let items = PyList::new(py, items.iter().map(|text| PyString::new(py, text)))?;
                dict.set_item(name, items)?;
            }
        }
    }
    Ok(dict)
}

/// Columns as an Arrow table.
pub fn to_arrow(set: ColumnSet) -> PyResult<PyTable> {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for (name, column) in set.into_columns() {
        let array = to_array(column)?;
        fields.push(Field::new(name.as_str(), array.data_type().clone(), array.is_nullable()));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(Arc::clone(&schema), arrays)
        .map_err(|error| value_error(error.to_string()))?;
    PyTable::try_new(vec![batch], schema)
}

fn to_array(column: Column) -> PyResult<ArrayRef> {
    Ok(match column {
        Column::Int(items) => Arc::new(Int64Array::from(items)),
        Column::Float(items) => Arc::new(Float64Array::from(items)),
        Column::Bool(items) => Arc::new(BooleanArray::from(items)),
        Column::Time(items) => {
            let times: TimestampNanosecondArray =
                items.into_iter().map(|time| (time != Column::NO_TIME).then_some(time)).collect();
            Arc::new(times.with_timezone("UTC"))
        }
        Column::Category { codes, words } => {
            let codes: Int32Array =
                codes.into_iter().map(|code| (code >= 0).then_some(code)).collect();
            let words = StringArray::from_iter_values(&words);
            let array = DictionaryArray::<Int32Type>::try_new(codes, Arc::new(words))
                .map_err(|error| value_error(error.to_string()))?;
            Arc::new(array)
        }
        Column::Text(items) => Arc::new(StringArray::from_iter_values(&items)),
    })
}
