//! Heavy-ball momentum (Polyak 1964), in the form that most libraries use.
//!
//! ```text
//! m <- beta m + g      w <- w - rate m
//! ```
//!
//! State: slot 0 is m.

use super::{Coordinatewise, Rate, Rule, coordinatewise::step_by_motion, range};
use crate::error::Error;
use crate::persist::{Digest, Fingerprint};
use crate::tensors::Tensors;

/// Heavy-ball momentum.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Momentum {
    /// The learning rate.
    pub rate: Rate,
    /// How much of the velocity stays, in \[0, 1).
    pub beta: f32,
}

impl Momentum {
    /// Momentum with this rate and beta = 0.9.
    #[must_use]
    pub fn new(rate: impl Into<Rate>) -> Self {
        Self { rate: rate.into(), beta: 0.9 }
    }
}

impl Fingerprint for Momentum {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("momentum");
        self.rate.describe(digest);
        digest.numbers([self.beta]);
    }
}

impl Coordinatewise<1> for Momentum {
    fn motion(&self, steps: u32) -> impl Fn(&mut [f32], [&mut [f32]; 1], &[f32]) {
        let (rate, beta) = (self.rate.at(steps), self.beta);
        #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
        move |w, [m], g| {
            for ((w, m), &g) in w.iter_mut().zip(m).zip(g) {
                *m = beta * *m + g;
                *w -= rate * *m;
            }
        }
    }
}

impl Rule for Momentum {
    step_by_motion!(1);

    fn check(&self) -> Result<(), Error> {
        self.rate.check()?;
        range::shares(&[self.beta])
    }

    fn velocities<'s, P: Tensors>(&self, state: &'s mut Self::State<P>) -> &'s mut [P] {
        core::slice::from_mut(&mut state.slots[0])
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, _: &P, gradient: &P, _: f32) {
        state.count_and_sweep();
        let [momentum] = &mut state.slots;
        for i in 0..gradient.count() {
            for (m, &g) in momentum.tensor_mut(i).iter_mut().zip(gradient.tensor(i)) {
                *m = self.beta * *m + g;
            }
        }
    }
}
