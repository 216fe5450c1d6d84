//! A rule that records what its state has seen.
//!
//! Its accumulators are the list of the fingerprints of all gradients that it has taken in, so a test can read off what
//! a state policy has made of them.

use std::cell::{Cell, RefCell};

use lgl2o::rule::{Probe, Rule, RuleState};
use lgl2o::tensors::Tensors;

use crate::bits::fingerprint;

/// What a side does in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Move {
    /// A good step: w - good g.
    Good,
    /// A bad one: w + bad g.
    Bad,
    /// A point of NaNs; the accumulators stay finite.
    Nan,
    /// A point of NaNs, and accumulators that are not finite any more.
    Poison,
}

/// Accumulators: the gradients that were taken in, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Seen {
    /// Their fingerprints.
    pub gradients: Vec<u64>,
    /// Whether to pass for accumulators that hold a NaN.
    pub poisoned: bool,
}

impl RuleState for Seen {
    fn reset(&mut self) {
        *self = Self::default();
    }
    fn copy_from(&mut self, other: &Self) {
        self.clone_from(other);
    }
    fn is_finite(&self) -> bool {
        !self.poisoned
    }
}

/// One call of `step`: the accumulators before it, and the gradient that came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// What the accumulators held.
    pub before: Seen,
    /// Fingerprint of the gradient.
    pub gradient: u64,
}

/// A rule whose moves are set from outside and whose calls are recorded.
#[derive(Debug)]
pub struct Trail {
    /// What to do.
    pub next: Cell<Move>,
    /// Rate of a good step.
    pub good: f32,
    /// Rate of a bad one.
    pub bad: f32,
    /// All calls of `step` so far.
    pub calls: RefCell<Vec<Call>>,
}

impl Trail {
    /// A rule with these rates and no calls yet.
    #[must_use]
    pub const fn new(good: f32, bad: f32) -> Self {
        Self { next: Cell::new(Move::Good), good, bad, calls: RefCell::new(Vec::new()) }
    }

    /// The calls since the last time that this was asked.
    pub fn take(&self) -> Vec<Call> {
        self.calls.take()
    }
}

impl Rule for Trail {
    type State<P: Tensors> = Seen;

    fn state<P: Tensors>(&self, _: &P) -> Seen {
        Seen::default()
    }

    fn step<P: Tensors>(&self, state: &mut Seen, params: &mut P, gradient: &P, loss: f32, _: &mut impl Probe<P>) {
        let call = Call { before: state.clone(), gradient: fingerprint(gradient) };
        self.calls.borrow_mut().push(call);
        self.observe(state, params, gradient, loss);
        let rate = match self.next.get() {
            Move::Good => self.good,
            Move::Bad => -self.bad,
            Move::Nan => f32::NAN,
            Move::Poison => {
                state.poisoned = true;
                f32::NAN
            }
        };
        for i in 0..params.count() {
            for (w, &g) in params.tensor_mut(i).iter_mut().zip(gradient.tensor(i)) {
                *w -= rate * g;
            }
        }
    }

    fn observe<P: Tensors>(&self, state: &mut Seen, _: &P, gradient: &P, _: f32) {
        state.gradients.push(fingerprint(gradient));
    }
}
