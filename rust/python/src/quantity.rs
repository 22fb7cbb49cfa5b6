//! Quantities as Python numbers: added, compared and printed exactly.

use pyo3::prelude::*;
use pyo3::types::PyAny;
use wavetank_core::base::Quantity as CoreQuantity;

use crate::convert::value_from_py;
use crate::error::value_error;

/// An amount such as `1500m` or `1.5Gi`; a sum keeps the format of its first term that is not
/// zero.
#[pyclass(frozen, module = "wavetank._core", eq, ord, from_py_object)]
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(CoreQuantity);

#[pymethods]
impl Quantity {
    #[new]
    fn new(value: &Bound<PyAny>) -> PyResult<Self> {
        let quantity = CoreQuantity::from_value(&value_from_py(value)?);
        quantity.map(Self).map_err(|error| value_error(error.to_string()))
    }

    /// In units, rounded up.
    #[getter]
    fn value(&self) -> i64 {
        self.0.value()
    }

    /// In thousandths, rounded up.
    #[getter]
    fn milli_value(&self) -> i64 {
        self.0.milli_value()
    }

    fn __add__(&self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    fn __sub__(&self, other: Self) -> Self {
        Self(self.0 - other.0)
    }

    fn __bool__(&self) -> bool {
        !self.0.is_zero()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("Quantity('{}')", self.0)
    }
}
