//! Where a [`RelayGuard`](super::RelayGuard) keeps the states of its two rules: each in memory of its own, or one after the other in the
//! same.
//!
//! The learned side does not come back after the hand-over, and the fallback that takes over begins afresh. So only one of these
//! two states is in use at a time. Where both are of the same type, memory for one is enough.

use crate::rule::{Rule, RuleState};
use crate::tensors::{Tensors, Zeroed};

/// How a guard around these rules keeps their states.
pub trait Layout<L: Rule, F: Rule>: Copy {
    /// The memory for both.
    type States<P: Tensors>: States<Learned = L::State<P>, Fallback = F::State<P>>;

    /// Memory for parameters like these.
    fn states<P: Tensors>(learned: &L, fallback: &F, like: &P) -> Self::States<P>;
}

/// Memory for the state of the side that runs.
pub trait States {
    /// The learned rule's state.
    type Learned: RuleState;
    /// The fallback's state.
    type Fallback: RuleState;

    /// The learned rule's state, while the learned side runs.
    fn learned(&self) -> &Self::Learned;
    /// The same, to write to.
    fn learned_mut(&mut self) -> &mut Self::Learned;
    /// The fallback's state, while the fallback runs.
    fn fallback(&self) -> &Self::Fallback;
    /// The same, to write to.
    fn fallback_mut(&mut self) -> &mut Self::Fallback;
}

/// Each state has memory of its own: for any two rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Separate;

/// One memory for both: for rules whose states have the same type, as those of [`Auto`](crate::Auto). Implement [`Layout`] for a type of
/// your own to say so of two other rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shared;

/// Two states.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct Both<L, F> {
    learned: L,
    fallback: F,
}

/// One state, of whichever side runs.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct One<S>(pub S);

impl<L: Zeroed, F: Zeroed> Zeroed for Both<L, F> {
    const ZERO: Self = Self { learned: L::ZERO, fallback: F::ZERO };
}

impl<S: Zeroed> Zeroed for One<S> {
    const ZERO: Self = Self(S::ZERO);
}

impl<L: RuleState, F: RuleState> States for Both<L, F> {
    type Learned = L;
    type Fallback = F;

    fn learned(&self) -> &L {
        &self.learned
    }
    fn learned_mut(&mut self) -> &mut L {
        &mut self.learned
    }
    fn fallback(&self) -> &F {
        &self.fallback
    }
    fn fallback_mut(&mut self) -> &mut F {
        &mut self.fallback
    }
}

impl<S: RuleState> States for One<S> {
    type Learned = S;
    type Fallback = S;

    fn learned(&self) -> &S {
        &self.0
    }
    fn learned_mut(&mut self) -> &mut S {
        &mut self.0
    }
    fn fallback(&self) -> &S {
        &self.0
    }
    fn fallback_mut(&mut self) -> &mut S {
        &mut self.0
    }
}

impl<L: Rule, F: Rule> Layout<L, F> for Separate {
    type States<P: Tensors> = Both<L::State<P>, F::State<P>>;

    fn states<P: Tensors>(learned: &L, fallback: &F, like: &P) -> Self::States<P> {
        Both { learned: learned.state(like), fallback: fallback.state(like) }
    }
}
