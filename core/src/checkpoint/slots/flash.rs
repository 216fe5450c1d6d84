//! What is written to flash and read from it: the mark that commits a slot, whole words, whole pages.

use embedded_storage::nor_flash::{NorFlash, NorFlashError};

use super::report::SlotError;
use crate::checkpoint::format::Store;
use crate::checksum::crc32;
use crate::persist::{CHUNK, Sink};

/// How many bytes are written at a time; a flash's word must divide it.
pub const PAGE: usize = 256;

const MAGIC: [u8; 4] = *b"L2OS";
/// Bytes that commit a slot.
pub(super) const MARK: usize = 16;

pub(super) fn flash_error(error: &impl NorFlashError) -> SlotError {
    SlotError::Flash(error.kind())
}

/// What commits a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) sequence: u32,
    pub(super) length: u32,
}

impl Mark {
    /// Whether this mark was made after the other one: numbers start again at 0 after 2^32 - 1.
    pub(super) const fn is_newer_than(self, other: Self) -> bool {
        let ahead = self.sequence.wrapping_sub(other.sequence);
        ahead != 0 && ahead < 1 << 31
    }

    pub(super) fn bytes(self) -> [u8; MARK] {
        let mut bytes = [0; MARK];
        let numbers = self.sequence.to_le_bytes().into_iter().chain(self.length.to_le_bytes());
        let [content @ .., c0, c1, c2, c3] = &mut bytes;
        content.iter_mut().zip(MAGIC.into_iter().chain(numbers)).for_each(|(to, from)| *to = from);
        [*c0, *c1, *c2, *c3] = crc32(content).to_le_bytes();
        bytes
    }

    /// `None` for bytes that are not a mark.
    pub(super) fn parse(bytes: [u8; MARK]) -> Option<Self> {
        let [_, _, _, _, s0, s1, s2, s3, l0, l1, l2, l3, ..] = bytes;
        let mark =
            Self { sequence: u32::from_le_bytes([s0, s1, s2, s3]), length: u32::from_le_bytes([l0, l1, l2, l3]) };
        (mark.bytes() == bytes).then_some(mark)
    }
}

/// Part of a flash, to read.
pub(super) struct Slice<'a, F> {
    pub(super) flash: &'a mut F,
    pub(super) start: u32,
    pub(super) length: usize,
}

impl<F: NorFlash> Store for Slice<'_, F> {
    fn len(&self) -> usize {
        self.length
    }

    /// Whole words are read; what is behind the asked for bytes in the last one is left out.
    fn read(&mut self, at: usize, bytes: &mut [u8]) -> bool {
        let mut words = [0; CHUNK];
        let Some(whole) = words.get_mut(..bytes.len().next_multiple_of(F::READ_SIZE)) else { return false };
        if self.flash.read(self.start.saturating_add(at as u32), whole).is_err() {
            return false;
        }
        bytes.iter_mut().zip(whole).for_each(|(to, from)| *to = *from);
        true
    }
}

/// Writes bytes to flash page by page.
pub(super) struct Pages<'a, F> {
    flash: &'a mut F,
    at: u32,
    page: [u8; PAGE],
    used: usize,
}

impl<'a, F: NorFlash> Pages<'a, F> {
    pub(super) const fn new(flash: &'a mut F, at: u32) -> Self {
        Self { flash, at, page: [0xff; PAGE], used: 0 }
    }

    /// Writes what is in the page, padded with ones to whole words.
    pub(super) fn finish(&mut self) -> Result<(), SlotError> {
        let length = self.used.next_multiple_of(F::WRITE_SIZE);
        if let Some(words) = self.page.get(..length)
            && length > 0
        {
            self.flash.write(self.at, words).map_err(|error| flash_error(&error))?;
        }
        (self.at, self.used) = (self.at.saturating_add(length as u32), 0);
        self.page.fill(0xff);
        Ok(())
    }
}

impl<F: NorFlash> Sink for Pages<'_, F> {
    type Error = SlotError;

    #[inline(never)]
    fn put(&mut self, bytes: &[u8]) -> Result<(), SlotError> {
        for &byte in bytes {
            if let Some(place) = self.page.get_mut(self.used) {
                *place = byte;
                self.used += 1;
            }
            if self.used == PAGE {
                self.finish()?;
            }
        }
        Ok(())
    }
}
