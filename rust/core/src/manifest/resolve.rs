//! The type of a scalar: what YAML 1.1 as Go reads it makes of `yes`, `010`, `1_000` or `1e3`,
//! with and without a tag.
//!
//! The writer asks the same questions the other way round: which strings would read as
//! something else and therefore need quotes.

use compact_str::ToCompactString;

use super::number::{
    general_float_32, is_decimal, parse_float, parse_integer, parse_separated_float,
    parse_unsigned, through_json,
};
use super::timestamp::is_timestamp;
use crate::base::{Text, Value};

/// What an untagged plain scalar is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Plain {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer above `i64::MAX`.
    Unsigned(u64),
    /// A float; the special words make it infinite or not a number.
    Float(f64),
    /// Text. Timestamps are among it: they stay text in an untyped document.
    Text,
}

/// The type of an untagged plain scalar.
pub(super) fn plain(text: &str) -> Plain {
    match text.as_bytes().first() {
        None => Plain::Null,
        Some(b'0'..=b'9' | b'+' | b'-') => word(text).unwrap_or_else(|| number(text)),
        Some(b'.') => word(text)
            .unwrap_or_else(|| parse_separated_float(text).map_or(Plain::Text, Plain::Float)),
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            word(text).unwrap_or(Plain::Text)
        }
        Some(_) => Plain::Text,
    }
}

/// Whether a string must be quoted because it would read as something else.
pub(super) fn needs_quotes(text: &str) -> bool {
    plain(text) != Plain::Text || is_timestamp(text) || is_base_60(text)
}

fn word(text: &str) -> Option<Plain> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Plain::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Plain::Bool(false)
        }
        "~" | "null" | "Null" | "NULL" => Plain::Null,
        ".nan" | ".NaN" | ".NAN" => Plain::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Plain::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Plain::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

/// What begins with a digit or a sign.
fn number(text: &str) -> Plain {
    if text.contains('_') {
        return number_without_underscores(&text.replace('_', ""));
    }
    number_without_underscores(text)
}

fn number_without_underscores(text: &str) -> Plain {
    if let Some(number) = parse_integer(text) {
        return Plain::Int(number);
    }
    if let Some(number) = parse_unsigned(text) {
        return Plain::Unsigned(number);
    }
    if is_decimal(text) {
        return parse_float(text).map_or(Plain::Text, Plain::Float);
    }
    binary_with_inner_sign(text).map_or(Plain::Text, Plain::Int)
}

/// `0b+11` and `0b-11`, an accident of the library that a fidelity test would find.
fn binary_with_inner_sign(text: &str) -> Option<i64> {
    let digits = text.strip_prefix("0b")?;
    let magnitude = digits.strip_prefix(['+', '-'])?;
    if magnitude.starts_with(['+', '-']) { None } else { i64::from_str_radix(digits, 2).ok() }
}

/// `1:30` and the like: YAML 1.1's base 60, which Go reads as text but writes quoted.
fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    let first_fits = first.starts_with(|symbol: char| symbol.is_ascii_digit())
        && first.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let mut rest: Vec<&str> = parts.collect();
    let Some(last) = rest.last_mut().filter(|_| first_fits) else { return false };
    if let Some((whole, fraction)) = last.split_once('.') {
        if fraction.bytes().any(|byte| !byte.is_ascii_digit() && byte != b'_') {
            return false;
        }
        *last = whole;
    }
    rest.iter().all(|part| match part.as_bytes() {
        [digit] => digit.is_ascii_digit(),
        [tens, digit] => (b'0'..=b'5').contains(tens) && digit.is_ascii_digit(),
        _ => false,
    })
}

/// The tags Go's library knows by heart; any other makes its scalar text.
const TAG_PREFIX: &str = "tag:yaml.org,2002:";

/// The type and text of a tagged scalar.
///
/// # Errors
/// The sentence Go's library has for a text that does not fit its tag.
pub(super) fn tagged(tag: &str, text: &str) -> Result<(Plain, Option<String>), String> {
    let name = tag.strip_prefix(TAG_PREFIX).unwrap_or_default();
    let found = match name {
        "bool" | "int" | "float" | "null" => plain(text),
        "timestamp" if is_timestamp(text) => return Ok((Plain::Text, None)),
        "timestamp" => plain(text),
        "binary" => {
            let decoded = decode_base_64(text)
                .ok_or_else(|| "!!binary value contains invalid base64 data".to_owned())?;
            return Ok((Plain::Text, Some(decoded)));
        }
        _ => return Ok((Plain::Text, None)),
    };
    let found_name = match found {
        Plain::Null => "null",
        Plain::Bool(_) => "bool",
        Plain::Int(_) | Plain::Unsigned(_) => "int",
        Plain::Float(_) => "float",
        Plain::Text => "str",
    };
    match (name, found) {
        _ if name == found_name => Ok((found, None)),
        ("float", Plain::Int(number)) => Ok((Plain::Float(number as f64), None)),
        _ => {
            let text = text.replace('\n', "\\n");
            Err(format!("cannot decode !!{found_name} `{text}` as a !!{name}"))
        }
    }
}

/// Standard base64 as Go decodes it: line breaks anywhere, padding required. Bytes that are
/// not UTF-8 become U+FFFD on the way through JSON.
fn decode_base_64(text: &str) -> Option<String> {
    let symbols: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    if !symbols.len().is_multiple_of(4) {
        return None;
    }
    let padding = symbols.iter().rev().take_while(|byte| **byte == b'=').count();
    if padding > 2 {
        return None;
    }
    let mut bytes = Vec::with_capacity(symbols.len() / 4 * 3);
    for group in symbols.chunks(4) {
        let mut word = 0u32;
        for symbol in group {
            let bits = match symbol {
                b'A'..=b'Z' => symbol - b'A',
                b'a'..=b'z' => symbol - b'a' + 26,
                b'0'..=b'9' => symbol - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                b'=' => 0,
                _ => return None,
            };
            word = word << 6 | u32::from(bits);
        }
        bytes.extend_from_slice(&word.to_be_bytes()[1..]);
    }
    if symbols[..symbols.len() - padding].contains(&b'=') {
        return None;
    }
    bytes.truncate(bytes.len() - padding);
    Some(replace_invalid_utf8(&bytes))
}

/// As Go's JSON encoder does it: one U+FFFD per bad byte.
fn replace_invalid_utf8(mut bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    while let Err(error) = std::str::from_utf8(bytes) {
        let (valid, rest) = bytes.split_at(error.valid_up_to());
        text.push_str(&String::from_utf8_lossy(valid));
        text.push(char::REPLACEMENT_CHARACTER);
        bytes = &rest[1..];
    }
    text.push_str(&String::from_utf8_lossy(bytes));
    text
}

impl Plain {
    /// The value in a document, once the scalar has gone through JSON. Infinities and NaN pass
    /// unchanged; JSON has no words for them, so the composer refuses them.
    pub fn into_value(self, text: &str) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(flag) => Value::Bool(flag),
            Self::Int(number) => Value::Int(number),
            Self::Unsigned(number) => Value::Float(number as f64),
            Self::Float(number) => through_json(number).map_or_else(Value::Float, Value::Int),
            Self::Text => Value::Str(text.into()),
        }
    }

    /// The text that a scalar becomes as the key of a map.
    ///
    /// # Errors
    /// The type that cannot be a key.
    pub fn into_key(self, text: &str) -> Result<Text, &'static str> {
        Ok(match self {
            Self::Null => return Err("null"),
            Self::Unsigned(_) => return Err("uint64"),
            Self::Bool(flag) => Text::const_new(if flag { "true" } else { "false" }),
            Self::Int(number) => number.to_compact_string(),
            Self::Float(number) if number.is_nan() => Text::const_new(".nan"),
            Self::Float(number) if (number as f32).is_infinite() => {
                Text::const_new(if number > 0.0 { ".inf" } else { "-.inf" })
            }
            Self::Float(number) => general_float_32(number).into(),
            Self::Text => text.into(),
        })
    }
}
