//! Sparse binary features: 16 to 180 inputs, independent bits or groups of which one is 1; 2 to 5 classes.
//!
//! Labels come from a list of rules (the first rule whose one or two bits are all 1 decides, else the default class)
//! or are the greatest of linear scores with noise.

use lgl2o::Rng;

use super::random::{chance, greatest, log_uniform, log_whole, normals, whole};
use super::{Examples, Sources};

/// Draws so many examples.
pub fn draw(rng: &mut Rng, rows: usize, _: &Sources) -> Examples {
    let (width, classes) = (log_whole(rng, 16, 180), whole(rng, 2, 5));
    let group = if chance(rng, 0.5) { whole(rng, 3, 5) } else { 1 };
    let densities: Vec<f32> = (0..width).map(|_| log_uniform(rng, 0.05, 0.5)).collect();
    let mut examples = Examples::new(width);
    for _ in 0..rows {
        let start = examples.inputs.len();
        examples.inputs.resize(start + width, 0.0);
        bits(&mut examples.inputs[start..], &densities, group, rng);
    }
    let rows = examples.inputs.chunks_exact(width);
    examples.labels = if chance(rng, 0.5) {
        let rules: Vec<(Vec<usize>, u8)> =
            (0..whole(rng, classes, 4 * classes)).map(|_| rule(rng, width, classes)).collect();
        let decide = |row: &[f32]| rules.iter().find(|(bits, _)| bits.iter().all(|&bit| row[bit] > 0.0));
        rows.map(|row| decide(row).map_or(0, |(_, class)| *class)).collect()
    } else {
        let weights = normals(rng, classes * width, 1.0);
        // Against scores whose deviation is about the root of the number of ones in a row.
        let noise = 0.3 * libm::sqrtf(densities.iter().sum::<f32>() / group as f32);
        let score = |row: &[f32], rng: &mut Rng| -> Vec<f32> {
            weights.chunks_exact(width).map(|w| lgl2o::sum::dot(w, row) + noise * rng.normal()).collect()
        };
        rows.map(|row| greatest(&score(row, rng)) as u8).collect()
    };
    examples
}

/// The bits of one row.
fn bits(row: &mut [f32], densities: &[f32], group: usize, rng: &mut Rng) {
    for (row, densities) in row.chunks_mut(group).zip(densities.chunks(group)) {
        if let [bit] = row {
            *bit = f32::from(u8::from(chance(rng, densities[0])));
        } else {
            row[rng.below(row.len() as u32) as usize] = 1.0;
        }
    }
}

/// Bits of a rule, and the class that it decides for.
fn rule(rng: &mut Rng, width: usize, classes: usize) -> (Vec<usize>, u8) {
    let count = whole(rng, 1, 2);
    let bits = (0..count).map(|_| rng.below(width as u32) as usize).collect();
    (bits, rng.below(classes as u32) as u8)
}
