//! Where a [`LossGuard`] goes back to.
//!
//! Accepted parameters may turn out to be bad only later: nobody compares while the fallback goes on alone, and a loss that is
//! finite may have a gradient that is not. So the candidate's place that a round does not need holds an earlier point:
//!
//! ```text
//! after a race or a stride    the point that it began from
//! the fallback alone          the point that it was left alone at
//! ```
//!
//! The guard goes back there where the next batch has a finite gradient there but none at the accepted parameters, and where
//! the fallback has made no finite step alone, or stands [far](is_far) above that point at the end of its time alone. The
//! fallback then begins afresh, and the next round is a race.

use super::{LossGuard, LossMemory, MemoryOf};
use crate::checkpoint::{Origin, Persist, Sink};
use crate::error::Error;
use crate::guard::points::{self, Back, Points};
use crate::guard::policy::StatePolicy;
use crate::objective::Objective;
use crate::oracle::Oracle;
use crate::rule::{Rule, RuleState};
use crate::tensors::Tensors;

/// How many standard deviations of the losses are far.
const FAR: f32 = 1.0;

/// Whether a loss is far above another one, whose standard deviation over the examples is `spread`: by all of that, or where
/// there is none, because there is one example, by all of itself.
pub(super) fn is_far(loss: f32, other: f32, spread: f32) -> bool {
    loss - other > if spread > 0.0 { FAR * spread } else { other.abs() }
}

/// Writes the point to go back to, and whether there is one; the accepted point where there is none.
pub(super) fn save<P: Tensors, S: Sink>(points: &Points<P, 3>, sink: &mut S) -> Result<(), S::Error> {
    let [accepted, learned, fallback] = points.all();
    (points.back.place > 0).save(sink)?;
    points.back.alone.save(sink)?;
    match usize::from(points.back.place) {
        points::LEARNED => learned.save(sink),
        points::FALLBACK => fallback.save(sink),
        _ => accepted.save(sink),
    }
}

/// Reads what [`save`] wrote; the point comes to the learned candidate's place.
pub(super) fn load<P: Tensors, O: Origin>(points: &mut Points<P, 3>, origin: &mut O) -> Result<(), O::Error> {
    let mut is_held = points.back.place > 0;
    is_held.load(origin)?;
    points.back.alone.load(origin)?;
    points.back.place = if is_held { points::LEARNED as u8 } else { 0 };
    let [_, learned, _] = points.all_mut();
    learned.load(origin)
}

impl<P: Tensors, L, F, E> LossMemory<P, L, F, E> {
    /// Before a round: the fallback alone leaves the learned candidate's place to the point that it was left alone at; any
    /// other needs both.
    pub(super) fn hold(&mut self, alone: bool) {
        if alone && !self.points.back.alone {
            let [params, learned, _] = self.points.all_mut();
            learned.copy_from(params);
            self.points.back = Back { place: points::LEARNED as u8, alone };
        } else if !alone {
            self.points.back = Back::NONE;
        }
    }
}

impl<L: Rule, F: Rule, S: StatePolicy> LossGuard<L, F, S> {
    /// Goes back to the earlier point, if there is one.
    pub(super) fn go_back<P: Tensors>(&self, memory: &mut MemoryOf<L, F, S, P>) {
        memory.points.accept(memory.points.back.place.into());
        memory.points.back = Back::NONE;
        memory.fallback_state.reset();
        self.fallback.moved(&mut memory.fallback_state);
        self.learned.moved(&mut memory.learned_state);
    }

    /// Goes back from parameters that have no finite gradient on a batch. Returns the loss at the earlier point.
    ///
    /// # Errors
    /// [`Error::NonFiniteGradient`] if there is no finite one at the earlier point either, or no such point: that is the
    /// batch's fault, or the initial parameters'.
    pub(super) fn recover<O: Objective>(
        &self,
        memory: &mut MemoryOf<L, F, S, O::Params>,
        oracle: &mut Oracle<'_, O>,
        batch: O::Batch<'_>,
    ) -> Result<f32, Error> {
        let [_, learned, fallback] = memory.points.all();
        let point = match usize::from(memory.points.back.place) {
            points::LEARNED => learned,
            points::FALLBACK => fallback,
            _ => return Err(Error::NonFiniteGradient),
        };
        let loss = oracle.gradient(point, batch, &mut memory.gradient)?;
        if !memory.gradient.is_finite() {
            return Err(Error::NonFiniteGradient);
        }
        self.go_back(memory);
        Ok(loss)
    }
}
