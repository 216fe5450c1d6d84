//! What happens to the losing side's rule state after a round.
//!
//! The policy is a type, because it decides how much memory a guard needs.
//!
//! | policy | the loser's state | memory |
//! |---|---|---|
//! | [`KeepOwn`] | stays: it has seen its own trajectory | none |
//! | [`Rewind`] | returns to the start of the round | a copy of both states |
//! | [`Reset`] | starts afresh | none |
//! | [`Follow`] | has seen the winner's trajectory instead of its own | a copy of both states |
//!
//! With n_t = 1 both sides see one and the same gradient, so *follow* is *keep own* there, at the price of its memory.
//! A side whose candidate is not finite, and whose accumulators are not either after the policy has acted, is reset: a
//! NaN in them would never go away.

use super::Winner;
use crate::rule::{Rule, RuleState};
use crate::tensors::{Tensors, Zeroed};

/// The two sides' states during a round.
pub struct Sides<'a, L, F> {
    /// The learned rule's state.
    pub learned: &'a mut L,
    /// The fallback's state.
    pub fallback: &'a mut F,
}

/// What happens to the loser's state.
pub trait StatePolicy {
    /// Memory beyond the two states themselves.
    /// It is filled at the start of each round, so a checkpoint does without it.
    type Extra<L: RuleState, F: RuleState>;

    /// Name of the policy, in the fingerprint of a guard.
    const NAME: &'static str;

    /// The policy's memory, for states like these.
    fn extra<L: RuleState, F: RuleState>(learned: &L, fallback: &F) -> Self::Extra<L, F>;

    /// At the start of a round.
    fn begin<L: RuleState, F: RuleState>(extra: &mut Self::Extra<L, F>, sides: &Sides<'_, L, F>) {
        let _ = (extra, sides);
    }

    /// When the learned side has computed a gradient on its trajectory, for a fallback that may have to follow.
    fn learned_gradient<L: RuleState, F: Rule, P: Tensors>(
        extra: &mut Self::Extra<L, F::State<P>>,
        fallback: &F,
        params: &P,
        gradient: &P,
        loss: f32,
    ) {
        let _ = (extra, fallback, params, gradient, loss);
    }

    /// When the fallback has computed a gradient on its trajectory, for a learned side that may have to follow.
    fn fallback_gradient<L: Rule, F: RuleState, P: Tensors>(
        extra: &mut Self::Extra<L::State<P>, F>,
        learned: &L,
        params: &P,
        gradient: &P,
        loss: f32,
    ) {
        let _ = (extra, learned, params, gradient, loss);
    }

    /// At the end of a round.
    fn settle<L: RuleState, F: RuleState>(extra: &mut Self::Extra<L, F>, sides: &mut Sides<'_, L, F>, winner: Winner);
}

/// The loser keeps its own state. The default: with n_t = 1 it is exact, and it costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeepOwn;

/// The loser's state returns to the start of the round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rewind;

/// The loser's state starts afresh. (Usually too hard on the learned side; here for comparison.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reset;

/// The loser's state becomes what it would be had its side seen the winner's gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Follow;

/// A copy of both states.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct Both<L, F> {
    learned: L,
    fallback: F,
}

impl<L: Zeroed, F: Zeroed> Zeroed for Both<L, F> {
    const ZERO: Self = Self { learned: L::ZERO, fallback: F::ZERO };
}

impl<L: RuleState, F: RuleState> Both<L, F> {
    fn save(&mut self, sides: &Sides<'_, L, F>) {
        self.learned.copy_from(sides.learned);
        self.fallback.copy_from(sides.fallback);
    }

    /// Gives every side but the winner's the saved state.
    fn restore_losers(&self, sides: &mut Sides<'_, L, F>, winner: Winner) {
        if winner != Winner::Learned {
            sides.learned.copy_from(&self.learned);
        }
        if winner != Winner::Fallback {
            sides.fallback.copy_from(&self.fallback);
        }
    }
}

impl Zeroed for () {
    const ZERO: Self = ();
}

impl StatePolicy for KeepOwn {
    const NAME: &'static str = "keep-own";
    type Extra<L: RuleState, F: RuleState> = ();
    fn extra<L: RuleState, F: RuleState>(_: &L, _: &F) {}
    fn settle<L: RuleState, F: RuleState>((): &mut (), _: &mut Sides<'_, L, F>, _: Winner) {}
}

impl StatePolicy for Rewind {
    const NAME: &'static str = "rewind";
    type Extra<L: RuleState, F: RuleState> = Both<L, F>;
    fn extra<L: RuleState, F: RuleState>(learned: &L, fallback: &F) -> Both<L, F> {
        Both { learned: learned.clone(), fallback: fallback.clone() }
    }
    fn begin<L: RuleState, F: RuleState>(extra: &mut Both<L, F>, sides: &Sides<'_, L, F>) {
        extra.save(sides);
    }
    fn settle<L: RuleState, F: RuleState>(extra: &mut Both<L, F>, sides: &mut Sides<'_, L, F>, winner: Winner) {
        extra.restore_losers(sides, winner);
    }
}

impl StatePolicy for Reset {
    const NAME: &'static str = "reset";
    type Extra<L: RuleState, F: RuleState> = ();
    fn extra<L: RuleState, F: RuleState>(_: &L, _: &F) {}
    fn settle<L: RuleState, F: RuleState>((): &mut (), sides: &mut Sides<'_, L, F>, winner: Winner) {
        if winner != Winner::Learned {
            sides.learned.reset();
        }
        if winner != Winner::Fallback {
            sides.fallback.reset();
        }
    }
}

impl StatePolicy for Follow {
    const NAME: &'static str = "follow";
    type Extra<L: RuleState, F: RuleState> = Both<L, F>;
    fn extra<L: RuleState, F: RuleState>(learned: &L, fallback: &F) -> Both<L, F> {
        Both { learned: learned.clone(), fallback: fallback.clone() }
    }
    fn begin<L: RuleState, F: RuleState>(extra: &mut Both<L, F>, sides: &Sides<'_, L, F>) {
        extra.save(sides);
    }
    fn learned_gradient<L: RuleState, F: Rule, P: Tensors>(
        extra: &mut Both<L, F::State<P>>,
        fallback: &F,
        params: &P,
        gradient: &P,
        loss: f32,
    ) {
        fallback.observe(&mut extra.fallback, params, gradient, loss);
    }
    fn fallback_gradient<L: Rule, F: RuleState, P: Tensors>(
        extra: &mut Both<L::State<P>, F>,
        learned: &L,
        params: &P,
        gradient: &P,
        loss: f32,
    ) {
        learned.observe(&mut extra.learned, params, gradient, loss);
    }
    fn settle<L: RuleState, F: RuleState>(extra: &mut Both<L, F>, sides: &mut Sides<'_, L, F>, winner: Winner) {
        // With no winner there is no trajectory to follow: the sides keep their own states.
        if winner != Winner::Neither {
            extra.restore_losers(sides, winner);
        }
    }
}
