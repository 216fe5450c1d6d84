//! tanh and the logistic function, of our own: sums, products, one division and no branch, so that a compiler works on a row
//! of numbers at once, and a processor without a unit for floating-point numbers has few calls.
//!
//! ```text
//! x = k ln(2)/2 + r, with a whole k and |r| <= ln(2)/4       S = 2^k
//! tanh r = A / B     A = r + r (r^2 / 15)     B = 1 + 2/5 r^2     a Padé approximant, off by at most 6e-9 of the result
//! e^2x   = S (B + A) / (B - A)
//! tanh x = N / (N + (B - A))     N = (S/2 - 1/2) B + (S/2 + 1/2) A     of |x|, with the sign of x
//! 1 / (1 + e^-2x) = S (B + A) / (S (B + A) + (B - A))
//! ```
//!
//! B - A is positive, so neither quotient is above 1. For |x| <= ln(2)/4 it is k = 0 and N = A: the result is relatively as
//! good as for large arguments, and x itself for the smallest.

use super::soft::{self, SOFT};
use super::{abs, clamp};
use crate::pair::Number;

/// 2 / ln 2.
const PER_HALF_LN2: f32 = 2.0 * core::f32::consts::LOG2_E;
/// ln(2) / 2.
const HALF_LN2: f32 = 0.5 * core::f32::consts::LN_2;
/// 3/2 2^23, which added to a number rounds it to a whole one and leaves that in the sum's last bits.
const ROUND: f32 = 12_582_912.0;
/// Of the exponent of 1.
const BIAS: f32 = 127.0;
/// Where tanh rounds to 1.
const END: f32 = 9.02;
/// Where 2^k is no normal number any more, and is taken as 0.
const TAIL: f32 = 88.0;

/// 2^(k - 127 + bias), A and B of an argument; 0 for an exponent of 0.
#[inline(always)]
fn parts<T: Number>(x: T, bias: f32) -> (T, T, T) {
    let round = ROUND + bias;
    let sum = T::all(round).add_product(x, T::all(PER_HALF_LN2));
    // k ln(2)/2.
    let multiple = if SOFT {
        sum.each(|sum| soft::times(sum.to_bits().wrapping_sub(round.to_bits()) as i32, HALF_LN2))
    } else {
        (sum - T::all(round)) * HALF_LN2
    };
    let r = x - multiple;
    let square = r * r;
    let power = sum.each(|sum| f32::from_bits(sum.to_bits() << 23));
    (power, r.add_product(r, square * (1.0 / 15.0)), T::all(1.0).add_product(square, T::all(0.4)))
}

/// tanh x, off by at most 3.1 units in the last place.
///
/// It is odd, bit by bit, -0.0 at -0.0; at most 1 in size, and 1 or -1 from 9.02 and from infinity on; a NaN at a NaN. Where x
/// grows it falls by at most two units in the last place. The bits are the same on every target.
#[must_use]
// By force: only then does a row's loop in a program for wide vectors use them.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    tanhs(x)
}

/// [`tanh`] of one number or of several.
#[inline(always)]
pub(crate) fn tanhs<T: Number>(x: T) -> T {
    let size = x.each(abs).each(|size| if size > END { END } else { size });
    // Half of S.
    let (half, a, b) = parts(size, BIAS - 1.0);
    let (less, more) =
        if SOFT { (half.each(soft::less_half), half.each(soft::plus_half)) } else { (half + -0.5, half + 0.5) };
    let n = (less * b).add_product(more, a);
    let y = n / (n + (b - a));
    y.with(x, |y, x| f32::from_bits(y.to_bits() | (x.to_bits() & 0x8000_0000)))
}

/// The logistic function 1 / (1 + e^-x), off by at most 1e-7; relatively by at most 2e-7 for positive x and 2e-7 + 1e-7 |x|
/// for negative ones down to -87.
///
/// In \[0, 1\]; 0.5 at 0, 1 from 18 on and 0 from -88 on; a NaN at a NaN. Where x grows it falls by at most a unit in the last
/// place. The bits are the same on every target.
#[must_use]
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    sigmoids(x)
}

/// [`sigmoid`] of one number or of several.
#[inline(always)]
pub(crate) fn sigmoids<T: Number>(x: T) -> T {
    let (s, a, b) = parts(x.each(|x| 0.5 * clamp(x, -TAIL, TAIL)), BIAS);
    let power = s * (b + a);
    power / (power + (b - a))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All high halves of positive numbers, and every so manieth number from 2^-13 to where both functions are flat.
    fn positive(stride: usize) -> impl Iterator<Item = f32> {
        let halves = (0..=f32::INFINITY.to_bits()).step_by(1 << 16);
        let dense = (0x3900_0000..TAIL.to_bits() + 9).step_by(stride);
        let few = (0..2000).chain(END.to_bits() - 2000..END.to_bits() + 2000);
        halves.chain(dense).chain(few).map(f32::from_bits)
    }

    /// A unit in the last place of the f32 nearest to y.
    fn unit(y: f64) -> f64 {
        let y = abs(y as f32).to_bits();
        f64::from(f32::from_bits(y + 1)) - f64::from(f32::from_bits(y))
    }

    #[test]
    fn tanh_is_good_to_four_units_odd_and_bounded() {
        let mut worst = 0.0;
        for x in positive(61) {
            let (y, exact) = (tanh(x), libm::tanh(f64::from(x)));
            worst = f64::max(worst, libm::fabs(f64::from(y) - exact) / unit(exact.min(1.0 - 1e-8)));
            assert!((0.0..=1.0).contains(&y), "{x}: {y}");
            assert_eq!(tanh(-x).to_bits(), (-y).to_bits(), "{x}");
            assert!(x < END || y == 1.0, "{x}: {y}");
            assert!(x > 1e-4 || y == x, "{x}: {y}");
        }
        assert!((1.0..3.1).contains(&worst), "{worst}");
    }

    #[test]
    fn sigmoid_is_as_good_as_documented() {
        let mut worst = 0.0;
        for x in positive(61).flat_map(|x| [x, -x]) {
            let (y, exact) = (sigmoid(x), 1.0 / (1.0 + libm::exp(-f64::from(x))));
            let error = libm::fabs(f64::from(y) - exact);
            worst = f64::max(worst, error);
            assert!((0.0..=1.0).contains(&y), "{x}: {y}");
            let most = 2e-7 + if x < 0.0 { 1e-7 * f64::from(-x) } else { 0.0 };
            assert!(x < -87.0 || error <= most * exact, "{x}: {y} for {exact}");
            assert!(x < 18.0 || y == 1.0, "{x}: {y}");
            assert!(x > -88.0 || y == 0.0, "{x}: {y}");
        }
        assert!((1e-8..1e-7).contains(&worst), "{worst}");
    }

    /// From one number to the next, and from any to any larger one of these.
    #[test]
    fn neither_falls_by_more_than_documented() {
        for (f, most, name) in [(tanh as fn(f32) -> f32, 2, "tanh"), (sigmoid, 1, "sigmoid")] {
            let mut highest = 0u32;
            for bits in (0x3000_0000..TAIL.to_bits()).step_by(37) {
                let y = f(f32::from_bits(bits)).to_bits();
                assert!(y + most >= highest, "{name} at {}", f32::from_bits(bits));
                highest = highest.max(y);
            }
        }
        let mut lowest = u32::MAX;
        for bits in (0x3000_0000..TAIL.to_bits()).step_by(37) {
            let y = sigmoid(-f32::from_bits(bits)).to_bits();
            assert!(y <= lowest.saturating_add(1), "sigmoid at -{}", f32::from_bits(bits));
            lowest = lowest.min(y);
        }
    }

    #[test]
    fn special_values_have_their_own() {
        for nan in [f32::NAN, -f32::NAN, f32::from_bits(0x7f80_0001)] {
            assert!(tanh(nan).is_nan() && sigmoid(nan).is_nan());
        }
        assert_eq!([f32::INFINITY, f32::NEG_INFINITY].map(tanh), [1.0, -1.0]);
        assert_eq!([f32::INFINITY, f32::NEG_INFINITY].map(sigmoid), [1.0, 0.0]);
        assert_eq!([0.0, -0.0, f32::from_bits(1)].map(|x| tanh(x).to_bits()), [0, 0x8000_0000, 1]);
        assert_eq!([0.0, -0.0, f32::from_bits(1)].map(sigmoid), [0.5; 3]);
    }
}
