//! The rule without a scale in the least memory: one number a parameter, a mean of gradients.
//!
//! For layer l, in step t = 1, 2, ..., as in [`ScaleFree`](super::ScaleFree) except for the direction, which is Nesterov's:
//!
//! ```text
//! c    = cos(g, m), m of the step before; 0 in the first step
//! s   <- clamp(s + kappa c, -cap, cap)        m <- beta m + (1 - beta) g
//! d    = beta m + (1 - beta) g                w <- w - eta e^s rho d / rms(d)
//! ```
//!
//! Scale-free likewise, layer by layer; not parameter by parameter, as the divisor in [`ScaleFree`](super::ScaleFree) makes
//! it. Use it [averaged](super::Averaged).
//!
//! State: slot 0 is m; of layers: number 0 is rho, number 1 is s.

use super::layered::{LayeredState, initial_size, number, numbers_in, set_number};
use super::ngn::SQUARE_FLOOR;
use super::scale_free::cosine;
use super::{Probe, Rule, range};
use crate::error::Error;
use crate::lanes::{by_lanes, total};
use crate::math::{self, clamp};
use crate::persist::{Digest, Fingerprint};
use crate::sum::LANES;
use crate::tensors::Tensors;

/// Steps that are a share of the initial weights, from one mean a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ScaleFreeMomentum {
    /// The length of a step with s = 0, as a share of rho.
    pub eta: f32,
    /// How fast s follows the cosine.
    pub kappa: f32,
    /// The largest |s|.
    pub cap: f32,
    /// How much of the mean stays, in \[0, 1).
    pub beta: f32,
}

impl ScaleFreeMomentum {
    /// eta = 0.08, kappa = 0.05, cap = 2, beta = 0.9: one setting for all tasks.
    #[must_use]
    pub const fn new() -> Self {
        Self { eta: 0.08, kappa: 0.05, cap: 2.0, beta: 0.9 }
    }

    /// Takes the gradient of one tensor into m; adds to the sums of g m, g^2, m^2 and d^2.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn mix(&self, m: &mut [f32], g: &[f32], sums: &mut [f32; 4]) {
        let (beta, mut lanes) = (self.beta, [[0.0; LANES]; 4]);
        by_lanes!([m] [g] lanes => {
            let before = *m;
            *m = beta * before + (1.0 - beta) * g;
            let d = beta * *m + (1.0 - beta) * g;
            [g * before, g * g, before * before, d * d]
        });
        sums.iter_mut().zip(lanes.map(total)).for_each(|(sum, part)| *sum += part);
    }

    /// Moves one tensor by -length d.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn apply(&self, length: f32, w: &mut [f32], m: &[f32], g: &[f32]) {
        let beta = self.beta;
        by_lanes!([w] [m, g] => {
            *w -= length * (beta * m + (1.0 - beta) * g);
        });
    }

    /// Updates the state with the gradient of layer l; returns the factor of d in its step.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn accumulate<P: Tensors>(&self, state: &mut StateOf<P>, params: &P, gradient: &P, l: usize) -> f32 {
        let (mut sums, [mean]) = ([0.0; 4], &mut state.slots.slots);
        for i in params.layer(l) {
            self.mix(mean.tensor_mut(i), gradient.tensor(i), &mut sums);
        }
        let [gm, gg, mm, dd] = sums;
        let n = numbers_in(params, l);
        let [rho, shift] = &mut state.layers.slots;
        if state.slots.steps == 1 {
            set_number(rho, l, initial_size(params, l));
        }
        let s = clamp(number(shift, l) + self.kappa * cosine([gm, gg, mm]), -self.cap, self.cap);
        set_number(shift, l, s);
        self.eta * math::exp(s) * number(rho, l) / math::sqrt(dd / n + SQUARE_FLOOR)
    }
}

impl Default for ScaleFreeMomentum {
    fn default() -> Self {
        Self::new()
    }
}

type StateOf<P> = LayeredState<P, <P as Tensors>::Layers, 1, 2>;

impl Fingerprint for ScaleFreeMomentum {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("scale-free-momentum");
        digest.numbers([self.eta, self.kappa, self.cap, self.beta]);
    }
}

impl Rule for ScaleFreeMomentum {
    type State<P: Tensors> = StateOf<P>;

    fn check(&self) -> Result<(), Error> {
        range::positive(self.eta, "eta, the length of a step, must be positive and finite")?;
        range::not_negative(self.kappa, "kappa must be finite and not negative")?;
        range::not_negative(self.cap, "the cap must be finite and not negative")?;
        range::shares(&[self.beta])
    }

    fn state<P: Tensors>(&self, like: &P) -> Self::State<P> {
        LayeredState::like(like)
    }

    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn step<P: Tensors>(
        &self,
        state: &mut Self::State<P>,
        params: &mut P,
        gradient: &P,
        _: f32,
        _: &mut impl Probe<P>,
    ) {
        state.slots.count_and_sweep();
        for l in 0..params.layers() {
            let length = self.accumulate(state, params, gradient, l);
            let [mean] = &state.slots.slots;
            for i in params.layer(l) {
                self.apply(length, params.tensor_mut(i), mean.tensor(i), gradient.tensor(i));
            }
        }
    }

    fn velocities<'s, P: Tensors>(&self, state: &'s mut Self::State<P>) -> &'s mut [P] {
        core::slice::from_mut(&mut state.slots.slots[0])
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, params: &P, gradient: &P, _: f32) {
        state.slots.count_and_sweep();
        for l in 0..params.layers() {
            self.accumulate(state, params, gradient, l);
        }
    }
}
