//! The steps of a window of a [`RelayGuard`].

use super::baton::{Baton, Leg};
use super::layout::{Layout, States};
use super::{MemoryOf, OwnRun, RelayGuard, RelayMemory};
use crate::error::Error;
use crate::objective::Objective;
use crate::oracle::Oracle;
use crate::rule::{Rule, RuleState};
use crate::source::Source;
use crate::tensors::Tensors;

/// The state of the running fallback: that of its own run, or of one that began afresh.
fn running_state<'a, P, S: States, const SPARE: usize>(
    baton: &Baton,
    own: &'a mut [OwnRun<P, S::Fallback>; SPARE],
    states: &'a mut S,
) -> &'a mut S::Fallback {
    match own.first_mut() {
        Some(own) if baton.on_own => &mut own.state,
        Some(_) | None => states.fallback_mut(),
    }
}

impl<P: Tensors, S: States<Fallback = F>, F: RuleState, const SPARE: usize> RelayMemory<P, S, F, SPARE> {
    /// The learned side begins at the accepted parameters.
    pub(super) fn begin_learned(&mut self) {
        (self.baton.raced, self.baton.ahead) = (true, 0);
        self.runner.copy_from(&self.kept);
        self.states.learned_mut().reset();
    }

    /// The fallback begins afresh from the accepted parameters.
    pub(super) fn begin_afresh(&mut self) {
        self.baton.hand();
        self.runner.copy_from(&self.kept);
        self.states.fallback_mut().reset();
    }

    /// The running fallback's steps are shorter from now on.
    pub(super) fn shorten<R: Rule<State<P> = F>>(&mut self, fallback: &R) {
        fallback.shorten::<P>(running_state(&self.baton, &mut self.own, &mut self.states));
    }

    /// The fallback's own run is the running one from now on. One that is no longer finite, or was never made, begins afresh.
    pub(super) fn go_on_alone(&mut self) {
        let Some(own) = self.own.first().filter(|_| !self.baton.own_lost) else { return self.begin_afresh() };
        self.baton.hand();
        (self.baton.on_own, self.baton.shadows) = (true, false);
        self.runner.copy_from(&own.point);
        // The own run has its own state. A checkpoint still holds this one, and has the same bytes in both layouts if it is reset.
        self.states.fallback_mut().reset();
    }

    /// Accumulators that are not finite are reset: a NaN in them would never go away. Returns whether they were those of the learned side.
    pub(super) fn mend_states(&mut self) -> bool {
        let is_learned = self.leg().is_learned();
        for own in &mut self.own {
            mend(&mut own.state);
        }
        let is_lost = if is_learned { mend(self.states.learned_mut()) } else { mend(self.states.fallback_mut()) };
        is_learned && is_lost
    }
}

impl<L: Rule, F: Rule, const SPARE: usize, Y: Layout<L, F>> RelayGuard<L, F, SPARE, Y> {
    /// As many steps of the window as this round has room for. Returns the loss of the first one, if one was made.
    pub(super) fn run<O: Objective>(
        &self,
        memory: &mut MemoryOf<L, F, O::Params, SPARE, Y>,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Option<f32>, Error> {
        if matches!(memory.leg(), Leg::Race | Leg::Start) && memory.baton.done == 0 {
            let RelayMemory { kept, runner, own, .. } = memory;
            runner.copy_from(kept);
            own.iter_mut().for_each(|own| own.point.copy_from(kept));
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
        memory: &mut MemoryOf<L, F, O::Params, SPARE, Y>,
        oracle: &mut Oracle<'_, O>,
        batch: O::Batch<'_>,
    ) -> Result<Option<f32>, Error> {
        let leg = memory.leg();
        let beside = memory.baton.own_steps_too(leg);
        let RelayMemory { kept, runner, gradient, states, own, baton } = memory;
        let loss = if leg.is_learned() {
            advance(&self.learned, states.learned_mut(), runner, gradient, oracle, batch)?
        } else {
            advance(&self.fallback, running_state(baton, own, states), runner, gradient, oracle, batch)?
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
        memory: &mut MemoryOf<L, F, O::Params, SPARE, Y>,
        oracle: &mut Oracle<'_, O>,
        batch: O::Batch<'_>,
    ) -> Result<(), Error> {
        let RelayMemory { gradient, own, baton, .. } = memory;
        let Some(OwnRun { point, state }) = own.first_mut() else { return Ok(()) };
        if advance(&self.fallback, state, point, gradient, oracle, batch)?.is_some() {
            baton.own_steps = baton.own_steps.saturating_add(1);
        } else {
            (baton.own_lost, baton.shadows) = (true, false);
        }
        Ok(())
    }
}

/// Resets a state that is not finite; returns whether it was such.
fn mend(state: &mut impl RuleState) -> bool {
    let is_lost = !state.is_finite();
    if is_lost {
        state.reset();
    }
    is_lost
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

/// What is at fault for a gradient that is not finite: the batch, if it has no finite gradient at the accepted parameters either.
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
