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
use crate::lanes::by_lanes;
use crate::math;
use crate::pair::Number;
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
    pub(super) fn mixed<T: Number>(&self, m: T, v: T, g: T) -> (T, T) {
        (m * self.beta1 + g * (1.0 - self.beta1), v * self.beta2 + g * (1.0 - self.beta2) * g)
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

    /// What a number needs in the step after `steps` others.
    pub(super) fn direction(&self, steps: u32) -> Direction {
        let t = steps.saturating_add(1);
        Direction { adam: *self, unbias: [self.beta1, self.beta2].map(|beta| 1.0 / (1.0 - math::powi(beta, t))) }
    }

    /// The step of Adam, and with weight decay that of AdamW: both means of each parameter, then
    /// w <- w - rate (m' / (sqrt v' + eps) + decay w).
    pub(super) fn motion_with<const DECAYS: bool>(
        &self,
        steps: u32,
        decay: f32,
    ) -> impl Fn(&mut [f32], [&mut [f32]; 2], &[f32]) {
        let (rate, direction) = (self.rate.at(steps), self.direction(steps));
        #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
        move |w, [mean, square], g| {
            by_lanes!([w, mean, square] [g] => {
                let (m, v, along) = direction.of(*mean, *square, g);
                (*mean, *square) = (m, v);
                *w -= rate * if DECAYS { along + decay * *w } else { along };
            });
        }
    }
}

/// What Adam needs for a number in one step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Direction {
    adam: Adam,
    /// 1 / (1 - beta1^t), 1 / (1 - beta2^t).
    unbias: [f32; 2],
}

impl Direction {
    /// Both means with the gradient in them, and m' / (sqrt v' + eps).
    #[inline(always)]
    pub(super) fn of<T: Number>(&self, m: T, v: T, g: T) -> (T, T, T) {
        let (m, v) = self.adam.mixed(m, v, g);
        (m, v, m * self.unbias[0] / (math::sqrts(v * self.unbias[1]) + self.adam.eps))
    }
}

impl Coordinatewise<2> for Adam {
    fn motion(&self, steps: u32) -> impl Fn(&mut [f32], [&mut [f32]; 2], &[f32]) {
        self.motion_with::<false>(steps, 0.0)
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

    fn velocities<'s, P: Tensors>(&self, state: &'s mut Self::State<P>) -> &'s mut [P] {
        core::slice::from_mut(&mut state.slots[0])
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, _: &P, gradient: &P, _: f32) {
        self.accumulate(state, gradient);
    }
}
