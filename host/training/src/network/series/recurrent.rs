//! The gated recurrent unit (GRU) whose sizes are known at run time only. It uses the core's kernels, so the bits are those of
//! [`Gru`](lgl2o::objective::mlp::Gru), whose sizes are types.

use lgl2o::batch::Rows;
use lgl2o::objective::mlp::gru::{ROOM, Recurrence, Sizes};
use lgl2o::objective::mlp::layer::{Inputs, Motion, Moving, NARROW, Own, OwnMut};
use lgl2o::objective::mlp::{Activation, Kernels, Layer, Portable, Shape};
use lgl2o::persist::Digest;
use lgl2o::rng::Rng;
use lgl2o::tensors::Tensors;
use serde::{Deserialize, Serialize};

use crate::network::HeapTensors;

/// A series that goes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Steps {
    /// Times.
    pub time: usize,
    /// Numbers of each time.
    pub channels: usize,
}

/// A recurrent layer whose sizes are values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverTime {
    /// What goes in.
    pub steps: Steps,
    /// What goes in and out, as numbers; the outputs are the state.
    pub shape: Shape,
}

impl OverTime {
    const fn sizes(&self) -> Sizes {
        Sizes { time: self.steps.time, channels: self.steps.channels, units: self.shape.outputs }
    }

    /// Lengths of its tensors: weights and bias for the inputs, then for the state. No length is larger than a `usize`.
    #[must_use]
    pub fn lengths(&self) -> Vec<usize> {
        self.sizes().lengths().to_vec()
    }

    /// Numbers that an example takes: all states. No more than a `usize` holds.
    #[must_use]
    pub const fn activations(&self) -> usize {
        self.steps.time.saturating_mul(self.shape.outputs)
    }

    /// Whether its numbers go together, as the core asks at compile time of a layer whose sizes are types.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        const MOST: usize = u32::MAX as usize;
        let (Steps { time, channels }, Shape { inputs, outputs, activation }) = (self.steps, self.shape);
        let is_small = [time, channels, outputs].iter().all(|n| (1..=MOST).contains(n));
        is_small && time.checked_mul(channels) == Some(inputs) && activation == Activation::Identity
    }

    /// Working memory.
    fn room(&self) -> Vec<f32> {
        vec![0.0; ROOM * self.shape.outputs]
    }
}

impl Layer for OverTime {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn tensors(&self) -> usize {
        4
    }

    fn parameters(&self) -> usize {
        self.lengths().iter().fold(0, |sum: usize, n| sum.saturating_add(*n))
    }

    fn describe(&self, digest: &mut Digest) {
        self.sizes().describe(digest);
    }

    fn initialize<P: Tensors>(&self, own: OwnMut<'_, P>, rng: &mut Rng) {
        self.sizes().initialize(own, rng);
    }

    fn forward<P: Tensors>(&self, kernels: &impl Kernels, own: Own<'_, P>, rows: Rows<'_>, n: usize, out: &mut [f32]) {
        Recurrence { sizes: self.sizes(), kernels, own }.forward(rows, n, out, &mut self.room());
    }

    fn gradient<P: Tensors>(
        &self,
        kernels: &impl Kernels,
        own: Own<'_, P>,
        errors: &[f32],
        rows: Rows<'_>,
        n: usize,
        gradient: OwnMut<'_, P>,
    ) {
        self.backward(kernels, own, errors, Inputs::Rows(rows), n, gradient);
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
        let pass = Recurrence { sizes: self.sizes(), kernels, own };
        pass.backward(errors, Inputs::Activations { x, below }, n, None::<&mut OwnMut<'_, P>>, &mut self.room());
    }

    fn backward<P: Tensors>(
        &self,
        kernels: &impl Kernels,
        own: Own<'_, P>,
        errors: &[f32],
        inputs: Inputs<'_>,
        n: usize,
        mut gradient: OwnMut<'_, P>,
    ) {
        let pass = Recurrence { sizes: self.sizes(), kernels, own };
        pass.backward(errors, inputs, n, Some(&mut gradient), &mut self.room());
    }

    fn descend<P: Tensors, const K: usize>(
        &self,
        errors: &[f32],
        inputs: Inputs<'_>,
        n: usize,
        motion: &impl Motion<K>,
        mut own: Moving<'_, P, K>,
        _: &mut [impl AsMut<[f32]>; NARROW],
    ) {
        let mut gradient = HeapTensors::zeros(self.lengths());
        let pass = Recurrence { sizes: self.sizes(), kernels: &Portable, own: own.own() };
        pass.backward(errors, inputs, n, Some(&mut OwnMut::new(&mut gradient, 0)), &mut self.room());
        (0..4).for_each(|i| own.part(i).advance(motion, 0, gradient.tensor(i)));
    }

    fn terms<P: Tensors>(&self, own: Own<'_, P>) -> f32 {
        self.sizes().terms(own)
    }

    fn growth<P: Tensors>(&self, own: Own<'_, P>) -> f32 {
        self.sizes().growth(own)
    }
}
