//! Flow collections: `[...]`, `{...}` and the pair `[a: b]` in between.

use super::{Parser, State};
use crate::manifest::error::{Parsed, Problem};
use crate::manifest::scan::{Token, TokenKind};
use crate::manifest::sink::Sink;

impl<'a> Parser<'a> {
    pub(super) fn flow_sequence_entry(
        &mut self,
        sink: &mut impl Sink<'a>,
        first: bool,
    ) -> Parsed<()> {
        if self.scanner.peek()?.kind != TokenKind::FlowSequenceEnd {
            if !first {
                self.flow_comma("did not find expected ',' or ']'")?;
            }
            let Token { line, kind } = self.scanner.peek()?;
            let line = *line;
            match kind {
                TokenKind::Key => {
                    self.scanner.next()?;
                    self.state = State::FlowPairKey;
                    return sink.open(line, true, None);
                }
                TokenKind::FlowSequenceEnd => {}
                _ => return self.child(sink, State::FlowSequenceEntry, false, false),
            }
        }
        self.close(sink)
    }

    pub(super) fn flow_pair_key(&mut self, sink: &mut impl Sink<'a>) -> Parsed<()> {
        match self.scanner.peek()?.kind {
            TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowSequenceEnd => {
                // The token is passed over here, `:` or not: `[? : a]` loses its colon.
                self.scanner.next()?;
                self.empty(sink, State::FlowPairValue)
            }
            _ => self.child(sink, State::FlowPairValue, false, false),
        }
    }

    pub(super) fn flow_pair_value(&mut self, sink: &mut impl Sink<'a>) -> Parsed<()> {
        if self.scanner.peek()?.kind == TokenKind::Value {
            self.scanner.next()?;
            match self.scanner.peek()?.kind {
                TokenKind::FlowEntry | TokenKind::FlowSequenceEnd => {}
                _ => return self.child(sink, State::FlowPairEnd, false, false),
            }
        }
        self.empty(sink, State::FlowPairEnd)
    }

    pub(super) fn flow_mapping_key(&mut self, sink: &mut impl Sink<'a>, first: bool) -> Parsed<()> {
        if self.scanner.peek()?.kind != TokenKind::FlowMappingEnd {
            if !first {
                self.flow_comma("did not find expected ',' or '}'")?;
            }
            match self.scanner.peek()?.kind {
                TokenKind::Key => {
                    self.scanner.next()?;
                    return match self.scanner.peek()?.kind {
                        TokenKind::Value | TokenKind::FlowEntry | TokenKind::FlowMappingEnd => {
                            self.empty(sink, State::FlowMappingValue)
                        }
                        _ => self.child(sink, State::FlowMappingValue, false, false),
                    };
                }
                TokenKind::FlowMappingEnd => {}
                _ => return self.child(sink, State::FlowMappingNoValue, false, false),
            }
        }
        self.close(sink)
    }

    pub(super) fn flow_mapping_value(&mut self, sink: &mut impl Sink<'a>) -> Parsed<()> {
        if self.scanner.peek()?.kind == TokenKind::Value {
            self.scanner.next()?;
            match self.scanner.peek()?.kind {
                TokenKind::FlowEntry | TokenKind::FlowMappingEnd => {}
                _ => return self.child(sink, State::FlowMappingKey, false, false),
            }
        }
        self.empty(sink, State::FlowMappingKey)
    }

    fn flow_comma(&mut self, otherwise: &'static str) -> Parsed<()> {
        let Token { line, kind } = self.scanner.peek()?;
        if *kind != TokenKind::FlowEntry {
            return Err(Problem::new(*line, otherwise));
        }
        self.scanner.next()?;
        Ok(())
    }
}
