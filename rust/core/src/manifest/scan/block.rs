//! Literal (`|`) and folded (`>`) block scalars with their chomping and indentation hints.

use std::borrow::Cow;

use super::Scanner;
use crate::manifest::error::{Parsed, Problem};

/// What becomes of the line breaks at the end.
#[derive(Clone, Copy, PartialEq)]
enum Chomping {
    /// `-`: none stays.
    Strip,
    /// One stays.
    Clip,
    /// `+`: all stay.
    Keep,
}

impl<'a> Scanner<'a> {
    pub(super) fn scan_block(&mut self, literal: bool) -> Parsed<Cow<'a, str>> {
        let start_line = self.at.line;
        self.at.bump(1);
        let (chomping, hint) = self.scan_block_header(start_line)?;
        let mut indent = hint.map(|hint| self.indent.max(0) as usize + hint);

        let mut text = String::new();
        let mut breaks = String::new();
        let mut leading_break = "";
        let mut leading_blank = false;
        let mut column = self.scan_block_breaks(&mut indent, &mut breaks, start_line)?;
        while self.at.column() == column && !self.at.at_end() {
            let blank = self.at.is_blank(0);
            if literal || leading_blank || blank || leading_break != "\n" {
                text.push_str(leading_break);
            } else if breaks.is_empty() {
                text.push(' ');
            }
            text.push_str(&breaks);
            breaks.clear();
            leading_blank = blank;
            let from = self.at.offset;
            self.at.skip_line();
            text.push_str(&self.at.text[from..self.at.offset]);
            leading_break = self.at.take_break();
            column = self.scan_block_breaks(&mut indent, &mut breaks, start_line)?;
        }
        if chomping != Chomping::Strip {
            text.push_str(leading_break);
        }
        if chomping == Chomping::Keep {
            text.push_str(&breaks);
        }
        Ok(Cow::Owned(text))
    }

    /// Reads the hints behind the indicator, in either order, and the rest of their line.
    fn scan_block_header(&mut self, start_line: u32) -> Parsed<(Chomping, Option<usize>)> {
        let mut chomping = self.scan_chomping();
        let hint = match self.at.byte(0) {
            b'0' => {
                let message = "found an indentation indicator equal to 0";
                return Err(Problem::new(start_line, message));
            }
            digit @ b'1'..=b'9' => {
                self.at.bump(1);
                chomping = chomping.or_else(|| self.scan_chomping());
                Some(usize::from(digit - b'0'))
            }
            _ => None,
        };
        self.at.skip_blanks();
        if self.at.byte(0) == b'#' {
            self.at.skip_line();
        }
        if !self.at.at_end() && self.at.break_len(0) == 0 {
            return Err(Problem::new(start_line, "did not find expected comment or line break"));
        }
        self.at.take_break();
        Ok((chomping.unwrap_or(Chomping::Clip), hint))
    }

    fn scan_chomping(&mut self) -> Option<Chomping> {
        let chomping = match self.at.byte(0) {
            b'+' => Chomping::Keep,
            b'-' => Chomping::Strip,
            _ => return None,
        };
        self.at.bump(1);
        Some(chomping)
    }

    /// Moves over blank lines and indentation. The first non-blank line decides the
    /// indentation if no hint did. Returns the column at which content stands.
    fn scan_block_breaks(
        &mut self,
        indent: &mut Option<usize>,
        breaks: &mut String,
        start_line: u32,
    ) -> Parsed<usize> {
        let mut deepest = 0;
        loop {
            while self.at.byte(0) == b' ' && indent.is_none_or(|indent| self.at.column() < indent) {
                self.at.bump(1);
            }
            deepest = deepest.max(self.at.column());
            if self.at.byte(0) == b'\t' && indent.is_none_or(|indent| self.at.column() < indent) {
                let message = "found a tab character where an indentation space is expected";
                return Err(Problem::new(self.at.line.max(start_line), message));
            }
            if self.at.break_len(0) == 0 {
                break;
            }
            breaks.push_str(self.at.take_break());
        }
        Ok(*indent.get_or_insert_with(|| deepest.max((self.indent + 1) as usize).max(1)))
    }
}
