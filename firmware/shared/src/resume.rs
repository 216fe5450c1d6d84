//! The [`spirals`] again, with a checkpoint in flash every few rounds: a run that is interrupted, by a reset
//! or by the power, goes on from the latest one, and ends with the bits of a run that was not.

use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;
use lgl2o::checkpoint::{Digest, Fingerprint, Persist, Resumed, Slots};
use lgl2o::{Error, Trainer};

use crate::record::{RoundRecord, Trace};
use crate::spirals::{self, Demo, Outcome, RunMemory, Spirals};

/// Rounds from one checkpoint to the next.
pub const SAVE_EVERY: u32 = 10;

/// The demonstration resets itself after so many rounds, once: not right after a checkpoint, so that rounds are lost and
/// made again.
pub const RESET_AFTER: u32 = 25;

/// What happens in a run.
#[derive(Debug, Clone, Copy)]
pub enum Event {
    /// It begins: what was found in flash, and how many rounds are done.
    Begun(Resumed, u32),
    /// A round is done.
    Round(RoundRecord),
    /// A checkpoint is about to be written.
    Saving,
    /// It was written, and has this number.
    Saved(u32),
}

/// Trains in `memory`, all of which is zero, or goes on from the latest checkpoint in the flash, of which it takes `region` for
/// two slots. Tells `each` what happens; a reset may be made from there.
///
/// # Errors
/// What [`Trainer::round`] and [`Slots`] say.
pub fn run<N: Demo>(
    memory: &mut RunMemory<N>,
    flash: impl NorFlash,
    region: Range<u32>,
    nudge: impl FnOnce(&mut N::Params),
    mut each: impl FnMut(Event),
) -> Result<Outcome, Error> {
    let mut slots = Slots::new(flash, region)?;
    let (net, guard, spirals) = spirals::begin::<N>(memory, nudge);
    let mut trainer = Trainer::new(&net, &guard, memory);
    let mut source = Traced { spirals, trace: Trace::EMPTY };
    let resumed = slots.load(&mut trainer, &mut source)?;
    each(Event::Begun(resumed, trainer.progress().rounds));
    while trainer.progress().steps < N::STEPS {
        let verdict = trainer.round(&mut source.spirals)?;
        let rounds = trainer.progress().rounds;
        each(Event::Round(RoundRecord::new(rounds, &verdict, &mut source.trace)));
        if rounds.is_multiple_of(SAVE_EVERY) {
            each(Event::Saving);
            each(Event::Saved(slots.save(&trainer, &source)?));
        }
    }
    spirals::finish(&mut trainer, &mut source.spirals)
}

/// The data, and the hash of the rounds so far: what a checkpoint holds besides the training memory.
struct Traced {
    spirals: Spirals,
    trace: Trace,
}

impl Fingerprint for Traced {
    fn describe(&self, digest: &mut Digest) {
        self.spirals.describe(digest);
    }
}

impl Persist for Traced {
    lgl2o::persist_fields!(spirals, trace);
}
