//! Poisson counts: 8 to 40 inputs whose rates depend on the class, 2 to 5 classes, to validate on.

use lgl2o::Rng;

use super::random::{log_uniform, whole};
use super::{Examples, Sources};

/// Draws so many examples.
pub fn draw(rng: &mut Rng, rows: usize, _: &Sources) -> Examples {
    let (width, classes) = (whole(rng, 8, 40), whole(rng, 2, 5));
    let spread = rng.range(0.2, 0.8);
    let mean: Vec<f32> = (0..width).map(|_| log_uniform(rng, 0.2, 8.0)).collect();
    let rates: Vec<f32> = (0..classes * width).map(|i| mean[i % width] * libm::expf(spread * rng.normal())).collect();
    let mut examples = Examples::new(width);
    for _ in 0..rows {
        let class = rng.below(classes as u32) as usize;
        let rates = &rates[class * width..(class + 1) * width];
        examples.inputs.extend(rates.iter().map(|&rate| poisson(rng, rate)));
        examples.labels.push(class as u8);
    }
    examples
}

/// A Poisson number by Knuth's product of uniform numbers; at most 200.
fn poisson(rng: &mut Rng, rate: f32) -> f32 {
    let limit = libm::expf(-rate);
    let mut product = rng.uniform();
    let mut count = 0u8;
    while product > limit && count < 200 {
        product *= rng.uniform();
        count += 1;
    }
    f32::from(count)
}
