//! Concentric shells in 3 to 10 dimensions, 2 to 4 classes, to validate on.

use lgl2o::Rng;

use super::random::{normals, whole};
use super::{Examples, Sources};

/// Draws so many examples.
pub fn draw(rng: &mut Rng, rows: usize, _: &Sources) -> Examples {
    let (width, classes) = (whole(rng, 3, 10), whole(rng, 2, 4));
    let noise = rng.range(0.05, 0.3);
    let mut examples = Examples::new(width);
    for _ in 0..rows {
        let class = rng.below(classes as u32);
        let direction = normals(rng, width, 1.0);
        let length = libm::sqrtf(lgl2o::sum::squares(&direction) + 1e-6);
        let radius = 1.0 + class as f32 + noise * rng.normal();
        examples.inputs.extend(direction.iter().map(|x| x * radius / length));
        examples.labels.push(class as u8);
    }
    examples
}
