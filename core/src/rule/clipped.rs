//! Gradient clipping by the global norm, for any rule.
//!
//! ```text
//! g <- g min(1, c / ||g||),   ||g|| over all parameters together
//! ```
//!
//! (Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks", ICML 2013, algorithm 1.) One
//! bad batch moves the parameters of [`Sgd`](super::Sgd) by at most rate c. A gradient of at most this norm passes
//! through bit for bit, and so does one that holds a NaN. One that is finite, but too long for the square of its norm
//! to be a number, becomes 0.
//!
//! The norm is in the loss's unit, so that it is a number to set; a rule without a scale needs no clipping.
//!
//! State: the inner rule's; and one slot of working memory for the shorter gradient, which a checkpoint does not hold.

use super::working::Working;
use super::{Probe, Rule, range};
use crate::error::Error;
use crate::math;
use crate::persist::{Digest, Fingerprint};
use crate::tensors::Tensors;

/// A rule that sees no gradient longer than a given norm.
///
/// ```
/// use lgl2o::rule::{Clipped, Sgd};
/// let rule = Clipped::new(Sgd::new(0.1), 1.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Clipped<R> {
    /// The rule that moves the parameters.
    pub rule: R,
    /// The greatest norm that it sees, above 0.
    pub norm: f32,
}

impl<R> Clipped<R> {
    /// The rule with gradients of at most this norm.
    pub const fn new(rule: R, norm: f32) -> Self {
        Self { rule, norm }
    }

    /// The gradient, or a shorter one in `scaled`.
    fn clip<'g, P: Tensors>(&self, gradient: &'g P, scaled: &'g mut P) -> &'g P {
        let norm = math::sqrt(gradient.squares());
        // Not of a NaN.
        if norm > self.norm {
            let factor = self.norm / norm;
            for i in 0..scaled.count() {
                for (to, &g) in scaled.tensor_mut(i).iter_mut().zip(gradient.tensor(i)) {
                    *to = g * factor;
                }
            }
            scaled
        } else {
            gradient
        }
    }
}

impl<R: Fingerprint> Fingerprint for Clipped<R> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("clipped");
        self.rule.describe(digest);
        digest.numbers([self.norm]);
    }
}

impl<R: Rule> Rule for Clipped<R> {
    type State<P: Tensors> = Working<P, R::State<P>>;

    fn check(&self) -> Result<(), Error> {
        range::positive(self.norm, "the norm that gradients are clipped to must be finite and above 0")?;
        self.rule.check()
    }

    fn probes(&self) -> bool {
        self.rule.probes()
    }

    fn has_gradient_point(&self) -> bool {
        self.rule.has_gradient_point()
    }

    fn gradient_point<'s, P: Tensors>(&self, state: &'s Self::State<P>) -> Option<&'s P> {
        self.rule.gradient_point(&state.inner)
    }

    fn moved<P: Tensors>(&self, state: &mut Self::State<P>) {
        self.rule.moved(&mut state.inner);
    }

    fn shorten<P: Tensors>(&self, state: &mut Self::State<P>) {
        self.rule.shorten(&mut state.inner);
    }

    fn state<P: Tensors>(&self, like: &P) -> Self::State<P> {
        Working::new(self.rule.state(like), like)
    }

    fn step<P: Tensors>(
        &self,
        state: &mut Self::State<P>,
        params: &mut P,
        gradient: &P,
        loss: f32,
        probe: &mut impl Probe<P>,
    ) {
        let Working { inner, gradient: scaled } = state;
        self.rule.step(inner, params, self.clip(gradient, scaled), loss, probe);
    }

    fn velocities<'s, P: Tensors>(&self, state: &'s mut Self::State<P>) -> &'s mut [P] {
        self.rule.velocities(&mut state.inner)
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, params: &P, gradient: &P, loss: f32) {
        let Working { inner, gradient: scaled } = state;
        self.rule.observe(inner, params, self.clip(gradient, scaled), loss);
    }
}
