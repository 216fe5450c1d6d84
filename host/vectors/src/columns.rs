//! Z\[s\]\[o\] = sum_i W\[o\]\[i\] X\[s\]\[i\] + b\[o\], for layers of few inputs.
//!
//! Vectors lie along the outputs: eight of them hold the eight partial sums of as many outputs as a vector has numbers.
//! So the fixed tree, which takes longer than the sums themselves where these are short, is seven additions of vectors.
//! The weights are transposed first. Inputs behind the last whole block come as a block that is filled up with zeros, as
//! in [`forward`](super::forward).

use fearless_simd::Simd;
use lgl2o::sum::LANES;

use super::forward::{tails, width};
use super::{Block, Numbers};

/// Z of all rows of inputs, N examples at a time; there are at least as many outputs as a vector has numbers.
#[inline(always)]
pub(super) fn forward<S: Simd, V: Numbers<S>, const N: usize>(
    simd: S,
    weights: &[f32],
    bias: &[f32],
    rows: &[&[f32]],
    out: &mut [f32],
) {
    let (outputs, width, x_tails) = (bias.len(), width(rows), tails(rows));
    let mut columns = vec![[V::splat(simd, 0.0); LANES]; width.div_ceil(LANES)];
    let mut o = 0;
    while o < outputs {
        // The last outputs may overlap those before: what is computed twice is the same.
        let at = o.min(outputs - V::LEN);
        transpose(simd, &weights[at * width..][..V::LEN * width], width, &mut columns);
        let bias = V::from_slice(simd, &bias[at..][..V::LEN]);
        let layer = Layer { columns: &columns, bias, rows, x_tails: &x_tails };
        let mut s = 0;
        while s + N <= rows.len() {
            for (k, z) in layer.outputs::<S, N>(simd, s).into_iter().enumerate() {
                z.store_slice(&mut out[(s + k) * outputs + at..][..V::LEN]);
            }
            s += N;
        }
        for s in s..rows.len() {
            let [z] = layer.outputs::<S, 1>(simd, s);
            z.store_slice(&mut out[s * outputs + at..][..V::LEN]);
        }
        o += V::LEN;
    }
}

/// The weights of as many outputs as a vector has numbers, input after input; zeros behind the last.
#[inline(always)]
fn transpose<S: Simd, V: Numbers<S>>(simd: S, weights: &[f32], width: usize, columns: &mut [[V; LANES]]) {
    for i in 0..width {
        let column = V::from_fn(
            simd,
            #[inline(always)]
            |o| weights[o * width + i],
        );
        columns[i / LANES][i % LANES] = column;
    }
}

/// As many outputs as a vector has numbers.
struct Layer<'a, V> {
    columns: &'a [[V; LANES]],
    bias: V,
    rows: &'a [&'a [f32]],
    /// What is behind the last whole block of each row, if anything.
    x_tails: &'a [Block],
}

impl<V: Copy> Layer<'_, V> {
    /// Those of N examples from s on.
    #[inline(always)]
    fn outputs<S: Simd, const N: usize>(&self, simd: S, s: usize) -> [V; N]
    where
        V: Numbers<S>,
    {
        let whole = self.columns.len() - usize::from(!self.x_tails.is_empty());
        let mut sums = [[V::splat(simd, 0.0); LANES]; N];
        let mut blocks = [&[] as &[Block]; N];
        for k in 0..N {
            blocks[k] = &self.rows[s + k].as_chunks().0[..whole];
        }
        for (i, columns) in self.columns[..whole].iter().enumerate() {
            for k in 0..N {
                add(simd, &mut sums[k], columns, &blocks[k][i]);
            }
        }
        if let Some(columns) = self.columns.get(whole) {
            for k in 0..N {
                add(simd, &mut sums[k], columns, &self.x_tails[s + k]);
            }
        }
        let mut z = [self.bias; N];
        for k in 0..N {
            let [a, b, c, d, e, f, g, h] = sums[k];
            // As `sum::tree` has it.
            z[k] = ((a + e) + (c + g)) + ((b + f) + (d + h)) + self.bias;
        }
        z
    }
}

/// Adds the products of one block of inputs, each to its partial sum.
#[inline(always)]
fn add<S: Simd, V: Numbers<S>>(simd: S, sums: &mut [V; LANES], columns: &[V; LANES], x: &Block) {
    for lane in 0..LANES {
        sums[lane] += columns[lane] * V::splat(simd, x[lane]);
    }
}
