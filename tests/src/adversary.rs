//! Fallbacks that always lose, and everything that a guard is attacked with. Learned rules that do everything wrong are
//! in [`lgl2o::fault`].

use lgl2o::Rng;
use lgl2o::fault::{Adversary, flip_bit};
use lgl2o::rule::{Momentum, Probe, Rule, State};
use lgl2o::tensors::Tensors;

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

    fn observe<P: Tensors>(&self, state: &mut State<P, 0>, _: &P, _: &P, _: f32) {
        state.count();
    }
}

/// What a guard is attacked with: all adversaries, a rule that is good, and one whose bits flip.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Attack {
    /// A rule that does everything wrong.
    Rule(Adversary),
    /// Momentum, which is none.
    Good(Momentum),
    /// Momentum, with a bit of its velocity flipped before and one of its candidate after each step.
    Flip(Momentum),
}

impl Attack {
    /// All of them; the momentum has this rate.
    pub fn all(rate: f32) -> impl Iterator<Item = Self> {
        let momentum = Momentum { beta: 0.7, ..Momentum::new(rate) };
        Adversary::ALL.into_iter().map(Self::Rule).chain([Self::Good(momentum), Self::Flip(momentum)])
    }

    /// How many there are.
    pub const COUNT: usize = Adversary::ALL.len() + 2;
}

impl Rule for Attack {
    type State<P: Tensors> = State<P, 1>;

    fn probes(&self) -> bool {
        matches!(self, Self::Rule(rule) if rule.probes())
    }

    fn state<P: Tensors>(&self, like: &P) -> State<P, 1> {
        State::like(like)
    }

    fn step<P: Tensors>(
        &self,
        state: &mut State<P, 1>,
        params: &mut P,
        gradient: &P,
        loss: f32,
        probe: &mut impl Probe<P>,
    ) {
        match self {
            Self::Rule(rule) => rule.step(state, params, gradient, loss, probe),
            Self::Good(rule) => rule.step(state, params, gradient, loss, probe),
            Self::Flip(rule) => {
                let (numbers, mut rng) = (params.len() as u32, Rng::stream(97, state.steps.into()));
                flip_bit(&mut state.slots[0], rng.below(32 * numbers) as usize);
                rule.step(state, params, gradient, loss, probe);
                flip_bit(params, rng.below(32 * numbers) as usize);
            }
        }
    }

    fn observe<P: Tensors>(&self, state: &mut State<P, 1>, params: &P, gradient: &P, loss: f32) {
        match self {
            Self::Rule(rule) => rule.observe(state, params, gradient, loss),
            Self::Good(rule) | Self::Flip(rule) => rule.observe(state, params, gradient, loss),
        }
    }
}
