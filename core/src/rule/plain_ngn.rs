//! Gradient descent with a non-negative Gauss-Newton rate (Orvieto and Xiao, "An adaptive stochastic gradient method with
//! non-negative Gauss-Newton stepsizes", 2024, arXiv 2407.04358, equation 3).
//!
//! ```text
//! rate = sigma / (1 + sigma |g|^2 / (2 f))      w <- w - rate g
//! ```
//!
//! f is the loss of the minibatch, which must not be negative; g is its gradient. The rate is that of a Gauss-Newton step on
//! sqrt f with the penalty |w - w_t|^2 / (2 sigma). It never passes sigma, nor Polyak's 2 f / |g|^2. So on a convex loss
//! whose minimum is 0 no step moves away from a minimiser, whatever sigma and whatever the smoothness: from f - 0 <= g (w -
//! w*) and rate |g|^2 = 2 f (1 - rate / sigma) follows
//!
//! ```text
//! |w_{t+1} - w*|^2 <= |w_t - w*|^2 - 2 rate^2 f / sigma
//! ```
//!
//! Where the loss is zero, negative or not finite the step is zero. State: none.

use super::{Probe, Rule, State, range};
use crate::error::Error;
use crate::persist::{Digest, Fingerprint};
use crate::tensors::Tensors;

/// Gradient descent with a non-negative Gauss-Newton rate, for losses that are never negative.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PlainNgn {
    /// The largest rate, above 0.
    pub sigma: f32,
}

impl PlainNgn {
    /// With this largest rate.
    #[must_use]
    pub const fn new(sigma: f32) -> Self {
        Self { sigma }
    }
}

/// sigma / (1 + sigma decrease / bound). In a linear model of the loss, a step at rate e lowers it by e times `decrease`;
/// `bound` is twice the loss. Returns 0 unless the bound is positive and finite, and where the quotient is a NaN.
pub(crate) fn rate(sigma: f32, decrease: f32, bound: f32) -> f32 {
    let rate = if bound > 0.0 && bound.is_finite() { sigma / (1.0 + sigma * (decrease / bound)) } else { 0.0 };
    if rate.is_nan() { 0.0 } else { rate }
}

impl Fingerprint for PlainNgn {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("plain-ngn");
        digest.numbers([self.sigma]);
    }
}

impl Rule for PlainNgn {
    type State<P: Tensors> = State<P, 0>;

    fn check(&self) -> Result<(), Error> {
        range::positive(self.sigma, "sigma, the largest rate, must be positive and finite")
    }

    fn state<P: Tensors>(&self, like: &P) -> Self::State<P> {
        State::like(like)
    }

    fn step<P: Tensors>(
        &self,
        state: &mut Self::State<P>,
        params: &mut P,
        gradient: &P,
        loss: f32,
        _: &mut impl Probe<P>,
    ) {
        state.count();
        let rate = rate(self.sigma, gradient.squares(), 2.0 * loss);
        for i in 0..params.count() {
            for (w, &g) in params.tensor_mut(i).iter_mut().zip(gradient.tensor(i)) {
                *w -= rate * g;
            }
        }
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, _: &P, _: &P, _: f32) {
        state.count();
    }
}
