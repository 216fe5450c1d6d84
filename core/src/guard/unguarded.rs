//! One rule alone, with no guard: the baseline of every comparison.
//!
//! A round is one step. It costs one gradient.

use super::points::Points;
use super::{Guard, Verdict, Winner, blank};
use crate::error::Error;
use crate::objective::Objective;
use crate::oracle::Oracle;
use crate::persist::{Digest, Fingerprint, Persist};
use crate::rule::{Rule, RuleState};
use crate::source::Source;
use crate::tensors::{Tensors, Zeroed};

/// If every number of a gradient is below it, the squares and their sums are finite, and so are accumulators of them.
const HUGE: f32 = 1e15;

/// A rule that runs alone.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unguarded<R> {
    rule: R,
    learned: bool,
}

impl<R> Unguarded<R> {
    /// A hand-designed rule; its rounds are won by the fallback.
    pub const fn new(rule: R) -> Self {
        Self { rule, learned: false }
    }

    /// A learned rule; its rounds are won by the learned side.
    pub const fn learned(rule: R) -> Self {
        Self { rule, learned: true }
    }
}

/// The parameters and a candidate, gradient and rule state.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct UnguardedMemory<P, S> {
    points: Points<P, 2>,
    gradient: P,
    state: S,
}

impl<P: Zeroed, S: Zeroed> Zeroed for UnguardedMemory<P, S> {
    const ZERO: Self = Self { points: Zeroed::ZERO, gradient: P::ZERO, state: S::ZERO };
}

/// The rule's state; gradient and candidate are computed again in each round.
impl<P, S: Persist> Persist for UnguardedMemory<P, S> {
    crate::persist_fields!(state);
}

impl<R: Fingerprint> Fingerprint for Unguarded<R> {
    fn describe(&self, digest: &mut Digest) {
        digest.kind("unguarded");
        digest.word(u32::from(self.learned));
        self.rule.describe(digest);
    }
}

impl<R: Rule> Guard for Unguarded<R> {
    type Memory<P: Tensors> = UnguardedMemory<P, R::State<P>>;

    fn memory<P: Tensors>(&self, like: &P) -> Self::Memory<P> {
        UnguardedMemory { points: Points::blank(like), gradient: blank(like), state: self.rule.state(like) }
    }

    fn params<P: Tensors>(memory: &Self::Memory<P>) -> &P {
        let [params, ..] = memory.points.all();
        params
    }

    fn params_mut<P: Tensors>(memory: &mut Self::Memory<P>) -> &mut P {
        let [params, ..] = memory.points.all_mut();
        params
    }

    /// One step.
    ///
    /// # Errors
    /// [`Error::NonFiniteGradient`], and [`Error::Diverged`] if the step would leave parameters that are not finite.
    fn round<O: Objective>(
        &self,
        memory: &mut Self::Memory<O::Params>,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Verdict, Error> {
        self.rule.check()?;
        let UnguardedMemory { points, gradient, state } = memory;
        let [params, candidate] = points.all_mut();
        let batch = source.train()?;
        let train_loss = oracle.gradient(self.rule.gradient_point(state).unwrap_or(params), batch, gradient)?;
        let is_huge = !gradient.is_below(HUGE);
        if is_huge && !gradient.is_finite() {
            return Err(Error::NonFiniteGradient);
        }
        candidate.copy_from(params);
        self.rule.step(state, candidate, gradient, train_loss, &mut oracle.probe(batch));
        let is_lost = !candidate.is_finite();
        // Accumulators that are not finite would make every further step such, or none at all.
        if (is_lost || is_huge) && !state.is_finite() {
            state.reset();
        }
        if is_lost {
            return Err(Error::Diverged);
        }
        points.accept(1);
        Ok(Verdict {
            winner: if self.learned { Winner::Learned } else { Winner::Fallback },
            steps: 1,
            accepted: 1,
            train_loss,
            fallback_loss: None,
            learned_loss: None,
            kept_loss: None,
            standard_error: 0.0,
            spent: oracle.spent(),
        })
    }
}
