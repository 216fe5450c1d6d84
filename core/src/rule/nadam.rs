//! NAdam: Adam with Nesterov's momentum (Dozat, ICLR workshop 2016, algorithm 8, with a constant beta1).
//!
//! ```text
//! m, v, v' as in Adam
//! d = (beta1 m / (1 - beta1^(t+1)) + (1 - beta1) g / (1 - beta1^t)) / (sqrt v' + eps)      w <- w - rate d
//! ```
//!
//! State: slot 0 is m, slot 1 is v.

use super::{Adam, Coordinatewise, Rate, Rule, coordinatewise::step_by_motion};
use crate::error::Error;
use crate::lanes::by_lanes;
use crate::math;
use crate::persist::{Digest, Fingerprint};
use crate::tensors::Tensors;

/// NAdam.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NAdam {
    /// Rate, decays of the means, and eps.
    pub adam: Adam,
}

impl NAdam {
    /// NAdam with this rate and Adam's constants.
    #[must_use]
    pub fn new(rate: impl Into<Rate>) -> Self {
        Self { adam: Adam::new(rate) }
    }
}

impl Fingerprint for NAdam {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("nadam");
        self.adam.describe(digest);
    }
}

impl Coordinatewise<2> for NAdam {
    fn motion(&self, steps: u32) -> impl Fn(&mut [f32], [&mut [f32]; 2], &[f32]) {
        let (adam, t) = (self.adam, steps.saturating_add(1));
        let unbias = |beta: f32, t: u32| 1.0 / (1.0 - math::powi(beta, t));
        let ahead = adam.beta1 * unbias(adam.beta1, t.saturating_add(1));
        let now = (1.0 - adam.beta1) * unbias(adam.beta1, t);
        let (unbias2, rate) = (unbias(adam.beta2, t), adam.rate.at(steps));
        #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
        move |w, [mean, square], g| {
            by_lanes!([w, mean, square] [g] => {
                (*mean, *square) = adam.mixed(*mean, *square, g);
                *w -= rate * ((ahead * *mean + now * g) / (math::sqrts(*square * unbias2) + adam.eps));
            });
        }
    }
}

impl Rule for NAdam {
    step_by_motion!(2);

    fn check(&self) -> Result<(), Error> {
        self.adam.check()
    }

    fn velocities<'s, P: Tensors>(&self, state: &'s mut Self::State<P>) -> &'s mut [P] {
        core::slice::from_mut(&mut state.slots[0])
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, _: &P, gradient: &P, _: f32) {
        self.adam.accumulate(state, gradient);
    }
}
