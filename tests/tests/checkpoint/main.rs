//! Nothing is lost: checkpoints, and two slots of flash.
//!
//! - `resume`: a run that is saved and taken up again has the bits of one that was not interrupted.
//! - `refusal`: what is damaged, cut off, of another version or of another run is refused, and changes nothing.
//! - `fingerprints`: what a resumed run depends on is told apart.
//! - `power`: the power is cut at every byte of an erasure and a write; one checkpoint is left, old or new.
//! - `awaited`: an asynchronous flash holds the same bytes, wherever the power is cut.
//! - `device`: the demonstration `resume`, and how it ends when the power goes again and again.
//! - `slots`: which slot is written, which is loaded, what is said of both, and which flashes do.

mod awaited;
mod device;
mod fingerprints;
mod power;
mod refusal;
#[cfg(feature = "host")]
mod resume;
mod slots;

use lgl2o::checkpoint::{CheckpointError, Fingerprint, Persist, Sink};
use lgl2o::guard::LossGuard;
use lgl2o::learned::{self, LearnedNgn};
use lgl2o::objective::Objective;
use lgl2o::rule::{Averaged, Momentum};
use lgl2o::source::Sampler;
use lgl2o::{Guard, Memory, Rule as _, Trainer};
use lgl2o_tests::strategy::is_all;
use lgl2o_tests::task::{BATCH, Data, SmallMlp, small_mlp, start};

/// Bytes on the heap.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Sink for Bytes {
    type Error = core::convert::Infallible;
    fn put(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
}

/// The checkpoint of a run, as bytes.
fn saved<O, G, S>(trainer: &Trainer<'_, O, G>, source: &S) -> Vec<u8>
where
    O: Objective + Fingerprint,
    G: Guard + Fingerprint,
    G::Memory<O::Params>: Persist,
    S: Persist + Fingerprint,
{
    let mut bytes = Bytes::default();
    let Ok(()) = trainer.save(source, &mut bytes);
    assert_eq!(bytes.0.len(), trainer.checkpoint_len(source));
    bytes.0
}

type SmallGuard = LossGuard<Averaged<&'static LearnedNgn>, Averaged<Momentum>>;

/// The guard with this rate of the fallback.
fn small_guard(rate: f32) -> SmallGuard {
    LossGuard::paper(learned::ngn().averaged(), Momentum::new(rate).averaged()).batches(2, 1)
}

/// After which bytes the power is cut, of so many: after each, or, without `LGL2O_DRAWS=all`, after every seventh, which
/// is at each place of a word once in a while.
fn cuts(bytes: usize) -> impl Iterator<Item = usize> {
    (0..bytes).step_by(if is_all() { 1 } else { 7 })
}

/// So many rounds.
fn train(trainer: &mut Trainer<'_, SmallMlp, SmallGuard>, source: &mut Sampler<'_>, rounds: u32) {
    for _ in 0..rounds {
        trainer.round(source).unwrap();
    }
}

/// A run of [`small_guard`] on [`small_mlp`], and its data.
struct Small {
    objective: SmallMlp,
    guard: SmallGuard,
    data: Data,
}

impl Small {
    fn new() -> Self {
        Self { objective: small_mlp(), guard: small_guard(0.1), data: Data::disk(64, 1) }
    }

    /// Does something with a run at its beginning.
    fn fresh<T>(
        &self,
        seed: u64,
        then: impl FnOnce(&mut Trainer<'_, SmallMlp, SmallGuard>, &mut Sampler<'_>) -> T,
    ) -> T {
        let mut memory = Memory::new();
        *memory.params_mut() = start(&self.objective, seed);
        let mut trainer = Trainer::new(&self.objective, &self.guard, &mut memory);
        self.data.sampling(BATCH, seed, |source| then(&mut trainer, source))
    }

    /// The checkpoint after so many rounds.
    fn after(&self, rounds: u32) -> Vec<u8> {
        self.fresh(3, |trainer, source| {
            train(trainer, source, rounds);
            saved(trainer, source)
        })
    }

    /// Tries to load some bytes over a run that has done something; returns the error, if nothing has changed.
    fn refusal(&self, bytes: &[u8]) -> Option<CheckpointError> {
        self.fresh(8, |trainer, source| {
            train(trainer, source, 3);
            let before = saved(trainer, source);
            let error = trainer.load(source, &mut &*bytes).err()?;
            assert_eq!(saved(trainer, source), before, "{error}: something has changed");
            Some(error)
        })
    }
}
