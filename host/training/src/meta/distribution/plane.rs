//! Patterns in a plane with 0 to 5 inputs of noise beside them: rings, checkers, sine levels; 2 to 4 classes.
//!
//! ```text
//! rings     floor(c r) mod k                  checkers  (floor(c x) + floor(c y)) mod k
//! levels    floor(c (y + sin(a x + b) / 2 + 2)) mod k
//! ```

use lgl2o::Rng;

use super::random::{log_uniform, whole};
use super::{Examples, Sources};

/// Which pattern.
#[derive(Debug, Clone, Copy)]
enum Pattern {
    Rings,
    Checkers,
    Levels { frequency: f32, phase: f32 },
}

/// Draws so many examples.
pub fn draw(rng: &mut Rng, rows: usize, _: &Sources) -> Examples {
    let noise = whole(rng, 0, 5);
    let classes = whole(rng, 2, 4);
    let pattern = match rng.below(3) {
        0 => Pattern::Rings,
        1 => Pattern::Checkers,
        _ => Pattern::Levels { frequency: log_uniform(rng, 1.5, 6.0), phase: rng.range(0.0, core::f32::consts::TAU) },
    };
    // As many bands as there are classes, or a few more.
    let bands = classes + whole(rng, 0, 2);
    let mut examples = Examples::new(2 + noise);
    for _ in 0..rows {
        let (x, y) = (rng.range(-1.0, 1.0), rng.range(-1.0, 1.0));
        examples.inputs.extend([x, y]);
        examples.inputs.extend((0..noise).map(|_| 0.5 * rng.normal()));
        examples.labels.push((pattern.band(x, y, bands as f32) % classes) as u8);
    }
    examples
}

impl Pattern {
    fn band(self, x: f32, y: f32, bands: f32) -> usize {
        match self {
            Self::Rings => (bands * libm::sqrtf(x * x + y * y)) as usize,
            Self::Checkers => {
                let cell = |x: f32| (0.5 * bands * (x + 1.0)) as usize;
                cell(x) + cell(y)
            }
            Self::Levels { frequency, phase } => {
                (0.5 * bands * (y + 0.5 * libm::sinf(frequency * x + phase) + 2.0)) as usize
            }
        }
    }
}
