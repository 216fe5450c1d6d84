//! The trainer: one objective, one guard, one value of memory, round after round.
//!
//! All training memory is one [`Memory`]. Its size is the sum of what its parts document, all known at compile time:
//! the objective's scratch, two batches of losses, and the guard's memory, in which the parameters are, such as
//! (4 + learned slots + fallback slots) P numbers for a [`LossGuard`](crate::guard::LossGuard) that keeps states.

use crate::error::Error;
use crate::guard::{Guard, Verdict, Winner};
use crate::objective::{Blank, Objective};
use crate::oracle::{Cost, Oracle};
use crate::persist::{Origin, Persist, Sink};
use crate::source::Source;
use crate::tensors::Zeroed;

/// Progress of a run: rounds, steps, last losses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
pub struct Progress {
    /// Rounds done.
    pub rounds: u32,
    /// Training steps done, whether their result was kept or not. A schedule counts these.
    pub steps: u64,
    /// Steps that the accepted parameters have made: those of the candidates that were kept.
    pub accepted: u64,
    /// Rounds that the learned side won.
    pub learned: u32,
    /// Rounds without a winner, or that ended before any candidate was judged.
    pub neither: u32,
    /// Gradients and forward passes spent, in examples.
    pub spent: Cost,
}

impl Zeroed for Progress {
    const ZERO: Self = Self { rounds: 0, steps: 0, accepted: 0, learned: 0, neither: 0, spent: Cost::ZERO };
}

impl Persist for Progress {
    crate::persist_fields!(rounds, steps, accepted, learned, neither, spent);
}

impl Progress {
    /// Share of the rounds that the learned side won; 0 before the first round.
    #[must_use]
    pub fn learned_share(&self) -> f32 {
        if self.rounds == 0 { 0.0 } else { self.learned as f32 / self.rounds as f32 }
    }

    fn count(&mut self, verdict: &Verdict) {
        self.rounds = self.rounds.saturating_add(1);
        self.steps = self.steps.saturating_add(verdict.steps.into());
        self.accepted = self.accepted.saturating_add(verdict.accepted.into());
        match verdict.winner {
            Winner::Fallback => {}
            Winner::Learned => self.learned = self.learned.saturating_add(1),
            Winner::Neither => self.neither = self.neither.saturating_add(1),
        }
    }
}

/// All memory of a training run.
///
/// On a device it belongs in a `static`, where [`Memory::new`] costs neither flash nor stack: every bit of it is zero.
#[cfg_attr(feature = "alloc", derive(bytemuck::Zeroable))]
#[cfg_attr(
    feature = "alloc",
    zeroable(
        bound = "O::Scratch: bytemuck::Zeroable, O::Losses: bytemuck::Zeroable, G::Memory<O::Params>: bytemuck::Zeroable"
    )
)]
pub struct Memory<O: Objective, G: Guard> {
    scratch: O::Scratch,
    losses: [O::Losses; 2],
    guard: G::Memory<O::Params>,
    progress: Progress,
}

impl<O: Objective, G: Guard> Memory<O, G>
where
    O::Params: Zeroed,
    O::Scratch: Zeroed,
    O::Losses: Zeroed,
    G::Memory<O::Params>: Zeroed,
{
    /// Memory whose sizes are types, all zero.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            scratch: Zeroed::ZERO,
            losses: [Zeroed::ZERO, Zeroed::ZERO],
            guard: Zeroed::ZERO,
            progress: Zeroed::ZERO,
        }
    }
}

#[cfg(feature = "alloc")]
impl<O: Objective, G: Guard> Memory<O, G>
where
    O::Scratch: bytemuck::Zeroable,
    O::Losses: bytemuck::Zeroable,
    G::Memory<O::Params>: bytemuck::Zeroable,
{
    /// [`new`](Self::new) on the heap, which is asked for zeroed memory: nothing passes over the stack, however large the network
    /// is. `Box::new(Memory::new())` may need as much stack as the memory is long.
    ///
    /// Every guard has it but the [`ResidualGuard`](crate::guard::ResidualGuard), whose memory belongs in a `static`.
    ///
    /// ```
    /// use lgl2o::objective::mlp::{Dense, Fixed, Mlp, Relu};
    /// use lgl2o::{Auto, Memory, chain};
    ///
    /// type Net = Mlp<Fixed<chain![Dense<1024, 256, Relu>, Dense<256, 10>], 16>>;
    /// let memory = Memory::<Net, Auto>::boxed(); // 14 MB
    /// assert_eq!(memory.progress().rounds, 0);
    /// ```
    #[must_use]
    pub fn boxed() -> alloc::boxed::Box<Self> {
        bytemuck::zeroed_box()
    }
}

impl<O: Objective, G: Guard> Default for Memory<O, G>
where
    O::Params: Zeroed,
    O::Scratch: Zeroed,
    O::Losses: Zeroed,
    G::Memory<O::Params>: Zeroed,
{
    fn default() -> Self {
        Self::new()
    }
}

impl<O: Blank, G: Guard> Memory<O, G> {
    /// Memory for an objective whose sizes are known at run time only, all zero.
    pub fn blank(objective: &O, guard: &G) -> Self {
        Self {
            guard: guard.memory(&objective.blank_params()),
            scratch: objective.blank_scratch(),
            losses: [objective.blank_losses(), objective.blank_losses()],
            progress: Zeroed::ZERO,
        }
    }
}

impl<O: Objective, G: Guard> Memory<O, G> {
    /// The accepted parameters.
    pub fn params(&self) -> &O::Params {
        G::params(&self.guard)
    }

    /// The accepted parameters, to initialise or load.
    pub fn params_mut(&mut self) -> &mut O::Params {
        G::params_mut(&mut self.guard)
    }

    /// Progress of the run so far.
    pub const fn progress(&self) -> &Progress {
        &self.progress
    }

    /// The guard's memory, for tests that disturb it.
    #[cfg(feature = "fault")]
    pub const fn guard_mut(&mut self) -> &mut G::Memory<O::Params> {
        &mut self.guard
    }

    /// The guard's memory, to read what a guard shows of it.
    pub const fn guard(&self) -> &G::Memory<O::Params> {
        &self.guard
    }
}

/// What a checkpoint keeps: parameters, what the guard remembers, and progress.
impl<O: Objective, G: Guard> Persist for Memory<O, G>
where
    G::Memory<O::Params>: Persist,
{
    fn save<S: Sink>(&self, sink: &mut S) -> Result<(), S::Error> {
        self.params().save(sink)?;
        self.guard.save(sink)?;
        self.progress.save(sink)
    }

    fn load<F: Origin>(&mut self, origin: &mut F) -> Result<(), F::Error> {
        self.params_mut().load(origin)?;
        self.guard.load(origin)?;
        self.progress.load(origin)
    }
}

/// A training run: objective and guard are borrowed configuration, memory is the caller's.
pub struct Trainer<'a, O: Objective, G: Guard> {
    pub(crate) objective: &'a O,
    pub(crate) guard: &'a G,
    pub(crate) memory: &'a mut Memory<O, G>,
}

impl<'a, O: Objective, G: Guard> Trainer<'a, O, G> {
    /// A run that goes on from what is in the memory.
    pub const fn new(objective: &'a O, guard: &'a G, memory: &'a mut Memory<O, G>) -> Self {
        Self { objective, guard, memory }
    }

    /// One round: propose, judge, commit.
    ///
    /// # Errors
    /// What [`Guard::round`] says; the parameters are then as they were.
    pub fn round(&mut self, source: &mut impl Source<O>) -> Result<Verdict, Error> {
        let Memory { scratch, losses, guard, progress } = &mut *self.memory;
        let mut oracle = Oracle::new(self.objective, scratch, losses);
        let verdict = self.guard.round(guard, &mut oracle, source);
        // What was spent counts, even if the round failed.
        progress.spent.add(oracle.spent());
        let verdict = verdict?;
        progress.count(&verdict);
        Ok(verdict)
    }

    /// The accepted parameters.
    pub fn params(&self) -> &O::Params {
        self.memory.params()
    }

    /// Progress of the run so far.
    pub const fn progress(&self) -> &Progress {
        self.memory.progress()
    }

    /// Mean loss of the accepted parameters on a batch; not counted as spent.
    ///
    /// # Errors
    /// Whatever is wrong with the batch.
    pub fn loss(&mut self, batch: O::Batch<'_>) -> Result<f32, Error> {
        let Memory { scratch, losses, guard, .. } = &mut *self.memory;
        Oracle::new(self.objective, scratch, losses).loss(G::params(guard), batch)
    }
}
