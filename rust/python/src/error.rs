//! The core's errors as Python exceptions.
//!
//! ```text
//! WavetankError
//! ├── ManifestError (ValueError)      a document that cannot be read
//! ├── PluginError                     a scheduling plugin without a right answer
//! └── ApiError                        what the API server would answer; .code .reason .status
//!     ├── BadRequestError   400       ├── GoneError        410
//!     ├── ForbiddenError    403       ├── InvalidError     422
//!     ├── NotFoundError     404       └── TimeoutError     504
//!     ├── AlreadyExistsError, ConflictError  409
//! ```

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use wavetank_core::api::{ApiError as CoreError, Reason};

use crate::convert::value_to_py;

create_exception!(_core, WavetankError, PyException, "Whatever wavetank refuses to do.");
create_exception!(
    _core,
    PluginError,
    WavetankError,
    "A plugin of the scheduler that has no answer, or a wrong one."
);
create_exception!(_core, ManifestError, WavetankError, "A document that cannot be read.");
create_exception!(
    _core,
    ApiError,
    WavetankError,
    "What the API server answers to a request it refuses."
);
create_exception!(_core, BadRequestError, ApiError, "400: the request makes no sense.");
create_exception!(_core, ForbiddenError, ApiError, "403: the request is understood and refused.");
create_exception!(_core, NotFoundError, ApiError, "404: no such object.");
create_exception!(_core, AlreadyExistsError, ApiError, "409: the name is taken.");
create_exception!(_core, ConflictError, ApiError, "409: the object changed meanwhile.");
create_exception!(_core, GoneError, ApiError, "410: that much history is no longer kept.");
create_exception!(_core, InvalidError, ApiError, "422: the object breaks a rule of its kind.");
create_exception!(_core, ApiTimeoutError, ApiError, "504: the version asked for is still to come.");

/// The exception for an error of the core, with its code, reason and Status.
pub fn api_error(error: &CoreError) -> PyErr {
    let message = error.message.clone();
    let exception = match (&error.reason, error.code) {
        (Reason::AlreadyExists, _) => AlreadyExistsError::new_err(message),
        (Reason::Conflict, _) => ConflictError::new_err(message),
        (Reason::Invalid, _) => InvalidError::new_err(message),
        (_, 400) => BadRequestError::new_err(message),
        (_, 403) => ForbiddenError::new_err(message),
        (_, 404) => NotFoundError::new_err(message),
        (_, 410) => GoneError::new_err(message),
        (_, 504) => ApiTimeoutError::new_err(message),
        _ => ApiError::new_err(message),
    };
    Python::attach(|py| {
        let value = exception.value(py);
        let attributes = (|| -> PyResult<()> {
            value.setattr("code", error.code)?;
            value.setattr("reason", error.reason.as_str())?;
            value.setattr("status", value_to_py(py, &error.to_status())?)
        })();
        attributes.map_or_else(|failure| failure, |()| exception)
    })
}

/// An argument the caller got wrong, as a `ValueError`.
pub fn value_error(message: impl Into<String>) -> PyErr {
    pyo3::exceptions::PyValueError::new_err(message.into())
}
