//! A NOR flash that refuses misuse, and whose power can be cut at any byte of an erasure or a write.
//!
//! Misuse is an access that is not aligned or out of bounds, a word written twice after an erasure, and a bit that would
//! have to go from 0 to 1. All of it panics: it is a mistake of the code under test.

use embassy_futures::yield_now;
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};
use lgl2o::Rng;

/// What a power cut leaves of the operation under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tear {
    /// Bytes are done from the first to the last; the one under way is done by half.
    Forward,
    /// An erasure goes from the last byte to the first; writes are as under `Forward`.
    Backward,
    /// As much as the trait allows: the word under way holds anything, and in an erasure all sectors under way.
    Noise(u64),
}

/// Why an operation failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlashError {
    /// The power is off.
    PowerCut,
    /// The sector can no longer be read.
    Unreadable,
}

impl NorFlashError for FlashError {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

/// A flash with words of READ and WRITE bytes and sectors of ERASE bytes.
#[derive(Debug, Clone)]
pub struct Flash<const READ: usize, const WRITE: usize, const ERASE: usize> {
    bytes: Vec<u8>,
    /// Whether each word can be written: erased, and not written since.
    fresh: Vec<bool>,
    /// Erasures of each sector.
    pub erasures: Vec<u32>,
    /// Bytes erased and written so far.
    pub done: usize,
    /// How many more bytes are erased or written before the power is cut; `None` for no cut.
    pub left: Option<usize>,
    /// What the cut leaves.
    pub tear: Tear,
    /// So many reads succeed; `None` for all.
    pub reads: Option<usize>,
    /// Whether this write comes to nothing, as on a worn or protected flash.
    pub worn: bool,
    off: bool,
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> Flash<READ, WRITE, ERASE> {
    /// So many erased sectors.
    #[must_use]
    pub fn new(sectors: usize) -> Self {
        Self {
            bytes: vec![0xff; sectors * ERASE],
            fresh: vec![true; sectors * ERASE / WRITE],
            erasures: vec![0; sectors],
            done: 0,
            left: None,
            tear: Tear::Forward,
            reads: None,
            worn: false,
            off: false,
        }
    }

    /// A flash of as many sectors as these bytes fill.
    #[must_use]
    pub fn holding(bytes: &[u8]) -> Self {
        let mut flash = Self::new(bytes.len() / ERASE);
        flash.bytes.copy_from_slice(bytes);
        flash.fresh = bytes.chunks(WRITE).map(|word| word.iter().all(|byte| *byte == 0xff)).collect();
        flash
    }

    /// The same flash after a reset, with power.
    #[must_use]
    pub fn restarted(mut self) -> Self {
        (self.off, self.left) = (false, None);
        self
    }

    /// The same flash, whose power will be cut in the middle of byte number `left` from here.
    #[must_use]
    pub fn cut_after(mut self, left: usize, tear: Tear) -> Self {
        (self.left, self.tear) = (Some(left), tear);
        self
    }

    /// What it holds.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What it holds, to be damaged.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    /// How many bytes of an operation on so many are done, and whether the power is cut then.
    fn spend(&mut self, bytes: usize) -> (usize, bool) {
        let whole = self.left.is_none_or(|left| left >= bytes);
        let done = self.left.map_or(bytes, |left| left.min(bytes));
        self.left = self.left.map(|left| left - done);
        self.done += done;
        self.off = !whole;
        (done, !whole)
    }
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> ErrorType for Flash<READ, WRITE, ERASE> {
    type Error = FlashError;
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> ReadNorFlash for Flash<READ, WRITE, ERASE> {
    const READ_SIZE: usize = READ;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        let at = offset as usize;
        assert!(at.is_multiple_of(READ) && bytes.len().is_multiple_of(READ), "a read of {} at {at}", bytes.len());
        if self.off {
            return Err(FlashError::PowerCut);
        }
        if let Some(reads) = &mut self.reads {
            *reads = reads.checked_sub(1).ok_or(FlashError::Unreadable)?;
        }
        bytes.copy_from_slice(&self.bytes[at..at + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.bytes.len()
    }
}

impl<const READ: usize, const WRITE: usize, const ERASE: usize> NorFlash for Flash<READ, WRITE, ERASE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        let (from, to) = (from as usize, to as usize);
        assert!(from.is_multiple_of(ERASE) && to.is_multiple_of(ERASE) && from < to, "an erasure of {from}..{to}");
        assert!(to <= self.bytes.len(), "an erasure up to {to}");
        if self.off {
            return Err(FlashError::PowerCut);
        }
        self.erasures[from / ERASE..to / ERASE].iter_mut().for_each(|n| *n += 1);
        let (done, cut) = self.spend(to - from);
        if !cut {
            self.bytes[from..to].fill(0xff);
            self.fresh[from / WRITE..to / WRITE].fill(true);
            return Ok(());
        }
        // What is not wholly erased must not be written.
        self.fresh[from / WRITE..to / WRITE].fill(false);
        match self.tear {
            Tear::Forward => {
                self.bytes[from..from + done].fill(0xff);
                self.bytes[from + done] |= 0x5a;
            }
            Tear::Backward => {
                self.bytes[to - done..to].fill(0xff);
                self.bytes[to - done - 1] |= 0x5a;
            }
            Tear::Noise(seed) => {
                let mut rng = Rng::stream(seed, done as u64);
                // Sectors before are erased, those behind untouched.
                let sector = from + done / ERASE * ERASE;
                self.bytes[from..sector].fill(0xff);
                self.bytes[sector..sector + ERASE].iter_mut().for_each(|byte| *byte = rng.next_u32() as u8);
            }
        }
        Err(FlashError::PowerCut)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        let at = offset as usize;
        assert!(at.is_multiple_of(WRITE) && bytes.len().is_multiple_of(WRITE), "a write of {} at {at}", bytes.len());
        let words = at / WRITE..(at + bytes.len()) / WRITE;
        assert!(self.fresh[words.clone()].iter().all(|&fresh| fresh), "a word written twice, at {at}");
        if self.off {
            return Err(FlashError::PowerCut);
        }
        let (done, cut) = self.spend(bytes.len());
        let touched = (at + done + usize::from(cut)).div_ceil(WRITE);
        self.fresh[words.start..touched].fill(false);
        if self.worn {
            return Ok(());
        }
        for (to, from) in self.bytes[at..].iter_mut().zip(&bytes[..done]) {
            assert_eq!(*to & from, *from, "a bit from 0 to 1, at {at}");
            *to = *from;
        }
        if !cut {
            return Ok(());
        }
        match self.tear {
            Tear::Forward | Tear::Backward => self.bytes[at + done] &= bytes[done] | 0x5a,
            Tear::Noise(seed) => {
                let mut rng = Rng::stream(seed, done as u64);
                let word = at + done / WRITE * WRITE;
                self.bytes[word..word + WRITE].iter_mut().for_each(|byte| *byte = rng.next_u32() as u8);
            }
        }
        Err(FlashError::PowerCut)
    }
}

/// The same flash behind the asynchronous trait; each operation is waited for before it begins.
#[derive(Debug, Clone)]
pub struct Awaited<F>(pub F);

impl<F: ErrorType> ErrorType for Awaited<F> {
    type Error = F::Error;
}

impl<F: NorFlash> embedded_storage_async::nor_flash::ReadNorFlash for Awaited<F> {
    const READ_SIZE: usize = F::READ_SIZE;

    async fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), F::Error> {
        yield_now().await;
        self.0.read(offset, bytes)
    }

    fn capacity(&self) -> usize {
        self.0.capacity()
    }
}

impl<F: NorFlash> embedded_storage_async::nor_flash::NorFlash for Awaited<F> {
    const WRITE_SIZE: usize = F::WRITE_SIZE;
    const ERASE_SIZE: usize = F::ERASE_SIZE;

    async fn erase(&mut self, from: u32, to: u32) -> Result<(), F::Error> {
        yield_now().await;
        self.0.erase(from, to)
    }

    async fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), F::Error> {
        yield_now().await;
        self.0.write(offset, bytes)
    }
}
