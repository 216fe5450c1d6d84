//! exp of many numbers: the algorithm of `libm`'s `expf` (FreeBSD's msun), without a branch, eight or sixteen arguments at a
//! time. Each step is its, so every bit is.
//!
//! ```text
//! exp x    k = round(x / ln 2)   r = x - k ln 2   c = r - r^2 (P1 + r^2 P2)   2^k (1 + (r c / (2 - c) - lo + hi))
//! ```
//!
//! In place of 2^k there are two factors, the first of which is exact: so results may be subnormal, and 0, as those of softmax are in a
//! run that has converged. A block with a NaN or a number above 87 goes through the core's function, number by number. With
//! `micromath` all do. tanh and the logistic function are loops of the core, which has no branch in them: the compiler makes vectors of
//! these.

use std::marker::PhantomData;

use fearless_simd::{Simd, f32x8, f32x16, prelude::*};
use lgl2o::math;

use super::{Numbers, is_wide};

/// e^x for each number.
#[inline(always)]
pub(super) fn exp<S: Simd>(simd: S, x: &mut [f32]) {
    if is_wide(simd) { exp_by::<S, f32x16<S>>(simd, x) } else { exp_by::<S, f32x8<S>>(simd, x) }
}

#[inline(always)]
fn exp_by<S: Simd, V: Numbers<S>>(simd: S, x: &mut [f32]) {
    if cfg!(feature = "micromath") {
        return x.iter_mut().for_each(|x| *x = math::exp(*x));
    }
    let mut blocks = x.chunks_exact_mut(V::LEN);
    for x in &mut blocks {
        exp_block::<S, V>(simd, x);
    }
    let tail = blocks.into_remainder();
    if !tail.is_empty() {
        let mut padded = V::splat(simd, 0.0);
        padded.as_mut_slice()[..tail.len()].copy_from_slice(tail);
        exp_block::<S, V>(simd, padded.as_mut_slice());
        tail.copy_from_slice(&padded.as_slice()[..tail.len()]);
    }
}

/// e^x for the numbers of one vector.
#[inline(always)]
fn exp_block<S: Simd, V: Numbers<S>>(simd: S, x: &mut [f32]) {
    let lanes = V::from_slice(simd, x);
    if lanes.simd_le(V::splat(simd, MOST)).all_true() {
        exp_lanes(simd, lanes).store_slice(x);
    } else {
        x.iter_mut().for_each(|x| *x = math::exp(*x));
    }
}

/// Makes a vector of one number.
#[derive(Clone, Copy)]
struct Splat<S, V>(S, PhantomData<V>);

impl<S: Simd, V: Numbers<S>> Splat<S, V> {
    #[inline(always)]
    fn new(simd: S) -> Self {
        Self(simd, PhantomData)
    }

    #[inline(always)]
    fn of(self, x: f32) -> V {
        V::splat(self.0, x)
    }
}

/// 1 / ln 2.
const INVERSE_LN2: f32 = std::f32::consts::LOG2_E;
/// ln 2 / 2, from which on an argument is reduced.
const HALF_LN2: f32 = f32::from_bits(0x3eb1_7218);
/// 3/2 ln 2, from which on the multiple of ln 2 is more than one.
const THREE_HALVES_LN2: f32 = f32::from_bits(0x3f85_1592);

/// Up to this argument, 2^k is finite.
const MOST: f32 = 87.0;
/// The greatest argument whose result is 0.
const END: f32 = f32::from_bits(0xc2cf_f1b5);
/// The least exponent of the first factor: its product with y is then a normal number.
const LOWEST: f32 = -100.0;

/// e^x for x <= [`MOST`].
#[inline(always)]
fn exp_lanes<S: Simd, V: Numbers<S>>(simd: S, x: V) -> V {
    let splat = Splat::<S, V>::new(simd);
    let (y, k) = parts(simd, x.max(splat.of(END)));
    let first = k.max(splat.of(LOWEST));
    x.simd_le(splat.of(END)).select(splat.of(0.0), y * power(first) * power(k - first))
}

/// y and k, for which e^x = 2^k y, where k is a whole number.
#[inline(always)]
fn parts<S: Simd, V: Numbers<S>>(simd: S, x: V) -> (V, V) {
    let splat = Splat::<S, V>::new(simd);
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
    (y, k)
}

/// 2^k of whole numbers k from -127 to 128.
#[inline(always)]
fn power<S: Simd, V: Numbers<S>>(k: V) -> V {
    // The sum's last bits are those of k + 127, and the shift drops all others.
    V::from_bits((k + 8_388_735.0).to_bits() << 23)
}
