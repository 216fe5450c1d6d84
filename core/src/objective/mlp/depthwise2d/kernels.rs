//! Kernels of the depthwise convolution in two dimensions: those of [one](crate::objective::mlp::depthwise) over the taps of patches.

use crate::batch::{Rows, row, row_mut};
use crate::objective::mlp::activation::Activation;
use crate::objective::mlp::depthwise::by_channels;
use crate::objective::mlp::patches::Patches;

/// Z of n examples.
pub fn forward(patches: &Patches, weights: &[f32], bias: &[f32], inputs: Rows<'_>, n: usize, out: &mut [f32]) {
    let (channels, columns) = (patches.channels(), patches.columns.count().max(1));
    for s in 0..n {
        let (x, out) = (inputs.row(s), row_mut(out, s, patches.count() * channels));
        for t in 0..patches.count() {
            let below = || patches.below(t / columns, t % columns);
            let pairs = || below().map(|(k, i)| (row(weights, k, channels), row(x, i, channels)));
            let finish = |c: usize, out: &mut f32, sum: f32| *out = sum + bias.get(c).copied().unwrap_or(0.0);
            by_channels(row_mut(out, t, channels), pairs, finish);
        }
    }
}

/// G from the errors of n examples.
pub fn weight_gradient(patches: &Patches, errors: &[f32], inputs: Rows<'_>, n: usize, gradient: &mut [f32]) {
    let (channels, columns) = (patches.channels(), patches.columns.count().max(1));
    let gradient = gradient.get_mut(..patches.taps() * channels).unwrap_or_default();
    gradient.fill(0.0);
    for s in 0..n {
        let (x, e) = (inputs.row(s), row(errors, s, patches.count() * channels));
        for t in 0..patches.count() {
            let e = row(e, t, channels);
            for (k, i) in patches.below(t / columns, t % columns) {
                let (g, x) = (row_mut(gradient, k, channels), row(x, i, channels));
                for ((g, e), x) in g.iter_mut().zip(e).zip(x) {
                    *g += e * x;
                }
            }
        }
    }
}

/// D of n examples, written over x.
pub fn input_error(patches: &Patches, weights: &[f32], errors: &[f32], n: usize, below: Activation, x: &mut [f32]) {
    let (channels, width) = (patches.channels(), patches.columns.time.max(1));
    for s in 0..n {
        let (e, x) = (row(errors, s, patches.count() * channels), row_mut(x, s, patches.numbers()));
        for i in 0..patches.rows.time * patches.columns.time {
            let over = || patches.over(i / width, i % width);
            let pairs = || over().map(|(t, k)| (row(weights, k, channels), row(e, t, channels)));
            by_channels(row_mut(x, i, channels), pairs, |_, x, sum| *x = sum * below.slope(*x));
        }
    }
}

/// The slow, obvious twins: one number after the other.
#[cfg(any(test, feature = "twins"))]
pub mod plain {
    use crate::batch::Rows;
    use crate::objective::mlp::activation::Activation;
    use crate::objective::mlp::conv1d::triples;
    use crate::objective::mlp::conv2d::plain::{place, split};
    use crate::objective::mlp::patches::Patches;

    /// Twin of [`forward`](super::forward).
    pub fn forward(p: &Patches, weights: &[f32], bias: &[f32], inputs: Rows<'_>, n: usize, out: &mut [f32]) {
        let channels = p.channels();
        for (s, t, c) in triples([n, p.count(), channels]) {
            let mut sum = 0.0;
            for k in 0..p.taps() {
                if let Some(i) = place(p, split(t, p.columns.count()), split(k, p.columns.kernel)) {
                    sum += weights[k * channels + c] * inputs.row(s)[i * channels + c];
                }
            }
            out[(s * p.count() + t) * channels + c] = sum + bias[c];
        }
    }

    /// Twin of [`weight_gradient`](super::weight_gradient).
    pub fn weight_gradient(p: &Patches, errors: &[f32], inputs: Rows<'_>, n: usize, gradient: &mut [f32]) {
        let channels = p.channels();
        for (k, c, _) in triples([p.taps(), channels, 1]) {
            let mut sum = 0.0;
            for (s, t, _) in triples([n, p.count(), 1]) {
                if let Some(i) = place(p, split(t, p.columns.count()), split(k, p.columns.kernel)) {
                    sum += errors[(s * p.count() + t) * channels + c] * inputs.row(s)[i * channels + c];
                }
            }
            gradient[k * channels + c] = sum;
        }
    }

    /// Twin of [`input_error`](super::input_error).
    pub fn input_error(p: &Patches, weights: &[f32], errors: &[f32], n: usize, act: Activation, x: &mut [f32]) {
        let channels = p.channels();
        for (s, i, c) in triples([n, p.rows.time * p.columns.time, channels]) {
            let mut sum = 0.0;
            for (t, k, _) in triples([p.count(), p.taps(), 1]) {
                if place(p, split(t, p.columns.count()), split(k, p.columns.kernel)) == Some(i) {
                    sum += errors[(s * p.count() + t) * channels + c] * weights[k * channels + c];
                }
            }
            let x = &mut x[s * p.numbers() + i * channels + c];
            *x = sum * act.slope(*x);
        }
    }
}
