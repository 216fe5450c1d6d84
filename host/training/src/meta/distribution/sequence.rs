//! Autoregressive sequences of order two: 20 to 60 samples, 2 to 4 classes of different coefficients, to validate on.
//!
//! ```text
//! x_t = 2 r cos(w) x_{t-1} - r^2 x_{t-2} + noise: a damped oscillation of frequency w, kept up by noise
//! ```

use core::f32::consts::PI;

use lgl2o::Rng;

use super::random::whole;
use super::{Examples, Sources};

/// Draws so many examples.
pub fn draw(rng: &mut Rng, rows: usize, _: &Sources) -> Examples {
    let (width, classes) = (whole(rng, 20, 60), whole(rng, 2, 4));
    let coefficients: Vec<[f32; 2]> = (0..classes)
        .map(|_| {
            let (r, w) = (rng.range(0.6, 0.97), PI * rng.range(0.02, 0.9));
            [2.0 * r * libm::cosf(w), -r * r]
        })
        .collect();
    let mut examples = Examples::new(width);
    for _ in 0..rows {
        let class = rng.below(classes as u32) as usize;
        let [a, b] = coefficients[class];
        let (mut last, mut before) = (rng.normal(), rng.normal());
        for _ in 0..width {
            (last, before) = (a * last + b * before + rng.normal(), last);
            examples.inputs.push(last);
        }
        examples.labels.push(class as u8);
    }
    examples
}
