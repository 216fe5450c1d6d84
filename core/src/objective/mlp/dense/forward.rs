//! Forward kernel of the dense layer: Z\[s\]\[o\] = sum_i W\[o\]\[i\] X\[s\]\[i\] + b\[o\].
//!
//! There are two ways through it, with the same bits. *By rows*, a few examples share each pass over a row of weights,
//! with eight partial sums for each: made for processors whose registers hold several numbers. *By lanes*, four examples
//! and four outputs share a pass over every eighth input, with one partial sum for each of the sixteen pairs: made for
//! processors with many registers of one number, such as a Cortex-M4F, where a number that was loaded then serves four
//! products.

use super::tiles::{SIDE, TILED, dots_of_tile};
use crate::SMALL;
use crate::batch::{Matrix, Rows, row, row_mut, several};
use crate::math::{self, One};
use crate::pair::{Number, Pair};
use crate::sum::{self, LANES};

/// Z = X W^T + b for the first n rows of X. W has as many rows as b has numbers.
pub fn forward(weights: &[f32], bias: &[f32], inputs: Rows<'_>, n: usize, out: &mut [f32]) {
    match inputs.width() {
        2 if !SMALL => narrow::<2>(weights, bias, inputs, n, out),
        3 if !SMALL => narrow::<3>(weights, bias, inputs, n, out),
        _ => rows(weights, bias, inputs, n, out),
    }
}

/// [`forward`] for rows of any matrix, by the kernel that is fastest on the processor.
#[inline]
pub(crate) fn rows<'a>(weights: &[f32], bias: &[f32], inputs: impl Matrix<'a>, n: usize, out: &mut [f32]) {
    if TILED && inputs.width() >= 2 * LANES {
        by_lanes(weights, bias, inputs, n, out);
    } else if cfg!(target_arch = "arm") {
        by_rows(sum::dot2, weights, bias, inputs, n, out);
    } else {
        by_rows(sum::dot4, weights, bias, inputs, n, out);
    }
}

/// [`forward`] for rows of W numbers, 2 or 3, which stay in registers: their sums are not worth a loop.
fn narrow<const W: usize>(weights: &[f32], bias: &[f32], inputs: Rows<'_>, n: usize, out: &mut [f32]) {
    for s in 0..n {
        let Some(x) = inputs.row(s).first_chunk::<W>() else { return };
        // Copied, so that they are loaded once.
        let x = *x;
        let (out, w) = (row_mut(out, s, bias.len()), weights.as_chunks::<W>().0);
        let n = out.len().min(w.len()).min(bias.len());
        let (Some(out), Some(w), Some(b)) = (out.get_mut(..n), w.get(..n), bias.get(..n)) else { return };
        // Two outputs at a time where the processor would wait for one.
        let two = if TILED { n / 2 } else { 0 };
        let ((outs, _), (ws, _), (bs, _)) = (out.as_chunks_mut::<2>(), w.as_chunks::<2>(), b.as_chunks::<2>());
        for ((out, [w, v]), &[b, c]) in outs.iter_mut().zip(ws).zip(bs).take(two) {
            let Pair(y, z) = weighted(core::array::from_fn(|k| Pair(w[k], v[k])), x, Pair(b, c));
            *out = [y, z];
        }
        for ((out, w), &b) in out.iter_mut().zip(w).zip(b).skip(2 * two) {
            *out = weighted(w.map(One), x, One(b)).0;
        }
    }
}

/// sum_k w_k x_k + b: the lanes that have a number, in the order of the tree.
#[inline(always)]
fn weighted<T: Number, const W: usize>(w: [T; W], x: [f32; W], b: T) -> T {
    let mut z = w[0] * x[0];
    for k in (2..W).chain([1]) {
        z = z.add_product(w[k], T::all(x[k]));
    }
    // No lane begins with -0.0, so neither does the sum of all.
    z.each(math::add_zero) + b
}

/// [`forward`] with S examples to a row of weights, by this function.
pub fn by_rows<'a, const S: usize>(
    dots: impl Fn(&[f32], [&[f32]; S]) -> [f32; S],
    weights: &[f32],
    bias: &[f32],
    inputs: impl Matrix<'a>,
    n: usize,
    out: &mut [f32],
) {
    let (width, outputs) = (inputs.width(), bias.len());
    let mut s = 0;
    while s + S <= n {
        let x: [&[f32]; S] = core::array::from_fn(|k| inputs.row(s + k));
        for (o, &b) in bias.iter().enumerate() {
            let z = dots(row(weights, o, width), x);
            for (k, z) in z.into_iter().enumerate() {
                if let Some(out) = out.get_mut((s + k) * outputs + o) {
                    *out = math::add(z, b);
                }
            }
        }
        s += S;
    }
    for s in s..n {
        one(&dots, weights, bias, inputs.row(s), row_mut(out, s, outputs));
    }
}

/// Z of one example, for which S outputs share a pass over its inputs.
fn one<const S: usize>(
    dots: impl Fn(&[f32], [&[f32]; S]) -> [f32; S],
    weights: &[f32],
    bias: &[f32],
    x: &[f32],
    out: &mut [f32],
) {
    let (blocks, tail) = out.as_chunks_mut::<S>();
    let (biases, bias_tail) = bias.as_chunks::<S>();
    let mut rest = weights;
    let mut next = || {
        let row;
        (row, rest) = rest.split_at_checked(x.len()).unwrap_or_default();
        row
    };
    for (out, b) in blocks.iter_mut().zip(biases) {
        let z = dots(x, core::array::from_fn(|_| next()));
        out.iter_mut().zip(z).zip(b).for_each(|((out, z), b)| *out = math::add(z, *b));
    }
    for (out, &b) in tail.iter_mut().zip(bias_tail) {
        *out = math::add(sum::dot(next(), x), b);
    }
}

/// [`forward`] with tiles of four examples and four outputs. Where their numbers are no multiples of four, the last tiles
/// overlap: what is computed twice is the same. Fewer than four go by rows.
pub fn by_lanes<'a>(weights: &[f32], bias: &[f32], inputs: impl Matrix<'a>, n: usize, out: &mut [f32]) {
    let (width, outputs) = (inputs.width(), bias.len());
    let (Some(last_s), Some(last_o)) = (n.checked_sub(SIDE), outputs.checked_sub(SIDE)) else {
        return by_rows(sum::dot2, weights, bias, inputs, n, out);
    };
    for s in (0..n).step_by(SIDE).map(|s| s.min(last_s)) {
        let Some(x) = inputs.several(s, 0, width) else { return };
        for o in (0..outputs).step_by(SIDE).map(|o| o.min(last_o)) {
            let Some(w) = several(weights, o, width, width) else { return };
            let tile = dots_of_tile(w, x);
            let Some(b) = bias.get(o..).and_then(|b| b.first_chunk::<SIDE>()) else { return };
            let Some(mut out) = out.get_mut(s * outputs + o..) else { return };
            for k in 0..SIDE {
                let Some(row) = out.first_chunk_mut::<SIDE>() else { return };
                for ((z, b), dots) in row.iter_mut().zip(b).zip(&tile) {
                    *z = dots[k] + b;
                }
                out = out.get_mut(outputs..).unwrap_or_default();
            }
        }
    }
}
