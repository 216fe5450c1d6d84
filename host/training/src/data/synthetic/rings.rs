//! Rings: points of a square, whose class is the band of the radius that they lie in; further inputs say nothing.
//!
//! ```text
//! x_0, x_1 ~ U(-1, 1)      class = floor(|(x_0, x_1)| / w) mod k      x_2, ... ~ U(-1, 1)
//! ```
//!
//! w is 0.35 to 0.5, k 2 or 3, up to four further inputs.

use lgl2o::Rng;

use super::{Table, between};

/// Draws the bands and so many rows.
pub(super) fn draw(rng: &mut Rng, rows: usize) -> Table {
    let (width, classes, band) = (between(rng, 2, 6), between(rng, 2, 3), rng.range(0.35, 0.5));
    let inputs: Vec<f32> = (0..rows * width).map(|_| rng.range(-1.0, 1.0)).collect();
    let class = |x: &[f32]| ((libm::hypotf(x[0], x[1]) / band) as usize % classes) as u8;
    let labels = inputs.chunks(width).map(class).collect();
    Table { inputs, labels, width, classes }
}
