//! Addition and multiplication of single-precision numbers by integer instructions, for processors without a unit for
//! floating-point numbers. On a Cortex-M0 they take about 60 instructions each, where what the compiler calls takes 95 and 111; the bits
//! are the same.
//!
//! ```text
//! |x| = m 2^(e - 150), m a whole number of 24 bits            a b: 48 bits of m_a m_b, rounded to 24
//! a + b with |a| >= |b|: m_a 2^7 + floor(m_b 2^7 / 2^(e_a - e_b)), or the difference, rounded to 24 bits
//! ```
//!
//! Both round to the nearest number and, from the middle, to the even one. What was cut off matters for that only where the rest is
//! exactly half, so it is looked at nowhere else. An operation on a subnormal number, an infinity or a NaN, and one whose
//! result is none of the normal numbers, is left to the compiler's own: it is rare, and its bits are the target's. Only of the sum of two
//! NaNs may the other one be kept.

/// Whether this processor has no unit for floating-point numbers. Of RISC-V a program cannot tell, and takes the compiler's operations.
pub(super) const SOFT: bool = cfg!(all(target_os = "none", target_arch = "arm", not(target_abi = "eabihf")));
/// Whether a product of two words has one word only, as on a Cortex-M0, which has no atomic exchange either.
const NARROW: bool = cfg!(all(target_arch = "arm", not(target_has_atomic = "32")));
const SIGN: u32 = 1 << 31;
/// What the exponent of an infinity or a NaN is.
const ENDLESS: u32 = 0xff;
/// Half of the last place of a number whose 24 bits stand on top of a word.
const HALF: u32 = 0x80;

/// a + b.
#[inline(always)]
pub(crate) fn add(a: f32, b: f32) -> f32 {
    if SOFT { sum(a, b) } else { a + b }
}

/// a - b.
#[inline(always)]
pub(crate) fn sub(a: f32, b: f32) -> f32 {
    if SOFT { sum(a, f32::from_bits(b.to_bits() ^ SIGN)) } else { a - b }
}

/// a b.
#[inline(always)]
pub(crate) fn mul(a: f32, b: f32) -> f32 {
    if SOFT { product(a, b) } else { a * b }
}

/// c + a b, rounded twice.
#[inline(always)]
pub(crate) fn add_product(c: f32, a: f32, b: f32) -> f32 {
    if SOFT { sum_with_product(c, a, b) } else { c + a * b }
}

/// x + 0.0: 0.0 for -0.0, every other number itself.
#[inline(always)]
pub(crate) fn add_zero(x: f32) -> f32 {
    if !SOFT {
        x + 0.0
    } else if x.to_bits() == SIGN {
        0.0
    } else {
        x
    }
}

/// k x for a whole number |k| < 256 and a normal number x whose product with it is normal.
#[inline(always)]
pub(super) fn times(k: i32, x: f32) -> f32 {
    let x = x.to_bits();
    let mut digits = k.unsigned_abs().wrapping_mul(digits(x) >> 8);
    if digits == 0 {
        return 0.0;
    }
    let mut exponent = (x << 1 >> 24).wrapping_add(7);
    while digits < SIGN {
        (digits, exponent) = (digits << 1, exponent.wrapping_sub(1));
    }
    f32::from_bits(rounded(digits, exponent, || true) | (x ^ k as u32) & SIGN)
}

/// 2^(k - 1) - 1/2, for 2^(k - 1) with a whole k of at least 0.
#[inline(always)]
pub(super) fn less_half(power: f32) -> f32 {
    let (bits, k) = halves(power);
    if k == 0 { 0.0 } else { f32::from_bits(bits.wrapping_sub((1u32 << 24).checked_shr(k).unwrap_or(0))) }
}

/// 2^(k - 1) + 1/2, for 2^(k - 1) with a whole k of at least 0.
#[inline(always)]
pub(super) fn plus_half(power: f32) -> f32 {
    let (bits, k) = halves(power);
    f32::from_bits(bits.wrapping_add((1u32 << 23).checked_shr(k).unwrap_or(0)))
}

/// The bits of 2^(k - 1), and k.
#[inline(always)]
fn halves(power: f32) -> (u32, u32) {
    (power.to_bits(), (power.to_bits() >> 23).wrapping_sub(126))
}

/// a + b.
#[inline(never)]
fn sum(a: f32, b: f32) -> f32 {
    any_sum(a.to_bits(), b.to_bits())
}

/// a b.
#[inline(never)]
fn product(a: f32, b: f32) -> f32 {
    match normal_product::<NARROW>(a.to_bits(), b.to_bits()) {
        Some(product) => f32::from_bits(product),
        None => rare_product(a, b),
    }
}

/// c + a b, rounded twice.
#[inline(never)]
fn sum_with_product(c: f32, a: f32, b: f32) -> f32 {
    let Some(product) = normal_product::<NARROW>(a.to_bits(), b.to_bits()) else {
        return sum(c, rare_product(a, b));
    };
    // Many sums begin so; the product is not zero.
    if c.to_bits() == 0 {
        return f32::from_bits(product);
    }
    any_sum(c.to_bits(), product)
}

/// a + b where one of them is rare, or the sum.
#[inline(never)]
fn rare_sum(a: u32, b: u32) -> f32 {
    f32::from_bits(a) + f32::from_bits(b)
}

/// a b where one is rare, or the product.
#[inline(never)]
fn rare_product(a: f32, b: f32) -> f32 {
    let [x, y] = [a, b].map(f32::to_bits);
    let finite = |x: u32| x << 1 < ENDLESS << 24;
    // Many activations are zero.
    if (x << 1 == 0 || y << 1 == 0) && finite(x) && finite(y) {
        return f32::from_bits((x ^ y) & SIGN);
    }
    a * b
}

/// The 24 bits of a normal number, on top of a word.
#[inline(always)]
fn digits(x: u32) -> u32 {
    x << 8 | SIGN
}

/// The number with these digits on top of a word, rounded; `exponent` is its exponent less 1. `exact` tells whether nothing stood behind
/// the word's last bit.
#[inline(always)]
fn rounded(digits: u32, exponent: u32, exact: impl Fn() -> bool) -> u32 {
    // The first of the digits adds 1 to the exponent, and so does what is carried when all are rounded up.
    let up = ((exponent << 24) + (digits >> 7) + 1) >> 1;
    if digits & 0xff == HALF && exact() { up & !1 } else { up }
}

/// The first word of the product of two words.
#[inline(always)]
fn long_product<const NARROW: bool>(x: u32, y: u32) -> u32 {
    if !NARROW {
        return ((u64::from(x) * u64::from(y)) >> 32) as u32;
    }
    // Of 24 bits each, of which no other product takes more than a word.
    let (x, x_low, y, y_low) = (x >> 16, x >> 8 & 0xff, y >> 16, y >> 8 & 0xff);
    x * y + ((x * y_low + x_low * y + ((x_low * y_low) >> 8)) >> 8)
}

/// The product of two normal numbers, where it is one.
#[inline(always)]
fn normal_product<const NARROW: bool>(x: u32, y: u32) -> Option<u32> {
    let (p, q) = (x << 1 >> 24, y << 1 >> 24);
    // Zero, subnormal, infinite, no number.
    if p == 0 || q == 0 || p == ENDLESS || q == ENDLESS {
        return None;
    }
    let exponent = (p + q).wrapping_sub(128);
    let long = long_product::<NARROW>(digits(x), digits(y));
    // The first digit is the first of the word or the second.
    let first = long >> 31;
    let (long, exponent) = (long << (first ^ 1), exponent.wrapping_add(first));
    // Of the normal numbers with room for a carry.
    if exponent >= ENDLESS - 2 {
        return None;
    }
    // The second word of the product: its bits depend on none above them.
    let exact = || x.wrapping_mul(y) << 16 == 0;
    Some(rounded(long, exponent, exact) | (x ^ y) & SIGN)
}

/// a + b.
#[inline(always)]
fn any_sum(mut x: u32, mut y: u32) -> f32 {
    if x << 1 < y << 1 {
        (x, y) = (y, x);
    }
    let (p, q) = (x << 1 >> 24, y << 1 >> 24);
    if q == 0 {
        return sum_with_least(x, y);
    }
    let apart = p - q;
    // Less than a quarter of the last place.
    if apart > 25 {
        return if p == ENDLESS { rare_sum(x, y) } else { f32::from_bits(x) };
    }
    // All ones if the signs differ: then the smaller one is taken from the larger one.
    let minus = ((x ^ y) as i32 >> 31) as u32;
    let smaller = ((digits(y) >> 1) ^ minus).wrapping_sub(minus);
    let mut digits = (digits(x) >> 1).wrapping_add((smaller as i32 >> apart) as u32);
    let mut exponent = p;
    if digits < SIGN {
        (digits, exponent) = (digits << 1, exponent - 1);
        // Both are nearly the same.
        if digits < SIGN {
            if p == ENDLESS {
                return rare_sum(x, y);
            }
            if digits == 0 {
                return 0.0;
            }
            while digits < SIGN {
                (digits, exponent) = (digits << 1, exponent.wrapping_sub(1));
            }
        }
    }
    if exponent >= ENDLESS - 2 {
        return rare_sum(x, y);
    }
    // What the shift has cut off.
    let exact = || smaller << 1 << (31 - apart) == 0;
    f32::from_bits(rounded(digits, exponent, exact) | x & SIGN)
}

/// x + y, where y is zero or subnormal and no larger.
#[inline(never)]
fn sum_with_least(x: u32, y: u32) -> f32 {
    if y << 1 == 0 && x << 1 != 0 && x << 1 < ENDLESS << 24 { f32::from_bits(x) } else { rare_sum(x, y) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Operations of this module beside the processor's, for two numbers and one that a product is added to; a NaN is any NaN.
    fn compare(a: f32, b: f32, c: f32) {
        let product = |narrow| {
            let product = if narrow { normal_product::<true> } else { normal_product::<false> };
            product(a.to_bits(), b.to_bits()).map_or_else(|| rare_product(a, b), f32::from_bits)
        };
        let all = [
            (sum(a, b), a + b),
            (sum(b, a), b + a),
            (sum(a, -b), a - b),
            (product(false), a * b),
            (product(true), a * b),
            (sum_with_product(c, a, b), c + a * b),
            (sum_with_product(c, -a, b), c - a * b),
        ];
        for (i, (soft, hard)) in all.into_iter().enumerate() {
            let same = if hard.is_nan() { soft.is_nan() } else { soft.to_bits() == hard.to_bits() };
            assert!(same, "{i}: {soft:e} for {hard:e}, of {a:e}, {b:e}, {c:e}");
        }
    }

    #[test]
    fn corners_are_those_of_the_processor() {
        const EXPONENTS: [u32; 18] =
            [0, 1, 2, 23, 24, 25, 26, 64, 101, 102, 103, 126, 127, 128, 150, 190, 254, ENDLESS];
        const MANTISSAS: [u32; 8] = [0, 1, 2, 0x3f_ffff, 0x40_0000, 0x40_0001, 0x7f_fffe, 0x7f_ffff];
        let all = || EXPONENTS.into_iter().flat_map(|e| MANTISSAS.map(|m| e << 23 | m)).flat_map(|x| [x, x | SIGN]);
        for (i, a) in all().enumerate() {
            for b in all() {
                // Another one for each pair, and what makes the sum nearly nothing.
                let c = all().nth((i * 7 + b as usize) % 288).map_or(0.0, f32::from_bits);
                let (a, b) = (f32::from_bits(a), f32::from_bits(b));
                compare(a, b, c);
                compare(a, b, -(a * b));
            }
        }
    }

    /// A million pairs, of which many are near each other or have few digits, so that sums cancel and lie in the middle.
    #[test]
    fn random_numbers_are_those_of_the_processor() {
        let mut rng = Rng::new(4);
        for _ in 0..1_000_000 {
            let [a, b, c, how] = core::array::from_fn(|_| rng.next_u64() as u32);
            // So many last digits are zero.
            let cut = |x: u32, n: u32| (x >> (n % 24)) << (n % 24);
            // An exponent beside that of the first one, by -32 to 31.
            let near = |x: u32, n: u32| {
                let exponent = (cut(a, how) << 1 >> 24).wrapping_add(n % 64).wrapping_sub(32) & ENDLESS;
                x & !(ENDLESS << 23) | exponent << 23
            };
            let a = cut(a, how);
            let b = cut(if how >> 30 == 0 { b } else { near(b, how >> 8) }, how >> 16);
            let c = if how >> 29 & 1 == 0 { c } else { near(c, how >> 20) };
            compare(f32::from_bits(a), f32::from_bits(b), f32::from_bits(c));
        }
    }

    #[test]
    fn whole_numbers_take_short_ways() {
        let step = 0.5 * core::f32::consts::LN_2;
        for k in -255..256 {
            assert_eq!(times(k, step).to_bits(), (k as f32 * step + 0.0).to_bits(), "{k}");
        }
        for k in 0..127 {
            let power = f32::from_bits((126 + k) << 23);
            assert_eq!(less_half(power).to_bits(), (power - 0.5).to_bits(), "{k}");
            assert_eq!(plus_half(power).to_bits(), (power + 0.5).to_bits(), "{k}");
        }
    }

    #[test]
    fn doors_lead_to_the_operations() {
        assert_eq!([add(0.7, -3.1), sub(0.7, -3.1), mul(0.7, -3.1)], [0.7 - 3.1, 0.7 + 3.1, 0.7 * -3.1]);
        assert_eq!(add_product(0.7, -3.1, 0.3), 0.7 + -3.1 * 0.3);
        assert_eq!([0.0, -0.0, -1.5].map(|x| add_zero(x).to_bits()), [0.0f32, 0.0, -1.5].map(f32::to_bits));
    }
}
