//! Adam (Kingma and Ba, ICLR 2015, algorithm 1).
//!
//! ```text
//! m <- beta1 m + (1 - beta1) g        m' = m / (1 - beta1^t)
//! v <- beta2 v + (1 - beta2) g^2      v' = v / (1 - beta2^t)
//! w <- w - rate m' / (sqrt v' + eps)
//! ```
//!
//! State: slot 0 is m, slot 1 is v.

use super::{Coordinatewise, Rate, Rule, State, coordinatewise::step_by_motion, range};
use crate::error::Error;
use crate::math;
use crate::persist::{Digest, Fingerprint};
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

    /// Both means of one parameter, with one more gradient in them.
    #[inline]
    pub(super) fn mixed(&self, m: f32, v: f32, g: f32) -> (f32, f32) {
        (self.beta1 * m + (1.0 - self.beta1) * g, self.beta2 * v + (1.0 - self.beta2) * g * g)
    }

    /// Takes a gradient into both means.
    pub(super) fn accumulate<P: Tensors>(&self, state: &mut State<P, 2>, gradient: &P) {
        state.count_and_sweep();
        let [mean, square] = &mut state.slots;
        for i in 0..gradient.count() {
            let means = mean.tensor_mut(i).iter_mut().zip(square.tensor_mut(i));
            for ((m, v), &g) in means.zip(gradient.tensor(i)) {
                (*m, *v) = self.mixed(*m, *v, g);
            }
        }
    }

    /// For one number and the step after `steps` others: both means with its gradient in them, and m' / (sqrt v' + eps).
    pub(super) fn direction(&self, steps: u32) -> impl Fn(f32, f32, f32) -> (f32, f32, f32) {
        let (adam, t) = (*self, steps.saturating_add(1));
        let [unbias1, unbias2] = [adam.beta1, adam.beta2].map(|beta| 1.0 / (1.0 - math::powi(beta, t)));
        move |m, v, g| {
            let (mean, square) = adam.mixed(m, v, g);
            (mean, square, mean * unbias1 / (math::sqrt(square * unbias2) + adam.eps))
        }
    }

    /// The step of Adam and AdamW: both means of each parameter, then w <- w - rate step(m' / (sqrt v' + eps), w).
    pub(super) fn motion_with(
        &self,
        steps: u32,
        step: impl Fn(f32, f32) -> f32,
    ) -> impl Fn(&mut [f32], [&mut [f32]; 2], &[f32]) {
        let (rate, direction) = (self.rate.at(steps), self.direction(steps));
        move |w, [mean, square], g| {
            for ((w, (m, v)), &g) in w.iter_mut().zip(mean.iter_mut().zip(square)).zip(g) {
                let (mean, square, along) = direction(*m, *v, g);
                (*m, *v) = (mean, square);
                *w -= rate * step(along, *w);
            }
        }
    }
}

impl Coordinatewise<2> for Adam {
    fn motion(&self, steps: u32) -> impl Fn(&mut [f32], [&mut [f32]; 2], &[f32]) {
        self.motion_with(steps, |step, _| step)
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
    step_by_motion!(2);

    fn check(&self) -> Result<(), Error> {
        self.rate.check()?;
        range::shares(&[self.beta1, self.beta2])?;
        range::positive(self.eps, "eps must be positive and finite")
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, _: &P, gradient: &P, _: f32) {
        self.accumulate(state, gradient);
    }
}
