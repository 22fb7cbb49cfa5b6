//! JSON text to nodes, with the messages of Go's `encoding/json`.
//!
//! Not `serde_json`: duplicate keys must be seen, nesting must cost no call depth, several
//! documents may follow each other, and the words of an error are Kubernetes' own.

use std::borrow::Cow;

use super::error::{Parsed, Problem};
use super::number::parse_float;
use super::sink::{Scalar, Sink};
use crate::base::Value;

/// What may come next.
#[derive(Clone, Copy, PartialEq)]
enum Expect {
    Value,
    /// A value or `]`.
    FirstElement,
    /// A key or `}`.
    FirstKey,
    /// `,` or the end of the container.
    Separator,
    End,
}

pub(super) struct JsonReader<'a> {
    text: &'a str,
    offset: usize,
    line: u32,
    expect: Expect,
    /// The open containers; true for objects.
    open: Vec<bool>,
    /// A number too large for a float: legal JSON, but not a legal value.
    overflow: Option<Problem>,
}

impl<'a> JsonReader<'a> {
    /// Begins to read one document of `text` at `offset`, which lies on `line`.
    pub fn new(text: &'a str, offset: usize, line: u32) -> Self {
        Self { text, offset, line, expect: Expect::Value, open: Vec::new(), overflow: None }
    }

    /// Reads the document. Nothing is ignored.
    pub fn read(&mut self, sink: &mut impl Sink<'a>) -> Parsed<Option<u32>> {
        while self.expect != Expect::End {
            self.skip_space();
            match self.expect {
                Expect::Separator => self.separator(sink)?,
                Expect::FirstKey => self.key(sink)?,
                Expect::FirstElement if self.byte() == Some(b']') => self.close(sink)?,
                _ => self.value(sink)?,
            }
        }
        Ok(None)
    }

    /// Moves over white space; true if nothing follows it.
    pub fn at_end(&mut self) -> bool {
        self.skip_space();
        self.offset == self.text.len()
    }

    /// Where the cursor stands: behind the document once it was read.
    pub fn place(&self) -> (usize, u32) {
        (self.offset, self.line)
    }

    /// What was wrong with the values of a text whose syntax was right.
    pub fn overflow(&mut self) -> Option<Problem> {
        self.overflow.take()
    }

    /// Reads what follows a value within a container.
    fn separator(&mut self, sink: &mut impl Sink<'a>) -> Parsed<()> {
        let in_object = *self.open.last().expect("only containers have separators");
        match (self.byte(), in_object) {
            (Some(b'}'), true) | (Some(b']'), false) => return self.close(sink),
            (Some(b','), _) => self.offset += 1,
            (_, true) => return Err(self.unexpected("after object key:value pair")),
            (_, false) => return Err(self.unexpected("after array element")),
        }
        self.skip_space();
        if in_object {
            if self.byte() != Some(b'"') {
                return Err(self.unexpected("looking for beginning of object key string"));
            }
            self.expect = Expect::FirstKey;
        } else {
            self.expect = Expect::Value;
        }
        Ok(())
    }

    fn key(&mut self, sink: &mut impl Sink<'a>) -> Parsed<()> {
        match self.byte() {
            Some(b'}') => return self.close(sink),
            Some(b'"') => {}
            _ => return Err(self.unexpected("looking for beginning of object key string")),
        }
        let line = self.line;
        let text = self.string()?;
        self.skip_space();
        if self.byte() != Some(b':') {
            return Err(self.unexpected("after object key"));
        }
        self.offset += 1;
        self.expect = Expect::Value;
        sink.scalar(line, Scalar { text, ..Scalar::default() })
    }

    fn value(&mut self, sink: &mut impl Sink<'a>) -> Parsed<()> {
        let line = self.line;
        match self.byte() {
            Some(b'{') => return self.open(sink, true),
            Some(b'[') => return self.open(sink, false),
            Some(b'"') => {
                let text = self.string()?;
                sink.scalar(line, Scalar { text, ..Scalar::default() })?;
            }
            Some(b'-' | b'0'..=b'9') => sink.leaf(line, self.number()?)?,
            Some(b't') => sink.leaf(line, self.literal("true", Value::Bool(true))?)?,
            Some(b'f') => sink.leaf(line, self.literal("false", Value::Bool(false))?)?,
            Some(b'n') => sink.leaf(line, self.literal("null", Value::Null)?)?,
            _ => return Err(self.unexpected("looking for beginning of value")),
        }
        self.after_value();
        Ok(())
    }

    fn open(&mut self, sink: &mut impl Sink<'a>, object: bool) -> Parsed<()> {
        self.offset += 1;
        self.open.push(object);
        self.expect = if object { Expect::FirstKey } else { Expect::FirstElement };
        sink.open(self.line, object, None)
    }

    fn close(&mut self, sink: &mut impl Sink<'a>) -> Parsed<()> {
        self.offset += 1;
        self.open.pop();
        self.after_value();
        sink.close(self.line)
    }

    fn after_value(&mut self) {
        self.expect = if self.open.is_empty() { Expect::End } else { Expect::Separator };
    }

    fn literal(&mut self, word: &'static str, value: Value) -> Parsed<Value> {
        for expected in word.bytes() {
            if self.byte() != Some(expected) {
                let expected = char::from(expected);
                return Err(self.unexpected(&format!("in literal {word} (expecting '{expected}')")));
            }
            self.offset += 1;
        }
        Ok(value)
    }

    fn number(&mut self) -> Parsed<Value> {
        let start = self.offset;
        self.offset += usize::from(self.byte() == Some(b'-'));
        match self.byte() {
            Some(b'0') => self.offset += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.unexpected("in numeric literal")),
        }
        let integer_end = self.offset;
        if self.byte() == Some(b'.') {
            self.offset += 1;
            self.some_digits("after decimal point in numeric literal")?;
        }
        if matches!(self.byte(), Some(b'e' | b'E')) {
            self.offset += 1;
            self.offset += usize::from(matches!(self.byte(), Some(b'+' | b'-')));
            self.some_digits("in exponent of numeric literal")?;
        }
        let text = &self.text[start..self.offset];
        if self.offset == integer_end
            && let Ok(number) = text.parse()
        {
            return Ok(Value::Int(number));
        }
        let number = parse_float(text).unwrap_or_else(|| {
            let message = format!("cannot unmarshal number {text} into Go value of type float64");
            self.overflow.get_or_insert_with(|| Problem::new(self.line, message));
            f64::MAX
        });
        Ok(Value::Float(number))
    }

    fn some_digits(&mut self, context: &str) -> Parsed<()> {
        if !matches!(self.byte(), Some(b'0'..=b'9')) {
            return Err(self.unexpected(context));
        }
        self.digits();
        Ok(())
    }

    fn digits(&mut self) {
        while matches!(self.byte(), Some(b'0'..=b'9')) {
            self.offset += 1;
        }
    }

    /// Reads a string: a slice of the text unless it holds escapes.
    fn string(&mut self) -> Parsed<Cow<'a, str>> {
        self.offset += 1;
        let mut text = Cow::Borrowed("");
        loop {
            let from = self.offset;
            self.offset += self.text.as_bytes()[from..]
                .iter()
                .take_while(|byte| **byte >= b' ' && **byte != b'"' && **byte != b'\\')
                .count();
            let run = &self.text[from..self.offset];
            if text.is_empty() {
                text = Cow::Borrowed(run);
            } else {
                text.to_mut().push_str(run);
            }
            match self.byte() {
                Some(b'"') => break,
                Some(b'\\') => {
                    self.offset += 1;
                    let symbol = self.escape()?;
                    text.to_mut().push(symbol);
                }
                _ => return Err(self.unexpected("in string literal")),
            }
        }
        self.offset += 1;
        Ok(text)
    }

    fn escape(&mut self) -> Parsed<char> {
        let symbol = match self.byte() {
            Some(same @ (b'"' | b'\\' | b'/')) => char::from(same),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.offset += 1;
                return self.unicode_escape();
            }
            _ => return Err(self.unexpected("in string escape code")),
        };
        self.offset += 1;
        Ok(symbol)
    }

    /// The digits behind `\u`. Half of a surrogate pair alone reads as U+FFFD.
    fn unicode_escape(&mut self) -> Parsed<char> {
        let first = self.code_unit()?;
        if let Some(symbol) = char::from_u32(first) {
            return Ok(symbol);
        }
        if first < 0xDC00 && self.text[self.offset..].starts_with("\\u") {
            let back = self.offset;
            self.offset += 2;
            let second = self.code_unit()?;
            if (0xDC00..0xE000).contains(&second) {
                let code = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.offset = back;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }

    fn code_unit(&mut self) -> Parsed<u32> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.byte().and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.unexpected("in \\u hexadecimal character escape"));
            };
            code = code << 4 | digit;
            self.offset += 1;
        }
        Ok(code)
    }

    fn skip_space(&mut self) {
        while let Some(byte @ (b' ' | b'\t' | b'\r' | b'\n')) = self.byte() {
            self.line += u32::from(byte == b'\n');
            self.offset += 1;
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.offset).copied()
    }

    fn unexpected(&self, context: &str) -> Problem {
        let message = match self.text[self.offset..].chars().next() {
            None => "unexpected EOF".into(),
            Some(symbol @ ('\n' | '\r' | '\t' | '\\' | '\'')) => {
                format!("invalid character '{}' {context}", symbol.escape_default())
            }
            Some(symbol) if symbol.is_ascii_control() => {
                format!(r"invalid character '\x{:02x}' {context}", symbol as u32)
            }
            Some(symbol) => format!("invalid character '{symbol}' {context}"),
        };
        Problem::new(self.line, message)
    }
}
