//! exp, tanh and the logistic function of many numbers: the algorithms of `libm`'s `expf` and `expm1f` (FreeBSD's msun),
//! without a branch, eight arguments at a time. Each step is theirs, so every bit is.
//!
//! ```text
//! exp x    k = round(x / ln 2)   r = x - k ln 2   c = r - r^2 (P1 + r^2 P2)   2^k (1 + (r c / (2 - c) - lo + hi))
//! tanh x   1 - 2 / (t + 2) with t = e^2x - 1 from ln(3)/2 on, t / (t + 2) from ln(5/3)/2 on, else the same of -2x
//! ```
//!
//! A block with an argument that needs a case of its own (a NaN, an infinity, a result that is not normal) goes through the
//! core's function, number by number. With `micromath` all do.

use fearless_simd::{Simd, i32x8, prelude::*};
use lgl2o::math;
use lgl2o::sum::LANES;

use super::{Block, Lanes};

/// e^x for each number.
#[inline(always)]
pub(super) fn exp<S: Simd>(simd: S, x: &mut [f32]) {
    each(
        simd,
        x,
        math::exp,
        87.0,
        #[inline(always)]
        |x| exp_lanes(simd, x),
    );
}

/// 1 / (1 + e^-x) for each number.
#[inline(always)]
pub(super) fn sigmoid<S: Simd>(simd: S, x: &mut [f32]) {
    let one = Lanes::splat(simd, 1.0);
    each(
        simd,
        x,
        math::sigmoid,
        87.0,
        #[inline(always)]
        |x| one / (one + exp_lanes(simd, -x)),
    );
}

/// tanh x for each number.
#[inline(always)]
pub(super) fn tanh<S: Simd>(simd: S, x: &mut [f32]) {
    each(
        simd,
        x,
        math::tanh,
        f32::MAX,
        #[inline(always)]
        |x| tanh_lanes(simd, x),
    );
}

/// Applies a function to every number: eight at once where all of them are at most `bound`, else one by one.
#[inline(always)]
fn each<S: Simd>(simd: S, x: &mut [f32], one: impl Fn(f32) -> f32, bound: f32, eight: impl Fn(Lanes<S>) -> Lanes<S>) {
    if cfg!(feature = "micromath") {
        return x.iter_mut().for_each(|x| *x = one(*x));
    }
    let (blocks, tail) = x.as_chunks_mut();
    for x in blocks {
        block(simd, x, &one, bound, &eight);
    }
    if !tail.is_empty() {
        let mut padded = [0.0; LANES];
        padded[..tail.len()].copy_from_slice(tail);
        block(simd, &mut padded, &one, bound, &eight);
        tail.copy_from_slice(&padded[..tail.len()]);
    }
}

/// Of [`each`], one block.
#[inline(always)]
fn block<S: Simd>(
    simd: S,
    x: &mut Block,
    one: &impl Fn(f32) -> f32,
    bound: f32,
    eight: &impl Fn(Lanes<S>) -> Lanes<S>,
) {
    let lanes = Lanes::load_array_ref(simd, x);
    if lanes.abs().simd_le(Lanes::splat(simd, bound)).to_bitmask() == (1 << LANES) - 1 {
        eight(lanes).store_slice(x);
    } else {
        x.iter_mut().for_each(|x| *x = one(*x));
    }
}

/// Makes eight numbers of one.
#[derive(Clone, Copy)]
struct Splat<S>(S);

impl<S: Simd> Splat<S> {
    #[inline(always)]
    fn of(self, x: f32) -> Lanes<S> {
        Lanes::splat(self.0, x)
    }
}

/// 1 / ln 2.
const INVERSE_LN2: f32 = std::f32::consts::LOG2_E;
/// ln 2 / 2, from which on an argument is reduced.
const HALF_LN2: f32 = f32::from_bits(0x3eb1_7218);
/// 3/2 ln 2, from which on the multiple of ln 2 is more than one.
const THREE_HALVES_LN2: f32 = f32::from_bits(0x3f85_1592);

/// e^x for |x| <= 87.
#[inline(always)]
fn exp_lanes<S: Simd>(simd: S, x: Lanes<S>) -> Lanes<S> {
    let splat = Splat(simd);
    let size = x.abs();
    let (zero, one) = (splat.of(0.0), splat.of(1.0));
    let many = (splat.of(INVERSE_LN2) * x + splat.of(0.5).copysign(x)).trunc();
    let k = size.simd_gt(splat.of(THREE_HALVES_LN2)).select(many, one.copysign(x));
    let k = size.simd_gt(splat.of(HALF_LN2)).select(k, zero);
    let hi = x - k * splat.of(f32::from_bits(0x3f31_7200));
    let lo = k * splat.of(f32::from_bits(0x35bf_be8e));
    let r = hi - lo;
    let rr = r * r;
    let c = r - rr * (splat.of(1.666_662_5e-1) + rr * splat.of(-2.766_733_3e-3));
    let y = one + (r * c / (splat.of(2.0) - c) - lo + hi);
    // At most 2^-13.
    let y = size.simd_gt(splat.of(f32::from_bits(0x3900_0000))).select(y, one + x);
    y * power(k)
}

/// 2^k of whole numbers k.
#[inline(always)]
fn power<S: Simd>(k: Lanes<S>) -> Lanes<S> {
    let k: i32x8<S> = k.to_int();
    ((k + 127) << 23).bitcast()
}

/// tanh x for finite x.
#[inline(always)]
fn tanh_lanes<S: Simd>(simd: S, x: Lanes<S>) -> Lanes<S> {
    let splat = Splat(simd);
    let (one, two) = (splat.of(1.0), splat.of(2.0));
    let size = x.abs();
    let (large, middle) =
        (size.simd_gt(splat.of(f32::from_bits(0x3f0c_9f54))), size.simd_gt(splat.of(f32::from_bits(0x3e82_c578))));
    // Above 10 the result is 1.
    let near = size.simd_gt(splat.of(10.0)).select(splat.of(10.0), size);
    let t = expm1_lanes(simd, middle.select(two, splat.of(-2.0)) * near);
    let quotient = large.select(two, t) / (t + two);
    let y = large.select(one - quotient, middle.select(quotient, -quotient));
    let y = size.simd_gt(splat.of(10.0)).select(one, y);
    // Below the normal numbers it is x.
    let y = size.simd_lt(splat.of(f32::MIN_POSITIVE)).select(size, y);
    y.copysign(x)
}

/// e^a - 1 for -ln 3 <= a <= 20.
#[inline(always)]
fn expm1_lanes<S: Simd>(simd: S, a: Lanes<S>) -> Lanes<S> {
    let splat = Splat(simd);
    let size = a.abs();
    let (zero, half, one) = (splat.of(0.0), splat.of(0.5), splat.of(1.0));
    let many = (splat.of(INVERSE_LN2) * a + half.copysign(a)).trunc();
    let k = size.simd_lt(splat.of(THREE_HALVES_LN2)).select(one.copysign(a), many);
    let k = size.simd_gt(splat.of(HALF_LN2)).select(k, zero);
    let hi = a - k * splat.of(f32::from_bits(0x3f31_7180));
    let lo = k * splat.of(f32::from_bits(0x3717_f7d1));
    let x = hi - lo;
    let c = (hi - x) - lo;
    let hfx = half * x;
    let hxs = x * hfx;
    let r1 = one + hxs * (splat.of(f32::from_bits(0xbd08_8868)) + hxs * splat.of(f32::from_bits(0x3acf_3010)));
    let t = splat.of(3.0) - r1 * hfx;
    let e = hxs * ((r1 - t) / (splat.of(6.0) - x * t));
    let of_zero = x - (x * e - hxs);
    let e = x * (e - c) - c - hxs;
    let of_minus_one = half * (x - e) - half;
    let of_one = x.simd_lt(splat.of(-0.25)).select(splat.of(-2.0) * (e - (x + half)), one + splat.of(2.0) * (x - e));
    let inverse = power(-k);
    let few = x - e + (one - inverse);
    let of_more = k.simd_lt(splat.of(23.0)).select(few, x - (e + inverse) + one) * power(k);
    let y = k.simd_gt(one).select(of_more, k.simd_gt(zero).select(of_one, of_minus_one));
    let y = k.simd_eq(zero).select(of_zero, y);
    // Below 2^-25 it is the argument.
    size.simd_lt(splat.of(f32::from_bits(0x3300_0000))).select(a, y)
}
