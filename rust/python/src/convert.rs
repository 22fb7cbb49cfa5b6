//! Python objects to documents and back.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use wavetank_core::base::{Map, Text, Value};

/// Deeper trees than any Kubernetes object; a cycle ends here too.
const MAX_DEPTH: usize = 200;

/// A Python object as a document: dicts, lists, tuples, strings, numbers, booleans and None,
/// NumPy scalars, and the dates PyYAML makes of unquoted timestamps.
pub fn value_from_py(object: &Bound<PyAny>) -> PyResult<Value> {
    read(object, 0)
}

fn read(object: &Bound<PyAny>, depth: usize) -> PyResult<Value> {
    if depth > MAX_DEPTH {
        return Err(PyValueError::new_err(format!(
            "the object is nested deeper than {MAX_DEPTH} levels"
        )));
    }
    if object.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(document) = object.cast::<crate::manifest::Document>() {
        return Ok(document.get().value.clone());
    }
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Value::from(text.to_str()?));
    }
    if let Ok(flag) = object.cast::<PyBool>() {
        return Ok(Value::Bool(flag.is_true()));
    }
    if let Ok(number) = object.cast::<PyInt>() {
        return integer(number);
    }
    if let Ok(number) = object.cast::<PyFloat>() {
        return float(number.value());
    }
    if let Ok(dict) = object.cast::<PyDict>() {
        let pairs: PyResult<Vec<(Text, Value)>> =
            dict.iter().map(|(key, item)| Ok((key_text(&key)?, read(&item, depth + 1)?))).collect();
        return Ok(Value::from(pairs?.into_iter().collect::<Map>()));
    }
    if let Ok(list) = object.cast::<PyList>() {
        return items(list.iter(), depth);
    }
    if let Ok(tuple) = object.cast::<PyTuple>() {
        return items(tuple.iter(), depth);
    }
    read_other(object, depth)
}

/// Objects that are not of the basic types but stand for one of them.
fn read_other(object: &Bound<PyAny>, depth: usize) -> PyResult<Value> {
    let py = object.py();
    if object.hasattr(pyo3::intern!(py, "isoformat"))? {
        let text: String = object.call_method0(pyo3::intern!(py, "isoformat"))?.extract()?;
        return Ok(Value::from(text.replace("+00:00", "Z")));
    }
    if object.hasattr(pyo3::intern!(py, "item"))? && object.hasattr(pyo3::intern!(py, "dtype"))? {
        return read(&object.call_method0(pyo3::intern!(py, "item"))?, depth + 1);
    }
    if object.hasattr(pyo3::intern!(py, "items"))? {
        let dict = py.get_type::<PyDict>().call1((object,))?;
        return read(&dict, depth + 1);
    }
    let kind = object.get_type().name()?;
    Err(PyTypeError::new_err(format!("a Kubernetes object cannot hold a {kind}")))
}

fn key_text(key: &Bound<PyAny>) -> PyResult<Text> {
    let Ok(text) = key.cast::<PyString>() else {
        let kind = key.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "keys of a Kubernetes object are strings, not {kind}"
        )));
    };
    Ok(text.to_str()?.into())
}

fn integer(number: &Bound<PyInt>) -> PyResult<Value> {
    number
        .extract::<i64>()
        .map(Value::Int)
        .map_err(|_| PyValueError::new_err(format!("{number} does not fit in 64 bits")))
}

fn float(number: f64) -> PyResult<Value> {
    if number.is_finite() {
        return Ok(Value::Float(number));
    }
    Err(PyValueError::new_err(format!("{number} is not a JSON number")))
}

fn items<'py>(items: impl Iterator<Item = Bound<'py, PyAny>>, depth: usize) -> PyResult<Value> {
    let items: PyResult<Vec<Value>> = items.map(|item| read(&item, depth + 1)).collect();
    Ok(Value::from(items?))
}

/// A document as fresh Python dicts, lists and scalars.
pub fn value_to_py<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Value::Int(number) => number.into_pyobject(py)?.into_any(),
        Value::Float(number) => PyFloat::new(py, *number).into_any(),
        Value::Str(text) => PyString::new(py, text).into_any(),
        Value::List(list) => {
            let items: PyResult<Vec<_>> = list.iter().map(|item| value_to_py(py, item)).collect();
            PyList::new(py, items?)?.into_any()
        }
        Value::Map(map) => map_to_py(py, map)?.into_any(),
    })
}

/// A map as a fresh Python dict. Keys are interned: the same few field names come again.
pub fn map_to_py<'py>(py: Python<'py>, map: &Map) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, item) in map.iter() {
        dict.set_item(PyString::intern(py, key), value_to_py(py, item)?)?;
    }
    Ok(dict)
}
