//! The dense layer, and its four kernels, each with a slow, obvious twin in the module `plain` (feature `twins`).
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
//!
//! How many rows share a pass is chosen for the processor; it changes no bit. The functions that take such a number, or
//! are one way of two, are there for tests and measurements.

mod backward;
mod descend;
mod forward;
mod layer;
mod tiles;

pub use backward::{bias_gradient, input_error, input_error_by, weight_gradient, weight_gradient_by};
pub use descend::{descend, descend_bias, descend_through};
pub use forward::{by_lanes, by_rows, forward};
pub use layer::{ByValue, Dense, DenseParams};

pub(super) use backward::{OUTPUTS, add_rows};
pub(super) use forward::rows;
pub(super) use tiles::{SIDE, SINGLE, outer, outer_rows};

pub use super::layer::{NARROW, Part};

/// The slow, obvious twins: one number after the other.
#[cfg(any(test, feature = "twins"))]
pub mod plain {
    use crate::batch::Rows;
    use crate::objective::mlp::Activation;
    use crate::sum;

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
