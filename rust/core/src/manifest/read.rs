//! From a text to its documents: JSON or YAML, one after the other or in parallel.

use std::sync::Arc;

use rayon::prelude::*;

use super::Limits;
use super::compose::Composer;
use super::document::{Document, Origin, Syntax};
use super::error::{Parsed, Problem, ReadError};
use super::json::JsonReader;
use super::parse::Parser;
use super::source::{Extent, Source, count_lines, first_control, split};

/// Texts smaller than this are not worth a second thread.
const PARALLEL_BYTES_MIN: usize = 64 << 10;

/// How far kubectl looks for the `{` that makes a text JSON.
const JSON_GUESS_BYTES: usize = 4096;

/// Reads all documents of a text, in order. Empty documents are left out but counted. A text
/// whose first character is `{` is read as JSON, one or more documents after each other, and as
/// YAML if that fails.
///
/// # Errors
/// The first document that cannot be read, by file and line.
pub fn read(
    input: impl AsRef<[u8]>,
    source_name: &str,
    limits: &Limits,
) -> Result<Vec<Document>, ReadError> {
    let bytes = input.as_ref();
    if bytes.len() > limits.bytes_max {
        return Err(ReadError {
            source_name: source_name.to_owned(),
            line: None,
            document: None,
            message: format!(
                "the manifest has {} bytes, more than the {} allowed",
                bytes.len(),
                limits.bytes_max
            ),
        });
    }
    let reading = Reading { source: Source::decode(source_name, bytes), limits };
    let text = &reading.source.text;
    let guess = &text[..text.floor_char_boundary(JSON_GUESS_BYTES)];
    if guess.trim_start().starts_with('{') {
        reading.read_json()
    } else {
        reading.read_yaml(&Extent { range: 0..text.len(), line: 0 }, 0)
    }
}

struct Reading<'l> {
    source: Arc<Source>,
    limits: &'l Limits,
}

impl Reading<'_> {
    fn read_json(&self) -> Result<Vec<Document>, ReadError> {
        let text = self.source.written();
        let mut documents = Vec::new();
        let mut number = 0;
        let mut extent = Extent { range: 0..text.len(), line: 0 };
        let mut composer = Composer::new(self.limits.depth_max);
        loop {
            let mut reader = JsonReader::new(text, extent.range.start, extent.line as u32);
            if reader.at_end() {
                return Ok(documents);
            }
            let composed = match composer.compose(|composer| reader.read(composer)) {
                Ok(composed) => composed,
                Err(problem) => {
                    let error = self.error(number + 1, 0, &problem);
                    documents.extend(self.read_yaml_instead(extent, number, error)?);
                    return Ok(documents);
                }
            };
            number += 1;
            if let Some(problem) = reader.overflow() {
                return Err(self.error(number, 0, &problem));
            }
            let (offset, line) = reader.place();
            let range = extent.range.start..offset;
            let origin = Origin::new(&self.source, Extent { range, ..extent }, Syntax::Json);
            documents.extend(Document::new(composed, number, 0, origin));
            extent = Extent { range: offset..text.len(), line: line as usize };
        }
    }

    /// After at most one JSON document kubectl takes what it cannot read as JSON for YAML. If
    /// that fails at once, the error is still the one about JSON.
    fn read_yaml_instead(
        &self,
        mut extent: Extent,
        before: usize,
        error: ReadError,
    ) -> Result<Vec<Document>, ReadError> {
        if before > 1 || !skip_rest_of_line(self.source.written(), &mut extent) {
            return Err(error);
        }
        extent.range.end = self.source.text.len();
        self.read_yaml(&extent, before)
            .map_err(|yaml| if yaml.document == Some(before + 1) { error } else { yaml })
    }

    fn read_yaml(&self, start: &Extent, before: usize) -> Result<Vec<Document>, ReadError> {
        let text = &self.source.text;
        let (extents, bad_separator) = split(text, start);
        let composer = || Composer::new(self.limits.depth_max);
        let results: Vec<_> = if text.len() < PARALLEL_BYTES_MIN {
            let mut composer = composer();
            let numbered = extents.iter().zip(before + 1..);
            numbered
                .map(|(extent, number)| self.read_document(&mut composer, extent, number))
                .collect()
        } else {
            let numbered = extents.par_iter().zip(before + 1..before + 1 + extents.len());
            numbered
                .map_init(composer, |composer, (extent, number)| {
                    self.read_document(composer, extent, number)
                })
                .collect()
        };
        let mut documents = Vec::with_capacity(results.len());
        for result in results {
            documents.extend(result?);
        }
        match bad_separator {
            None => Ok(documents),
            Some(bad) => {
                let message = format!("invalid Yaml document separator: {}", bad.rest);
                let problem = Problem::new(bad.line as u32, message);
                Err(self.error(before + extents.len() + 1, 0, &problem))
            }
        }
    }

    /// Reads the YAML document of an extent; none if it is empty.
    fn read_document<'s>(
        &'s self,
        composer: &mut Composer<'s>,
        extent: &Extent,
        number: usize,
    ) -> Result<Option<Document>, ReadError> {
        let text = &self.source.text[extent.range.clone()];
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(text);
        let composed = self
            .check_characters(extent)
            .and_then(|()| composer.compose(|composer| Parser::new(text).read(composer)))
            .map_err(|problem| {
                // What is missing at the end is missing on the last line.
                let last = count_lines(text.as_bytes()).saturating_sub(1);
                let mut error = self.error(number, extent.line, &problem);
                error.line = error.line.map(|line| line.min(extent.line + last + 1));
                error
            })?;
        let origin = Origin::new(&self.source, extent.clone(), Syntax::Yaml);
        Ok(Document::new(composed, number, extent.line, origin))
    }

    /// Refuses what YAML allows nowhere.
    fn check_characters(&self, extent: &Extent) -> Parsed<()> {
        let text = &self.source.text[extent.range.clone()];
        let invalid = self.source.replaced_in(&extent.range).first();
        if let Some(offset) = invalid.filter(|_| self.source.strict) {
            let before = &self.source.text.as_bytes()[extent.range.start..*offset];
            return Err(Problem::new(count_lines(before) as u32, "invalid UTF-8 octet"));
        }
        first_control(text).map_or(Ok(()), Err)
    }

    fn error(&self, document: usize, first_line: usize, problem: &Problem) -> ReadError {
        ReadError {
            source_name: self.source.name.clone(),
            line: Some(first_line + problem.line() as usize + 1),
            document: Some(document),
            message: problem.message().to_owned(),
        }
    }
}

/// Moves over white space up to and including the first line feed. False where kubectl gives
/// up: with fewer than four bytes left, or at a character that could not be decoded.
fn skip_rest_of_line(text: &str, extent: &mut Extent) -> bool {
    for symbol in text[extent.range.clone()].chars() {
        if text.len() - extent.range.start < 4 || symbol == char::REPLACEMENT_CHARACTER {
            return false;
        }
        if !symbol.is_whitespace() {
            return true;
        }
        extent.range.start += symbol.len_utf8();
        if symbol == '\n' {
            extent.line += 1;
            return true;
        }
    }
    false
}
