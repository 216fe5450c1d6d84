//! Where a [`LossGuard`] goes back to.
//!
//! Accepted parameters may turn out to be bad only later: nothing is compared while the fallback goes on alone, and a loss that is
//! finite may have a gradient that is not. So the candidate's place that a round does not need holds an earlier point:
//!
//! ```text
//! after a race or a stride    the point that it began from
//! the fallback alone          the point that it was left alone at
//! ```
//!
//! The guard goes back to that point in three cases: the next batch has a finite gradient there but none at the accepted
//! parameters; the fallback alone has made no finite step; or it stands [far](is_far) above that point when its time alone ends. The
//! fallback then begins afresh, and the next round is a race.

use super::memory::MemoryOf;
use super::settings::LossGuard;
use crate::error::Error;
use crate::guard::points::{self, Back};
use crate::guard::policy::StatePolicy;
use crate::objective::Objective;
use crate::oracle::Oracle;
use crate::rule::{Rule, RuleState};
use crate::tensors::Tensors;

/// How many standard deviations of the losses are far.
const FAR: f32 = 1.0;

/// Whether a loss is far above another one, whose standard deviation over the examples is `spread`: by more than
/// `spread`, or, where that is 0 because there is only one example, by more than the other loss itself.
pub(super) fn is_far(loss: f32, other: f32, spread: f32) -> bool {
    loss - other > if spread > 0.0 { FAR * spread } else { other.abs() }
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
