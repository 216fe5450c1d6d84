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
//! race tells bad from not bad, never better from worse, so the fallback has a handicap in it. A short check of two sides
//! rejects good ones, so there is none. Early in a run a learned rule is better, late a fallback that begins afresh, so
//! even a good learned side hands over. It does not run again. When it should hand over depends on the task: where
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
//! **Lean.** The [lean](RelayGuard::lean) form has no run b, and so neither a race nor a suspicion:
//!
//! ```text
//! start      the fallback makes n_0 / 3 steps from w_0. S <- x if x is below S; x <- S.
//! trial      the learned side makes steps up to n_0. S <- x if x is below S. It is out if x is worse than S by 2 standard errors.
//! ```
//!
//! The rest is the same. Where the learned side is out, its steps count; what is accepted is what the fallback's steps led to.
//!
//! **Memory**, in numbers for P parameters, where the learned rule has a slots of state and the fallback b: (3 + a + b) P, and (1 + b) P
//! for the run b, which the lean form does not have. max(a, b) stands for a + b where both states [share](Shared) one memory, as
//! they do in [`Auto`](crate::Auto).
//!
//! **Checks.** A comparison draws check batches until the difference is clear (worse by 2 standard errors, or better by
//! 1), but at least two and at most n_c, or one for 16 steps of the window where that is more: late in a run a step gains
//! less than a few examples can show, and a long window pays for more of them.
//!
//! **Cost** of the default beside the gradients of one side: n_0 / 3 gradients for the race, and at each of the
//! windows' ends, which are fewer than 3 + ln(t / 13) / ln(4 / 3), the check batches at two or three points.

mod baton;
mod judge;
pub mod layout;
mod run;
mod settings;
mod shrink;

pub use layout::{Layout, Separate, Shared};
pub use settings::RelayGuard;

use baton::{Baton, Leg};
use layout::States;

use super::{Guard, Verdict, Winner, blank};
use crate::error::Error;
use crate::objective::Objective;
use crate::oracle::Oracle;
use crate::persist::{Origin, Persist, Sink, length};
use crate::rule::Rule;
use crate::source::Source;
use crate::tensors::{Tensors, Zeroed};

/// The accepted parameters, the running point, a gradient, and the state of the side that runs; unless the guard is lean, the fallback's own
/// run.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct RelayMemory<P, S, F, const SPARE: usize> {
    kept: P,
    runner: P,
    gradient: P,
    states: S,
    own: [OwnRun<P, F>; SPARE],
    baton: Baton,
}

/// A run of the fallback that the learned side never touches: its point and its state.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
struct OwnRun<P, F> {
    point: P,
    state: F,
}

impl<P: Zeroed, F: Zeroed> Zeroed for OwnRun<P, F> {
    const ZERO: Self = Self { point: P::ZERO, state: F::ZERO };
}

impl<P: Persist, F: Persist> Persist for OwnRun<P, F> {
    crate::persist_fields!(point, state);
}

impl<P: Zeroed, S: Zeroed, F: Zeroed, const SPARE: usize> Zeroed for RelayMemory<P, S, F, SPARE> {
    const ZERO: Self = Self {
        kept: P::ZERO,
        runner: P::ZERO,
        gradient: P::ZERO,
        states: S::ZERO,
        own: [const { OwnRun::ZERO }; SPARE],
        baton: Baton::ZERO,
    };
}

/// Where the relay is, both runs, and the state of the side that runs, with zeros up to the length of the longer one; the gradient is
/// computed again in each step.
impl<P: Tensors, S: States<Learned: Persist, Fallback: Persist>, F: Persist, const SPARE: usize> Persist
    for RelayMemory<P, S, F, SPARE>
{
    fn save<I: Sink>(&self, sink: &mut I) -> Result<(), I::Error> {
        self.baton.save(sink)?;
        self.runner.save(sink)?;
        self.own.iter().try_for_each(|own| own.save(sink))?;
        match self.leg().is_learned() {
            true => self.states.learned().save(sink)?,
            false => self.states.fallback().save(sink)?,
        }
        (0..self.rest()).try_for_each(|_| sink.put(&[0]))
    }
    fn load<O: Origin>(&mut self, origin: &mut O) -> Result<(), O::Error> {
        self.baton.load(origin)?;
        self.runner.load(origin)?;
        self.own.iter_mut().try_for_each(|own| own.load(origin))?;
        match self.leg().is_learned() {
            true => self.states.learned_mut().load(origin)?,
            false => self.states.fallback_mut().load(origin)?,
        }
        (0..self.rest()).try_for_each(|_| origin.take(&mut [0]))
    }
}

impl<P, S: States<Learned: Persist, Fallback: Persist>, F, const SPARE: usize> RelayMemory<P, S, F, SPARE> {
    /// By how many bytes the state of the other side is longer.
    fn rest(&self) -> usize {
        let [learned, fallback] = [length(self.states.learned()), length(self.states.fallback())];
        let (running, other) = if self.leg().is_learned() { (learned, fallback) } else { (fallback, learned) };
        other.saturating_sub(running)
    }
}

impl<P, S, F, const SPARE: usize> RelayMemory<P, S, F, SPARE> {
    /// Whether the fallback has taken over.
    pub const fn is_handed_over(&self) -> bool {
        self.baton.handed
    }

    /// Which part of the relay the next round belongs to.
    const fn leg(&self) -> Leg {
        self.baton.leg(SPARE == 0)
    }
}

impl<P, S: States, F, const SPARE: usize> RelayMemory<P, S, F, SPARE> {
    /// The learned rule's state, to be disturbed; the running fallback's after the hand-over, where both share their memory.
    #[cfg(feature = "fault")]
    pub fn learned_state_mut(&mut self) -> &mut S::Learned {
        self.states.learned_mut()
    }
}

/// The memory of a guard over parameters of type P.
type MemoryOf<L, F, P, const SPARE: usize, Y> = <RelayGuard<L, F, SPARE, Y> as Guard>::Memory<P>;

impl<L: Rule, F: Rule, const SPARE: usize, Y: Layout<L, F>> Guard for RelayGuard<L, F, SPARE, Y> {
    type Memory<P: Tensors> = RelayMemory<P, Y::States<P>, F::State<P>, SPARE>;

    fn memory<P: Tensors>(&self, like: &P) -> Self::Memory<P> {
        RelayMemory {
            kept: blank(like),
            runner: blank(like),
            gradient: blank(like),
            states: Y::states(&self.learned, &self.fallback, like),
            own: core::array::from_fn(|_| OwnRun { point: blank(like), state: self.fallback.state(like) }),
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
        memory.baton.open(memory.leg(), &self.schedule, source.left());
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
