//! Coordinatewise MLP: one tiny network, applied to every parameter alike.
//!
//! Of the family of Metz et al. ("Understanding and correcting pathologies in the training of learned optimizers", ICML
//! 2019; "Practical tradeoffs between memory, compute, and performance in learned optimizers", 2022), with connections
//! that bypass the network, by which it is Adam, momentum or Nesterov's before any training. Per parameter w with gradient g, in
//! step t = 1, 2, ...:
//!
//! ```text
//! v   <- 0.99 v + 0.01 g^2                     m_b <- b m_b + (1 - b) g,   b = 0.5, 0.9, 0.99
//! r    = 1 / sqrt(v' + 1e-16)                  ' = corrected for the start from zero
//! dirs = g r, m_.9' r, m_.9' r', g r'
//! x    = dirs, m_.5' r, m_.99' r, log2(v / mean v) / 8, w / rms(w)
//!        each clamped to +-4, but the two with r' to +-8 and the logarithm to +-2
//! c    = log2 rms(w) / 8, rms(m_.9') r', rms(m_.99') r', level / 8, log2(n) / 16, tanh(t / 30), tanh(t / 300)
//! level = 7 + log2(mean v') / 2
//! h    = relu(A sigma x + C c + a)             d, s = O h + o,   sigma = sign of m_.9
//! w   <- w - 0.01 sigma (d + skip . sigma dirs) 2^clamp(s + kappa level, -12, 6)
//! ```
//!
//! rms and mean run over the tensor of n parameters, r' = 1 / sqrt(mean v'). The seven numbers c are the same for all
//! parameters of a tensor, so C c + a is computed once per tensor: a parameter costs 8 inputs. There are 18 H + 7
//! weights for H hidden units. log2 and 2^ are straight lines within an octave ([`log2_linear`], [`exp2_linear`](math::exp2_linear)),
//! 1 / sqrt is [`inverse_sqrt`]: the rule needs no table, no division per parameter, and no `libm` but for two tanh a
//! step and two square roots a tensor.
//!
//! kappa says how far steps follow the size of the gradients: with 0 they do not, as in Adam; with 1 they are
//! proportional to it, as in momentum, so that the layers of a network move in proportion and a run anneals by itself.
//! sigma turns all inputs but the logarithm so that the mean gradient points up, and the step back again. So the rule
//! is odd, f(-g, -w) = -f(g, w), whatever its weights: no bias in it can push all parameters one way, which is how
//! rules of this kind inflate weights late in a run.
//!
//! State: slots 0 to 3 are v, m_.5, m_.9, m_.99.

use super::Learned;
use super::features::{self, SQUARE_DECAY, SQUARE_FLOOR, STEP, WEIGHT_FLOOR, add};
use super::file::{self, WeightsError};
use crate::checkpoint::{Digest, Fingerprint};
use crate::math::{self, clamp, exp2_linear_within, inverse_sqrt, log2_linear};
use crate::rng::Rng;
use crate::rule::{Probe, Rule, State};
use crate::sum;
use crate::tensors::Tensors;

/// Number of this kind in a weights file.
pub const KIND: u8 = 1;

const DECAYS: [f32; 3] = [0.5, 0.9, 0.99];
/// Inputs per parameter, and per tensor.
const INPUTS: usize = 8;
const CONTEXT: usize = 7;

/// Parameters that are moved at a time, four vectors of eight or as many as fit into single registers, and fewer where so
/// many are not left. Neither changes a bit. One vector at a time waits for its own sums; four take turns.
const BLOCK: usize = if cfg!(any(target_arch = "arm", target_arch = "riscv32")) { 2 } else { 32 };
const SMALL: usize = 8;

/// The rule: weights of a network with H hidden units.
#[derive(Debug, Clone, PartialEq)]
pub struct CoordinateMlp<const H: usize> {
    /// A: from the inputs of a parameter to the hidden units.
    input: [[f32; INPUTS]; H],
    /// C: from the numbers of a tensor to the hidden units.
    context: [[f32; CONTEXT]; H],
    /// a.
    hidden_bias: [f32; H],
    /// O: from the hidden units to the direction d and the scale s.
    output: [[f32; H]; 2],
    /// o.
    output_bias: [f32; 2],
    /// Weights of the four directions that bypass the network, then kappa.
    skip: [f32; 5],
}

impl<const H: usize> CoordinateMlp<H> {
    const ZERO: Self = Self {
        input: [[0.0; INPUTS]; H],
        context: [[0.0; CONTEXT]; H],
        hidden_bias: [0.0; H],
        output: [[0.0; H]; 2],
        output_bias: [0.0; 2],
        skip: [0.0; 5],
    };

    /// Adam with beta1 = 0.9, beta2 = 0.99 and a rate of 0.01.
    #[must_use]
    pub const fn adam() -> Self {
        Self { skip: [0.0, 1.0, 0.0, 0.0, 0.0], ..Self::ZERO }
    }

    /// Heavy-ball momentum with beta = 0.9 and a rate of about 0.13.
    #[must_use]
    pub const fn momentum() -> Self {
        Self { skip: [0.0, 0.0, 1.0, 0.0, 1.0], ..Self::ZERO }
    }

    /// Nesterov's momentum with beta = 0.9 and a rate of about 0.5. Meta-training starts from it.
    #[must_use]
    pub const fn nesterov() -> Self {
        Self { skip: [0.0, 0.0, 1.0, 0.11, 1.0], output_bias: [0.0, 2.0], ..Self::ZERO }
    }

    /// Reads a weights file.
    ///
    /// # Errors
    /// Whatever is wrong with the file, as a [`WeightsError`].
    pub const fn from_bytes(file: &[u8]) -> Result<Self, WeightsError> {
        let mut bytes = match file::weights(file, KIND, H, Self::WEIGHTS) {
            Ok(bytes) => bytes,
            Err(error) => return Err(error),
        };
        let mut rule = Self::ZERO;
        let mut i = 0;
        while let [b0, b1, b2, b3, rest @ ..] = bytes {
            let weight = f32::from_bits(u32::from_le_bytes([*b0, *b1, *b2, *b3]));
            if !weight.is_finite() {
                return Err(WeightsError::NotFinite);
            }
            rule.set(i, weight);
            (bytes, i) = (rest, i + 1);
        }
        Ok(rule)
    }

    /// All weights, in the order of the file.
    fn weights(&self) -> impl Iterator<Item = f32> {
        let parts = self.input.as_flattened().iter().chain(self.context.as_flattened()).chain(&self.hidden_bias);
        parts.chain(self.output.as_flattened()).chain(&self.output_bias).chain(&self.skip).copied()
    }

    /// Sets weight number `i` in the order of the file.
    const fn set(&mut self, i: usize, weight: f32) {
        let (input, context, bias) = (INPUTS * H, (INPUTS + CONTEXT) * H, (INPUTS + CONTEXT + 1) * H);
        if i < input {
            self.input.as_flattened_mut()[i] = weight;
        } else if i < context {
            self.context.as_flattened_mut()[i - input] = weight;
        } else if i < bias {
            self.hidden_bias[i - context] = weight;
        } else if i < bias + 2 * H {
            self.output.as_flattened_mut()[i - bias] = weight;
        } else if i < bias + 2 * H + 2 {
            self.output_bias[i - bias - 2 * H] = weight;
        } else if i < Self::WEIGHTS {
            self.skip[i - bias - 2 * H - 2] = weight;
        }
    }

    /// C c + a: what a tensor adds to the hidden units of each of its parameters.
    fn hidden_offset(&self, context: &[f32; CONTEXT]) -> [f32; H] {
        let mut offset = self.hidden_bias;
        for (offset, weights) in offset.iter_mut().zip(&self.context) {
            for (&w, &c) in weights.iter().zip(context) {
                *offset += w * c;
            }
        }
        offset
    }

    /// The steps of some parameters from their inputs, before the sign is turned back.
    #[cfg_attr(target_os = "none", inline)]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn steps<const B: usize>(&self, offset: &[f32; H], level: f32, x: &[[f32; B]; INPUTS]) -> [f32; B] {
        let [skip @ .., kappa] = &self.skip;
        let (mut direction, mut scale) = ([self.output_bias[0]; B], [self.output_bias[1] + kappa * level; B]);
        for (&skip, dir) in skip.iter().zip(x) {
            add(&mut direction, skip, dir);
        }
        let [to_direction, to_scale] = &self.output;
        for (((weights, &offset), &d), &s) in self.input.iter().zip(offset).zip(to_direction).zip(to_scale) {
            let mut hidden = [offset; B];
            for (&weight, x) in weights.iter().zip(x) {
                add(&mut hidden, weight, x);
            }
            for h in &mut hidden {
                *h = if *h < 0.0 { 0.0 } else { *h };
            }
            add(&mut direction, d, &hidden);
            add(&mut scale, s, &hidden);
        }
        for (d, s) in direction.iter_mut().zip(scale) {
            // A NaN in s is in d as well, by the same hidden unit.
            *d = STEP * *d * exp2_linear_within(clamp(s, -12.0, 6.0));
        }
        direction
    }
}

/// What the clock of a step gives to all tensors.
#[derive(Debug, Clone, Copy)]
struct Clock {
    /// 1 / (1 - decay^t) of v, m_.5, m_.9, m_.99.
    unbias: [f32; 4],
    /// tanh(t / 30), tanh(t / 300).
    time: [f32; 2],
}

impl Clock {
    fn new(t: u32) -> Self {
        let unbias = [SQUARE_DECAY, DECAYS[0], DECAYS[1], DECAYS[2]].map(|b| features::unbias(b, t));
        Self { unbias, time: features::time(t) }
    }
}

/// What a tensor's statistics give to its parameters.
#[derive(Debug, Clone, Copy)]
struct Scales {
    unbias: [f32; 4],
    /// r' = 1 / sqrt(mean v').
    noise: f32,
    /// 1 / rms(w).
    inverse_weight: f32,
    /// log2 of mean v'.
    log_square: f32,
    /// 7 + log2(mean v') / 2: near 0 for gradients of a usual size.
    level: f32,
}

/// The accumulators of one tensor.
struct Slots<'a> {
    square: &'a mut [f32],
    means: [&'a mut [f32]; 3],
}

impl Slots<'_> {
    /// Takes a gradient in.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn accumulate(&mut self, gradient: &[f32]) {
        let [fast, middle, slow] = &mut self.means;
        let means = fast.iter_mut().zip(middle.iter_mut()).zip(slow.iter_mut());
        for ((v, ((fast, middle), slow)), &g) in self.square.iter_mut().zip(means).zip(gradient) {
            *v = SQUARE_DECAY * *v + (1.0 - SQUARE_DECAY) * (g * g);
            *fast = DECAYS[0] * *fast + (1.0 - DECAYS[0]) * g;
            *middle = DECAYS[1] * *middle + (1.0 - DECAYS[1]) * g;
            *slow = DECAYS[2] * *slow + (1.0 - DECAYS[2]) * g;
        }
    }

    /// Scales and the seven context numbers of the tensor.
    fn statistics(&self, clock: &Clock, w: &[f32]) -> (Scales, [f32; CONTEXT]) {
        let share = features::share(w.len());
        let [u_square, _, u_middle, u_slow] = clock.unbias;
        let square = share * sum::sum(self.square) * u_square + SQUARE_FLOOR;
        let middle = share * sum::squares(self.means[1]);
        let slow = share * sum::squares(self.means[2]);
        let weight = share * sum::squares(w) + WEIGHT_FLOOR;
        let noise = inverse_sqrt(square);
        let scales = Scales {
            unbias: clock.unbias,
            noise,
            inverse_weight: inverse_sqrt(weight),
            log_square: log2_linear(square),
            level: features::level(square),
        };
        let context = [
            log2_linear(weight) * (0.5 / 8.0),
            math::sqrt(middle) * u_middle * noise,
            math::sqrt(slow) * u_slow * noise,
            scales.level * 0.125,
            log2_linear(w.len() as f32) * (1.0 / 16.0),
            clock.time[0],
            clock.time[1],
        ];
        (scales, context)
    }
}

/// The eight inputs of each of some parameters, turned so that m_.9 is not negative; `block` holds their g, v, m_.5, m_.9,
/// m_.99.
#[cfg_attr(target_os = "none", inline)]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn inputs<const B: usize>(scales: &Scales, w: &[f32; B], block: [&[f32; B]; 5]) -> [[f32; B]; INPUTS] {
    let [g, v, fast, middle, slow] = block;
    let [u_square, u_fast, u_middle, u_slow] = scales.unbias;
    let mut x = [[0.0; B]; INPUTS];
    for l in 0..B {
        let sign = sign_of(middle[l]);
        let (w, g) = (turn(w[l], sign), turn(g[l], sign));
        let (fast, middle, slow) = (turn(fast[l], sign), turn(middle[l], sign), turn(slow[l], sign));
        let square = v[l] * u_square + SQUARE_FLOOR;
        let r = inverse_sqrt(square);
        x[0][l] = clamp(g * r, -4.0, 4.0);
        x[1][l] = clamp(middle * u_middle * r, -4.0, 4.0);
        x[2][l] = clamp(middle * u_middle * scales.noise, -8.0, 8.0);
        x[3][l] = clamp(g * scales.noise, -8.0, 8.0);
        x[4][l] = clamp(fast * u_fast * r, -4.0, 4.0);
        x[5][l] = clamp(slow * u_slow * r, -4.0, 4.0);
        x[6][l] = clamp((log2_linear(square) - scales.log_square) * 0.125, -2.0, 2.0);
        x[7][l] = clamp(w * scales.inverse_weight, -4.0, 4.0);
    }
    x
}

/// What is left behind the first `done` parameters.
fn behind<'w, 'f>(done: usize, w: &'w mut [f32], from: [&'f [f32]; 5]) -> (&'w mut [f32], [&'f [f32]; 5]) {
    (w.get_mut(done..).unwrap_or_default(), from.map(|from| from.get(done..).unwrap_or_default()))
}

/// The sign bit of a number.
#[inline]
const fn sign_of(x: f32) -> u32 {
    x.to_bits() & 0x8000_0000
}

/// x with its sign turned if the sign bit is set.
#[inline]
const fn turn(x: f32, sign: u32) -> f32 {
    f32::from_bits(x.to_bits() ^ sign)
}

impl<const H: usize> CoordinateMlp<H> {
    /// Moves one tensor, whose accumulators have taken the gradient in already, B parameters at a time.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn move_tensor<const B: usize>(&self, clock: &Clock, slots: &Slots<'_>, w: &mut [f32], gradient: &[f32]) {
        let (scales, context) = slots.statistics(clock, w);
        let offset = self.hidden_offset(&context);
        let [fast, middle, slow] = &slots.means;
        let from = [gradient, slots.square, fast, middle, slow];
        let mut done = self.move_blocks::<B>(&scales, &offset, w, from);
        if B > SMALL {
            let (w, from) = behind(done, w, from);
            done += self.move_blocks::<SMALL>(&scales, &offset, w, from);
        }
        let (w, from) = behind(done, w, from);
        self.move_blocks::<1>(&scales, &offset, w, from);
    }

    /// Moves as many parameters as there are in whole blocks; gives their number. `from` is their g, v, m_.5, m_.9, m_.99.
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn move_blocks<const B: usize>(
        &self,
        scales: &Scales,
        offset: &[f32; H],
        w: &mut [f32],
        from: [&[f32]; 5],
    ) -> usize {
        let blocks = w.as_chunks_mut::<B>().0;
        let [g, v, fast, middle, slow] = from.map(|from| from.as_chunks::<B>().0);
        let means = fast.iter().zip(middle).zip(slow);
        for (((w, g), v), ((fast, middle), slow)) in blocks.iter_mut().zip(g).zip(v).zip(means) {
            self.move_block(scales, offset, w, [g, v, fast, middle, slow]);
        }
        B * blocks.len()
    }

    /// Moves some parameters; `block` holds their g, v, m_.5, m_.9, m_.99.
    #[cfg_attr(target_os = "none", inline)]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn move_block<const B: usize>(&self, scales: &Scales, offset: &[f32; H], w: &mut [f32; B], block: [&[f32; B]; 5]) {
        let steps = self.steps(offset, scales.level, &inputs(scales, w, block));
        for ((w, step), &middle) in w.iter_mut().zip(steps).zip(block[3]) {
            *w -= turn(step, sign_of(middle));
        }
    }
}

/// The accumulators of tensor number `i`.
fn slots_of<P: Tensors>(state: &mut State<P, 4>, i: usize) -> Slots<'_> {
    let [square, fast, middle, slow] = &mut state.slots;
    Slots { square: square.tensor_mut(i), means: [fast.tensor_mut(i), middle.tensor_mut(i), slow.tensor_mut(i)] }
}

impl<const H: usize> Learned for CoordinateMlp<H> {
    const KIND: u8 = KIND;
    const HIDDEN: usize = H;
    const WEIGHTS: usize = 18 * H + 7;

    /// [`nesterov`](CoordinateMlp::nesterov), plus small random weights into the hidden units, without which the
    /// gradient of the network behind the bypass would vanish.
    fn initial(rng: &mut Rng) -> Self {
        let mut rule = Self::nesterov();
        for i in 0..(INPUTS + CONTEXT) * H {
            rule.set(i, 0.25 * rng.normal());
        }
        rule
    }

    /// In the order of the file: A, C, a, O, o, skip.
    fn from_weights(weights: &[f32]) -> Result<Self, WeightsError> {
        let mut rule = Self::ZERO;
        file::take(weights, Self::WEIGHTS, |i, weight| rule.set(i, weight))?;
        Ok(rule)
    }

    fn write_weights(&self, weights: &mut [f32]) {
        file::put(self.weights(), weights);
    }

    fn read_file(file: &[u8]) -> Result<Self, WeightsError> {
        Self::from_bytes(file)
    }

    fn write_file<'a>(&self, buffer: &'a mut [u8]) -> Result<&'a [u8], WeightsError> {
        file::write(KIND, H, Self::WEIGHTS, self.weights(), buffer)
    }
}

impl<const H: usize> Fingerprint for CoordinateMlp<H> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("coordinate-mlp");
        digest.word(H as u32);
        digest.numbers(self.weights());
    }
}

impl<const H: usize> Rule for CoordinateMlp<H> {
    type State<P: Tensors> = State<P, 4>;

    fn state<P: Tensors>(&self, like: &P) -> Self::State<P> {
        State::like(like)
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
        let clock = Clock::new(state.count());
        for i in 0..params.count() {
            let mut slots = slots_of(state, i);
            slots.accumulate(gradient.tensor(i));
            self.move_tensor::<BLOCK>(&clock, &slots, params.tensor_mut(i), gradient.tensor(i));
        }
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, _: &P, gradient: &P, _: f32) {
        state.count();
        for i in 0..gradient.count() {
            slots_of(state, i).accumulate(gradient.tensor(i));
        }
    }
}

#[cfg(test)]
mod tests;
