//! Harmful learned rules, to test guards with.

use crate::math;
use crate::persist::{Digest, Fingerprint};
use crate::rng::Rng;
use crate::rule::{Probe, Rule, State};
use crate::sum;
use crate::tensors::Tensors;

/// A learned rule gone wrong. State: slot 0 is the first point that it was asked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Adversary {
    /// Every number becomes a NaN.
    Nan,
    /// Only the last number becomes a NaN.
    OneNan,
    /// Every number becomes infinite.
    Infinite,
    /// The numbers become 1e30, -1e30, 1e30, ...: finite, but with losses beyond all bounds.
    Huge,
    /// Moves by 1e-7 per number, up and down in turns.
    Tiny,
    /// Climbs: w + 1000 g.
    Ascent,
    /// Climbs a little: w + 0.01 g.
    Creep,
    /// A random step of length about 1 per number.
    RandomWalk,
    /// Goes back to the first point of the run.
    Replay,
    /// Descends far and ascends far in turns.
    Alternate,
    /// Descends by 0.01 g for so many steps, and then climbs for ever.
    Betray(u32),
    /// Stands still.
    Idle,
    /// Descends a little while all weights grow: 1.05 w - 0.01 g. Saturated units may hide it from the loss for long.
    Inflate,
    /// Descends by 0.01 g for so many steps, and then inflates as [`Inflate`](Self::Inflate) does.
    Swell(u32),
    /// Descends a little, while the first layer grows by 5 % and the next one's weights shrink by as much: with ReLU and no
    /// other layer the network stays the same function, so that no loss shows it, but steps of gradient descent become
    /// ever too long.
    Rescale,
    /// Changes the sign of the first layer and of the next one's weights: the same function where the first layer's
    /// activation is odd, far away from what any accumulator has seen.
    Mirror,
    /// Descends a little, while the biases of the first layer rise by 0.1 and those of the second fall by as much as that adds to
    /// its sums: the same function where the first layer has no activation, or only rectified units that are on; others
    /// saturate one after the other.
    Shift,
    /// Descends a little, while the biases of the first layer fall: rectified units die one after the other.
    Kill,
    /// Every number becomes the least one above zero, or that below it, which is where the gradient points.
    Denormal,
    /// Fits the batch that it is shown and nothing else: moves single numbers at random, near and far, and keeps every
    /// move that the loss of that batch falls by. It asks the probe so many times a step. Shown the very batch that it
    /// will be judged by, it wins every round that any move can win, whatever becomes of all other examples; so what a
    /// guard promises on check batches rests on their being others.
    Overfit(u32),
}

impl Adversary {
    /// One of each.
    pub const ALL: [Self; 20] = [
        Self::Nan,
        Self::OneNan,
        Self::Infinite,
        Self::Huge,
        Self::Tiny,
        Self::Ascent,
        Self::Creep,
        Self::RandomWalk,
        Self::Replay,
        Self::Alternate,
        Self::Betray(7),
        Self::Idle,
        Self::Inflate,
        Self::Swell(20),
        Self::Rescale,
        Self::Mirror,
        Self::Shift,
        Self::Kill,
        Self::Denormal,
        Self::Overfit(16),
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nan => "NaN",
            Self::OneNan => "one NaN",
            Self::Infinite => "infinity",
            Self::Huge => "1e30",
            Self::Tiny => "tiny steps",
            Self::Ascent => "ascent",
            Self::Creep => "creeping ascent",
            Self::RandomWalk => "random walk",
            Self::Replay => "replay",
            Self::Alternate => "alternating signs",
            Self::Betray(_) => "behaves, then betrays",
            Self::Idle => "stands still",
            Self::Inflate => "weight inflation",
            Self::Swell(_) => "behaves, then inflates",
            Self::Rescale => "layers rescaled",
            Self::Mirror => "signs of two layers",
            Self::Shift => "biases of two layers",
            Self::Kill => "dead units",
            Self::Denormal => "denormals",
            Self::Overfit(_) => "overfits its batch",
        }
    }
}

impl Fingerprint for Adversary {
    fn describe(&self, digest: &mut Digest) {
        digest.kind(self.name());
        digest.word(if let Self::Betray(n) | Self::Swell(n) | Self::Overfit(n) = *self { n } else { 0 });
    }
}

/// w <- map(w, g), number by number.
fn each<P: Tensors>(params: &mut P, gradient: &P, mut map: impl FnMut(f32, f32) -> f32) {
    for i in 0..params.count() {
        for (w, &g) in params.tensor_mut(i).iter_mut().zip(gradient.tensor(i)) {
            *w = map(*w, g);
        }
    }
}

/// w <- map(i, w - 0.01 g), i the number of the tensor: weights, biases, weights, biases, ...
fn layers<P: Tensors>(params: &mut P, gradient: &P, map: impl Fn(usize, f32) -> f32) {
    for i in 0..params.count() {
        for (w, &g) in params.tensor_mut(i).iter_mut().zip(gradient.tensor(i)) {
            *w = map(i, *w - 0.01 * g);
        }
    }
}

/// Takes from the biases of the second layer what a rise of all units of the first adds to its sums.
fn compensate<P: Tensors>(params: &mut P, rise: f32) {
    if params.count() < 4 {
        return;
    }
    let units = params.tensor(1).len();
    for output in 0..params.tensor(3).len() {
        let from = output.saturating_mul(units);
        let added = rise * sum::sum(params.tensor(2).get(from..from.saturating_add(units)).unwrap_or(&[]));
        if let Some(bias) = params.tensor_mut(3).get_mut(output) {
            *bias -= added;
        }
    }
}

/// Every tensor becomes height, -height, height, ...
fn alternate<P: Tensors>(params: &mut P, height: f32) {
    for i in 0..params.count() {
        for (j, w) in params.tensor_mut(i).iter_mut().enumerate() {
            *w = if j % 2 == 0 { height } else { -height };
        }
    }
}

fn spoil_last<P: Tensors>(params: &mut P) {
    let last = params.count().saturating_sub(1);
    if let Some(w) = params.tensor_mut(last).last_mut() {
        *w = f32::NAN;
    }
}

/// Random moves of single numbers, of which those are kept that lower the loss of one batch.
fn overfit<P: Tensors>(w: &mut P, mut loss: f32, trials: u32, rng: &mut Rng, probe: &mut impl Probe<P>) {
    let numbers = w.len() as u32;
    for _ in 0..trials {
        // From a hundredth to thirty times a normal number, every scale as likely.
        let (at, move_by) = (rng.below(numbers), rng.normal() * math::exp(rng.range(-4.6, 3.4)));
        let Some(number) = number_mut(w, at as usize) else { return };
        let before = *number;
        *number += move_by;
        let trial = probe.loss(w);
        if trial < loss {
            loss = trial;
        } else if let Some(number) = number_mut(w, at as usize) {
            *number = before;
        }
    }
}

/// Number `at`, counted through all tensors.
fn number_mut<P: Tensors>(params: &mut P, mut at: usize) -> Option<&mut f32> {
    let mut tensor = 0;
    while tensor < params.count() && at >= params.tensor(tensor).len() {
        at -= params.tensor(tensor).len();
        tensor += 1;
    }
    params.tensor_mut(tensor).get_mut(at)
}

impl Rule for Adversary {
    type State<P: Tensors> = State<P, 1>;

    fn probes(&self) -> bool {
        matches!(self, Self::Overfit(_))
    }

    fn state<P: Tensors>(&self, like: &P) -> State<P, 1> {
        State::like(like)
    }

    fn step<P: Tensors>(&self, state: &mut State<P, 1>, w: &mut P, gradient: &P, loss: f32, probe: &mut impl Probe<P>) {
        self.observe(state, w, gradient, loss);
        let odd = state.steps % 2 == 1;
        let sign = if odd { 1.0 } else { -1.0 };
        match *self {
            Self::Nan => w.fill(f32::NAN),
            Self::OneNan => spoil_last(w),
            Self::Infinite => w.fill(f32::NEG_INFINITY),
            Self::Huge => alternate(w, 1e30),
            Self::Tiny => each(w, gradient, |w, _| w + sign * 1e-7),
            Self::Ascent => each(w, gradient, |w, g| w + 1000.0 * g),
            Self::Creep => each(w, gradient, |w, g| w + 0.01 * g),
            Self::RandomWalk => {
                let mut rng = Rng::stream(99, u64::from(state.steps));
                each(w, gradient, |w, _| w + rng.normal());
            }
            Self::Replay => {
                let [first] = &state.slots;
                w.copy_from(first);
            }
            Self::Alternate => each(w, gradient, |w, g| w - sign * 100.0 * g),
            Self::Betray(after) if state.steps > after => each(w, gradient, |w, g| w + 1000.0 * g),
            Self::Betray(_) => each(w, gradient, |w, g| w - 0.01 * g),
            Self::Idle => {}
            Self::Swell(after) if state.steps <= after => each(w, gradient, |w, g| w - 0.01 * g),
            Self::Inflate | Self::Swell(_) => each(w, gradient, |w, g| 1.05 * w - 0.01 * g),
            Self::Rescale => layers(w, gradient, |i, w| match i {
                0 | 1 => 1.05 * w,
                2 => w / 1.05,
                _ => w,
            }),
            Self::Mirror => layers(w, gradient, |i, w| if i < 3 { -w } else { w }),
            Self::Shift => {
                layers(w, gradient, |i, w| if i == 1 { w + 0.1 } else { w });
                compensate(w, 0.1);
            }
            Self::Kill => layers(w, gradient, |i, w| if i == 1 { w - 0.1 } else { w }),
            Self::Denormal => {
                each(w, gradient, |_, g| if g > 0.0 { -f32::from_bits(1) } else { f32::from_bits(1) });
            }
            Self::Overfit(trials) => overfit(w, loss, trials, &mut Rng::stream(98, u64::from(state.steps)), probe),
        }
    }

    fn observe<P: Tensors>(&self, state: &mut State<P, 1>, params: &P, _: &P, _: f32) {
        if state.count() == 1 {
            let [first] = &mut state.slots;
            first.copy_from(params);
        }
    }
}
