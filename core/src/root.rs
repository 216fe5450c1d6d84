//! Square root with the bits of IEEE 754, the one nearest to the true root, for processors whose own instruction for it
//! cannot be named in safe Rust without the standard library: a Cortex-M with a floating-point unit.
//!
//! ```text
//! y = 1 / sqrt(x) by the bit trick and one Newton step whose constants spread the error evenly (Kadlec 2010): good to
//!     0.07 %
//! s = x y,  then twice  s <- s + (x - s^2) y / 2
//! ```
//!
//! leaves s within one unit in the last place. The rest is exact: with x as an integer of 47 or 48 bits, and s as one of
//! 24, s is too low if x - s^2 > s and too high if x - s^2 <= -s, and 32 bits of the difference tell. libm's own takes
//! half as many instructions again, all of them on integers, which is why processors without such a unit take that.

use crate::pair::Number;

/// Half of the Newton step's factor.
const HALF: f32 = 0.5 * 0.703_952_25;

/// The square root of x, or of each of several; NaN for a negative number.
#[inline]
pub(crate) fn sqrt<T: Number>(x: T) -> T {
    // Zero, subnormal, negative, infinite, no number, or so large that s^2 might overflow.
    if x.any(|x| x.to_bits().wrapping_sub(0x0080_0000) >= 0x7e80_0000) {
        return x.each(rare);
    }
    let y = x.each(|x| f32::from_bits(0x5f1f_fff9_u32.wrapping_sub(x.to_bits() >> 1)));
    let half = y * (T::all(HALF * 2.389_244_6) - x * HALF * y * y);
    let near = x * (half + half);
    let near = near + (x - near * near) * half;
    let near = near + (x - near * near) * half;
    x.with(near, nearest)
}

/// The square root of x; `near` is off by at most one unit in the last place.
#[inline(always)]
fn nearest(x: f32, near: f32) -> f32 {
    let (bits, near) = (x.to_bits(), near.to_bits());
    // The power of two at or below the root, from which its mantissa is counted.
    let one = ((bits >> 1) + 0x1fc0_0000) & 0xff80_0000;
    let root = near.wrapping_sub(one).wrapping_add(0x0080_0000);
    // The upper bits of the mantissa have no place in 32 bits.
    let square = bits << (24 - ((bits >> 23) & 1));
    let rest = square.wrapping_sub(root.wrapping_mul(root)) as i32;
    let (too_low, too_high) = (rest > root as i32, rest <= (root as i32).wrapping_neg());
    f32::from_bits(near.wrapping_add(too_low.into()).wrapping_sub(too_high.into()))
}

/// The root of one of those. Said to be rare, so that the others need no jump.
#[cold]
fn rare(x: f32) -> f32 {
    libm::sqrtf(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pair::Pair;

    /// Every mantissa with an even and an odd exponent, and so every number up to a factor of a power of four; in debug builds
    /// every 16th.
    #[test]
    fn every_mantissa_has_the_nearest_root() {
        let step = if cfg!(debug_assertions) { 16 } else { 1 };
        for bits in (0x3f80_0000..0x4080_0000u32).step_by(step) {
            let x: f32 = f32::from_bits(bits);
            assert_eq!(sqrt(x).to_bits(), libm::sqrtf(x).to_bits(), "{x}");
        }
    }

    /// A rare number beside another one changes nothing of it.
    #[test]
    fn of_two_numbers_each_has_its_own_root() {
        let all = [0.0, 1.0, 2.0, 3.7e-41, 0.3, f32::INFINITY, 3.1e38, 5.5, f32::MIN_POSITIVE];
        for (a, b) in all.into_iter().flat_map(|a| all.map(|b| (a, b))) {
            assert_eq!(sqrt(Pair(a, b)), Pair(libm::sqrtf(a), libm::sqrtf(b)), "{a} {b}");
        }
    }

    #[test]
    fn every_exponent_has_the_nearest_root() {
        let largest = 0x7f7f_0000..0x7f80_0000;
        for bits in (0..0x7f80_0000u32).step_by(0x0003_fff1).chain(largest) {
            let x: f32 = f32::from_bits(bits);
            assert_eq!(sqrt(x).to_bits(), libm::sqrtf(x).to_bits(), "{x}");
        }
        assert!(sqrt(-1.0f32).is_nan() && sqrt(f32::NAN).is_nan());
        assert_eq!((sqrt(f32::INFINITY), sqrt(0.0f32)), (f32::INFINITY, 0.0));
        assert_eq!(sqrt(-0.0).to_bits(), (-0.0f32).to_bits());
    }
}
