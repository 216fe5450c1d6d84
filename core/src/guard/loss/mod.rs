//! The loss guard LGL2O ("A Simple Guard for Learned Optimizers", ICML 2022, arXiv 2201.12426).
//!
//! ```text
//! u = the fallback's n_t steps from w      v = the learned rule's n_t steps from w, on the same training batches
//! w <- v if v's check loss is lower than u's, else u
//! ```
//!
//! Check batches are fresh and disjoint from the training batches, and both candidates see the same ones. Ties, NaN and
//! infinity go to the fallback. With gradient descent at 0 < rate < 2/L as fallback and *full objective* as decision,
//! F(w_{i+1}) - F* <= rho (F(w_i) - F*) with rho = 1 - 2 mu rate (1 - rate L / 2) on a mu-strongly convex, L-smooth F,
//! whatever the learned rule does: F(w_{i+1}) <= F(u), and u has made the fallback's progress from w.
//!
//! The premise is rate < 2/L *where the run is*. With a fixed rate on a network it can fail for a while: then the
//! fallback climbs, and a bad proposal may still be the lesser evil. The [veto](LossGuard::veto) refuses a proposal
//! that does not beat the current parameters either; [`Armijo`](crate::rule::Armijo) as fallback keeps the premise by
//! its own line search.
//!
//! **A fallback that climbs** is not followed. Where w is looked at ([veto](LossGuard::veto), [stay](LossGuard::stay)), a
//! fallback's candidate that is a standard deviation of the losses above w leaves w as it is. When the
//! time of a fallback alone ends, it is compared with the point where that time began, and is taken back to that point if
//! it is as far above. It is taken back at once where it has no finite step, or where a batch has a finite gradient at
//! that point but none at w. (Only where the
//! batch has none at that point either, it is an error.) From then on the guard suspects the fallback: neither side is
//! kept unless it is below w, the learned one by the margin, on all check batches. That is also what ends harm that shows
//! in no loss, such as layers out of all proportion: the fallback's steps become too long there. The run then stands
//! still until one side descends.
//!
//! What the paper leaves open is decided here: the first gradient of a round, at w, is computed once and shared; the
//! two sides take turns, so that one training batch at a time is enough.
//!
//! [`LossGuard::paper`] is the paper's guard. [`LossGuard::new`], with a learned rule that is
//! [averaged](crate::rule::Averaged), is the one to use:
//!
//! | part | what it is for | what it costs |
//! |---|---|---|
//! | an [averaged](crate::rule::Averaged) learned rule | its mean direction is judged, not the noise of its last step | one gradient a stride, one slot of memory |
//! | races of n_t = 20 steps, the first one at once | a learned rule that does not fit the task is found out before it moves anything | n_t - 1 gradients a race |
//! | [strides](LossGuard::stride) of up to 32 steps, or a [quarter](LossGuard::stretch) of the steps so far | guarding a learned rule that does fit | 3 n_c forwards a stride |
//! | [audits](LossGuard::audits), a race at growing gaps | a learned rule that has become slower than the fallback is found out | n_t - 1 gradients a race |
//! | [budget](LossGuard::budget) | a rule that never wins is asked ever less often | nothing |
//! | *margin 2*, [early stop](LossGuard::early_stop) at 2 | ties change nothing, clear cases take one check batch | saves check batches |
//! | [trust](LossGuard::trust) | a learned rule that is ahead by a little each time is not dropped by chance | a wrong winner may cost 2 standard errors, not 0 |
//! | [veto](LossGuard::veto) | see above | n_c forwards a check |
//!
//! Why they belong together: the last iterate of a rule with long steps is noisy, so a fallback with short ones, which
//! anneals, wins a race of 20 steps from it whichever would lead after 200. Averaging takes the noise away; and
//! as an average moves ever more slowly, its lead in one stride is ever less than a check can see, which is what trust
//! and stretch are for. `lgl2o reproduce --only ablation` takes the parts out one by one.
//!
//! A race comes first because some harm shows in no loss: one long stride can leave rectified units dead or sigmoids
//! saturated at a loss that is lower than before, and no fallback repairs that. In n_t steps of its own the fallback
//! shows where it would have ended up.

mod back;
mod judgement;
mod memory;
mod proposals;
mod settings;

pub use memory::LossMemory;
pub use settings::{LossGuard, LossSettings};

use core::ops::ControlFlow;

use judgement::Judgement;
use memory::MemoryOf;
use proposals::Proposals;

use super::points::{self, Back, Points};
use super::policy::{Sides, StatePolicy};
use super::schedule::{Round, ScheduleState};
use super::{Guard, Verdict, Winner, blank};
use crate::error::Error;
use crate::objective::Objective;
use crate::oracle::Oracle;
use crate::rule::{NoProbe, Rule, RuleState};
use crate::source::Source;
use crate::tensors::Tensors;

impl<L: Rule, F: Rule, S: StatePolicy> LossGuard<L, F, S> {
    /// Keeps one candidate and settles the states.
    fn commit<P: Tensors>(
        &self,
        memory: &mut MemoryOf<L, F, S, P>,
        proposals: &mut Proposals,
        judgement: &Judgement,
    ) -> Winner {
        let accept = judgement.accept;
        let LossMemory { points, gradient, learned_state, fallback_state, extra, .. } = memory;
        let [params, _, fallback] = points.all_mut();
        if proposals.postponed && accept {
            self.fallback.observe(fallback_state, params, gradient, proposals.train_loss);
        } else if proposals.postponed {
            self.fallback.step(fallback_state, fallback, gradient, proposals.train_loss, &mut NoProbe);
            proposals.fallback = fallback.is_finite();
        }
        let winner = match (accept, proposals.fallback && !judgement.stay) {
            (true, _) => Winner::Learned,
            (false, true) => Winner::Fallback,
            (false, false) => Winner::Neither,
        };
        let place = match winner {
            Winner::Learned => points::LEARNED,
            Winner::Fallback => points::FALLBACK,
            Winner::Neither => 0,
        };
        points.accept(place);
        if !points.back.alone {
            points.back = Back { place: place as u8, alone: false };
        }
        S::settle(extra, &mut Sides { learned: learned_state, fallback: fallback_state }, winner);
        if winner != Winner::Learned {
            self.learned.moved(learned_state);
        }
        if winner != Winner::Fallback {
            self.fallback.moved(fallback_state);
        }
        if !learned_state.is_finite() {
            learned_state.reset();
        }
        if !fallback_state.is_finite() {
            fallback_state.reset();
        }
        winner
    }
}

impl<L: Rule, F: Rule, S: StatePolicy> Guard for LossGuard<L, F, S> {
    type Memory<P: Tensors> = LossMemory<P, L::State<P>, F::State<P>, S::Extra<L::State<P>, F::State<P>>>;

    fn memory<P: Tensors>(&self, like: &P) -> Self::Memory<P> {
        let (learned_state, fallback_state) = (self.learned.state(like), self.fallback.state(like));
        LossMemory {
            points: Points::blank(like),
            gradient: blank(like),
            extra: S::extra(&learned_state, &fallback_state),
            learned_state,
            fallback_state,
            rounds: 0,
            schedule: ScheduleState::ZERO,
        }
    }

    fn params<P: Tensors>(memory: &Self::Memory<P>) -> &P {
        let [params, ..] = memory.points.all();
        params
    }

    fn params_mut<P: Tensors>(memory: &mut Self::Memory<P>) -> &mut P {
        let [params, ..] = memory.points.all_mut();
        params
    }

    fn round<O: Objective>(
        &self,
        memory: &mut Self::Memory<O::Params>,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Verdict, Error> {
        self.check_settings()?;
        self.learned.check()?;
        self.fallback.check()?;
        source.begin_round();
        let room = source.room().max(1);
        let round = memory.schedule.next(&self.settings.schedule, self.settings.train_batches, room);
        let steps @ [learned_steps, fallback_steps] = match round {
            Round::Race => [self.settings.train_batches.min(room); 2],
            Round::Stride(k) => [k, 1],
            Round::Alone => [0, 1],
        };
        let mut proposals = match self.propose(steps, memory, oracle, source)? {
            ControlFlow::Continue(proposals) => proposals,
            ControlFlow::Break(train_loss) => {
                memory.schedule.suspect(true);
                memory.schedule.ask_again();
                return Ok(gone_back(train_loss, oracle));
            }
        };
        let judgement = match round {
            Round::Alone => self.judge_alone(memory, &proposals, oracle, source)?,
            _ => self.judge(memory, &proposals, oracle, source)?,
        };
        let mut winner = Winner::Neither;
        if round == Round::Alone && judgement.climbs {
            self.go_back(memory);
        } else {
            winner = self.commit(memory, &mut proposals, &judgement);
        }
        let won = winner == Winner::Learned;
        let steps = if won { learned_steps } else { fallback_steps };
        // Steps that moved nothing are none of the accepted parameters'.
        let accepted = if winner == Winner::Neither { 0 } else { steps };
        memory.rounds = memory.rounds.saturating_add(1);
        memory.schedule.suspect(judgement.climbs);
        if winner == Winner::Neither && (judgement.climbs && !self.settings.stay || !proposals.fallback) {
            memory.schedule.ask_again();
        } else {
            memory.schedule.settle(&self.settings.schedule, round, self.settings.train_batches, won, accepted);
        }
        Ok(Verdict {
            winner,
            steps,
            accepted,
            train_loss: proposals.train_loss,
            fallback_loss: judgement.fallback_loss,
            learned_loss: judgement.learned_loss,
            kept_loss: judgement.kept_loss,
            standard_error: judgement.standard_error,
            spent: oracle.spent(),
        })
    }
}

/// The verdict of a round that went back.
fn gone_back<O: Objective>(train_loss: f32, oracle: &Oracle<'_, O>) -> Verdict {
    Verdict {
        winner: Winner::Neither,
        steps: 0,
        accepted: 0,
        train_loss,
        fallback_loss: None,
        learned_loss: None,
        kept_loss: None,
        standard_error: 0.0,
        spent: oracle.spent(),
    }
}
