//! Single- and double-quoted scalars. A scalar on one line without escapes is a slice of the
//! text; anything else is built piece by piece.

use std::borrow::Cow;

use super::{Scanner, TokenKind};
use crate::manifest::error::{Parsed, Problem};

impl<'a> Scanner<'a> {
    pub(super) fn scan_single_quoted(&mut self) -> Parsed<TokenKind<'a>> {
        self.scan_quoted(b'\'')
    }

    pub(super) fn scan_double_quoted(&mut self) -> Parsed<TokenKind<'a>> {
        self.scan_quoted(b'"')
    }

    fn scan_quoted(&mut self, quote: u8) -> Parsed<TokenKind<'a>> {
        let start_line = self.at.line;
        self.at.bump(1);
        let text = match self.scan_quoted_slice(quote) {
            Some(slice) => Cow::Borrowed(slice),
            None => Cow::Owned(self.scan_quoted_pieces(quote, start_line)?),
        };
        self.at.bump(1);
        Ok(TokenKind::Scalar { text, plain: false })
    }

    /// The content as it stands, if the scalar ends on this line without escapes.
    fn scan_quoted_slice(&mut self, quote: u8) -> Option<&'a str> {
        let (text, start) = (self.at.text, self.at.offset);
        for (ahead, byte) in text.as_bytes()[start..].iter().enumerate() {
            match *byte {
                b'\n' | b'\r' => return None,
                b'\\' if quote == b'"' => return None,
                0xC2 | 0xE2 if self.at.break_len(ahead) > 0 => return None,
                found if found == quote => {
                    if quote == b'\'' && self.at.byte(ahead + 1) == quote {
                        return None;
                    }
                    self.at.advance_to(start + ahead);
                    return Some(&text[start..start + ahead]);
                }
                _ => {}
            }
        }
        None
    }

    fn scan_quoted_pieces(&mut self, quote: u8, start_line: u32) -> Parsed<String> {
        let mut text = String::new();
        loop {
            if self.at.at_document_marker() {
                return Err(Problem::new(start_line, "found unexpected document indicator"));
            }
            if self.at.at_end() {
                return Err(Problem::new(start_line, "found unexpected end of stream"));
            }
            let escaped_break = self.scan_quoted_run(quote, &mut text)?;
            if self.at.byte(0) == quote {
                return Ok(text);
            }
            self.scan_quoted_gap(escaped_break, &mut text);
        }
    }

    /// Reads up to the next gap or the closing quote. Returns whether an escaped line break
    /// ended the run.
    fn scan_quoted_run(&mut self, quote: u8, text: &mut String) -> Parsed<bool> {
        while !self.at.is_gap(0) {
            let byte = self.at.byte(0);
            if byte == quote {
                if quote == b'"' || self.at.byte(1) != quote {
                    return Ok(false);
                }
                text.push('\'');
                self.at.bump(2);
            } else if byte == b'\\' && quote == b'"' {
                if self.at.break_len(1) > 0 {
                    self.at.bump(1);
                    self.at.take_break();
                    return Ok(true);
                }
                self.scan_escape(text)?;
            } else {
                let from = self.at.offset;
                self.at.advance_to(self.at.quoted_run_end(quote));
                text.push_str(&self.at.text[from..self.at.offset]);
            }
        }
        Ok(false)
    }

    /// Blanks stay as they are within a line; around a line break they vanish and the break
    /// folds to a space, or to the blank lines behind it.
    fn scan_quoted_gap(&mut self, escaped_break: bool, text: &mut String) {
        let blanks_from = self.at.offset;
        let mut first_break = "";
        let mut more_breaks = String::new();
        let mut broken = escaped_break;
        let mut blanks_to = blanks_from;
        loop {
            if self.at.is_blank(0) {
                self.at.bump(1);
                if !broken {
                    blanks_to = self.at.offset;
                }
            } else if self.at.break_len(0) == 0 {
                break;
            } else if broken {
                more_breaks.push_str(self.at.take_break());
            } else {
                first_break = self.at.take_break();
                broken = true;
            }
        }
        match (broken, first_break, more_breaks.is_empty()) {
            (false, ..) => text.push_str(&self.at.text[blanks_from..blanks_to]),
            (true, "\n", true) => text.push(' '),
            (true, "\n", false) => text.push_str(&more_breaks),
            _ => {
                text.push_str(first_break);
                text.push_str(&more_breaks);
            }
        }
    }

    fn scan_escape(&mut self, text: &mut String) -> Parsed<()> {
        let digits = match self.at.byte(1) {
            b'x' => 2,
            b'u' => 4,
            b'U' => 8,
            named => {
                let Some(symbol) = named_escape(named) else {
                    return Err(self.problem("found unknown escape character"));
                };
                text.push(symbol);
                self.at.bump(2);
                return Ok(());
            }
        };
        self.at.bump(2);
        let Some(code) = self.at.hexadecimal(digits) else {
            return Err(self.problem("did not find expected hexdecimal number"));
        };
        let Some(symbol) = char::from_u32(code) else {
            return Err(self.problem("found invalid Unicode character escape code"));
        };
        text.push(symbol);
        self.at.bump(digits);
        Ok(())
    }
}

fn named_escape(letter: u8) -> Option<char> {
    Some(match letter {
        b'0' => '\0',
        b'a' => '\u{7}',
        b'b' => '\u{8}',
        b't' | b'\t' => '\t',
        b'n' => '\n',
        b'v' => '\u{b}',
        b'f' => '\u{c}',
        b'r' => '\r',
        b'e' => '\u{1b}',
        b' ' | b'"' | b'\'' | b'\\' => char::from(letter),
        b'N' => '\u{85}',
        b'_' => '\u{a0}',
        b'L' => '\u{2028}',
        b'P' => '\u{2029}',
        _ => return None,
    })
}
