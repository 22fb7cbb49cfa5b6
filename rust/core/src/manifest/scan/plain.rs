//! Plain scalars: no quotes, possibly over several lines, ended by `: `, ` #`, brackets in
//! flow context or a line that is not indented enough.

use std::borrow::Cow;

use super::Scanner;
use crate::manifest::error::Parsed;

impl<'a> Scanner<'a> {
    /// Reads a plain scalar. Like the library it follows, it also moves over the blank lines
    /// and the indentation behind it.
    pub(super) fn scan_plain(&mut self) -> Parsed<Cow<'a, str>> {
        let in_flow = self.in_flow();
        let start = self.at.offset;
        let mut end = self.scan_plain_line(start);
        let mut text = Cow::Borrowed(&self.at.text[start..end]);
        while self.at.break_len(0) > 0 {
            let fold = self.scan_plain_fold()?;
            self.key_allowed = true;
            let outdented = !in_flow && (self.at.column() as isize) <= self.indent;
            if outdented || self.at.byte(0) == b'#' || self.at.at_document_marker() {
                break;
            }
            let from = self.at.offset;
            end = self.scan_plain_line(from);
            if end > from {
                let joined = text.to_mut();
                joined.push_str(&fold);
                joined.push_str(&self.at.text[from..end]);
                self.key_allowed = false;
            }
        }
        Ok(text)
    }

    /// Reads on to where the scalar ends on this line and returns that offset; the cursor also
    /// passes the blanks behind it.
    fn scan_plain_line(&mut self, from: usize) -> usize {
        let in_flow = self.in_flow();
        let mut end = from;
        loop {
            let run_end = self.at.plain_run_end(self.at.offset, in_flow);
            if run_end > self.at.offset {
                self.at.advance_to(run_end);
                end = run_end;
            }
            if !self.at.is_blank(0) {
                return end;
            }
            self.at.skip_blanks();
            if self.at.byte(0) == b'#'
                || self.at.plain_run_end(self.at.offset, in_flow) == self.at.offset
            {
                return end;
            }
        }
    }

    /// Moves over line breaks and indentation and returns what they count as in the scalar.
    fn scan_plain_fold(&mut self) -> Parsed<Cow<'a, str>> {
        let first = self.at.take_break();
        let mut more = String::new();
        loop {
            if self.at.byte(0) == b'\t' && (self.at.column() as isize) <= self.indent {
                let message = "found a tab character that violates indentation";
                return Err(self.problem(message));
            }
            if self.at.is_blank(0) {
                self.at.bump(1);
            } else if self.at.break_len(0) > 0 {
                more.push_str(self.at.take_break());
            } else {
                break;
            }
        }
        Ok(match (first, more.is_empty()) {
            ("\n", true) => Cow::Borrowed(" "),
            ("\n", false) => Cow::Owned(more),
            _ => Cow::Owned(format!("{first}{more}")),
        })
    }
}
