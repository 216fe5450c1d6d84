//! A run as a checkpoint: [`Trainer`] writes itself and reads itself back.

use super::format::{self, HEADER, Header, Marks, Reader, Store, Summing, TRAILER};
use crate::error::CheckpointError;
use crate::guard::Guard;
use crate::objective::Objective;
use crate::persist::{self, Digest, Fingerprint, Persist, Sink};
use crate::trainer::Trainer;

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

    /// Loads a checkpoint: the run goes on where it was saved.
    ///
    /// # Errors
    /// Whatever is wrong with the checkpoint; memory and source are then as they were, except for
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

    /// Loads the parameters of a checkpoint and nothing else, for a run with another optimizer or other data.
    ///
    /// # Errors
    /// Whatever is wrong with the checkpoint. It must have the same objective; optimizer and source may differ.
    pub fn load_params<R: Store>(&mut self, store: &mut R) -> Result<(), CheckpointError> {
        let Header { marks, length, .. } = format::verify(store)?;
        if marks.objective != self.objective.fingerprint() {
            return Err(CheckpointError::OtherObjective);
        }
        let params = self.memory.params_mut();
        let (expected, found) = (persist::length(params), length as usize);
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

    /// Verifies that a checkpoint is valid and belongs to this run, without loading it.
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
        persist::length(&*self.memory) + persist::length(source)
    }

    fn marks<S: Fingerprint>(&self, source: &S) -> Marks {
        let mut optimizer = Digest::new();
        // The other functions return other bits.
        optimizer.word(u32::from(cfg!(feature = "micromath")));
        self.guard.describe(&mut optimizer);
        Marks { objective: self.objective.fingerprint(), optimizer: optimizer.finish(), source: source.fingerprint() }
    }
}
