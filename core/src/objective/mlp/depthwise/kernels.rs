//! Kernels of the depthwise convolution. Channels lie side by side, so each is a lane of its own: running sums are the fast order
//! and the obvious one.

use crate::batch::{Rows, row, row_mut};
use crate::objective::mlp::activation::Activation;
use crate::objective::mlp::windows::Windows;

/// Channels whose running sums stay in registers.
const BLOCK: usize = 8;

/// Z of n examples.
pub fn forward(windows: &Windows, weights: &[f32], bias: &[f32], inputs: Rows<'_>, n: usize, out: &mut [f32]) {
    let channels = windows.channels;
    for s in 0..n {
        let (x, out) = (inputs.row(s), row_mut(out, s, windows.count() * channels));
        for t in 0..windows.count() {
            let pairs = || windows.taps(t).map(|k| (row(weights, k, channels), row(x, windows.below(t, k), channels)));
            let out = row_mut(out, t, channels);
            let finish = |c: usize, out: &mut f32, sum: f32| *out = sum + bias.get(c).copied().unwrap_or(0.0);
            by_channels(out, pairs, finish);
        }
    }
}

/// G from the errors of n examples.
pub fn weight_gradient(windows: &Windows, errors: &[f32], inputs: Rows<'_>, n: usize, gradient: &mut [f32]) {
    let channels = windows.channels;
    let gradient = gradient.get_mut(..windows.kernel * channels).unwrap_or_default();
    gradient.fill(0.0);
    for s in 0..n {
        let (x, e) = (inputs.row(s), row(errors, s, windows.count() * channels));
        for t in 0..windows.count() {
            let e = row(e, t, channels);
            for k in windows.taps(t) {
                let (g, x) = (row_mut(gradient, k, channels), row(x, windows.below(t, k), channels));
                for ((g, e), x) in g.iter_mut().zip(e).zip(x) {
                    *g += e * x;
                }
            }
        }
    }
}

/// D of n examples, written over x.
pub fn input_error(windows: &Windows, weights: &[f32], errors: &[f32], n: usize, below: Activation, x: &mut [f32]) {
    let channels = windows.channels;
    for s in 0..n {
        let (e, x) = (row(errors, s, windows.count() * channels), row_mut(x, s, windows.numbers()));
        for i in 0..windows.time {
            let pairs = || windows.over(i).map(|(t, k)| (row(weights, k, channels), row(e, t, channels)));
            by_channels(row_mut(x, i, channels), pairs, |_, x, sum| *x = sum * below.slope(*x));
        }
    }
}

/// Finishes each channel by the sum of the products of its numbers in some pairs of rows, in the order of the pairs.
#[inline(always)]
pub(crate) fn by_channels<'a, I: Iterator<Item = (&'a [f32], &'a [f32])>>(
    out: &mut [f32],
    pairs: impl Fn() -> I,
    finish: impl Fn(usize, &mut f32, f32),
) {
    let (blocks, tail) = out.as_chunks_mut::<BLOCK>();
    let behind = blocks.len() * BLOCK;
    for (b, block) in blocks.iter_mut().enumerate() {
        let sums = sums::<BLOCK>(b * BLOCK, pairs());
        block.iter_mut().zip(sums).enumerate().for_each(|(c, (out, sum))| finish(b * BLOCK + c, out, sum));
    }
    for (c, out) in (behind..).zip(tail) {
        let [sum] = sums::<1>(c, pairs());
        finish(c, out, sum);
    }
}

/// The sums for B channels from `first` on, which are there.
#[inline(always)]
fn sums<'a, const B: usize>(first: usize, pairs: impl Iterator<Item = (&'a [f32], &'a [f32])>) -> [f32; B] {
    let mut sums = [0.0; B];
    for (a, b) in pairs {
        let chunk = |row: &'a [f32]| row.get(first..)?.first_chunk::<B>();
        let (Some(a), Some(b)) = (chunk(a), chunk(b)) else { break };
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums
}

/// The slow, obvious twins: one number after the other.
#[cfg(any(test, feature = "twins"))]
pub mod plain {
    use crate::batch::Rows;
    use crate::objective::mlp::activation::Activation;
    use crate::objective::mlp::conv1d::triples;
    use crate::objective::mlp::windows::Windows;

    /// The input below tap k of window t; none in the padding.
    fn below(w: &Windows, t: usize, k: usize) -> Option<usize> {
        (t * w.stride + k).checked_sub(w.padding).filter(|i| *i < w.time)
    }

    /// Twin of [`forward`](super::forward).
    pub fn forward(w: &Windows, weights: &[f32], bias: &[f32], inputs: Rows<'_>, n: usize, out: &mut [f32]) {
        for (s, t, c) in triples([n, w.count(), w.channels]) {
            let mut sum = 0.0;
            for k in 0..w.kernel {
                if let Some(i) = below(w, t, k) {
                    sum += weights[k * w.channels + c] * inputs.row(s)[i * w.channels + c];
                }
            }
            out[(s * w.count() + t) * w.channels + c] = sum + bias[c];
        }
    }

    /// Twin of [`weight_gradient`](super::weight_gradient).
    pub fn weight_gradient(w: &Windows, errors: &[f32], inputs: Rows<'_>, n: usize, gradient: &mut [f32]) {
        for (k, c, _) in triples([w.kernel, w.channels, 1]) {
            let mut sum = 0.0;
            for (s, t, _) in triples([n, w.count(), 1]) {
                if let Some(i) = below(w, t, k) {
                    sum += errors[(s * w.count() + t) * w.channels + c] * inputs.row(s)[i * w.channels + c];
                }
            }
            gradient[k * w.channels + c] = sum;
        }
    }

    /// Twin of [`input_error`](super::input_error).
    pub fn input_error(w: &Windows, weights: &[f32], errors: &[f32], n: usize, act: Activation, x: &mut [f32]) {
        for (s, i, c) in triples([n, w.time, w.channels]) {
            let mut sum = 0.0;
            for (t, k, _) in triples([w.count(), w.kernel, 1]) {
                if below(w, t, k) == Some(i) {
                    sum += errors[(s * w.count() + t) * w.channels + c] * weights[k * w.channels + c];
                }
            }
            let x = &mut x[s * w.numbers() + i * w.channels + c];
            *x = sum * act.slope(*x);
        }
    }
}
