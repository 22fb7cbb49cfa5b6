//! Strings, in the style they allow.

use std::fmt::Write;

use super::style::{Style, is_break, is_printable, style};
use super::{Emitter, INDENT, WIDTH};

impl Emitter {
    /// Prints a string; `is_key` if it stands in front of a colon.
    pub(super) fn string(&mut self, text: &str, is_key: bool) {
        let outer = self.indent;
        self.indent = Some(outer.unwrap_or(0) + INDENT);
        match style(text, is_key) {
            Style::Plain => self.plain(text, is_key),
            Style::SingleQuoted => self.single_quoted(text, is_key),
            Style::DoubleQuoted => self.double_quoted(text, is_key),
            Style::Literal => self.literal(text),
        }
        self.indent = outer;
    }

    fn plain(&mut self, text: &str, is_key: bool) {
        self.separate();
        if is_key || self.column + text.len() <= WIDTH {
            self.copy(text);
        } else {
            let mut after_space = false;
            for (at, symbol) in text.char_indices() {
                let folds = symbol == ' ' && !after_space && self.column > WIDTH;
                after_space = symbol == ' ';
                if folds && !text[at + 1..].starts_with(' ') {
                    self.start_line();
                } else {
                    self.copy_char(symbol);
                }
            }
        }
        (self.spaced, self.fresh) = (false, false);
    }

    fn single_quoted(&mut self, text: &str, is_key: bool) {
        self.indicator("'", false);
        let mut after_space = false;
        let mut after_break = false;
        for (at, symbol) in text.char_indices() {
            if symbol == ' ' {
                let inside = at > 0 && at < text.len() - 1;
                let folds = !is_key && !after_space && self.column > WIDTH && inside;
                if folds && !text[at + 1..].starts_with(' ') {
                    self.start_line();
                } else {
                    self.copy_char(symbol);
                }
                after_space = true;
            } else if is_break(symbol) {
                if !after_break && symbol == '\n' {
                    self.line_feed();
                }
                self.copy_break(symbol);
                after_break = true;
            } else {
                if after_break {
                    self.start_line();
                }
                if symbol == '\'' {
                    self.put("'");
                }
                self.copy_char(symbol);
                self.fresh = false;
                (after_space, after_break) = (false, false);
            }
        }
        self.put("'");
        (self.spaced, self.fresh) = (false, false);
    }

    fn double_quoted(&mut self, text: &str, is_key: bool) {
        self.indicator("\"", false);
        let mut after_space = false;
        // Go's printer looks for a byte order mark at the wrong place: behind one everything
        // is escaped.
        let marked = text.starts_with('\u{feff}');
        for (at, symbol) in text.char_indices() {
            if symbol == ' ' && !marked {
                let inside = at > 0 && at < text.len() - 1;
                if !is_key && !after_space && self.column > WIDTH && inside {
                    self.start_line();
                    if text[at + 1..].starts_with(' ') {
                        self.put("\\");
                    }
                } else {
                    self.put(" ");
                }
                after_space = true;
                continue;
            }
            after_space = false;
            let shown = is_printable(symbol) && !is_break(symbol) && !matches!(symbol, '"' | '\\');
            if shown && !marked {
                self.copy_char(symbol);
            } else {
                self.escape(symbol);
            }
        }
        self.put("\"");
        (self.spaced, self.fresh) = (false, false);
    }

    fn escape(&mut self, symbol: char) {
        let named = match symbol {
            '\0' => "\\0",
            '\u{7}' => "\\a",
            '\u{8}' => "\\b",
            '\t' => "\\t",
            '\n' => "\\n",
            '\u{b}' => "\\v",
            '\u{c}' => "\\f",
            '\r' => "\\r",
            '\u{1b}' => "\\e",
            '"' => "\\\"",
            '\\' => "\\\\",
            '\u{85}' => "\\N",
            '\u{a0}' => "\\_",
            '\u{2028}' => "\\L",
            '\u{2029}' => "\\P",
            _ => {
                let before = self.out.len();
                let _ = match symbol as u32 {
                    code @ ..0x100 => write!(self.out, "\\x{code:02X}"),
                    code @ ..0x10000 => write!(self.out, "\\u{code:04X}"),
                    code => write!(self.out, "\\U{code:08X}"),
                };
                self.column += self.out.len() - before;
                return;
            }
        };
        self.put(named);
    }

    fn literal(&mut self, text: &str) {
        self.indicator("|", false);
        if text.starts_with([' ', '\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
            self.put("2");
        }
        let mut from_end = text.chars().rev();
        match (from_end.next().is_some_and(is_break), from_end.next().is_none_or(is_break)) {
            (false, _) => self.put("-"),
            (true, true) => self.put("+"),
            (true, false) => {}
        }
        self.line_feed();
        (self.spaced, self.fresh) = (true, true);
        let mut after_break = true;
        for symbol in text.chars() {
            if is_break(symbol) {
                self.copy_break(symbol);
                after_break = true;
            } else {
                if after_break {
                    self.start_line();
                }
                self.copy_char(symbol);
                self.fresh = false;
                after_break = false;
            }
        }
    }

    fn copy_break(&mut self, symbol: char) {
        self.out.push(symbol);
        self.column = 0;
        self.fresh = true;
    }

    fn copy_char(&mut self, symbol: char) {
        self.out.push(symbol);
        self.column += 1;
    }

    fn copy(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }
}
