//! Average pooling.
//!
//! ```text
//! y[t][c] = 1/W sum_k x[t W + k][c]      d[i][c] = act'(x[i][c]) e[t][c] / W
//! ```
//!
//! (Goodfellow, Bengio, Courville, "Deep Learning" (2016), 9.3.) The sum runs in the order of the times; it is multiplied by 1/W.

use super::{Pooling, Windows};
use crate::batch::{Rows, row, row_mut};
use crate::objective::mlp::activation::Activation;

/// The mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Average;

impl Pooling for Average {
    const NAME: &'static str = "average-pool";

    fn forward(windows: &Windows, inputs: Rows<'_>, n: usize, out: &mut [f32]) {
        let Windows { channels, kernel, .. } = *windows;
        let share = 1.0 / kernel as f32;
        for s in 0..n {
            let (x, out) = (inputs.row(s), row_mut(out, s, windows.count() * channels));
            for t in 0..windows.count() {
                let out = row_mut(out, t, channels);
                out.fill(0.0);
                for i in t * kernel..(t + 1) * kernel {
                    out.iter_mut().zip(row(x, i, channels)).for_each(|(out, x)| *out += x);
                }
                out.iter_mut().for_each(|out| *out *= share);
            }
        }
    }

    fn input_error(windows: &Windows, errors: &[f32], n: usize, below: Activation, x: &mut [f32]) {
        let Windows { channels, kernel, .. } = *windows;
        let share = 1.0 / kernel as f32;
        for s in 0..n {
            let (e, x) = (row(errors, s, windows.count() * channels), row_mut(x, s, windows.numbers()));
            for i in 0..windows.time {
                // Empty for what is left at the end.
                let e = row(e, i / kernel.max(1), channels);
                let x = row_mut(x, i, channels);
                match e.is_empty() {
                    true => x.fill(0.0),
                    false => x.iter_mut().zip(e).for_each(|(x, e)| *x = e * share * below.slope(*x)),
                }
            }
        }
    }
}
