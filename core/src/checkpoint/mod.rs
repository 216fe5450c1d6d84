//! Checkpoints: everything that a run needs to go on, bit for bit, after a reset.
//!
//! ```text
//! offset 0   "L2OR"
//!        4   version, 1
//!        5   bytes at the end of the state that are a standardizer's, 24 bits; 0 for none, and where they do not fit
//!        8   fingerprint of the objective, u32
//!       12   fingerprint of the optimizer: guard, rules, settings, learned weights, u32
//!       16   fingerprint of the source of minibatches, u32
//!       20   length n of the state, u32
//!       24   CRC-32 of all bytes before it, u32
//!       28   the state, n bytes
//!   28 + n   CRC-32 of the state, u32
//!
//! state: accepted parameters | rule states, bound, pace and count of rounds of the guard | progress | position of the source
//! ```
//!
//! All numbers are little-endian, those of a tensor in its order; a CRC-32 is that of IEEE 802.3. What every round
//! writes before it reads is not in it: gradient, candidates, activations, the copies of *rewind* and *follow*. So a
//! checkpoint is at most as long as [`Memory`](crate::Memory) and the source's position, and 32 bytes.
//!
//! Saving streams the memory out, loading streams it in; neither needs a second copy. Loading reads everything through
//! before it touches the memory, so that it is all or nothing: a checkpoint that is damaged, cut off, of another version
//! or of something else is refused with a [`CheckpointError`] that says what is wrong, and the memory is as it was. A
//! program that has a new optimizer, or new data, can still [load the parameters](crate::Trainer::load_params).
//!
//! The accepted parameters come first for every guard, and the standardizer of a
//! [`Standardized`](crate::standardize::Standardized) source comes last, so a [`Model`](crate::Model) finds both without memory
//! for a trainer.
//!
//! ```
//! use lgl2o::batch::Exact;
//! use lgl2o::checkpoint::Buffer;
//! use lgl2o::guard::LossGuard;
//! use lgl2o::objective::Quadratic;
//! use lgl2o::{Memory, Trainer, learned, rule::Momentum};
//!
//! let bowl = Quadratic::new([1.0, 10.0], [3.0, -1.0])?;
//! let guard = LossGuard::new(learned::ngn(), Momentum::new(0.05));
//! let mut memory = Memory::new();
//! let mut trainer = Trainer::new(&bowl, &guard, &mut memory);
//! trainer.round(&mut Exact)?;
//! let mut bytes = [0; 512];
//! let mut buffer = Buffer::new(&mut bytes);
//! trainer.save(&Exact, &mut buffer).expect("512 bytes are enough");
//!
//! // Later, after a reset:
//! let mut memory = Memory::new();
//! let mut resumed = Trainer::new(&bowl, &guard, &mut memory);
//! resumed.load(&mut Exact, &mut buffer.written())?;
//! assert_eq!(resumed.progress(), trainer.progress());
//! trainer.round(&mut Exact)?;
//! resumed.round(&mut Exact)?;
//! assert_eq!(resumed.params(), trainer.params());
//! # Ok::<(), lgl2o::Error>(())
//! ```
//!
//! On a device, `slots` keeps the two latest checkpoints in flash (feature `nor-flash`).

pub mod error;
pub mod fingerprint;
pub mod format;
mod model;
pub mod persist;
#[cfg(feature = "nor-flash")]
pub mod slots;

pub use error::CheckpointError;
pub use fingerprint::{Digest, Fingerprint};
pub use format::{Buffer, Store};
pub use persist::{CHUNK, Origin, Persist, Sink};
#[cfg(feature = "nor-flash")]
pub use slots::{Resumed, SlotError, SlotState, Slots};

use crate::guard::Guard;
use crate::objective::Objective;
use crate::trainer::Trainer;
use format::{HEADER, Header, Marks, Reader, Summing, TRAILER};

impl<O, G> Trainer<'_, O, G>
where
    O: Objective + Fingerprint,
    G: Guard + Fingerprint,
    G::Memory<O::Params>: Persist,
{
    /// How long a checkpoint of this run is, in bytes: always the same.
    pub fn checkpoint_len<S: Persist>(&self, source: &S) -> usize {
        HEADER + self.state_len(source) + TRAILER
    }

    /// Writes a checkpoint. To be called between rounds.
    ///
    /// # Errors
    /// What the sink says.
    pub fn save<S, W>(&self, source: &S, sink: &mut W) -> Result<(), W::Error>
    where
        S: Persist + Fingerprint,
        W: Sink,
    {
        let mut sink = Summing::new(sink);
        let (length, standardizer) = (self.state_len(source) as u32, source.standardizer_len() as u32);
        Header { marks: self.marks(source), length, standardizer }.write(&mut sink)?;
        self.memory.save(&mut sink)?;
        source.save(&mut sink)?;
        sink.close()
    }

    /// Takes a checkpoint in: the run goes on from where it was saved.
    ///
    /// # Errors
    /// Whatever is wrong with the checkpoint; memory and source are then as they were, but for
    /// [`CheckpointError::Interrupted`].
    pub fn load<S, R>(&mut self, source: &mut S, store: &mut R) -> Result<(), CheckpointError>
    where
        S: Persist + Fingerprint,
        R: Store,
    {
        self.check(source, store)?;
        let mut reader = Reader::new(store);
        let mut take_in = || {
            reader.header()?;
            self.memory.load(&mut reader)?;
            source.load(&mut reader)?;
            reader.close()
        };
        take_in().map_err(|_: CheckpointError| CheckpointError::Interrupted)
    }

    /// Takes the parameters of a checkpoint in and nothing else, for a run with another optimizer or other data.
    ///
    /// # Errors
    /// Whatever is wrong with the checkpoint, but that it has the same objective is enough.
    pub fn load_params<R: Store>(&mut self, store: &mut R) -> Result<(), CheckpointError> {
        let Header { marks, length, .. } = format::verify(store)?;
        if marks.objective != self.objective.fingerprint() {
            return Err(CheckpointError::OtherObjective);
        }
        let params = self.memory.params_mut();
        let (expected, found) = (format::length(params), length as usize);
        if found < expected {
            return Err(CheckpointError::Length { expected, found });
        }
        let mut reader = Reader::new(store);
        let mut take_in = || {
            reader.header()?;
            params.load(&mut reader)?;
            reader.skip(found - expected)?;
            reader.close()
        };
        take_in().map_err(|_: CheckpointError| CheckpointError::Interrupted)
    }

    /// Sees whether a checkpoint is whole and belongs to this run, without taking it in.
    ///
    /// # Errors
    /// Whatever is wrong with it.
    pub fn check<S, R>(&self, source: &S, store: &mut R) -> Result<(), CheckpointError>
    where
        S: Persist + Fingerprint,
        R: Store,
    {
        let Header { marks, length, .. } = format::verify(store)?;
        let ours = self.marks(source);
        if marks.objective != ours.objective {
            return Err(CheckpointError::OtherObjective);
        }
        if marks.optimizer != ours.optimizer {
            return Err(CheckpointError::OtherOptimizer);
        }
        if marks.source != ours.source {
            return Err(CheckpointError::OtherSource);
        }
        let (expected, found) = (self.state_len(source), length as usize);
        if expected == found { Ok(()) } else { Err(CheckpointError::Length { expected, found }) }
    }

    fn state_len<S: Persist>(&self, source: &S) -> usize {
        format::length(&*self.memory) + format::length(source)
    }

    fn marks<S: Fingerprint>(&self, source: &S) -> Marks {
        let mut optimizer = Digest::new();
        // The other functions give other bits.
        optimizer.word(u32::from(cfg!(feature = "micromath")));
        self.guard.describe(&mut optimizer);
        Marks { objective: self.objective.fingerprint(), optimizer: optimizer.finish(), source: source.fingerprint() }
    }
}
