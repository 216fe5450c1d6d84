//! Average pooling over an image.
//!
//! ```text
//! y[y][t][c] = 1/(KH KW) sum_kl x[y KH + k][t KW + l][c]      d[i][j][c] = act'(x[i][j][c]) e[y][t][c] / (KH KW)
//! ```
//!
//! (Goodfellow, Bengio, Courville, "Deep Learning" (2016), 9.3.) The sum runs row by row; it is multiplied by 1/(KH KW).

use super::Pooling2d;
use crate::batch::{Rows, row, row_mut};
use crate::objective::mlp::activation::Activation;
use crate::objective::mlp::patches::Patches;
use crate::objective::mlp::pool::Average;

impl Pooling2d for Average {
    const NAME: &'static str = "average-pool-2d";

    fn forward(patches: &Patches, inputs: Rows<'_>, n: usize, out: &mut [f32]) {
        let (channels, columns) = (patches.channels(), patches.columns.count().max(1));
        let share = 1.0 / patches.taps() as f32;
        for s in 0..n {
            let (x, out) = (inputs.row(s), row_mut(out, s, patches.count() * channels));
            for t in 0..patches.count() {
                let out = row_mut(out, t, channels);
                out.fill(0.0);
                for i in patches.whole(t / columns, t % columns).flatten() {
                    out.iter_mut().zip(row(x, i, channels)).for_each(|(out, x)| *out += x);
                }
                out.iter_mut().for_each(|out| *out *= share);
            }
        }
    }

    fn input_error(patches: &Patches, errors: &[f32], n: usize, below: Activation, x: &mut [f32]) {
        let (channels, columns) = (patches.channels(), patches.columns.count());
        let (height, width) = (patches.rows.time, patches.columns.time.max(1));
        let share = 1.0 / patches.taps() as f32;
        for s in 0..n {
            let (e, x) = (row(errors, s, patches.count() * channels), row_mut(x, s, patches.numbers()));
            for pixel in 0..height * width {
                let (i, j) = (pixel / width, pixel % width);
                let (y, t) = (i / patches.rows.kernel.max(1), j / patches.columns.kernel.max(1));
                let (x, e) = (row_mut(x, pixel, channels), row(e, y * columns + t, channels));
                match patches.is_pooled(i, j) {
                    true => x.iter_mut().zip(e).for_each(|(x, e)| *x = e * share * below.slope(*x)),
                    false => x.fill(0.0),
                }
            }
        }
    }
}
