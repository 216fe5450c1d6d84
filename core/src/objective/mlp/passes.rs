//! What a perceptron does with each of its layers, whatever their types.

use super::activation::Activation;
use super::kernels::Kernels;
use super::layer::{Inputs, Layer, Motion, Moving, NARROW, Own, OwnMut, Shape, Visitor};
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

    // Inlined, so that a program has the activations alone that its layers have.
    #[inline(always)]
    fn visit(self, layer: &impl Layer, first: usize) {
        let Self { kernels, activations, params, inputs, n, l } = self;
        let Shape { inputs: width, outputs, activation } = layer.shape();
        let (below, out) = both(activations, l);
        let inputs = if l == 0 { inputs } else { Rows::all(below, width) };
        layer.forward(kernels, Own::new(params, first), inputs, n, out);
        kernels.activate(activation, out.get_mut(..n * outputs).unwrap_or(&mut []));
    }
}

/// The activations of the layer below layer `l`, and those of layer `l`. Below the first one there are none.
fn both<A: Tensors>(activations: &mut A, l: usize) -> (&mut [f32], &mut [f32]) {
    match l.checked_sub(1) {
        None => (&mut [], activations.tensor_mut(0)),
        Some(below) => activations.neighbours_mut(below),
    }
}

/// What layer `l` had for inputs: activations x of the layer below, to take its errors if their function is said.
fn inputs_of<'a>(
    layer: &impl Layer,
    l: usize,
    rows: Rows<'a>,
    x: &'a mut [f32],
    below: Option<Activation>,
) -> Inputs<'a> {
    match below {
        Some(below) => Inputs::Activations { x, below },
        None if l == 0 => Inputs::Rows(rows),
        None => Inputs::Rows(Rows::all(x, layer.shape().inputs)),
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
        let (x, errors) = both(activations, l);
        let inputs = inputs_of(layer, l, inputs, x, below);
        layer.backward(kernels, Own::new(params, first), errors, inputs, n, OwnMut::new(gradient, first));
    }
}

/// Moves the parameters of layer `l` by their gradient; and as [`Backward`].
pub(super) struct Descend<'a, M, P, A, C, const K: usize> {
    pub(super) motion: &'a M,
    pub(super) activations: &'a mut A,
    pub(super) params: &'a mut P,
    pub(super) state: &'a mut State<P, K>,
    pub(super) inputs: Rows<'a>,
    pub(super) n: usize,
    pub(super) l: usize,
    pub(super) below: Option<Activation>,
    pub(super) columns: &'a mut [C; NARROW],
}

impl<M: Motion<K>, P: Tensors, A: Tensors, C: AsMut<[f32]>, const K: usize> Visitor for Descend<'_, M, P, A, C, K> {
    type Output = ();

    // On a device once for all layers of a kind, not once for each.
    #[cfg_attr(target_os = "none", inline(never))]
    fn visit(self, layer: &impl Layer, first: usize) {
        let Self { motion, activations, params, state, inputs, n, l, below, columns } = self;
        let (x, errors) = both(activations, l);
        let inputs = inputs_of(layer, l, inputs, x, below);
        layer.descend(errors, inputs, n, motion, Moving::new(params, state, first), columns);
    }
}

/// [`Layer::terms`] and, if there are layers to train below it, [`Layer::growth`].
pub(super) struct Bounds<'a, P> {
    pub(super) params: &'a P,
    pub(super) through: bool,
}

impl<P: Tensors> Visitor for Bounds<'_, P> {
    type Output = (f32, f32);

    fn visit(self, layer: &impl Layer, first: usize) -> (f32, f32) {
        let own = Own::new(self.params, first);
        (layer.terms(own), if self.through { layer.growth(own) } else { 0.0 })
    }
}
