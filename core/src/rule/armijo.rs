//! Gradient descent with Armijo backtracking (Armijo 1966): it needs no known smoothness constant.
//!
//! ```text
//! rate = min(largest, growth * last accepted rate)
//! while loss(w - rate g) > loss(w) - slope rate |g|^2:  rate <- shrink rate
//! w <- w - rate g
//! ```
//!
//! All losses on the batch of the gradient; with minibatches this is the stochastic line search of Vaswani et al.
//! (NeurIPS 2019). On an L-smooth objective any rate below 2 (1 - slope) / L is accepted, so the accepted one is at
//! least shrink 2 (1 - slope) / L, or `largest`, wherever the run is: the premise of the convergence theorem holds by
//! itself, as long as L is within reach, L < 2 (1 - slope) / (largest shrink^(trials - 1)). If no rate is accepted
//! within the budget of trials, the step is zero, and the next search starts from the same rate.
//!
//! State: slot 0 is the point that the search starts from, the memo is the last accepted rate.

use super::{Probe, Rule, State, range};
use crate::error::Error;
use crate::persist::{Digest, Fingerprint};
use crate::tensors::Tensors;

/// Gradient descent with Armijo backtracking. Each trial costs one forward pass of the batch.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Armijo {
    /// The largest rate, which is also the first one tried.
    pub largest: f32,
    /// Share of the linear decrease that is asked for, in (0, 1).
    pub slope: f32,
    /// Factor of the rate after a refused trial, in (0, 1).
    pub shrink: f32,
    /// Factor of the last accepted rate at the start of a search, at least 1.
    pub growth: f32,
    /// How many rates are tried at most.
    pub trials: u32,
}

impl Armijo {
    /// Backtracking from at most `largest`, with slope = 0.1, shrink = 0.5, growth = 1.1 and 20 trials.
    ///
    /// # Errors
    /// [`Error::InvalidSetting`] unless `largest` is positive and finite.
    pub fn new(largest: f32) -> Result<Self, Error> {
        if largest > 0.0 && largest.is_finite() {
            Ok(Self { largest, slope: 0.1, shrink: 0.5, growth: 1.1, trials: 20 })
        } else {
            Err(Error::InvalidSetting { what: "the largest rate must be positive and finite" })
        }
    }

    /// The first rate to try, given the last accepted one (0 for none yet).
    fn first_rate(&self, last: f32) -> f32 {
        let grown = self.growth * last;
        if grown > 0.0 && grown < self.largest { grown } else { self.largest }
    }
}

impl Fingerprint for Armijo {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("armijo");
        digest.numbers([self.largest, self.slope, self.shrink, self.growth]);
        digest.word(self.trials);
    }
}

impl Rule for Armijo {
    type State<P: Tensors> = State<P, 1>;

    fn check(&self) -> Result<(), Error> {
        range::positive(self.largest, "the largest rate must be positive and finite")?;
        let is_share = |x: f32| x > 0.0 && x < 1.0;
        if !(is_share(self.slope) && is_share(self.shrink)) {
            return Err(Error::InvalidSetting { what: "slope and shrink of a search must be between 0 and 1" });
        }
        if !(self.growth >= 1.0 && self.growth.is_finite() && self.trials > 0) {
            return Err(Error::InvalidSetting {
                what: "growth of a search must be finite and at least 1, and so must its trials",
            });
        }
        Ok(())
    }

    fn probes(&self) -> bool {
        true
    }

    fn state<P: Tensors>(&self, like: &P) -> Self::State<P> {
        State::like(like)
    }

    fn step<P: Tensors>(
        &self,
        state: &mut Self::State<P>,
        params: &mut P,
        gradient: &P,
        loss: f32,
        probe: &mut impl Probe<P>,
    ) {
        state.count();
        let [start] = &mut state.slots;
        start.copy_from(params);
        let square = gradient.squares();
        let mut rate = self.first_rate(state.memo);
        for _ in 0..self.trials {
            for i in 0..params.count() {
                let tensors = start.tensor(i).iter().zip(gradient.tensor(i));
                for (w, (&start, &g)) in params.tensor_mut(i).iter_mut().zip(tensors) {
                    *w = start - rate * g;
                }
            }
            let trial = probe.loss(params);
            // From a point of infinite loss, "not more than infinity" would be no decrease.
            if trial.is_finite() && trial <= loss - self.slope * rate * square {
                state.memo = rate;
                return;
            }
            rate *= self.shrink;
        }
        params.copy_from(start);
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, params: &P, _: &P, _: f32) {
        state.count();
        let [start] = &mut state.slots;
        start.copy_from(params);
    }
}
