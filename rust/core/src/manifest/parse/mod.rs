//! Tokens to nodes: the grammar of YAML 1.1.
//!
//! A state machine with its own stack, so nesting costs no call depth. Only the first document
//! of a text is read, and whatever follows its end is never looked at: the stream was split at
//! its `---` lines before, and that is all kubectl's decoder does too.

mod block;
mod flow;

use super::error::{Parsed, Problem};
use super::scan::{Scanner, Tag, Token, TokenKind};
use super::sink::{Properties, Scalar, Sink};

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    DocumentStart,
    DocumentEnd,
    BlockSequenceEntry,
    /// A sequence whose dashes stand at the column of the key it belongs to.
    IndentlessEntry,
    BlockMappingKey,
    BlockMappingValue,
    FlowSequenceFirst,
    FlowSequenceEntry,
    /// `[a: b]`: a mapping of one pair without braces.
    FlowPairKey,
    FlowPairValue,
    FlowPairEnd,
    FlowMappingFirst,
    FlowMappingKey,
    FlowMappingValue,
    /// An entry of a flow mapping without `:`.
    FlowMappingNoValue,
}

pub(super) struct Parser<'a> {
    scanner: Scanner<'a>,
    state: State,
    /// Where to go on after the node being read.
    returns: Vec<State>,
    tags: Vec<Tag>,
}

impl<'a> Parser<'a> {
    pub fn new(text: &'a str) -> Self {
        Self {
            scanner: Scanner::new(text),
            state: State::DocumentStart,
            returns: Vec::with_capacity(16),
            tags: Vec::new(),
        }
    }

    /// Reads the document. Answers with the line of what follows its end and is ignored.
    pub fn read(mut self, sink: &mut impl Sink<'a>) -> Parsed<Option<u32>> {
        loop {
            match self.state {
                State::DocumentStart => self.document_start(sink)?,
                State::DocumentEnd => return self.document_end(),
                State::BlockSequenceEntry => self.block_sequence_entry(sink)?,
                State::IndentlessEntry => self.indentless_entry(sink)?,
                State::BlockMappingKey => self.block_mapping_key(sink)?,
                State::BlockMappingValue => self.block_mapping_value(sink)?,
                State::FlowSequenceFirst => self.flow_sequence_entry(sink, true)?,
                State::FlowSequenceEntry => self.flow_sequence_entry(sink, false)?,
                State::FlowPairKey => self.flow_pair_key(sink)?,
                State::FlowPairValue => self.flow_pair_value(sink)?,
                State::FlowPairEnd => {
                    self.state = State::FlowSequenceEntry;
                    sink.close(self.scanner.peek()?.line)?;
                }
                State::FlowMappingFirst => self.flow_mapping_key(sink, true)?,
                State::FlowMappingKey => self.flow_mapping_key(sink, false)?,
                State::FlowMappingValue => self.flow_mapping_value(sink)?,
                State::FlowMappingNoValue => self.empty(sink, State::FlowMappingKey)?,
            }
        }
    }

    fn document_start(&mut self, sink: &mut impl Sink<'a>) -> Parsed<()> {
        self.returns.push(State::DocumentEnd);
        let explicit = self.directives()?;
        let Token { line, kind } = self.scanner.peek()?;
        let line = *line;
        match kind {
            TokenKind::DocumentStart => {
                self.scanner.next()?;
                self.document_content(sink)
            }
            _ if explicit => Err(Problem::new(line, "did not find expected <document start>")),
            TokenKind::StreamEnd => self.empty_and_return(sink),
            _ => self.node(sink, true, false),
        }
    }

    fn document_content(&mut self, sink: &mut impl Sink<'a>) -> Parsed<()> {
        match self.scanner.peek()?.kind {
            TokenKind::VersionDirective { .. }
            | TokenKind::TagDirective(_)
            | TokenKind::DocumentStart
            | TokenKind::DocumentEnd
            | TokenKind::StreamEnd => self.empty_and_return(sink),
            _ => self.node(sink, true, false),
        }
    }

    fn document_end(&mut self) -> Parsed<Option<u32>> {
        while self.scanner.peek()?.kind == TokenKind::DocumentEnd {
            self.scanner.next()?;
            // Behind a `...` nothing is checked any more.
            if let Err(problem) = self.scanner.peek() {
                return Ok(Some(problem.line()));
            }
        }
        let Token { line, kind } = self.scanner.peek()?;
        Ok((*kind != TokenKind::StreamEnd).then_some(*line))
    }

    /// Reads the directives in front of a document and answers whether there were any.
    fn directives(&mut self) -> Parsed<bool> {
        let mut versions = 0;
        while let TokenKind::VersionDirective { .. } | TokenKind::TagDirective(_) =
            self.scanner.peek()?.kind
        {
            let Token { line, kind } = self.scanner.next()?;
            match kind {
                TokenKind::VersionDirective { .. } if versions > 0 => {
                    return Err(Problem::new(line, "found duplicate %YAML directive"));
                }
                TokenKind::VersionDirective { major: 1, minor: 1 } => versions += 1,
                TokenKind::TagDirective(tag) => {
                    if self.tags.iter().any(|known| known.handle == tag.handle) {
                        return Err(Problem::new(line, "found duplicate %TAG directive"));
                    }
                    self.tags.push(*tag);
                }
                _ => return Err(Problem::new(line, "found incompatible YAML document")),
            }
        }
        Ok(versions > 0 || !self.tags.is_empty())
    }

    /// A node with its anchor and tag. `block` allows block collections, `indentless` a
    /// sequence at the column of its key.
    fn node(&mut self, sink: &mut impl Sink<'a>, block: bool, indentless: bool) -> Parsed<()> {
        let mut anchor = None;
        let mut tag = None;
        let line = self.scanner.peek()?.line;
        loop {
            match self.scanner.peek()?.kind {
                TokenKind::Anchor(name) if anchor.is_none() => {
                    anchor = Some(name);
                    self.scanner.next()?;
                }
                TokenKind::Tag(_) if tag.is_none() => tag = Some(self.tag(line)?),
                _ => break,
            }
        }
        match self.scanner.peek()?.kind {
            TokenKind::Scalar { .. } => {
                self.pop_state();
                let TokenKind::Scalar { text, plain } = self.scanner.next()?.kind else {
                    unreachable!("just seen")
                };
                let implicit = plain && tag.is_none() || tag.as_deref() == Some("!");
                sink.scalar(line, Scalar { text, implicit, properties: properties(anchor, tag) })
            }
            TokenKind::Alias(name) if anchor.is_none() && tag.is_none() => {
                self.pop_state();
                self.scanner.next()?;
                sink.alias(line, name)
            }
            TokenKind::BlockEntry if indentless => {
                self.state = State::IndentlessEntry;
                sink.open(line, false, anchor)
            }
            TokenKind::FlowSequenceStart => {
                self.enter(State::FlowSequenceFirst)?;
                sink.open(line, false, anchor)
            }
            TokenKind::FlowMappingStart => {
                self.enter(State::FlowMappingFirst)?;
                sink.open(line, true, anchor)
            }
            TokenKind::BlockSequenceStart if block => {
                self.enter(State::BlockSequenceEntry)?;
                sink.open(line, false, anchor)
            }
            TokenKind::BlockMappingStart if block => {
                self.enter(State::BlockMappingKey)?;
                sink.open(line, true, anchor)
            }
            _ if anchor.is_some() || tag.is_some() => {
                self.pop_state();
                let implicit = tag.is_none();
                let properties = properties(anchor, tag);
                sink.scalar(line, Scalar { implicit, properties, ..Scalar::default() })
            }
            _ => {
                let line = self.scanner.peek()?.line;
                Err(Problem::new(line, "did not find expected node content"))
            }
        }
    }

    fn enter(&mut self, state: State) -> Parsed<()> {
        self.scanner.next()?;
        self.state = state;
        Ok(())
    }

    /// Reads a tag and puts what its handle stands for in front of its suffix.
    fn tag(&mut self, line: u32) -> Parsed<String> {
        let TokenKind::Tag(tag) = self.scanner.next()?.kind else { unreachable!("just seen") };
        let declared = self.tags.iter().find(|known| known.handle == tag.handle);
        let prefix = match (tag.handle.as_str(), declared) {
            ("", _) => "",
            (_, Some(known)) => &known.suffix,
            ("!", None) => "!",
            ("!!", None) => "tag:yaml.org,2002:",
            _ => return Err(Problem::new(line, "found undefined tag handle")),
        };
        Ok(format!("{prefix}{}", tag.suffix))
    }

    /// Reads a node and goes on with `then`.
    fn child(
        &mut self,
        sink: &mut impl Sink<'a>,
        then: State,
        block: bool,
        indentless: bool,
    ) -> Parsed<()> {
        self.returns.push(then);
        self.node(sink, block, indentless)
    }

    /// Ends a collection at the token that closes it.
    fn close(&mut self, sink: &mut impl Sink<'a>) -> Parsed<()> {
        self.pop_state();
        sink.close(self.scanner.next()?.line)
    }

    /// A node that is not there: an empty plain scalar, which reads as null.
    fn empty(&mut self, sink: &mut impl Sink<'a>, then: State) -> Parsed<()> {
        self.state = then;
        let line = self.scanner.peek()?.line;
        sink.scalar(line, Scalar { implicit: true, ..Scalar::default() })
    }

    fn empty_and_return(&mut self, sink: &mut impl Sink<'a>) -> Parsed<()> {
        let then = self.returns.pop().expect("one per open node");
        self.empty(sink, then)
    }

    fn pop_state(&mut self) {
        self.state = self.returns.pop().expect("one per open node");
    }
}

fn properties(anchor: Option<&str>, tag: Option<String>) -> Option<Box<Properties<'_>>> {
    if anchor.is_none() && tag.is_none() {
        return None;
    }
    Some(Box::new(Properties { anchor, tag }))
}
