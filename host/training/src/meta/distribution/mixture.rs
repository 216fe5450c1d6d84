//! Gaussian mixtures: 2 to 64 inputs, 2 to 10 classes of 1 to 3 modes each.
//!
//! Centres are normal, so far apart that two of them have a distance of about 1.5 to 8 standard deviations in any number
//! of dimensions; each mode has standard deviations of its own along the axes.

use lgl2o::Rng;

use super::random::{chance, log_uniform, log_whole, normals, weighted, whole};
use super::{Examples, Sources};

/// Draws so many examples.
pub fn draw(rng: &mut Rng, rows: usize, _: &Sources) -> Examples {
    let (width, classes, modes) = (log_whole(rng, 2, 64), whole(rng, 2, 10), whole(rng, 1, 3));
    let distance = log_uniform(rng, 1.5, 8.0);
    let count = classes * modes;
    let centres = normals(rng, count * width, distance / libm::sqrtf(2.0 * width as f32));
    let spread = if chance(rng, 0.5) { 0.7 } else { 0.0 };
    let deviations: Vec<f32> = (0..count * width).map(|_| libm::expf(rng.range(-spread, spread + 1e-6))).collect();
    // Half of the mixtures have classes of different frequencies.
    let skew = if chance(rng, 0.5) { 1.0 } else { 0.0 };
    let frequencies: Vec<f32> = (0..classes).map(|_| libm::expf(skew * rng.normal())).collect();
    let mut examples = Examples::new(width);
    for _ in 0..rows {
        let class = weighted(rng, frequencies.iter().copied());
        let mode = class * modes + rng.below(modes as u32) as usize;
        let mode = mode * width..(mode + 1) * width;
        let sides = centres[mode.clone()].iter().zip(&deviations[mode]);
        examples.inputs.extend(sides.map(|(centre, deviation)| centre + deviation * rng.normal()));
        examples.labels.push(class as u8);
    }
    examples
}
