//! The words of an expression.

use super::{Checked, wrong};
use crate::base::Text;

/// A word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(Text),
    /// A name or a keyword.
    Word(Text),
    /// An operator or a bracket.
    Sign(&'static str),
    End,
}

/// Longer signs first, so that they are not taken for two.
const SIGNS: [&str; 20] = [
    "//", "==", "!=", "<=", ">=", "**", "<", ">", "+", "-", "*", "/", "%", "(", ")", "[", "]", ".",
    ",", "=",
];

/// What the letters after a number multiply it by.
const SUFFIXES: [(&str, f64); 13] = [
    ("m", 1e-3),
    ("k", 1e3),
    ("M", 1e6),
    ("G", 1e9),
    ("T", 1e12),
    ("P", 1e15),
    ("E", 1e18),
    ("Ki", 1024.0),
    ("Mi", 1_048_576.0),
    ("Gi", 1_073_741_824.0),
    ("Ti", 1_099_511_627_776.0),
    ("Pi", 1_125_899_906_842_624.0),
    ("Ei", 1_152_921_504_606_846_976.0),
];

/// Divides a text into words, each with its column, and an end.
pub(super) fn lex(source: &str) -> Checked<Vec<(usize, Token)>> {
    let mut tokens = Vec::new();
    let mut rest = source;
    loop {
        rest = rest.trim_start();
        let column = source[..source.len() - rest.len()].chars().count() + 1;
        let Some(first) = rest.chars().next() else {
            tokens.push((column, Token::End));
            return Ok(tokens);
        };
        let starts_number = first.is_ascii_digit()
            || first == '.' && rest[1..].starts_with(|next: char| next.is_ascii_digit());
        let (token, length) = if starts_number {
            number(rest, column)?
        } else if first == '\'' || first == '"' {
            text(rest, first, column)?
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            (Token::Word(rest[..end].into()), end)
        } else if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
            (Token::Sign(sign), sign.len())
        } else {
            return wrong(column, format!("{first:?} has no meaning here"));
        };
        tokens.push((column, token));
        rest = &rest[length..];
    }
}

/// A text between quotes; a backslash takes the next character as it is.
fn text(rest: &str, quote: char, column: usize) -> Checked<(Token, usize)> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' => text.extend(characters.next().map(|(_, escaped)| escaped)),
            _ if character == quote => return Ok((Token::Text(text.into()), at + 1)),
            _ => text.push(character),
        }
    }
    wrong(column, "the text has no end")
}

/// A number, perhaps with an exponent or the suffix of a quantity.
fn number(rest: &str, column: usize) -> Checked<(Token, usize)> {
    let digits = |from: usize| {
        let more = rest[from..].find(|c: char| !c.is_ascii_digit() && c != '_');
        more.map_or(rest.len(), |more| from + more)
    };
    let mut end = digits(0);
    if rest[end..].starts_with('.') {
        end = digits(end + 1);
    }
    let after_e = rest[end..].strip_prefix(['e', 'E']);
    let signed = after_e.map(|after| usize::from(after.starts_with(['+', '-'])));
    if let (Some(after), Some(sign)) = (after_e, signed)
        && after[sign..].starts_with(|c: char| c.is_ascii_digit())
    {
        end = digits(end + 1 + sign);
    }
    let Ok(value) = rest[..end].replace('_', "").parse::<f64>() else {
        return wrong(column, format!("{:?} is no number", &rest[..end]));
    };
    let letters = rest[end..].find(|c: char| !c.is_alphanumeric() && c != '_');
    let suffix = &rest[end..letters.map_or(rest.len(), |letters| end + letters)];
    if suffix.is_empty() {
        return Ok((Token::Number(value), end));
    }
    match SUFFIXES.iter().find(|(name, _)| *name == suffix) {
        Some((_, factor)) => Ok((Token::Number(value * factor), end + suffix.len())),
        None => wrong(column, format!("\"{}{suffix}\" is no quantity", &rest[..end])),
    }
}
