//! The run: what is asked, in which order, and what is told.

use lgl2o::trainer::{self, Trainer};
use lgl2o::{AutoLean, Objective, Rng};

use super::{Exchange, Feed, Held, Optimizee, optimizee};
use crate::message::{Answer, Ask, Order};
use crate::record::{RoundRecord, Trace, guard};

/// The optimizee's parameters.
pub type Params = <Optimizee as Objective>::Params;

/// All memory of a run, zero at the beginning.
pub struct Memory {
    training: trainer::Memory<Optimizee, AutoLean>,
    held: Held,
}

impl Memory {
    /// Memory for a `static`.
    #[must_use]
    pub const fn new() -> Self {
        Self { training: trainer::Memory::new(), held: Held::EMPTY }
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

/// A run under way.
pub struct Learner<'a> {
    memory: &'a mut Memory,
    optimizee: Optimizee,
    guard: AutoLean,
    order: Order,
    trace: Trace,
    /// What went wrong in the last round, if anything.
    error: Option<lgl2o::Error>,
}

impl<'a> Learner<'a> {
    /// Asks what is to be learned, and draws the initial parameters, which `nudge` may change. The memory is one that no
    /// run has used.
    ///
    /// # Errors
    /// What the exchange says.
    pub fn start<X: Exchange>(
        memory: &'a mut Memory,
        exchange: &mut X,
        nudge: impl FnOnce(&mut Params),
    ) -> Result<Self, X::Error> {
        let order = loop {
            if let Answer::Start(order) = exchange.ask(&Ask::Start)? {
                break order;
            }
        };
        let optimizee = optimizee();
        optimizee.initialize(memory.training.params_mut(), &mut Rng::stream(u64::from(order.seed), 0));
        nudge(memory.training.params_mut());
        Ok(Self { memory, optimizee, guard: guard(), order, trace: Trace::EMPTY, error: None })
    }

    /// One round, and its record told. `None` when the run is over: after the steps that were ordered, or after a round
    /// that could not be carried out, as [`error`](Self::error) then says.
    ///
    /// # Errors
    /// What the exchange says; the accepted parameters are as they were.
    pub fn round<X: Exchange>(&mut self, exchange: &mut X) -> Result<Option<RoundRecord>, X::Error> {
        let left = self.order.steps.saturating_sub(self.steps());
        if self.error.is_some() || left == 0 {
            return Ok(None);
        }
        let Memory { training, held } = &mut *self.memory;
        let mut feed = Feed::new(exchange, held, left);
        let outcome = Trainer::new(&self.optimizee, &self.guard, training).round(&mut feed);
        if let Some(failure) = feed.failure {
            return Err(failure);
        }
        match outcome {
            Ok(verdict) => {
                // All parameters too: the losses do not see the weights of pixels that are always black.
                self.trace.add_tensors(training.params());
                let record = RoundRecord::new(training.progress().rounds, &verdict, &mut self.trace);
                exchange.ask(&Ask::Round(record))?;
                Ok(Some(record))
            }
            Err(error) => {
                self.error = Some(error);
                Ok(None)
            }
        }
    }

    /// Mean loss on the check batches that are held; NaN if there are none.
    pub fn check_loss(&mut self) -> f32 {
        let Memory { training, held } = &mut *self.memory;
        let mut trainer = Trainer::new(&self.optimizee, &self.guard, training);
        let filled = held.filled();
        let mut sum = 0.0;
        for age in 0..filled {
            sum += trainer.loss(held.check_batch(age)).unwrap_or(f32::NAN);
        }
        sum / filled as f32
    }

    /// Tells that the run is over.
    ///
    /// # Errors
    /// What the exchange says.
    pub fn finish<X: Exchange>(&self, exchange: &mut X) -> Result<(), X::Error> {
        exchange.ask(&self.last_word())?;
        Ok(())
    }

    /// What there is to say when the run is over.
    #[must_use]
    pub fn last_word(&self) -> Ask {
        Ask::Done {
            rounds: self.progress().rounds,
            steps: self.steps(),
            params: Trace::of_tensors(self.params()),
            well: self.error.is_none(),
        }
    }

    /// Training steps done.
    #[must_use]
    pub fn steps(&self) -> u32 {
        u32::try_from(self.progress().steps).unwrap_or(u32::MAX)
    }

    /// The accepted parameters.
    #[must_use]
    pub fn params(&self) -> &Params {
        self.memory.training.params()
    }

    /// What the run has come to so far.
    #[must_use]
    pub const fn progress(&self) -> &trainer::Progress {
        self.memory.training.progress()
    }

    /// Why the run ended before its time, if it did.
    #[must_use]
    pub const fn error(&self) -> Option<lgl2o::Error> {
        self.error
    }
}
