//! The dense layer's four kernels, each with a slow, obvious twin in [`plain`].
//!
//! For a batch of n examples, weights W (outputs x inputs), errors E = d loss / d pre-activation (n x outputs):
//!
//! ```text
//! forward          Z[s][o] = sum_i W[o][i] X[s][i] + b[o]      eight partial sums over i
//! weight gradient  G[o][i] = sum_s E[s][o] X[s][i]             in the order of the examples
//! bias gradient    g[o]    = sum_s E[s][o]                     in the order of the examples
//! input error      D[s][i] = act'(X[s][i]) sum_o E[s][o] W[o][i]   in the order of the outputs
//! ```
//!
//! The last three sum along the axis that is not contiguous; each element of the result is a lane of its own there, so
//! a running sum is both the fast order and the obvious one.

use super::activation::Activation;
use crate::batch::{Rows, row, row_mut};
use crate::sum;
use crate::tensors::{Tensors, Zeroed};

/// Parameters of a dense layer: two tensors, weights and bias.
#[derive(Debug, Clone, PartialEq)]
pub struct DenseParams<const I: usize, const O: usize> {
    /// One row of inputs' weights per output.
    pub weights: [[f32; I]; O],
    /// One number per output.
    pub bias: [f32; O],
}

impl<const I: usize, const O: usize> Zeroed for DenseParams<I, O> {
    const ZERO: Self = Self { weights: [[0.0; I]; O], bias: [0.0; O] };
}

impl<const I: usize, const O: usize> Tensors for DenseParams<I, O> {
    fn count(&self) -> usize {
        2
    }
    fn tensor(&self, i: usize) -> &[f32] {
        match i {
            0 => self.weights.as_flattened(),
            1 => &self.bias,
            _ => &[],
        }
    }
    fn tensor_mut(&mut self, i: usize) -> &mut [f32] {
        match i {
            0 => self.weights.as_flattened_mut(),
            1 => &mut self.bias,
            _ => &mut [],
        }
    }
    fn neighbours_mut(&mut self, i: usize) -> (&mut [f32], &mut [f32]) {
        match i {
            0 => (self.weights.as_flattened_mut(), &mut self.bias),
            i => (self.tensor_mut(i), &mut []),
        }
    }
}

/// Z = X W^T + b for the first n rows of X. W has as many rows as b has numbers.
///
/// Four examples share each pass over a row of weights.
pub fn forward(weights: &[f32], bias: &[f32], inputs: Rows<'_>, n: usize, out: &mut [f32]) {
    let (width, outputs) = (inputs.width(), bias.len());
    let mut s = 0;
    while s + 4 <= n {
        let x = [0, 1, 2, 3].map(|k| inputs.row(s + k));
        for (o, &b) in bias.iter().enumerate() {
            let z = sum::dot4(row(weights, o, width), x);
            for (k, z) in z.into_iter().enumerate() {
                if let Some(out) = out.get_mut((s + k) * outputs + o) {
                    *out = z + b;
                }
            }
        }
        s += 4;
    }
    for s in s..n {
        let x = inputs.row(s);
        for ((o, &b), out) in bias.iter().enumerate().zip(row_mut(out, s, outputs)) {
            *out = sum::dot(row(weights, o, width), x) + b;
        }
    }
}

/// G = E^T X over the first n rows.
///
/// Four examples share each pass over a row of the gradient; their additions stay in order.
pub fn weight_gradient(errors: &[f32], inputs: Rows<'_>, n: usize, outputs: usize, gradient: &mut [f32]) {
    let width = inputs.width();
    gradient.fill(0.0);
    let mut s = 0;
    while s + 4 <= n {
        let x = [0, 1, 2, 3].map(|k| inputs.row(s + k));
        for o in 0..outputs {
            let e = [0, 1, 2, 3].map(|k| row(errors, s + k, outputs).get(o).copied().unwrap_or(0.0));
            add_four(row_mut(gradient, o, width), e, x);
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

/// g <- (((g + e0 x0) + e1 x1) + e2 x2) + e3 x3.
fn add_four(g: &mut [f32], [e0, e1, e2, e3]: [f32; 4], [x0, x1, x2, x3]: [&[f32]; 4]) {
    for ((((g, &x0), &x1), &x2), &x3) in g.iter_mut().zip(x0).zip(x1).zip(x2).zip(x3) {
        *g = (((*g + e0 * x0) + e1 * x1) + e2 * x2) + e3 * x3;
    }
}

/// g\[o\] = sum_s E\[s\]\[o\]; as many outputs as `gradient` has numbers.
pub fn bias_gradient(errors: &[f32], n: usize, gradient: &mut [f32]) {
    gradient.fill(0.0);
    let outputs = gradient.len();
    for s in 0..n {
        add(gradient, 1.0, row(errors, s, outputs));
    }
}

/// D = (E W) * act'(X), written over X, the activations of the layer below. `inputs` and `outputs` are the layer's.
pub fn input_error(
    weights: &[f32],
    errors: &[f32],
    n: usize,
    inputs: usize,
    outputs: usize,
    below: Activation,
    x: &mut [f32],
) {
    const BLOCK: usize = 32;
    for s in 0..n {
        let (e, x) = (row(errors, s, outputs), row_mut(x, s, inputs));
        // A block of the row at a time, so that the running sums stay in registers.
        for (block, x) in x.chunks_mut(BLOCK).enumerate() {
            let mut sums = [0.0; BLOCK];
            for (o, &e) in e.iter().enumerate() {
                let w = row(weights, o, inputs).get(block * BLOCK..).unwrap_or(&[]);
                for (sum, &w) in sums.iter_mut().zip(w) {
                    *sum += e * w;
                }
            }
            for (x, sum) in x.iter_mut().zip(sums) {
                *x = sum * below.slope(*x);
            }
        }
    }
}

/// The slow, obvious twins: one number after the other.
#[cfg(any(test, feature = "twins"))]
pub mod plain {
    use super::{Activation, Rows, sum};

    /// Twin of [`forward`](super::forward).
    pub fn forward(weights: &[f32], bias: &[f32], inputs: Rows<'_>, n: usize, out: &mut [f32]) {
        let (width, outputs) = (inputs.width(), bias.len());
        for s in 0..n {
            for o in 0..outputs {
                let w = &weights[o * width..(o + 1) * width];
                out[s * outputs + o] = sum::plain::dot(w, inputs.row(s)) + bias[o];
            }
        }
    }

    /// Twin of [`weight_gradient`](super::weight_gradient).
    pub fn weight_gradient(errors: &[f32], inputs: Rows<'_>, n: usize, outputs: usize, gradient: &mut [f32]) {
        for o in 0..outputs {
            for i in 0..inputs.width() {
                let mut sum = 0.0;
                for s in 0..n {
                    sum += errors[s * outputs + o] * inputs.row(s)[i];
                }
                gradient[o * inputs.width() + i] = sum;
            }
        }
    }

    /// Twin of [`bias_gradient`](super::bias_gradient).
    pub fn bias_gradient(errors: &[f32], n: usize, gradient: &mut [f32]) {
        let outputs = gradient.len();
        for (o, g) in gradient.iter_mut().enumerate() {
            *g = 0.0;
            for s in 0..n {
                *g += errors[s * outputs + o];
            }
        }
    }

    /// Twin of [`input_error`](super::input_error).
    pub fn input_error(
        weights: &[f32],
        errors: &[f32],
        n: usize,
        inputs: usize,
        outputs: usize,
        below: Activation,
        x: &mut [f32],
    ) {
        for s in 0..n {
            for i in 0..inputs {
                let mut sum = 0.0;
                for o in 0..outputs {
                    sum += errors[s * outputs + o] * weights[o * inputs + i];
                }
                let x = &mut x[s * inputs + i];
                *x = sum * below.slope(*x);
            }
        }
    }
}
