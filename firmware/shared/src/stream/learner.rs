//! The run: what is asked, in which order, and what is told.

use lgl2o::Rng;
use lgl2o::tensors::Tensors;
use lgl2o::trainer::{self, Trainer};

use super::{Exchange, Feed, Guard, Held, Optimizee, guard, optimizee};
use crate::message::{Answer, Ask, Order};
use crate::record::{RoundRecord, Trace};

/// All memory of a run, zero at the beginning.
pub struct Memory {
    training: trainer::Memory<Optimizee, Guard>,
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
    guard: Guard,
    order: Order,
    trace: Trace,
    /// What went wrong in the last round, if anything.
    error: Option<lgl2o::Error>,
}

impl<'a> Learner<'a> {
    /// Asks what is to be learned, and draws the initial parameters. The memory is one that no run has used.
    ///
    /// # Errors
    /// What the exchange says.
    pub fn start<X: Exchange>(memory: &'a mut Memory, exchange: &mut X) -> Result<Self, X::Error> {
        let order = loop {
            if let Answer::Start(order) = exchange.ask(&Ask::Start)? {
                break order;
            }
        };
        let optimizee = optimizee();
        optimizee.initialize(memory.training.params_mut(), &mut Rng::stream(u64::from(order.seed), 0));
        Ok(Self { memory, optimizee, guard: guard(), order, trace: Trace::EMPTY, error: None })
    }

    /// One round, and its record told. `None` when the run is over, which is told too.
    ///
    /// # Errors
    /// What the exchange says; the accepted parameters are as they were.
    pub fn round<X: Exchange>(&mut self, exchange: &mut X) -> Result<Option<RoundRecord>, X::Error> {
        if self.error.is_some() || self.memory.training.progress().steps >= u64::from(self.order.steps) {
            self.finish(exchange)?;
            return Ok(None);
        }
        let Memory { training, held } = &mut *self.memory;
        let mut feed = Feed::new(exchange, held);
        let outcome = Trainer::new(&self.optimizee, &self.guard, training).round(&mut feed);
        if let Some(failure) = feed.failure {
            return Err(failure);
        }
        match outcome {
            Ok(verdict) => {
                let record = RoundRecord::new(training.progress().rounds, &verdict, &mut self.trace);
                exchange.ask(&Ask::Round(record))?;
                Ok(Some(record))
            }
            Err(error) => {
                self.error = Some(error);
                self.finish(exchange)?;
                Ok(None)
            }
        }
    }

    fn finish<X: Exchange>(&self, exchange: &mut X) -> Result<(), X::Error> {
        let progress = self.progress();
        let params = Trace::of_tensors(self.params());
        let steps = u32::try_from(progress.steps).unwrap_or(u32::MAX);
        exchange.ask(&Ask::Done { rounds: progress.rounds, steps, params, well: self.error.is_none() })?;
        Ok(())
    }

    /// The accepted parameters.
    #[must_use]
    pub fn params(&self) -> &impl Tensors {
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
