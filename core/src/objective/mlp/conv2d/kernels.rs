//! Kernels of the convolution in two dimensions. Outputs lie side by side, among the weights, too, so each is a lane of its own: running
//! sums are the fast order and the obvious one. Four pixels, or four inputs, share a pass over the numbers of some outputs.

use core::ops::Range;

use crate::batch::{Rows, row, row_mut};
use crate::objective::mlp::activation::Activation;
use crate::objective::mlp::dense::{SIDE, SINGLE, outer, outer_rows};
use crate::objective::mlp::patches::Patches;
use crate::objective::mlp::windows::Windows;
use crate::sum;

/// Outputs whose running sums stay in registers, for each of four pixels.
const WIDE: usize = if SINGLE { SIDE } else { 8 };

/// Calls a function with as many outputs at a time as there are, at most [`WIDE`].
macro_rules! by_outputs {
    ($outputs:expr, $function:ident($($of:expr),+)) => {
        match $outputs {
            n if n >= WIDE => $function::<WIDE>($($of),+),
            n if n >= SIDE => $function::<SIDE>($($of),+),
            _ => $function::<1>($($of),+),
        }
    };
}

/// Where each block of B of `all` begins, of which there are as many; the last ones overlap, for what is computed twice is the same.
fn blocks<const B: usize>(all: Range<usize>) -> impl Iterator<Item = usize> {
    let last = all.end.saturating_sub(B);
    all.step_by(B).map(move |first| first.min(last))
}

/// sums\[k\] <- sums\[k\] + x_k\[i\] w_i for every i below `n`, where w_i is the first B numbers of row i of W, `width` long.
#[inline(always)]
fn products<const P: usize, const B: usize>(
    sums: &mut [[f32; B]; P],
    x: [&[f32]; P],
    w: &[f32],
    width: usize,
    n: usize,
) {
    if let (Some(tile), Some(x)) = (as_tile(sums), x.first_chunk()) {
        return outer(tile, *x, w, width, n);
    }
    let mut rest = w;
    for i in 0..n {
        let Some(w) = rest.first_chunk::<B>() else { return };
        for (sums, x) in sums.iter_mut().zip(&x) {
            let Some(&x) = x.get(i) else { return };
            sums.iter_mut().zip(w).for_each(|(sum, &w)| *sum += x * w);
        }
        rest = rest.get(width..).unwrap_or_default();
    }
}

/// Rows of sums as a tile, if it is one, and the processor has registers of one number.
#[inline(always)]
fn as_tile<const P: usize, const B: usize>(sums: &mut [[f32; B]; P]) -> Option<&mut [[f32; SIDE]; SIDE]> {
    match SINGLE && P == SIDE && B == SIDE {
        true => sums.as_flattened_mut().as_chunks_mut::<SIDE>().0.first_chunk_mut(),
        false => None,
    }
}

/// Z of n examples, as many channels as `bias` has numbers.
pub fn forward(patches: &Patches, weights: &[f32], bias: &[f32], inputs: Rows<'_>, n: usize, out: &mut [f32]) {
    for s in 0..n {
        let out = row_mut(out, s, patches.count() * bias.len());
        for y in 0..patches.rows.count() {
            let line = Line { patches, weights, bias, x: inputs.row(s), y };
            let out = row_mut(out, y, patches.columns.count() * bias.len());
            by_outputs!(bias.len(), line_forward(&line, out));
        }
    }
}

/// What a row of outputs is made of.
struct Line<'a> {
    patches: &'a Patches,
    weights: &'a [f32],
    bias: &'a [f32],
    x: &'a [f32],
    y: usize,
}

/// Z of a row of pixels, B outputs at a time.
#[cfg_attr(target_os = "none", inline(never))]
fn line_forward<const B: usize>(line: &Line<'_>, out: &mut [f32]) {
    let columns = &line.patches.columns;
    let whole = columns.whole();
    for o in blocks::<B>(0..line.bias.len()) {
        columns.padded().into_iter().flatten().for_each(|t| line.pixels::<1, B>(t, o, out));
        match whole.len() >= SIDE {
            true => blocks::<SIDE>(whole.clone()).for_each(|t| line.pixels::<SIDE, B>(t, o, out)),
            false => whole.clone().for_each(|t| line.pixels::<1, B>(t, o, out)),
        }
    }
}

impl Line<'_> {
    /// Writes B outputs from `o` on of P pixels from `t` on, whose windows have the same taps on inputs.
    #[inline(always)]
    fn pixels<const P: usize, const B: usize>(&self, t: usize, o: usize, out: &mut [f32]) {
        let Self { patches: Patches { rows, columns }, weights, bias, x, y } = *self;
        let (taps, outputs) = (columns.taps(t), bias.len());
        let (first, n) = (columns.below(t, taps.start) * columns.channels, taps.len() * columns.channels);
        let mut sums = [[0.0; B]; P];
        for k in rows.taps(y) {
            let line = row(x, rows.below(y, k), rows.channels);
            let at = |p: usize| line.get(first + p * columns.stride * columns.channels..).unwrap_or_default();
            let w = (k * columns.kernel + taps.start) * columns.channels * outputs + o;
            products(&mut sums, core::array::from_fn(at), weights.get(w..).unwrap_or_default(), outputs, n);
        }
        let bias = bias.get(o..).unwrap_or_default();
        for (p, sums) in sums.iter().enumerate() {
            let out = row_mut(out, t + p, outputs).get_mut(o..).unwrap_or_default();
            out.iter_mut().zip(sums).zip(bias).for_each(|((out, sum), b)| *out = sum + b);
        }
    }
}

/// G from the errors of n examples with `outputs` channels.
pub fn weight_gradient(
    patches: &Patches,
    errors: &[f32],
    inputs: Rows<'_>,
    n: usize,
    outputs: usize,
    gradient: &mut [f32],
) {
    let sweep = Sweep { patches, errors, inputs, n, outputs };
    let width = patches.columns.kernel * patches.columns.channels;
    for k in 0..patches.rows.kernel {
        let gradient = row_mut(gradient, k, width * outputs);
        by_outputs!(outputs, line_gradient(&sweep, k, gradient));
    }
}

/// The errors of all examples and their inputs.
struct Sweep<'a> {
    patches: &'a Patches,
    errors: &'a [f32],
    inputs: Rows<'a>,
    n: usize,
    outputs: usize,
}

/// G of a row of taps, B outputs at a time.
#[cfg_attr(target_os = "none", inline(never))]
fn line_gradient<const B: usize>(sweep: &Sweep<'_>, k: usize, gradient: &mut [f32]) {
    let width = sweep.patches.columns.kernel * sweep.patches.columns.channels;
    for o in blocks::<B>(0..sweep.outputs) {
        match width >= SIDE {
            true => blocks::<SIDE>(0..width).for_each(|i| sweep.weights::<SIDE, B>(k, i, o, gradient)),
            false => (0..width).for_each(|i| sweep.weights::<1, B>(k, i, o, gradient)),
        }
    }
}

impl Sweep<'_> {
    /// Writes the gradients of B outputs from `o` on to P numbers from `i` on of row k of a filter.
    #[inline(always)]
    fn weights<const P: usize, const B: usize>(&self, k: usize, i: usize, o: usize, gradient: &mut [f32]) {
        let Self { patches: Patches { rows, columns }, errors, inputs, n, outputs } = *self;
        let mut sums = [[0.0; B]; P];
        for s in 0..n {
            let x = inputs.row(s);
            for y in (0..rows.count()).filter(|&y| rows.taps(y).contains(&k)) {
                let line = row(x, rows.below(y, k), rows.channels);
                let e = row(errors, s * rows.count() + y, columns.count() * outputs).get(o..).unwrap_or_default();
                let [before, behind] = columns.padded();
                before.for_each(|t| at_the_edge(&mut sums, columns, [t, i], line, e, outputs));
                inside(&mut sums, columns, i, line, e, outputs);
                behind.for_each(|t| at_the_edge(&mut sums, columns, [t, i], line, e, outputs));
            }
        }
        for (p, sums) in sums.iter().enumerate() {
            let gradient = row_mut(gradient, i + p, outputs).get_mut(o..).unwrap_or_default();
            gradient.iter_mut().zip(sums).for_each(|(g, sum)| *g = *sum);
        }
    }
}

/// Adds what a window has in the gradient that does not lie wholly on inputs.
#[inline(always)]
fn at_the_edge<const P: usize, const B: usize>(
    sums: &mut [[f32; B]; P],
    columns: &Windows,
    [t, i]: [usize; 2],
    line: &[f32],
    e: &[f32],
    outputs: usize,
) {
    let Some(e) = e.get(t * outputs..).and_then(|e| e.first_chunk::<B>()) else { return };
    let taps = columns.taps(t);
    for (i, sums) in (i..).zip(sums) {
        let (tap, channel) = (i / columns.channels.max(1), i % columns.channels.max(1));
        if taps.contains(&tap) {
            let x = line.get(columns.below(t, tap) * columns.channels + channel).copied().unwrap_or(0.0);
            sums.iter_mut().zip(e).for_each(|(sum, e)| *sum += x * e);
        }
    }
}

/// Adds what the windows have in the gradient that lie wholly on inputs.
#[inline(always)]
fn inside<const P: usize, const B: usize>(
    sums: &mut [[f32; B]; P],
    columns: &Windows,
    i: usize,
    line: &[f32],
    e: &[f32],
    outputs: usize,
) {
    let (whole, step) = (columns.whole(), columns.stride * columns.channels);
    let mut e = e.get(whole.start * outputs..).unwrap_or_default();
    let mut x = line.get(columns.below(whole.start, 0) * columns.channels + i..).unwrap_or_default();
    if let Some(tile) = as_tile(sums) {
        return outer_rows(tile, [x, e], [step, outputs], whole.len());
    }
    for _ in whole {
        let (Some(xs), Some(es)) = (x.first_chunk::<P>(), e.first_chunk::<B>()) else { return };
        for (sums, x) in sums.iter_mut().zip(xs) {
            sums.iter_mut().zip(es).for_each(|(sum, e)| *sum += x * e);
        }
        e = e.get(outputs..).unwrap_or_default();
        x = x.get(step..).unwrap_or_default();
    }
}

/// D of n examples, written over x, from errors with `outputs` channels.
pub fn input_error(
    patches: &Patches,
    weights: &[f32],
    errors: &[f32],
    n: usize,
    outputs: usize,
    below: Activation,
    x: &mut [f32],
) {
    let (channels, width) = (patches.channels(), patches.columns.time);
    for s in 0..n {
        let (e, x) = (row(errors, s, patches.count() * outputs), row_mut(x, s, patches.numbers()));
        for pixel in 0..patches.rows.time * width {
            let pass = Pass { patches, weights, e, outputs, at: [pixel / width.max(1), pixel % width.max(1)] };
            let (fours, rest) = row_mut(x, pixel, channels).as_chunks_mut::<SIDE>();
            let behind = fours.len() * SIDE;
            for (c, x) in fours.iter_mut().enumerate() {
                let sums = pass.sums(c * SIDE, |e, w| if SINGLE { two_and_two(e, w) } else { sum::dot4(e, w) });
                x.iter_mut().zip(sums).for_each(|(x, sum)| *x = sum * below.slope(*x));
            }
            for (c, x) in (behind..).zip(rest) {
                let [sum] = pass.sums(c, |e, [w]| [sum::dot(e, w)]);
                *x = sum * below.slope(*x);
            }
        }
    }
}

/// Four products by a kernel for fewer registers.
fn two_and_two(e: &[f32], [a, b, c, d]: [&[f32]; SIDE]) -> [f32; SIDE] {
    let ([a, b], [c, d]) = (sum::dot2(e, [a, b]), sum::dot2(e, [c, d]));
    [a, b, c, d]
}

/// Weights, the errors of one example, and the pixel whose error is wanted.
struct Pass<'a> {
    patches: &'a Patches,
    weights: &'a [f32],
    e: &'a [f32],
    outputs: usize,
    at: [usize; 2],
}

impl Pass<'_> {
    /// The sums for B channels from `channel` on, by this product of an error with B rows of weights.
    #[inline(always)]
    fn sums<const B: usize>(&self, channel: usize, product: impl Fn(&[f32], [&[f32]; B]) -> [f32; B]) -> [f32; B] {
        let Self { patches, weights, e, outputs, at: [i, j] } = *self;
        let mut sums = [0.0; B];
        for (t, k) in patches.over(i, j) {
            let w = |c: usize| row(weights, k * patches.channels() + channel + c, outputs);
            let products = product(row(e, t, outputs), core::array::from_fn(w));
            sums.iter_mut().zip(products).for_each(|(sum, product)| *sum += product);
        }
        sums
    }
}

/// The slow, obvious twins: one number after the other.
#[cfg(any(test, feature = "twins"))]
pub mod plain {
    use crate::batch::Rows;
    use crate::objective::mlp::activation::Activation;
    use crate::objective::mlp::conv1d::triples;
    use crate::objective::mlp::patches::Patches;
    use crate::sum;

    /// The pixel below tap (k, l) of patch (y, t); none in the padding.
    pub(crate) fn place(p: &Patches, [y, t]: [usize; 2], [k, l]: [usize; 2]) -> Option<usize> {
        let i = (y * p.rows.stride + k).checked_sub(p.rows.padding).filter(|i| *i < p.rows.time)?;
        let j = (t * p.columns.stride + l).checked_sub(p.columns.padding).filter(|j| *j < p.columns.time)?;
        Some(i * p.columns.time + j)
    }

    /// A number below a product as two.
    pub(crate) fn split(n: usize, p: usize) -> [usize; 2] {
        [n / p, n % p]
    }

    /// Twin of [`forward`](super::forward).
    pub fn forward(p: &Patches, weights: &[f32], bias: &[f32], inputs: Rows<'_>, n: usize, out: &mut [f32]) {
        let (channels, outputs) = (p.channels(), bias.len());
        for (s, pixel, o) in triples([n, p.count(), outputs]) {
            let mut sum = 0.0;
            for (k, c, _) in triples([p.taps(), channels, 1]) {
                if let Some(i) = place(p, split(pixel, p.columns.count()), split(k, p.columns.kernel)) {
                    sum += weights[(k * channels + c) * outputs + o] * inputs.row(s)[i * channels + c];
                }
            }
            out[(s * p.count() + pixel) * outputs + o] = sum + bias[o];
        }
    }

    /// Twin of [`weight_gradient`](super::weight_gradient).
    pub fn weight_gradient(
        p: &Patches,
        errors: &[f32],
        inputs: Rows<'_>,
        n: usize,
        outputs: usize,
        gradient: &mut [f32],
    ) {
        let channels = p.channels();
        for (k, c, o) in triples([p.taps(), channels, outputs]) {
            let mut sum = 0.0;
            for (s, pixel, _) in triples([n, p.count(), 1]) {
                if let Some(i) = place(p, split(pixel, p.columns.count()), split(k, p.columns.kernel)) {
                    sum += errors[(s * p.count() + pixel) * outputs + o] * inputs.row(s)[i * channels + c];
                }
            }
            gradient[(k * channels + c) * outputs + o] = sum;
        }
    }

    /// Twin of [`input_error`](super::input_error).
    pub fn input_error(
        p: &Patches,
        weights: &[f32],
        errors: &[f32],
        n: usize,
        outputs: usize,
        below: Activation,
        x: &mut [f32],
    ) {
        let channels = p.channels();
        for (s, i, c) in triples([n, p.rows.time * p.columns.time, channels]) {
            let mut sum = 0.0;
            for (pixel, k, _) in triples([p.count(), p.taps(), 1]) {
                if place(p, split(pixel, p.columns.count()), split(k, p.columns.kernel)) == Some(i) {
                    let mut lanes = [0.0; sum::LANES];
                    for o in 0..outputs {
                        let e = errors[(s * p.count() + pixel) * outputs + o];
                        lanes[o % sum::LANES] += e * weights[(k * channels + c) * outputs + o];
                    }
                    sum += sum::tree(lanes);
                }
            }
            let x = &mut x[s * p.numbers() + i * channels + c];
            *x = sum * below.slope(*x);
        }
    }
}
