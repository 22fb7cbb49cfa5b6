//! Recorded scheduler cases, answered by the scheduler of the core.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use wavetank_core::sched::replay;

use crate::convert::{value_from_py, value_to_py};
use crate::rules::PyRules;

/// What becomes of each pod of a case, in order: a list of dicts.
#[pyfunction]
pub fn replay_scheduler<'py>(
    case: &Bound<'py, PyAny>,
    rules: &PyRules,
) -> PyResult<Bound<'py, PyAny>> {
    let py = case.py();
    let case = value_from_py(case)?;
    let rules = rules.rules.clone();
    let answer = py.detach(|| replay::replay(&case, rules)).map_err(PyValueError::new_err)?;
    value_to_py(py, &answer)
}
