//! Quantities, durations, times and selectors, as Kubernetes and Go read and print them.

use pyo3::prelude::*;
use pyo3::types::PyAny;
use wavetank_core::api::Schema;
use wavetank_core::api::decode::canonicalize;
use wavetank_core::base::{Map, Nanos, Quantity, Time};
use wavetank_core::labels::Selector;

use crate::convert::value_from_py;
use crate::error::value_error;

/// A quantity in units, rounded up: `"1.5Gi"` is 1610612736.
#[pyfunction]
pub fn quantity_value(quantity: &Bound<PyAny>) -> PyResult<i64> {
    Ok(read(quantity)?.value())
}

/// A quantity in thousandths, rounded up: `"1.5"` is 1500.
#[pyfunction]
pub fn quantity_milli_value(quantity: &Bound<PyAny>) -> PyResult<i64> {
    Ok(read(quantity)?.milli_value())
}

/// A quantity in its canonical form: `"1024Ki"` is `"1Mi"`.
#[pyfunction]
pub fn canonical_quantity(quantity: &Bound<PyAny>) -> PyResult<String> {
    let value = value_from_py(quantity)?;
    Quantity::normalize_value(&value).map_err(|error| value_error(error.to_string()))
}

/// Go's duration syntax (`90s`, `1h30m`) in nanoseconds.
#[pyfunction]
pub fn parse_duration(text: &str) -> PyResult<i64> {
    Nanos::parse(text).map(|nanos| nanos.0).map_err(value_error)
}

/// Nanoseconds in Go's duration syntax.
#[pyfunction]
pub fn format_duration(nanos: i64) -> String {
    Nanos(nanos).to_string()
}

/// An RFC 3339 time in nanoseconds since the Unix epoch.
#[pyfunction]
pub fn parse_time(text: &str) -> PyResult<i64> {
    Time::parse(text).map(|time| time.0).map_err(value_error)
}

/// A time as the API writes it: `2026-01-31T15:04:05Z`.
#[pyfunction]
pub fn format_time(nanos: i64) -> String {
    Time(nanos).to_string()
}

/// The canonical text of a label selector, given as text or as a LabelSelector object.
#[pyfunction]
pub fn canonical_selector(selector: &Bound<PyAny>) -> PyResult<String> {
    Ok(parse_selector(selector)?.to_string())
}

/// Whether a label selector, as text or as a LabelSelector object, selects these labels.
#[pyfunction]
pub fn selector_matches(selector: &Bound<PyAny>, labels: &Bound<PyAny>) -> PyResult<bool> {
    let selector = parse_selector(selector)?;
    let labels = value_from_py(labels)?;
    Ok(selector.matches(labels.as_map().unwrap_or(&Map::new())))
}

/// The label a Deployment gives the pods of one template, as the Deployment controller computes
/// it. `collisions` as in the Deployment's status.
#[pyfunction]
#[pyo3(signature = (template, collisions=None))]
pub fn template_hash(template: &Bound<PyAny>, collisions: Option<u32>) -> PyResult<String> {
    let mut template = value_from_py(template)?;
    canonicalize(&template_schema(), &mut template);
    Ok(wavetank_core::api::template_hash::template_hash(&template, collisions))
}

/// Whether two pod templates mean the same: `1000m` and `1`, absent and empty are equal.
#[pyfunction]
pub fn same_template(first: &Bound<PyAny>, second: &Bound<PyAny>) -> PyResult<bool> {
    let (mut first, mut second) = (value_from_py(first)?, value_from_py(second)?);
    let schema = template_schema();
    canonicalize(&schema, &mut first);
    canonicalize(&schema, &mut second);
    Ok(first == second)
}

fn parse_selector(selector: &Bound<PyAny>) -> PyResult<Selector> {
    let parsed = match selector.extract::<String>() {
        Ok(text) => Selector::parse(&text),
        Err(_) => Selector::from_label_selector(&value_from_py(selector)?),
    };
    parsed.map_err(|error| value_error(error.to_string()))
}

fn template_schema() -> Schema {
    Schema::builtin("core/v1", "PodTemplateSpec").expect("pod templates are built in")
}

fn read(quantity: &Bound<PyAny>) -> PyResult<Quantity> {
    let value = value_from_py(quantity)?;
    Quantity::from_value(&value).map_err(|error| value_error(error.to_string()))
}
