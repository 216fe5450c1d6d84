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

    /// Takes a gradient into both means of one parameter.
    #[inline]
    fn mix(&self, m: &mut f32, v: &mut f32, g: f32) {
        *m = self.beta1 * *m + (1.0 - self.beta1) * g;
        *v = self.beta2 * *v + (1.0 - self.beta2) * g * g;
    }

    /// Takes a gradient into both means.
    pub(super) fn accumulate<P: Tensors>(&self, state: &mut State<P, 2>, gradient: &P) {
        state.count();
        let [mean, square] = &mut state.slots;
        for i in 0..gradient.count() {
            let means = mean.tensor_mut(i).iter_mut().zip(square.tensor_mut(i));
            for ((m, v), &g) in means.zip(gradient.tensor(i)) {
                self.mix(m, v, g);
            }
        }
    }

    /// The same, and w <- w - rate (m' / (sqrt v' + eps) + decay w), the step of Adam (decay = 0) and AdamW, in one pass.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn advance<P: Tensors>(&self, state: &mut State<P, 2>, params: &mut P, gradient: &P, decay: f32) {
        let rate = self.rate.at(state.steps);
        let t = state.count();
        let [unbias1, unbias2] = [self.beta1, self.beta2].map(|beta| 1.0 / (1.0 - math::powi(beta, t)));
        let [mean, square] = &mut state.slots;
        for i in 0..params.count() {
            let means = mean.tensor_mut(i).iter_mut().zip(square.tensor_mut(i));
            for ((w, (m, v)), &g) in params.tensor_mut(i).iter_mut().zip(means).zip(gradient.tensor(i)) {
                self.mix(m, v, g);
                *w -= rate * (*m * unbias1 / (math::sqrt(*v * unbias2) + self.eps) + decay * *w);
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
        self.advance(state, params, gradient, 0.0);
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, _: &P, gradient: &P) {
        self.accumulate(state, gradient);
    }
}
