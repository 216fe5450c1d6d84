//! G\[o\]\[i\] = sum_s E\[s\]\[o\] X\[s\]\[i\], for registers of sixteen numbers: 32 inputs of eight outputs at a time.
//!
//! Each sum is a running one, in the order of the examples, as in [`backward`](super::backward). The last 32 inputs may
//! overlap those before: what is computed twice is the same.

use std::ops::Range;

use fearless_simd::{Simd, f32x16, prelude::*};
use lgl2o::sum::LANES;

/// Numbers in a register.
const WIDE: usize = 2 * LANES;
/// Inputs that share a pass over the examples.
pub(super) const INPUTS: usize = 2 * WIDE;
/// Outputs that share it.
const OUTPUTS: usize = 8;

/// The inputs of an example that share a pass.
type Segment<S> = [f32x16<S>; 2];

/// G, for rows of at least [`INPUTS`] inputs.
#[inline(always)]
pub(super) fn weight_gradient<S: Simd>(simd: S, errors: &[f32], rows: &[&[f32]], outputs: usize, gradient: &mut [f32]) {
    let width = rows.first().map_or(0, |row| row.len());
    let (errors, tiles) = (&errors[..rows.len() * outputs], outputs / OUTPUTS);
    // The errors of a tile of outputs side by side, example after example.
    let mut packed: Vec<[f32; OUTPUTS]> = Vec::with_capacity(tiles * rows.len());
    for tile in 0..tiles {
        let of_tile = |row: &[f32]| *row[tile * OUTPUTS..].first_chunk().expect("a tile");
        packed.extend(errors.chunks_exact(outputs.max(1)).map(of_tile));
    }
    let mut segments = vec![[f32x16::splat(simd, 0.0); 2]; rows.len()];
    let mut done = 0;
    while done < width {
        let at = done.min(width - INPUTS);
        for (segment, row) in segments.iter_mut().zip(rows) {
            let numbers: &[f32; INPUTS] = row[at..].first_chunk().expect("a segment");
            let (low, high) = numbers.split_at(WIDE);
            *segment = [f32x16::from_slice(simd, low), f32x16::from_slice(simd, high)];
        }
        let mut to = Columns { gradient: &mut *gradient, width, at };
        for tile in 0..tiles {
            let errors = packed[tile * rows.len()..].iter().take(rows.len());
            to.write(tile * OUTPUTS, sums(simd, errors, &segments));
        }
        last_outputs(simd, &errors.chunks_exact(outputs.max(1)), &segments, tiles * OUTPUTS..outputs, &mut to);
        done += INPUTS;
    }
}

/// The outputs that are too few for a whole tile.
#[inline(always)]
fn last_outputs<'a, S: Simd>(
    simd: S,
    errors: &(impl Iterator<Item = &'a [f32]> + Clone),
    segments: &[Segment<S>],
    outputs: Range<usize>,
    to: &mut Columns<'_>,
) {
    let mut o = outputs.start;
    while o < outputs.end {
        if outputs.end - o >= 4 {
            to.write(o, sums::<S, 4>(simd, errors.clone().map(|row| part(row, o)), segments));
            o += 4;
        } else {
            to.write(o, sums::<S, 1>(simd, errors.clone().map(|row| part(row, o)), segments));
            o += 1;
        }
    }
}

/// N numbers of a row from a number on.
#[inline(always)]
fn part<const N: usize>(row: &[f32], start: usize) -> &[f32; N] {
    row[start..].first_chunk().expect("N numbers")
}

/// The sums of N outputs.
#[inline(always)]
fn sums<'a, S: Simd, const N: usize>(
    simd: S,
    errors: impl Iterator<Item = &'a [f32; N]>,
    segments: &[Segment<S>],
) -> [Segment<S>; N] {
    let mut sums = [[f32x16::splat(simd, 0.0); 2]; N];
    for (errors, &[low, high]) in errors.zip(segments) {
        for k in 0..N {
            let e = f32x16::splat(simd, errors[k]);
            sums[k][0] += e * low;
            sums[k][1] += e * high;
        }
    }
    sums
}

/// The columns of the gradient that are written.
struct Columns<'a> {
    gradient: &'a mut [f32],
    width: usize,
    at: usize,
}

impl Columns<'_> {
    /// Rows from the first one on.
    #[inline(always)]
    fn write<S: Simd, const N: usize>(&mut self, first: usize, sums: [Segment<S>; N]) {
        for (k, [low, high]) in sums.into_iter().enumerate() {
            let row = &mut self.gradient[(first + k) * self.width + self.at..][..INPUTS];
            let (first, second) = row.split_at_mut(WIDE);
            low.store_slice(first);
            high.store_slice(second);
        }
    }
}
