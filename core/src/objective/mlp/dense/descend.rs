//! The weight gradient, used as soon as it is made: no more of it is in memory than a block.

use super::backward::{OUTPUTS, add_block};
use crate::batch::{Rows, row};

/// Columns of the gradient that are made at a time, at most.
const COLUMNS: usize = 64;

/// A tensor of parameters, and its part of each of K accumulators.
#[derive(Debug)]
pub struct Part<'a, const K: usize> {
    /// The parameters.
    pub weights: &'a mut [f32],
    /// The accumulators, each as long as the parameters.
    pub slots: [&'a mut [f32]; K],
}

impl<const K: usize> Part<'_, K> {
    /// Moves the numbers from `at` on, as many as there are in `gradient`.
    fn advance(&mut self, motion: &impl Fn(&mut [f32], [&mut [f32]; K], &[f32]), at: usize, gradient: &[f32]) {
        let range = at..at.saturating_add(gradient.len());
        let slots = self.slots.each_mut().map(|slot| slot.get_mut(range.clone()).unwrap_or_default());
        motion(self.weights.get_mut(range).unwrap_or_default(), slots, gradient);
    }
}

/// W <- motion(W, E^T X) over the first n rows, a block of rows and columns at a time. The bits are those of
/// [`weight_gradient`](super::weight_gradient) and one motion.
pub fn descend<const K: usize>(
    errors: &[f32],
    inputs: Rows<'_>,
    n: usize,
    outputs: usize,
    motion: &impl Fn(&mut [f32], [&mut [f32]; K], &[f32]),
    mut part: Part<'_, K>,
) {
    let width = inputs.width();
    let columns = columns(width);
    let mut block = [[0.0; COLUMNS]; OUTPUTS];
    for first in (0..outputs).step_by(OUTPUTS) {
        for column in (0..width).step_by(columns) {
            let wide = columns.min(width - column);
            let mut rows = block.each_mut().map(|row| row.get_mut(..wide).unwrap_or_default());
            rows.iter_mut().for_each(|row| row.fill(0.0));
            if first + OUTPUTS <= outputs {
                add_block(rows, errors, [first, outputs], inputs, column, n);
            } else {
                for (row, o) in rows.into_iter().zip(first..outputs) {
                    add_block([row], errors, [o, outputs], inputs, column, n);
                }
            }
            for (row, o) in block.iter().zip(first..outputs) {
                part.advance(motion, o * width + column, row.get(..wide).unwrap_or_default());
            }
        }
    }
}

/// Columns of a block: as equal as multiples of eight can be.
fn columns(width: usize) -> usize {
    let blocks = width.div_ceil(COLUMNS).max(1);
    width.div_ceil(blocks).next_multiple_of(8).clamp(8, COLUMNS)
}

/// b <- motion(b, sum_s E\[s\]) over the first n rows, as many numbers as there are outputs.
pub fn descend_bias<const K: usize>(
    errors: &[f32],
    n: usize,
    motion: &impl Fn(&mut [f32], [&mut [f32]; K], &[f32]),
    mut part: Part<'_, K>,
) {
    let outputs = part.weights.len();
    for o in 0..outputs {
        let sum = (0..n).fold(0.0, |sum, s| sum + row(errors, s, outputs).get(o).copied().unwrap_or(0.0));
        part.advance(motion, o, &[sum]);
    }
}
