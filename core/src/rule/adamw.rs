//! AdamW: Adam with decoupled weight decay (Loshchilov and Hutter, ICLR 2019, algorithm 2).
//!
//! ```text
//! m, v, m', v' as in Adam      w <- w - rate (m' / (sqrt v' + eps) + decay w)
//! ```
//!
//! State: slot 0 is m, slot 1 is v.

use super::{Adam, Coordinatewise, Rate, Rule, coordinatewise::step_by_motion, range};
use crate::error::Error;
use crate::persist::{Digest, Fingerprint};
use crate::tensors::Tensors;

/// AdamW.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct AdamW {
    /// Rate, decays of the means, and eps.
    pub adam: Adam,
    /// Share of the weights that goes, per unit of rate.
    pub decay: f32,
}

impl AdamW {
    /// AdamW with this rate, Adam's constants and decay = 0.01.
    #[must_use]
    pub fn new(rate: impl Into<Rate>) -> Self {
        Self { adam: Adam::new(rate), decay: 0.01 }
    }
}

impl Fingerprint for AdamW {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("adamw");
        self.adam.describe(digest);
        digest.numbers([self.decay]);
    }
}

impl Coordinatewise<2> for AdamW {
    fn motion(&self, steps: u32) -> impl Fn(&mut [f32], [&mut [f32]; 2], &[f32]) {
        self.adam.motion_with::<true>(steps, self.decay)
    }
}

impl Rule for AdamW {
    step_by_motion!(2);

    fn check(&self) -> Result<(), Error> {
        self.adam.check()?;
        range::not_negative(self.decay, "weight decay must be finite and not negative")
    }

    fn velocities<'s, P: Tensors>(&self, state: &'s mut Self::State<P>) -> &'s mut [P] {
        core::slice::from_mut(&mut state.slots[0])
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, _: &P, gradient: &P, _: f32) {
        self.adam.accumulate(state, gradient);
    }
}
