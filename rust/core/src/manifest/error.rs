//! What goes wrong while reading: inside the reader a [`Problem`] that knows its line within
//! the document, outside a [`ReadError`] that names the file.

use std::borrow::Cow;

/// Why a manifest could not be read: one sentence with the file and the line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{source_name}{}: {message}", line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct ReadError {
    /// The name the caller gave the text, usually a path.
    pub source_name: String,
    /// The line the sentence is about, counted from 1; none when it is about the whole file.
    pub line: Option<usize>,
    /// The document the line belongs to, counted from 1; none when it is about the whole file.
    pub document: Option<usize>,
    /// The sentence, in the words Kubernetes' own decoders use.
    pub message: String,
}

/// A finding within one document, as small as a pointer: it is rare and results are many.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Problem(Box<(u32, Cow<'static, str>)>);

impl Problem {
    /// A finding on a line counted from 0 within the document's text.
    pub fn new(line: u32, message: impl Into<Cow<'static, str>>) -> Self {
        Self(Box::new((line, message.into())))
    }

    pub fn line(&self) -> u32 {
        self.0.0
    }

    pub fn message(&self) -> &str {
        &self.0.1
    }
}

/// A result of the inner layers.
pub(super) type Parsed<T> = Result<T, Problem>;
