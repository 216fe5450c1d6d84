//! Two interleaved half circles with noise, and 0 to 6 inputs of noise beside them, to validate on.

use core::f32::consts::PI;

use lgl2o::Rng;

use super::random::{chance, log_uniform, whole};
use super::{Examples, Sources};

/// Draws so many examples.
pub fn draw(rng: &mut Rng, rows: usize, _: &Sources) -> Examples {
    let others = whole(rng, 0, 6);
    let noise = log_uniform(rng, 0.05, 0.3);
    let mut examples = Examples::new(2 + others);
    for _ in 0..rows {
        let angle = PI * rng.uniform();
        let (x, y) = (libm::cosf(angle), libm::sinf(angle));
        let second = chance(rng, 0.5);
        let [x, y] = if second { [1.0 - x, 0.5 - y] } else { [x, y] };
        examples.inputs.extend([x + noise * rng.normal(), y + noise * rng.normal()]);
        examples.inputs.extend((0..others).map(|_| rng.normal()));
        examples.labels.push(u8::from(second));
    }
    examples
}
