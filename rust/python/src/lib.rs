//! The Python module `wavetank._core`: a thin shell over `wavetank-core`.
//!
//! Nothing is decided here. [`world`] is the cluster behind its lock; [`objects`], [`engine`],
//! [`measure`], [`explain`], [`headroom`], [`watch`], [`columns`], [`kinds`], [`batch`] and
//! [`policy`] add its methods, one file per subject; [`replay`] answers recorded scheduler cases,
//! [`net`] knows what nodes do with packets, [`net_trace`] the way of one, [`dns`] what names stand
//! for,
//! [`manifest`] and [`units`] are functions. [`convert`] turns Python objects into documents and
//! back, [`error`] the core's errors into exceptions.

#![allow(clippy::needless_pass_by_value, reason = "what Python passes arrives owned")]
#![allow(clippy::too_many_arguments, reason = "keyword arguments in Python")]

mod batch;
mod columns;
mod convert;
mod dns;
mod engine;
mod error;
mod explain;
mod headroom;
mod kinds;
mod manifest;
mod measure;
mod net;
mod net_send;
mod net_trace;
mod objects;
mod policy;
mod quantity;
mod replay;
mod rules;
mod units;
mod watch;
mod world;

/// The compiled half of wavetank.
#[pyo3::pymodule]
mod _core {
    #[pymodule_export]
    use super::batch::latest_time;
    #[pymodule_export]
    use super::dns::{DnsServer, dns_message, dns_query};
    #[pymodule_export]
    use super::error::{
        AlreadyExistsError, ApiError, ApiTimeoutError, BadRequestError, ConflictError,
        ForbiddenError, GoneError, InvalidError, ManifestError, NotFoundError, PluginError,
        WavetankError,
    };
    #[pymodule_export]
    use super::manifest::{Document, read_manifest, to_json, to_yaml};
    #[pymodule_export]
    use super::net::{Proxier, replay_proxy};
    #[pymodule_export]
    use super::net_send::Sent;
    #[pymodule_export]
    use super::quantity::Quantity;
    #[pymodule_export]
    use super::replay::replay_scheduler;
    #[pymodule_export]
    use super::rules::PyRules;
    #[pymodule_export]
    use super::units::{
        canonical_quantity, canonical_selector, format_duration, format_time, parse_duration,
        parse_time, quantity_milli_value, quantity_value, same_template, selector_matches,
        template_hash,
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
