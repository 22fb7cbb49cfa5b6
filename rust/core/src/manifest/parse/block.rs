//! Block collections: lists by dashes and maps by indentation.

use super::{Parser, State};
use crate::manifest::error::{Parsed, Problem};
use crate::manifest::scan::{Token, TokenKind};
use crate::manifest::sink::Sink;

impl<'a> Parser<'a> {
    pub(super) fn block_sequence_entry(&mut self, sink: &mut impl Sink<'a>) -> Parsed<()> {
        let Token { line, kind } = self.scanner.peek()?;
        let line = *line;
        match kind {
            TokenKind::BlockEntry => {
                self.scanner.next()?;
                match self.scanner.peek()?.kind {
                    TokenKind::BlockEntry | TokenKind::BlockEnd => {
                        self.empty(sink, State::BlockSequenceEntry)
                    }
                    _ => self.child(sink, State::BlockSequenceEntry, true, false),
                }
            }
            TokenKind::BlockEnd => self.close(sink),
            _ => Err(Problem::new(line, "did not find expected '-' indicator")),
        }
    }

    pub(super) fn indentless_entry(&mut self, sink: &mut impl Sink<'a>) -> Parsed<()> {
        let Token { line, kind } = self.scanner.peek()?;
        let line = *line;
        if *kind != TokenKind::BlockEntry {
            self.pop_state();
            return sink.close(line);
        }
        self.scanner.next()?;
        match self.scanner.peek()?.kind {
            TokenKind::BlockEntry | TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => {
                self.empty(sink, State::IndentlessEntry)
            }
            _ => self.child(sink, State::IndentlessEntry, true, false),
        }
    }

    pub(super) fn block_mapping_key(&mut self, sink: &mut impl Sink<'a>) -> Parsed<()> {
        let Token { line, kind } = self.scanner.peek()?;
        let line = *line;
        match kind {
            TokenKind::Key => {
                self.scanner.next()?;
                self.block_mapping_side(sink, State::BlockMappingValue)
            }
            TokenKind::BlockEnd => self.close(sink),
            _ => Err(Problem::new(line, "did not find expected key")),
        }
    }

    pub(super) fn block_mapping_value(&mut self, sink: &mut impl Sink<'a>) -> Parsed<()> {
        if self.scanner.peek()?.kind != TokenKind::Value {
            return self.empty(sink, State::BlockMappingKey);
        }
        self.scanner.next()?;
        self.block_mapping_side(sink, State::BlockMappingKey)
    }

    /// What stands behind `?` or `:`; possibly nothing.
    fn block_mapping_side(&mut self, sink: &mut impl Sink<'a>, then: State) -> Parsed<()> {
        match self.scanner.peek()?.kind {
            TokenKind::Key | TokenKind::Value | TokenKind::BlockEnd => self.empty(sink, then),
            _ => self.child(sink, then, true, true),
        }
    }
}
