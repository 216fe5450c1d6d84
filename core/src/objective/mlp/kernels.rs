//! The computations of a layer, behind one trait, so that a desktop can bring its own for its vectors.
//!
//! Every method has the core's portable kernel as its default. Whoever writes another keeps its order of additions, and
//! with it every bit: `lgl2o-host` does, and property tests hold the two against each other.

use super::{Activation, dense};
use crate::batch::Rows;
use crate::math;

/// A layer's computations; [`dense`] has the formulas and shapes.
pub trait Kernels {
    /// Z = X W^T + b for the first n rows of X.
    fn forward(&self, weights: &[f32], bias: &[f32], inputs: Rows<'_>, n: usize, out: &mut [f32]) {
        dense::forward(weights, bias, inputs, n, out);
    }

    /// G = E^T X over the first n rows.
    fn weight_gradient(&self, errors: &[f32], inputs: Rows<'_>, n: usize, outputs: usize, gradient: &mut [f32]) {
        dense::weight_gradient(errors, inputs, n, outputs, gradient);
    }

    /// g\[o\] = sum_s E\[s\]\[o\]; as many outputs as `gradient` has numbers.
    fn bias_gradient(&self, errors: &[f32], n: usize, gradient: &mut [f32]) {
        dense::bias_gradient(errors, n, gradient);
    }

    /// D = (E W) * act'(X), written over X, the activations of the layer below. `shape` is inputs and outputs of the layer.
    fn input_error(
        &self,
        weights: &[f32],
        errors: &[f32],
        n: usize,
        shape: [usize; 2],
        below: Activation,
        x: &mut [f32],
    ) {
        dense::input_error(weights, errors, n, shape, below, x);
    }

    /// The activation of every number, in its place.
    fn activate(&self, activation: Activation, x: &mut [f32]) {
        activation.apply(x);
    }

    /// e to the power of every number, in its place.
    fn exp(&self, x: &mut [f32]) {
        x.iter_mut().for_each(|x| *x = math::exp(*x));
    }
}

/// The core's own kernels, which any processor can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Portable;

impl Kernels for Portable {}
