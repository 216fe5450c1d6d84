//! The learned rule without a scale: [`ScaleFree`](crate::rule::ScaleFree) with meta-trained numbers in all that it does.
//!
//! For layer l with weights w and gradient g, in step t = 1, 2, ...; sums and means run over all numbers of the layer, and
//! `rms` is the root of a mean square:
//!
//! ```text
//! rho  = the layer's size in the first step, kept, as `ScaleFree` has it
//! v   <- 0.99 v + 0.01 g^2        m <- 0.9 m + 0.1 g        n <- 0.99 n + 0.01 g        r = 1 / sqrt v
//! x    = g r, m r, n r, g, m, n                   each divided by its rms
//! d    = skip . x
//! c    = rms(m' r') - 1/2, rms(n' r') - 1/3, cos(g, h), cos(m r, n r), log2(f' / f_1) / 4     ' = bias-corrected
//! s   <- clamp((1 - 0.01 leak) s + (fast c_2 + slow c_3) / 2 + drift / 10, -4, 4)
//! q    = 5 size + 2 gain . c + s - log2(1 + fall t / 100) / 2
//! w   <- w - 2^clamp(q, -20, 2) rho clamp(d / rms(d), -4, 4) - 2^clamp(q, -20, 2) decay w / 10
//! ```
//!
//! h is r times the m of the step before; c_2 is 0 in the first step. f' is a mean of the minibatches' losses with decay 0.95,
//! f_1 the first of them; log2 of their ratio is clamped to \[-10, 2\]. leak, fall and decay count as 0 where they are
//! negative. log2 and 2^ are straight lines within an octave.
//!
//! Nothing in it has a scale: f, g and, with them, v, m, n may be multiplied by any constant, and so may a layer's w if its g
//! is divided by it. No step moves a weight by more than 4 2^2 rho and its decay. The last iterate is noisy, since steps do
//! not end: use the rule [averaged](crate::rule::Averaged), as it was meta-trained.
//!
//! The 18 weights, in the order of the file: skip (6), gain (5), size, fall, fast, slow, drift, leak, decay; 88 bytes of
//! flash as a file. RAM: 3 floats a parameter, slots 0 to 2 are v, m, n; and 2 a layer, numbers 0 and 1 are rho and s.

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
pub const KIND: u8 = 6;

const FEATURES: usize = 6;
const CONTEXT: usize = 5;
const WEIGHTS: usize = FEATURES + CONTEXT + 7;
const DECAYS: [f32; 3] = [0.99, 0.9, 0.99];
/// The most that a number moves, as a multiple of what the layer's numbers move on the whole.
const LARGEST: f32 = 4.0;

/// The rule: its 18 weights.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnedScaleFree {
    /// How much of each feature is in the direction.
    skip: [f32; FEATURES],
    /// How the length of a step follows from what is known of the layer.
    gain: [f32; CONTEXT],
    size: f32,
    fall: f32,
    fast: f32,
    slow: f32,
    drift: f32,
    leak: f32,
    decay: f32,
}

/// The sums of one layer.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// Squares of the features, before they are divided by anything.
    features: [f32; FEATURES],
    /// g h, h^2, and m r times n r.
    products: [f32; 3],
}

/// What a layer's parameters need to know of it.
#[derive(Debug, Clone, Copy)]
struct Motion {
    /// skip / rms, of each feature.
    shares: [f32; FEATURES],
    /// 1 / rms(d).
    inverse_rms: f32,
    /// What a number moves by for each rms of d.
    length: f32,
    /// What it loses of itself.
    decay: f32,
}

type StateOf<P> = LayeredState<P, <P as Tensors>::Layers, 3, 2>;

/// Takes the gradient of one tensor into its accumulators, and into the sums of its layer.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn accumulate([v, m, n]: [&mut [f32]; 3], g: &[f32], sums: &mut Sums) {
    let [of_v, of_m, of_n] = DECAYS;
    let mut lanes = [[0.0; LANES]; FEATURES + 3];
    by_lanes!([v, m, n] [g] lanes => {
        *v = mixed_square(*v, g, of_v);
        let r = inverse_sqrts(*v + SQUARE_FLOOR);
        let h = *m * r;
        *m = of_m * *m + (1.0 - of_m) * g;
        *n = of_n * *n + (1.0 - of_n) * g;
        let (gr, mr, nr) = (g * r, *m * r, *n * r);
        [gr * gr, mr * mr, nr * nr, g * g, *m * *m, *n * *n, g * h, h * h, mr * nr]
    });
    let [f0, f1, f2, f3, f4, f5, gh, hh, mn] = lanes.map(total);
    sums.features.iter_mut().zip([f0, f1, f2, f3, f4, f5]).for_each(|(sum, part)| *sum += part);
    sums.products.iter_mut().zip([gh, hh, mn]).for_each(|(sum, part)| *sum += part);
}

/// d of one parameter.
#[inline(always)]
fn direction<T: Number>(shares: &[f32; FEATURES], v: T, m: T, n: T, g: T) -> T {
    let [a, b, c, d, e, f] = *shares;
    (g * a + m * b + n * c) * inverse_sqrts(v + SQUARE_FLOOR) + (g * d + m * e + n * f)
}

/// Sum of d^2 over one tensor.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn squares(shares: &[f32; FEATURES], [v, m, n]: [&[f32]; 3], g: &[f32]) -> f32 {
    let mut lanes = [[0.0; LANES]];
    by_lanes!([] [v, m, n, g] lanes => {
        let d = direction(shares, v, m, n, g);
        [d * d]
    });
    let [lanes] = lanes;
    total(lanes)
}

impl Motion {
    /// Moves one tensor.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn apply(&self, w: &mut [f32], [v, m, n]: [&[f32]; 3], g: &[f32]) {
        let Self { shares, inverse_rms, length, decay } = self;
        by_lanes!([w] [v, m, n, g] => {
            let u = (direction(shares, v, m, n, g) * *inverse_rms).each(|u| clamp(u, -LARGEST, LARGEST));
            *w -= *length * u + *decay * *w;
        });
    }
}

impl LearnedScaleFree {
    const ZERO: Self = Self {
        skip: [0.0; FEATURES],
        gain: [0.0; CONTEXT],
        size: 0.0,
        fall: 0.0,
        fast: 0.0,
        slow: 0.0,
        drift: 0.0,
        leak: 0.0,
        decay: 0.0,
    };

    /// The hand-made rule, nearly: a step of 0.05 rho in the direction of NAdam, whose length follows the fast cosine.
    /// Meta-training starts from it.
    #[must_use]
    pub const fn hand_made() -> Self {
        Self { skip: [0.3, 1.0, 0.0, 0.0, 0.0, 0.0], size: -0.86, fast: 0.144, ..Self::ZERO }
    }

    file::from_bytes!();

    /// All weights, in the order of the file.
    fn weights(&self) -> impl Iterator<Item = f32> {
        let Self { size, fall, fast, slow, drift, leak, decay, .. } = *self;
        self.skip.into_iter().chain(self.gain).chain([size, fall, fast, slow, drift, leak, decay])
    }

    /// Sets weight number `i` in the order of the file.
    const fn set(&mut self, i: usize, weight: f32) {
        const REST: usize = FEATURES + CONTEXT;
        match i {
            0..FEATURES => self.skip[i] = weight,
            FEATURES..REST => self.gain[i - FEATURES] = weight,
            11 => self.size = weight,
            12 => self.fall = weight,
            13 => self.fast = weight,
            14 => self.slow = weight,
            15 => self.drift = weight,
            16 => self.leak = weight,
            17 => self.decay = weight,
            // A file has as many weights as the rule, and is refused otherwise.
            18.. => {}
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
        let mut sums = Sums::default();
        for i in params.layer(l) {
            let slots = state.slots.slots.each_mut().map(|slot| slot.tensor_mut(i));
            accumulate(slots, gradient.tensor(i), &mut sums);
        }
        let n = numbers_in(params, l);
        let [rho, shift] = &mut state.layers.slots;
        if t == 1 {
            set_number(rho, l, initial_size(params, l));
        }
        let context = self.context(&sums, n, t, progress);
        let s = self.shift(number(shift, l), &context);
        set_number(shift, l, s);
        let rate = exp2_linear(self.log_rate(&context, s, t));
        let mut shares = self.skip;
        for (share, square) in shares.iter_mut().zip(sums.features) {
            *share /= math::sqrt(square / n + SQUARE_FLOOR);
        }
        Motion { shares, inverse_rms: 0.0, length: rate * number(rho, l), decay: rate * 0.1 * positive(self.decay) }
    }

    /// c of a layer of n numbers.
    fn context(&self, sums: &Sums, n: f32, t: u32, progress: f32) -> [f32; CONTEXT] {
        let [_, mr, nr, gg, ..] = sums.features;
        let [gh, hh, mn] = sums.products;
        let [of_v, of_m, of_n] = DECAYS;
        let r = math::sqrt(unbias(of_v, t));
        let coherence = |square: f32, decay| math::sqrt(square / n) * unbias(decay, t) / r;
        [
            coherence(mr, of_m) - 0.5,
            coherence(nr, of_n) - 1.0 / 3.0,
            cosine([gh, gg, hh]),
            cosine([mn, mr, nr]),
            0.25 * progress,
        ]
    }

    /// s of a layer, from that of the step before.
    fn shift(&self, before: f32, [_, _, fast, slow, _]: &[f32; CONTEXT]) -> f32 {
        let kept = (1.0 - 0.01 * positive(self.leak)) * before;
        clamp(kept + 0.5 * (self.fast * fast + self.slow * slow) + 0.1 * self.drift, -4.0, 4.0)
    }

    /// q of a layer, clamped.
    fn log_rate(&self, context: &[f32; CONTEXT], s: f32, t: u32) -> f32 {
        let gained = self.gain.iter().zip(context).fold(0.0, |sum, (gain, c)| sum + gain * c);
        let fallen = log2_linear(1.0 + positive(self.fall) * (0.01 * t as f32));
        clamp(5.0 * self.size + 2.0 * gained + s - 0.5 * fallen, -20.0, 2.0)
    }
}

impl Learned for LearnedScaleFree {
    const KIND: u8 = KIND;
    const HIDDEN: usize = FEATURES;
    const WEIGHTS: usize = WEIGHTS;

    /// [`hand_made`](LearnedScaleFree::hand_made); nothing in it is random.
    fn initial(_: &mut Rng) -> Self {
        Self::hand_made()
    }

    file::weights_and_files!();
}

impl Fingerprint for LearnedScaleFree {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("learned-scale-free");
        digest.numbers(self.weights());
    }
}

impl Rule for LearnedScaleFree {
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
            let mut motion = self.accumulate(state, params, gradient, l, progress);
            let (mut n, mut square) = (0, 0.0);
            for i in params.layer(l) {
                let slots = state.slots.slots.each_ref().map(|slot| slot.tensor(i));
                square += squares(&motion.shares, slots, gradient.tensor(i));
                n += params.tensor(i).len();
            }
            motion.inverse_rms = 1.0 / math::sqrt(square / n as f32 + SQUARE_FLOOR);
            for i in params.layer(l) {
                let slots = state.slots.slots.each_ref().map(|slot| slot.tensor(i));
                motion.apply(params.tensor_mut(i), slots, gradient.tensor(i));
            }
        }
    }

    fn velocities<'s, P: Tensors>(&self, state: &'s mut Self::State<P>) -> &'s mut [P] {
        let [_, means @ ..] = &mut state.slots.slots;
        means
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, params: &P, gradient: &P, loss: f32) {
        let t = state.slots.count_and_sweep();
        let progress = log_ratio(progress(state, loss, t));
        for l in 0..params.layers() {
            self.accumulate(state, params, gradient, l, progress);
        }
    }
}
