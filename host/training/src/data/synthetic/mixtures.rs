//! Mixtures: each class is one to three Gaussian clouds of equal weight.
//!
//! ```text
//! centres ~ N(0, I_d)      x = centre + s e,  e ~ N(0, I_d)
//! ```
//!
//! d is 2 to 24, s 0.3 to 0.9, 2 to 8 classes.

use lgl2o::Rng;

use super::{Table, between, log_uniform};

/// Draws a mixture and so many rows.
pub(super) fn draw(rng: &mut Rng, rows: usize) -> Table {
    let (width, classes, modes) = (log_uniform(rng, [2.0, 25.0]), between(rng, 2, 8), between(rng, 1, 3));
    let spread = rng.range(0.3, 0.9);
    let centres: Vec<f32> = (0..classes * modes * width).map(|_| rng.normal()).collect();
    let mut table = Table { width, classes, ..Table::default() };
    for _ in 0..rows {
        let cloud = rng.below((classes * modes) as u32) as usize;
        table.inputs.extend(centres[cloud * width..(cloud + 1) * width].iter().map(|c| c + spread * rng.normal()));
        table.labels.push((cloud / modes) as u8);
    }
    table
}
