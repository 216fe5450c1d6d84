//! Z\[s\]\[o\] = sum_i W\[o\]\[i\] X\[s\]\[i\] + b\[o\].
//!
//! Four outputs and two examples share a pass over the inputs: eight chains of additions, six numbers loaded for eight
//! products. Rows of weights stay in the nearest cache while the examples go by. Inputs behind the last whole block come as
//! a block that is filled up with zeros: a partial sum is never -0, so adding a zero changes nothing.

use fearless_simd::{Simd, f32x4, prelude::*};
use lgl2o::sum::{self, LANES};

use super::{Block, Lanes};

/// Outputs that share a pass.
const OUTPUTS: usize = 4;
/// Examples that share a pass.
const EXAMPLES: usize = 2;

/// Z of all rows of inputs.
#[inline(always)]
pub(super) fn forward<S: Simd>(simd: S, weights: &[f32], bias: &[f32], rows: &[&[f32]], out: &mut [f32]) {
    let (outputs, width) = (bias.len(), width(rows));
    let layer = Layer { weights, bias, rows, x_tails: &tails(rows), width };
    match outputs.checked_sub(OUTPUTS) {
        None => (0..outputs).for_each(
            #[inline(always)]
            |o| outputs_from::<S, 1>(simd, &layer, o, out),
        ),
        // The last four outputs may overlap those before: what is computed twice is the same.
        Some(last) => {
            let mut o = 0;
            while o < outputs {
                outputs_from::<S, OUTPUTS>(simd, &layer, o.min(last), out);
                o += OUTPUTS;
            }
        }
    }
}

/// What a pass reads.
pub(super) struct Layer<'a> {
    pub(super) weights: &'a [f32],
    pub(super) bias: &'a [f32],
    pub(super) rows: &'a [&'a [f32]],
    /// What is behind the last whole block of each row, if anything.
    pub(super) x_tails: &'a [Block],
    pub(super) width: usize,
}

/// Numbers in a row.
pub(super) fn width(rows: &[&[f32]]) -> usize {
    rows.first().map_or(0, |row| row.len())
}

/// The [`tail`] of each row; none where rows are whole blocks.
#[inline(always)]
pub(super) fn tails(rows: &[&[f32]]) -> Vec<Block> {
    if width(rows).is_multiple_of(LANES) { Vec::new() } else { rows.iter().map(|row| tail(row)).collect() }
}

/// Outputs o to o + O of all examples.
#[inline(always)]
fn outputs_from<S: Simd, const O: usize>(simd: S, layer: &Layer<'_>, o: usize, out: &mut [f32]) {
    let (mut w, mut w_tails) = ([&[] as &[f32]; O], [[0.0; LANES]; O]);
    for k in 0..O {
        w[k] = &layer.weights[(o + k) * layer.width..][..layer.width];
        w_tails[k] = tail(w[k]);
    }
    let mut bias = [0.0; O];
    bias.copy_from_slice(&layer.bias[o..o + O]);
    let outputs = layer.bias.len();
    let mut s = 0;
    while s + EXAMPLES <= layer.rows.len() {
        let sums = partial_sums::<S, O, EXAMPLES>(simd, layer, w, &w_tails, s);
        for (k, sums) in sums.iter().enumerate() {
            finish(simd, sums, &bias, &mut out[(s + k) * outputs + o..][..O]);
        }
        s += EXAMPLES;
    }
    for s in s..layer.rows.len() {
        let [sums] = partial_sums::<S, O, 1>(simd, layer, w, &w_tails, s);
        finish(simd, &sums, &bias, &mut out[s * outputs + o..][..O]);
    }
}

/// The eight partial sums of each of N examples, from s on, and O rows of weights.
#[inline(always)]
fn partial_sums<S: Simd, const O: usize, const N: usize>(
    simd: S,
    layer: &Layer<'_>,
    w: [&[f32]; O],
    w_tails: &[Block; O],
    s: usize,
) -> [[Lanes<S>; O]; N] {
    let blocks = layer.width / LANES;
    let (mut w_blocks, mut x_blocks) = ([&[] as &[Block]; O], [&[] as &[Block]; N]);
    for k in 0..O {
        w_blocks[k] = &w[k].as_chunks().0[..blocks];
    }
    for k in 0..N {
        x_blocks[k] = &layer.rows[s + k].as_chunks().0[..blocks];
    }
    let mut sums = [[Lanes::splat(simd, 0.0); O]; N];
    for i in 0..blocks {
        let mut w = [Lanes::splat(simd, 0.0); O];
        for k in 0..O {
            w[k] = Lanes::load_array_ref(simd, &w_blocks[k][i]);
        }
        for (sums, x) in sums.iter_mut().zip(&x_blocks) {
            let x = Lanes::load_array_ref(simd, &x[i]);
            for k in 0..O {
                sums[k] += w[k] * x;
            }
        }
    }
    for (k, sums) in sums.iter_mut().enumerate() {
        let Some(x) = layer.x_tails.get(s + k) else { break };
        let x = Lanes::load_array_ref(simd, x);
        for (sum, w) in sums.iter_mut().zip(w_tails) {
            *sum += Lanes::load_array_ref(simd, w) * x;
        }
    }
    sums
}

/// The sums in the fixed tree, and the bias.
#[inline(always)]
fn finish<S: Simd, const O: usize>(simd: S, sums: &[Lanes<S>; O], bias: &[f32; O], out: &mut [f32]) {
    if let (&[a, b, c, d], Some(bias)) = (sums.as_slice(), bias.first_chunk::<4>()) {
        let z = trees(simd, [a, b, c, d]) + f32x4::load_array_ref(simd, bias);
        z.store_slice(out);
    } else {
        for ((out, sums), bias) in out.iter_mut().zip(sums).zip(bias) {
            *out = sum::tree(sums.to_array()) + bias;
        }
    }
}

/// [`sum::tree`] of four times eight sums: first lanes i and i + 4, then i and i + 2, then the two that are left.
#[inline(always)]
pub(super) fn trees<S: Simd>(simd: S, sums: [Lanes<S>; 4]) -> f32x4<S> {
    let mut fours = [f32x4::splat(simd, 0.0); 4];
    for k in 0..4 {
        let (low, high) = sums[k].split();
        fours[k] = low + high;
    }
    let [a, b, c, d] = fours;
    // a0 + a2, b0 + b2, a1 + a3, b1 + b3.
    let ab = a.zip_low(b) + a.zip_high(b);
    let cd = c.zip_low(d) + c.zip_high(d);
    let (ab, cd): (fearless_simd::f64x2<S>, fearless_simd::f64x2<S>) = (ab.bitcast(), cd.bitcast());
    let (first, second): (f32x4<S>, f32x4<S>) = (ab.zip_low(cd).bitcast(), ab.zip_high(cd).bitcast());
    first + second
}

/// What is behind the last whole block of a row, and zeros.
pub(super) fn tail(row: &[f32]) -> Block {
    padded(row.as_chunks::<LANES>().1)
}

/// At most eight numbers, and zeros.
pub(super) fn padded(numbers: &[f32]) -> Block {
    let mut block = [0.0; LANES];
    for (a, &b) in block.iter_mut().zip(numbers) {
        *a = b;
    }
    block
}
