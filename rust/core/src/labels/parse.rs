//! The selector language: `app=web,tier in (front,back),!legacy,cores>4`.
//!
//! Tokens first, then one token of look-ahead, with the messages of Kubernetes' own parser.
//! `in` and `notin` are operators after a key and ordinary words among values.

use std::collections::BTreeSet;

use super::requirement::key_fault;
use super::{Operator, Requirement, SelectorError};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    End,
    Word,
    In,
    NotIn,
    Comma,
    Open,
    Close,
    Not,
    NotEquals,
    Equals,
    DoubleEquals,
    Greater,
    Less,
}

/// A token and the text it was read from.
type Scanned<'a> = (Token, &'a str);

/// The requirements of a selector's text, in the order they stand there.
pub fn parse(text: &str) -> Result<Vec<Requirement>, SelectorError> {
    Parser { tokens: scan(text), position: 0 }.parse()
}

fn scan(text: &str) -> Vec<Scanned<'_>> {
    let mut tokens = Vec::new();
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', '\r', '\n']);
        let (token, length) = next_token(rest);
        tokens.push((token, &rest[..length]));
        if token == Token::End {
            return tokens;
        }
        // A NUL ends the text, but one right after a token is swallowed with it.
        rest = &rest[length..];
        rest = rest.strip_prefix('\0').unwrap_or(rest);
    }
}

/// The token at the start of `rest` and its length.
fn next_token(rest: &str) -> (Token, usize) {
    let bytes = rest.as_bytes();
    match bytes {
        [] | [0, ..] => (Token::End, 0),
        [b'=', b'=', ..] => (Token::DoubleEquals, 2),
        [b'=', ..] => (Token::Equals, 1),
        [b'!', b'=', ..] => (Token::NotEquals, 2),
        [b'!', ..] => (Token::Not, 1),
        [b'(', ..] => (Token::Open, 1),
        [b')', ..] => (Token::Close, 1),
        [b',', ..] => (Token::Comma, 1),
        [b'>', ..] => (Token::Greater, 1),
        [b'<', ..] => (Token::Less, 1),
        _ => {
            let ends_word = |byte: &u8| b"\0=!(),>< \t\r\n".contains(byte);
            let length = bytes.iter().position(ends_word).unwrap_or(bytes.len());
            match &rest[..length] {
                "in" => (Token::In, length),
                "notin" => (Token::NotIn, length),
                _ => (Token::Word, length),
            }
        }
    }
}

struct Parser<'a> {
    /// Ends with [`Token::End`].
    tokens: Vec<Scanned<'a>>,
    position: usize,
}

impl<'a> Parser<'a> {
    fn parse(mut self) -> Result<Vec<Requirement>, SelectorError> {
        let mut requirements = Vec::new();
        loop {
            match self.peek() {
                (Token::End, _) => return Ok(requirements),
                (Token::Word | Token::Not, _) => {}
                (_, found) => {
                    return error(found, "expected: !, identifier, or 'end of string'");
                }
            }
            let requirement = self.requirement();
            requirements.push(requirement.map_err(|SelectorError(reason)| {
                SelectorError(format!("unable to parse requirement: {reason}"))
            })?);
            match self.take() {
                (Token::End, _) => return Ok(requirements),
                (Token::Comma, _) => {
                    let (token, found) = self.peek();
                    if !matches!(token, Token::Word | Token::Not) {
                        return error(found, "expected: identifier after ','");
                    }
                }
                (_, found) => return error(found, "expected: ',' or 'end of string'"),
            }
        }
    }

    fn requirement(&mut self) -> Result<Requirement, SelectorError> {
        let negated = self.peek().0 == Token::Not;
        if negated {
            self.take();
        }
        let (token, key) = self.take();
        if token != Token::Word {
            return error(key, "expected: identifier");
        }
        // Kubernetes reports the key without a path, which Go prints so.
        if let Some(fault) = key_fault("<nil>", key) {
            return Err(SelectorError(fault));
        }
        if negated {
            return Requirement::new("", key, Operator::DoesNotExist, [""; 0]);
        }
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Requirement::new("", key, Operator::Exists, [""; 0]);
        }
        let operator = self.operator()?;
        let values = match operator {
            Operator::In | Operator::NotIn => self.values()?,
            _ => BTreeSet::from([self.value()?]),
        };
        Requirement::new("", key, operator, values)
    }

    fn operator(&mut self) -> Result<Operator, SelectorError> {
        let (token, found) = self.tokens[self.position];
        self.take();
        Ok(match token {
            Token::In => Operator::In,
            Token::NotIn => Operator::NotIn,
            Token::Equals => Operator::Equals,
            Token::DoubleEquals => Operator::DoubleEquals,
            Token::NotEquals => Operator::NotEquals,
            Token::Greater => Operator::GreaterThan,
            Token::Less => Operator::LessThan,
            _ => return error(found, &format!("expected: {}", Operator::BINARY)),
        })
    }

    /// One value, or the empty one.
    fn value(&mut self) -> Result<&'a str, SelectorError> {
        if matches!(self.peek().0, Token::End | Token::Comma) {
            return Ok("");
        }
        match self.take() {
            (Token::Word, value) => Ok(value),
            (_, found) => error(found, "expected: identifier"),
        }
    }

    /// Values in parentheses, sorted. Nothing between two commas is the empty value.
    fn values(&mut self) -> Result<BTreeSet<&'a str>, SelectorError> {
        let (token, found) = self.take();
        if token != Token::Open {
            return Err(SelectorError(format!("found '{found}' expected: '('")));
        }
        let mut values = BTreeSet::new();
        match self.peek() {
            (Token::Word | Token::Comma, _) => {}
            (Token::Close, _) => {
                self.take();
                return Ok(BTreeSet::from([""]));
            }
            (_, found) => return error(found, "expected: ',', ')' or identifier"),
        }
        loop {
            match self.take() {
                (Token::Word, value) => {
                    values.insert(value);
                    match self.peek() {
                        (Token::Comma, _) => {}
                        (Token::Close, _) => break,
                        (_, found) => return error(found, "expected: ',' or ')'"),
                    }
                }
                (Token::Comma, _) => {
                    let next = self.peek().0;
                    if values.is_empty() || matches!(next, Token::Close | Token::Comma) {
                        values.insert("");
                    }
                    if next == Token::Close {
                        break;
                    }
                }
                (_, found) => return error(found, "expected: ',', or identifier"),
            }
        }
        self.take();
        Ok(values)
    }

    /// The next token; `in` and `notin` are words.
    fn peek(&self) -> Scanned<'a> {
        match self.tokens[self.position] {
            (Token::In | Token::NotIn, text) => (Token::Word, text),
            scanned => scanned,
        }
    }

    /// [`Self::peek`], and steps over it. The end is never stepped over.
    fn take(&mut self) -> Scanned<'a> {
        let scanned = self.peek();
        if scanned.0 != Token::End {
            self.position += 1;
        }
        scanned
    }
}

fn error<T>(found: &str, expected: &str) -> Result<T, SelectorError> {
    Err(SelectorError(format!("found '{found}', {expected}")))
}
