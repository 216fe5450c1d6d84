//! Z\[s\]\[o\] = sum_i W\[o\]\[i\] X\[s\]\[i\] + b\[o\], for registers of sixteen numbers.
//!
//! A register holds the eight partial sums of one output, and behind them those of the next. Eight outputs and four examples
//! share a pass over the inputs: sixteen chains of additions, eight loads for sixteen products of registers. Rows of weights
//! are copied side by side first, block by block. The last blocks are filled up with zeros, as in
//! [`forward`](super::forward).

use std::iter;

use fearless_simd::{Simd, f32x16, prelude::*};
use lgl2o::sum::LANES;

use super::forward::{Layer, padded, tails, trees, width};
use super::{Block, Lanes};

/// Two blocks in a register.
type Pair<S> = f32x16<S>;

/// Pairs of outputs that share a pass, at most.
const PAIRS: usize = 4;

/// Z of all rows of inputs, for at least two outputs.
#[inline(always)]
pub(super) fn forward<S: Simd>(simd: S, weights: &[f32], bias: &[f32], rows: &[&[f32]], out: &mut [f32]) {
    let (outputs, width) = (bias.len(), width(rows));
    let layer = Layer { weights, bias, rows, x_tails: &tails(rows), width };
    // At least two outputs come here.
    let whole = outputs - outputs % (2 * PAIRS);
    let most = (outputs - whole).div_ceil(2).min(outputs / 2);
    // The last pairs may overlap those before: what is computed twice is the same. Of 3, 5 or 7 outputs in all, the first are a group of their own.
    let last = outputs - 2 * most;
    if whole > 0 {
        let also = (most == PAIRS).then_some(last);
        each_group::<S, PAIRS, 4>(simd, &layer, (0..whole).step_by(2 * PAIRS).chain(also), out);
    }
    let rest = iter::once(whole).filter(|o| *o < last).chain([last]);
    match most {
        3 => each_group::<S, 3, 4>(simd, &layer, rest, out),
        2 => each_group::<S, 2, 4>(simd, &layer, rest, out),
        1 => each_group::<S, 1, 8>(simd, &layer, rest, out),
        0 | PAIRS.. => {}
    }
}

impl Layer<'_> {
    /// Block after block of P pairs of rows of weights, from output o on.
    #[inline(always)]
    fn pack<S: Simd, const P: usize>(&self, simd: S, o: usize, packed: &mut [[Pair<S>; P]]) {
        for p in 0..P {
            let row = |half| &self.weights[(o + 2 * p + half) * self.width..][..self.width];
            let ((a, a_rest), (b, b_rest)) = (row(0).as_chunks(), row(1).as_chunks());
            for ((to, a), b) in packed.iter_mut().zip(a).zip(b) {
                to[p] = Lanes::load_array_ref(simd, a).combine(Lanes::load_array_ref(simd, b));
            }
            if let (false, Some(to)) = (a_rest.is_empty(), packed.last_mut()) {
                to[p] = Lanes::load_array(simd, padded(a_rest)).combine(Lanes::load_array(simd, padded(b_rest)));
            }
        }
    }
}

/// Groups of P pairs of outputs, each from an output on, N examples at a time.
#[inline(always)]
fn each_group<S: Simd, const P: usize, const N: usize>(
    simd: S,
    layer: &Layer<'_>,
    groups: impl Iterator<Item = usize>,
    out: &mut [f32],
) {
    let mut packed = vec![[Pair::splat(simd, 0.0); P]; layer.width.div_ceil(LANES)];
    for o in groups {
        layer.pack(simd, o, &mut packed);
        group::<S, P, N>(simd, layer, &packed, o, out);
    }
}

/// A group of P pairs of outputs from o on.
#[inline(always)]
fn group<S: Simd, const P: usize, const N: usize>(
    simd: S,
    layer: &Layer<'_>,
    packed: &[[Pair<S>; P]],
    o: usize,
    out: &mut [f32],
) {
    let outputs = layer.bias.len();
    let mut bias = [0.0; 2 * PAIRS];
    bias[..2 * P].copy_from_slice(&layer.bias[o..o + 2 * P]);
    let mut s = 0;
    while s + N <= layer.rows.len() {
        let sums = partial_sums::<S, P, N>(simd, layer, packed, s);
        for (k, sums) in sums.iter().enumerate() {
            finish(simd, sums, &bias, &mut out[(s + k) * outputs + o..][..2 * P]);
        }
        s += N;
    }
    for s in s..layer.rows.len() {
        let [sums] = partial_sums::<S, P, 1>(simd, layer, packed, s);
        finish(simd, &sums, &bias, &mut out[s * outputs + o..][..2 * P]);
    }
}

/// The eight partial sums of each of N examples, from s on, and P pairs of rows of weights.
#[inline(always)]
fn partial_sums<S: Simd, const P: usize, const N: usize>(
    simd: S,
    layer: &Layer<'_>,
    packed: &[[Pair<S>; P]],
    s: usize,
) -> [[Pair<S>; P]; N] {
    let blocks = layer.width / LANES;
    let mut x_blocks = [&[] as &[Block]; N];
    for k in 0..N {
        x_blocks[k] = &layer.rows[s + k].as_chunks().0[..blocks];
    }
    let mut sums = [[Pair::splat(simd, 0.0); P]; N];
    for (i, w) in packed[..blocks].iter().enumerate() {
        for k in 0..N {
            add(simd, &mut sums[k], w, &x_blocks[k][i]);
        }
    }
    if let (false, Some(w)) = (layer.x_tails.is_empty(), packed.last()) {
        for k in 0..N {
            add(simd, &mut sums[k], w, &layer.x_tails[s + k]);
        }
    }
    sums
}

/// Adds the products of one block of inputs.
#[inline(always)]
fn add<S: Simd, const P: usize>(simd: S, sums: &mut [Pair<S>; P], w: &[Pair<S>; P], x: &Block) {
    let x = Lanes::load_array_ref(simd, x);
    let x = x.combine(x);
    for p in 0..P {
        sums[p] += w[p] * x;
    }
}

/// The sums in the fixed tree, and the bias.
#[inline(always)]
fn finish<S: Simd, const P: usize>(simd: S, sums: &[Pair<S>; P], bias: &[f32; 2 * PAIRS], out: &mut [f32]) {
    let mut z = [0.0; 2 * PAIRS];
    for half in 0..P.div_ceil(2) {
        let ((a, b), (c, d)) = (sums[2 * half].split(), sums[(2 * half + 1).min(P - 1)].split());
        let part: &mut [f32; 4] = z[4 * half..].first_chunk_mut().expect("four outputs");
        trees(simd, [a, b, c, d]).store_array(part);
    }
    for ((out, z), bias) in out.iter_mut().zip(z).zip(bias) {
        *out = z + bias;
    }
}
