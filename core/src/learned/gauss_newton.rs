//! The learned form of [`Ngn`](crate::rule::Ngn): the non-negative Gauss-Newton step on Adam's metric, with seventeen
//! meta-trained numbers for its constants and for how a layer's steps follow what is known of it.
//!
//! In step t = 1, 2, ...; sums over layer l run over all its weights w, their gradients g and velocities q; f is the loss:
//!
//! ```text
//! rho  = the layer's size in the first step, kept, as `ScaleFree` has it
//! v   <- beta2 v + (1 - beta2) g^2        x = g / sqrt(v / (1 - beta2^t))        k = rho^power
//! e    = sigma / (1 + sigma sum(k g x) / (2^(5 bound) f))                            sum over all layers
//! s   <- clamp((1 - 0.01 leak) s + fast cos(x, -q) / 2 + drift / 10, -4, 4)
//! c    = log2(f' / f_1) / 4, log2(e / sigma) / 4,                                   the same for all layers
//!        (log2(|q| / |p'|) + 3/2) / 4, (log2(n) - 9) / 4                            a layer's own
//! a    = r / (r + fade / 100), r = f' / f_1                                          the same for all layers
//! p    = 2^clamp(2 gain . c + s - log2(1 + fall t / 100) / 2, -10, 4) a e k x
//! q   <- beta q - (1 - beta) p            w <- w + keep q - look p - 0.01 decay e w
//! ```
//!
//! sigma = 2^(5 size), 1 - beta = 2^(-5 mean), 1 - beta2 = 2^(-5 square), where mean and square are clamped to \[0.1, 2\] and
//! \[0.2, 2.6\]. f' is a mean of the minibatches' losses with decay 0.95, f_1 the first of them; log2 of a ratio is clamped to
//! \[-10, 2\]. |p'| is |x| times what x was multiplied by in the step before, and |q| / |p'| says how far the gradients of
//! the layer agree: 1 if all of them are the same, sqrt((1 - beta) / (1 + beta)) if they are noise. n counts the weights of the
//! layer. The cosine is 0 in the first step, and so is the third number of c. leak, fall, decay
//! and fade count as 0 where they are negative; a is 1 where fade is 0 or r is no finite number. So steps fade out once the loss is
//! small against the first one, the decay of weights does not: parameters that fit all examples do not grow for ever. log2 and 2^ are
//! straight lines within an octave.
//!
//! [`hand_made`](LearnedNgn::hand_made) weights are `Ngn` with its own constants. If the loss and its gradient are
//! multiplied by a constant, the run is the same. Use it [averaged](crate::rule::Averaged), as it was meta-trained.
//!
//! The 17 weights, in the order of the file: size, bound, power, mean, square, keep, look, gain (4), fall, fast, drift, leak,
//! decay, fade; 84 bytes of flash as a file. RAM: 2 floats a parameter, slots 0 and 1 are q, v; and 3 a layer, numbers 0 to 2
//! are rho, s and what x was multiplied by last.

use super::Learned;
use super::features::{log_ratio, positive, progress};
use super::file::{self, WeightsError};
use crate::lanes::{by_lanes, total};
use crate::math::{clamp, exp2_linear, inverse_sqrts, log2_linear, sqrt};
use crate::persist::{Digest, Fingerprint};
use crate::rng::Rng;
use crate::rule::layered::{LayeredState, initial_size, number, numbers_in, set_number};
use crate::rule::ngn::{SQUARE_FLOOR, mixed_square, unbias};
use crate::rule::plain_ngn::rate;
use crate::rule::scale_free::cosine;
use crate::rule::{Probe, Rule};
use crate::sum::LANES;
use crate::tensors::Tensors;

/// Number of this kind in a weights file.
pub const KIND: u8 = 8;

const WEIGHTS: usize = 17;

/// The rule: its seventeen weights.
#[derive(Debug, Clone, PartialEq)]
pub struct LearnedNgn {
    weights: [f32; WEIGHTS],
}

/// The constants of a rule, as its weights say them.
#[derive(Debug, Clone, Copy)]
struct Constants {
    sigma: f32,
    bound: f32,
    power: f32,
    /// 1 - beta.
    fresh: f32,
    beta2: f32,
    keep: f32,
    look: f32,
    gain: [f32; 2],
    /// The gain of a layer's own numbers.
    own_gain: [f32; 2],
    fall: f32,
    fast: f32,
    drift: f32,
    leak: f32,
    decay: f32,
    fade: f32,
}

/// How the parameters of a layer are to move.
#[derive(Debug, Clone, Copy)]
struct Motion {
    /// p / x.
    length: f32,
    /// 1 / (1 - beta2^t).
    unbias: f32,
    fresh: f32,
    keep: f32,
    look: f32,
    /// What a weight loses of itself.
    decay: f32,
}

type StateOf<P> = LayeredState<P, <P as Tensors>::Layers, 2, 3>;

/// The sums of one layer: g x, x^2, x q, q^2.
type Sums = [f32; 4];

/// Takes the gradient of one tensor into v, and into the sums of its layer.
#[cfg_attr(target_os = "none", inline(never))]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn accumulate([q, v]: [&mut [f32]; 2], g: &[f32], beta2: f32, unbias: f32, sums: &mut Sums) {
    let (mut lanes, q) = ([[0.0; LANES]; 4], &*q);
    by_lanes!([v] [g, q] lanes => {
        *v = mixed_square(*v, g, beta2);
        let x = g * inverse_sqrts(*v * unbias + SQUARE_FLOOR);
        [g * x, x * x, x * q, q * q]
    });
    sums.iter_mut().zip(lanes.map(total)).for_each(|(sum, part)| *sum += part);
}

impl Motion {
    /// Moves one tensor and its velocity.
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn apply(self, w: &mut [f32], [q, v]: [&mut [f32]; 2], g: &[f32]) {
        let (Self { length, unbias, fresh, keep, look, decay }, v) = (self, &*v);
        by_lanes!([w, q] [v, g] => {
            let p = length * (g * inverse_sqrts(v * unbias + SQUARE_FLOOR));
            *q = (1.0 - fresh) * *q - fresh * p;
            *w += keep * *q - look * p - decay * *w;
        });
    }

    /// The velocity alone.
    fn observe(self, [q, v]: [&mut [f32]; 2], g: &[f32]) {
        let (Self { length, unbias, fresh, .. }, v) = (self, &*v);
        by_lanes!([q] [v, g] => {
            let p = length * (g * inverse_sqrts(v * unbias + SQUARE_FLOOR));
            *q = (1.0 - fresh) * *q - fresh * p;
        });
    }
}

impl LearnedNgn {
    const ZERO: Self = Self { weights: [0.0; WEIGHTS] };

    /// The hand-made rule. Meta-training starts from it.
    #[must_use]
    pub const fn hand_made() -> Self {
        Self { weights: [0.1, 0.2, 1.0, 0.68, 1.344, 0.9, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0] }
    }

    file::from_bytes!();

    /// All weights, in the order of the file.
    fn weights(&self) -> impl Iterator<Item = f32> {
        self.weights.into_iter()
    }

    /// Sets weight number `i` in the order of the file; a number beyond the last one is left out.
    const fn set(&mut self, i: usize, weight: f32) {
        if i < WEIGHTS {
            self.weights[i] = weight;
        }
    }

    fn constants(&self) -> Constants {
        let [size, bound, power, mean, square, keep, look, a, b, c, d, fall, fast, drift, leak, decay, fade] =
            self.weights;
        Constants {
            sigma: exp2_linear(clamp(5.0 * size, -40.0, 20.0)),
            bound: exp2_linear(clamp(5.0 * bound, -20.0, 20.0)),
            power,
            fresh: exp2_linear(-5.0 * clamp(mean, 0.1, 2.0)),
            beta2: 1.0 - exp2_linear(-5.0 * clamp(square, 0.2, 2.6)),
            keep,
            look,
            gain: [a, b],
            own_gain: [c, d],
            fall: positive(fall),
            fast,
            drift,
            leak: positive(leak),
            decay: positive(decay),
            fade: 0.01 * positive(fade),
        }
    }

    /// Updates the state with a gradient; returns what all layers move by.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn advance<P: Tensors>(&self, state: &mut StateOf<P>, params: &P, gradient: &P, loss: f32) -> (Constants, Shared) {
        let constants = self.constants();
        let t = state.slots.count_and_sweep();
        let progress = progress(state, loss, t);
        let unbias = unbias(constants.beta2, t);
        let mut decrease = 0.0;
        for l in 0..params.layers() {
            decrease += constants.accumulate(state, params, gradient, l, unbias);
        }
        let e = constants.rate(decrease, loss);
        let context = [log_ratio(progress), log_ratio(e / constants.sigma)];
        let faded = constants.left_at(progress) * e;
        (constants, Shared { e, faded, unbias, log_length: constants.log_length(context, t) })
    }
}

/// What all layers share in a step.
#[derive(Debug, Clone, Copy)]
struct Shared {
    e: f32,
    /// a e.
    faded: f32,
    /// 1 / (1 - beta2^t).
    unbias: f32,
    /// log2 of p / (a e k x), without s.
    log_length: f32,
}

/// 2 gain . c.
fn gained(gain: [f32; 2], c: [f32; 2]) -> f32 {
    2.0 * gain.into_iter().zip(c).fold(0.0, |sum, (gain, c)| sum + gain * c)
}

/// (log2(|q| / |p'|) + 3/2) / 4, from what x was multiplied by last and the sums of x^2 and q^2; 0 if it never was.
fn agreement(last: f32, [xx, qq]: [f32; 2]) -> f32 {
    let length = last * sqrt(xx);
    if length > 0.0 { 0.25 * log_ratio(sqrt(qq) / length) + 0.375 } else { 0.0 }
}

impl Constants {
    /// e, from the sum of k g x.
    fn rate(&self, decrease: f32, loss: f32) -> f32 {
        rate(self.sigma, decrease, self.bound * loss)
    }

    /// a, from f' / f_1.
    fn left_at(&self, progress: f32) -> f32 {
        let r = positive(progress);
        if self.fade > 0.0 && r.is_finite() { r / (r + self.fade) } else { 1.0 }
    }

    /// Updates the state with the gradient of layer l; returns its part of the sum of k g x.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn accumulate<P: Tensors>(&self, state: &mut StateOf<P>, params: &P, gradient: &P, l: usize, unbias: f32) -> f32 {
        let mut sums = [0.0; 4];
        for i in params.layer(l) {
            let slots = state.slots.slots.each_mut().map(|slot| slot.tensor_mut(i));
            accumulate(slots, gradient.tensor(i), self.beta2, unbias, &mut sums);
        }
        let [gx, xx, xq, qq] = sums;
        let [rho, shift, last] = &mut state.layers.slots;
        if state.slots.steps == 1 {
            set_number(rho, l, initial_size(params, l));
        }
        let kept = (1.0 - 0.01 * self.leak) * number(shift, l);
        let s = kept + 0.5 * self.fast * cosine([-xq, xx, qq]) + 0.1 * self.drift;
        set_number(shift, l, clamp(s, -4.0, 4.0));
        let context = [agreement(number(last, l), [xx, qq]), 0.25 * log2_linear(numbers_in(params, l)) - 2.25];
        set_number(last, l, gained(self.own_gain, context));
        self.scale(number(rho, l)) * gx
    }

    /// k.
    fn scale(&self, rho: f32) -> f32 {
        exp2_linear(clamp(self.power * log2_linear(rho), -40.0, 40.0))
    }

    /// 2 gain . c - log2(1 + fall t / 100) / 2.
    fn log_length(&self, context: [f32; 2], t: u32) -> f32 {
        gained(self.gain, context.map(|c| 0.25 * c)) - 0.5 * log2_linear(1.0 + self.fall * (0.01 * t as f32))
    }

    /// How layer l is to move. Its third number is what its own numbers gain, and becomes the length.
    fn motion<P: Tensors>(&self, state: &mut StateOf<P>, l: usize, shared: &Shared) -> Motion {
        let [rho, shift, last] = &mut state.layers.slots;
        let factor = exp2_linear(clamp(shared.log_length + number(last, l) + number(shift, l), -10.0, 4.0));
        let length = factor * shared.faded * self.scale(number(rho, l));
        set_number(last, l, length);
        Motion {
            length,
            unbias: shared.unbias,
            fresh: self.fresh,
            keep: self.keep,
            look: self.look,
            decay: 0.01 * self.decay * shared.e,
        }
    }
}

impl Learned for LearnedNgn {
    const KIND: u8 = KIND;
    const HIDDEN: usize = WEIGHTS;
    const WEIGHTS: usize = WEIGHTS;

    /// [`hand_made`](LearnedNgn::hand_made); nothing in it is random.
    fn initial(_: &mut Rng) -> Self {
        Self::hand_made()
    }

    file::weights_and_files!();
}

impl Fingerprint for LearnedNgn {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("learned-ngn");
        digest.numbers(self.weights());
    }
}

impl Rule for LearnedNgn {
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
        let (constants, shared) = self.advance(state, params, gradient, loss);
        for l in 0..params.layers() {
            let motion = constants.motion(state, l, &shared);
            for i in params.layer(l) {
                let slots = state.slots.slots.each_mut().map(|slot| slot.tensor_mut(i));
                motion.apply(params.tensor_mut(i), slots, gradient.tensor(i));
            }
        }
    }

    fn velocities<'s, P: Tensors>(&self, state: &'s mut Self::State<P>) -> &'s mut [P] {
        core::slice::from_mut(&mut state.slots.slots[0])
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, params: &P, gradient: &P, loss: f32) {
        let (constants, shared) = self.advance(state, params, gradient, loss);
        for l in 0..params.layers() {
            let motion = constants.motion(state, l, &shared);
            for i in params.layer(l) {
                motion.observe(state.slots.slots.each_mut().map(|slot| slot.tensor_mut(i)), gradient.tensor(i));
            }
        }
    }
}
