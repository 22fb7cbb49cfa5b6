//! Manifests: YAML and JSON text to values and back, as kubectl 1.36 does it.
//!
//! [`read()`] answers with the documents of a text, each knowing on which line its fields stand;
//! [`to_yaml`] prints a value as `kubectl get -o yaml` would. What a document means, and the
//! flattening of `List` objects, is not decided here.
//!
//! The way of a text: `source` decodes bytes and cuts the stream at its separators; then for
//! each document, in parallel, `scan` makes tokens, `parse` nodes (`json` for JSON), and
//! `compose`, with the scalar rules of `resolve`, a value. `lines` reads the same nodes again
//! when somebody asks for a line. `write` is the way back.
//!
//! The rules are those of Go's YAML library for YAML 1.1, not of YAML 1.2, and not only because
//! `yes` is true in one of them: where a scalar ends, what a tab may do and what a merge key
//! overrides differ too. That is why no general YAML crate stands below this module.

mod compose;
mod document;
mod error;
mod json;
mod lines;
mod number;
mod parse;
mod read;
mod resolve;
mod scan;
mod sink;
mod source;
mod timestamp;
mod write;

pub use self::document::{Document, Location, Notice, NoticeKind, Step};
pub use self::error::ReadError;
pub use self::read::read;
pub use self::write::to_yaml;

/// What a text may cost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest text, in bytes.
    pub bytes_max: usize,
    /// The deepest nesting of maps and lists. Kubernetes stops at 10,000; everything that walks
    /// a value calls itself once per level.
    pub depth_max: usize,
}

impl Default for Limits {
    /// 1 GiB, 500 levels.
    fn default() -> Self {
        Self { bytes_max: 1 << 30, depth_max: 500 }
    }
}
