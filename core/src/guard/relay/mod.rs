//! The relay guard: the learned rule runs first, the fallback takes over, and the best checked point is kept.
//!
//! ```text
//! S    the accepted parameters, at first w_0: the best point that a check has seen
//! x    the running point of the side that has the baton: the learned rule at first, later the fallback
//! b    the fallback's own run from w_0, which the learned side never touches
//!
//! race       x makes n_0 steps from w_0, b makes n_0 / 3: in the last n_0 / 3 batches both step on the same ones.
//!            x is worse than b by 2 standard errors: the fallback goes on from b, and nothing of x is ever kept.
//!            Else S <- x if x is below S on the checks.
//! learned    windows of max(n_0 / 3, t / 3) steps, t = steps so far. At the end of one, S <- x if x is below S.
//!            Two windows in a row not below S, or one that is far worse (below), ends the learned side; but not while
//!            its loss is at most F(w_0) / 1000: the task is solved then.
//! hand over  at t_1 steps, or at 5 t_1 if the task is solved by then; from t_1 / 5 on, if the task is not solved, at the
//!            end of a window that is not below S by a standard error, or after ten passes over the training data; or where
//!            the learned side ends: x <- S, and the fallback begins afresh from there.
//! fallback   windows as above; S <- x if x is below S. Far worse twice: x <- S, and the fallback begins afresh.
//!            From t_1 / 5 steps on not below S by a standard error, or the task is solved: it is asked for shorter steps.
//! suspicion  after a learned side or a fallback that ended badly, b makes one step for two of x, until it has t / 5
//!            steps. If it then is below x by one standard error and below S: S <- b, x <- b.
//!
//! far worse: by 2 standard errors of the paired difference, and by half a standard deviation of the losses at S
//! ```
//!
//! Source: this project's study of seven guards on 22 tasks, of which this is the seventh, with fewer checks. A short
//! race tells bad from not bad, never better from worse, so it has a handicap; a short check of two sides throws good
//! ones away, so there is none; a learned rule is the better one early, a fallback that begins afresh late, so even a
//! good learned side hands over. It does not come back. When it should hand over depends on the task: where
//! training overfits, a learned side that lets weights decay is better; where it stagnates, the fallback is. So the learned side
//! stays while it gains, but not for more than ten passes over a small data set: there the fallback reaches a lower loss ("Long runs" in
//! `host/RESULTS.md`).
//!
//! **Shorter steps.** Steps that are right early are too long late: where labels contradict each other, they no longer lower the
//! loss. The checks at the end of a window show this at no extra cost, and the guard calls [`Rule::shorten`]. `Ngn` then steps as if the
//! loss were half as large; a rule with a fixed rate keeps its rate, and its theorem.
//!
//! **What holds whatever the learned side does.** S is never replaced by a point that a check has found worse. With
//! [exact](RelayGuard::exact) losses F(S) never rises, so the fallback begins at F(S) <= F(w_0), and its own theorem
//! holds from there: with gradient descent at 0 < rate < 2/L on a mu-strongly convex, L-smooth F, after k of its steps
//! F(S) - F* <= rho^k (F(w_0) - F*), rho = 1 - 2 mu rate (1 - rate L / 2). A lost race leaves the fallback's run alone,
//! bit for bit, begun 2 n_0 / 3 batches later, unless the rule shortens its steps when asked. Points that are not finite are never kept.
//!
//! **Rounds.** A round makes part of a window: no more steps than the source has [room](Source::room) for, nor than the
//! [longest round](RelayGuard::longest_round). A round that does not finish its window ends without a judgement: winner
//! *neither*, no losses, 0 steps. One that does counts all steps of its window. A window ends early with the
//! [run](Source::left), so the end of a run is always judged.
//!
//! **Steps.** A window counts for its steps whether x is kept or not ([`Verdict::steps`]): they are spent. What the
//! accepted parameters have made is [`Verdict::accepted`]. A lost race counts for the fallback's steps alone.
//!
//! **Held-out rows.** With [`RelayGuard::held_out`] every comparison after the race takes x with its last layer scaled down, by a factor
//! that these rows choose, and so does S: `relay/shrink.rs`. The running point itself is not scaled.
//!
//! **Memory**, in numbers for P parameters: (4 + a + 2 b) P where the learned rule has a slots of state and the fallback
//! b; (4 + a + b) P for the [lean](RelayGuard::lean) form, which keeps no run b after the race and so has no suspicion.
//!
//! **Checks.** A comparison draws check batches until the difference is clear (worse by 2 standard errors, or better by
//! 1), but at least two and at most n_c, or one for 16 steps of the window where that is more: late in a run a step gains
//! less than a few examples can show, and a long window pays for more of them.
//!
//! **Cost** of the default beside the gradients of one side: n_0 / 3 gradients for the race, and at each of the
//! windows' ends, which are fewer than 3 + ln(t / 13) / ln(4 / 3), the check batches at two or three points.

mod baton;
mod judge;
mod run;
mod settings;
mod shrink;

pub use settings::RelayGuard;

use baton::Baton;

use super::{Guard, Verdict, Winner, blank};
use crate::error::Error;
use crate::objective::Objective;
use crate::oracle::Oracle;
use crate::persist::{Origin, Persist, Sink};
use crate::rule::Rule;
use crate::source::Source;
use crate::tensors::{Tensors, Zeroed};

/// The accepted parameters, the running point, the fallback's own run, a gradient; the learned rule's state, the
/// fallback's, and, unless the guard is lean, another one for the fallback's own run.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct RelayMemory<P, L, F, const SPARE: usize> {
    kept: P,
    runner: P,
    untouched: P,
    gradient: P,
    learned_state: L,
    fallback_state: F,
    untouched_state: [F; SPARE],
    baton: Baton,
}

impl<P: Zeroed, L: Zeroed, F: Zeroed, const SPARE: usize> Zeroed for RelayMemory<P, L, F, SPARE> {
    const ZERO: Self = Self {
        kept: P::ZERO,
        runner: P::ZERO,
        untouched: P::ZERO,
        gradient: P::ZERO,
        learned_state: L::ZERO,
        fallback_state: F::ZERO,
        untouched_state: [const { F::ZERO }; SPARE],
        baton: Baton::ZERO,
    };
}

/// Both runs, all states, and where the relay is; the gradient is computed again in each step.
impl<P: Tensors, L: Persist, F: Persist, const SPARE: usize> Persist for RelayMemory<P, L, F, SPARE> {
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.runner.save(sink)?;
        self.untouched.save(sink)?;
        self.learned_state.save(sink)?;
        self.fallback_state.save(sink)?;
        self.untouched_state.iter().try_for_each(|state| state.save(sink))?;
        self.baton.save(sink)
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        self.runner.load(origin)?;
        self.untouched.load(origin)?;
        self.learned_state.load(origin)?;
        self.fallback_state.load(origin)?;
        self.untouched_state.iter_mut().try_for_each(|state| state.load(origin))?;
        self.baton.load(origin)
    }
}

impl<P, L, F, const SPARE: usize> RelayMemory<P, L, F, SPARE> {
    /// Whether the fallback has taken over.
    pub const fn is_handed_over(&self) -> bool {
        self.baton.handed
    }

    /// The learned rule's state, to be disturbed.
    #[cfg(feature = "fault")]
    pub const fn learned_state_mut(&mut self) -> &mut L {
        &mut self.learned_state
    }
}

/// The memory of a guard over parameters of type P.
type MemoryOf<L, F, P, const SPARE: usize> = <RelayGuard<L, F, SPARE> as Guard>::Memory<P>;

impl<L: Rule, F: Rule, const SPARE: usize> Guard for RelayGuard<L, F, SPARE> {
    type Memory<P: Tensors> = RelayMemory<P, L::State<P>, F::State<P>, SPARE>;

    fn memory<P: Tensors>(&self, like: &P) -> Self::Memory<P> {
        RelayMemory {
            kept: blank(like),
            runner: blank(like),
            untouched: blank(like),
            gradient: blank(like),
            learned_state: self.learned.state(like),
            fallback_state: self.fallback.state(like),
            untouched_state: core::array::from_fn(|_| self.fallback.state(like)),
            baton: Baton::ZERO,
        }
    }

    fn params<P: Tensors>(memory: &Self::Memory<P>) -> &P {
        &memory.kept
    }

    fn params_mut<P: Tensors>(memory: &mut Self::Memory<P>) -> &mut P {
        &mut memory.kept
    }

    /// Part of a window, or the rest of it and a check.
    ///
    /// # Errors
    /// Whatever is wrong with settings, source or batches; [`Error::NonFiniteGradient`] for a training batch and
    /// [`Error::NonFiniteLoss`] for a check batch that has no finite one at the accepted parameters. These are then as
    /// they were; the steps before that batch are not lost, and the next round goes on with the next batch.
    fn round<O: Objective>(
        &self,
        memory: &mut Self::Memory<O::Params>,
        oracle: &mut Oracle<'_, O>,
        source: &mut impl Source<O>,
    ) -> Result<Verdict, Error> {
        self.check_settings()?;
        source.begin_round();
        memory.baton.open(&self.schedule, source.left());
        let train_loss = self.run(memory, oracle, source)?;
        let mut verdict = Verdict {
            winner: Winner::Neither,
            steps: 0,
            accepted: 0,
            train_loss: train_loss.unwrap_or(f32::INFINITY),
            fallback_loss: None,
            learned_loss: None,
            kept_loss: None,
            standard_error: 0.0,
            spent: oracle.spent(),
        };
        if memory.baton.is_over() {
            self.judge(memory, &mut verdict, oracle, source)?;
            verdict.spent = oracle.spent();
            // A round that takes up a check which an earlier one could not make has no training batch.
            verdict.train_loss = train_loss.or(verdict.kept_loss).unwrap_or(f32::INFINITY);
        }
        Ok(verdict)
    }
}
