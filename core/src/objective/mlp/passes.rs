//! What a perceptron does with each of its layers, whatever their types.

use super::activation::Activation;
use super::kernels::Kernels;
use super::layer::{Layer, Motion, Moving, NARROW, Own, OwnMut, Shape, Visitor};
use crate::batch::Rows;
use crate::persist::Digest;
use crate::rng::Rng;
use crate::rule::State;
use crate::tensors::Tensors;

/// How many parameters the layer has.
pub(super) struct Parameters;

impl Visitor for Parameters {
    type Output = usize;

    fn visit(self, layer: &impl Layer, _: usize) -> usize {
        layer.parameters()
    }
}

/// Kind and shape of the layer, for a fingerprint.
pub(super) struct Describe<'a>(pub(super) &'a mut Digest);

impl Visitor for Describe<'_> {
    type Output = ();

    fn visit(self, layer: &impl Layer, _: usize) {
        layer.describe(self.0);
    }
}

/// Initial parameters.
pub(super) struct Initialize<'a, P> {
    pub(super) params: &'a mut P,
    pub(super) rng: &'a mut Rng,
}

impl<P: Tensors> Visitor for Initialize<'_, P> {
    type Output = ();

    fn visit(self, layer: &impl Layer, first: usize) {
        layer.initialize(OwnMut::new(self.params, first), self.rng);
    }
}

/// Activations of layer `l`, from those of the layer below, or from `inputs`.
pub(super) struct Forward<'a, K, P, A> {
    pub(super) kernels: &'a K,
    pub(super) activations: &'a mut A,
    pub(super) params: &'a P,
    pub(super) inputs: Rows<'a>,
    pub(super) n: usize,
    pub(super) l: usize,
}

impl<K: Kernels, P: Tensors, A: Tensors> Visitor for Forward<'_, K, P, A> {
    type Output = ();

    fn visit(self, layer: &impl Layer, first: usize) {
        let Self { kernels, activations, params, inputs, n, l } = self;
        let (own, Shape { inputs: width, outputs, activation }) = (Own::new(params, first), layer.shape());
        match l.checked_sub(1) {
            None => layer.forward(kernels, own, inputs, n, activations.tensor_mut(0)),
            Some(below) => {
                let (below, above) = activations.neighbours_mut(below);
                layer.forward(kernels, own, Rows::all(below, width), n, above);
            }
        }
        let used = n * outputs;
        kernels.activate(activation, activations.tensor_mut(l).get_mut(..used).unwrap_or(&mut []));
    }
}

/// The gradient of layer `l` from its errors; and in place of the activations of the layer below, if their function is said,
/// its errors.
pub(super) struct Backward<'a, K, P, A> {
    pub(super) kernels: &'a K,
    pub(super) activations: &'a mut A,
    pub(super) params: &'a P,
    pub(super) inputs: Rows<'a>,
    pub(super) n: usize,
    pub(super) l: usize,
    pub(super) gradient: &'a mut P,
    pub(super) below: Option<Activation>,
}

impl<K: Kernels, P: Tensors, A: Tensors> Visitor for Backward<'_, K, P, A> {
    type Output = ();

    fn visit(self, layer: &impl Layer, first: usize) {
        let Self { kernels, activations, params, inputs, n, l, gradient, below } = self;
        let gradient = OwnMut::new(gradient, first);
        let Some(x) = l.checked_sub(1) else {
            return layer.gradient(kernels, activations.tensor(0), inputs, n, gradient);
        };
        let (x, errors) = activations.neighbours_mut(x);
        layer.gradient(kernels, errors, Rows::all(x, layer.shape().inputs), n, gradient);
        if let Some(below) = below {
            layer.input_error(kernels, Own::new(params, first), errors, n, below, x);
        }
    }
}

/// Moves the parameters of layer `l` by their gradient; and as [`Backward`].
pub(super) struct Descend<'a, M, P, A, const K: usize> {
    pub(super) motion: &'a M,
    pub(super) activations: &'a mut A,
    pub(super) params: &'a mut P,
    pub(super) state: &'a mut State<P, K>,
    pub(super) inputs: Rows<'a>,
    pub(super) n: usize,
    pub(super) l: usize,
    pub(super) below: Option<Activation>,
    pub(super) columns: [&'a mut [f32]; NARROW],
}

impl<M: Motion<K>, P: Tensors, A: Tensors, const K: usize> Visitor for Descend<'_, M, P, A, K> {
    type Output = ();

    fn visit(self, layer: &impl Layer, first: usize) {
        let Self { motion, activations, params, state, inputs, n, l, below, columns } = self;
        let own = Moving::new(params, state, first);
        let Some(x) = l.checked_sub(1) else {
            return layer.descend(activations.tensor(0), inputs, n, motion, own);
        };
        let (x, errors) = activations.neighbours_mut(x);
        match below {
            Some(below) => layer.descend_through(errors, x, below, n, motion, own, columns),
            None => layer.descend(errors, Rows::all(x, layer.shape().inputs), n, motion, own),
        }
    }
}

/// [`Layer::terms`] and, if there are layers to train below it, [`Layer::growth`].
pub(super) struct Bounds<'a, P> {
    pub(super) params: &'a P,
    pub(super) through: bool,
}

impl<P: Tensors> Visitor for Bounds<'_, P> {
    type Output = (usize, f32);

    fn visit(self, layer: &impl Layer, first: usize) -> (usize, f32) {
        let growth = if self.through { layer.growth(Own::new(self.params, first)) } else { 0.0 };
        (layer.terms(), growth)
    }
}
