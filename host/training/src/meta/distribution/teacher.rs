//! Teachers: labels by a random tanh network of 4 to 64 inputs and 2 to 10 outputs.
//!
//! ```text
//! h = tanh(g W x / sqrt d + b), once or twice    label = the greatest of V h / rms(V h over the rows)
//! ```

use lgl2o::Rng;

use super::random::{chance, greatest, log_uniform, log_whole, normals, whole};
use super::{Examples, Sources};

/// Draws so many examples.
pub fn draw(rng: &mut Rng, rows: usize, _: &Sources) -> Examples {
    let (width, classes) = (log_whole(rng, 4, 64), whole(rng, 2, 10));
    let normal = chance(rng, 0.5);
    let inputs: Vec<f32> =
        (0..rows * width).map(|_| if normal { rng.normal() } else { rng.range(-1.7, 1.7) }).collect();
    let mut hidden = (inputs.clone(), width);
    for _ in 0..whole(rng, 1, 2) {
        let units = log_whole(rng, 4, 24);
        let gain = log_uniform(rng, 0.7, 3.0);
        hidden = (layer(rng, &hidden.0, hidden.1, units, gain), units);
        hidden.0.iter_mut().for_each(|h| *h = libm::tanhf(*h));
    }
    let mut scores = layer(rng, &hidden.0, hidden.1, classes, 1.0);
    for class in 0..classes {
        let squares: f32 = scores.iter().skip(class).step_by(classes).map(|s| s * s).sum();
        let scale = 1.0 / libm::sqrtf(squares / rows as f32 + 1e-12);
        scores.iter_mut().skip(class).step_by(classes).for_each(|s| *s *= scale);
    }
    let labels = scores.chunks_exact(classes).map(|scores| greatest(scores) as u8).collect();
    Examples { inputs, labels, width }
}

/// g W x / sqrt d + b of every row.
fn layer(rng: &mut Rng, inputs: &[f32], width: usize, units: usize, gain: f32) -> Vec<f32> {
    let weights = normals(rng, width * units, gain / libm::sqrtf(width as f32));
    let bias = normals(rng, units, 0.3 * gain);
    let mut out = Vec::with_capacity(inputs.len() / width * units);
    for row in inputs.chunks_exact(width) {
        out.extend(weights.chunks_exact(width).zip(&bias).map(|(w, b)| lgl2o::sum::dot(w, row) + b));
    }
    out
}
