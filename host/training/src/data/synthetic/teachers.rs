//! Teachers: normal inputs, and the class that a random network of one hidden layer gives them.
//!
//! ```text
//! x ~ N(0, I_d)      h = tanh(A x + b),  A_ij ~ N(0, 2 / d),  b_i ~ N(0, 1/4)      class = argmax_c (V h)_c,  V_ci ~ N(0, 1)
//! ```
//!
//! d is 4 to 32, 16 hidden units, 2 to 6 classes.

use lgl2o::Rng;

use super::{Table, between, log_uniform};

const HIDDEN: usize = 16;

/// Draws a teacher and so many rows.
pub(super) fn draw(rng: &mut Rng, rows: usize) -> Table {
    let (width, classes) = (log_uniform(rng, [4.0, 33.0]), between(rng, 2, 6));
    let spread = libm::sqrtf(2.0 / width as f32);
    let a: Vec<f32> = (0..HIDDEN * width).map(|_| spread * rng.normal()).collect();
    let b: Vec<f32> = (0..HIDDEN).map(|_| 0.5 * rng.normal()).collect();
    let v: Vec<f32> = (0..classes * HIDDEN).map(|_| rng.normal()).collect();
    let inputs: Vec<f32> = (0..rows * width).map(|_| rng.normal()).collect();
    let dot = |weights: &[f32], x: &[f32]| weights.iter().zip(x).map(|(w, x)| w * x).sum::<f32>();
    let class = |x: &[f32]| {
        let h: Vec<f32> = a.chunks(width).zip(&b).map(|(a, b)| libm::tanhf(dot(a, x) + b)).collect();
        let scores: Vec<f32> = v.chunks(HIDDEN).map(|v| dot(v, &h)).collect();
        (1..classes).fold(0, |best, c| if scores[c] > scores[best] { c } else { best }) as u8
    };
    let labels = inputs.chunks(width).map(class).collect();
    Table { inputs, labels, width, classes }
}
