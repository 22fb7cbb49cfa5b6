//! The dispatcher: looks at the next character and puts the tokens it stands for, and those
//! that indentation implies, into the queue.

use std::borrow::Cow;

use super::simple_key::SIMPLE_KEY_CHARS;
use super::{Scanner, Token, TokenKind};
use crate::manifest::error::Parsed;

impl<'a> Scanner<'a> {
    /// Puts the next token, and what indentation implies, into the queue.
    pub(super) fn fetch(&mut self) -> Parsed<()> {
        self.skip_to_token();
        self.close_blocks(self.at.column() as isize);
        if self.at.at_end() {
            return self.fetch_stream_end();
        }
        let byte = self.at.byte(0);
        if self.at.column() == 0 {
            if byte == b'%' {
                return self.fetch_directive();
            }
            if self.at.at_document_marker() {
                return self.fetch_document_marker(byte);
            }
        }
        let in_flow = self.in_flow();
        match byte {
            b'[' => self.fetch_flow_start(TokenKind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(TokenKind::FlowMappingStart),
            b']' => self.fetch_flow_end(TokenKind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(TokenKind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if self.at.is_gap(1) => self.fetch_block_entry(),
            b'?' if in_flow || self.at.is_gap(1) => self.fetch_key(),
            b':' if in_flow || self.at.is_gap(1) => self.fetch_value(),
            b'*' | b'&' => self.fetch_property(|scanner| scanner.scan_anchor(byte)),
            b'!' => self.fetch_property(Self::scan_tag),
            b'|' | b'>' if !in_flow => self.fetch_block_scalar(byte == b'|'),
            b'\'' => self.fetch_property(Self::scan_single_quoted),
            b'"' => self.fetch_property(Self::scan_double_quoted),
            b'?' | b':' | b'-' => self.fetch_plain(),
            b'|' | b'>' | b'#' | b'%' | b'@' | b'`' | b'\t' => {
                Err(self.problem("found character that cannot start any token"))
            }
            _ => self.fetch_plain(),
        }
    }

    /// Moves over blanks, comments and line breaks. A tab counts as a blank only where it
    /// cannot be mistaken for indentation.
    fn skip_to_token(&mut self) {
        loop {
            let tabs = self.in_flow() || !self.key_allowed;
            while self.at.byte(0) == b' ' || tabs && self.at.byte(0) == b'\t' {
                self.at.bump(1);
            }
            if self.at.byte(0) == b'#' {
                self.at.skip_line();
            }
            if self.at.break_len(0) == 0 {
                return;
            }
            self.at.take_break();
            if !self.in_flow() {
                self.key_allowed = true;
            }
        }
    }

    fn fetch_stream_end(&mut self) -> Parsed<()> {
        self.close_blocks(-1);
        self.drop_key()?;
        self.key_allowed = false;
        self.push(TokenKind::StreamEnd);
        Ok(())
    }

    fn fetch_directive(&mut self) -> Parsed<()> {
        self.close_blocks(-1);
        self.drop_key()?;
        self.key_allowed = false;
        let line = self.at.line;
        let kind = self.scan_directive()?;
        self.queue.push_back(Token { line, kind });
        Ok(())
    }

    fn fetch_document_marker(&mut self, byte: u8) -> Parsed<()> {
        self.close_blocks(-1);
        self.drop_key()?;
        self.key_allowed = false;
        self.push(if byte == b'-' { TokenKind::DocumentStart } else { TokenKind::DocumentEnd });
        self.at.bump(3);
        Ok(())
    }

    fn fetch_flow_start(&mut self, kind: TokenKind<'a>) -> Parsed<()> {
        self.save_key()?;
        self.push_key_level();
        self.key_allowed = true;
        self.push(kind);
        self.at.bump(1);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: TokenKind<'a>) -> Parsed<()> {
        self.drop_key()?;
        if self.in_flow() {
            let inner = self.keys.pop().expect("one per open bracket");
            // Brackets in which no key could begin share their number with the bracket itself,
            // and the library forgets that the bracket may be a key: `[]: x` is no mapping.
            let outer = self.keys.last_mut().expect("one level at least");
            outer.awaited &= outer.token != inner.token;
        }
        self.key_allowed = false;
        self.push(kind);
        self.at.bump(1);
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Parsed<()> {
        self.drop_key()?;
        self.key_allowed = true;
        self.push(TokenKind::FlowEntry);
        self.at.bump(1);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Parsed<()> {
        if !self.in_flow() {
            if !self.key_allowed {
                let message = "block sequence entries are not allowed in this context";
                return Err(self.problem(message));
            }
            let token = self.next_number();
            self.open_block(self.at.column(), token, TokenKind::BlockSequenceStart, self.at.line);
        }
        self.drop_key()?;
        self.key_allowed = true;
        self.push(TokenKind::BlockEntry);
        self.at.bump(1);
        Ok(())
    }

    /// An explicit `?`.
    fn fetch_key(&mut self) -> Parsed<()> {
        if !self.in_flow() {
            if !self.key_allowed {
                return Err(self.problem("mapping keys are not allowed in this context"));
            }
            let token = self.next_number();
            self.open_block(self.at.column(), token, TokenKind::BlockMappingStart, self.at.line);
        }
        self.drop_key()?;
        self.key_allowed = !self.in_flow();
        self.push(TokenKind::Key);
        self.at.bump(1);
        Ok(())
    }

    /// A `:`. Where a simple key was possible it has now been found, and its tokens are put
    /// where it began.
    fn fetch_value(&mut self) -> Parsed<()> {
        let level = self.keys.len() - 1;
        let key = self.keys[level];
        if key.possible && self.key_still_possible(level)? {
            self.insert(key.token, Token { line: key.line, kind: TokenKind::Key });
            self.open_block(key.column, key.token, TokenKind::BlockMappingStart, key.line);
            self.keys[level].possible = false;
            self.keys[level].awaited = false;
            self.key_allowed = false;
        } else {
            if !self.in_flow() {
                if !self.key_allowed {
                    return Err(self.problem("mapping values are not allowed in this context"));
                }
                let token = self.next_number();
                let line = self.at.line;
                self.open_block(self.at.column(), token, TokenKind::BlockMappingStart, line);
            }
            self.key_allowed = !self.in_flow();
        }
        self.push(TokenKind::Value);
        self.at.bump(1);
        Ok(())
    }

    /// An anchor, alias, tag or quoted scalar: each may begin a simple key, none may directly
    /// precede one.
    fn fetch_property(
        &mut self,
        scan: impl FnOnce(&mut Self) -> Parsed<TokenKind<'a>>,
    ) -> Parsed<()> {
        self.save_key()?;
        self.key_allowed = false;
        let line = self.at.line;
        let kind = scan(self)?;
        self.queue.push_back(Token { line, kind });
        Ok(())
    }

    fn fetch_plain(&mut self) -> Parsed<()> {
        self.save_key()?;
        let may_be_key = std::mem::take(&mut self.key_allowed);
        let (line, start) = (self.at.line, self.at.offset);
        let text = self.scan_plain()?;
        let is_key = may_be_key
            && line == self.at.line
            && self.at.byte(0) == b':'
            && !self.in_flow()
            && self.at.offset - start <= SIMPLE_KEY_CHARS;
        if is_key {
            self.fetch_block_key(text);
            return Ok(());
        }
        self.queue.push_back(Token { line, kind: TokenKind::Scalar { text, plain: true } });
        Ok(())
    }

    /// A plain scalar with its `:` right behind it, by far the most frequent case. The tokens
    /// are those that `fetch_value` would insert one by one.
    fn fetch_block_key(&mut self, text: Cow<'a, str>) {
        let key = self.keys[0];
        let line = key.line;
        self.keys[0].possible = false;
        self.keys[0].awaited = false;
        self.open_block(key.column, key.token, TokenKind::BlockMappingStart, line);
        self.queue.push_back(Token { line, kind: TokenKind::Key });
        self.queue.push_back(Token { line, kind: TokenKind::Scalar { text, plain: true } });
        self.queue.push_back(Token { line, kind: TokenKind::Value });
        self.at.bump(1);
    }

    fn fetch_block_scalar(&mut self, literal: bool) -> Parsed<()> {
        self.drop_key()?;
        self.key_allowed = true;
        let line = self.at.line;
        let text = self.scan_block(literal)?;
        self.queue.push_back(Token { line, kind: TokenKind::Scalar { text, plain: false } });
        Ok(())
    }
}
