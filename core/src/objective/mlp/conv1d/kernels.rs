//! Kernels of the convolution: those of the dense layer over the windows of each example.

use crate::batch::{Rows, row, row_mut};
use crate::objective::mlp::activation::Activation;
use crate::objective::mlp::dense::{OUTPUTS, add_rows, rows};
use crate::objective::mlp::windows::Windows;
use crate::sum;

/// Z of n examples, as many channels as `bias` has numbers.
pub fn forward(windows: &Windows, weights: &[f32], bias: &[f32], inputs: Rows<'_>, n: usize, out: &mut [f32]) {
    let (whole, channels) = (windows.whole(), bias.len());
    for s in 0..n {
        let (x, out) = (inputs.row(s), row_mut(out, s, windows.count() * channels));
        for t in windows.padded().into_iter().flatten() {
            padded(windows, t, weights, bias, x, row_mut(out, t, channels));
        }
        let out = out.get_mut(whole.start * channels..).unwrap_or_default();
        rows(weights, bias, windows.rows(x), whole.len(), out);
    }
}

/// Z of a window that does not lie wholly on inputs.
fn padded(windows: &Windows, t: usize, weights: &[f32], bias: &[f32], x: &[f32], out: &mut [f32]) {
    let taps = windows.taps(t);
    let x = windows.part(x, t, &taps);
    let width = windows.kernel * windows.channels;
    for (o, (out, b)) in out.iter_mut().zip(bias).enumerate() {
        let w = row(weights, o, width).get(taps.start * windows.channels..).unwrap_or_default();
        *out = sum::dot(w, x) + b;
    }
}

/// G from the errors of n examples with `outputs` channels.
pub fn weight_gradient(
    windows: &Windows,
    errors: &[f32],
    inputs: Rows<'_>,
    n: usize,
    outputs: usize,
    gradient: &mut [f32],
) {
    let (whole, [before, behind]) = (windows.whole(), windows.padded());
    let gradient = gradient.get_mut(..outputs * windows.kernel * windows.channels).unwrap_or_default();
    gradient.fill(0.0);
    for s in 0..n {
        let (x, errors) = (inputs.row(s), row(errors, s, windows.count() * outputs));
        before.clone().for_each(|t| add_padded(windows, t, row(errors, t, outputs), x, gradient));
        let of_whole = errors.get(whole.start * outputs..).unwrap_or_default();
        add_rows::<OUTPUTS>(of_whole, windows.rows(x), whole.len(), outputs, gradient);
        behind.clone().for_each(|t| add_padded(windows, t, row(errors, t, outputs), x, gradient));
    }
}

/// Adds what a window that does not lie wholly on inputs has in G.
fn add_padded(windows: &Windows, t: usize, e: &[f32], x: &[f32], gradient: &mut [f32]) {
    let taps = windows.taps(t);
    let x = windows.part(x, t, &taps);
    let width = windows.kernel * windows.channels;
    for (o, &e) in e.iter().enumerate() {
        sum::add_scaled(row_mut(gradient, o, width).get_mut(taps.start * windows.channels..).unwrap_or_default(), e, x);
    }
}

/// Numbers of an error whose running sums stay in registers.
const BLOCK: usize = 16;

/// D of n examples, written over x, from errors with `outputs` channels.
pub fn input_error(
    windows: &Windows,
    weights: &[f32],
    errors: &[f32],
    n: usize,
    outputs: usize,
    below: Activation,
    x: &mut [f32],
) {
    for s in 0..n {
        let (e, x) = (row(errors, s, windows.count() * outputs), row_mut(x, s, windows.numbers()));
        for i in 0..windows.time {
            let pass = Pass { windows, weights, e, outputs, i };
            let x = row_mut(x, i, windows.channels);
            let done = pass.blocks::<BLOCK>(0, below, x);
            let done = pass.blocks::<4>(done, below, x);
            pass.blocks::<1>(done, below, x);
        }
    }
}

/// Weights, the errors of one example, and the input whose error is wanted.
struct Pass<'a> {
    windows: &'a Windows,
    weights: &'a [f32],
    e: &'a [f32],
    outputs: usize,
    i: usize,
}

impl Pass<'_> {
    /// The channels of an error from `first` on that are whole blocks of B; returns where they end.
    #[inline(always)]
    fn blocks<const B: usize>(&self, first: usize, below: Activation, x: &mut [f32]) -> usize {
        let blocks = x.get_mut(first..).unwrap_or_default().as_chunks_mut::<B>().0;
        let mut channel = first;
        for x in blocks {
            let sums = self.sums::<B>(channel);
            x.iter_mut().zip(sums).for_each(|(x, sum)| *x = sum * below.slope(*x));
            channel += B;
        }
        channel
    }

    /// The sums for B channels from `channel` on, which are there.
    #[inline(always)]
    fn sums<const B: usize>(&self, channel: usize) -> [f32; B] {
        let Self { windows, weights, e, outputs, i } = *self;
        let width = windows.kernel * windows.channels;
        let mut sums = [0.0; B];
        for (t, k) in windows.over(i) {
            let mut rest = weights.get(k * windows.channels + channel..).unwrap_or_default();
            for &e in row(e, t, outputs) {
                let Some(w) = rest.first_chunk::<B>() else { break };
                for (sum, &w) in sums.iter_mut().zip(w) {
                    *sum += e * w;
                }
                rest = rest.get(width..).unwrap_or_default();
            }
        }
        sums
    }
}

/// The slow, obvious twins: one number after the other.
#[cfg(any(test, feature = "twins"))]
pub mod plain {
    use crate::batch::Rows;
    use crate::objective::mlp::activation::Activation;
    use crate::objective::mlp::windows::Windows;
    use crate::sum;

    /// Input (i, c) below tap k of window t, as one index; none in the padding.
    fn place(w: &Windows, t: usize, k: usize, c: usize) -> Option<usize> {
        let i = (t * w.stride + k).checked_sub(w.padding)?;
        (i < w.time).then_some(i * w.channels + c)
    }

    /// All taps of a window that lie on inputs: their number among the weights of an output, and their input.
    fn taps(w: &Windows, t: usize) -> impl Iterator<Item = (usize, usize)> {
        let all = (0..w.kernel * w.channels).map(move |kc| (kc, place(w, t, kc / w.channels, kc % w.channels)));
        all.filter_map(|(kc, i)| Some((kc, i?)))
    }

    /// Twin of [`forward`](super::forward).
    pub fn forward(w: &Windows, weights: &[f32], bias: &[f32], inputs: Rows<'_>, n: usize, out: &mut [f32]) {
        let (count, width, outputs) = (w.count(), w.kernel * w.channels, bias.len());
        for (s, t, o) in super::triples([n, count, outputs]) {
            let mut lanes = [0.0; sum::LANES];
            for (j, (kc, i)) in taps(w, t).enumerate() {
                lanes[j % sum::LANES] += weights[o * width + kc] * inputs.row(s)[i];
            }
            out[(s * count + t) * outputs + o] = sum::tree(lanes) + bias[o];
        }
    }

    /// Twin of [`weight_gradient`](super::weight_gradient).
    pub fn weight_gradient(
        w: &Windows,
        errors: &[f32],
        inputs: Rows<'_>,
        n: usize,
        outputs: usize,
        gradient: &mut [f32],
    ) {
        let (count, width) = (w.count(), w.kernel * w.channels);
        gradient[..outputs * width].fill(0.0);
        for (s, t, o) in super::triples([n, count, outputs]) {
            for (kc, i) in taps(w, t) {
                gradient[o * width + kc] += errors[(s * count + t) * outputs + o] * inputs.row(s)[i];
            }
        }
    }

    /// Twin of [`input_error`](super::input_error).
    pub fn input_error(
        w: &Windows,
        weights: &[f32],
        errors: &[f32],
        n: usize,
        outputs: usize,
        below: Activation,
        x: &mut [f32],
    ) {
        let (count, width) = (w.count(), w.kernel * w.channels);
        for (s, i, c) in super::triples([n, w.time, w.channels]) {
            let mut sum = 0.0;
            for (t, o, k) in super::triples([count, outputs, w.kernel]) {
                if place(w, t, k, c) == Some(i * w.channels + c) {
                    sum += errors[(s * count + t) * outputs + o] * weights[o * width + k * w.channels + c];
                }
            }
            let x = &mut x[s * w.numbers() + i * w.channels + c];
            *x = sum * below.slope(*x);
        }
    }
}

/// All triples of numbers below these, the last the fastest.
#[cfg(any(test, feature = "twins"))]
pub(crate) fn triples([a, b, c]: [usize; 3]) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..a).flat_map(move |a| (0..b).flat_map(move |b| (0..c).map(move |c| (a, b, c))))
}
