//! Numbers as Go's `strconv` reads and writes them, as far as manifests can tell.

use std::fmt::Write;

use crate::base::value::go_float;

/// An integer in Go's literal syntax: a sign, then `0x`, `0o`, `0b` or a plain `0` for octal.
/// Underscores are not accepted.
pub(super) fn parse_integer(text: &str) -> Option<i64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let size = i128::from(parse_unsigned(digits)?);
    i64::try_from(if negative { -size } else { size }).ok()
}

/// The same without a sign, up to 64 bits.
pub(super) fn parse_unsigned(text: &str) -> Option<u64> {
    let bytes = text.as_bytes();
    if bytes.first()? != &b'0' {
        return digits(text, 10);
    }
    match bytes.get(1).filter(|_| bytes.len() > 2) {
        Some(b'x' | b'X') => digits(&text[2..], 16),
        Some(b'o' | b'O') => digits(&text[2..], 8),
        Some(b'b' | b'B') => digits(&text[2..], 2),
        _ if bytes.len() == 1 => Some(0),
        _ => digits(&text[1..], 8),
    }
}

fn digits(text: &str, base: u32) -> Option<u64> {
    if text.starts_with(['+', '-']) { None } else { u64::from_str_radix(text, base).ok() }
}

/// A decimal float that does not overflow.
pub(super) fn parse_float(text: &str) -> Option<f64> {
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

/// A float whose digits may be separated by single underscores.
pub(super) fn parse_separated_float(text: &str) -> Option<f64> {
    if !text.contains('_') {
        return parse_float(text);
    }
    let mut groups = text.split('_').peekable();
    while let Some(group) = groups.next() {
        let ends_in_digit = group.ends_with(|symbol: char| symbol.is_ascii_digit());
        let next_starts_with_digit = groups
            .peek()
            .is_none_or(|next| next.starts_with(|symbol: char| symbol.is_ascii_digit()));
        if groups.peek().is_some() && !(ends_in_digit && next_starts_with_digit) {
            return None;
        }
    }
    parse_float(&text.replace('_', ""))
}

/// Whether the text is `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
pub(super) fn is_decimal(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let some_digits = |text: &str| !text.is_empty() && all_digits(text);
    let exponent_fits = exponent
        .is_none_or(|exponent| some_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent)));
    exponent_fits
        && match mantissa.split_once('.') {
            Some(("", fraction)) => some_digits(fraction),
            Some((whole, fraction)) => some_digits(whole) && all_digits(fraction),
            None => some_digits(mantissa),
        }
}

/// A finite float as `strconv.FormatFloat(number, 'g', -1, 64)` writes it: shortest digits, with
/// an exponent of at least two digits below 1e-4 and from 1e6 on.
pub(super) fn general_float(number: f64) -> String {
    general(&format!("{number:e}"), || format!("{number}"))
}

/// The same at 32-bit precision.
pub(super) fn general_float_32(number: f64) -> String {
    let number = number as f32;
    general(&format!("{number:e}"), || format!("{number}"))
}

fn general(scientific: &str, positional: impl FnOnce() -> String) -> String {
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific.to_owned();
    };
    let exponent: i32 = exponent.parse().expect("printed just now");
    if (-4..6).contains(&exponent) {
        return positional();
    }
    let mut text = digits.to_owned();
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(text, "e{sign}{:02}", exponent.abs());
    text
}

/// A float on its way from YAML through JSON to an object: whole numbers that fit become
/// integers, read from the digits JSON would show.
pub(super) fn through_json(number: f64) -> Result<i64, f64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if number.abs() < EXACT {
        return if number.fract() == 0.0 { Ok(number as i64) } else { Err(number) };
    }
    go_float(number).parse().map_err(|_| number)
}
