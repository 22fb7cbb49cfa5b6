//! What a legal object is: kinds and their names, field types, decoding, patches, errors.
//!
//! Read in this order: [`registry`] (every kind there is), [`kinds`] and [`types`] (what it
//! knows of each), [`names`] (group, version, kind, resource), [`path`] (where in an object
//! an error is), [`field_error`], [`status`] and [`error`] (what callers get back); then what is
//! done with documents: [`decode`], [`rules`] (defaults and what makes an object invalid),
//! [`patch`], [`convert`], and [`custom`] for kinds that CustomResourceDefinitions add.
//!
//! What this is not: it stores nothing and knows no cluster. Everything here is a function of
//! the documents it is given.

pub mod convert;
pub mod custom;
pub mod decode;
pub mod error;
pub mod field_error;
mod go_print;
pub mod kinds;
pub mod names;
pub mod patch;
pub mod path;
pub mod registry;
mod resolve;
pub mod rules;
pub mod status;
mod table;
pub mod template_hash;
pub mod types;
pub mod warnings;

pub use error::{ApiError, ApiResult};
pub use field_error::{BadValue, FieldError, FieldErrorKind};
pub use kinds::{Kind, KindId, Subresource, Verb, Verbs, Version};
pub use names::{GroupKind, GroupResource, GroupVersion};
pub use patch::PatchError;
pub use path::Path;
pub use registry::{Found, Registry};
pub use rules::Rules;
pub use status::{Cause, Details, Reason};
pub use types::{Field, Form, Schema, Shape, Type};
