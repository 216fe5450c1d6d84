//! The one door to transcendental functions: `libm`, or `micromath` with the feature of that name.
//!
//! micromath's exp is good to 0.3 %, its sin and cos to 0.0011. With that feature logarithm and square root keep their
//! accuracy. tanh and the logistic function are our own, with and without it. Nothing else in the crate calls either of them,
//! and nothing calls the standard library's float functions, whose bits differ between platforms, except for the square root
//! with the feature `std`. The helpers below are written out because `f32::max`, `min` and `clamp` do not promise which zero
//! they return.

mod bounded;
mod one;
mod soft;

pub use bounded::{sigmoid, tanh};
pub(crate) use bounded::{sigmoids, tanhs};
pub(crate) use one::One;
pub(crate) use soft::{add, add_product, add_zero, mul, sub};

use crate::pair::Number;

#[cfg(not(feature = "micromath"))]
mod imp {
    pub(super) use libm::{cosf as cos, expf as exp, logf as ln, sinf as sin};

    #[cfg(not(any(feature = "std", all(target_arch = "arm", target_abi = "eabihf", target_os = "none"))))]
    pub(super) use libm::sqrtf as sqrt;
    // By the processor's instruction. IEEE 754 leaves a single result, so the bits are libm's.
    #[cfg(all(target_arch = "arm", target_abi = "eabihf", target_os = "none"))]
    pub(super) use lgl2o_vfp::sqrt;

    // The only float function of the standard library here: the only one that IEEE 754 leaves a single result.
    #[cfg(all(feature = "std", not(all(target_arch = "arm", target_abi = "eabihf", target_os = "none"))))]
    #[inline]
    pub(super) fn sqrt(x: f32) -> f32 {
        x.sqrt()
    }
}

#[cfg(feature = "micromath")]
mod imp {
    // micromath's logarithm is off by up to 0.1, too much for a loss; it is needed once an example only.
    pub(super) use libm::logf as ln;
    use micromath::F32Ext;

    pub(super) fn exp(x: f32) -> f32 {
        // micromath builds the exponent from an integer cast, which wraps around far outside of this range.
        if x.is_nan() {
            x
        } else if x > 88.0 {
            f32::INFINITY
        } else if x < -87.0 {
            0.0
        } else {
            F32Ext::exp(x)
        }
    }
    pub(super) fn sqrt(x: f32) -> f32 {
        // micromath's own is good to three digits only, and step sizes hang on it.
        if x >= f32::MIN_POSITIVE && x.is_finite() { x * super::inverse_sqrt(x) } else { libm::sqrtf(x) }
    }
    pub(super) fn sin(x: f32) -> f32 {
        F32Ext::sin(x)
    }
    pub(super) fn cos(x: f32) -> f32 {
        F32Ext::cos(x)
    }
}

/// e to the power x.
#[must_use]
pub fn exp(x: f32) -> f32 {
    imp::exp(x)
}

/// Natural logarithm.
#[must_use]
pub fn ln(x: f32) -> f32 {
    imp::ln(x)
}

/// Square root.
#[must_use]
// Not inlined on a device: loops over all parameters use [`sqrts`].
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline)]
pub fn sqrt(x: f32) -> f32 {
    imp::sqrt(x)
}

/// [`sqrt`] of one number or of several.
#[inline(always)]
pub(crate) fn sqrts<T: Number>(x: T) -> T {
    x.each(imp::sqrt)
}

/// Sine of an angle in radians.
#[must_use]
pub fn sin(x: f32) -> f32 {
    imp::sin(x)
}

/// Cosine of an angle in radians.
#[must_use]
pub fn cos(x: f32) -> f32 {
    imp::cos(x)
}

/// x to the power n, by squaring: at most 63 multiplications in a fixed order.
#[must_use]
pub fn powi(x: f32, n: u32) -> f32 {
    let (mut result, mut square, mut left) = (1.0, x, n);
    while left > 0 {
        if left & 1 == 1 {
            result *= square;
        }
        square *= square;
        left >>= 1;
    }
    result
}

/// The largest of some numbers; a NaN among them may be passed over, and shows in the sum that follows.
pub(crate) fn largest(a: &[f32]) -> f32 {
    a.iter().fold(f32::NEG_INFINITY, |most, &x| if x > most { x } else { most })
}

/// x, or the bound that it passes; a NaN stays a NaN. `low` is at most `high`.
#[must_use]
#[inline]
pub fn clamp(x: f32, low: f32, high: f32) -> f32 {
    // Two selections, which vectors have; of nested ones the compiler makes branches.
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// |x|, by clearing the sign bit.
#[must_use]
#[inline]
pub const fn abs(x: f32) -> f32 {
    f32::from_bits(x.to_bits() & 0x7fff_ffff)
}

/// x, or 0 where |x| is below `least`; a NaN stays a NaN.
///
/// Numbers that are stored and shrink go through it, so that they end at 0 and not among the subnormal numbers. Many desktop
/// processors take a hundred cycles for an operation on one of those. A comparison has the same bits on every target;
/// a processor's own mode of flushing to zero has other bits than a processor without it.
#[must_use]
#[inline]
pub fn flush(x: f32, least: f32) -> f32 {
    if abs(x) < least { 0.0 } else { x }
}

/// x, or infinity where x is not finite.
pub(crate) fn or_infinity(x: f32) -> f32 {
    if x.is_finite() { x } else { f32::INFINITY }
}

/// A straight line through each octave of log2: exponent plus mantissa, so exact at powers of two and at most 0.086
/// too low between them. For features of learned rules, where smoothness counts and accuracy does not; a few integer
/// instructions on any core. x must be positive and normal; other values give some finite number.
#[must_use]
#[inline]
pub fn log2_linear(x: f32) -> f32 {
    // 2^-23 turns the bit pattern into (biased exponent + mantissa fraction).
    x.to_bits() as i32 as f32 * (1.0 / 8_388_608.0) - 127.0
}

/// The inverse of [`log2_linear`]: 2^x with each octave a straight line; at most 6.2 % too high. x is clamped to
/// [-126, 127]; 2^-126 for a NaN.
#[must_use]
#[inline]
pub fn exp2_linear(x: f32) -> f32 {
    let x = if x > -126.0 { x } else { -126.0 };
    let x = if x < 127.0 { x } else { 127.0 };
    // At most 254 * 2^23, which an i32 holds; and conversion to a signed integer is what vector units have.
    f32::from_bits(((x + 127.0) * 8_388_608.0) as i32 as u32)
}

/// 1 / sqrt(x) by the bit trick and three Newton steps: relative error below 1e-6, multiplications and subtractions
/// only, so it costs the same few operations on every core and vectorises. x must be positive and normal.
#[must_use]
#[inline]
pub fn inverse_sqrt(x: f32) -> f32 {
    inverse_sqrts(x)
}

/// [`inverse_sqrt`] of one number or of several.
#[inline(always)]
pub(crate) fn inverse_sqrts<T: Number>(x: T) -> T {
    let (half, most) = (x * 0.5, T::all(1.5));
    let mut y = x.each(|x| f32::from_bits(0x5f37_59df_u32.wrapping_sub(x.to_bits() >> 1)));
    y = y * (most - half * y * y);
    y = y * (most - half * y * y);
    y = y * (most - half * y * y);
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers_and_bounds() {
        assert_eq!(powi(0.5, 0), 1.0);
        assert_eq!(powi(0.5, 10), 1.0 / 1024.0);
        assert_eq!(clamp(3.0, -1.0, 1.0), 1.0);
        assert!(clamp(f32::NAN, -1.0, 1.0).is_nan());
        assert_eq!(abs(-0.0).to_bits(), 0);
        assert_eq!([-1e-3, 1e-3, -2e-3].map(|x| flush(x, 2e-3).to_bits()), [0.0f32, 0.0, -2e-3].map(f32::to_bits));
        assert!(flush(f32::NAN, 1.0).is_nan());
    }

    #[test]
    fn linear_octaves_are_inverse_and_close() {
        for k in -1200..1200 {
            let x = k as f32 / 10.0;
            assert!((log2_linear(exp2_linear(x)) - x).abs() < 2e-5, "{x}");
            let exact = libm::exp2f(x);
            let error = (exp2_linear(x) - exact) / exact;
            assert!((-1e-5..0.0625).contains(&error), "{x}: {error}");
        }
        assert!(exp2_linear(f32::NAN).is_finite());
        assert!(exp2_linear(f32::INFINITY).is_finite());
    }

    #[test]
    fn inverse_sqrt_is_accurate() {
        for k in -120..120 {
            let x = 1.37 * libm::exp2f(k as f32);
            let error = inverse_sqrt(x) * libm::sqrtf(x) - 1.0;
            assert!(error.abs() < 1e-6, "{x}: {error}");
        }
    }

    /// All processors and libm agree on square roots, for every hundredth number or so from the smallest to the largest.
    #[cfg(not(feature = "micromath"))]
    #[test]
    fn square_roots_are_rounded_correctly() {
        for bits in (0..=f32::INFINITY.to_bits()).step_by(97) {
            let x = f32::from_bits(bits);
            assert_eq!(sqrt(x).to_bits(), libm::sqrtf(x).to_bits(), "{x}");
            assert_eq!(sqrt(x), libm::sqrt(f64::from(x)) as f32, "{x}");
        }
        assert!(sqrt(-1.0).is_nan() && sqrt(f32::NAN).is_nan());
        assert_eq!(sqrt(-0.0).to_bits(), (-0.0f32).to_bits());
    }

    #[test]
    fn special_values_pass_through() {
        assert!(exp(f32::NAN).is_nan() && ln(-1.0).is_nan() && sqrt(-1.0).is_nan());
        assert_eq!(exp(200.0), f32::INFINITY);
        assert_eq!(exp(-200.0), 0.0);
        assert_eq!(sqrt(0.0), 0.0);
        assert!((exp(1.0) - core::f32::consts::E).abs() < 5e-3);
    }

    #[cfg(feature = "micromath")]
    #[test]
    fn approximations_are_as_good_as_documented() {
        let grid = |low: f32, high: f32| (0..=10_000).map(move |i| low + (high - low) * i as f32 / 10_000.0);
        let worst = |low, high, error: &dyn Fn(f32) -> f32| grid(low, high).map(error).fold(0.0, f32::max);
        let e = worst(-20.0, 20.0, &|x| (exp(x) / libm::expf(x) - 1.0).abs());
        let s = worst(-7.0, 7.0, &|x| (sin(x) - libm::sinf(x)).abs());
        let q = worst(1e-6, 10.0, &|x| (sqrt(x) / libm::sqrtf(x) - 1.0).abs());
        assert!(e < 3e-3 && s < 1.1e-3 && q < 3e-7, "{e} {s} {q}");
    }
}
