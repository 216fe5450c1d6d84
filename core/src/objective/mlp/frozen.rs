//! Layers whose parameters stand in flash and are not trained: a backbone below a head that is.
//!
//! A frozen layer has no gradient, no accumulators and no parameters in memory, only activations. Nothing below the lowest layer
//! that is trained has its errors computed. A checkpoint leaves frozen parameters out, but its fingerprint takes all of them in,
//! so that a checkpoint of a head on another backbone is refused.
//!
//! ```
//! use lgl2o::chain;
//! use lgl2o::objective::mlp::frozen::Weights;
//! use lgl2o::objective::mlp::{Dense, DenseParams, Fixed, Frozen, Loss, Mlp, Tanh};
//!
//! /// Trained on a desktop; in flash.
//! static BACKBONE: DenseParams<2, 3> =
//!     DenseParams { weights: [[1.0, 0.5], [-0.5, 1.0], [0.25, -1.0]], bias: [0.0, 0.1, -0.1] };
//! struct Backbone;
//! impl Weights<DenseParams<2, 3>> for Backbone {
//!     fn weights() -> &'static DenseParams<2, 3> {
//!         &BACKBONE
//!     }
//! }
//!
//! type Net = Fixed<chain![Frozen<Dense<2, 3, Tanh>, Backbone>, Dense<3, 2>], 8>;
//! let net = Mlp::new(Net::new(), Loss::CrossEntropy);
//! assert_eq!(net.parameters(), 8); // of the head alone
//! ```
//!
//! (Yosinski et al., "How transferable are features in deep neural networks?", 2014.)

use core::marker::PhantomData;

use super::activation::Activation;
use super::kernels::{Kernels, Portable};
use super::layer::{Inputs, Layer, Motion, Moving, NARROW, Own, OwnMut, Shape, Visitor};
use super::network::Layers;
use crate::batch::Rows;
use crate::persist::Digest;
use crate::rng::Rng;
use crate::tensors::{Nothing, Tensors};

/// Where the parameters P of frozen layers stand, as a type.
pub trait Weights<P: 'static> {
    /// The parameters, such as those of a `static`. They must be the same ones in every call.
    fn weights() -> &'static P;
}

/// A layer, or a chain of layers, L, with the parameters W, that is not trained.
#[derive(Debug, Clone, Copy)]
pub struct Frozen<L, W>(PhantomData<(L, W)>);

impl<L: Layers, W: Weights<L::Params>> Layers for Frozen<L, W>
where
    L::Params: 'static,
{
    type In = L::In;
    type Out = L::Out;
    type Params = Nothing;
    type Activations<const B: usize> = L::Activations<B>;
    const DEPTH: usize = L::DEPTH;
    const TENSORS: usize = 0;
    const LOWEST: usize = L::DEPTH;

    fn shape(l: usize) -> Shape {
        L::shape(l)
    }
    fn visit<V: Visitor>(l: usize, _: usize, visitor: V) -> V::Output {
        L::visit(l, 0, Freeze { visitor, params: W::weights() })
    }
}

/// Shows a visitor each layer as a frozen one.
struct Freeze<V, P: 'static> {
    visitor: V,
    params: &'static P,
}

impl<V: Visitor, P: Tensors> Visitor for Freeze<V, P> {
    type Output = V::Output;

    fn visit(self, layer: &impl Layer, first: usize) -> V::Output {
        self.visitor.visit(&Still { layer, own: Own::new(self.params, first) }, 0)
    }
}

/// A layer with its parameters.
struct Still<'a, Y, Q> {
    layer: &'a Y,
    own: Own<'a, Q>,
}

impl<Y: Layer, Q: Tensors> Layer for Still<'_, Y, Q> {
    fn shape(&self) -> Shape {
        self.layer.shape()
    }

    fn tensors(&self) -> usize {
        0
    }

    fn parameters(&self) -> usize {
        0
    }

    fn describe(&self, digest: &mut Digest) {
        digest.kind("frozen");
        self.layer.describe(digest);
        (0..self.layer.tensors()).for_each(|i| digest.numbers(self.own.tensor(i).iter().copied()));
    }

    fn initialize<P: Tensors>(&self, _: OwnMut<'_, P>, _: &mut Rng) {}

    fn forward<P: Tensors>(&self, kernels: &impl Kernels, _: Own<'_, P>, inputs: Rows<'_>, n: usize, out: &mut [f32]) {
        self.layer.forward(kernels, self.own, inputs, n, out);
    }

    fn gradient<P: Tensors>(
        &self,
        _: &impl Kernels,
        _: Own<'_, P>,
        _: &[f32],
        _: Rows<'_>,
        _: usize,
        _: OwnMut<'_, P>,
    ) {
    }

    fn input_error<P: Tensors>(
        &self,
        kernels: &impl Kernels,
        _: Own<'_, P>,
        errors: &[f32],
        n: usize,
        below: Activation,
        x: &mut [f32],
    ) {
        self.layer.input_error(kernels, self.own, errors, n, below, x);
    }

    fn descend<P: Tensors, const K: usize>(
        &self,
        errors: &[f32],
        inputs: Inputs<'_>,
        n: usize,
        _: &impl Motion<K>,
        _: Moving<'_, P, K>,
        _: &mut [impl AsMut<[f32]>; NARROW],
    ) {
        match inputs {
            // Nothing to move, and nothing to train below.
            Inputs::Rows(_) => {}
            Inputs::Activations { x, below } => self.layer.input_error(&Portable, self.own, errors, n, below, x),
        }
    }

    fn terms<P: Tensors>(&self, _: Own<'_, P>) -> f32 {
        0.0
    }

    fn growth<P: Tensors>(&self, _: Own<'_, P>) -> f32 {
        self.layer.growth(self.own)
    }
}
