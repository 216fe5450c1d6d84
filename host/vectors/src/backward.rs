//! The gradient of the weights, and the error of the layer below. Each sum is a running one, in the order of the examples
//! or of the outputs; vectors lie along the other axis.
//!
//! The last block of a row may overlap the one before it: what is computed twice is the same.

use fearless_simd::{Simd, prelude::*};
use lgl2o::objective::mlp::Activation;
use lgl2o::sum::LANES;

use super::{Block, Lanes, blocks};

/// G\[o\]\[i\] = sum_s E\[s\]\[o\] X\[s\]\[i\]. At least one of both widths has a whole block.
#[inline(always)]
pub(super) fn weight_gradient<S: Simd>(
    simd: S,
    errors: &[f32],
    rows: &[&[f32]],
    width: usize,
    outputs: usize,
    gradient: &mut [f32],
) {
    let errors: Vec<&[f32]> = errors.chunks_exact(outputs.max(1)).take(rows.len()).collect();
    // How far apart G[o][i], G[o + 1][i] and G[o][i + 1] are.
    let place = [width, 1];
    match width {
        32.. => products::<S, 5, 2>(simd, &errors, rows, [outputs, width], place, gradient),
        16.. => products::<S, 4, 2>(simd, &errors, rows, [outputs, width], place, gradient),
        8.. => products::<S, 4, 1>(simd, &errors, rows, [outputs, width], place, gradient),
        // Few inputs: vectors lie along the outputs.
        _ => products::<S, 2, 1>(simd, rows, &errors, [width, outputs], [1, width], gradient),
    }
}

/// C\[a\]\[b\] = sum_s A\[s\]\[a\] B\[s\]\[b\], for A columns of the one and B blocks of the other at a time.
#[inline(always)]
fn products<S: Simd, const A: usize, const B: usize>(
    simd: S,
    a: &[&[f32]],
    b: &[&[f32]],
    [a_width, b_width]: [usize; 2],
    place: [usize; 2],
    c: &mut [f32],
) {
    // Columns of A side by side, example after example.
    let tiles = a_width / A;
    let mut packed = Vec::with_capacity(tiles * a.len());
    for tile in 0..tiles {
        packed.extend(a.iter().map(
            #[inline(always)]
            |row| *row[tile * A..].first_chunk::<A>().expect("A columns"),
        ));
    }
    // Blocks of B, too: rows are far apart, and each is read for many columns.
    let mut segments: Vec<[Block; B]> = Vec::with_capacity(b.len());
    let mut start = 0;
    while start < b_width {
        let at = start.min(b_width - B * LANES);
        segments.clear();
        segments.extend(b.iter().map(
            #[inline(always)]
            |row| *blocks::<B>(row, at),
        ));
        for tile in 0..tiles {
            let sums = running_sums(simd, &packed[tile * a.len()..], &segments);
            for (k, sums) in sums.iter().enumerate() {
                store(sums, [tile * A + k, at], place, c);
            }
        }
        let mut column = tiles * A;
        while column < a_width {
            column += if a_width - column >= 2 {
                few_columns::<S, 2, B>(simd, a, &segments, [column, at], place, c)
            } else {
                few_columns::<S, 1, B>(simd, a, &segments, [column, at], place, c)
            };
        }
        start += B * LANES;
    }
}

/// Writes the sums of C columns of A from the first one on, where too few are left for a whole tile; returns C.
#[inline(always)]
fn few_columns<S: Simd, const C: usize, const B: usize>(
    simd: S,
    a: &[&[f32]],
    segments: &[[Block; B]],
    [first, at]: [usize; 2],
    place: [usize; 2],
    c: &mut [f32],
) -> usize {
    let mut sums = [[Lanes::splat(simd, 0.0); B]; C];
    for (row, x) in a.iter().zip(segments) {
        let columns: &[f32; C] = row[first..].first_chunk().expect("C columns");
        for (sums, &a) in sums.iter_mut().zip(columns) {
            let a = Lanes::splat(simd, a);
            for (sum, x) in sums.iter_mut().zip(x) {
                *sum += a * Lanes::load_array_ref(simd, x);
            }
        }
    }
    for (k, sums) in sums.iter().enumerate() {
        store(sums, [first + k, at], place, c);
    }
    C
}

/// Of A columns and B blocks.
#[inline(always)]
fn running_sums<S: Simd, const A: usize, const B: usize>(
    simd: S,
    columns: &[[f32; A]],
    segments: &[[Block; B]],
) -> [[Lanes<S>; B]; A] {
    let mut sums = [[Lanes::splat(simd, 0.0); B]; A];
    for (a, x) in columns.iter().zip(segments) {
        let mut lanes = [Lanes::splat(simd, 0.0); B];
        for k in 0..B {
            lanes[k] = Lanes::load_array_ref(simd, &x[k]);
        }
        for (sums, &a) in sums.iter_mut().zip(a) {
            let a = Lanes::splat(simd, a);
            for k in 0..B {
                sums[k] += a * lanes[k];
            }
        }
    }
    sums
}

/// Writes blocks to their place in a matrix: along its rows, or along its columns.
#[inline(always)]
fn store<S: Simd, const B: usize>(
    sums: &[Lanes<S>; B],
    [row, column]: [usize; 2],
    [down, along]: [usize; 2],
    c: &mut [f32],
) {
    for (k, sums) in sums.iter().enumerate() {
        let start = row * down + (column + k * LANES) * along;
        if along == 1 {
            sums.store_slice(&mut c[start..start + LANES]);
        } else {
            for (c, sum) in c[start..].iter_mut().step_by(along).zip(sums.to_array()) {
                *c = sum;
            }
        }
    }
}

/// D\[s\]\[i\] = act'(X\[s\]\[i\]) sum_o E\[s\]\[o\] W\[o\]\[i\], over X. A row has at least one whole block.
#[inline(always)]
pub(super) fn input_error<S: Simd>(
    simd: S,
    weights: &[f32],
    errors: &[f32],
    n: usize,
    [inputs, outputs]: [usize; 2],
    below: Activation,
    x: &mut [f32],
) {
    let layer = Below { weights, errors, n, inputs, outputs, activation: below };
    match inputs {
        32.. => layer.error::<S, 4>(simd, x),
        16.. => layer.error::<S, 2>(simd, x),
        _ => layer.error::<S, 1>(simd, x),
    }
}

/// What the error of the layer below hangs on.
struct Below<'a> {
    weights: &'a [f32],
    errors: &'a [f32],
    n: usize,
    inputs: usize,
    outputs: usize,
    activation: Activation,
}

impl Below<'_> {
    /// B blocks at a time.
    #[inline(always)]
    fn error<S: Simd, const B: usize>(&self, simd: S, x: &mut [f32]) {
        let mut segments: Vec<&[Block; B]> = Vec::with_capacity(self.outputs);
        let mut done = 0;
        while done < self.inputs {
            let at = done.min(self.inputs - B * LANES);
            segments.clear();
            let rows = self.weights.chunks_exact(self.inputs).take(self.outputs);
            segments.extend(rows.map(
                #[inline(always)]
                |row| blocks::<B>(row, at),
            ));
            let mut s = 0;
            while s + 2 <= self.n {
                let sums = self.sums::<S, B, 2>(simd, s, &segments);
                for (k, sums) in sums.iter().enumerate() {
                    self.finish(simd, sums, at, done, &mut x[(s + k) * self.inputs..][..self.inputs]);
                }
                s += 2;
            }
            if s < self.n {
                let [sums] = self.sums::<S, B, 1>(simd, s, &segments);
                self.finish(simd, &sums, at, done, &mut x[s * self.inputs..][..self.inputs]);
            }
            done += B * LANES;
        }
    }

    /// Of N examples from s on.
    #[inline(always)]
    fn sums<S: Simd, const B: usize, const N: usize>(
        &self,
        simd: S,
        s: usize,
        segments: &[&[Block; B]],
    ) -> [[Lanes<S>; B]; N] {
        let mut e = [&[] as &[f32]; N];
        for k in 0..N {
            e[k] = &self.errors[(s + k) * self.outputs..][..segments.len()];
        }
        let mut sums = [[Lanes::splat(simd, 0.0); B]; N];
        for (o, w) in segments.iter().enumerate() {
            let mut lanes = [Lanes::splat(simd, 0.0); B];
            for k in 0..B {
                lanes[k] = Lanes::load_array_ref(simd, &w[k]);
            }
            for (sums, e) in sums.iter_mut().zip(&e) {
                let e = Lanes::splat(simd, e[o]);
                for k in 0..B {
                    sums[k] += e * lanes[k];
                }
            }
        }
        sums
    }

    /// Writes the sums from number `at` on times the slope, except what is done.
    #[inline(always)]
    fn finish<S: Simd, const B: usize>(&self, simd: S, sums: &[Lanes<S>; B], at: usize, done: usize, x: &mut [f32]) {
        for (k, &sums) in sums.iter().enumerate() {
            let start = at + k * LANES;
            let x: &mut Block = x[start..].first_chunk_mut().expect("a whole block");
            if start >= done {
                let error = sums * slope(simd, self.activation, Lanes::load_array_ref(simd, x));
                error.store_slice(x);
            } else {
                for (x, sum) in x.iter_mut().zip(sums.to_array()).skip(done - start) {
                    *x = sum * self.activation.slope(*x);
                }
            }
        }
    }
}

/// [`Activation::slope`] of eight values.
#[inline(always)]
fn slope<S: Simd>(simd: S, activation: Activation, y: Lanes<S>) -> Lanes<S> {
    let (zero, one) = (Lanes::splat(simd, 0.0), Lanes::splat(simd, 1.0));
    match activation {
        Activation::Identity => one,
        Activation::Relu => y.simd_gt(zero).select(one, zero),
        Activation::Tanh => one - y * y,
        Activation::Sigmoid => y * (one - y),
    }
}
