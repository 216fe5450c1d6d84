//! Spirals: one arm for each class, all winding around the origin.
//!
//! ```text
//! t ~ U(0, 1)      r = 0.1 + 0.9 t + s e      phi = 2 pi (turns t + class / k)      x = (r cos phi, r sin phi)
//! ```
//!
//! turns is 0.6 to 1.4, s 0.02 to 0.06, e normal, 2 to 4 classes. The built-in task [`spirals`](mod@crate::data::spirals)
//! is another one.

use lgl2o::Rng;

use super::{Table, between};

/// Draws the arms and so many rows.
pub(super) fn draw(rng: &mut Rng, rows: usize) -> Table {
    let (classes, turns, spread) = (between(rng, 2, 4), rng.range(0.6, 1.4), rng.range(0.02, 0.06));
    let mut table = Table { width: 2, classes, ..Table::default() };
    for _ in 0..rows {
        let (class, t) = (rng.below(classes as u32), rng.uniform());
        let radius = 0.1 + 0.9 * t + spread * rng.normal();
        let angle = 2.0 * std::f32::consts::PI * (turns * t + class as f32 / classes as f32);
        table.inputs.extend([radius * libm::cosf(angle), radius * libm::sinf(angle)]);
        table.labels.push(class as u8);
    }
    table
}
