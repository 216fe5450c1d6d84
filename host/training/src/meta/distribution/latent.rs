//! A few causes behind many columns: 1 to 8 hidden causes, 8 to 128 inputs that are all mixed from them, 2 to 6 classes.
//!
//! ```text
//! z = centre of the class + normal numbers          x = A z + noise
//! ```
//!
//! In half of the draws a column of A is a smooth curve over the inputs, as in a spectrum or a window of a slow signal;
//! else its numbers are normal. Causes differ in strength. So columns are correlated, and a few examples do not
//! show which of them to trust.

use core::f32::consts::TAU;

use lgl2o::Rng;

use super::random::{chance, log_uniform, log_whole, normals, weighted, whole};
use super::{Examples, Sources};

/// Sines in a smooth curve.
const SINES: u8 = 4;

/// Draws so many examples.
pub fn draw(rng: &mut Rng, rows: usize, _: &Sources) -> Examples {
    let (width, causes, classes) = (log_whole(rng, 8, 128), log_whole(rng, 1, 8), whole(rng, 2, 6));
    let distance = log_uniform(rng, 2.0, 8.0);
    let centres = normals(rng, classes * causes, distance / libm::sqrtf(2.0 * causes as f32));
    let smooth = chance(rng, 0.5);
    let mixing: Vec<Vec<f32>> = (0..causes)
        .map(|_| {
            let strength = log_uniform(rng, 0.2, 2.0);
            let curve = if smooth { curve(rng, width) } else { normals(rng, width, 1.0) };
            curve.into_iter().map(|x| strength * x).collect()
        })
        .collect();
    let noise = log_uniform(rng, 0.02, 0.5);
    let skew = if chance(rng, 0.5) { 0.7 } else { 0.0 };
    let frequencies: Vec<f32> = (0..classes).map(|_| libm::expf(skew * rng.normal())).collect();
    let mut examples = Examples::new(width);
    for _ in 0..rows {
        let class = weighted(rng, frequencies.iter().copied());
        let mut row = normals(rng, width, noise);
        for (centre, column) in centres[class * causes..].iter().zip(&mixing) {
            let z = centre + rng.normal();
            row.iter_mut().zip(column).for_each(|(x, a)| *x += a * z);
        }
        examples.inputs.extend(row);
        examples.labels.push(class as u8);
    }
    examples
}

/// A sum of slow sines.
fn curve(rng: &mut Rng, width: usize) -> Vec<f32> {
    let mut curve = vec![0.0; width];
    for number in 1..=SINES {
        let turns = 0.5 * f32::from(number) / width as f32;
        let (phase, amplitude) = (TAU * rng.uniform(), rng.normal() / f32::from(number));
        for (x, i) in curve.iter_mut().zip(0u16..) {
            *x += amplitude * libm::sinf(TAU * turns * f32::from(i) + phase);
        }
    }
    curve
}
