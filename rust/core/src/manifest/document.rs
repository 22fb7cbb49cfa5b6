//! One document of a manifest, and where its fields stand.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::compose::Composed;
use super::json::JsonReader;
use super::lines::LineTree;
use super::parse::Parser;
use super::source::{Extent, Source, count_lines};
use crate::base::Value;

/// One document of a manifest.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it says.
    pub value: Value,
    /// Its place in the manifest, counted from 1; empty documents count.
    pub number: usize,
    /// The line on which it begins, counted from 1.
    pub line: usize,
    /// What kubectl passes over in silence and a user may want to know.
    pub notices: Vec<Notice>,
    origin: Origin,
}

/// Something accepted that is probably a mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The line it stands on, counted from 1.
    pub line: usize,
    /// What was found.
    pub kind: NoticeKind,
}

/// What a [`Notice`] is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// The field at this path is set twice; the later value counts.
    DuplicateField(String),
    /// Bytes that are not UTF-8 were read as U+FFFD.
    InvalidUtf8,
    /// The document ended before, and the rest of its text was never looked at.
    IgnoredContent,
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::DuplicateField(path) => write!(formatter, "duplicate field \"{path}\""),
            Self::InvalidUtf8 => formatter.write_str("invalid UTF-8 was read as U+FFFD"),
            Self::IgnoredContent => {
                formatter.write_str("the document ended above, this and what follows is ignored")
            }
        }
    }
}

/// A step on the way to a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// The value at a key of a map.
    Key(&'a str),
    /// An item of a list, counted from 0.
    Index(usize),
}

impl<'a> From<&'a str> for Step<'a> {
    fn from(key: &'a str) -> Self {
        Self::Key(key)
    }
}

impl From<usize> for Step<'_> {
    fn from(index: usize) -> Self {
        Self::Index(index)
    }
}

/// A line of a manifest; prints as `name:line`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The name of the text, usually a path.
    pub source_name: String,
    /// Counted from 1.
    pub line: usize,
}

impl fmt::Display for Location {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        write!(formatter, "{}:{}", self.source_name, self.line)
    }
}

/// The text a document came from, kept so that lines can be found later.
#[derive(Clone, Debug)]
pub(super) struct Origin {
    source: Arc<Source>,
    extent: Extent,
    syntax: Syntax,
    lines: OnceLock<Arc<LineTree>>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Syntax {
    Json,
    Yaml,
}

impl Origin {
    pub fn new(source: &Arc<Source>, extent: Extent, syntax: Syntax) -> Self {
        Self { source: source.clone(), extent, syntax, lines: OnceLock::new() }
    }

    fn lines(&self) -> &LineTree {
        self.lines.get_or_init(|| {
            let text = &self.source.text[self.extent.range.clone()];
            Arc::new(match self.syntax {
                Syntax::Json => LineTree::build(|lines| JsonReader::new(text, 0, 0).read(lines)),
                Syntax::Yaml => {
                    let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
                    LineTree::build(|lines| Parser::new(text).read(lines))
                }
            })
        })
    }

    fn invalid_utf8(&self) -> impl Iterator<Item = Notice> {
        self.source.replaced_in(&self.extent.range).iter().map(|offset| {
            let before = &self.source.text.as_bytes()[self.extent.range.start..*offset];
            let line = self.extent.line + count_lines(before) + 1;
            Notice { line, kind: NoticeKind::InvalidUtf8 }
        })
    }
}

impl Document {
    /// A document whose lines are counted from `first_line`; none if it is empty.
    pub(super) fn new(
        composed: Composed,
        number: usize,
        first_line: usize,
        origin: Origin,
    ) -> Option<Self> {
        if composed.value.is_null() {
            return None;
        }
        let file_line = |line: u32| first_line + line as usize + 1;
        let mut notices: Vec<Notice> = composed
            .duplicates
            .into_iter()
            .map(|duplicate| Notice {
                line: file_line(duplicate.line),
                kind: NoticeKind::DuplicateField(duplicate.path),
            })
            .chain(origin.invalid_utf8())
            .chain(
                composed
                    .ignored
                    .map(|line| Notice { line: file_line(line), kind: NoticeKind::IgnoredContent }),
            )
            .collect();
        notices.sort_by_key(|notice| notice.line);
        notices.dedup();
        let line = file_line(composed.line);
        Some(Self { value: composed.value, number, line, notices, origin })
    }

    /// The name of the manifest, usually a path.
    pub fn source_name(&self) -> &str {
        &self.origin.source.name
    }

    /// The line on which a field stands, counted from 1; that of its nearest existing parent if
    /// the field is absent. The first call reads the document again, later ones are lookups.
    pub fn line_of(&self, path: &[Step]) -> usize {
        self.origin.extent.line + self.origin.lines().line_of(path) as usize + 1
    }

    /// Where a field stands; see [`Document::line_of`].
    pub fn locate(&self, path: &[Step]) -> Location {
        Location { source_name: self.source_name().to_owned(), line: self.line_of(path) }
    }
}
