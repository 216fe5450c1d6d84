//! The learned rule without a scale in less memory and time: [`ScaleFree`](crate::rule::ScaleFree) with ten meta-trained
//! numbers, one pass for all that it knows of a layer and one to move it.
//!
//! For layer l with weights w and gradient g, in step t = 1, 2, ...; sums and means run over all numbers of the layer, and
//! `rms` is the root of a mean square:
//!
//! ```text
//! rho  = the layer's size in the first step, kept, as `ScaleFree` has it
//! v   <- 0.99 v + 0.01 g^2        r = 1 / sqrt v        x = g r        h = m r        m <- 0.9 m + 0.1 g
//! d    = skip x / rms(x) + m r / rms(m r)
//! c    = rms(m' r') - 1/2, cos(x, h), log2(f' / f_1) / 4                                   ' = bias-corrected
//! s   <- clamp((1 - 0.01 leak) s + fast c_1 / 2 + drift / 10, -4, 4)
//! q    = 5 size + 2 gain . c + s - log2(1 + fall t / 100) / 2
//! w   <- w - 2^clamp(q, -20, 2) rho clamp(d / rms(d), -4, 4) - 2^clamp(q, -20, 2) decay w / 10
//! ```
//!
//! Since m r = 0.9 h + 0.1 x, the sums of x^2, x h and h^2 say all that is asked of the layer. f' is a mean of the
//! minibatches' losses with decay 0.95, f_1 the first of them; log2 of their ratio is clamped to \[-10, 2\]. leak, fall and
//! decay count as 0 where they are negative. log2 and 2^ are straight lines within an octave.
//!
//! Scale-free as [`LearnedScaleFree`](super::LearnedScaleFree) is. Use it [averaged](crate::rule::Averaged).
//!
//! The ten weights, in the order of the file: skip, gain (3), size, fall, fast, drift, leak, decay; 56 bytes of flash as a
//! file. RAM: 2 floats a parameter, slots 0 and 1 are v, m; and 2 a layer, numbers 0 and 1 are rho and s.

use super::Learned;
use super::features::{log_ratio, positive, progress};
use super::file::{self, WeightsError};
use crate::lanes::{by_lanes, total};
use crate::math::{self, clamp, exp2_linear, inverse_sqrts, log2_linear};
use crate::pair::Number;
use crate::persist::{Digest, Fingerprint};
use crate::rng::Rng;
use crate::rule::layered::{LayeredState, initial_size, number, numbers_in, set_number};
use crate::rule::ngn::{SQUARE_FLOOR, mixed_square, unbias};
use crate::rule::scale_free::cosine;
use crate::rule::{Probe, Rule};
use crate::sum::LANES;
use crate::tensors::Tensors;

/// Number of this kind in a weights file.
pub const KIND: u8 = 7;

const CONTEXT: usize = 3;
const WEIGHTS: usize = CONTEXT + 7;
const OF_SQUARE: f32 = 0.99;
const OF_MEAN: f32 = 0.9;
/// The most that a number moves, as a multiple of what the layer's numbers move on the whole.
const LARGEST: f32 = 4.0;

/// The rule: its ten weights.
#[derive(Debug, Clone, PartialEq)]
pub struct LeanScaleFree {
    /// How much of the gradient is in the direction, beside its mean.
    skip: f32,
    /// How the length of a step follows from what is known of the layer.
    gain: [f32; CONTEXT],
    size: f32,
    fall: f32,
    fast: f32,
    drift: f32,
    leak: f32,
    decay: f32,
}

type StateOf<P> = LayeredState<P, <P as Tensors>::Layers, 2, 2>;

/// Takes the gradient of one tensor into its accumulators; adds to the sums of x^2, x h, h^2.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn accumulate([v, m]: [&mut [f32]; 2], g: &[f32], sums: &mut [f32; 3]) {
    let mut lanes = [[0.0; LANES]; 3];
    by_lanes!([v, m] [g] lanes => {
        *v = mixed_square(*v, g, OF_SQUARE);
        let r = inverse_sqrts(*v + SQUARE_FLOOR);
        let (x, h) = (g * r, *m * r);
        *m = OF_MEAN * *m + (1.0 - OF_MEAN) * g;
        [x * x, x * h, h * h]
    });
    sums.iter_mut().zip(lanes.map(total)).for_each(|(sum, part)| *sum += part);
}

/// How the parameters of a layer are to move.
#[derive(Debug, Clone, Copy)]
struct Motion {
    /// What of g r and of m r is in d / rms(d).
    shares: [f32; 2],
    /// What a number moves by for each rms of d.
    length: f32,
    /// What it loses of itself.
    decay: f32,
}

impl Motion {
    /// Moves one tensor.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn apply(&self, w: &mut [f32], [v, m]: [&[f32]; 2], g: &[f32]) {
        let Self { shares: [of_gradient, of_mean], length, decay } = *self;
        by_lanes!([w] [v, m, g] => {
            let d = (of_gradient * g + of_mean * m) * inverse_sqrts(v + SQUARE_FLOOR);
            *w -= length * d.each(|d| clamp(d, -LARGEST, LARGEST)) + decay * *w;
        });
    }
}

impl LeanScaleFree {
    const ZERO: Self =
        Self { skip: 0.0, gain: [0.0; CONTEXT], size: 0.0, fall: 0.0, fast: 0.0, drift: 0.0, leak: 0.0, decay: 0.0 };

    /// The hand-made rule, nearly: a step of 0.05 rho in the direction of NAdam, whose length follows the cosine.
    /// Meta-training starts from it.
    #[must_use]
    pub const fn hand_made() -> Self {
        Self { skip: 0.3, size: -0.86, fast: 0.144, ..Self::ZERO }
    }

    file::from_bytes!();

    /// All weights, in the order of the file.
    fn weights(&self) -> impl Iterator<Item = f32> {
        let Self { skip, gain: [a, b, c], size, fall, fast, drift, leak, decay } = *self;
        [skip, a, b, c, size, fall, fast, drift, leak, decay].into_iter()
    }

    /// Sets weight number `i` in the order of the file.
    const fn set(&mut self, i: usize, weight: f32) {
        match i {
            0 => self.skip = weight,
            1..=CONTEXT => self.gain[i - 1] = weight,
            4 => self.size = weight,
            5 => self.fall = weight,
            6 => self.fast = weight,
            7 => self.drift = weight,
            8 => self.leak = weight,
            9 => self.decay = weight,
            // A file has as many weights as the rule, and is refused otherwise.
            10.. => {}
        }
    }

    /// Updates the state with the gradient of layer l; returns how its parameters are to move. `progress` is log2(f' / f_1).
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn accumulate<P: Tensors>(
        &self,
        state: &mut StateOf<P>,
        params: &P,
        gradient: &P,
        l: usize,
        progress: f32,
    ) -> Motion {
        let t = state.slots.steps;
        let mut sums = [0.0; 3];
        for i in params.layer(l) {
            let slots = state.slots.slots.each_mut().map(|slot| slot.tensor_mut(i));
            accumulate(slots, gradient.tensor(i), &mut sums);
        }
        let n = numbers_in(params, l);
        let [rho, shift] = &mut state.layers.slots;
        if t == 1 {
            set_number(rho, l, initial_size(params, l));
        }
        let [xx, xh, hh] = sums.map(|sum| sum / n);
        // Of m r = b h + (1 - b) x: its square, and its product with x.
        let (b, a) = (OF_MEAN, 1.0 - OF_MEAN);
        let mm = b * b * hh + 2.0 * a * b * xh + a * a * xx;
        let xm = b * xh + a * xx;
        let context = [
            math::sqrt(mm) * unbias(OF_MEAN, t) / math::sqrt(unbias(OF_SQUARE, t)) - 0.5,
            cosine([xh, xx, hh]),
            0.25 * progress,
        ];
        let s = self.shift(number(shift, l), context[1]);
        set_number(shift, l, s);
        let rate = exp2_linear(self.log_rate(&context, s, t));
        let of_gradient = self.skip / math::sqrt(xx + SQUARE_FLOOR);
        let of_mean = 1.0 / math::sqrt(mm + SQUARE_FLOOR);
        let square = of_gradient * of_gradient * xx + 2.0 * of_gradient * of_mean * xm + of_mean * of_mean * mm;
        let inverse_rms = 1.0 / math::sqrt(positive(square) + SQUARE_FLOOR);
        Motion {
            shares: [of_gradient * inverse_rms, of_mean * inverse_rms],
            length: rate * number(rho, l),
            decay: rate * 0.1 * positive(self.decay),
        }
    }

    /// s of a layer, from that of the step before.
    fn shift(&self, before: f32, cosine: f32) -> f32 {
        let kept = (1.0 - 0.01 * positive(self.leak)) * before;
        clamp(kept + 0.5 * self.fast * cosine + 0.1 * self.drift, -4.0, 4.0)
    }

    /// q of a layer, clamped.
    fn log_rate(&self, context: &[f32; CONTEXT], s: f32, t: u32) -> f32 {
        let gained = self.gain.iter().zip(context).fold(0.0, |sum, (gain, c)| sum + gain * c);
        let fallen = log2_linear(1.0 + positive(self.fall) * (0.01 * t as f32));
        clamp(5.0 * self.size + 2.0 * gained + s - 0.5 * fallen, -20.0, 2.0)
    }
}

impl Learned for LeanScaleFree {
    const KIND: u8 = KIND;
    const HIDDEN: usize = CONTEXT;
    const WEIGHTS: usize = WEIGHTS;

    /// [`hand_made`](LeanScaleFree::hand_made); nothing in it is random.
    fn initial(_: &mut Rng) -> Self {
        Self::hand_made()
    }

    file::weights_and_files!();
}

impl Fingerprint for LeanScaleFree {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("lean-scale-free");
        digest.numbers(self.weights());
    }
}

impl Rule for LeanScaleFree {
    type State<P: Tensors> = StateOf<P>;

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
        let t = state.slots.count_and_sweep();
        let progress = log_ratio(progress(state, loss, t));
        for l in 0..params.layers() {
            let motion = self.accumulate(state, params, gradient, l, progress);
            for i in params.layer(l) {
                let slots = state.slots.slots.each_ref().map(|slot| slot.tensor(i));
                motion.apply(params.tensor_mut(i), slots, gradient.tensor(i));
            }
        }
    }

    fn velocities<'s, P: Tensors>(&self, state: &'s mut Self::State<P>) -> &'s mut [P] {
        core::slice::from_mut(&mut state.slots.slots[1])
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, params: &P, gradient: &P, loss: f32) {
        let t = state.slots.count_and_sweep();
        let progress = log_ratio(progress(state, loss, t));
        for l in 0..params.layers() {
            self.accumulate(state, params, gradient, l, progress);
        }
    }
}
