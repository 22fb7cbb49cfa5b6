//! What both readers, YAML and JSON, tell whoever listens: a document as a run of calls.

use std::borrow::Cow;

use super::error::Parsed;
use crate::base::Value;

/// A listener to the nodes of a document in the order of the text. Lines count from 0 within
/// the text. In a map, keys and values take turns.
pub(super) trait Sink<'a> {
    /// Text whose type is still to be decided.
    fn scalar(&mut self, line: u32, scalar: Scalar<'a>) -> Parsed<()>;
    /// A leaf whose type the syntax decided.
    fn leaf(&mut self, line: u32, value: Value) -> Parsed<()>;
    /// `*name`.
    fn alias(&mut self, line: u32, name: &'a str) -> Parsed<()>;
    /// A list or a map begins.
    fn open(&mut self, line: u32, is_map: bool, anchor: Option<&'a str>) -> Parsed<()>;
    /// The innermost list or map ends.
    fn close(&mut self, line: u32) -> Parsed<()>;
}

/// A scalar of a YAML text.
#[derive(Debug, Default)]
pub(super) struct Scalar<'a> {
    pub text: Cow<'a, str>,
    /// Neither quoted nor tagged: the text decides the type. A lone `!` counts as no tag here,
    /// which is what Go's library does.
    pub implicit: bool,
    pub properties: Option<Box<Properties<'a>>>,
}

/// What few nodes have.
#[derive(Debug, Default)]
pub(super) struct Properties<'a> {
    pub anchor: Option<&'a str>,
    /// The tag with its handle resolved.
    pub tag: Option<String>,
}

impl<'a> Scalar<'a> {
    pub fn anchor(&self) -> Option<&'a str> {
        self.properties.as_ref()?.anchor
    }

    pub fn tag(&self) -> Option<&str> {
        self.properties.as_ref()?.tag.as_deref()
    }

    /// Whether the scalar, as a key, asks for its value to be merged into the map.
    pub fn is_merge(&self) -> bool {
        self.text == "<<" && (self.implicit || self.tag() == Some("tag:yaml.org,2002:merge"))
    }
}
