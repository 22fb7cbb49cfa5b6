//! Text to quantity, byte for byte as lenient as Kubernetes: `Mi` alone is zero, `1.` is one,
//! `1E` is an exa and `1E3` a thousand.

use super::{Format, NANO, Quantity};

/// Why a text is no quantity, in Kubernetes' words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuantityError {
    /// Characters that no quantity has.
    #[error(
        "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"
    )]
    Format,
    /// Letters after the number that mean nothing.
    #[error("unable to parse quantity's suffix")]
    Suffix,
    /// A suffix without a number.
    #[error("unable to parse numeric part of quantity")]
    Numeric,
}

/// A quantity, and whether Kubernetes goes on printing it the way it was written.
pub(super) struct Parsed {
    pub quantity: Quantity,
    pub keeps_text: bool,
}

/// A text cut into sign, digits before and after the point, and suffix.
struct Parts<'a> {
    negative: bool,
    /// Without leading zeros, unless it is just `0`.
    whole: &'a str,
    fraction: &'a str,
    has_digits: bool,
    suffix: &'a str,
}

impl Parts<'_> {
    fn is_zero(&self) -> bool {
        self.whole == "0" && self.fraction.bytes().all(|digit| digit == b'0')
    }
}

/// What a suffix stands for.
#[derive(Clone, Copy)]
enum Multiplier {
    /// Ten to this power.
    Ten(i32),
    /// Two to this power.
    Two(u32),
}

/// The most decimal digits Kubernetes trusts to fit 64 bits.
const NARROW_DIGITS: i64 = 18;

/// The most decimal digits that always fit 127 bits.
const WIDE_DIGITS: usize = 38;

pub(super) fn parse(text: &str) -> Result<Parsed, QuantityError> {
    if text.is_empty() {
        return Err(QuantityError::Format);
    }
    let parts = split(text)?;
    let (multiplier, format) = interpret(parts.suffix).ok_or(QuantityError::Suffix)?;
    if let Some(parsed) = parse_narrow(&parts, multiplier, format) {
        return Ok(parsed);
    }
    if !parts.has_digits {
        return Err(QuantityError::Numeric);
    }
    if parts.is_zero() {
        // Zero is not rounded up to nano, and its own scale shows in later sums.
        let exponent = match multiplier {
            Multiplier::Ten(exponent) => exponent,
            Multiplier::Two(_) => 0,
        };
        let quantity = wide(0, exponent.saturating_sub(parts.fraction.len() as i32), format);
        return Ok(Parsed { quantity, keeps_text: false });
    }
    let quantity = match multiplier {
        Multiplier::Ten(exponent) => wide_decimal(&parts, exponent, format),
        Multiplier::Two(exponent) => wide_binary(&parts, exponent),
    };
    let quantity = if parts.negative { -quantity } else { quantity };
    Ok(Parsed { quantity, keeps_text: false })
}

fn split(text: &str) -> Result<Parts<'_>, QuantityError> {
    let bytes = text.as_bytes();
    let digits_from =
        |from: usize| from + bytes[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let start = usize::from(matches!(bytes[0], b'+' | b'-'));
    let whole_start = start + bytes[start..].iter().take_while(|byte| **byte == b'0').count();
    let whole_end = digits_from(whole_start);
    let (fraction_start, end) = match bytes.get(whole_end) {
        Some(b'.') => (whole_end + 1, digits_from(whole_end + 1)),
        _ => (whole_end, whole_end),
    };
    let letters = bytes[end..].iter().take_while(|byte| b"eEinumkKMGTP".contains(byte)).count();
    let exponent = end + letters;
    let exponent = exponent + usize::from(matches!(bytes.get(exponent), Some(b'+' | b'-')));
    if digits_from(exponent) != bytes.len() {
        return Err(QuantityError::Format);
    }
    let whole = &text[whole_start..whole_end];
    Ok(Parts {
        negative: bytes[0] == b'-',
        whole: if whole.is_empty() { "0" } else { whole },
        fraction: &text[fraction_start..end],
        has_digits: bytes[..end].iter().any(u8::is_ascii_digit),
        suffix: &text[end..],
    })
}

fn interpret(suffix: &str) -> Option<(Multiplier, Format)> {
    let decimal = |exponent| Some((Multiplier::Ten(exponent), Format::DecimalSi));
    let binary = |exponent| Some((Multiplier::Two(exponent), Format::BinarySi));
    match suffix {
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "" => decimal(0),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let exponent: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            // Kubernetes cuts the exponent to 32 bits.
            Some((Multiplier::Ten(exponent as i32), Format::DecimalExponent))
        }
    }
}

/// The amount in 64 bits, for the short numbers Kubernetes reads without arbitrary precision.
fn parse_narrow(parts: &Parts, multiplier: Multiplier, format: Format) -> Option<Parsed> {
    let (whole, fraction) = (parts.whole, parts.fraction);
    let (precision, exponent, factor) = match multiplier {
        Multiplier::Ten(exponent) => {
            let precision = NARROW_DIGITS - whole.len() as i64 - fraction.len() as i64;
            (precision, i64::from(exponent) - fraction.len() as i64, 1)
        }
        // A factor of 2^10 takes about three decimal digits.
        Multiplier::Two(power) if fraction.is_empty() => {
            (14 - whole.len() as i64 - i64::from(power) * 3 / 10, 0, 1i64 << power)
        }
        Multiplier::Two(_) => return None,
    };
    if precision < 0 || exponent < i64::from(NANO) {
        return None;
    }
    let digits = format!("{whole}{fraction}");
    let number: i64 = digits.parse().ok()?;
    let unscaled = number.checked_mul(factor)?;
    let keeps_text = match multiplier {
        Multiplier::Two(_) => number % 8 != 0,
        Multiplier::Ten(_) => {
            exponent % 3 == 0 && !digits.ends_with("000") && !digits.starts_with('0')
        }
    };
    let unscaled = if parts.negative { -unscaled } else { unscaled };
    let quantity = Quantity::scaled(unscaled, exponent as i32, format);
    Some(Parsed { quantity, keeps_text })
}

/// The size of a decimal amount of any length, rounded up to nano.
fn wide_decimal(parts: &Parts, exponent: i32, format: Format) -> Quantity {
    let mut digits = format!("{}{}", parts.whole, parts.fraction);
    let mut exponent = i64::from(exponent) - parts.fraction.len() as i64;
    digits.drain(..digits.bytes().take_while(|digit| *digit == b'0').count());
    let below_nano = usize::try_from(i64::from(NANO) - exponent).unwrap_or(0);
    let dropped = below_nano.max(digits.len().saturating_sub(WIDE_DIGITS));
    let kept = digits.len().saturating_sub(dropped);
    let rounds_up = digits[kept..].bytes().any(|digit| digit != b'0');
    exponent += dropped as i64;
    let unscaled = digits[..kept].parse().unwrap_or(0) + i128::from(rounds_up);
    // Arbitrary-precision amounts stand at nano; longer ones than we can hold there stay put.
    match super::multiply(unscaled, exponent - i64::from(NANO)) {
        Some(nanos) => wide(nanos, NANO, format),
        None => wide(unscaled, i32::try_from(exponent).unwrap_or(i32::MAX), format),
    }
}

/// The size of an amount with a binary suffix, rounded up to nano and capped at 2^63-1. An
/// amount below one takes decimal suffixes.
fn wide_binary(parts: &Parts, power: u32) -> Quantity {
    const CHUNK_DIGITS: usize = 19;
    const CHUNK: u128 = 10u128.pow(CHUNK_DIGITS as u32);
    let capped = wide(i128::from(i64::MAX), 0, Format::BinarySi);
    if parts.whole.len() > CHUNK_DIGITS {
        return capped;
    }
    // Long multiplication of the fraction by 2^power, 19 digits at a time from the right.
    let length = parts.fraction.len().div_ceil(CHUNK_DIGITS) * CHUNK_DIGITS;
    let fraction = format!("{:0<length$}", parts.fraction);
    let (mut carry, mut top, mut rest) = (0, 0, false);
    for at in (0..length).step_by(CHUNK_DIGITS).rev() {
        let chunk: u128 = fraction[at..at + CHUNK_DIGITS].parse().unwrap_or(0);
        let product = (chunk << power) + carry;
        rest |= top != 0;
        (carry, top) = (product / CHUNK, product % CHUNK);
    }
    let whole = (parts.whole.parse::<u128>().unwrap_or(0) << power) + carry;
    let limit = i64::MAX as u128;
    if whole > limit || (whole == limit && (top != 0 || rest)) {
        return capped;
    }
    let below_nano = CHUNK / 1_000_000_000;
    let up = u128::from(rest || !top.is_multiple_of(below_nano));
    let nanos = whole * 1_000_000_000 + top / below_nano + up;
    let format =
        if (1..1_000_000_000).contains(&nanos) { Format::DecimalSi } else { Format::BinarySi };
    wide(nanos as i128, NANO, format)
}

fn wide(unscaled: i128, exponent: i32, format: Format) -> Quantity {
    Quantity { unscaled, exponent, format, wide: true }
}
