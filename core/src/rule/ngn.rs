//! A rule without a rate to tune: the non-negative Gauss-Newton step on Adam's metric, with Nesterov's momentum.
//!
//! ```text
//! rho = the layer's size in the first step, kept: max(rms(w), 1e-3), see `ScaleFree`
//! v <- beta2 v + (1 - beta2) g^2        v' = v / (1 - beta2^t)        D = sqrt(v') / rho
//! e  = sigma / (1 + sigma sum(g^2 / D) / (2 f / 2^h))                 sum over all parameters
//! q <- beta q - (1 - beta) e g / D      w <- w + beta q - (1 - beta) e g / D
//! ```
//!
//! f is the loss of the minibatch, which must not be negative. rho is one number a layer. h counts how often a guard has
//! asked for [shorter steps](Rule::shorten), 0 at first. The bound by f assumes that all minibatches can reach a loss of
//! 0 together; where their labels contradict each other, steps of that length no longer lower the mean loss. After
//! Orvieto and Xiao's NGN (arXiv 2407.04358) with the metric of Adam and with momentum (NGN-M, arXiv 2508.15071), here in
//! Nesterov's form (Dozat 2016). The [plain rule](super::PlainNgn) says where e comes from: e never passes sigma, nor
//! the length at which a linear model of the loss is zero. So a wrong sigma costs little, and one setting serves
//! for many tasks: `lgl2o survey --optimizers avg-ngn,avg-ngn:1` compares two.
//!
//! D says how long a step is in each parameter up to a common factor, and e finds that. If the loss and its gradient are
//! multiplied by a constant c, then D, sum(g^2 / D) and f are multiplied by c, too, and the step is the same. With rho a step
//! is a share of the layer's initial weights, so that a wide layer, whose weights are small, and a narrow one move alike.
//!
//! State: slot 0 is q, slot 1 is v, the memo is h; of layers: number 0 is rho. Two numbers more of each layer are not used: so the state has
//! the type of [`LearnedNgn`](crate::learned::LearnedNgn)'s, and [`Auto`](crate::Auto) has one memory for both.

use super::layered::{LayeredState, initial_size, number, set_number};
use super::plain_ngn::rate;
use super::{Probe, Rule, range};
use crate::error::Error;
use crate::lanes::{by_lanes, total};
use crate::math::{self, exp2_linear, inverse_sqrts};
use crate::pair::Number;
use crate::persist::{Digest, Fingerprint};
use crate::sum::LANES;
use crate::tensors::Tensors;

/// Keeps 1 / sqrt(v') finite: 2^-124, too small to change a v' that counts, and large enough that its half is a normal number.
pub(crate) const SQUARE_FLOOR: f32 = 4.0 * f32::MIN_POSITIVE;
/// The largest mean square that is kept, as a multiple of 1 - beta: one huge gradient is forgotten again, and v' is finite from
/// the first step on.
const SQUARE_CEILING: f32 = 1e38;

/// h is at most this: the shortest steps are a millionth as long.
const MOST_HALVINGS: f32 = 20.0;

/// v with one more gradient in it.
#[inline(always)]
pub(crate) fn mixed_square<T: Number>(v: T, g: T, beta: f32) -> T {
    let most = (1.0 - beta) * SQUARE_CEILING;
    (v * beta + g * g * (1.0 - beta)).each(|v| if v > most { most } else { v })
}

/// 1 / (1 - beta^t).
pub(crate) fn unbias(beta: f32, t: u32) -> f32 {
    1.0 / (1.0 - math::powi(beta, t))
}

/// The non-negative Gauss-Newton step on Adam's metric, with Nesterov's momentum; for losses that are never negative.
///
/// ```
/// use lgl2o::rule::Ngn;
/// let rule = Ngn::new();
/// assert_eq!((rule.sigma, rule.beta, rule.beta2), (1.5, 0.9, 0.99));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Ngn {
    /// The largest e, above 0.
    pub sigma: f32,
    /// How much of the velocity stays, in \[0, 1).
    pub beta: f32,
    /// How much of the mean square stays, in \[0, 1).
    pub beta2: f32,
}

impl Ngn {
    /// sigma = 1.5, beta = 0.9, beta2 = 0.99: one setting for all tasks.
    #[must_use]
    pub const fn new() -> Self {
        Self { sigma: 1.5, beta: 0.9, beta2: 0.99 }
    }

    /// Takes a gradient into v, and in the first step the sizes of layers into rho; returns e.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn accumulate<P: Tensors>(&self, state: &mut StateOf<P>, params: &P, gradient: &P, loss: f32) -> f32 {
        let (beta2, unbias) = (self.beta2, unbias(self.beta2, state.slots.count_and_sweep()));
        let ([_, square], [rho, ..]) = (&mut state.slots.slots, &mut state.layers.slots);
        let mut all = 0.0;
        for l in 0..params.layers() {
            if state.slots.steps == 1 {
                set_number(rho, l, initial_size(params, l));
            }
            let mut part = 0.0;
            for i in params.layer(l) {
                part += accumulate(square.tensor_mut(i), gradient.tensor(i), beta2, unbias);
            }
            all += number(rho, l) * part;
        }
        rate(self.sigma, all, exp2_linear(1.0 - state.slots.memo) * loss)
    }

    /// How layer l is to move.
    fn motion<P: Tensors>(&self, state: &StateOf<P>, l: usize, e: f32) -> Motion {
        let [rho, ..] = &state.layers.slots;
        let rate = (1.0 - self.beta) * (e * number(rho, l));
        Motion { beta: self.beta, rate, unbias: unbias(self.beta2, state.slots.steps) }
    }
}

type StateOf<P> = LayeredState<P, <P as Tensors>::Layers, 2, 3>;

impl Default for Ngn {
    fn default() -> Self {
        Self::new()
    }
}

/// Takes the gradient of one tensor into v; returns the sum of g^2 / sqrt(v').
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn accumulate(v: &mut [f32], g: &[f32], beta2: f32, unbias: f32) -> f32 {
    let mut lanes = [[0.0; LANES]];
    by_lanes!([v] [g] lanes => {
        *v = mixed_square(*v, g, beta2);
        // The quotient first: g^2 may overflow.
        [g * (g * inverse_sqrts(*v * unbias + SQUARE_FLOOR))]
    });
    let [lanes] = lanes;
    total(lanes)
}

/// What all parameters of a layer share in a step.
#[derive(Debug, Clone, Copy)]
struct Motion {
    /// beta.
    beta: f32,
    /// (1 - beta) e rho.
    rate: f32,
    /// 1 / (1 - beta2^t).
    unbias: f32,
}

impl Motion {
    /// Moves one tensor, if it is given, and its velocity.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn apply(self, w: &mut [f32], [q, v]: [&mut [f32]; 2], g: &[f32]) {
        let Self { beta, rate, unbias } = self;
        let v = &*v;
        by_lanes!([w, q] [v, g] => {
            let step = rate * (g * inverse_sqrts(v * unbias + SQUARE_FLOOR));
            *q = beta * *q - step;
            *w += beta * *q - step;
        });
    }

    /// The velocity alone.
    fn observe(self, q: &mut [f32], v: &[f32], g: &[f32]) {
        let Self { beta, rate, unbias } = self;
        by_lanes!([q] [v, g] => {
            *q = beta * *q - rate * (g * inverse_sqrts(v * unbias + SQUARE_FLOOR));
        });
    }
}

impl Fingerprint for Ngn {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("ngn");
        digest.numbers([self.sigma, self.beta, self.beta2]);
    }
}

impl Rule for Ngn {
    type State<P: Tensors> = StateOf<P>;

    fn check(&self) -> Result<(), Error> {
        range::positive(self.sigma, "sigma, the largest rate, must be positive and finite")?;
        range::shares(&[self.beta, self.beta2])
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
        loss: f32,
        _: &mut impl Probe<P>,
    ) {
        let e = self.accumulate(state, params, gradient, loss);
        for l in 0..params.layers() {
            let motion = self.motion(state, l, e);
            for i in params.layer(l) {
                let slots = state.slots.slots.each_mut().map(|slot| slot.tensor_mut(i));
                motion.apply(params.tensor_mut(i), slots, gradient.tensor(i));
            }
        }
    }

    fn shorten<P: Tensors>(&self, state: &mut Self::State<P>) {
        let halvings = &mut state.slots.memo;
        if *halvings < MOST_HALVINGS {
            *halvings += 1.0;
        }
    }

    fn velocities<'s, P: Tensors>(&self, state: &'s mut Self::State<P>) -> &'s mut [P] {
        core::slice::from_mut(&mut state.slots.slots[0])
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, params: &P, gradient: &P, loss: f32) {
        let e = self.accumulate(state, params, gradient, loss);
        for l in 0..params.layers() {
            let motion = self.motion(state, l, e);
            for i in params.layer(l) {
                let [q, v] = &mut state.slots.slots;
                motion.observe(q.tensor_mut(i), v.tensor(i), gradient.tensor(i));
            }
        }
    }
}
