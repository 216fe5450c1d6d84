//! The program `spirals` of the boards, made in slices: the same network, data, guard and order of operations, and so the same
//! bits.

use lgl2o::objective::Mlp;
use lgl2o::{AutoLean, Error, Memory, Trainer};
use lgl2o_device::record::{RoundRecord, Trace};
use lgl2o_device::spirals::{Demo as _, Large, Outcome, RunMemory, Spirals, begin, finish};

/// A run of the program with the network of all boards that have the RAM for it; its memory is the caller's.
pub struct Program {
    setup: Option<(Mlp<Large>, AutoLean, Spirals)>,
    trace: Trace,
    outcome: Option<Outcome>,
}

impl Default for Program {
    fn default() -> Self {
        Self::new()
    }
}

impl Program {
    /// Not begun yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { setup: None, trace: Trace::EMPTY, outcome: None }
    }

    /// The hash of all rounds so far.
    #[must_use]
    pub const fn trace(&self) -> u64 {
        self.trace.value()
    }

    /// What the run has come to, once it has ended.
    #[must_use]
    pub const fn outcome(&self) -> Option<Outcome> {
        self.outcome
    }
}

impl Program {
    /// Begins.
    pub fn start(&mut self, memory: &mut RunMemory<Large>) {
        *memory = Memory::new();
        (self.trace, self.outcome) = (Trace::EMPTY, None);
        self.setup = Some(begin::<Large>(memory, |_| {}));
    }

    /// Makes so many rounds more, or as many as there are left; whether the run has ended.
    ///
    /// # Errors
    /// What [`Trainer::round`] says.
    pub fn advance(&mut self, memory: &mut RunMemory<Large>, rounds: u32) -> Result<bool, Error> {
        let Some((net, guard, source)) = &mut self.setup else { return Ok(true) };
        let mut trainer = Trainer::new(net, guard, memory);
        for _ in 0..rounds {
            if trainer.progress().steps >= Large::STEPS {
                self.outcome = Some(finish(&mut trainer, source)?);
                self.setup = None;
                return Ok(true);
            }
            let verdict = trainer.round(source)?;
            // What is made of the verdict goes into the trace; there is nobody to send it to.
            let _ = RoundRecord::new(trainer.progress().rounds, &verdict, &mut self.trace);
        }
        Ok(false)
    }
}
