//! What a legal object is: kinds and their names, field types, decoding, patches, errors.
//!
//! Read in this order: [`names`] (group, version, kind, resource), [`path`] (where in an object
//! an error is), [`field_error`], [`status`] and [`error`] (what callers get back).
//!
//! What this is not: it stores nothing and knows no cluster. Everything here is a function of
//! the documents it is given.

pub mod error;
pub mod field_error;
pub mod names;
pub mod path;
pub mod status;

pub use error::{ApiError, ApiResult};
pub use field_error::{BadValue, FieldError, FieldErrorKind};
pub use names::{GroupKind, GroupResource, GroupVersion};
pub use path::Path;
pub use status::{Cause, Details, Reason};
