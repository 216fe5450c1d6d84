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
//! let bowl = Quadratic::new([1.0, 10.0], [3.0, -1.0]).unwrap();
//! let guard = LossGuard::new(learned::ngn(), Sgd::new(0.1));
//! let mut memory = Memory::new();
//! let mut trainer = Trainer::new(&bowl, &guard, &mut memory);
//! let mut slots = Slots::new(flash, 0..4096)?;
//!
//! let resumed = slots.load(&mut trainer, &mut Exact)?;
//! assert_eq!(resumed.sequence, None); // nothing there yet: initialise the parameters here
//! trainer.round(&mut Exact).unwrap();
//! slots.save(&trainer, &Exact)?;
//! # Ok::<(), lgl2o::checkpoint::SlotError>(())
//! ```

mod flash;
mod report;

use core::borrow::BorrowMut;
use core::ops::Range;

use embedded_storage::nor_flash::NorFlash;

pub use flash::PAGE;
pub use report::{Resumed, SlotError, SlotState};

use super::format::{self, Store};
use crate::guard::Guard;
use crate::model::{Inputs, Model};
use crate::objective::Objective;
use crate::objective::mlp::Network;
use crate::persist::{CHUNK, Fingerprint, Persist, Sink};
use crate::trainer::Trainer;
use flash::{MARK, Mark, Pages, Slice, flash_error};

/// One of the two slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Slot {
    First,
    Second,
}

impl Slot {
    const BOTH: [Self; 2] = [Self::First, Self::Second];

    const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }

    /// What belongs to this slot, of a pair.
    const fn of<T>(self, pair: &mut [T; 2]) -> &mut T {
        let [first, second] = pair;
        match self {
            Self::First => first,
            Self::Second => second,
        }
    }
}

/// The number of the newest committed slot; 0 where there is none.
fn newest(order: &[Option<(Slot, Mark)>; 2]) -> u32 {
    order.iter().flatten().next().map_or(0, |(_, mark)| mark.sequence)
}

/// Two slots in a region of flash.
#[derive(Debug)]
pub struct Slots<F> {
    flash: F,
    start: u32,
    /// Bytes of one slot, whole sectors.
    size: u32,
    /// The slot to keep and the number of the latest checkpoint, once they are known.
    known: Option<(Slot, u32)>,
}

impl<F: NorFlash> Slots<F> {
    const WORD: usize = {
        let (read, write) = (F::READ_SIZE, F::WRITE_SIZE);
        assert!(read > 0 && CHUNK.is_multiple_of(read), "the words that a flash reads must divide 64 bytes");
        assert!(write > 0 && PAGE.is_multiple_of(write), "the words that a flash writes must divide 256 bytes");
        assert!(F::ERASE_SIZE > 0 && F::ERASE_SIZE.is_multiple_of(write) && F::ERASE_SIZE.is_multiple_of(read));
        // Both are powers of two, so the larger one is a multiple of the smaller.
        if read > write { read } else { write }
    };

    /// Where the checkpoint begins in a slot.
    const CONTENT: usize = MARK.next_multiple_of(Self::WORD);

    /// Two slots in the two halves of a region of the flash, from offset `region.start` to `region.end`.
    ///
    /// # Errors
    /// [`SlotError::Region`] unless the region is whole sectors within the flash, two at least. With an odd number of
    /// sectors one is left unused.
    pub fn new(flash: F, region: Range<u32>) -> Result<Self, SlotError> {
        let (sector, capacity) = (F::ERASE_SIZE, flash.capacity());
        let (start, end) = (region.start as usize, region.end as usize);
        let sectors = end.saturating_sub(start) / sector;
        let aligned = start.is_multiple_of(sector) && end.is_multiple_of(sector);
        if end > capacity || !aligned || sectors < 2 {
            return Err(SlotError::Region { sector, capacity });
        }
        Ok(Self { flash, start: region.start, size: (sectors / 2 * sector) as u32, known: None })
    }

    /// Bytes of one slot.
    pub const fn slot_size(&self) -> usize {
        self.size as usize
    }

    /// Bytes of a slot that a checkpoint of so many bytes needs.
    #[must_use]
    pub const fn needed(length: usize) -> usize {
        Self::CONTENT + length.next_multiple_of(Self::WORD)
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
        let (needed, slot) = (Self::needed(length), self.slot_size());
        if needed > slot {
            return Err(SlotError::TooSmall { needed, slot });
        }
        let (kept, latest) = match self.known {
            Some(known) => known,
            None => self.survey(trainer, source),
        };
        let (target, sequence) = (kept.other(), latest.wrapping_add(1));
        let start = self.offset(target);
        let end = start + needed.next_multiple_of(F::ERASE_SIZE) as u32;
        self.flash.erase(start, end).map_err(|error| flash_error(&error))?;
        let mut pages = Pages::new(&mut self.flash, start + Self::CONTENT as u32);
        trainer.save(source, &mut pages)?;
        pages.finish()?;
        let mut written = Slice { flash: &mut self.flash, start: start + Self::CONTENT as u32, length };
        format::verify(&mut written).map_err(|_| SlotError::NotWritten)?;
        let mark = Mark { sequence, length: length as u32 };
        let mut pages = Pages::new(&mut self.flash, start);
        pages.put(&mark.bytes())?;
        pages.finish()?;
        if !matches!(self.mark(target), Ok(Some(found)) if found == mark) {
            return Err(SlotError::NotWritten);
        }
        self.known = Some((target, sequence));
        Ok(sequence)
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

    /// Loads a model from the newest checkpoint that has its network and standardizer; returns its number. Of the trainer and
    /// its guard nothing is in memory.
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

    const fn offset(&self, slot: Slot) -> u32 {
        match slot {
            Slot::First => self.start,
            Slot::Second => self.start + self.size,
        }
    }

    /// The checkpoint in a committed slot.
    const fn content(&mut self, slot: Slot, mark: Mark) -> Slice<'_, F> {
        let start = self.offset(slot) + Self::CONTENT as u32;
        let (length, room) = (mark.length as usize, self.size as usize - Self::CONTENT);
        Slice { flash: &mut self.flash, start, length: if length < room { length } else { room } }
    }

    /// The mark of a slot, if it is committed; else what is there instead.
    fn mark(&mut self, slot: Slot) -> Result<Option<Mark>, SlotState> {
        let start = self.offset(slot);
        let mut bytes = [0; MARK];
        if !(Slice { flash: &mut self.flash, start, length: MARK }).read(0, &mut bytes) {
            return Err(SlotState::Unreadable);
        }
        match Mark::parse(bytes) {
            Some(mark) => Ok(Some(mark)),
            None if bytes == [0xff; MARK] => Ok(None),
            None => Err(SlotState::Uncommitted),
        }
    }

    /// What is in both slots, and those that are committed, the newest first.
    fn look(&mut self) -> ([SlotState; 2], [Option<(Slot, Mark)>; 2]) {
        let found = Slot::BOTH.map(|slot| (slot, self.mark(slot)));
        let states = found.map(|(_, mark)| match mark {
            Ok(Some(Mark { sequence, .. })) => SlotState::Committed { sequence },
            Ok(None) => SlotState::Blank,
            Err(state) => state,
        });
        let [first, second] = found.map(|(slot, mark)| mark.ok().flatten().map(|mark| (slot, mark)));
        let second_is_newer = match (first, second) {
            (Some((_, a)), Some((_, b))) => b.is_newer_than(a),
            (first, _) => first.is_none(),
        };
        (states, if second_is_newer { [second, first] } else { [first, second] })
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
