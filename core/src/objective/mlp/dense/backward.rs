//! Backward kernels of the dense layer: gradients of weights and bias, and the error of the layer below.
//!
//! Each of them reads a matrix row by row, several rows at once, so that a number that was loaded serves more than one
//! product. Additions into one number stay in their order: example after example, or output after output.

use crate::batch::{Rows, row, row_mut};
use crate::objective::mlp::Activation;

/// Rows of the gradient that share a pass over four rows of inputs; their four errors each stay in registers.
const OUTPUTS: usize = if cfg!(target_arch = "arm") { 4 } else { 2 };

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
    if n < 4 {
        gradient.fill(0.0);
    }
    let mut s = 0;
    while s + 4 <= n {
        let x = [0, 1, 2, 3].map(|k| inputs.row(s + k));
        let e = [0, 1, 2, 3].map(|k| row(errors, s + k, outputs));
        let of = |o: usize| e.map(|e| e.get(o).copied().unwrap_or(0.0));
        let mut o = 0;
        while o + O <= outputs {
            let e = core::array::from_fn(|k| of(o + k));
            match s {
                0 => add_four::<O, true>(rows_mut(gradient, o, width), &e, x),
                _ => add_four::<O, false>(rows_mut(gradient, o, width), &e, x),
            }
            o += O;
        }
        for o in o..outputs {
            match s {
                0 => add_four::<1, true>([row_mut(gradient, o, width)], &[of(o)], x),
                _ => add_four::<1, false>([row_mut(gradient, o, width)], &[of(o)], x),
            }
        }
        s += 4;
    }
    for s in s..n {
        for (o, &e) in row(errors, s, outputs).iter().enumerate() {
            add(row_mut(gradient, o, width), e, inputs.row(s));
        }
    }
}

/// g <- g + e x.
fn add(g: &mut [f32], e: f32, x: &[f32]) {
    for (g, &x) in g.iter_mut().zip(x) {
        *g += e * x;
    }
}

/// g_o <- (((g_o + e_o0 x0) + e_o1 x1) + e_o2 x2) + e_o3 x3 for each of O rows, which are as long as those of x;
/// from 0 instead of g_o for the first examples.
// A function of its own: inlined, the errors no longer stay in registers.
#[inline(never)]
fn add_four<const O: usize, const FIRST: bool>(mut g: [&mut [f32]; O], e: &[[f32; 4]; O], x: [&[f32]; 4]) {
    let [x0, x1, x2, x3] = x;
    let n = x0.len();
    // Said once for all rows, so that no access below is checked.
    if x1.len() != n || x2.len() != n || x3.len() != n || g.iter().any(|g| g.len() != n) {
        return;
    }
    for i in 0..n {
        let x = [x0[i], x1[i], x2[i], x3[i]];
        for (g, e) in g.iter_mut().zip(e) {
            // Not an index: for a single row the compiler keeps its check, and with it a panic.
            let Some(g) = g.get_mut(i) else { return };
            let before = if FIRST { 0.0 } else { *g };
            *g = (((before + e[0] * x[0]) + e[1] * x[1]) + e[2] * x[2]) + e[3] * x[3];
        }
    }
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
pub fn bias_gradient(errors: &[f32], n: usize, gradient: &mut [f32]) {
    gradient.fill(0.0);
    let outputs = gradient.len();
    for s in 0..n {
        add(gradient, 1.0, row(errors, s, outputs));
    }
}

/// Numbers of an error whose running sums stay in registers.
const BLOCK: usize = if cfg!(target_arch = "arm") { 16 } else { 32 };

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
        let e = row(errors, s, outputs);
        let (blocks, tail) = row_mut(x, s, inputs).as_chunks_mut::<B>();
        let behind = blocks.len() * B;
        for (i, x) in blocks.iter_mut().enumerate() {
            let mut sums = [0.0; B];
            for (o, &e) in e.iter().enumerate() {
                let Some(w) = row(weights, o, inputs).get(i * B..).and_then(|w| w.first_chunk::<B>()) else { break };
                for (sum, &w) in sums.iter_mut().zip(w) {
                    *sum += e * w;
                }
            }
            x.iter_mut().zip(sums).for_each(|(x, sum)| *x = sum * below.slope(*x));
        }
        for (i, x) in tail.iter_mut().enumerate() {
            let sum = e
                .iter()
                .enumerate()
                .fold(0.0, |sum, (o, &e)| sum + e * row(weights, o, inputs).get(behind + i).copied().unwrap_or(0.0));
            *x = sum * below.slope(*x);
        }
    }
}
