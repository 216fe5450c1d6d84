//! The weight gradient, used as soon as it is made: no more of it is in memory than a block.

use super::backward::{BIASES, OUTPUTS, Start, add_block, bias_sums, error_sums};
use super::tiles::TILED;
use crate::batch::{Rows, row, row_mut};
use crate::objective::mlp::activation::Activation;
use crate::objective::mlp::layer::{Motion, NARROW, Part};

/// Columns of the gradient that are made at a time, at most.
const COLUMNS: usize = 40;
/// A layer's errors E, and the inputs X of n examples.
#[derive(Debug, Clone, Copy)]
struct Pass<'a> {
    errors: &'a [f32],
    outputs: usize,
    inputs: Rows<'a>,
    n: usize,
}

impl Pass<'_> {
    /// W <- motion(W, E^T X) in the columns from `column` on and the rows from `first` on, with room for that part of the
    /// gradient.
    fn advance<const K: usize>(
        self,
        [first, column]: [usize; 2],
        mut room: [&mut [f32]; OUTPUTS],
        motion: &impl Motion<K>,
        part: &mut Part<'_, K>,
    ) {
        let Self { errors, outputs, inputs, n } = self;
        let rows = room.each_mut().map(|row| &mut **row);
        // Four rows take less time than two alone: the last ones come with some of those before, which are computed twice.
        let before = if TILED && outputs >= OUTPUTS { first.saturating_sub(outputs - OUTPUTS) } else { 0 };
        let first_row = first - before;
        if first_row + OUTPUTS <= outputs {
            add_block(rows, errors, [first_row, outputs], inputs, [column, n], Start::Zero);
        } else {
            for (row, o) in rows.into_iter().zip(first..outputs) {
                add_block([row], errors, [o, outputs], inputs, [column, n], Start::Zero);
            }
        }
        for (row, o) in room.iter().skip(before).zip(first..outputs) {
            part.advance(motion, o * inputs.width() + column, row);
        }
    }
}

/// The first `wide` columns of a block.
fn cut<const C: usize>(block: &mut [[f32; C]; OUTPUTS], wide: usize) -> [&mut [f32]; OUTPUTS] {
    block.each_mut().map(|row| row.get_mut(..wide).unwrap_or_default())
}

/// W <- motion(W, E^T X) over the first n rows, a block of rows and columns at a time. The bits are those of
/// [`weight_gradient`](super::weight_gradient) and one motion.
// On a device, its block is on the stack only while it runs.
#[cfg_attr(target_os = "none", inline(never))]
pub fn descend<const K: usize>(
    errors: &[f32],
    inputs: Rows<'_>,
    n: usize,
    outputs: usize,
    motion: &impl Motion<K>,
    mut part: Part<'_, K>,
) {
    let pass = Pass { errors, outputs, inputs, n };
    let width = inputs.width();
    let columns = columns(width);
    let mut block = [[0.0; COLUMNS]; OUTPUTS];
    for first in (0..outputs).step_by(OUTPUTS) {
        for column in (0..width).step_by(columns) {
            let room = cut(&mut block, columns.min(width - column));
            pass.advance([first, column], room, motion, &mut part);
        }
    }
}

/// [`descend`] and, by the weights as they were, [`input_error`](super::input_error): x holds the layer's inputs before, and
/// the errors of the layer below after. A column of both depends on one column of W, so no more errors are in memory
/// beside their inputs than `columns`, each as long as there are examples.
// On a device, its block is on the stack only while it runs.
#[cfg_attr(target_os = "none", inline(never))]
pub fn descend_through<const K: usize>(
    errors: &[f32],
    x: &mut [f32],
    below: Activation,
    [n, inputs, outputs]: [usize; 3],
    motion: &impl Motion<K>,
    mut part: Part<'_, K>,
    mut columns: [&mut [f32]; NARROW],
) {
    let mut block = [[0.0; NARROW]; OUTPUTS];
    for column in (0..inputs).step_by(NARROW) {
        let wide = NARROW.min(inputs - column);
        for s in 0..n {
            let sums = sums(part.weights, row(errors, s, outputs), inputs, [column, wide]);
            for (errors, sum) in columns.iter_mut().zip(sums) {
                if let Some(error) = errors.get_mut(s) {
                    *error = sum;
                }
            }
        }
        let pass = Pass { errors, outputs, inputs: Rows::all(x, inputs), n };
        for first in (0..outputs).step_by(OUTPUTS) {
            pass.advance([first, column], cut(&mut block, wide), motion, &mut part);
        }
        for s in 0..n {
            let x = row_mut(x, s, inputs).get_mut(column..).unwrap_or_default();
            for (x, errors) in x.iter_mut().zip(&columns) {
                *x = errors.get(s).copied().unwrap_or(0.0) * below.slope(*x);
            }
        }
    }
}

/// [`error_sums`] of a block of columns, or of the `wide` that are left; zeros behind.
fn sums(weights: &[f32], e: &[f32], inputs: usize, [column, wide]: [usize; 2]) -> [f32; NARROW] {
    if wide == NARROW {
        return error_sums(weights, e, inputs, column);
    }
    let mut sums = [0.0; NARROW];
    for (sum, i) in sums.iter_mut().zip(column..column + wide) {
        [*sum] = error_sums(weights, e, inputs, i);
    }
    sums
}

/// Columns of a block: as equal as multiples of eight can be.
fn columns(width: usize) -> usize {
    let blocks = width.div_ceil(COLUMNS).max(1);
    width.div_ceil(blocks).next_multiple_of(8).clamp(8, COLUMNS)
}

/// b <- motion(b, sum_s E\[s\]) over the first n rows, as many numbers as there are outputs.
pub fn descend_bias<const K: usize>(errors: &[f32], n: usize, motion: &impl Motion<K>, mut part: Part<'_, K>) {
    let outputs = part.weights.len();
    let behind = outputs / BIASES * BIASES;
    for o in (0..behind).step_by(BIASES) {
        part.advance(motion, o, &bias_sums::<BIASES>(errors, n, outputs, o));
    }
    for o in behind..outputs {
        part.advance(motion, o, &bias_sums::<1>(errors, n, outputs, o));
    }
}
