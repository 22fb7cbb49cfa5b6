//! The Python module `wavetank._core`: a thin shell over `wavetank-core`.
//!
//! Nothing is decided here. Each file wraps the core module of the same name; [`convert`]
//! turns Python objects into documents and back, [`error`] turns the core's errors into
//! exceptions.

mod convert;
mod rules;

/// The compiled half of wavetank.
#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use super::rules::PyRules;
}
