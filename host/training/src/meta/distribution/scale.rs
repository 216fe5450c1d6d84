//! The scales of a task's inputs: what a user may have done to the columns, or not.
//!
//! ```text
//! 55 %  each column to 0..1, unless all of them lie there already; else each column to mean 0 and variance 1
//! 15 %  inverted: x <- 1 - x, or -x where columns are standardised
//! 15 %  affine: x <- a x + b, a = 2^U(-2, 2), b = U(-1, 1)
//! 15 %  each column times 10^U(-1, 1)
//! 25 %  all of them times 10^U(-1, 1)
//! ```

use core::ops::RangeInclusive;

use lgl2o::Rng;

use super::Examples;
use super::random::{chance, log_uniform};

/// Draws scales and applies them to all rows.
pub fn apply(rng: &mut Rng, examples: &mut Examples) {
    let unit = chance(rng, 0.55);
    if unit {
        to_unit(examples);
    } else {
        standardise(examples);
    }
    if chance(rng, 0.15) {
        let from = if unit { 1.0 } else { 0.0 };
        examples.inputs.iter_mut().for_each(|x| *x = from - *x);
    }
    if chance(rng, 0.15) {
        let (a, b) = (log_uniform(rng, 0.25, 4.0), rng.range(-1.0, 1.0));
        examples.inputs.iter_mut().for_each(|x| *x = a * *x + b);
    }
    if chance(rng, 0.15) {
        let factors: Vec<f32> = (0..examples.width).map(|_| log_uniform(rng, 0.1, 10.0)).collect();
        for row in examples.inputs.chunks_exact_mut(examples.width) {
            row.iter_mut().zip(&factors).for_each(|(x, factor)| *x *= factor);
        }
    }
    if chance(rng, 0.25) {
        let factor = log_uniform(rng, 0.1, 10.0);
        examples.inputs.iter_mut().for_each(|x| *x *= factor);
    }
}

/// Each column to 0..1. A column that is constant becomes 0.
fn to_unit(examples: &mut Examples) {
    const UNIT: RangeInclusive<f32> = 0.0..=1.0;
    if examples.inputs.iter().all(|x| UNIT.contains(x)) {
        return;
    }
    let mut low = vec![f32::INFINITY; examples.width];
    let mut high = vec![f32::NEG_INFINITY; examples.width];
    for row in examples.inputs.chunks_exact(examples.width) {
        for ((x, low), high) in row.iter().zip(&mut low).zip(&mut high) {
            *low = low.min(*x);
            *high = high.max(*x);
        }
    }
    let factors: Vec<f32> = low.iter().zip(&high).map(|(low, high)| inverse(high - low)).collect();
    shift_and_scale(examples, &low, &factors);
}

/// Each column to mean 0 and variance 1. A column that is constant becomes 0.
fn standardise(examples: &mut Examples) {
    let rows = examples.labels.len() as f64;
    let mut sums = vec![[0.0f64; 2]; examples.width];
    for row in examples.inputs.chunks_exact(examples.width) {
        for (&x, [sum, squares]) in row.iter().zip(&mut sums) {
            *sum += f64::from(x);
            *squares += f64::from(x) * f64::from(x);
        }
    }
    let means: Vec<f32> = sums.iter().map(|[sum, _]| (sum / rows) as f32).collect();
    let variance = |[sum, squares]: &[f64; 2]| squares / rows - (sum / rows) * (sum / rows);
    let factors: Vec<f32> = sums.iter().map(|sums| inverse(libm::sqrtf(variance(sums).max(0.0) as f32))).collect();
    shift_and_scale(examples, &means, &factors);
}

/// x <- (x - shift) factor, column by column.
fn shift_and_scale(examples: &mut Examples, shifts: &[f32], factors: &[f32]) {
    for row in examples.inputs.chunks_exact_mut(examples.width) {
        for ((x, shift), factor) in row.iter_mut().zip(shifts).zip(factors) {
            *x = (*x - shift) * factor;
        }
    }
}

/// 1 / x; 0 where x is next to nothing.
fn inverse(x: f32) -> f32 {
    if x > 1e-5 { 1.0 / x } else { 0.0 }
}
