//! Max pooling.
//!
//! ```text
//! y[t][c] = max_k x[t W + k][c]      d[i][c] = act'(x[i][c]) e[t][c] where x[i][c] is the first of the largest, else 0
//! ```
//!
//! (Goodfellow, Bengio, Courville, "Deep Learning" (2016), 9.3.) A NaN counts as larger than any number, so that it cannot hide.

use super::{Pooling, Windows};
use crate::batch::{Rows, row, row_mut};
use crate::objective::mlp::activation::Activation;

/// The largest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Max;

/// Whether a number takes the place of the largest before it.
pub(crate) fn is_larger(x: f32, most: f32) -> bool {
    x > most || (x.is_nan() && !most.is_nan())
}

impl Pooling for Max {
    const NAME: &'static str = "max-pool";

    fn forward(windows: &Windows, inputs: Rows<'_>, n: usize, out: &mut [f32]) {
        let Windows { channels, kernel, .. } = *windows;
        for s in 0..n {
            let (x, out) = (inputs.row(s), row_mut(out, s, windows.count() * channels));
            for t in 0..windows.count() {
                let out = row_mut(out, t, channels);
                out.iter_mut().zip(row(x, t * kernel, channels)).for_each(|(out, &x)| *out = x);
                for i in t * kernel + 1..(t + 1) * kernel {
                    for (out, &x) in out.iter_mut().zip(row(x, i, channels)) {
                        *out = if is_larger(x, *out) { x } else { *out };
                    }
                }
            }
        }
    }

    fn input_error(windows: &Windows, errors: &[f32], n: usize, below: Activation, x: &mut [f32]) {
        let Windows { channels, kernel, .. } = *windows;
        for s in 0..n {
            let (e, x) = (row(errors, s, windows.count() * channels), row_mut(x, s, windows.numbers()));
            let (used, rest) = x.split_at_mut_checked(windows.count() * kernel * channels).unwrap_or_default();
            rest.fill(0.0);
            for (x, e) in used.chunks_exact_mut((kernel * channels).max(1)).zip(e.chunks_exact(channels.max(1))) {
                e.iter().enumerate().for_each(|(c, &e)| first_largest(x, [c, channels], e, below));
            }
        }
    }
}

/// In place of channel c of a window, its errors.
fn first_largest(x: &mut [f32], [c, channels]: [usize; 2], e: f32, below: Activation) {
    let numbers = x.get(c..).unwrap_or_default().iter().step_by(channels.max(1));
    let none = (usize::MAX, f32::NEG_INFINITY);
    let first = |best: (usize, f32), (k, &x): (usize, &f32)| {
        if k == 0 || is_larger(x, best.1) { (k, x) } else { best }
    };
    let (largest, _) = numbers.enumerate().fold(none, first);
    for (k, x) in x.get_mut(c..).unwrap_or_default().iter_mut().step_by(channels.max(1)).enumerate() {
        *x = if k == largest { e * below.slope(*x) } else { 0.0 };
    }
}
