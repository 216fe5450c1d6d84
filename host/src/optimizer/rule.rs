//! Any update rule of the core, chosen at run time.

use std::sync::Arc;

use lgl2o::learned::CoordinateMlp;
use lgl2o::rule::{Adam, AdamW, Armijo, Lion, Momentum, Nesterov, Probe, RmsProp, Rule, RuleState, Sgd, State};
use lgl2o::tensors::Tensors;

/// One of the core's rules.
#[derive(Debug, Clone, PartialEq)]
pub enum AnyRule {
    /// Gradient descent.
    Sgd(Sgd),
    /// Heavy-ball momentum.
    Momentum(Momentum),
    /// Nesterov's momentum.
    Nesterov(Nesterov),
    /// RMSProp.
    RmsProp(RmsProp),
    /// Adam.
    Adam(Adam),
    /// AdamW.
    AdamW(AdamW),
    /// Lion.
    Lion(Lion),
    /// Gradient descent with Armijo backtracking.
    Armijo(Armijo),
    /// A coordinatewise MLP with 8 hidden units.
    Coordinate8(Arc<CoordinateMlp<8>>),
    /// A coordinatewise MLP with 4 hidden units.
    Coordinate4(Arc<CoordinateMlp<4>>),
}

/// The state of one of the core's rules.
#[derive(Debug, Clone)]
pub enum AnyState<P> {
    /// No accumulators.
    Zero(State<P, 0>),
    /// One slot.
    One(State<P, 1>),
    /// Two slots.
    Two(State<P, 2>),
    /// Four slots.
    Four(State<P, 4>),
}

/// Evaluates an expression on whichever state is there.
macro_rules! each_state {
    ($state:expr, $name:ident => $body:expr) => {
        match $state {
            AnyState::Zero($name) => $body,
            AnyState::One($name) => $body,
            AnyState::Two($name) => $body,
            AnyState::Four($name) => $body,
        }
    };
}

impl<P> AnyState<P> {
    /// The accumulators, the number of steps, and the memo.
    #[must_use]
    pub fn parts(&self) -> (&[P], u32, f32) {
        each_state!(self, state => (&state.slots, state.steps, state.memo))
    }

    /// Sets the number of steps and the memo; gives the accumulators to write to.
    pub fn set_counters(&mut self, steps: u32, memo: f32) -> &mut [P] {
        each_state!(self, state => {
            (state.steps, state.memo) = (steps, memo);
            &mut state.slots
        })
    }
}

impl<P: Tensors> RuleState for AnyState<P> {
    fn reset(&mut self) {
        each_state!(self, state => state.reset());
    }
    fn copy_from(&mut self, other: &Self) {
        match (self, other) {
            (Self::Zero(a), Self::Zero(b)) => a.copy_from(b),
            (Self::One(a), Self::One(b)) => a.copy_from(b),
            (Self::Two(a), Self::Two(b)) => a.copy_from(b),
            (Self::Four(a), Self::Four(b)) => a.copy_from(b),
            _ => unreachable!("states of two different rules"),
        }
    }
    fn is_finite(&self) -> bool {
        each_state!(self, state => state.is_finite())
    }
}

/// Calls a rule with the state of its own kind.
macro_rules! each_rule {
    ($rule:expr, $state:expr, ($r:ident, $s:ident) => $body:expr) => {
        match ($rule, $state) {
            (AnyRule::Sgd($r), AnyState::Zero($s)) => $body,
            (AnyRule::Momentum($r), AnyState::One($s)) => $body,
            (AnyRule::Nesterov($r), AnyState::One($s)) => $body,
            (AnyRule::RmsProp($r), AnyState::One($s)) => $body,
            (AnyRule::Adam($r), AnyState::Two($s)) => $body,
            (AnyRule::AdamW($r), AnyState::Two($s)) => $body,
            (AnyRule::Lion($r), AnyState::One($s)) => $body,
            (AnyRule::Armijo($r), AnyState::One($s)) => $body,
            (AnyRule::Coordinate8($r), AnyState::Four($s)) => $body,
            (AnyRule::Coordinate4($r), AnyState::Four($s)) => $body,
            _ => unreachable!("the state of another rule"),
        }
    };
}

impl Rule for AnyRule {
    type State<P: Tensors> = AnyState<P>;

    fn probes(&self) -> bool {
        matches!(self, Self::Armijo(_))
    }

    fn state<P: Tensors>(&self, like: &P) -> AnyState<P> {
        match self {
            Self::Sgd(rule) => AnyState::Zero(rule.state(like)),
            Self::Momentum(rule) => AnyState::One(rule.state(like)),
            Self::Nesterov(rule) => AnyState::One(rule.state(like)),
            Self::RmsProp(rule) => AnyState::One(rule.state(like)),
            Self::Adam(rule) => AnyState::Two(rule.state(like)),
            Self::AdamW(rule) => AnyState::Two(rule.state(like)),
            Self::Lion(rule) => AnyState::One(rule.state(like)),
            Self::Armijo(rule) => AnyState::One(rule.state(like)),
            Self::Coordinate8(rule) => AnyState::Four((**rule).state(like)),
            Self::Coordinate4(rule) => AnyState::Four((**rule).state(like)),
        }
    }

    fn step<P: Tensors>(
        &self,
        state: &mut AnyState<P>,
        params: &mut P,
        gradient: &P,
        loss: f32,
        probe: &mut impl Probe<P>,
    ) {
        each_rule!(self, state, (rule, state) => rule.step(state, params, gradient, loss, probe));
    }

    fn observe<P: Tensors>(&self, state: &mut AnyState<P>, params: &P, gradient: &P) {
        each_rule!(self, state, (rule, state) => rule.observe(state, params, gradient));
    }
}
