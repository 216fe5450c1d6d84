//! A rule without a scale: in each layer a step is a share of what its weights were at the start, in the direction of NAdam.
//!
//! For layer l with weights w and gradient g, in step t = 1, 2, ...; sums and means run over all numbers of the layer:
//!
//! ```text
//! rho  = max(rms(w), 1e-3), in the first step, and kept; sqrt(n / N) if all w are 0, n numbers being in the shortest tensor of
//!        the layer and N in the longest: what weights usually begin with
//! h    = m / sqrt v, of the step before                       c = cos(g, h), 0 in the first step
//! s   <- clamp(s + kappa c, -cap, cap)
//! m   <- beta1 m + (1 - beta1) g                              v <- beta2 v + (1 - beta2) g^2
//! d    = (beta1 m / (1 - beta1^(t+1)) + (1 - beta1) g / (1 - beta1^t)) / sqrt(v / (1 - beta2^t))
//! w   <- w - eta e^s rho d / rms(d)
//! ```
//!
//! d is the direction of NAdam (Dozat, ICLR workshop 2016). The relative length of a step is that of LARS and LAMB (You et al.
//! 2017, 2020), except for rho: if it were the current size of the weights, they would grow without end. s is the sum of
//! hypergradients (Baydin et al., ICLR 2018) in the form of a cosine: as long as gradients agree with the way that the
//! parameters go, steps grow, and they shrink when the gradients turn. That makes eta a weaker setting than a rate is.
//!
//! If the loss is multiplied by a constant, or a layer's weights by c and its gradients by 1 / c, the run is the same up
//! to that factor; for powers of two to the last bit. The last iterate is noisy, since steps do not end: use the rule
//! [averaged](super::Averaged).
//!
//! State: slot 0 is m, slot 1 is v; of layers: number 0 is rho, number 1 is s.

use super::layered::{LayeredState, initial_size, number, numbers_in, set_number};
use super::ngn::{SQUARE_FLOOR, mixed_square, unbias};
use super::{Probe, Rule, range};
use crate::error::Error;
use crate::lanes::{by_lanes, total};
use crate::math::{self, clamp, inverse_sqrts};
use crate::pair::Number;
use crate::persist::{Digest, Fingerprint};
use crate::sum::LANES;
use crate::tensors::Tensors;

/// Steps that are a share of the initial weights, for any objective.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ScaleFree {
    /// The length of a step with s = 0, as a share of rho.
    pub eta: f32,
    /// How fast s follows the cosine.
    pub kappa: f32,
    /// The largest |s|.
    pub cap: f32,
    /// How much of the mean stays, in \[0, 1).
    pub beta1: f32,
    /// How much of the mean square stays, in \[0, 1).
    pub beta2: f32,
}

impl ScaleFree {
    /// eta = 0.08, kappa = 0.05, cap = 2, beta1 = 0.9, beta2 = 0.99: one setting for all tasks.
    #[must_use]
    pub const fn new() -> Self {
        Self { eta: 0.08, kappa: 0.05, cap: 2.0, beta1: 0.9, beta2: 0.99 }
    }
}

impl Default for ScaleFree {
    fn default() -> Self {
        Self::new()
    }
}

/// The sums of one layer.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// g h, g^2, h^2.
    agreement: [f32; 3],
    /// d^2.
    direction: f32,
}

/// What all layers take from the step's clock.
#[derive(Debug, Clone, Copy)]
struct Clock {
    betas: [f32; 2],
    /// Of m and g in d.
    shares: [f32; 2],
    /// Of v.
    unbias: f32,
}

impl Clock {
    /// Step t.
    fn new(rule: &ScaleFree, t: u32) -> Self {
        let ScaleFree { beta1, beta2, .. } = *rule;
        let next = unbias(beta1, t.saturating_add(1));
        let shares = [beta1 * next, (1.0 - beta1) * unbias(beta1, t)];
        Self { betas: [beta1, beta2], shares, unbias: unbias(beta2, t) }
    }

    /// d of one parameter, from accumulators with its gradient in them.
    #[inline(always)]
    fn direction<T: Number>(&self, m: T, v: T, g: T) -> T {
        let [of_mean, of_gradient] = self.shares;
        (m * of_mean + g * of_gradient) * inverse_sqrts(v * self.unbias + SQUARE_FLOOR)
    }

    /// Takes the gradient of one tensor into its accumulators.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn accumulate(&self, [m, v]: [&mut [f32]; 2], g: &[f32], sums: &mut Sums) {
        let ([beta1, beta2], mut lanes) = (self.betas, [[0.0; LANES]; 4]);
        by_lanes!([m, v] [g] lanes => {
            let h = *m * inverse_sqrts(*v + SQUARE_FLOOR);
            *m = beta1 * *m + (1.0 - beta1) * g;
            *v = mixed_square(*v, g, beta2);
            let d = self.direction(*m, *v, g);
            [g * h, g * g, h * h, d * d]
        });
        let [gh, gg, hh, dd] = lanes.map(total);
        sums.agreement = add(sums.agreement, [gh, gg, hh]);
        sums.direction += dd;
    }

    /// Moves one tensor by -length d.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn apply(&self, length: f32, w: &mut [f32], [m, v]: [&[f32]; 2], g: &[f32]) {
        by_lanes!([w] [m, v, g] => {
            *w -= length * self.direction(m, v, g);
        });
    }
}

/// a + b.
fn add<const N: usize>(mut a: [f32; N], b: [f32; N]) -> [f32; N] {
    a.iter_mut().zip(b).for_each(|(a, b)| *a += b);
    a
}

/// The cosine of two vectors from the sums of their products; 0 where it says nothing.
pub(crate) fn cosine([ab, aa, bb]: [f32; 3]) -> f32 {
    // One root after the other: the product of the squares may overflow.
    let cosine = ab / (math::sqrt(aa) * math::sqrt(bb));
    if cosine.is_finite() { clamp(cosine, -1.0, 1.0) } else { 0.0 }
}

type StateOf<P> = LayeredState<P, <P as Tensors>::Layers, 2, 2>;

impl ScaleFree {
    /// Updates the state with the gradient of layer l; returns the factor of d in its step.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn accumulate<P: Tensors>(&self, clock: &Clock, state: &mut StateOf<P>, params: &P, gradient: &P, l: usize) -> f32 {
        let mut sums = Sums::default();
        for i in params.layer(l) {
            let slots = state.slots.slots.each_mut().map(|slot| slot.tensor_mut(i));
            clock.accumulate(slots, gradient.tensor(i), &mut sums);
        }
        let n = numbers_in(params, l);
        let [rho, shift] = &mut state.layers.slots;
        if state.slots.steps == 1 {
            set_number(rho, l, initial_size(params, l));
        }
        let s = clamp(number(shift, l) + self.kappa * cosine(sums.agreement), -self.cap, self.cap);
        set_number(shift, l, s);
        self.eta * math::exp(s) * number(rho, l) / math::sqrt(sums.direction / n + SQUARE_FLOOR)
    }
}

impl Fingerprint for ScaleFree {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("scale-free");
        digest.numbers([self.eta, self.kappa, self.cap, self.beta1, self.beta2]);
    }
}

impl Rule for ScaleFree {
    type State<P: Tensors> = StateOf<P>;

    fn check(&self) -> Result<(), Error> {
        range::positive(self.eta, "eta, the length of a step, must be positive and finite")?;
        range::not_negative(self.kappa, "kappa must be finite and not negative")?;
        range::not_negative(self.cap, "the cap must be finite and not negative")?;
        range::shares(&[self.beta1, self.beta2])
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
        let clock = Clock::new(self, state.slots.count_and_sweep());
        for l in 0..params.layers() {
            let length = self.accumulate(&clock, state, params, gradient, l);
            for i in params.layer(l) {
                let slots = state.slots.slots.each_ref().map(|slot| slot.tensor(i));
                clock.apply(length, params.tensor_mut(i), slots, gradient.tensor(i));
            }
        }
    }

    fn velocities<'s, P: Tensors>(&self, state: &'s mut Self::State<P>) -> &'s mut [P] {
        core::slice::from_mut(&mut state.slots.slots[0])
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, params: &P, gradient: &P, _: f32) {
        let clock = Clock::new(self, state.slots.count_and_sweep());
        for l in 0..params.layers() {
            self.accumulate(&clock, state, params, gradient, l);
        }
    }
}
