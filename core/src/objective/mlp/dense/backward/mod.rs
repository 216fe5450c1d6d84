//! Backward kernels of the dense layer: gradients of weights and bias, and the error of the layer below.
//!
//! Each of them reads a matrix row by row, several rows at once, so that a number that was loaded serves more than one
//! product. Additions into one number stay in their order: example after example, or output after output.

use super::tiles::{POINTS, SIDE, TILED, add_eight, add_examples, add_point, add_products, products};
use crate::SMALL;
use crate::batch::{Matrix, Rows, row, row_mut};
use crate::math;
use crate::objective::mlp::activation::Activation;
use crate::pair::Pair;
use crate::sum::add_scaled;

/// Rows of the gradient that share a pass over rows of inputs.
pub(crate) const OUTPUTS: usize = if SMALL {
    1
} else if cfg!(target_arch = "arm") {
    4
} else {
    2
};

/// G = E^T X over the first n rows.
pub fn weight_gradient(errors: &[f32], inputs: Rows<'_>, n: usize, outputs: usize, gradient: &mut [f32]) {
    weight_gradient_by::<OUTPUTS>(errors, inputs, n, outputs, gradient);
}

/// [`weight_gradient`] with O rows of the gradient at a time; O changes no bit.
pub fn weight_gradient_by<const O: usize>(
    errors: &[f32],
    inputs: Rows<'_>,
    n: usize,
    outputs: usize,
    gradient: &mut [f32],
) {
    let width = inputs.width();
    let gradient = gradient.get_mut(..outputs.saturating_mul(width)).unwrap_or(&mut []);
    if TILED && width == PLANE {
        return by_points(errors, inputs, n, outputs, gradient);
    }
    by_blocks::<O>(errors, inputs, n, outputs, gradient, Start::Zero);
}

/// Inputs of a layer on points of a plane.
const PLANE: usize = 2;

/// G = E^T X for rows of two numbers, which are too short for a loop over them: the sums of [`POINTS`] outputs stay in registers
/// over all examples.
#[cfg_attr(target_os = "none", inline(never))]
fn by_points(errors: &[f32], inputs: Rows<'_>, n: usize, outputs: usize, gradient: &mut [f32]) {
    let (blocks, rest) = gradient.as_chunks_mut::<PLANE>().0.as_chunks_mut::<POINTS>();
    let behind = blocks.len() * POINTS;
    for (i, g) in blocks.iter_mut().enumerate() {
        let mut sums = [0.0; PLANE * POINTS];
        let mut errors = errors.get(i * POINTS..).unwrap_or_default();
        for s in 0..n {
            let (Some(e), Some(&x)) = (errors.first_chunk(), inputs.row(s).first_chunk()) else { break };
            add_point(&mut sums, e, x);
            errors = errors.get(outputs..).unwrap_or_default();
        }
        g.as_flattened_mut().iter_mut().zip(sums).for_each(|(g, sum)| *g = sum);
    }
    for (o, g) in (behind..outputs).zip(rest) {
        add_block([g], errors, [o, outputs], inputs, [0, n], Start::Zero);
    }
}

/// What the sums of a gradient begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    /// Zero, whatever stands in their place.
    Zero,
    /// What stands there.
    Given,
}

/// G <- G + E^T X over the first n rows, with O rows of the gradient at a time.
#[inline]
pub(crate) fn add_rows<'a, const O: usize>(
    errors: &[f32],
    inputs: impl Matrix<'a>,
    n: usize,
    outputs: usize,
    gradient: &mut [f32],
) {
    by_blocks::<O>(errors, inputs, n, outputs, gradient, Start::Given);
}

/// G <- E^T X over the first n rows, or G + E^T X, with O rows of the gradient at a time.
#[inline]
fn by_blocks<'a, const O: usize>(
    errors: &[f32],
    inputs: impl Matrix<'a>,
    n: usize,
    outputs: usize,
    gradient: &mut [f32],
    start: Start,
) {
    let width = inputs.width();
    let mut o = 0;
    while o + O <= outputs {
        add_block(rows_mut::<O>(gradient, o, width), errors, [o, outputs], inputs, [0, n], start);
        o += O;
    }
    // The last rows with some of those before, which are computed twice: four rows take less time than two alone.
    if TILED && start == Start::Zero && (O..outputs).contains(&o) {
        let first = outputs - O;
        return add_block(rows_mut::<O>(gradient, first, width), errors, [first, outputs], inputs, [0, n], start);
    }
    for o in o..outputs {
        add_block([row_mut(gradient, o, width)], errors, [o, outputs], inputs, [0, n], start);
    }
}

/// A block of G <- E^T X over the first n rows, or G + E^T X: its O rows are those of the outputs from `first` of `outputs`
/// on, its columns those of the inputs from `column` on.
#[inline(never)]
pub(super) fn add_block<'a, const O: usize>(
    mut g: [&mut [f32]; O],
    errors: &[f32],
    first: [usize; 2],
    inputs: impl Matrix<'a>,
    [column, n]: [usize; 2],
    start: Start,
) {
    if TILED && let [g] = &mut g[..] {
        return add_row(g, errors, first, inputs, [column, n], start);
    }
    if TILED && let [a, b, c, d] = &mut g[..] {
        return add_tiles([a, b, c, d], errors, first, inputs, [column, n], start);
    }
    let wide = g.first().map_or(0, |g| g.len());
    // On a device a row that is left over goes alone: four examples at a time would take as much code as four rows do.
    let fours = if SMALL || O == 1 && cfg!(target_os = "none") { 0 } else { n / 4 };
    let (mut s, mut start) = (0, start);
    for _ in 0..fours {
        let Some(e) = four_errors(errors, s, first) else { break };
        let Some(x) = inputs.several(s, column, wide) else { break };
        let g = g.each_mut().map(|g| &mut **g);
        match start {
            Start::Zero => add_four::<O, true>(g, e, x),
            Start::Given => add_four::<O, false>(g, e, x),
        }
        (s, start) = (s + 4, Start::Given);
    }
    if start == Start::Zero {
        g.iter_mut().for_each(|g| g.fill(0.0));
    }
    let [first, outputs] = first;
    for s in s..n {
        let x = inputs.row(s).get(column..).unwrap_or_default();
        let e = row(errors, s, outputs).get(first..).unwrap_or_default();
        for (g, &e) in g.iter_mut().zip(e) {
            add_scaled(g, e, x);
        }
    }
}

/// Four rows of such a block: the sums of four columns stay in registers over all examples, or as many as are added at once.
fn add_tiles<'a>(
    mut g: [&mut [f32]; SIDE],
    errors: &[f32],
    [first, outputs]: [usize; 2],
    inputs: impl Matrix<'a>,
    [column, n]: [usize; 2],
    start: Start,
) {
    let wide = g[0].len();
    let (mut s, mut errors) = (0, errors.get(first..).unwrap_or_default());
    while s < n {
        // Up to the first that is missing, if one is.
        let x = (s..n).map(|s| inputs.row(s).get(column..).unwrap_or_default()).take_while(|x| x.len() >= wide);
        let g = g.each_mut().map(|g| &mut **g);
        let added = add_examples(g, errors, outputs, x, start == Start::Zero && s == 0);
        // The next example is missing, or there are no columns.
        if added == 0 {
            break;
        }
        s += added;
        errors = errors.get(added.saturating_mul(outputs)..).unwrap_or_default();
    }
    if s == 0 && start == Start::Zero {
        g.iter_mut().for_each(|g| g.fill(0.0));
    }
}

/// Numbers of a row of a gradient whose running sums stay in registers.
const COLUMNS: usize = 8;

/// A single row of such a block: the sums of [`COLUMNS`] columns stay in registers over all examples.
fn add_row<'a>(
    g: &mut [f32],
    errors: &[f32],
    [first, outputs]: [usize; 2],
    inputs: impl Matrix<'a>,
    [column, n]: [usize; 2],
    start: Start,
) {
    let (blocks, rest) = g.as_chunks_mut::<COLUMNS>();
    let behind = column + COLUMNS * blocks.len();
    let errors = errors.get(first..).unwrap_or_default();
    for (g, column) in blocks.iter_mut().zip((column..).step_by(COLUMNS)) {
        let mut sums = if start == Start::Zero { [0.0; COLUMNS] } else { *g };
        let mut errors = errors;
        for s in 0..n {
            let x = inputs.row(s).get(column..).and_then(|x| x.first_chunk());
            let (Some(&e), Some(x)) = (errors.first(), x) else { break };
            add_products(&mut sums, e, x);
            errors = errors.get(outputs..).unwrap_or_default();
        }
        *g = sums;
    }
    if rest.is_empty() {
        return;
    }
    if start == Start::Zero {
        rest.fill(0.0);
    }
    for s in 0..n {
        let x = inputs.row(s).get(behind..).unwrap_or_default();
        let e = s.checked_mul(outputs).and_then(|at| errors.get(at)).copied().unwrap_or(0.0);
        add_scaled(rest, e, x);
    }
}

/// O numbers from `first` on of four rows, `outputs` long, from number `s` on.
#[inline]
fn four_errors<const O: usize>(errors: &[f32], s: usize, [first, outputs]: [usize; 2]) -> Option<[&[f32; O]; 4]> {
    let errors = errors.get(s.checked_mul(outputs)?.checked_add(first)?..)?;
    let part = |k| errors.get(outputs.checked_mul(k)?..)?.first_chunk();
    Some([part(0)?, part(1)?, part(2)?, part(3)?])
}

/// g_o <- (((g_o + e_0o x0) + e_1o x1) + e_2o x2) + e_3o x3 for each of O rows, which are as long as those of x; the sums begin
/// with zero, not with g_o, if ZERO.
// A function of its own: inlined, the errors no longer stay in registers.
#[inline(never)]
fn add_four<const O: usize, const ZERO: bool>(mut g: [&mut [f32]; O], e: [&[f32; O]; 4], x: [&[f32]; 4]) {
    let e: [[f32; 4]; O] = core::array::from_fn(|o| e.map(|e| e[o]));
    let n = x[0].len();
    // Said once for all rows, so that no access below is checked.
    if x.iter().any(|x| x.len() != n) || g.iter().any(|g| g.len() != n) {
        return;
    }
    for i in 0..n {
        // No index of a row: for a single one, or for WebAssembly, the compiler keeps its check, and with it a panic.
        let x = x.map(|x| x.get(i).copied().unwrap_or(0.0));
        for (g, e) in g.iter_mut().zip(&e) {
            let Some(g) = g.get_mut(i) else { return };
            *g = four_more(if ZERO { 0.0 } else { *g }, e, x);
        }
    }
}

/// The sum so far and four products, in their order.
#[inline(always)]
fn four_more(before: f32, e: &[f32; 4], x: [f32; 4]) -> f32 {
    e.iter().zip(x).fold(before, |sum, (&e, x)| math::add_product(sum, e, x))
}

/// Rows `i` to `i + O` of a row-major matrix; empty ones where there are none.
fn rows_mut<const O: usize>(data: &mut [f32], i: usize, width: usize) -> [&mut [f32]; O] {
    let mut rest = data.get_mut(i.saturating_mul(width)..).unwrap_or_default();
    core::array::from_fn(|_| {
        let (row, behind) = core::mem::take(&mut rest).split_at_mut_checked(width).unwrap_or_default();
        rest = behind;
        row
    })
}

/// g\[o\] = sum_s E\[s\]\[o\]; as many outputs as `gradient` has numbers.
// On a device, small: each layer has one.
#[cfg_attr(target_os = "none", inline(never))]
pub fn bias_gradient(errors: &[f32], n: usize, gradient: &mut [f32]) {
    let outputs = gradient.len();
    let (blocks, tail) = gradient.as_chunks_mut::<BIASES>();
    let behind = blocks.len() * BIASES;
    for (i, g) in blocks.iter_mut().enumerate() {
        *g = bias_sums(errors, n, outputs, i * BIASES);
    }
    for (i, g) in tail.iter_mut().enumerate() {
        [*g] = bias_sums(errors, n, outputs, behind + i);
    }
}

/// Numbers of a bias gradient whose running sums stay in registers.
pub(super) const BIASES: usize = if SMALL { 1 } else { 8 };

/// sum_s E\[s\]\[o\] for B outputs o from `first` on, which are there.
#[inline(always)]
pub(super) fn bias_sums<const B: usize>(errors: &[f32], n: usize, outputs: usize, first: usize) -> [f32; B] {
    let mut sums = [0.0; B];
    let mut rest = errors.get(first..).unwrap_or_default();
    for _ in 0..n {
        let Some(e) = rest.first_chunk::<B>() else { break };
        match (sums.first_chunk_mut(), e.first_chunk()) {
            (Some(sums), Some(e)) if TILED && B == 8 => add_eight(sums, e),
            _ => sums.iter_mut().zip(e).for_each(|(sum, &e)| *sum = math::add(*sum, e)),
        }
        rest = rest.get(outputs..).unwrap_or_default();
    }
    sums
}

/// Numbers of an error whose running sums stay in registers.
const BLOCK: usize = if SMALL {
    1
} else if TILED {
    8
} else if cfg!(target_arch = "arm") {
    16
} else {
    32
};

/// D = (E W) * act'(X), written over X, the activations of the layer below. `shape` is inputs and
/// outputs of the layer.
pub fn input_error(weights: &[f32], errors: &[f32], n: usize, shape: [usize; 2], below: Activation, x: &mut [f32]) {
    input_error_by::<BLOCK>(weights, errors, n, shape, below, x);
}

/// [`input_error`] with B numbers at a time; B changes no bit.
pub fn input_error_by<const B: usize>(
    weights: &[f32],
    errors: &[f32],
    n: usize,
    [inputs, outputs]: [usize; 2],
    below: Activation,
    x: &mut [f32],
) {
    for s in 0..n {
        let (e, x) = (row(errors, s, outputs), row_mut(x, s, inputs));
        let mut done = error_blocks::<B>(weights, e, inputs, 0, below, x);
        // On a device with few registers, no code for a third size.
        if B > 4 && !TILED {
            done = error_blocks::<4>(weights, e, inputs, done, below, x);
        }
        if B > 1 {
            error_blocks::<1>(weights, e, inputs, done, below, x);
        }
    }
}

/// The columns of an error from `first` on that are whole blocks of B; returns where they end.
#[inline(always)]
fn error_blocks<const B: usize>(
    weights: &[f32],
    e: &[f32],
    inputs: usize,
    first: usize,
    below: Activation,
    x: &mut [f32],
) -> usize {
    let blocks = x.get_mut(first..).unwrap_or_default().as_chunks_mut::<B>().0;
    let mut column = first;
    for x in blocks {
        let sums = error_sums::<B>(weights, e, inputs, column);
        bend(x, &sums, below);
        column += B;
    }
    column
}

/// x\[i\] <- sums\[i\] act'(x\[i\]); two numbers at a time where the processor would wait for one.
#[inline(always)]
fn bend<const B: usize>(x: &mut [f32; B], sums: &[f32; B], below: Activation) {
    if TILED && B.is_multiple_of(2) {
        for (x, &[a, b]) in x.as_chunks_mut::<2>().0.iter_mut().zip(sums.as_chunks::<2>().0) {
            let Pair(y, z) = Pair(a, b) * below.slopes(Pair(x[0], x[1]));
            *x = [y, z];
        }
        return;
    }
    x.iter_mut().zip(sums).for_each(|(x, &sum)| *x = math::mul(sum, below.slope(*x)));
}

/// sum_o e\[o\] W\[o\]\[i\] for B columns i from `column` on, which are there.
#[inline(always)]
pub(super) fn error_sums<const B: usize>(weights: &[f32], e: &[f32], inputs: usize, column: usize) -> [f32; B] {
    let mut sums = [0.0; B];
    let mut rest = weights.get(column..).unwrap_or_default();
    // At once, where all rows are there.
    if TILED
        && B == 8
        && let Some(eight) = sums.first_chunk_mut()
        && products(eight, e, rest, inputs)
    {
        return sums;
    }
    for &e in e {
        let Some(w) = rest.first_chunk::<B>() else { break };
        sums.iter_mut().zip(w).for_each(|(sum, &w)| *sum = math::add_product(*sum, e, w));
        rest = rest.get(inputs..).unwrap_or_default();
    }
    sums
}

#[cfg(test)]
mod tests;
