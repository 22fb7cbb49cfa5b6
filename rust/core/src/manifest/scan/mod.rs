//! Text to tokens, by the rules of YAML 1.1 as Go's YAML library applies them: kubectl reads
//! with that library, and what it accepts, refuses and makes of a line break decides here.
//!
//! What this is not: a YAML 1.2 scanner. Two rules shape it. Indentation opens and closes
//! block collections with tokens of their own, so the parser never counts spaces. A key without
//! `?` is recognised only when its `:` arrives, so tokens wait in a queue while the first of
//! them may still turn out to begin such a *simple key*, which has to fit on one line and in
//! 1,024 characters.
//!
//! Read `fetch` first; `cursor` is the place in the text, `plain`, `quoted`, `block` and
//! `property` read one token each.

mod block;
mod cursor;
mod fetch;
mod plain;
mod property;
mod quoted;
mod simple_key;

use std::borrow::Cow;
use std::collections::VecDeque;

use self::cursor::Cursor;
use self::simple_key::SimpleKey;
use super::error::{Parsed, Problem};

#[derive(Debug, PartialEq)]
pub(super) enum TokenKind<'a> {
    StreamEnd,
    VersionDirective { major: u8, minor: u8 },
    TagDirective(Box<Tag>),
    DocumentStart,
    DocumentEnd,
    BlockSequenceStart,
    BlockMappingStart,
    BlockEnd,
    FlowSequenceStart,
    FlowSequenceEnd,
    FlowMappingStart,
    FlowMappingEnd,
    BlockEntry,
    FlowEntry,
    Key,
    Value,
    Alias(&'a str),
    Anchor(&'a str),
    Tag(Box<Tag>),
    Scalar { text: Cow<'a, str>, plain: bool },
}

/// A tag as written: `!!int` has the handle `!!` and the suffix `int`. In a directive the
/// suffix is the prefix that the handle stands for.
#[derive(Debug, PartialEq)]
pub(super) struct Tag {
    pub handle: String,
    pub suffix: String,
}

#[derive(Debug)]
pub(super) struct Token<'a> {
    pub line: u32,
    pub kind: TokenKind<'a>,
}

pub(super) struct Scanner<'a> {
    at: Cursor<'a>,
    queue: VecDeque<Token<'a>>,
    /// Whether the first token in the queue is certain.
    ready: bool,
    /// Tokens handed out so far.
    taken: usize,
    /// One candidate per open bracket, and one for the block context.
    keys: Vec<SimpleKey>,
    /// Column of the innermost block collection; -1 outside all.
    indent: isize,
    indents: Vec<isize>,
    /// Whether a simple key may begin here.
    key_allowed: bool,
}

impl<'a> Scanner<'a> {
    pub fn new(text: &'a str) -> Self {
        let mut scanner = Self {
            at: Cursor::new(text),
            queue: VecDeque::with_capacity(8),
            ready: false,
            taken: 0,
            keys: Vec::with_capacity(4),
            indent: -1,
            indents: Vec::with_capacity(16),
            key_allowed: true,
        };
        scanner.push_key_level();
        scanner
    }

    /// The next token, left in place.
    #[inline]
    pub fn peek(&mut self) -> Parsed<&Token<'a>> {
        if !self.ready {
            self.fill()?;
        }
        Ok(self.queue.front().expect("filled above"))
    }

    /// The next token, removed. The end of the stream is handed out for ever.
    #[inline]
    pub fn next(&mut self) -> Parsed<Token<'a>> {
        if !self.ready {
            self.fill()?;
        }
        if matches!(self.queue.front(), Some(Token { kind: TokenKind::StreamEnd, .. })) {
            return Ok(Token { line: self.at.line, kind: TokenKind::StreamEnd });
        }
        self.taken += 1;
        self.ready = false;
        Ok(self.queue.pop_front().expect("filled above"))
    }

    /// Fetches until the first token in the queue is certain.
    fn fill(&mut self) -> Parsed<()> {
        while self.queue.is_empty() || self.first_may_be_key()? {
            self.fetch()?;
        }
        self.ready = true;
        Ok(())
    }

    /// Opens a block collection at `column` if that lies deeper than the current one. Its
    /// token goes in front of token number `token`.
    fn open_block(&mut self, column: usize, token: usize, kind: TokenKind<'a>, line: u32) {
        if self.in_flow() || self.indent >= column as isize {
            return;
        }
        self.indents.push(self.indent);
        self.indent = column as isize;
        self.insert(token, Token { line, kind });
    }

    /// Puts a token in front of token number `before`, or last if that was handed out.
    fn insert(&mut self, before: usize, token: Token<'a>) {
        let at = before.checked_sub(self.taken).unwrap_or(self.queue.len());
        self.queue.insert(at, token);
    }

    /// Closes the block collections that lie deeper than `column`.
    fn close_blocks(&mut self, column: isize) {
        if self.in_flow() {
            return;
        }
        while self.indent > column {
            self.push(TokenKind::BlockEnd);
            self.indent = self.indents.pop().expect("one per open block");
        }
    }

    fn in_flow(&self) -> bool {
        self.keys.len() > 1
    }

    /// The number that a token pushed now would get.
    fn next_number(&self) -> usize {
        self.taken + self.queue.len()
    }

    fn push(&mut self, kind: TokenKind<'a>) {
        self.queue.push_back(Token { line: self.at.line, kind });
    }

    fn problem(&self, message: &'static str) -> Problem {
        Problem::new(self.at.line, message)
    }
}
