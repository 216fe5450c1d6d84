//! Lion, found by program search (Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023).
//!
//! ```text
//! c = beta1 m + (1 - beta1) g      w <- w - rate (sign(c) + decay w)      m <- beta2 m + (1 - beta2) g
//! ```
//!
//! sign(0) = 0. State: slot 0 is m.

use super::{Coordinatewise, Rate, Rule, coordinatewise::step_by_motion, range};
use crate::error::Error;
use crate::persist::{Digest, Fingerprint};
use crate::tensors::Tensors;

/// Lion.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Lion {
    /// The learning rate, usually a third to a tenth of Adam's.
    pub rate: Rate,
    /// Weight of the old mean in the direction, in \[0, 1).
    pub beta1: f32,
    /// How much of the mean stays, in \[0, 1).
    pub beta2: f32,
    /// Share of the weights that goes, per unit of rate.
    pub decay: f32,
}

impl Lion {
    /// Lion with this rate, the paper's beta1 = 0.9, beta2 = 0.99, and no decay.
    #[must_use]
    pub fn new(rate: impl Into<Rate>) -> Self {
        Self { rate: rate.into(), beta1: 0.9, beta2: 0.99, decay: 0.0 }
    }
}

fn sign(x: f32) -> f32 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        // Zeros keep their sign, and a NaN stays one, so that it shows.
        x
    }
}

impl Fingerprint for Lion {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("lion");
        self.rate.describe(digest);
        digest.numbers([self.beta1, self.beta2, self.decay]);
    }
}

impl Coordinatewise<1> for Lion {
    fn motion(&self, steps: u32) -> impl Fn(&mut [f32], [&mut [f32]; 1], &[f32]) {
        let (rate, Self { beta1, beta2, decay, .. }) = (self.rate.at(steps), *self);
        #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
        move |w, [m], g| {
            for ((w, m), &g) in w.iter_mut().zip(m).zip(g) {
                let direction = sign(beta1 * *m + (1.0 - beta1) * g);
                *w -= rate * (direction + decay * *w);
                *m = beta2 * *m + (1.0 - beta2) * g;
            }
        }
    }
}

impl Rule for Lion {
    step_by_motion!(1);

    fn check(&self) -> Result<(), Error> {
        self.rate.check()?;
        range::shares(&[self.beta1, self.beta2])?;
        range::not_negative(self.decay, "weight decay must be finite and not negative")
    }

    fn velocities<'s, P: Tensors>(&self, state: &'s mut Self::State<P>) -> &'s mut [P] {
        core::slice::from_mut(&mut state.slots[0])
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, _: &P, gradient: &P, _: f32) {
        state.count_and_sweep();
        let [mean] = &mut state.slots;
        for i in 0..gradient.count() {
            for (m, &g) in mean.tensor_mut(i).iter_mut().zip(gradient.tensor(i)) {
                *m = self.beta2 * *m + (1.0 - self.beta2) * g;
            }
        }
    }
}
