//! Parity of 2 or 3 of 6 to 16 random bits, to validate on.

use lgl2o::Rng;

use super::random::{chance, whole};
use super::{Examples, Sources};

/// Draws so many examples.
pub fn draw(rng: &mut Rng, rows: usize, _: &Sources) -> Examples {
    let (width, relevant) = (whole(rng, 6, 16), whole(rng, 2, 3));
    let mut examples = Examples::new(width);
    for _ in 0..rows {
        let mut ones = 0;
        for bit in 0..width {
            let one = chance(rng, 0.5);
            ones += u8::from(one && bit < relevant);
            examples.inputs.push(if one { 1.0 } else { -1.0 });
        }
        examples.labels.push(ones % 2);
    }
    examples
}
