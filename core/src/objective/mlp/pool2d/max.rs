//! Max pooling over an image.
//!
//! ```text
//! y[y][t][c] = max_kl x[y KH + k][t KW + l][c]
//! d[i][j][c] = act'(x[i][j][c]) e[y][t][c] where x[i][j][c] is the first of the largest, else 0
//! ```
//!
//! (Goodfellow, Bengio, Courville, "Deep Learning" (2016), 9.3.) A NaN counts as larger than any number, so that it cannot hide.

use super::Pooling2d;
use crate::batch::{Rows, row, row_mut};
use crate::objective::mlp::activation::Activation;
use crate::objective::mlp::patches::Patches;
use crate::objective::mlp::pool::Max;
use crate::objective::mlp::pool::max::is_larger;

impl Pooling2d for Max {
    const NAME: &'static str = "max-pool-2d";

    fn forward(patches: &Patches, inputs: Rows<'_>, n: usize, out: &mut [f32]) {
        let (channels, columns) = (patches.channels(), patches.columns.count().max(1));
        for s in 0..n {
            let (x, out) = (inputs.row(s), row_mut(out, s, patches.count() * channels));
            for t in 0..patches.count() {
                let out = row_mut(out, t, channels);
                for (k, i) in patches.whole(t / columns, t % columns).flatten().enumerate() {
                    for (out, &x) in out.iter_mut().zip(row(x, i, channels)) {
                        *out = if k == 0 || is_larger(x, *out) { x } else { *out };
                    }
                }
            }
        }
    }

    fn input_error(patches: &Patches, errors: &[f32], n: usize, below: Activation, x: &mut [f32]) {
        let channels = patches.channels();
        let (height, width) = (patches.rows.time, patches.columns.time.max(1));
        for s in 0..n {
            let (e, x) = (row(errors, s, patches.count() * channels), row_mut(x, s, patches.numbers()));
            for i in 0..height * width {
                if !patches.is_pooled(i / width, i % width) {
                    row_mut(x, i, channels).fill(0.0);
                }
            }
            let columns = patches.columns.count().max(1);
            for t in 0..patches.count() {
                for (c, &e) in row(e, t, channels).iter().enumerate() {
                    first_largest(x, [c, channels], || patches.whole(t / columns, t % columns).flatten(), e, below);
                }
            }
        }
    }
}

/// In place of channel c of the pixels of a window, their errors.
fn first_largest<I: Iterator<Item = usize>>(
    x: &mut [f32],
    [c, channels]: [usize; 2],
    pixels: impl Fn() -> I,
    e: f32,
    below: Activation,
) {
    let (mut largest, mut most) = (usize::MAX, f32::NEG_INFINITY);
    for i in pixels() {
        let Some(&x) = x.get(i * channels + c) else { return };
        if largest == usize::MAX || is_larger(x, most) {
            (largest, most) = (i, x);
        }
    }
    for i in pixels() {
        if let Some(x) = x.get_mut(i * channels + c) {
            *x = if i == largest { e * below.slope(*x) } else { 0.0 };
        }
    }
}
