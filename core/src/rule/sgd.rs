//! Gradient descent; with minibatches, stochastic gradient descent (Robbins and Monro 1951).
//!
//! ```text
//! w <- w - rate_i g
//! ```
//!
//! The fallback of the convergence theorem: on a mu-strongly convex, L-smooth objective with exact gradients and
//! 0 < rate < 2/L, F(w) - F* shrinks at least by 1 - 2 mu rate (1 - rate L / 2) in every step.

use super::{Coordinatewise, Rate, Rule, coordinatewise::step_by_motion};
use crate::error::Error;
use crate::persist::{Digest, Fingerprint};
use crate::sum;
use crate::tensors::Tensors;

/// Gradient descent with a constant or falling rate. No accumulators.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sgd {
    /// The learning rate.
    pub rate: Rate,
}

impl Sgd {
    /// Gradient descent with this rate.
    #[must_use]
    pub fn new(rate: impl Into<Rate>) -> Self {
        Self { rate: rate.into() }
    }
}

impl Fingerprint for Sgd {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("sgd");
        self.rate.describe(digest);
    }
}

impl Coordinatewise<0> for Sgd {
    fn motion(&self, steps: u32) -> impl Fn(&mut [f32], [&mut [f32]; 0], &[f32]) {
        let rate = self.rate.at(steps);
        #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
        move |w, [], g| sum::add_scaled(w, -rate, g)
    }
}

impl Rule for Sgd {
    step_by_motion!(0);

    fn check(&self) -> Result<(), Error> {
        self.rate.check()
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, _: &P, _: &P, _: f32) {
        state.count();
    }
}
