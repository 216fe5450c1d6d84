//! Adam (Kingma and Ba, ICLR 2015, algorithm 1).
//!
//! ```text
//! m <- beta1 m + (1 - beta1) g        m' = m / (1 - beta1^t)
//! v <- beta2 v + (1 - beta2) g^2      v' = v / (1 - beta2^t)
//! w <- w - rate m' / (sqrt v' + eps)
//! ```
//!
//! State: slot 0 is m, slot 1 is v.

use super::{Probe, Rate, Rule, State};
use crate::checkpoint::{Digest, Fingerprint};
use crate::math;
use crate::tensors::Tensors;

/// Adam.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Adam {
    /// The learning rate.
    pub rate: Rate,
    /// How much of the mean stays, in \[0, 1).
    pub beta1: f32,
    /// How much of the mean square stays, in \[0, 1).
    pub beta2: f32,
    /// Keeps the division finite.
    pub eps: f32,
}

impl Adam {
    /// Adam with this rate and the paper's beta1 = 0.9, beta2 = 0.999, eps = 1e-8.
    #[must_use]
    pub fn new(rate: impl Into<Rate>) -> Self {
        Self { rate: rate.into(), beta1: 0.9, beta2: 0.999, eps: 1e-8 }
    }

    /// Updates both means with a gradient; gives the reciprocals of the two bias corrections.
    pub(super) fn accumulate<P: Tensors>(&self, state: &mut State<P, 2>, gradient: &P) -> (f32, f32) {
        let t = state.count();
        let [mean, square] = &mut state.slots;
        for i in 0..gradient.count() {
            let tensors = mean.tensor_mut(i).iter_mut().zip(square.tensor_mut(i));
            for ((m, v), &g) in tensors.zip(gradient.tensor(i)) {
                *m = self.beta1 * *m + (1.0 - self.beta1) * g;
                *v = self.beta2 * *v + (1.0 - self.beta2) * g * g;
            }
        }
        let correction = |beta| 1.0 / (1.0 - math::powi(beta, t));
        (correction(self.beta1), correction(self.beta2))
    }

    /// w <- w - rate (m' / (sqrt v' + eps) + decay w), the step of Adam (decay = 0) and AdamW.
    pub(super) fn apply<P: Tensors>(
        &self,
        state: &State<P, 2>,
        params: &mut P,
        (unbias1, unbias2): (f32, f32),
        rate: f32,
        decay: f32,
    ) {
        let [mean, square] = &state.slots;
        for i in 0..params.count() {
            let tensors = mean.tensor(i).iter().zip(square.tensor(i));
            for (w, (&m, &v)) in params.tensor_mut(i).iter_mut().zip(tensors) {
                *w -= rate * (m * unbias1 / (math::sqrt(v * unbias2) + self.eps) + decay * *w);
            }
        }
    }
}

impl Fingerprint for Adam {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("adam");
        self.rate.describe(digest);
        digest.numbers([self.beta1, self.beta2, self.eps]);
    }
}

impl Rule for Adam {
    type State<P: Tensors> = State<P, 2>;

    fn state<P: Tensors>(&self, like: &P) -> Self::State<P> {
        State::like(like)
    }

    fn step<P: Tensors>(
        &self,
        state: &mut Self::State<P>,
        params: &mut P,
        gradient: &P,
        _: f32,
        _: &mut impl Probe<P>,
    ) {
        let rate = self.rate.at(state.steps);
        let unbias = self.accumulate(state, gradient);
        self.apply(state, params, unbias, rate, 0.0);
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, _: &P, gradient: &P) {
        self.accumulate(state, gradient);
    }
}
