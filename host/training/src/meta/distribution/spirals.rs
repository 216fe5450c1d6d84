//! Interleaved spirals of 2 or 3 arms, to validate on.

use core::f32::consts::TAU;

use lgl2o::Rng;

use super::random::whole;
use super::{Examples, Sources};

/// Draws so many examples.
pub fn draw(rng: &mut Rng, rows: usize, _: &Sources) -> Examples {
    let arms = whole(rng, 2, 3);
    let turns = rng.range(0.7, 1.4);
    let mut examples = Examples::new(2);
    for _ in 0..rows {
        let arm = rng.below(arms as u32);
        let t = rng.uniform();
        let radius = 0.1 + 0.9 * t + 0.04 * rng.normal();
        let angle = TAU * (turns * t + arm as f32 / arms as f32) + 0.03 * rng.normal();
        examples.inputs.extend([radius * libm::cosf(angle), radius * libm::sinf(angle)]);
        examples.labels.push(arm as u8);
    }
    examples
}
