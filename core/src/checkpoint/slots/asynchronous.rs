//! The two slots over an asynchronous flash: the same bytes in the same order as [`Slots`](super::Slots), and the same safety.
//!
//! The code that writes and reads a checkpoint cannot await, so a checkpoint passes through a buffer of the caller, of
//! [`buffer_len`](AsyncSlots::buffer_len) bytes. Dropping a future leaves the flash as a power cut at that moment would.

use core::ops::Range;

use embedded_storage_async::nor_flash::NorFlash;

use super::flash::{MARK, Mark, PAGE, flash_error};
use super::plan::{self, Order, Region, Save, Slot, Words, newest};
use super::report::{Resumed, SlotError, SlotState};
use crate::checkpoint::format::{self, Buffer};
use crate::error::CheckpointError;
use crate::guard::Guard;
use crate::objective::Objective;
use crate::persist::{CHUNK, Fingerprint, Persist};
use crate::trainer::Trainer;

/// Two slots in a region of an asynchronous flash.
#[derive(Debug)]
pub struct AsyncSlots<F> {
    flash: F,
    region: Region,
    /// The slot to keep and the number of the latest checkpoint, once they are known.
    known: Option<(Slot, u32)>,
}

impl<F: NorFlash> AsyncSlots<F> {
    const WORDS: Words = Words::new(F::READ_SIZE, F::WRITE_SIZE, F::ERASE_SIZE);

    /// Two slots in the two halves of a region of the flash, as [`Slots::new`](super::Slots::new) has them.
    ///
    /// # Errors
    /// [`SlotError::Region`] unless the region is whole sectors within the flash, two at least.
    pub fn new(flash: F, region: Range<u32>) -> Result<Self, SlotError> {
        let region = Region::new(Self::WORDS, flash.capacity(), region)?;
        Ok(Self { flash, region, known: None })
    }

    /// Bytes of the buffer that a checkpoint of so many bytes needs.
    #[must_use]
    pub const fn buffer_len(length: usize) -> usize {
        Self::WORDS.whole(length)
    }

    /// Returns the flash.
    pub fn release(self) -> F {
        self.flash
    }

    /// Saves a checkpoint by way of the buffer; returns its sequence number.
    ///
    /// # Errors
    /// [`SlotError::TooSmall`] and [`SlotError::Buffer`] before anything is erased; [`SlotError::NotWritten`] or
    /// [`SlotError::Flash`], and then the checkpoint before this one is still there.
    pub async fn save<O, G, S>(
        &mut self,
        trainer: &Trainer<'_, O, G>,
        source: &S,
        buffer: &mut [u8],
    ) -> Result<u32, SlotError>
    where
        O: Objective + Fingerprint,
        G: Guard + Fingerprint,
        G::Memory<O::Params>: Persist,
        S: Persist + Fingerprint,
    {
        let length = trainer.checkpoint_len(source);
        self.region.fits(Self::WORDS, length)?;
        let content = part(buffer, Self::buffer_len(length))?;
        let known = match self.known {
            Some(known) => known,
            None => self.survey(trainer, source, content).await,
        };
        content.fill(0xff);
        trainer.save(source, &mut Buffer::new(content)).map_err(|()| SlotError::NotWritten)?;
        let plan = self.region.save(Self::WORDS, known, length);
        self.write(&plan, content).await?;
        self.known = Some((plan.target, plan.mark.sequence));
        Ok(plan.mark.sequence)
    }

    /// Erases, writes the checkpoint, reads it back, and commits it.
    async fn write(&mut self, plan: &Save, content: &[u8]) -> Result<(), SlotError> {
        let Save { erase, mark, .. } = plan;
        self.flash.erase(erase.start, erase.end).await.map_err(|error| flash_error(&error))?;
        let mut at = plan.content;
        // Behind the last word that is written, erased bytes are as they are in the buffer.
        let written = (mark.length as usize).next_multiple_of(F::WRITE_SIZE);
        for page in content.get(..written).unwrap_or_default().chunks(PAGE) {
            self.put(at, page).await?;
            at = at.saturating_add(page.len() as u32);
        }
        self.compare(plan.content, content).await?;
        let mut words = [0xff; PAGE];
        words.iter_mut().zip(mark.bytes()).for_each(|(to, from)| *to = from);
        self.put(erase.start, words.get(..MARK.next_multiple_of(F::WRITE_SIZE)).unwrap_or_default()).await?;
        if matches!(self.mark(plan.target).await, Ok(Some(found)) if found == *mark) {
            Ok(())
        } else {
            Err(SlotError::NotWritten)
        }
    }

    /// Writes whole words.
    async fn put(&mut self, at: u32, words: &[u8]) -> Result<(), SlotError> {
        self.flash.write(at, words).await.map_err(|error| flash_error(&error))
    }

    /// Reads back what was written.
    async fn compare(&mut self, start: u32, content: &[u8]) -> Result<(), SlotError> {
        let (mut at, mut bytes) = (start, [0; CHUNK]);
        for expected in content.chunks(CHUNK) {
            let found = bytes.get_mut(..expected.len()).unwrap_or_default();
            self.flash.read(at, found).await.map_err(|error| flash_error(&error))?;
            if found != expected {
                return Err(SlotError::NotWritten);
            }
            at = at.saturating_add(expected.len() as u32);
        }
        Ok(())
    }

    /// Loads the newest checkpoint that can be loaded, by way of the buffer.
    ///
    /// Where there is none at all, [`Resumed::sequence`] is `None` and the memory is as it was.
    ///
    /// # Errors
    /// [`SlotError::Buffer`]; [`SlotError::NoneLoads`] as in [`Slots::load`](super::Slots::load).
    pub async fn load<O, G, S>(
        &mut self,
        trainer: &mut Trainer<'_, O, G>,
        source: &mut S,
        buffer: &mut [u8],
    ) -> Result<Resumed, SlotError>
    where
        O: Objective + Fingerprint,
        G: Guard + Fingerprint,
        G::Memory<O::Params>: Persist,
        S: Persist + Fingerprint,
    {
        // No longer one is this run's.
        let buffer = part(buffer, Self::buffer_len(trainer.checkpoint_len(source)))?;
        let (mut states, order) = self.look().await;
        for (slot, mark) in order.into_iter().flatten() {
            let sequence = mark.sequence;
            let result = match self.content(slot, mark, buffer).await {
                Ok(mut bytes) => trainer.load(source, &mut bytes),
                Err(why) => Err(why),
            };
            match result {
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

    /// The checkpoint in a committed slot, read into the buffer.
    async fn content<'a>(&mut self, slot: Slot, mark: Mark, buffer: &'a mut [u8]) -> Result<&'a [u8], CheckpointError> {
        let (start, length) = self.region.content(Self::WORDS, slot, mark);
        let expected = buffer.len();
        let whole = buffer.get_mut(..length.next_multiple_of(F::READ_SIZE));
        let whole = whole.ok_or(CheckpointError::Length { expected, found: length })?;
        self.flash.read(start, whole).await.map_err(|_| CheckpointError::Unreadable)?;
        Ok(whole.get(..length).unwrap_or_default())
    }

    /// The mark of a slot, if it is committed; else what is there instead.
    async fn mark(&mut self, slot: Slot) -> Result<Option<Mark>, SlotState> {
        let mut words = [0; CHUNK];
        let whole = words.get_mut(..MARK.next_multiple_of(F::READ_SIZE)).unwrap_or_default();
        let read = self.flash.read(self.region.offset(slot), whole).await;
        plan::read_mark(words.first_chunk().copied().filter(|_| read.is_ok()))
    }

    /// What is in both slots, and those that are committed, the newest first.
    async fn look(&mut self) -> ([SlotState; 2], Order) {
        let [first, second] = Slot::BOTH;
        plan::sort([self.mark(first).await, self.mark(second).await])
    }

    /// The slot to keep, and the latest number. One that is too long for the buffer is not this run's, and is kept for another
    /// only where nothing else is.
    async fn survey<O, G, S>(&mut self, trainer: &Trainer<'_, O, G>, source: &S, buffer: &mut [u8]) -> (Slot, u32)
    where
        O: Objective + Fingerprint,
        G: Guard + Fingerprint,
        G::Memory<O::Params>: Persist,
        S: Persist + Fingerprint,
    {
        let (_, order) = self.look().await;
        let (mut ours, mut others, mut long) = (None, None, None);
        for (slot, mark) in order.into_iter().flatten() {
            match self.content(slot, mark, buffer).await {
                Ok(content) if trainer.check(source, &mut &*content).is_ok() => ours = ours.or(Some(slot)),
                Ok(content) if format::verify(&mut &*content).is_ok() => others = others.or(Some(slot)),
                Err(CheckpointError::Length { .. }) => long = long.or(Some(slot)),
                Ok(_) | Err(_) => {}
            }
        }
        // With nothing to keep the first slot is written.
        (ours.or(others).or(long).unwrap_or(Slot::Second), newest(&order))
    }
}

/// So many bytes at the front of a buffer.
fn part(buffer: &mut [u8], needed: usize) -> Result<&mut [u8], SlotError> {
    let found = buffer.len();
    buffer.get_mut(..needed).ok_or(SlotError::Buffer { needed, found })
}
