//! Amounts of resources: exact decimal numbers with the suffixes and rounding of Kubernetes.
//!
//! A quantity is an integer times a power of ten, plus the family of suffixes it was written
//! in. Read `parse` for text to number, `display` for the canonical text, `arithmetic`
//! for sums and order. It is not a float and never becomes one on the way.
//!
//! Kubernetes keeps small amounts in 64 bits and moves to arbitrary precision when they do not
//! fit; rounding of negative and overflowing amounts differs between the two, so a `wide` flag
//! remembers which one it would hold. We carry 127 bits: amounts of more than 38 significant
//! digits are rounded away from zero at the 38th.

mod arithmetic;
mod display;
mod parse;

use super::Value;
use super::value::go_float;

pub use display::Format;
pub use parse::QuantityError;

/// The smallest power of ten a parsed quantity keeps; anything finer is rounded up to it.
const NANO: i32 = -9;

/// An exact amount, such as `100m` or `1.5Gi`.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
pub struct Quantity {
    unscaled: i128,
    exponent: i32,
    format: Format,
    wide: bool,
}

/// What Go's struct of a quantity holds after reading one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    /// The digits.
    pub unscaled: i128,
    /// The power of ten they are multiplied by.
    pub exponent: i32,
    /// Whether they are held in arbitrary precision rather than in 64 bits.
    pub is_wide: bool,
    /// The text, where it is kept.
    pub text: String,
    /// Go's name of the format.
    pub format: &'static str,
}

impl Quantity {
    /// Nothing.
    pub const ZERO: Self = Self::new(0, Format::DecimalSi);

    /// `value` whole units.
    pub const fn new(value: i64, format: Format) -> Self {
        Self::scaled(value, 0, format)
    }

    /// `value` thousandths.
    pub const fn from_milli(value: i64, format: Format) -> Self {
        Self::scaled(value, -3, format)
    }

    /// `value` times ten to the power of `exponent`.
    pub const fn scaled(value: i64, exponent: i32, format: Format) -> Self {
        Self { unscaled: value as i128, exponent, format, wide: false }
    }

    /// Reads any legal form: `100m`, `.5`, `1.5Gi`, `1e3`, `3E`.
    pub fn parse(text: &str) -> Result<Self, QuantityError> {
        parse::parse(text).map(|parsed| parsed.quantity)
    }

    /// The text the API server stores for `text`. It is the canonical form, except that
    /// Kubernetes keeps some spellings as they are: `1.234` stays `1.234`.
    pub fn normalize(text: &str) -> Result<String, QuantityError> {
        let parsed = parse::parse(text)?;
        Ok(if parsed.keeps_text { text.to_owned() } else { parsed.quantity.to_string() })
    }

    /// Reads a quantity where a document has one: a string, a number, or `null` for nothing.
    pub fn from_value(value: &Value) -> Result<Self, QuantityError> {
        Self::value_text(value).map_or(Ok(Self::ZERO), |text| Self::parse(&text))
    }

    /// [`Self::normalize`] for a document's value.
    pub fn normalize_value(value: &Value) -> Result<String, QuantityError> {
        Self::value_text(value).map_or_else(|| Ok("0".to_owned()), |text| Self::normalize(&text))
    }

    /// The text Go's JSON decoder would hand to the parser; nothing for `null`.
    /// What Go holds after reading the text that stands for `value` in the API server.
    pub fn held(value: &Value) -> Held {
        let text = Self::normalize_value(value).unwrap_or_default();
        if text == "0" {
            return Held { text, format: Format::DecimalSi.go_name(), ..Held::default() };
        }
        let Ok(parsed) = parse::parse(&text) else { return Held::default() };
        let Self { unscaled, exponent, format, wide } = parsed.quantity;
        let text = if parsed.keeps_text { text } else { String::new() };
        Held { unscaled, exponent, is_wide: wide, text, format: format.go_name() }
    }

    fn value_text(value: &Value) -> Option<String> {
        match value {
            Value::Null => None,
            // Line breaks and tabs reach Go's parser as escapes, which it refuses.
            Value::Str(text) => {
                Some(text.trim_matches(|c: char| c.is_whitespace() && !c.is_control()).to_owned())
            }
            Value::Int(number) => Some(number.to_string()),
            Value::Float(number) => Some(go_float(*number)),
            Value::Bool(_) | Value::List(_) | Value::Map(_) => Some(value.to_json()),
        }
    }

    /// The family of suffixes the amount is printed with.
    pub fn format(self) -> Format {
        self.format
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.unscaled == 0
    }

    /// -1, 0 or 1.
    pub fn sign(self) -> i32 {
        self.unscaled.signum() as i32
    }

    /// Whole units, rounded up. An amount too large for 64 bits gives what Go gives: 0, or the
    /// low bits.
    pub fn value(self) -> i64 {
        self.scaled_value(0)
    }

    /// Thousandths, rounded up; see [`Self::value`] for amounts that are too large.
    pub fn milli_value(self) -> i64 {
        self.scaled_value(-3)
    }

    /// Multiples of ten to the power of `exponent`, rounded up; see [`Self::value`].
    pub fn scaled_value(self, exponent: i32) -> i64 {
        let drop = i64::from(exponent) - i64::from(self.exponent);
        if self.wide {
            return wide_scaled_value(self.unscaled, drop);
        }
        if drop > 0 {
            return divide_away(self.unscaled, drop) as i64;
        }
        let exact = multiply(self.unscaled, -drop).and_then(|value| i64::try_from(value).ok());
        exact.unwrap_or_else(|| match -drop {
            // Go multiplies by these powers in one step and hands out the product as it is.
            1 | 2 | 3 | 6 | 9 => (self.unscaled as i64).wrapping_mul(10i64.pow(-drop as u32)),
            _ => 0,
        })
    }

    /// Whole units when the amount is exactly that and Kubernetes would not hold it in
    /// arbitrary precision.
    pub fn as_i64(self) -> Option<i64> {
        if self.wide || self.exponent < 0 {
            return None;
        }
        multiply(self.unscaled, i64::from(self.exponent))?.try_into().ok()
    }

    /// The nearest float, for averages and pictures.
    pub fn to_f64(self) -> f64 {
        let text = format!("{}e{}", self.unscaled, self.exponent);
        text.parse().unwrap_or(f64::NAN)
    }
}

/// `value * 10^digits`, if it fits.
fn multiply(value: i128, digits: i64) -> Option<i128> {
    if value == 0 {
        return Some(0);
    }
    value.checked_mul(10i128.checked_pow(u32::try_from(digits).ok()?)?)
}

/// `value / 10^digits`, rounded away from zero.
fn divide_away(value: i128, digits: i64) -> i128 {
    let divisor = u32::try_from(digits).ok().and_then(|digits| 10i128.checked_pow(digits));
    let Some(divisor) = divisor else {
        return value.signum();
    };
    value / divisor + if value % divisor == 0 { 0 } else { value.signum() }
}

/// What Go answers for an amount it holds in arbitrary precision, after dropping `drop` digits:
/// small and negative ones are truncated and raised by one, the rest rounded up, and what does
/// not fit keeps its low 64 bits.
fn wide_scaled_value(unscaled: i128, drop: i64) -> i64 {
    let low_bits = unscaled as i64;
    if drop <= 0 {
        let factor = u32::try_from(-drop).ok().and_then(|digits| 10i64.checked_pow(digits));
        return low_bits.wrapping_mul(factor.unwrap_or(i64::MIN));
    }
    if unscaled < i128::from(i64::MAX) && drop < 19 {
        let divisor = 10i64.pow(drop as u32);
        return low_bits / divisor + i64::from(low_bits % divisor != 0);
    }
    let divisor = u32::try_from(drop).ok().and_then(|digits| 10i128.checked_pow(digits));
    let Some(divisor) = divisor else {
        return i64::from(unscaled > 0);
    };
    let up = i128::from(unscaled.rem_euclid(divisor) != 0);
    (unscaled.div_euclid(divisor) + up) as i64
}

impl std::str::FromStr for Quantity {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, QuantityError> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests;
