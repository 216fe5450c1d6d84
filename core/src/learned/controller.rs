//! Tensor controller: a small network per tensor that sets rate and momentum of a cheap rule.
//!
//! Of the family of nn_adam (Metz et al., "Understanding and correcting pathologies in the training of learned
//! optimizers", ICML 2019, and its successors' code): what is learned looks at a tensor as a whole, once a step, so
//! that a parameter costs about what it costs in Adam. The rule below it is momentum whose steps are divided by a power
//! of the gradient's running size, of which momentum and Adam are the two ends (Padam, Chen et al., IJCAI 2020). For a
//! tensor of n parameters w with gradient g, in step t = 1, 2, ...:
//!
//! ```text
//! v    <- 0.99 v + 0.01 g^2             ' = corrected for the start from zero
//! level = 7 + log2(mean v') / 2         cos = (g.m) / (|g| |m|)     r' = 1 / sqrt(mean v')
//! a_b  <- b a_b + (1 - b) cos,  b = 0.9, 0.99              l <- 0.99 l + 0.01 level
//! x     = log2 rms(w) / 8, level / 8, log2(mean g^2 / mean v') / 4, rms(m') r', cos, a_.9, a_.99, (level - l') / 4,
//!         log2(n) / 16, tanh(t / 30), tanh(t / 300), q / 8
//! h     = relu(A x + a)                 q, p, b = O h + S x + o
//! beta  = 1 - 0.1 2^clamp(p, -5, 3)     rate = 0.01 2^clamp(clamp(q, -8, 8) + kappa level, -12, 6)
//! m    <- beta m + (1 - beta) g         m' = m / c,    c <- beta c + (1 - beta)
//! w    <- w - rate r' m' 2^(-clamp(b, -0.25, 1.25) / 2 clamp(log2(v' / mean v'), -16, 16))
//! ```
//!
//! A mean that enters x is the one before this step's gradient, as far as m goes; q in x is that of the step before,
//! clamped. Rate, beta and b act from the very step on whose gradient they were set. The exponent b is 0 for momentum,
//! 1 for Adam; kappa says how far steps follow the size of the gradients, as in the
//! [coordinatewise MLP](super::coordinate). log2 and 2^ are straight lines within an octave. The loss is not looked at,
//! since [`observe`](crate::rule::Rule::observe) does not know it: cos, the slope of the loss along the way that the
//! parameters went, says whether it still falls. The rule is odd, f(-g, -w) = -f(g, w).
//!
//! 296 weights, 1200 bytes of flash as a file. RAM: two floats per parameter, slot 0 is m, slot 1 is v; and 320 bytes
//! for what is remembered of tensors ([`TensorMemory`]), of which there is one for each of the first [`MAX_TENSORS`].
//! Any tensors after these read the last one's and leave no trace in it. A parameter costs about 35 arithmetic
//! operations, 9 of them for sums over the tensor, with 13 loads and 3 stores; Adam 16, a root and a division among
//! them; a tensor costs 295 multiplications with additions more.

use super::Learned;
use super::features::{self, Gradient, SQUARE_DECAY, SQUARE_FLOOR, STEP, WEIGHT_FLOOR};
use super::file::{self, WeightsError};
use crate::checkpoint::{Digest, Fingerprint, Origin, Persist, Sink};
use crate::math::{self, clamp, exp2_linear, inverse_sqrt, log2_linear};
use crate::rng::Rng;
use crate::rule::{Probe, Rule, RuleState, State};
use crate::sum;
use crate::tensors::{Tensors, Zeroed};

/// Number of this kind in a weights file.
pub const KIND: u8 = 4;
/// How many tensors have a memory of their own.
pub const MAX_TENSORS: usize = 16;

/// Decays of the two means of cos.
const AGREEMENT_DECAYS: [f32; 2] = [0.9, 0.99];
const INPUTS: usize = 12;
const HIDDEN: usize = 16;
const OUTPUTS: usize = 3;

/// The rule: weights of the network.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorController {
    /// A, and a at the end of each row.
    input: [[f32; INPUTS + 1]; HIDDEN],
    /// O, S, and o at the end of each row: to q, p, b.
    output: [[f32; HIDDEN + INPUTS + 1]; OUTPUTS],
    /// How far steps follow the size of the gradients.
    kappa: f32,
}

/// What is remembered of a tensor.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TensorMemory {
    /// c: how much of m is gradients rather than the zero that it started from.
    pub filled: f32,
    /// a_.9, a_.99: whether gradients agree with their mean.
    pub agreement: [f32; 2],
    /// l: the usual size of gradients.
    pub level: f32,
    /// q: log2 of the last step's rate, but for the part that follows the size of the gradients.
    pub rate: f32,
}

impl Zeroed for TensorMemory {
    const ZERO: Self = Self { filled: 0.0, agreement: [0.0; 2], level: 0.0, rate: 0.0 };
}

/// Accumulators: two slots, and what is remembered of tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct ControllerState<P> {
    /// m and v.
    pub means: State<P, 2>,
    /// One memory for each tensor, as far as they go.
    pub tensors: [TensorMemory; MAX_TENSORS],
}

impl<P: Zeroed> Zeroed for ControllerState<P> {
    const ZERO: Self = Self { means: State::ZERO, tensors: [TensorMemory::ZERO; MAX_TENSORS] };
}

impl Persist for TensorMemory {
    crate::persist_fields!(filled, agreement, level, rate);
}

/// Both means, then what is remembered of tensors.
impl<P: Tensors> Persist for ControllerState<P> {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.means.save(sink)?;
        self.tensors.iter().try_for_each(|memory| memory.save(sink))
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        self.means.load(origin)?;
        self.tensors.iter_mut().try_for_each(|memory| memory.load(origin))
    }
}

impl<P: Tensors> RuleState for ControllerState<P> {
    fn reset(&mut self) {
        self.means.reset();
        self.tensors = [TensorMemory::ZERO; MAX_TENSORS];
    }
    fn copy_from(&mut self, other: &Self) {
        self.means.copy_from(&other.means);
        self.tensors = other.tensors;
    }
    fn is_finite(&self) -> bool {
        let finite = |memory: &TensorMemory| {
            let TensorMemory { filled, agreement: [fast, slow], level, rate } = *memory;
            [filled, fast, slow, level, rate].iter().all(|x| x.is_finite())
        };
        self.means.is_finite() && self.tensors.iter().all(finite)
    }
}

/// What the clock of a step gives to all tensors.
#[derive(Debug, Clone, Copy)]
struct Clock {
    /// 1 / (1 - 0.99^t), of v and of the usual level.
    unbias: f32,
    /// tanh(t / 30), tanh(t / 300).
    time: [f32; 2],
}

/// The step of one tensor, as its network sets it.
#[derive(Debug, Clone, Copy)]
struct Control {
    /// rate r' / c.
    scale: f32,
    /// -b / 2.
    tilt: f32,
    /// Of v.
    unbias: f32,
    /// log2 of mean v'.
    log_square: f32,
}

impl Control {
    /// Moves the parameters of the tensor.
    fn apply(&self, w: &mut [f32], mean: &[f32], square: &[f32]) {
        for (w, (&m, &v)) in w.iter_mut().zip(mean.iter().zip(square)) {
            let size = log2_linear(v * self.unbias + SQUARE_FLOOR) - self.log_square;
            *w -= self.scale * m * exp2_linear(self.tilt * clamp(size, -16.0, 16.0));
        }
    }
}

/// Sum of weight times input, and the bias behind them.
fn affine<'a>(weights: &[f32], inputs: impl Iterator<Item = &'a f32>) -> f32 {
    let products = weights.iter().zip(inputs).fold(0.0, |sum, (w, x)| sum + w * x);
    products + weights.last().copied().unwrap_or(0.0)
}

impl TensorController {
    const ZERO: Self =
        Self { input: [[0.0; INPUTS + 1]; HIDDEN], output: [[0.0; HIDDEN + INPUTS + 1]; OUTPUTS], kappa: 0.0 };

    /// Momentum with beta = 0.9 and a rate of about 2.56 for the mean of the gradients, which for the sum that
    /// [`Momentum`](crate::rule::Momentum) keeps is 0.256; but a tensor whose gradients have a root mean square of more
    /// than a quarter is moved as if they had not. Meta-training starts from it.
    #[must_use]
    pub const fn momentum() -> Self {
        let mut rule = Self { kappa: 1.0, ..Self::ZERO };
        rule.output[0][HIDDEN + INPUTS] = 1.0;
        rule
    }

    /// Reads a weights file.
    ///
    /// # Errors
    /// Whatever is wrong with the file, as a [`WeightsError`].
    pub const fn from_bytes(file: &[u8]) -> Result<Self, WeightsError> {
        let mut bytes = match file::weights(file, KIND, HIDDEN, Self::WEIGHTS) {
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
        let rows = self.input.as_flattened().iter().chain(self.output.as_flattened());
        rows.chain([&self.kappa]).copied()
    }

    /// Sets weight number `i` in the order of the file.
    const fn set(&mut self, i: usize, weight: f32) {
        let input = (INPUTS + 1) * HIDDEN;
        if i < input {
            self.input.as_flattened_mut()[i] = weight;
        } else if i + 1 < Self::WEIGHTS {
            self.output.as_flattened_mut()[i - input] = weight;
        } else if i < Self::WEIGHTS {
            self.kappa = weight;
        }
    }

    /// q, p, b.
    fn outputs(&self, inputs: &[f32; INPUTS]) -> [f32; OUTPUTS] {
        let mut hidden = [0.0; HIDDEN];
        for (h, weights) in hidden.iter_mut().zip(&self.input) {
            let sum = affine(weights, inputs.iter());
            *h = if sum < 0.0 { 0.0 } else { sum };
        }
        self.output.each_ref().map(|weights| affine(weights, hidden.iter().chain(inputs)))
    }

    /// Takes a gradient into the accumulators of one tensor and sets its step.
    fn advance(
        &self,
        clock: &Clock,
        memory: &mut TensorMemory,
        [mean, square]: [&mut [f32]; 2],
        w: &[f32],
        gradient: &[f32],
    ) -> Control {
        let sized = Gradient::of(gradient);
        for (v, &g) in square.iter_mut().zip(gradient) {
            let g = sized.factor * g;
            *v = SQUARE_DECAY * *v + (1.0 - SQUARE_DECAY) * (g * g);
        }
        let share = features::share(gradient.len());
        let size = share * sum::sum(square) * clock.unbias + SQUARE_FLOOR;
        let level = features::level(size);
        let inputs = memory.look(clock, &sized, size, w, gradient, mean);
        let [rate, slowness, exponent] = self.outputs(&inputs);
        memory.rate = clamp(rate, -8.0, 8.0);
        let gain = 0.1 * exp2_linear(clamp(slowness, -5.0, 3.0));
        let (keep, take) = (1.0 - gain, gain * sized.factor);
        for (m, &g) in mean.iter_mut().zip(gradient) {
            *m = keep * *m + take * g;
        }
        memory.filled = keep * memory.filled + gain;
        let rate = STEP * exp2_linear(clamp(memory.rate + self.kappa * level, -12.0, 6.0));
        Control {
            scale: rate * inverse_sqrt(size) / memory.filled,
            tilt: -0.5 * clamp(exponent, -0.25, 1.25),
            unbias: clock.unbias,
            log_square: log2_linear(size),
        }
    }
}

impl TensorMemory {
    /// Takes in how a gradient compares with those before it; gives the inputs of the network. `size` is the mean of
    /// v', `mean` is m before this gradient.
    fn look(
        &mut self,
        clock: &Clock,
        sized: &Gradient,
        size: f32,
        w: &[f32],
        gradient: &[f32],
        mean: &[f32],
    ) -> [f32; INPUTS] {
        let share = features::share(gradient.len());
        let mean_square = share * sum::squares(mean);
        let lengths = inverse_sqrt(sized.square + SQUARE_FLOOR) * inverse_sqrt(mean_square + SQUARE_FLOOR);
        // A gradient beyond all measure may have a product beyond all numbers.
        let along = if sized.factor < 1.0 { 0.0 } else { share * sum::dot(gradient, mean) };
        let cos = clamp(along * lengths, -1.0, 1.0);
        for (a, decay) in self.agreement.iter_mut().zip(AGREEMENT_DECAYS) {
            *a = decay * *a + (1.0 - decay) * cos;
        }
        let level = features::level(size);
        self.level = SQUARE_DECAY * self.level + (1.0 - SQUARE_DECAY) * level;
        let unbias = if self.filled > 0.0 { 1.0 / self.filled } else { 0.0 };
        [
            log2_linear(share * sum::squares(w) + WEIGHT_FLOOR) * (0.5 / 8.0),
            level * 0.125,
            (log2_linear(sized.square + SQUARE_FLOOR) - log2_linear(size)) * 0.25,
            math::sqrt(mean_square) * unbias * inverse_sqrt(size),
            cos,
            self.agreement[0],
            self.agreement[1],
            (level - self.level * clock.unbias) * 0.25,
            log2_linear(gradient.len() as f32) * (1.0 / 16.0),
            clock.time[0],
            clock.time[1],
            self.rate * 0.125,
        ]
    }
}

impl<P: Tensors> ControllerState<P> {
    /// Counts a step.
    fn clock(&mut self) -> Clock {
        let t = self.means.count();
        Clock { unbias: features::unbias(SQUARE_DECAY, t), time: features::time(t) }
    }

    /// Lets `rule` take in the gradient of tensor number `i`.
    fn advance(&mut self, rule: &TensorController, clock: &Clock, i: usize, params: &P, gradient: &P) -> Control {
        let [mean, square] = &mut self.means.slots;
        let slots = [mean.tensor_mut(i), square.tensor_mut(i)];
        let [.., last] = self.tensors;
        let mut shared = last;
        let memory = self.tensors.get_mut(i).unwrap_or(&mut shared);
        rule.advance(clock, memory, slots, params.tensor(i), gradient.tensor(i))
    }
}

impl Learned for TensorController {
    const KIND: u8 = KIND;
    const HIDDEN: usize = HIDDEN;
    const WEIGHTS: usize = (INPUTS + 1) * HIDDEN + (HIDDEN + INPUTS + 1) * OUTPUTS + 1;

    /// [`momentum`](TensorController::momentum), plus small random weights into the hidden units, without which the
    /// gradient of the weights behind them would vanish.
    fn initial(rng: &mut Rng) -> Self {
        let mut rule = Self::momentum();
        for weights in &mut rule.input {
            weights.iter_mut().take(INPUTS).for_each(|weight| *weight = 0.25 * rng.normal());
        }
        rule
    }

    /// In the order of the file: A with a behind each row, O, S and o row by row, kappa.
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
        file::write(KIND, HIDDEN, Self::WEIGHTS, self.weights(), buffer)
    }
}

impl Fingerprint for TensorController {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("tensor-controller");
        digest.numbers(self.weights());
    }
}

impl Rule for TensorController {
    type State<P: Tensors> = ControllerState<P>;

    fn state<P: Tensors>(&self, like: &P) -> Self::State<P> {
        ControllerState { means: State::like(like), tensors: [TensorMemory::ZERO; MAX_TENSORS] }
    }

    fn step<P: Tensors>(
        &self,
        state: &mut Self::State<P>,
        params: &mut P,
        gradient: &P,
        _: f32,
        _: &mut impl Probe<P>,
    ) {
        let clock = state.clock();
        for i in 0..params.count() {
            let control = state.advance(self, &clock, i, params, gradient);
            let [mean, square] = &state.means.slots;
            control.apply(params.tensor_mut(i), mean.tensor(i), square.tensor(i));
        }
    }

    fn observe<P: Tensors>(&self, state: &mut Self::State<P>, params: &P, gradient: &P, _: f32) {
        let clock = state.clock();
        for i in 0..params.count() {
            state.advance(self, &clock, i, params, gradient);
        }
    }
}

#[cfg(test)]
mod tests;
