//! What happens at the end of a window of a [`RelayGuard`].

use super::baton::{Baton, Leg};
use super::layout::Layout;
use super::shrink::{Shrink, full_loss};
use super::{MemoryOf, RelayGuard, RelayMemory};
use crate::error::Error;
use crate::guard::{Verdict, Winner};
use crate::math::or_infinity;
use crate::objective::Objective;
use crate::oracle::{Difference, Oracle, Paired};
use crate::rule::Rule;
use crate::source::Source;
use crate::tensors::Tensors;

/// Standard errors at which a difference is clear.
const CLEAR: f32 = 2.0;
/// Standard errors by which the fallback's own run must be better before it is resumed; and at which no more check batches
/// are drawn for a better point.
const BETTER: f32 = 1.0;
/// What share of a standard deviation of the losses is far.
const FAR: f32 = 0.5;
/// A comparison draws at most one check batch for this many steps of the window, or the guard's own limit where that is more.
const CHECKED: u32 = 16;
/// This many bad windows in a row end a side.
const FAILS: u32 = 2;
/// At this share of the loss at w_0 a task is solved. The learned side does not fail then, and the fallback's steps
/// become shorter with every window: what fits the last digits of the training loss loses on examples that are not
/// trained on.
const SOLVED: f32 = 1e-3;

impl<L: Rule, F: Rule, const SPARE: usize, Y: Layout<L, F>> RelayGuard<L, F, SPARE, Y> {
    /// Ends the window: what is accepted, and who runs next.
    pub(super) fn judge<O: Objective>(
        &self,
        memory: &mut MemoryOf<L, F, O::Params, SPARE, Y>,
        verdict: &mut Verdict,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<(), Error> {
        match memory.leg() {
            Leg::Race => self.end_race(memory, verdict, oracle, source),
            Leg::Start => self.end_start(memory, verdict, oracle, source),
            Leg::Trial | Leg::Learned => self.end_learned(memory, verdict, oracle, source),
            Leg::Fallback if self.keeps_best || memory.baton.lost => self.end_fallback(memory, verdict, oracle, source),
            Leg::Fallback => {
                verdict.steps = memory.baton.done;
                memory.baton.close(verdict.steps);
                accept(memory, verdict, Winner::Fallback);
                memory.mend_states();
                Ok(())
            }
        }
    }

    /// The race: the learned side has lost if it is worse than the fallback's own run by a clear difference.
    fn end_race<O: Objective>(
        &self,
        memory: &mut MemoryOf<L, F, O::Params, SPARE, Y>,
        verdict: &mut Verdict,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<(), Error> {
        let mut is_below = false;
        if memory.baton.lost {
            verdict.learned_loss = Some(f32::INFINITY);
        } else {
            let paired = self.compare(memory, oracle, source)?;
            let RelayMemory { baton, .. } = memory;
            is_below = paired.difference() < 0.0 && paired.second().is_finite();
            verdict.learned_loss = Some(paired.second());
            verdict.kept_loss = Some(paired.first());
            baton.first_loss = paired.first();
            verdict.fallback_loss = Some(if baton.own_lost { f32::INFINITY } else { paired.third() });
            if !baton.own_lost {
                verdict.standard_error = or_infinity(self.error(paired.to_third()));
                baton.own_lost = !paired.third().is_finite();
                baton.lost = !baton.own_lost && self.is_worse(&paired, paired.to_third(), CLEAR);
            }
            baton.lost |= !paired.second().is_finite();
        }
        let is_lost = memory.mend_states() || memory.baton.lost;
        if is_lost {
            // A fallback that has made no step stands where the run began.
            verdict.steps = memory.baton.own_steps;
            let is_below = verdict.fallback_loss.zip(verdict.kept_loss).is_some_and(|(own, kept)| own < kept);
            memory.go_on_alone();
            memory.baton.close(verdict.steps);
            if is_below || !self.keeps_best && verdict.steps > 0 {
                accept(memory, verdict, Winner::Fallback);
            }
            return Ok(());
        }
        verdict.steps = memory.baton.done;
        (memory.baton.raced, memory.baton.tried) = (true, true);
        memory.baton.shadows = !memory.baton.own_lost;
        memory.baton.close(verdict.steps);
        memory.baton.fails = u32::from(!is_below);
        if is_below {
            accept(memory, verdict, Winner::Learned);
        }
        let is_due = memory.baton.is_to_hand_over(&self.schedule, false, source.epoch());
        self.perhaps_hand_over(memory, false, is_due);
        Ok(())
    }

    /// The fallback's first steps in a lean guard: what is better than w_0 is kept, and the learned side begins there.
    fn end_start<O: Objective>(
        &self,
        memory: &mut MemoryOf<L, F, O::Params, SPARE, Y>,
        verdict: &mut Verdict,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<(), Error> {
        verdict.fallback_loss = Some(f32::INFINITY);
        let mut is_below = false;
        if !memory.baton.lost {
            let paired = self.compare(memory, oracle, source)?;
            self.report(&paired, verdict);
            verdict.fallback_loss = Some(paired.second());
            memory.baton.first_loss = paired.first();
            is_below = paired.difference() < 0.0 && paired.second().is_finite();
        }
        verdict.steps = memory.baton.spent();
        memory.baton.close(verdict.steps);
        if is_below {
            accept(memory, verdict, Winner::Fallback);
        }
        memory.begin_learned();
        Ok(())
    }

    /// A window of the learned side. In its trial it is out if it is worse by a clear difference, as in a race.
    fn end_learned<O: Objective>(
        &self,
        memory: &mut MemoryOf<L, F, O::Params, SPARE, Y>,
        verdict: &mut Verdict,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<(), Error> {
        let (mut is_below, mut is_out, mut is_solved, mut gains) = (false, true, false, false);
        verdict.learned_loss = Some(f32::INFINITY);
        if !memory.baton.lost {
            let paired = self.compare_window(memory, oracle, source)?;
            self.report(&paired, verdict);
            verdict.learned_loss = Some(paired.second());
            is_below = paired.difference() < 0.0 && paired.second().is_finite();
            is_solved = is_solved_at(paired.second(), &memory.baton);
            is_out = !is_solved
                && match memory.baton.tried {
                    true => self.is_far_worse(&paired),
                    false => self.is_worse(&paired, paired.to_first(), CLEAR),
                };
            gains = is_solved || is_below && self.is_better(&paired);
        }
        is_out |= memory.mend_states();
        memory.baton.tried = true;
        verdict.steps = memory.baton.spent();
        memory.baton.close(verdict.steps);
        if is_below {
            accept(memory, verdict, Winner::Learned);
        } else if !is_solved {
            memory.baton.fails = memory.baton.fails.saturating_add(1);
            is_out |= memory.baton.fails >= FAILS;
        }
        let is_late = !gains && memory.baton.is_late(&self.schedule);
        let is_due = memory.baton.is_to_hand_over(&self.schedule, is_solved, source.epoch());
        self.perhaps_hand_over(memory, is_out, is_late || is_due);
        Ok(())
    }

    /// A window of the fallback.
    fn end_fallback<O: Objective>(
        &self,
        memory: &mut MemoryOf<L, F, O::Params, SPARE, Y>,
        verdict: &mut Verdict,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<(), Error> {
        verdict.fallback_loss = Some(f32::INFINITY);
        verdict.steps = memory.baton.spent();
        if memory.baton.lost {
            memory.baton.close(verdict.steps);
            self.restart(memory);
            return Ok(());
        }
        let is_own_due = memory.baton.own_is_due(Leg::Fallback);
        let paired = self.compare_window(memory, oracle, source)?;
        self.report(&paired, verdict);
        verdict.fallback_loss = Some(paired.second());
        memory.mend_states();
        memory.baton.close(verdict.steps);
        let is_below = paired.difference() < 0.0 && paired.second().is_finite();
        let own = paired.third();
        if is_own_due && own < paired.first() && self.is_worse(&paired, paired.to_third(), BETTER) {
            verdict.fallback_loss = Some(own);
            memory.go_on_alone();
            memory.baton.suspects = false;
            memory.baton.ahead = memory.baton.own_steps;
            accept(memory, verdict, Winner::Fallback);
            return Ok(());
        }
        let gains = is_below && self.is_better(&paired) && !is_solved_at(paired.second(), &memory.baton);
        if !gains && memory.baton.is_late(&self.schedule) {
            memory.shorten(&self.fallback);
        }
        if is_below {
            accept(memory, verdict, Winner::Fallback);
        } else if self.is_far_worse(&paired) {
            memory.baton.fails = memory.baton.fails.saturating_add(1);
            if memory.baton.fails >= FAILS {
                self.restart(memory);
            }
        }
        Ok(())
    }

    /// The fallback begins afresh, and what was accepted so far is under suspicion.
    fn restart<P: Tensors>(&self, memory: &mut MemoryOf<L, F, P, SPARE, Y>) {
        memory.begin_afresh();
        memory.baton.suspects = self.keeps_best;
    }

    /// Hands over to the fallback, if the learned side is out or its hand-over is due.
    fn perhaps_hand_over<P: Tensors>(&self, memory: &mut MemoryOf<L, F, P, SPARE, Y>, is_out: bool, is_due: bool) {
        if is_out {
            self.restart(memory);
        } else if is_due {
            memory.begin_afresh();
        }
    }

    /// A comparison at the end of a window after the race, of what would be accepted.
    fn compare_window<O: Objective>(
        &self,
        memory: &mut MemoryOf<L, F, O::Params, SPARE, Y>,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Paired, Error> {
        if self.shrinks { self.compare_scaled(memory, oracle, source) } else { self.compare(memory, oracle, source) }
    }

    /// Compares y with the accepted point, and tries the next c, but not while the fallback's own run is compared, too.
    fn compare_scaled<O: Objective>(
        &self,
        memory: &mut MemoryOf<L, F, O::Params, SPARE, Y>,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Paired, Error> {
        let now = memory.baton.shrink;
        memory.put_scaled(now);
        let paired = self.compare(memory, oracle, source)?;
        if memory.baton.own_is_due(memory.leg()) || !paired.second().is_finite() {
            return Ok(paired);
        }
        let tried = now.next();
        memory.put_scaled(tried);
        if full_loss(&memory.gradient, oracle, source)? < paired.second() {
            return self.compare(memory, oracle, source);
        }
        memory.baton.shrink = now.turned(tried);
        Ok(paired)
    }

    /// Losses at the accepted parameters, at the running point with its last layer scaled, and at the fallback's own run
    /// where that is due, on the same examples.
    fn compare<O: Objective>(
        &self,
        memory: &MemoryOf<L, F, O::Params, SPARE, Y>,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Paired, Error> {
        let is_own_due = memory.baton.own_is_due(memory.leg());
        let RelayMemory { kept, runner, gradient, own, baton, .. } = memory;
        let second = if baton.shrink.is_one() { runner } else { gradient };
        let third = own.first().filter(|_| is_own_due).map(|own| &own.point);
        let most = self.check_batches.max(baton.window / CHECKED) as usize;
        let mut paired = Paired::default();
        let mut part = 0;
        loop {
            let batch = match (self.exact, part) {
                (true, 0) => source.objective(0)?.ok_or(Error::NoObjective)?,
                (true, _) => match source.objective(part)? {
                    Some(batch) => batch,
                    None => break,
                },
                (false, _) => source.check()?,
            };
            oracle.compare(kept, second, third, batch, &mut paired)?;
            if !paired.first().is_finite() {
                return Err(Error::NonFiniteLoss);
            }
            part = part.saturating_add(1);
            if !self.exact && (part >= most || part > 1 && is_clear(&paired, third.is_some())) {
                break;
            }
        }
        Ok(paired)
    }

    /// What the verdict says of a comparison of the running point with the accepted one.
    fn report(&self, paired: &Paired, verdict: &mut Verdict) {
        verdict.kept_loss = Some(paired.first());
        verdict.standard_error = or_infinity(self.error(paired.to_first()));
    }

    /// The standard error of a difference; 0 where losses are so far apart that it overflows: a wild point must not hide
    /// behind its own spread.
    fn error(&self, difference: &Difference) -> f32 {
        let error = difference.standard_error();
        if self.exact || !error.is_finite() { 0.0 } else { error }
    }

    /// Whether the running point is worse by so many standard errors, or not finite.
    fn is_worse(&self, paired: &Paired, than: &Difference, errors: f32) -> bool {
        let is_as_good = than.mean() <= errors * self.error(than);
        !(paired.second().is_finite() && is_as_good)
    }

    /// Whether the running point is better than the accepted one by a standard error.
    fn is_better(&self, paired: &Paired) -> bool {
        let difference = paired.to_first();
        difference.mean() < -BETTER * self.error(difference)
    }

    /// Whether the running point is far worse than the accepted one.
    fn is_far_worse(&self, paired: &Paired) -> bool {
        let (spread, loss) = (paired.spread(), paired.first());
        // One exact loss has no spread.
        let scale = if spread > 0.0 { spread } else { loss.abs() };
        let is_far = !paired.second().is_finite() || paired.difference() > FAR * scale;
        is_far && self.is_worse(paired, paired.to_first(), CLEAR)
    }
}

impl<P: Tensors, S, F, const SPARE: usize> RelayMemory<P, S, F, SPARE> {
    /// Puts y into the memory of the gradient, which is free at the end of a window.
    fn put_scaled(&mut self, shrink: Shrink) {
        self.gradient.copy_from(&self.runner);
        shrink.apply(&mut self.gradient);
        self.baton.shrink = shrink;
    }
}

/// Whether a loss is so small a share of that at w_0 that the task is solved.
fn is_solved_at(loss: f32, baton: &Baton) -> bool {
    loss <= SOLVED * baton.first_loss
}

/// Whether no more check batches are needed: every difference is clear, or the running point has no loss. To accept a point
/// by mistake costs little; to end a side by mistake costs much.
fn is_clear(paired: &Paired, has_third: bool) -> bool {
    let clear = |difference: &Difference| {
        let error = difference.standard_error();
        // A standard error of 0 is that of equal losses, which says nothing.
        error > 0.0 && (difference.mean() > CLEAR * error || difference.mean() < -BETTER * error)
    };
    !paired.second().is_finite() || clear(paired.to_first()) && (!has_third || clear(paired.to_third()))
}

/// The running point, with its last layer scaled, becomes the accepted one.
fn accept<P: Tensors, S, F, const SPARE: usize>(
    memory: &mut RelayMemory<P, S, F, SPARE>,
    verdict: &mut Verdict,
    winner: Winner,
) {
    memory.kept.copy_from(&memory.runner);
    memory.baton.shrink.apply(&mut memory.kept);
    (verdict.winner, verdict.accepted) = (winner, memory.baton.accept());
}
