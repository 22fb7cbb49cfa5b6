//! The Python module `wavetank._core`: a thin shell over `wavetank-core`.
//!
//! Nothing is decided here. [`world`] is the cluster behind its lock; [`objects`], [`engine`],
//! [`headroom`], [`watch`], [`columns`] and [`kinds`] add its methods, one file per module of the core;
//! [`manifest`] and [`units`] are functions. [`convert`] turns Python objects into documents and
//! back, [`error`] the core's errors into exceptions.

mod columns;
mod convert;
mod engine;
mod error;
mod headroom;
mod kinds;
mod manifest;
mod objects;
mod rules;
mod units;
mod watch;
mod world;

/// The compiled half of wavetank.
#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use super::error::{
        AlreadyExistsError, ApiError, ApiTimeoutError, BadRequestError, ConflictError,
        ForbiddenError, GoneError, InvalidError, ManifestError, NotFoundError, WavetankError,
    };
    #[pymodule_export]
    use super::manifest::{Document, read_manifest, to_json, to_yaml};
    #[pymodule_export]
    use super::rules::PyRules;
    #[pymodule_export]
    use super::units::{
        canonical_quantity, canonical_selector, format_duration, format_time, parse_duration,
        parse_time, quantity_milli_value, quantity_value, same_template, template_hash,
    };
    #[pymodule_export]
    use super::watch::Watch;
    #[pymodule_export]
    use super::world::World;

    use pyo3::prelude::*;

    #[pymodule_init]
    fn init(module: &Bound<PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
