//! Field selectors: `spec.nodeName=n1,status.phase!=Running`.
//!
//! Which fields a kind can be selected by is the kind's business; here is the language only.

use std::fmt;

use super::SelectorError;
use crate::base::Text;

/// One term of a field selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldTerm {
    /// The path of the field, such as `metadata.name`.
    pub field: Text,
    /// Whether the field must have the value, or must not.
    pub equal: bool,
    /// The value.
    pub value: Text,
}

/// Terms that must all hold; none select everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector {
    terms: Vec<FieldTerm>,
}

impl FieldSelector {
    /// Reads the text kubectl takes after `--field-selector`. A backslash makes the `,`, `=` or
    /// `\` after it part of a value.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let mut parts = split_terms(text);
        parts.sort_unstable();
        let mut terms = Vec::new();
        for part in parts.into_iter().filter(|part| !part.is_empty()) {
            let Some((field, equal, value)) = split_term(part) else {
                return Err(SelectorError(format!(
                    "invalid selector: '{text}'; can't understand '{part}'"
                )));
            };
            let value = unescape(value)?;
            // Kubernetes drops a term of nothing and nothing.
            if !(field.is_empty() && value.is_empty()) {
                terms.push(FieldTerm { field: field.into(), equal, value });
            }
        }
        Ok(Self { terms })
    }

    /// The terms, sorted by their text.
    pub fn terms(&self) -> &[FieldTerm] {
        &self.terms
    }

    /// Whether it selects everything.
    pub fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether an object whose fields `value_of` answers for is selected. An absent field is
    /// the empty string.
    pub fn matches<'a>(&self, value_of: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.terms
            .iter()
            .all(|term| (value_of(&term.field).unwrap_or_default() == term.value) == term.equal)
    }

    /// The value that `field` must have, if the selector says so.
    pub fn exact_value_of(&self, field: &str) -> Option<&str> {
        let term = self.terms.iter().find(|term| term.equal && term.field == field)?;
        Some(&term.value)
    }
}

fn split_terms(text: &str) -> Vec<&str> {
    let mut escaped = false;
    text.split(|symbol| {
        let splits = symbol == ',' && !escaped;
        escaped = symbol == '\\' && !escaped;
        splits
    })
    .collect()
}

/// The field, whether it must be equal, and the value as written.
fn split_term(term: &str) -> Option<(&str, bool, &str)> {
    let at = term
        .char_indices()
        .find_map(|(at, symbol)| (symbol == '=' || term[at..].starts_with("!=")).then_some(at))?;
    let (field, rest) = term.split_at(at);
    if let Some(value) = rest.strip_prefix("!=") {
        return Some((field, false, value));
    }
    let value = rest.strip_prefix("==").or_else(|| rest.strip_prefix('='))?;
    Some((field, true, value))
}

fn unescape(text: &str) -> Result<Text, SelectorError> {
    let mut value = Text::default();
    let mut symbols = text.chars();
    while let Some(symbol) = symbols.next() {
        match symbol {
            '\\' => match symbols.next() {
                Some(escaped @ ('\\' | ',' | '=')) => value.push(escaped),
                other => {
                    let sequence: String = other.into_iter().collect();
                    return Err(SelectorError(format!(
                        "invalid field selector: invalid escape sequence: \\{sequence}"
                    )));
                }
            },
            // Kubernetes prints the character's number.
            ',' | '=' => {
                return Err(SelectorError(format!(
                    "invalid field selector: unescaped character in value: {}",
                    symbol as u32
                )));
            }
            _ => value.push(symbol),
        }
    }
    Ok(value)
}

/// The selector's text, which reads back as the same selector.
impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (at, term) in self.terms.iter().enumerate() {
            let comma = if at > 0 { "," } else { "" };
            let operator = if term.equal { "=" } else { "!=" };
            write!(f, "{comma}{}{operator}", term.field)?;
            for symbol in term.value.chars() {
                if matches!(symbol, '\\' | ',' | '=') {
                    f.write_str("\\")?;
                }
                write!(f, "{symbol}")?;
            }
        }
        Ok(())
    }
}
