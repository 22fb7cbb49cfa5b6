//! The canonical text of a quantity: no fraction, and the largest suffix that loses nothing.

use std::fmt;

use super::Quantity;

/// The family of suffixes an amount is printed with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Format {
    /// Powers of a thousand: `n`, `u`, `m`, none, `k`, `M`, `G`, `T`, `P`, `E`.
    #[default]
    DecimalSi,
    /// Powers of 1024: `Ki`, `Mi`, `Gi`, `Ti`, `Pi`, `Ei`.
    BinarySi,
    /// Powers of a thousand as exponents: `e3`.
    DecimalExponent,
}

impl Format {
    /// The name Go has for it.
    pub fn go_name(self) -> &'static str {
        match self {
            Self::DecimalSi => "DecimalSI",
            Self::BinarySi => "BinarySI",
            Self::DecimalExponent => "DecimalExponent",
        }
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0");
        }
        if self.format == Format::BinarySi
            && let Some(whole) = self.whole()
            && whole.unsigned_abs() >= 1024
        {
            return fmt_binary(whole, f);
        }
        self.fmt_decimal(f)
    }
}

impl Quantity {
    /// The amount in whole units, if it is whole and fits.
    fn whole(self) -> Option<i128> {
        let exponent = i64::from(self.exponent);
        if exponent >= 0 {
            return super::multiply(self.unscaled, exponent);
        }
        let whole = super::divide_away(self.unscaled, -exponent);
        (super::multiply(whole, -exponent) == Some(self.unscaled)).then_some(whole)
    }

    fn fmt_decimal(self, f: &mut fmt::Formatter) -> fmt::Result {
        let (mut mantissa, mut exponent) = (self.unscaled, i64::from(self.exponent));
        while mantissa % 10 == 0 {
            mantissa /= 10;
            exponent += 1;
        }
        let zeros = exponent.rem_euclid(3);
        write!(f, "{mantissa}{}", &"00"[..zeros as usize])?;
        match (exponent - zeros, self.format) {
            (0, _) => Ok(()),
            (exponent, Format::DecimalExponent) => write!(f, "e{exponent}"),
            (exponent, _) => f.write_str(decimal_suffix(exponent)),
        }
    }
}

fn fmt_binary(whole: i128, f: &mut fmt::Formatter) -> fmt::Result {
    let times = (whole.trailing_zeros() / 10) as usize;
    let suffix = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].get(times).copied().unwrap_or_default();
    write!(f, "{}{suffix}", whole >> (10 * times))
}

/// Kubernetes prints no suffix at all past `E`, and we print what it prints.
fn decimal_suffix(exponent: i64) -> &'static str {
    match exponent {
        -9 => "n",
        -6 => "u",
        -3 => "m",
        3 => "k",
        6 => "M",
        9 => "G",
        12 => "T",
        15 => "P",
        18 => "E",
        _ => "",
    }
}
