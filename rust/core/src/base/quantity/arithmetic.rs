//! Order, sums and differences of quantities, exact as long as the digits fit.

use std::cmp::Ordering;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

use super::{Quantity, divide_away, multiply};

impl Add for Quantity {
    type Output = Self;

    /// The sum, in the format of the first amount that is not zero.
    fn add(self, other: Self) -> Self {
        let format = if self.is_zero() { other.format } else { self.format };
        if let Some((unscaled, exponent)) = self.add_narrow(other) {
            return Self { unscaled, exponent, format, wide: false };
        }
        let (high, low) =
            if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        let (unscaled, exponent) = add_wide(high, low);
        Self { unscaled, exponent, format, wide: true }
    }
}

impl Sub for Quantity {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Neg for Quantity {
    type Output = Self;

    fn neg(self) -> Self {
        Self { unscaled: -self.unscaled, ..self }
    }
}

impl AddAssign for Quantity {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl SubAssign for Quantity {
    fn sub_assign(&mut self, other: Self) {
        *self = *self - other;
    }
}

/// Equal amounts are equal whatever their format: `1` and `1000m`.
impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Quantity {}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_sign = self.sign().cmp(&other.sign());
        if by_sign.is_ne() || self.is_zero() {
            return by_sign;
        }
        let by_size = if self.exponent >= other.exponent {
            compare_sizes(*self, *other)
        } else {
            compare_sizes(*other, *self).reverse()
        };
        if self.sign() < 0 { by_size.reverse() } else { by_size }
    }
}

/// Compares magnitudes, where `high` has the larger exponent and neither is zero.
fn compare_sizes(high: Quantity, low: Quantity) -> Ordering {
    let apart = i64::from(high.exponent) - i64::from(low.exponent);
    let factor = u32::try_from(apart).ok().and_then(|digits| 10u128.checked_pow(digits));
    let aligned = factor.and_then(|factor| high.unscaled.unsigned_abs().checked_mul(factor));
    aligned.map_or(Ordering::Greater, |aligned| aligned.cmp(&low.unscaled.unsigned_abs()))
}

impl Quantity {
    /// The sum in 64 bits, or nothing when Kubernetes would leave them.
    fn add_narrow(self, other: Self) -> Option<(i128, i32)> {
        if self.wide || other.wide {
            return None;
        }
        match (self.unscaled, other.unscaled) {
            (_, 0) => return Some((self.unscaled, self.exponent)),
            (0, _) => return Some((other.unscaled, other.exponent)),
            _ => {}
        }
        let exponent = self.exponent.min(other.exponent);
        let align = |quantity: Self| -> Option<i64> {
            multiply(quantity.unscaled, i64::from(quantity.exponent) - i64::from(exponent))?
                .try_into()
                .ok()
        };
        let sum = align(self)?.checked_add(align(other)?)?;
        Some((i128::from(sum), exponent))
    }
}

/// The sum of `high` and `low`, where `high` has the larger exponent. Digits of `low` that fit
/// in no 127 bits beside `high` are rounded away from zero.
fn add_wide(high: Quantity, low: Quantity) -> (i128, i32) {
    let apart = i64::from(high.exponent) - i64::from(low.exponent);
    let room = (0..=apart.min(38)).rev().find(|shift| multiply(high.unscaled, *shift).is_some());
    let mut shift = room.unwrap_or(0);
    loop {
        let a = multiply(high.unscaled, shift);
        let b = divide_away(low.unscaled, apart - shift);
        if let Some(sum) = a.and_then(|a| a.checked_add(b)) {
            return (sum, high.exponent.saturating_sub(shift as i32));
        }
        if shift == 0 {
            let shorter = |quantity: Quantity, digits| Quantity {
                unscaled: divide_away(quantity.unscaled, digits),
                exponent: quantity.exponent.saturating_add(digits as i32),
                ..quantity
            };
            return add_wide(shorter(high, 1), shorter(low, apart + 1));
        }
        shift -= 1;
    }
}
