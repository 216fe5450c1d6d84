//! Two checkpoints in flash, written in turn, so that a power cut at any byte leaves one.
//!
//! A region of flash is two slots of equal size. A slot holds
//!
//! ```text
//! offset 0   "L2OS"
//!        4   sequence number, u32, counted up with each checkpoint
//!        8   length of the checkpoint, u32
//!       12   CRC-32 of the bytes before it, u32
//!        h   the checkpoint, padded with ones to whole words; h is 16, rounded up to whole words
//! ```
//!
//! *Saving* takes the slot whose checkpoint is not the one to keep, erases it, writes the checkpoint, reads it back,
//! and only then writes the 16 bytes before it: they commit the slot. The one to keep is the newest that this very run
//! could load; where there is none, the newest that is whole. Nothing is erased if the new one would not fit.
//!
//! *Loading* takes the newest slot that can be loaded, and says what became of both. A slot that is not committed was
//! cut off while it was erased or written, or never held anything: then the other one is the latest, and it is whole.
//!
//! | power is cut | then there are |
//! |---|---|
//! | while the older slot is erased or written | the newer one, and nothing, or the older one still |
//! | while the new one is committed | the newer one, and the new one or nothing |
//!
//! Words are written once after an erasure, all accesses are aligned, and both slots wear alike: a checkpoint costs one
//! erasure of the sectors that it covers. A flash must offer words of at most [`PAGE`] bytes.
//!
//! A flash whose driver is asynchronous takes `AsyncSlots` (feature `nor-flash-async`), which writes the same bytes in the same order.
//!
//! ```
//! # use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};
//! # struct Ram([u8; 4096]);
//! # impl ErrorType for Ram { type Error = NorFlashErrorKind; }
//! # impl ReadNorFlash for Ram {
//! #     const READ_SIZE: usize = 1;
//! #     fn read(&mut self, at: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
//! #         bytes.copy_from_slice(&self.0[at as usize..][..bytes.len()]); Ok(())
//! #     }
//! #     fn capacity(&self) -> usize { 4096 }
//! # }
//! # impl NorFlash for Ram {
//! #     const WRITE_SIZE: usize = 4;
//! #     const ERASE_SIZE: usize = 1024;
//! #     fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
//! #         self.0[from as usize..to as usize].fill(0xff); Ok(())
//! #     }
//! #     fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
//! #         self.0[at as usize..][..bytes.len()].copy_from_slice(bytes); Ok(())
//! #     }
//! # }
//! use lgl2o::source::Exact;
//! use lgl2o::checkpoint::Slots;
//! use lgl2o::guard::LossGuard;
//! use lgl2o::objective::Quadratic;
//! use lgl2o::{Memory, Trainer, learned, rule::Sgd};
//!
//! # let flash = Ram([0xff; 4096]); // whatever the HAL offers
//! let bowl = Quadratic::new([1.0, 10.0], [3.0, -1.0])?;
//! let guard = LossGuard::new(learned::ngn(), Sgd::new(0.1));
//! let mut memory = Memory::new();
//! let mut trainer = Trainer::new(&bowl, &guard, &mut memory);
//! let mut slots = Slots::new(flash, 0..4096)?;
//!
//! let resumed = slots.load(&mut trainer, &mut Exact)?;
//! assert_eq!(resumed.sequence, None); // nothing there yet: initialise the parameters here
//! trainer.round(&mut Exact)?;
//! slots.save(&trainer, &Exact)?;
//! # Ok::<(), lgl2o::Error>(())
//! ```

#[cfg(feature = "nor-flash-async")]
mod asynchronous;
mod flash;
mod plan;
mod report;

use core::borrow::BorrowMut;
use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;

#[cfg(feature = "nor-flash-async")]
pub use asynchronous::AsyncSlots;
pub use flash::PAGE;
pub use report::{Resumed, SlotError, SlotState};

use super::format::{self, Store};
use crate::guard::Guard;
use crate::model::{Inputs, Model};
use crate::objective::Objective;
use crate::objective::mlp::Network;
use crate::persist::{Fingerprint, Persist, Sink};
use crate::trainer::Trainer;
use flash::{MARK, Mark, Pages, Slice, flash_error};
use plan::{Order, Region, Save, Slot, Words, newest};

/// Two slots in a region of flash.
#[derive(Debug)]
pub struct Slots<F> {
    flash: F,
    region: Region,
    /// The slot to keep and the number of the latest checkpoint, once they are known.
    known: Option<(Slot, u32)>,
}

impl<F: NorFlash> Slots<F> {
    const WORDS: Words = Words::new(F::READ_SIZE, F::WRITE_SIZE, F::ERASE_SIZE);

    /// Two slots in the two halves of a region of the flash, from offset `region.start` to `region.end`.
    ///
    /// # Errors
    /// [`SlotError::Region`] unless the region is whole sectors within the flash, two at least. With an odd number of
    /// sectors one is left unused.
    pub fn new(flash: F, region: Range<u32>) -> Result<Self, SlotError> {
        let region = Region::new(Self::WORDS, flash.capacity(), region)?;
        Ok(Self { flash, region, known: None })
    }

    /// Bytes of one slot.
    pub const fn slot_size(&self) -> usize {
        self.region.size as usize
    }

    /// Bytes of a slot that a checkpoint of so many bytes needs.
    #[must_use]
    pub const fn needed(length: usize) -> usize {
        Self::WORDS.needed(length)
    }

    /// Returns the flash.
    pub fn release(self) -> F {
        self.flash
    }

    /// Saves a checkpoint; returns its sequence number.
    ///
    /// # Errors
    /// [`SlotError::TooSmall`] before anything is erased; [`SlotError::NotWritten`] or [`SlotError::Flash`], and then
    /// the checkpoint before this one is still there.
    pub fn save<O, G, S>(&mut self, trainer: &Trainer<'_, O, G>, source: &S) -> Result<u32, SlotError>
    where
        O: Objective + Fingerprint,
        G: Guard + Fingerprint,
        G::Memory<O::Params>: Persist,
        S: Persist + Fingerprint,
    {
        let length = trainer.checkpoint_len(source);
        self.region.fits(Self::WORDS, length)?;
        let known = match self.known {
            Some(known) => known,
            None => self.survey(trainer, source),
        };
        let Save { target, erase, content, mark } = self.region.save(Self::WORDS, known, length);
        self.flash.erase(erase.start, erase.end).map_err(|error| flash_error(&error))?;
        let mut pages = Pages::new(&mut self.flash, content);
        trainer.save(source, &mut pages)?;
        pages.finish()?;
        let mut written = Slice { flash: &mut self.flash, start: content, length };
        format::verify(&mut written).map_err(|_| SlotError::NotWritten)?;
        let mut pages = Pages::new(&mut self.flash, erase.start);
        pages.put(&mark.bytes())?;
        pages.finish()?;
        if !matches!(self.mark(target), Ok(Some(found)) if found == mark) {
            return Err(SlotError::NotWritten);
        }
        self.known = Some((target, mark.sequence));
        Ok(mark.sequence)
    }

    /// Loads the newest checkpoint that can be loaded.
    ///
    /// Where there is none at all, [`Resumed::sequence`] is `None` and the memory is as it was.
    ///
    /// # Errors
    /// [`SlotError::NoneLoads`] where a checkpoint was committed, but none can be loaded: damaged, or of another
    /// network, optimizer or source. Saving then starts again; the newest whole one is written over last.
    pub fn load<O, G, S>(&mut self, trainer: &mut Trainer<'_, O, G>, source: &mut S) -> Result<Resumed, SlotError>
    where
        O: Objective + Fingerprint,
        G: Guard + Fingerprint,
        G::Memory<O::Params>: Persist,
        S: Persist + Fingerprint,
    {
        let (mut states, order) = self.look();
        for (slot, mark) in order.into_iter().flatten() {
            let sequence = mark.sequence;
            match trainer.load(source, &mut self.content(slot, mark)) {
                Ok(()) => {
                    *slot.of(&mut states) = SlotState::Loaded { sequence };
                    self.known = Some((slot, newest(&order)));
                    return Ok(Resumed { sequence: Some(sequence), slots: states });
                }
                Err(why) => *slot.of(&mut states) = SlotState::Refused { sequence, why },
            }
        }
        if order.iter().any(Option::is_some) {
            Err(SlotError::NoneLoads(states))
        } else {
            Ok(Resumed { sequence: None, slots: states })
        }
    }

    /// Loads the parameters alone of the newest checkpoint whose objective is the trainer's; returns its number.
    ///
    /// # Errors
    /// [`SlotError::NoneLoads`] where there is none.
    pub fn load_params<O, G>(&mut self, trainer: &mut Trainer<'_, O, G>) -> Result<u32, SlotError>
    where
        O: Objective + Fingerprint,
        G: Guard + Fingerprint,
        G::Memory<O::Params>: Persist,
    {
        let (mut states, order) = self.look();
        for (slot, mark) in order.into_iter().flatten() {
            let sequence = mark.sequence;
            match trainer.load_params(&mut self.content(slot, mark)) {
                Ok(()) => return Ok(sequence),
                Err(why) => *slot.of(&mut states) = SlotState::Refused { sequence, why },
            }
        }
        Err(SlotError::NoneLoads(states))
    }

    /// Loads a model from the newest checkpoint that has its network and standardizer; returns its number. Nothing of the
    /// trainer and its guard is in memory.
    ///
    /// # Errors
    /// [`SlotError::NoneLoads`] where there is none.
    pub fn load_model<N, P, I>(&mut self, model: &mut Model<N, P, I>) -> Result<u32, SlotError>
    where
        N: Network,
        P: BorrowMut<N::Params>,
        I: Inputs + Persist,
    {
        let (mut states, order) = self.look();
        for (slot, mark) in order.into_iter().flatten() {
            let sequence = mark.sequence;
            match model.load(&mut self.content(slot, mark)) {
                Ok(()) => return Ok(sequence),
                Err(why) => *slot.of(&mut states) = SlotState::Refused { sequence, why },
            }
        }
        Err(SlotError::NoneLoads(states))
    }

    /// The checkpoint in a committed slot.
    const fn content(&mut self, slot: Slot, mark: Mark) -> Slice<'_, F> {
        let (start, length) = self.region.content(Self::WORDS, slot, mark);
        Slice { flash: &mut self.flash, start, length }
    }

    /// The mark of a slot, if it is committed; else what is there instead.
    fn mark(&mut self, slot: Slot) -> Result<Option<Mark>, SlotState> {
        let start = self.region.offset(slot);
        let mut bytes = [0; MARK];
        let mut place = Slice { flash: &mut self.flash, start, length: MARK };
        plan::read_mark(place.read(0, &mut bytes).then_some(bytes))
    }

    /// What is in both slots, and those that are committed, the newest first.
    fn look(&mut self) -> ([SlotState; 2], Order) {
        plan::sort(Slot::BOTH.map(|slot| self.mark(slot)))
    }

    /// The slot to keep, and the latest number.
    fn survey<O, G, S>(&mut self, trainer: &Trainer<'_, O, G>, source: &S) -> (Slot, u32)
    where
        O: Objective + Fingerprint,
        G: Guard + Fingerprint,
        G::Memory<O::Params>: Persist,
        S: Persist + Fingerprint,
    {
        let (_, order) = self.look();
        let (mut ours, mut others) = (None, None);
        for (slot, mark) in order.into_iter().flatten() {
            let mut content = self.content(slot, mark);
            if trainer.check(source, &mut content).is_ok() {
                ours = ours.or(Some(slot));
            } else if format::verify(&mut content).is_ok() {
                others = others.or(Some(slot));
            }
        }
        // With nothing to keep the first slot is written.
        (ours.or(others).unwrap_or(Slot::Second), newest(&order))
    }
}
