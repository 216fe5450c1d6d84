//! What a layer is: its shape as values, and its computations over slices.
//!
//! A layer's type, such as [`Dense`](super::Dense) or [`Conv1d`](super::Conv1d), stands in one file with its parameters and its
//! [`Layer`]. Nothing outside it knows how many tensors it has or what they mean. All layers keep to one convention: a layer's
//! *error* is d loss / d pre-activation, and is written over its activations.
//!
//! A [network](super::Network) hands each of its layers to a [`Visitor`], whatever their types are, so that what is done with
//! all layers is written once.

use super::activation::Activation;
use super::kernels::Kernels;
use crate::batch::Rows;
use crate::math;
use crate::persist::Digest;
use crate::rng::Rng;
use crate::rule::State;
use crate::tensors::Tensors;

/// Columns of the errors of a layer below that [`Layer::descend`] has memory for.
pub const NARROW: usize = 8;

/// What goes into a layer, and out of it, for one example.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Shape {
    /// Numbers that come in.
    pub inputs: usize,
    /// Numbers that go out.
    pub outputs: usize,
    /// The activation that is applied to them.
    pub activation: Activation,
}

/// The tensors of one layer among those of a network.
#[derive(Debug)]
pub struct Own<'a, P> {
    all: &'a P,
    first: usize,
}

impl<P> Clone for Own<'_, P> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<P> Copy for Own<'_, P> {}

impl<'a, P: Tensors> Own<'a, P> {
    /// The tensors from number `first` on.
    pub const fn new(all: &'a P, first: usize) -> Self {
        Self { all, first }
    }

    /// The layer's tensor number `i`.
    #[must_use]
    pub fn tensor(&self, i: usize) -> &'a [f32] {
        self.all.tensor(self.first + i)
    }
}

/// [`Own`], to write to.
#[derive(Debug)]
pub struct OwnMut<'a, P> {
    all: &'a mut P,
    first: usize,
}

impl<'a, P: Tensors> OwnMut<'a, P> {
    /// The tensors from number `first` on.
    pub const fn new(all: &'a mut P, first: usize) -> Self {
        Self { all, first }
    }

    /// The layer's tensor number `i`.
    pub fn tensor(&mut self, i: usize) -> &mut [f32] {
        self.all.tensor_mut(self.first + i)
    }
}

/// The tensors of one layer and their part of each of K accumulators, to move.
#[derive(Debug)]
pub struct Moving<'a, P, const K: usize> {
    params: &'a mut P,
    state: &'a mut State<P, K>,
    first: usize,
}

impl<'a, P: Tensors, const K: usize> Moving<'a, P, K> {
    /// The tensors from number `first` on.
    pub const fn new(params: &'a mut P, state: &'a mut State<P, K>, first: usize) -> Self {
        Self { params, state, first }
    }

    /// The layer's tensors, to read.
    #[must_use]
    pub const fn own(&self) -> Own<'_, P> {
        Own::new(self.params, self.first)
    }

    /// The layer's tensor number `i`.
    pub fn part(&mut self, i: usize) -> Part<'_, K> {
        let i = self.first + i;
        Part { weights: self.params.tensor_mut(i), slots: self.state.slots.each_mut().map(|slot| slot.tensor_mut(i)) }
    }
}

/// A tensor of parameters, and its part of each of K accumulators.
#[derive(Debug)]
pub struct Part<'a, const K: usize> {
    /// The parameters.
    pub weights: &'a mut [f32],
    /// The accumulators, each as long as the parameters.
    pub slots: [&'a mut [f32]; K],
}

impl<const K: usize> Part<'_, K> {
    /// Moves the numbers from `at` on, as many as there are in `gradient`.
    // On a device once, for all that call it.
    #[cfg_attr(target_os = "none", inline(never))]
    pub fn advance(&mut self, motion: &impl Motion<K>, at: usize, gradient: &[f32]) {
        let range = at..at.saturating_add(gradient.len());
        let slots = self.slots.each_mut().map(|slot| slot.get_mut(range.clone()).unwrap_or_default());
        motion(self.weights.get_mut(range).unwrap_or_default(), slots, gradient);
    }
}

/// What a layer had for inputs, on the way back.
#[derive(Debug)]
pub enum Inputs<'a> {
    /// Rows, to read alone.
    Rows(Rows<'a>),
    /// The activations of the layer below, by this function, to take its errors.
    Activations {
        /// The activations, and then the errors.
        x: &'a mut [f32],
        /// Their function.
        below: Activation,
    },
}

/// How a rule moves some parameters with their accumulators, given their gradient: what a
/// [`Coordinatewise`](crate::rule::Coordinatewise) rule returns.
pub trait Motion<const K: usize>: Fn(&mut [f32], [&mut [f32]; K], &[f32]) {}

impl<const K: usize, F: Fn(&mut [f32], [&mut [f32]; K], &[f32])> Motion<K> for F {}

/// One layer.
///
/// Inputs are n rows of [`Shape::inputs`] numbers, outputs n rows of [`Shape::outputs`]; `own` has the layer's tensors of the
/// parameters. Slices that are too short leave numbers unwritten; none panics.
pub trait Layer {
    /// What goes in and out.
    fn shape(&self) -> Shape;

    /// How many tensors of parameters it has.
    fn tensors(&self) -> usize;

    /// How many parameters it has.
    fn parameters(&self) -> usize;

    /// Its kind and its shape, for a fingerprint.
    fn describe(&self, digest: &mut Digest);

    /// Draws initial parameters.
    fn initialize<P: Tensors>(&self, own: OwnMut<'_, P>, rng: &mut Rng);

    /// Writes the pre-activations of n examples, and behind them what the way back needs, where the layer's memory has room for more.
    fn forward<P: Tensors>(&self, kernels: &impl Kernels, own: Own<'_, P>, inputs: Rows<'_>, n: usize, out: &mut [f32]);

    /// Writes the gradient, from the errors of n examples and their inputs. Behind the errors stands what [`forward`](Self::forward)
    /// wrote behind the pre-activations.
    fn gradient<P: Tensors>(
        &self,
        kernels: &impl Kernels,
        own: Own<'_, P>,
        errors: &[f32],
        inputs: Rows<'_>,
        n: usize,
        gradient: OwnMut<'_, P>,
    );

    /// Writes the errors of the layer below, whose activation is `below`, over its activations x, the inputs here.
    fn input_error<P: Tensors>(
        &self,
        kernels: &impl Kernels,
        own: Own<'_, P>,
        errors: &[f32],
        n: usize,
        below: Activation,
        x: &mut [f32],
    );

    /// Both: writes the gradient, and where the inputs are the activations of a layer below, its errors over them.
    fn backward<P: Tensors>(
        &self,
        kernels: &impl Kernels,
        own: Own<'_, P>,
        errors: &[f32],
        inputs: Inputs<'_>,
        n: usize,
        gradient: OwnMut<'_, P>,
    ) {
        match inputs {
            Inputs::Rows(rows) => self.gradient(kernels, own, errors, rows, n, gradient),
            Inputs::Activations { x, below } => {
                self.gradient(kernels, own, errors, Rows::all(x, self.shape().inputs), n, gradient);
                self.input_error(kernels, own, errors, n, below, x);
            }
        }
    }

    /// Moves the parameters by their gradient, with no memory for the gradient of the network; and where the inputs are the
    /// activations of a layer below, writes that layer's errors over them, by the parameters as they were. The bits are those of
    /// [`gradient`](Self::gradient), [`input_error`](Self::input_error) and one motion. `columns` is working memory, each as long as
    /// there are examples.
    fn descend<P: Tensors, const K: usize>(
        &self,
        errors: &[f32],
        inputs: Inputs<'_>,
        n: usize,
        motion: &impl Motion<K>,
        own: Moving<'_, P, K>,
        columns: &mut [impl AsMut<[f32]>; NARROW],
    );

    /// How many products of an example each number of the gradient sums up, at most, where no error is larger than those from above; if
    /// errors grow in the layer, so many times more.
    fn terms<P: Tensors>(&self, own: Own<'_, P>) -> f32;

    /// How many times as large as the largest error the largest error of the layer below can be, at most.
    fn growth<P: Tensors>(&self, own: Own<'_, P>) -> f32;
}

/// What is done with a layer, whatever its type.
pub trait Visitor {
    /// What comes of it.
    type Output;

    /// Does it; the layer's tensors begin at number `first` of the network's.
    fn visit(self, layer: &impl Layer, first: usize) -> Self::Output;
}

/// Draws weights uniformly in +-a, and sets biases to zero.
///
/// a = sqrt(3 / f) for f numbers that each output is made of, so that the weights' variance is 1 / f (LeCun, Bottou, Orr,
/// Mueller, "Efficient BackProp", 1998), or sqrt(6 / f) before a ReLU (He et al. 2015).
pub(super) fn initialize<P: Tensors>(mut own: OwnMut<'_, P>, f: usize, activation: Activation, rng: &mut Rng) {
    let bound = math::sqrt(3.0 * activation.variance() / f as f32);
    for w in own.tensor(0) {
        *w = rng.range(-bound, bound);
    }
    own.tensor(1).fill(0.0);
}

/// The larger of two numbers that are not negative; a NaN is the largest.
pub(super) fn larger(a: f32, b: f32) -> f32 {
    // Their bits are in the numbers' order, those of infinity and NaN behind them.
    f32::from_bits(a.to_bits().max(b.to_bits()))
}

/// The largest sum of |w| in a column of a matrix.
pub(super) fn widest_column(weights: &[f32], width: usize) -> f32 {
    let column = |i| weights.get(i..).unwrap_or_default().iter().step_by(width.max(1));
    (0..width).fold(0.0, |most, i| larger(most, math::abs(column(i).fold(0.0, |sum, &w| sum + math::abs(w)))))
}
