//! Feed-forward networks: a multilayer perceptron of any depth and width, and layers over a series in time or over an image.
//!
//! ```text
//! a_0 = x      a_l = act_l(z_l(a_{l-1}))      loss_s = loss(a_depth, target_s)
//! ```
//!
//! with the gradient by backpropagation (Rumelhart, Hinton, Williams 1986). z is the [`Layer`]'s: [`dense`], W a + b, or
//! [`conv1d`], [`depthwise`], [`pool`], [`gru`] over a series, or [`conv2d`], [`depthwise2d`], [`pool2d`] over an image; [`frozen`] has any of them with parameters in flash that are not trained. What a network
//! looks like is a [`Network`]: [`Fixed`] names it by a type, such as `chain![Dense<784, 20, Sigmoid>, Dense<20, 10>]` or
//! `chain![100 x 6 => conv1d(8, 5, 2, 0, Relu), average_pool(4), dense(4)]` for windows of 100 samples of six sensors, or
//! `chain![28 x 28 x 1 => conv2d(8, 3, 2, 1, Relu), max_pool2d(2), dense(10)]` for images of one channel, and then all memory is known at compile time. Kernels take slices, so that they exist once in a program; those of a layer that a program does
//! not use are not in it.
//!
//! Memory per batch of B examples: B times the sum of the layers' outputs, and for a recurrent layer of all its states. The error of a layer is written over its
//! activations, which are not needed any more by then. A [`Descent`] needs no memory for a gradient.

pub mod activation;
mod chain;
pub mod conv1d;
pub mod conv2d;
pub mod dense;
pub mod depthwise;
pub mod depthwise2d;
pub mod descent;
pub mod frozen;
pub mod gru;
pub mod huber;
pub mod kernels;
pub mod layer;
pub mod loss;
pub mod network;
mod passes;
pub mod patches;
pub mod pool;
pub mod pool2d;
pub mod soft_cross_entropy;
pub mod windows;

pub use activation::{Activation, Identity, Relu, Sigmoid, Tanh};
pub use conv1d::{Conv1d, Conv1dParams};
pub use conv2d::{Conv2d, Conv2dParams};
pub use dense::{Dense, DenseParams};
pub use depthwise::{Depthwise, DepthwiseParams};
pub use depthwise2d::{Depthwise2d, Depthwise2dParams};
pub use descent::Descent;
pub use frozen::Frozen;
pub use gru::{GateParams, Gru, GruParams};
pub use kernels::{Kernels, Portable};
pub use layer::{Layer, Shape};
pub use loss::Loss;
pub use network::{Fixed, Image, Network, Series, Width};
pub use patches::Filter;
pub use pool::{AveragePool1d, MaxPool1d};
pub use pool2d::{AveragePool2d, MaxPool2d};
pub use soft_cross_entropy::balanced_weights;

use super::{Blank, Objective};
use crate::batch::{Batch, Rows};
use crate::error::Error;
use crate::persist::{Digest, Fingerprint};
use crate::rng::Rng;
use crate::tensors::Tensors;
use passes::{Backward, Describe, Forward, Initialize, Parameters};

/// A feed-forward network with a loss: a multilayer perceptron, or one of any [layers](Layer).
///
/// ```
/// use lgl2o::chain;
/// use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp, Sigmoid};
/// // 784-20-10 with sigmoid units, for batches of up to 128 examples.
/// type Digits = Fixed<chain![Dense<784, 20, Sigmoid>, Dense<20, 10>], 128>;
/// let optimizee = Mlp::new(Digits::new(), Loss::CrossEntropy);
/// assert_eq!(optimizee.parameters(), 15_910);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Mlp<N> {
    network: N,
    loss: Loss,
}

impl<N: Network> Mlp<N> {
    /// The perceptron of a network and a loss.
    #[must_use]
    pub const fn new(network: N, loss: Loss) -> Self {
        Self { network, loss }
    }

    /// What the network looks like.
    pub const fn network(&self) -> &N {
        &self.network
    }

    /// What its outputs are compared with.
    pub const fn loss(&self) -> Loss {
        self.loss
    }

    /// How many parameters there are.
    pub fn parameters(&self) -> usize {
        (0..self.network.depth()).map(|l| self.network.visit(l, Parameters)).sum()
    }

    /// Draws initial parameters: biases zero, weights uniform in +-a.
    ///
    /// a = sqrt(3 / f) for f numbers that an output is made of, so that their variance is 1 / f (LeCun, Bottou, Orr, Mueller,
    /// "Efficient BackProp", 1998), or sqrt(6 / f) before a ReLU (He et al. 2015).
    pub fn initialize(&self, params: &mut N::Params, rng: &mut Rng) {
        for l in 0..self.network.depth() {
            self.network.visit(l, Initialize { params: &mut *params, rng: &mut *rng });
        }
    }

    /// Writes the network's outputs for each row of inputs to the last tensor of `activations`; returns that tensor.
    ///
    /// # Errors
    /// [`Error::EmptyBatch`], [`Error::BatchTooLarge`], or [`Error::ShapeMismatch`] for rows of another width and for a row
    /// that is picked and not there.
    pub fn outputs<'s>(
        &self,
        activations: &'s mut N::Activations,
        params: &N::Params,
        inputs: Rows<'_>,
    ) -> Result<&'s mut [f32], Error> {
        let first = self.network.layer(0);
        inputs.check("an input row", first.inputs)?;
        match inputs.count() {
            0 => return Err(Error::EmptyBatch),
            n if n > self.network.capacity() => {
                return Err(Error::BatchTooLarge { examples: n, capacity: self.network.capacity() });
            }
            n => self.forward(activations, params, inputs, n),
        }
        let last = self.network.layer(self.network.depth() - 1);
        let top = activations.tensor_mut(self.network.depth() - 1);
        Ok(top.get_mut(..inputs.count() * last.outputs).unwrap_or_default())
    }

    /// Checks a batch against the network and the loss; returns the number of examples.
    fn check(&self, batch: &Batch<'_>) -> Result<usize, Error> {
        let depth = self.network.depth();
        let (first, last) = (self.network.layer(0), self.network.layer(depth.saturating_sub(1)));
        self.loss.check(&batch.targets, last.outputs)?;
        batch.check(first.inputs, last.outputs, self.network.capacity())
    }

    /// Activations of all layers for the n rows of inputs.
    fn forward(&self, activations: &mut N::Activations, params: &N::Params, inputs: Rows<'_>, n: usize) {
        let kernels = self.network.kernels();
        for l in 0..self.network.depth() {
            self.network.visit(l, Forward { kernels, activations: &mut *activations, params, inputs, n, l });
        }
    }

    /// Losses of a batch, and in place of the top layer's activations its errors.
    fn errors(
        &self,
        activations: &mut N::Activations,
        params: &N::Params,
        batch: &Batch<'_>,
        losses: &mut [f32],
    ) -> Result<usize, Error> {
        let n = self.check(batch)?;
        self.forward(activations, params, batch.inputs, n);
        let top = self.network.depth() - 1;
        let (layer, outputs) = (self.network.layer(top), activations.tensor_mut(top));
        self.loss.errors(self.network.kernels(), outputs, layer.outputs, &batch.targets, n, layer.activation, losses);
        Ok(n)
    }

    /// Turns the errors of the top layer, and then those of each layer, into its gradient and the
    /// errors of the layer below.
    fn backward(
        &self,
        activations: &mut N::Activations,
        params: &N::Params,
        batch: &Batch<'_>,
        n: usize,
        gradient: &mut N::Params,
    ) {
        let (kernels, lowest) = (self.network.kernels(), self.network.lowest());
        for l in (lowest..self.network.depth()).rev() {
            let below = (l > lowest).then(|| self.network.layer(l - 1).activation);
            let (activations, gradient) = (&mut *activations, &mut *gradient);
            self.network
                .visit(l, Backward { kernels, activations, params, inputs: batch.inputs, n, l, gradient, below });
        }
    }
}

/// Loss and layers. The largest batch that fits is not part of it.
impl<N: Network> Fingerprint for Mlp<N> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("mlp");
        self.loss.describe(digest);
        for l in 0..self.network.depth() {
            self.network.visit(l, Describe(&mut *digest));
        }
    }
}

impl<N: Network> Objective for Mlp<N> {
    type Params = N::Params;
    type Batch<'a> = Batch<'a>;
    type Scratch = N::Activations;
    type Losses = N::Losses;

    fn losses(
        &self,
        activations: &mut N::Activations,
        params: &N::Params,
        batch: Batch<'_>,
        losses: &mut N::Losses,
    ) -> Result<usize, Error> {
        let n = self.check(&batch)?;
        self.forward(activations, params, batch.inputs, n);
        let top = self.network.depth() - 1;
        let outputs = self.network.layer(top).outputs;
        let kernels = self.network.kernels();
        self.loss.losses(kernels, activations.tensor_mut(top), outputs, &batch.targets, n, losses.as_mut());
        Ok(n)
    }

    fn gradient(
        &self,
        activations: &mut N::Activations,
        params: &N::Params,
        batch: Batch<'_>,
        losses: &mut N::Losses,
        gradient: &mut N::Params,
    ) -> Result<usize, Error> {
        let n = self.errors(activations, params, &batch, losses.as_mut())?;
        self.backward(activations, params, &batch, n, gradient);
        Ok(n)
    }
}

impl<N: network::BlankNetwork> Blank for Mlp<N> {
    fn blank_params(&self) -> N::Params {
        self.network.blank_params()
    }
    fn blank_scratch(&self) -> N::Activations {
        self.network.blank_activations()
    }
    fn blank_losses(&self) -> N::Losses {
        self.network.blank_losses()
    }
}
