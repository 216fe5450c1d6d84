//! The steps of a window of a [`RelayGuard`].

use super::baton::Leg;
use super::{MemoryOf, RelayGuard, RelayMemory};
use crate::error::Error;
use crate::objective::Objective;
use crate::oracle::Oracle;
use crate::rule::{Rule, RuleState};
use crate::source::Source;
use crate::tensors::Tensors;

/// The state of the fallback's own run, or of one that began afresh; a lean guard has one for both.
fn state_of<'a, F, const SPARE: usize>(own: bool, untouched: &'a mut [F; SPARE], afresh: &'a mut F) -> &'a mut F {
    match untouched.first_mut() {
        Some(untouched) if own => untouched,
        Some(_) | None => afresh,
    }
}

impl<P: Tensors, L: RuleState, F: RuleState, const SPARE: usize> RelayMemory<P, L, F, SPARE> {
    /// The fallback begins afresh from the accepted parameters.
    pub(super) fn begin_afresh(&mut self) {
        self.baton.hand();
        self.runner.copy_from(&self.kept);
        self.fallback_state.reset();
    }

    /// The running fallback's steps are shorter from now on.
    pub(super) fn shorten<R: Rule<State<P> = F>>(&mut self, fallback: &R) {
        fallback.shorten::<P>(state_of(self.baton.on_own, &mut self.untouched_state, &mut self.fallback_state));
    }

    /// The fallback's own run is the running one from now on. One that is no longer finite begins afresh.
    pub(super) fn go_on_alone(&mut self) {
        if self.baton.own_lost {
            return self.begin_afresh();
        }
        self.baton.hand();
        (self.baton.on_own, self.baton.shadows) = (true, false);
        self.runner.copy_from(&self.untouched);
    }

    /// Accumulators that are not finite are reset: a NaN in them would never go away. Returns whether the learned side's
    /// were such.
    pub(super) fn mend_states(&mut self) -> bool {
        let Self { learned_state, fallback_state, untouched_state, .. } = self;
        for state in untouched_state.iter_mut().chain([fallback_state]) {
            if !state.is_finite() {
                state.reset();
            }
        }
        let is_learned_lost = !learned_state.is_finite();
        if is_learned_lost {
            learned_state.reset();
        }
        is_learned_lost
    }
}

impl<L: Rule, F: Rule, const SPARE: usize> RelayGuard<L, F, SPARE> {
    /// As many steps of the window as this round has room for. Returns the loss of the first one, if one was made.
    pub(super) fn run<O: Objective>(
        &self,
        memory: &mut MemoryOf<L, F, O::Params, SPARE>,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Option<f32>, Error> {
        if memory.baton.leg() == Leg::Race && memory.baton.done == 0 {
            let RelayMemory { kept, runner, untouched, .. } = memory;
            runner.copy_from(kept);
            untouched.copy_from(kept);
        }
        let mut first = None;
        let room = memory.baton.remaining().min(source.room().max(1)).min(self.longest_round);
        for _ in 0..room {
            let loss = self.step(memory, oracle, source.train()?)?;
            first = first.or(loss);
            if memory.baton.lost {
                break;
            }
        }
        Ok(first)
    }

    /// One step of the side that runs, and perhaps one of the fallback's own run on the same batch. Returns the loss where
    /// the first was made; `None`, and the side is lost, where that or the step was not finite.
    fn step<O: Objective>(
        &self,
        memory: &mut MemoryOf<L, F, O::Params, SPARE>,
        oracle: &mut Oracle<'_, O>,
        batch: O::Batch<'_>,
    ) -> Result<Option<f32>, Error> {
        let beside = memory.baton.own_steps_too();
        let RelayMemory { kept, runner, gradient, learned_state, fallback_state, untouched_state, baton, .. } = memory;
        let loss = match baton.leg() {
            Leg::Race | Leg::Learned => advance(&self.learned, learned_state, runner, gradient, oracle, batch)?,
            Leg::Fallback => {
                let state = state_of(baton.on_own, untouched_state, fallback_state);
                advance(&self.fallback, state, runner, gradient, oracle, batch)?
            }
        };
        if loss.is_none() && !gradient.is_finite() {
            blame(kept, gradient, oracle, batch)?;
        }
        baton.lost = loss.is_none();
        if baton.lost {
            return Ok(None);
        }
        baton.done = baton.done.saturating_add(1);
        if beside {
            self.step_own(memory, oracle, batch)?;
        }
        Ok(loss)
    }

    /// One step of the fallback's own run, on a batch that has a finite gradient elsewhere.
    fn step_own<O: Objective>(
        &self,
        memory: &mut MemoryOf<L, F, O::Params, SPARE>,
        oracle: &mut Oracle<'_, O>,
        batch: O::Batch<'_>,
    ) -> Result<(), Error> {
        let RelayMemory { untouched, gradient, fallback_state, untouched_state, baton, .. } = memory;
        let state = state_of(true, untouched_state, fallback_state);
        if advance(&self.fallback, state, untouched, gradient, oracle, batch)?.is_some() {
            baton.own_steps = baton.own_steps.saturating_add(1);
        } else {
            (baton.own_lost, baton.shadows) = (true, false);
        }
        Ok(())
    }
}

/// One step of a rule; the loss where its gradient was computed, if gradient and step are finite.
fn advance<R: Rule, O: Objective>(
    rule: &R,
    state: &mut R::State<O::Params>,
    point: &mut O::Params,
    gradient: &mut O::Params,
    oracle: &mut Oracle<'_, O>,
    batch: O::Batch<'_>,
) -> Result<Option<f32>, Error> {
    let loss = oracle.gradient(rule.gradient_point(state).unwrap_or(point), batch, gradient)?;
    if !gradient.is_finite() {
        return Ok(None);
    }
    rule.step(state, point, gradient, loss, &mut oracle.probe(batch));
    Ok(point.is_finite().then_some(loss))
}

/// Whose fault a gradient is that is not finite: the batch's, if there is none at the accepted parameters either.
///
/// # Errors
/// [`Error::NonFiniteGradient`] if it is the batch's.
fn blame<O: Objective>(
    kept: &O::Params,
    gradient: &mut O::Params,
    oracle: &mut Oracle<'_, O>,
    batch: O::Batch<'_>,
) -> Result<(), Error> {
    oracle.gradient(kept, batch, gradient)?;
    if gradient.is_finite() { Ok(()) } else { Err(Error::NonFiniteGradient) }
}
