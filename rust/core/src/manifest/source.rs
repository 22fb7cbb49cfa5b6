//! Bytes to text, and text to documents: what kubectl does before it parses anything.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use memchr::{memchr_iter, memmem};

use super::error::Problem;

const UTF8_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A manifest as text.
pub(super) struct Source {
    /// The name the caller gave it, usually a path.
    pub name: String,
    pub text: String,
    /// Length of the text without the line break that was added to its last line.
    written: usize,
    /// Offsets of the characters that stand for bytes which were not UTF-8.
    pub replaced: Vec<usize>,
    /// A UTF-8 text with a byte order mark must be UTF-8; without one it may be anything.
    pub strict: bool,
}

/// The name only: the text may be long.
impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.debug_tuple("Source").field(&self.name).finish()
    }
}

impl Source {
    /// Decodes the bytes: UTF-16 if they begin with its byte order mark, else UTF-8, in which
    /// kubectl replaces what is invalid by U+FFFD. A byte order mark is not part of the text.
    /// The text always ends in a line break, as every line does that kubectl's decoder sees.
    pub fn decode(name: &str, bytes: &[u8]) -> Arc<Self> {
        let mut replaced = Vec::new();
        let mut text = match bytes {
            [0xFF, 0xFE, rest @ ..] => decode_utf16(rest, u16::from_le_bytes),
            [0xFE, 0xFF, rest @ ..] => decode_utf16(rest, u16::from_be_bytes),
            _ => decode_utf8(bytes.strip_prefix(UTF8_MARK).unwrap_or(bytes), &mut replaced),
        };
        let written = text.len();
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        let strict = bytes.starts_with(UTF8_MARK);
        Arc::new(Self { name: name.to_owned(), text, written, replaced, strict })
    }

    /// The replaced characters within a range.
    pub fn replaced_in(&self, range: &Range<usize>) -> &[usize] {
        let from = self.replaced.partition_point(|offset| *offset < range.start);
        let to = self.replaced.partition_point(|offset| *offset < range.end);
        &self.replaced[from..to]
    }

    /// The text as it was written.
    pub fn written(&self) -> &str {
        &self.text[..self.written]
    }
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let (pairs, odd) = bytes.as_chunks::<2>();
    let mut text: String = char::decode_utf16(pairs.iter().map(|pair| unit(*pair)))
        .map(|symbol| symbol.unwrap_or(char::REPLACEMENT_CHARACTER))
        .collect();
    if !odd.is_empty() {
        text.push(char::REPLACEMENT_CHARACTER);
    }
    text
}

fn decode_utf8(bytes: &[u8], replaced: &mut Vec<usize>) -> String {
    if let Ok(text) = std::str::from_utf8(bytes) {
        return text.to_owned();
    }
    let mut text = String::with_capacity(bytes.len() + 1);
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            replaced.push(text.len());
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    text
}

/// The text of one document within a source.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Extent {
    pub range: Range<usize>,
    /// Line of its first character, counted from 0.
    pub line: usize,
}

/// A `---` with something else on its line.
#[derive(Debug, PartialEq)]
pub(super) struct BadSeparator {
    /// Counted from 0.
    pub line: usize,
    pub rest: String,
}

/// Cuts a stream at its separators, every line that begins with `---`, whatever encloses it.
/// No scalar of YAML can contain such a line, so the parts can be parsed independently. A
/// separator with nothing in front of it stays with the document behind it.
pub(super) fn split(text: &str, start: &Extent) -> (Vec<Extent>, Option<BadSeparator>) {
    let bytes = text.as_bytes();
    let mut extents = Vec::new();
    let begin = start.range.start;
    let first = bytes[begin..].starts_with(b"---").then_some(begin);
    let others = memmem::find_iter(&bytes[begin..], b"\n---").map(|at| begin + at + 1);
    let mut current = begin;
    let mut line = start.line;
    for separator in first.into_iter().chain(others) {
        let line_end = memchr::memchr(b'\n', &bytes[separator..])
            .map_or(bytes.len(), |length| separator + length + 1);
        let rest = text[separator + 3..line_end].trim();
        if !rest.is_empty() && !rest.starts_with('#') {
            line += count_lines(&bytes[current..separator]);
            return (extents, Some(BadSeparator { line, rest: rest.to_owned() }));
        }
        if separator > current {
            extents.push(Extent { range: current..separator, line });
            line += count_lines(&bytes[current..line_end]);
            current = line_end;
        }
    }
    if current < bytes.len() {
        extents.push(Extent { range: current..bytes.len(), line });
    }
    (extents, None)
}

/// The number of line feeds.
pub(super) fn count_lines(bytes: &[u8]) -> usize {
    memchr_iter(b'\n', bytes).count()
}

/// Refuses the first character that YAML does not allow anywhere.
pub(super) fn first_control(text: &str) -> Option<Problem> {
    // Without branches, so that it compiles to wide comparisons: almost no text holds any.
    let suspicious = text.bytes().map(suspicion).fold(0, |found, one| found | one);
    if suspicious == 0 {
        return None;
    }
    let (offset, _) = text.char_indices().find(|(_, symbol)| {
        matches!(symbol,
            '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{84}'
            | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
    })?;
    let line = count_lines(&text.as_bytes()[..offset]) as u32;
    Some(Problem::new(line, "control characters are not allowed"))
}

/// Not 0 if a byte is, or may begin, a character that YAML does not allow: C0 controls other
/// than tab and line breaks, DEL, C1 controls (C2 80 to C2 9F), U+FFFE and U+FFFF (EF BF ..).
fn suspicion(byte: u8) -> u8 {
    let control = u8::from(byte < 0x20)
        & u8::from(byte != b'\t')
        & u8::from(byte != b'\n')
        & u8::from(byte != b'\r');
    control | u8::from(byte == 0x7F) | u8::from(byte == 0xC2) | u8::from(byte == 0xEF)
}
