//! Optimizers chosen at run time: which rules, under which guard, with which settings.
//!
//! [`expression`] reads them from the command line; [`rule`] wraps any of the core's rules in one type; [`hand_made`] and
//! [`learned`] list them; [`tuned`] knows the learning rates that a grid search found. A [`Method`] then names one of the core's guards, and [`Method::visit`]
//! hands it to generic code.

pub mod expression;
pub mod hand_made;
pub mod learned;
pub mod relay;
pub mod rule;
pub mod tuned;

pub use expression::{ExpressionError, parse, parse_list};
pub use relay::RelaySettings;
pub use rule::AnyRule;
pub use tuned::Tuned;

use lgl2o::Guard;
use lgl2o::checkpoint::{Fingerprint, Persist};
use lgl2o::guard::{
    Blend, Decision, Follow, KeepOwn, LossGuard, MuRule, Reset, ResidualGuard, Rewind, StatePolicy, Unguarded,
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

/// Settings of the loss guard.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LossSettings {
    /// Training batches a round, n_t.
    pub train: u32,
    /// Check batches a round, n_c.
    pub check: u32,
    /// How the candidates are compared.
    pub decision: Decision,
    /// Standard errors at which a comparison stops early; 0 for never.
    pub early_stop: f32,
    /// Whether the learned candidate must also beat the current parameters.
    pub veto: bool,
    /// Whether the current parameters stay where no candidate beats them.
    pub stay: bool,
    /// Whether ties go to a learned side that has won the last race.
    pub trust: bool,
    /// Most learned steps of a stride; 0 for no strides.
    pub stride: u32,
    /// What share of the steps so far a stride may be, 1 / `stretch`, where that is more; 0 for none.
    pub stretch: u32,
    /// Whether strides are interrupted by races.
    pub audits: bool,
    /// Whether the fallback goes on alone after a lost race.
    pub budget: bool,
    /// Shortest and longest gap between races, in steps.
    pub gaps: [u32; 2],
    /// What happens to the loser's state.
    pub policy: Policy,
}

impl LossSettings {
    /// The paper's form, as [`LossGuard::paper`].
    pub const PAPER: Self = Self {
        train: 10,
        check: 10,
        decision: Decision::Lower,
        early_stop: 0.0,
        veto: false,
        stay: false,
        trust: false,
        stride: 0,
        stretch: 0,
        audits: true,
        budget: false,
        gaps: [80, 1280],
        policy: Policy::Keep,
    };
}

impl Default for LossSettings {
    /// The default of the core, as [`LossGuard::new`].
    fn default() -> Self {
        Self {
            train: 20,
            decision: Decision::Margin { z: 2.0 },
            early_stop: 2.0,
            veto: true,
            trust: true,
            stride: 32,
            stretch: 4,
            budget: true,
            ..Self::PAPER
        }
    }
}

/// Code that works with any guard.
pub trait GuardVisitor {
    /// What it gives.
    type Output;
    /// Does it with this one, whose runs on networks of the heap can be saved and resumed.
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
            Self::Loss { settings, .. } => settings.train,
            // A race is no longer than the run.
            Self::Alone { .. } | Self::Relay { .. } | Self::Residual { .. } | Self::Blend { .. } => 1,
        }
    }

    /// Whether all rounds are as long as the first.
    #[must_use]
    pub fn has_equal_rounds(&self) -> bool {
        match self {
            Self::Loss { settings, .. } => settings.stride == 0 && !settings.budget,
            Self::Relay { .. } => false,
            Self::Alone { .. } | Self::Residual { .. } | Self::Blend { .. } => true,
        }
    }

    /// Hands the core's guard to a visitor.
    ///
    /// # Errors
    /// [`lgl2o::Error::InvalidSetting`] for settings out of their range.
    pub fn visit<V: GuardVisitor>(&self, visitor: V) -> Result<V::Output, lgl2o::Error> {
        Ok(match self {
            Self::Alone { rule, learned: false } => visitor.visit(&Unguarded::new(rule.clone())),
            Self::Alone { rule, learned: true } => visitor.visit(&Unguarded::learned(rule.clone())),
            Self::Loss { sides, settings } => match settings.policy {
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

fn loss_guard<S: StatePolicy>(sides: &Sides, settings: &LossSettings) -> LossGuard<AnyRule, AnyRule, S> {
    let [shortest, longest] = settings.gaps;
    LossGuard::paper(sides.learned.clone(), sides.fallback.clone())
        .batches(settings.train, settings.check)
        .decision(settings.decision)
        .early_stop(settings.early_stop)
        .veto(settings.veto)
        .stay(settings.stay)
        .trust(settings.trust)
        .stride(settings.stride)
        .stretch(settings.stretch)
        .audits(settings.audits)
        .budget(settings.budget)
        .gaps(shortest, longest)
        .policy()
}
