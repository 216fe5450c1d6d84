//! Fallbacks that always lose. Learned rules that do everything wrong are in [`lgl2o::fault`].

use lgl2o::rule::{Probe, Rule, State};
use lgl2o::tensors::Tensors;

/// A fallback that always lands at one and the same bad point: all zero but for the last tensor, which holds
/// `height`, `-height`, `height`, ...
///
/// As biases of a classifier's outputs, that is a loss of 2 `height` for every example of the second class. With
/// [`f32::MAX`] the point is finite, but its losses are not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terrible {
    /// How bad.
    pub height: f32,
}

impl Rule for Terrible {
    type State<P: Tensors> = State<P, 0>;

    fn state<P: Tensors>(&self, like: &P) -> State<P, 0> {
        State::like(like)
    }

    fn step<P: Tensors>(&self, state: &mut State<P, 0>, params: &mut P, _: &P, _: f32, _: &mut impl Probe<P>) {
        state.count();
        params.fill(0.0);
        let last = params.count() - 1;
        for (i, w) in params.tensor_mut(last).iter_mut().enumerate() {
            *w = if i % 2 == 0 { self.height } else { -self.height };
        }
    }

    fn observe<P: Tensors>(&self, state: &mut State<P, 0>, _: &P, _: &P) {
        state.count();
    }
}
