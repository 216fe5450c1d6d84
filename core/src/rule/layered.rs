//! The state of a rule that looks at layers as a whole: slots shaped like the parameters, and numbers for each layer.

use super::{RuleState, State};
use crate::math;
use crate::persist::Persist;
use crate::sum;
use crate::tensors::{Tensors, Zeroed};

/// The least rho: what the steps of a layer that starts from zero are a share of.
const RHO_FLOOR: f32 = 1e-3;

/// K slots shaped like the parameters P, and J numbers for each layer, L being [`Tensors::Layers`] of P.
///
/// `slots` counts the steps.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct LayeredState<P, L, const K: usize, const J: usize> {
    /// Accumulators shaped like the parameters.
    pub slots: State<P, K>,
    /// Numbers of layers; its count of steps stays 0.
    pub layers: State<L, J>,
}

impl<P: Tensors, const K: usize, const J: usize> LayeredState<P, P::Layers, K, J> {
    /// All zero, shaped like the given parameters.
    #[must_use]
    pub fn like(params: &P) -> Self {
        Self { slots: State::like(params), layers: State::like(&params.zero_layers()) }
    }
}

impl<P: Zeroed, L: Zeroed, const K: usize, const J: usize> Zeroed for LayeredState<P, L, K, J> {
    const ZERO: Self = Self { slots: State::ZERO, layers: State::ZERO };
}

/// Slots, then the numbers of layers.
impl<P: Tensors, L: Tensors, const K: usize, const J: usize> Persist for LayeredState<P, L, K, J> {
    crate::persist_fields!(slots, layers);
}

impl<P: Tensors, L: Tensors, const K: usize, const J: usize> RuleState for LayeredState<P, L, K, J> {
    fn reset(&mut self) {
        self.slots.reset();
        self.layers.reset();
    }
    fn copy_from(&mut self, other: &Self) {
        self.slots.copy_from(&other.slots);
        self.layers.copy_from(&other.layers);
    }
    fn is_finite(&self) -> bool {
        self.slots.is_finite() && self.layers.is_finite()
    }
}

/// The number of layer `l` in a slot of numbers; 0 where there is no such layer.
pub(crate) fn number(slot: &impl Tensors, l: usize) -> f32 {
    slot.tensor(l).first().copied().unwrap_or(0.0)
}

/// Sets the number of layer `l` in a slot of numbers.
pub(crate) fn set_number(slot: &mut impl Tensors, l: usize, to: f32) {
    slot.tensor_mut(l).iter_mut().for_each(|x| *x = to);
}

/// How many parameters layer `l` has; 1 for none, so that it can divide.
pub(crate) fn numbers_in<P: Tensors>(params: &P, l: usize) -> f32 {
    let n: usize = params.layer(l).map(|i| params.tensor(i).len()).sum();
    if n == 0 { 1.0 } else { n as f32 }
}

/// The root mean square of layer `l`.
fn rms_of<P: Tensors>(params: &P, l: usize) -> f32 {
    let squares = params.layer(l).fold(0.0, |sum, i| sum + sum::squares(params.tensor(i)));
    math::sqrt(squares / numbers_in(params, l))
}

/// rho of layer l, from the weights that it has in the first step.
pub(crate) fn initial_size<P: Tensors>(params: &P, l: usize) -> f32 {
    let rms = rms_of(params, l);
    if rms > RHO_FLOOR {
        rms
    } else if rms > 0.0 {
        RHO_FLOOR
    } else {
        usual_size(params, l)
    }
}

/// What the weights of layer l would have begun with: sqrt(outputs / weights), which is 1 / sqrt(inputs), in a dense layer.
fn usual_size<P: Tensors>(params: &P, l: usize) -> f32 {
    let (mut shortest, mut longest) = (usize::MAX, 1);
    for i in params.layer(l) {
        let n = params.tensor(i).len();
        shortest = if n < shortest { n } else { shortest };
        longest = if n > longest { n } else { longest };
    }
    if shortest > longest { 1.0 } else { math::sqrt(shortest as f32 / longest as f32) }
}
