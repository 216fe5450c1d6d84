//! Images of 12 x 12 to 24 x 24 with two to four strokes: 3 to 10 classes of different strokes, to validate on.
//!
//! ```text
//! pixel = clamp(1 - (d - 0.06) / 0.06, 0, 1), d the distance to the nearest stroke, in a square of side 1
//! ```
//!
//! An example moves the ends of its class's strokes, and all of them together.

use lgl2o::Rng;

use super::random::{normals, whole};
use super::{Examples, Sources};

/// From x, y to x, y.
type Stroke = [f32; 4];

/// Half of a stroke's width, and the width of its soft edge.
const HALF_WIDTH: f32 = 0.06;

/// Draws so many examples.
pub fn draw(rng: &mut Rng, rows: usize, _: &Sources) -> Examples {
    let (side, classes) = (whole(rng, 12, 24), whole(rng, 3, 10));
    let prototypes: Vec<Vec<Stroke>> = (0..classes)
        .map(|_| (0..whole(rng, 2, 4)).map(|_| [(); 4].map(|()| rng.range(0.15, 0.85))).collect())
        .collect();
    let (jitter, shift) = (rng.range(0.02, 0.08), rng.range(0.0, 0.08));
    let mut examples = Examples::new(side * side);
    for _ in 0..rows {
        let class = rng.below(classes as u32) as usize;
        let moved = normals(rng, 2, shift);
        let mut end = |i: usize, place: f32| place + moved[i % 2] + jitter * rng.normal();
        let strokes: Vec<Stroke> = prototypes[class].iter().map(|s| core::array::from_fn(|i| end(i, s[i]))).collect();
        for pixel in 0..side * side {
            let [x, y] = [pixel % side, pixel / side].map(|i| (i as f32 + 0.5) / side as f32);
            let nearest = strokes.iter().map(|stroke| distance(*stroke, x, y)).fold(f32::INFINITY, f32::min);
            examples.inputs.push((1.0 - (nearest - HALF_WIDTH) / HALF_WIDTH).clamp(0.0, 1.0));
        }
        examples.labels.push(class as u8);
    }
    examples
}

/// From a place to a stroke.
fn distance([x0, y0, x1, y1]: Stroke, x: f32, y: f32) -> f32 {
    let (along_x, along_y) = (x1 - x0, y1 - y0);
    let length = along_x * along_x + along_y * along_y + 1e-6;
    let place = (((x - x0) * along_x + (y - y0) * along_y) / length).clamp(0.0, 1.0);
    libm::hypotf(x - x0 - place * along_x, y - y0 - place * along_y)
}
