//! Optimizers chosen at run time: which rules, under which guard, with which settings.
//!
//! [`expression`] reads them from the command line; [`rule`] wraps any of the core's rules in one type, whose states
//! [`parts`] takes apart; [`hand_made`] and [`learned`] list them, [`guards`] the guards; [`tuned`] knows the learning
//! rates that a grid search found. A [`Method`] then names one of the core's guards, and [`Method::visit`] hands it to
//! generic code.

mod error;
pub mod expression;
pub mod guards;
pub mod hand_made;
pub mod learned;
pub mod parts;
pub mod relay;
pub mod rule;
pub mod tuned;

pub use expression::{ExpressionError, parse, parse_list};
pub use relay::{Automatic, RelaySettings};
pub use rule::AnyRule;
pub use tuned::Tuned;

use lgl2o::Guard;
use lgl2o::checkpoint::{Fingerprint, Persist};
use lgl2o::guard::{
    Blend, Decision, Follow, KeepOwn, LossGuard, LossSettings, MuRule, Reset, ResidualGuard, Rewind, StatePolicy,
    Unguarded,
};

use crate::network::HeapTensors;

/// An optimizer with the expression that names it.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimizer {
    /// The expression, with every rate written out.
    pub name: String,
    /// What it does.
    pub method: Method,
}

/// A rule alone, or two rules under a guard.
#[derive(Debug, Clone, PartialEq)]
pub enum Method {
    /// One rule alone.
    Alone {
        /// The rule.
        rule: AnyRule,
        /// Whether it is a learned one.
        learned: bool,
    },
    /// LGL2O.
    Loss {
        /// The two rules.
        sides: Sides,
        /// Its settings.
        settings: LossSettings,
        /// What happens to the loser's state.
        policy: Policy,
    },
    /// The relay.
    Relay {
        /// The two rules.
        sides: Sides,
        /// Its settings.
        settings: RelaySettings,
    },
    /// GL2O.
    Residual {
        /// The two rules.
        sides: Sides,
        /// Factor of the bound, in \[0, 1).
        alpha: f32,
        /// How the bound follows the residuals.
        mu: MuRule,
    },
    /// A fixed mixture.
    Blend {
        /// The two rules.
        sides: Sides,
        /// The learned side's share, in \[0, 1\].
        share: f32,
    },
}

/// The two rules of a guard.
#[derive(Debug, Clone, PartialEq)]
pub struct Sides {
    /// The one that proposes.
    pub learned: AnyRule,
    /// The one that carries the guarantee.
    pub fallback: AnyRule,
}

/// What happens to the loser's state; the core's policies by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// [`KeepOwn`].
    Keep,
    /// [`Rewind`].
    Rewind,
    /// [`Reset`].
    Reset,
    /// [`Follow`].
    Follow,
}

/// Code that works with any guard.
pub trait GuardVisitor {
    /// What it returns.
    type Output;
    /// Works with this one, whose runs on networks of the heap can be saved and resumed.
    fn visit<G: Guard + Fingerprint>(self, guard: &G) -> Self::Output
    where
        G::Memory<HeapTensors>: Persist;
}

impl Method {
    /// Whether two sides compete, so that verdicts say something.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        matches!(self, Self::Loss { .. } | Self::Relay { .. } | Self::Residual { .. })
    }

    /// Whether some of the training examples are only checked on.
    #[must_use]
    pub fn holds_out(&self) -> bool {
        matches!(self, Self::Relay { settings: RelaySettings { held_out: true, .. }, .. })
    }

    /// Whether losses are checked on training examples that the round has not trained on, so that there must be some.
    #[must_use]
    pub fn checks_on_the_rest(&self) -> bool {
        match self {
            Self::Loss { settings, .. } => settings.decision != Decision::FullObjective,
            Self::Relay { settings, .. } => !settings.exact && !settings.held_out,
            Self::Alone { .. } | Self::Residual { .. } | Self::Blend { .. } => false,
        }
    }

    /// Training steps of the first round, where the data have room for them.
    #[must_use]
    pub fn first_round(&self) -> u32 {
        match self {
            Self::Loss { settings, .. } => settings.train_batches,
            // A race is no longer than the run.
            Self::Alone { .. } | Self::Relay { .. } | Self::Residual { .. } | Self::Blend { .. } => 1,
        }
    }

    /// Whether all rounds are as long as the first.
    #[must_use]
    pub fn has_equal_rounds(&self) -> bool {
        match self {
            Self::Loss { settings, .. } => settings.schedule.stride == 0 && !settings.schedule.budget,
            Self::Relay { .. } => false,
            Self::Alone { .. } | Self::Residual { .. } | Self::Blend { .. } => true,
        }
    }

    /// The fingerprint of its guard: its settings and learned weights.
    ///
    /// # Errors
    /// As [`visit`](Self::visit).
    pub fn fingerprint(&self) -> Result<u32, lgl2o::Error> {
        self.visit(Print)
    }

    /// Hands the core's guard to a visitor.
    ///
    /// # Errors
    /// [`lgl2o::Error::InvalidSetting`] for settings out of their range.
    pub fn visit<V: GuardVisitor>(&self, visitor: V) -> Result<V::Output, lgl2o::Error> {
        Ok(match self {
            Self::Alone { rule, learned: false } => visitor.visit(&Unguarded::new(rule.clone())),
            Self::Alone { rule, learned: true } => visitor.visit(&Unguarded::learned(rule.clone())),
            Self::Loss { sides, settings, policy } => match policy {
                Policy::Keep => visitor.visit(&loss_guard::<KeepOwn>(sides, settings)),
                Policy::Rewind => visitor.visit(&loss_guard::<Rewind>(sides, settings)),
                Policy::Reset => visitor.visit(&loss_guard::<Reset>(sides, settings)),
                Policy::Follow => visitor.visit(&loss_guard::<Follow>(sides, settings)),
            },
            Self::Relay { sides, settings } if settings.lean => visitor.visit(&settings.guard(sides).lean()),
            Self::Relay { sides, settings } => visitor.visit(&settings.guard(sides)),
            Self::Residual { sides: Sides { learned, fallback }, alpha, mu } => {
                visitor.visit(&ResidualGuard::new(learned.clone(), fallback.clone()).with(*alpha, *mu)?)
            }
            Self::Blend { sides: Sides { learned, fallback }, share } => {
                visitor.visit(&Blend::new(learned.clone(), fallback.clone(), *share)?)
            }
        })
    }
}

/// Asks a guard for its fingerprint.
struct Print;

impl GuardVisitor for Print {
    type Output = u32;

    fn visit<G: Guard + Fingerprint>(self, guard: &G) -> u32
    where
        G::Memory<HeapTensors>: Persist,
    {
        guard.fingerprint()
    }
}

fn loss_guard<S: StatePolicy>(sides: &Sides, settings: &LossSettings) -> LossGuard<AnyRule, AnyRule, S> {
    LossGuard::new(sides.learned.clone(), sides.fallback.clone()).settings(*settings).policy()
}
