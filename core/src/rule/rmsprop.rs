//! RMSProp (Tieleman and Hinton, Coursera lecture 6.5, 2012).
//!
//! ```text
//! v <- decay v + (1 - decay) g^2      w <- w - rate g / (sqrt v + eps)
//! ```
//!
//! State: slot 0 is v.

use super::{Coordinatewise, Rate, Rule, coordinatewise::step_by_motion, range};
use crate::error::Error;
use crate::lanes::by_lanes;
use crate::math;
use crate::persist::{Digest, Fingerprint};
use crate::tensors::Tensors;

/// RMSProp without centring and without momentum.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RmsProp {
    /// The learning rate.
    pub rate: Rate,
    /// How much of the mean square stays, in \[0, 1).
    pub decay: f32,
    /// Keeps the division finite.
    pub eps: f32,
}

impl RmsProp {
    /// RMSProp with this rate, decay = 0.99 and eps = 1e-8.
    #[must_use]
    pub fn new(rate: impl Into<Rate>) -> Self {
        Self { rate: rate.into(), decay: 0.99, eps: 1e-8 }
    }
}

impl Fingerprint for RmsProp {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("rmsprop");
        self.rate.describe(digest);
        digest.numbers([self.decay, self.eps]);
    }
}

impl Coordinatewise<1> for RmsProp {
    fn motion(&self, steps: u32) -> impl Fn(&mut [f32], [&mut [f32]; 1], &[f32]) {
        let (rate, Self { decay, eps, .. }) = (self.rate.at(steps), *self);
        #[cfg_attr(not(any(target_os = "none", target_family = "wasm")), inline(always))]
        move |w, [v], g| {
            by_lanes!([w, v] [g] => {
                *v = decay * *v + (1.0 - decay) * g * g;
                *w -= rate * g / (math::sqrts(*v) + eps);
            });
        }
    }
}

impl Rule for RmsProp {
    step_by_motion!(1);

    fn check(&self) -> Result<(), Error> {
        self.rate.check()?;
        range::shares(&[self.decay])?;
        range::positive(self.eps, "eps must be positive and finite")
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, _: &P, gradient: &P, _: f32) {
        state.count_and_sweep();
        let [square] = &mut state.slots;
        for i in 0..gradient.count() {
            for (v, &g) in square.tensor_mut(i).iter_mut().zip(gradient.tensor(i)) {
                *v = self.decay * *v + (1.0 - self.decay) * g * g;
            }
        }
    }
}
