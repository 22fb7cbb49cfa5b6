//! Floating-point functions that must give the same bits on every machine.
//!
//! The standard library hands these to the platform's own library, whose last bit may differ.

/// The natural logarithm of a finite positive number, by the method of FreeBSD's `e_log.c`,
/// which Go's standard library uses too: reduction to [√2/2, √2), then a polynomial in
/// `s = f / (2 + f)`.
///
/// # Panics
/// For what is not finite and positive.
pub fn go_log(x: f64) -> f64 {
    const LN2_HIGH: f64 = 6.931_471_803_691_238_164_9e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_700_02e-10;
    const L1: f64 = 6.666_666_666_666_735_13e-1;
    const L2: f64 = 3.999_999_999_940_941_908e-1;
    const L3: f64 = 2.857_142_874_366_239_149e-1;
    const L4: f64 = 2.222_219_843_214_978_396e-1;
    const L5: f64 = 1.818_357_216_161_805_012e-1;
    const L6: f64 = 1.531_383_769_920_937_332e-1;
    const L7: f64 = 1.479_819_860_511_658_591e-1;
    assert!(x.is_finite() && x > 0.0, "no logarithm of {x}");
    let (mut fraction, mut exponent) = split(x);
    if fraction < std::f64::consts::FRAC_1_SQRT_2 {
        fraction *= 2.0;
        exponent -= 1;
    }
    let f = fraction - 1.0;
    let k = f64::from(exponent);
    let s = f / (2.0 + f);
    let s2 = s * s;
    let s4 = s2 * s2;
    let t1 = s2 * (L1 + s4 * (L3 + s4 * (L5 + s4 * L7)));
    let t2 = s4 * (L2 + s4 * (L4 + s4 * L6));
    let r = t1 + t2;
    let half_square = 0.5 * f * f;
    k * LN2_HIGH - ((half_square - (s * (half_square + r) + k * LN2_LOW)) - f)
}

/// `x = fraction * 2^exponent` with a fraction in [1/2, 1).
fn split(x: f64) -> (f64, i32) {
    const MANTISSA_BITS: u64 = 52;
    let normal = if x < f64::MIN_POSITIVE { x * (1_u64 << MANTISSA_BITS) as f64 } else { x };
    let shift = if x < f64::MIN_POSITIVE { MANTISSA_BITS as i32 } else { 0 };
    let bits = normal.to_bits();
    let exponent = (bits >> MANTISSA_BITS & 0x7FF) as i32 - 1022 - shift;
    let fraction = bits & !(0x7FF << MANTISSA_BITS) | 1022 << MANTISSA_BITS;
    (f64::from_bits(fraction), exponent)
}

#[cfg(test)]
mod tests {
    use super::go_log;

    #[test]
    fn is_the_logarithm_to_the_last_bit_or_so() {
        for x in (1..20_000).map(f64::from).chain([0.1, 1e-310, 1e300, 0.999_999, 1.5]) {
            let (ours, library) = (go_log(x), x.ln());
            assert!((ours - library).abs() <= library.abs() * 4.5e-16, "{x}: {ours} {library}");
        }
    }

    #[test]
    fn is_what_go_answers_bit_by_bit() {
        // Recorded from Go 1.26 on amd64: FNV-1a over the bits of log(3) to log(100,002), eight
        // bytes at a time.
        let mut hash = 0xCBF2_9CE4_8422_2325_u64;
        for x in 3..100_003 {
            hash = (hash ^ go_log(f64::from(x)).to_bits()).wrapping_mul(0x0000_0100_0000_01B3);
        }
        assert_eq!(hash, 0x88BB_C073_A51F_1544);
        assert_eq!(go_log(3.0).to_bits(), 0x3FF1_93EA_7AAD_030A);
        assert_eq!(go_log(0.999_999).to_bits(), 0xBEB0_C6F8_2D74_D230);
    }
}
