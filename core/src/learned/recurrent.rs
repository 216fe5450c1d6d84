//! What the recurrent rules share: two LSTM layers with a head and a bypass, their state, and the walk over tensors.
//!
//! A recurrent rule runs one network over every parameter alike, and remembers for each of them the network's own h and
//! c. Per parameter w with gradient g, in step t = 1, 2, ...:
//!
//! ```text
//! v     <- b_v v + (1 - b_v) g^2     m <- b_m m + (1 - b_m) g     ' = corrected for the start from zero
//! h1, c1 <- LSTM(x; h1, c1)          h2, c2 <- LSTM(h1; h2, c2)
//! d      = O h2 + o + skip . dirs
//! w     <- w - 0.01 act(d) 2^clamp(s + kappa level, -12, 6)       level = 7 + log2(mean v') / 2
//! ```
//!
//! A rule says what x, the two dirs, act and the decays are. In the papers it is act(O h2 + o) times a fixed number.
//! The bypass, the learned scale s, and kappa are ours: with them a rule descends before any training, and what is trained
//! is what to do better. kappa says how far steps follow the size of the gradients: with 0 they do not, as in Adam; with 1
//! they are proportional to it, as in momentum.
//!
//! The biases of the layers may move a parameter that never sees a gradient.

use super::features::{self, LANES, SQUARE_FLOOR, STEP, add, load};
use super::lstm::Lstm;
use crate::math::{clamp, exp2_linear, inverse_sqrt};
use crate::persist::{Origin, Persist, Sink};
use crate::rng::Rng;
use crate::rule::{RuleState, State};
use crate::sum;
use crate::tensors::{Tensors, Zeroed};

/// Weights of the two layers and of what comes behind them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Network<const I: usize, const H: usize> {
    first: Lstm<I, H>,
    second: Lstm<H, H>,
    /// O.
    output: [f32; H],
    /// o, the two skip, s, kappa.
    pub(super) numbers: [f32; NUMBERS],
}

/// Numbers behind the layers and O.
const NUMBERS: usize = 5;

/// h1, c1, h2, c2 of eight parameters, unit by unit.
pub(super) type Cells<const H: usize> = [[[f32; LANES]; H]; 4];

impl<const I: usize, const H: usize> Network<I, H> {
    pub(super) const ZERO: Self =
        Self { first: Lstm::ZERO, second: Lstm::ZERO, output: [0.0; H], numbers: [0.0; NUMBERS] };
    /// How many weights there are.
    pub(super) const WEIGHTS: usize = Lstm::<I, H>::WEIGHTS + Lstm::<H, H>::WEIGHTS + H + NUMBERS;

    /// Layers with random weights, no way from them to the step, and this bypass.
    pub(super) fn initial(rng: &mut Rng, skip: [f32; 2], scale: f32, kappa: f32) -> Self {
        let (first, second) = (Lstm::initial(rng), Lstm::initial(rng));
        Self { first, second, output: [0.0; H], numbers: [0.0, skip[0], skip[1], scale, kappa] }
    }

    /// All weights, in the order of the file.
    pub(super) fn weights(&self) -> impl Iterator<Item = &f32> {
        self.first.weights().chain(self.second.weights()).chain(&self.output).chain(&self.numbers)
    }

    /// Sets weight number `i` in the order of the file.
    pub(super) const fn set(&mut self, i: usize, weight: f32) {
        let first = Lstm::<I, H>::WEIGHTS;
        let second = first + Lstm::<H, H>::WEIGHTS;
        if i < first {
            self.first.set(i, weight);
        } else if i < second {
            self.second.set(i - first, weight);
        } else if i < second + H {
            self.output[i - second] = weight;
        } else if i < Self::WEIGHTS {
            self.numbers[i - second - H] = weight;
        }
    }

    /// Lets eight parameters' cells take in the inputs; returns d.
    #[cfg_attr(target_os = "none", inline)]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    pub(super) fn advance(
        &self,
        x: &[[f32; LANES]; I],
        dirs: &[[f32; LANES]; 2],
        cells: &mut Cells<H>,
    ) -> [f32; LANES] {
        let [h1, c1, h2, c2] = cells;
        self.first.advance(x, h1, c1);
        self.second.advance(h1, h2, c2);
        let [bias, skip @ .., _, _] = &self.numbers;
        let mut d = [*bias; LANES];
        for (&weight, dir) in skip.iter().zip(dirs) {
            add(&mut d, weight, dir);
        }
        for (&weight, h) in self.output.iter().zip(h2) {
            add(&mut d, weight, h);
        }
        d
    }

    /// 0.01 2^clamp(s + kappa level, -12, 6).
    pub(super) fn rate(&self, level: f32) -> f32 {
        let [.., scale, kappa] = &self.numbers;
        STEP * exp2_linear(clamp(scale + kappa * level, -12.0, 6.0))
    }
}

/// Accumulators of a recurrent rule with H units in each layer: 4 H + 2 slots.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct RecurrentState<P, const H: usize> {
    /// v and m.
    pub means: State<P, 2>,
    /// h1, c1, h2, c2, a slot for each unit.
    pub cells: [[P; H]; 4],
}

impl<P: Tensors, const H: usize> RecurrentState<P, H> {
    /// All zero, shaped like the given parameters.
    #[must_use]
    pub fn like(params: &P) -> Self {
        let means = State::like(params);
        let cells = core::array::from_fn(|_| core::array::from_fn(|_| means.slots[0].clone()));
        Self { means, cells }
    }

    /// All slots: v, m, then h1, c1, h2, c2 unit by unit. With `means.steps` they are the whole state.
    pub fn slots(&self) -> impl Iterator<Item = &P> {
        self.means.slots.iter().chain(self.cells.as_flattened())
    }

    /// All slots to write to, in the order of [`slots`](Self::slots).
    pub fn slots_mut(&mut self) -> impl Iterator<Item = &mut P> {
        self.means.slots.iter_mut().chain(self.cells.as_flattened_mut())
    }
}

impl<P: Zeroed, const H: usize> Zeroed for RecurrentState<P, H> {
    const ZERO: Self = Self { means: State::ZERO, cells: [const { [P::ZERO; H] }; 4] };
}

/// Both means, then the cells unit by unit.
impl<P: Tensors, const H: usize> Persist for RecurrentState<P, H> {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.means.save(sink)?;
        self.cells.as_flattened().iter().try_for_each(|slot| slot.save(sink))
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        self.means.load(origin)?;
        self.cells.as_flattened_mut().iter_mut().try_for_each(|slot| slot.load(origin))
    }
}

impl<P: Tensors, const H: usize> RuleState for RecurrentState<P, H> {
    fn reset(&mut self) {
        self.means.reset();
        self.cells.as_flattened_mut().iter_mut().for_each(|slot| slot.fill(0.0));
    }
    fn copy_from(&mut self, other: &Self) {
        self.means.copy_from(&other.means);
        for (slot, other) in self.cells.as_flattened_mut().iter_mut().zip(other.cells.as_flattened()) {
            slot.copy_from(other);
        }
    }
    fn is_finite(&self) -> bool {
        self.means.is_finite() && self.cells.as_flattened().iter().all(Tensors::is_finite)
    }
}

/// What a tensor's statistics give to its parameters.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scales {
    /// What the gradient is multiplied by, see [`features::accumulate`].
    pub(super) factor: f32,
    /// 1 / (1 - decay^t) of v and m.
    pub(super) unbias: [f32; 2],
    /// 1 / rms(m).
    pub(super) inverse_rms: f32,
    /// 7 + log2(mean v') / 2: near 0 for gradients of a usual size.
    level: f32,
}

impl Scales {
    /// Sizes up one tensor, whose accumulators v, m have taken the gradient in already.
    fn new(factor: f32, unbias: [f32; 2], [square, mean]: [&[f32]; 2]) -> Self {
        let share = features::share(square.len());
        Self {
            factor,
            unbias,
            inverse_rms: inverse_sqrt(share * sum::squares(mean) + SQUARE_FLOOR),
            level: features::level(share * sum::sum(square) * unbias[0] + SQUARE_FLOOR),
        }
    }
}

/// What one recurrent rule does otherwise than another.
pub(super) trait Recurrent<const H: usize> {
    /// Decays of v and m.
    const DECAYS: [f32; 2];

    /// What act(d) is multiplied by in a tensor of this level.
    fn rate(&self, level: f32) -> f32;

    /// Lets eight parameters' cells take in the gradient; returns act(d). `block` holds g, v, m.
    fn directions(&self, scales: &Scales, block: &[[f32; LANES]; 3], cells: &mut Cells<H>) -> [f32; LANES];
}

/// Overwrites up to eight numbers from position `at`.
#[cfg_attr(target_os = "none", inline)]
#[cfg_attr(not(target_os = "none"), inline(always))]
fn store(to: &mut [f32], at: usize, block: &[f32; LANES]) {
    for (to, &from) in to.iter_mut().skip(at).zip(block) {
        *to = from;
    }
}

/// Takes a gradient into the state, and moves the parameters, if there are any, by one step.
///
/// Both [`step`](crate::rule::Rule::step) and [`observe`](crate::rule::Rule::observe) of a rule are this function, so
/// they leave the same state.
#[cfg_attr(not(target_os = "none"), inline(always))]
pub(super) fn advance<P: Tensors, R: Recurrent<H>, const H: usize>(
    rule: &R,
    state: &mut RecurrentState<P, H>,
    gradient: &P,
    mut params: Option<&mut P>,
) {
    let t = state.means.count_and_sweep();
    let unbias = R::DECAYS.map(|decay| features::unbias(decay, t));
    for i in 0..gradient.count() {
        let gradient = gradient.tensor(i);
        let w = match params.as_mut() {
            Some(params) => params.tensor_mut(i),
            None => &mut [],
        };
        let slots = state.means.slots.each_mut().map(|slot| slot.tensor_mut(i));
        let factor = features::accumulate(R::DECAYS, slots, gradient);
        let means = state.means.slots.each_ref().map(|slot| slot.tensor(i));
        let scales = Scales::new(factor, unbias, means);
        let cells = state.cells.each_mut().map(|units| units.each_mut().map(|slot| slot.tensor_mut(i)));
        advance_tensor(rule, &scales, means, cells, w, gradient);
    }
}

/// The same for one tensor, whose accumulators v, m have taken the gradient in already.
#[cfg_attr(not(target_os = "none"), inline(always))]
fn advance_tensor<R: Recurrent<H>, const H: usize>(
    rule: &R,
    scales: &Scales,
    [square, mean]: [&[f32]; 2],
    mut cells: [[&mut [f32]; H]; 4],
    w: &mut [f32],
    gradient: &[f32],
) {
    let rate = rule.rate(scales.level);
    let mut at = 0;
    while at < gradient.len() {
        let block = [gradient, square, mean].map(|from| load(from, at));
        let mut eight = cells.each_ref().map(|units| units.each_ref().map(|slot| load(slot, at)));
        let directions = rule.directions(scales, &block, &mut eight);
        for (slot, values) in cells.as_flattened_mut().iter_mut().zip(eight.as_flattened()) {
            store(slot, at, values);
        }
        for (w, direction) in w.iter_mut().skip(at).zip(directions) {
            *w -= rate * direction;
        }
        at += LANES;
    }
}
