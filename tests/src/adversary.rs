//! Learned rules that do everything wrong, and fallbacks that always lose.

use lgl2o::Rng;
use lgl2o::rule::{Probe, Rule, State};
use lgl2o::tensors::Tensors;

/// A learned rule gone wrong. State: slot 0 is the first point that it was asked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
}

impl Adversary {
    /// One of each.
    pub const ALL: [Self; 12] = [
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
    ];
}

/// w <- map(w, g), number by number.
fn each<P: Tensors>(params: &mut P, gradient: &P, mut map: impl FnMut(f32, f32) -> f32) {
    for i in 0..params.count() {
        for (w, &g) in params.tensor_mut(i).iter_mut().zip(gradient.tensor(i)) {
            *w = map(*w, g);
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
    let last = params.count() - 1;
    if let Some(w) = params.tensor_mut(last).last_mut() {
        *w = f32::NAN;
    }
}

impl Rule for Adversary {
    type State<P: Tensors> = State<P, 1>;

    fn state<P: Tensors>(&self, like: &P) -> State<P, 1> {
        State::like(like)
    }

    fn step<P: Tensors>(&self, state: &mut State<P, 1>, w: &mut P, gradient: &P, _: f32, _: &mut impl Probe<P>) {
        self.observe(state, w, gradient);
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
            Self::Replay => w.copy_from(&state.slots[0]),
            Self::Alternate => each(w, gradient, |w, g| w - sign * 100.0 * g),
            Self::Betray(after) if state.steps > after => each(w, gradient, |w, g| w + 1000.0 * g),
            Self::Betray(_) => each(w, gradient, |w, g| w - 0.01 * g),
            Self::Idle => {}
        }
    }

    fn observe<P: Tensors>(&self, state: &mut State<P, 1>, params: &P, _: &P) {
        if state.count() == 1 {
            state.slots[0].copy_from(params);
        }
    }
}

/// A fallback that always lands at one and the same bad point: all zero but for the last tensor, which holds
/// `height`, `-height`, `height`, ...
///
/// As biases of a classifier's outputs, that is a loss of 2 `height` for every example of the second class. With
/// [`f32::MAX`] the point is finite, but its losses are not.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terrible {
    /// How bad.
    pub height: f32,
}

impl Rule for Terrible {
    type State<P: Tensors> = State<P, 0>;

    fn state<P: Tensors>(&self, like: &P) -> State<P, 0> {
        State::like(like)
    }

    fn step<P: Tensors>(&self, state: &mut State<P, 0>, params: &mut P, _: &P, _: f32, _: &mut impl Probe<P>) {
        state.count();
        params.fill(0.0);
        let last = params.count() - 1;
        for (i, w) in params.tensor_mut(last).iter_mut().enumerate() {
            *w = if i % 2 == 0 { self.height } else { -self.height };
        }
    }

    fn observe<P: Tensors>(&self, state: &mut State<P, 0>, _: &P, _: &P) {
        state.count();
    }
}
