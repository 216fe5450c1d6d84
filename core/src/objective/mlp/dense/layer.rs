//! The dense layer: z = W x + b, every output from every input.
//!
//! Two tensors: weights (outputs x inputs, row-major) and bias. The [module](super) has the formulas.

use core::marker::PhantomData;

use super::descend::{descend, descend_bias, descend_through};
use crate::batch::Rows;
use crate::objective::mlp::activation::{Activate, Activation, Identity};
use crate::objective::mlp::kernels::Kernels;
use crate::objective::mlp::layer::{
    Inputs, Layer, Motion, Moving, NARROW, Own, OwnMut, Shape, Visitor, initialize, widest_column,
};
use crate::objective::mlp::network::{Layers, Width};
use crate::persist::Digest;
use crate::rng::Rng;
use crate::tensors::Tensors;

/// Parameters of a dense layer: two tensors, weights and bias.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct DenseParams<const I: usize, const O: usize> {
    /// One row of inputs' weights per output.
    pub weights: [[f32; I]; O],
    /// One number per output.
    pub bias: [f32; O],
}

crate::tensors::weights_and_bias!(DenseParams<I, O>, [[f32; O]; O], [[f32; I]; I]);

/// A dense layer of I inputs and O outputs with an activation, as a type.
#[derive(Debug, Clone, Copy)]
pub struct Dense<const I: usize, const O: usize, A = Identity>(PhantomData<A>);

impl<const I: usize, const O: usize, A: Activate> Layers for Dense<I, O, A> {
    type In = Width<I>;
    type Out = Width<O>;
    type Params = DenseParams<I, O>;
    type Activations<const B: usize> = [[f32; O]; B];
    const DEPTH: usize = {
        assert!(I > 0 && O > 0, "a dense layer needs at least one input and one output");
        1
    };
    const TENSORS: usize = 2;
    const LOWEST: usize = 0;

    fn shape(_: usize) -> Shape {
        Shape { inputs: I, outputs: O, activation: A::ACTIVATION }
    }
    // As a value, so that its code is in a program once for all shapes.
    fn visit<V: Visitor>(l: usize, first: usize, visitor: V) -> V::Output {
        visitor.visit(&ByValue(Self::shape(l)), first)
    }
}

/// A dense layer whose shape is a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ByValue(pub Shape);

impl ByValue {
    /// Lengths of its tensors.
    #[must_use]
    pub const fn lengths(&self) -> [usize; 2] {
        [self.0.inputs * self.0.outputs, self.0.outputs]
    }
}

impl Layer for ByValue {
    fn shape(&self) -> Shape {
        self.0
    }

    fn tensors(&self) -> usize {
        2
    }

    fn parameters(&self) -> usize {
        let [weights, bias] = self.lengths();
        weights + bias
    }

    fn describe(&self, digest: &mut Digest) {
        let Shape { inputs, outputs, activation } = self.0;
        digest.kind(activation.name());
        digest.word(inputs as u32);
        digest.word(outputs as u32);
    }

    fn initialize<P: Tensors>(&self, own: OwnMut<'_, P>, rng: &mut Rng) {
        initialize(own, self.0.inputs, self.0.activation, rng);
    }

    fn forward<P: Tensors>(
        &self,
        kernels: &impl Kernels,
        own: Own<'_, P>,
        inputs: Rows<'_>,
        n: usize,
        out: &mut [f32],
    ) {
        kernels.forward(own.tensor(0), own.tensor(1), inputs, n, out);
    }

    fn gradient<P: Tensors>(
        &self,
        kernels: &impl Kernels,
        _: Own<'_, P>,
        errors: &[f32],
        inputs: Rows<'_>,
        n: usize,
        mut gradient: OwnMut<'_, P>,
    ) {
        kernels.weight_gradient(errors, inputs, n, self.0.outputs, gradient.tensor(0));
        kernels.bias_gradient(errors, n, gradient.tensor(1));
    }

    fn input_error<P: Tensors>(
        &self,
        kernels: &impl Kernels,
        own: Own<'_, P>,
        errors: &[f32],
        n: usize,
        below: Activation,
        x: &mut [f32],
    ) {
        kernels.input_error(own.tensor(0), errors, n, [self.0.inputs, self.0.outputs], below, x);
    }

    fn descend<P: Tensors, const K: usize>(
        &self,
        errors: &[f32],
        inputs: Inputs<'_>,
        n: usize,
        motion: &impl Motion<K>,
        mut own: Moving<'_, P, K>,
        columns: &mut [impl AsMut<[f32]>; NARROW],
    ) {
        let Shape { inputs: width, outputs, .. } = self.0;
        match inputs {
            Inputs::Rows(rows) => descend(errors, rows, n, outputs, motion, own.part(0)),
            Inputs::Activations { x, below } => {
                descend_through(
                    errors,
                    x,
                    below,
                    [n, width, outputs],
                    motion,
                    own.part(0),
                    columns.each_mut().map(AsMut::as_mut),
                );
            }
        }
        descend_bias(errors, n, motion, own.part(1));
    }

    fn terms<P: Tensors>(&self, _: Own<'_, P>) -> f32 {
        1.0
    }

    fn growth<P: Tensors>(&self, own: Own<'_, P>) -> f32 {
        widest_column(own.tensor(0), self.0.inputs)
    }
}
