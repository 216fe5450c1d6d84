//! A flash in a file on the host, by semihosting: QEMU's boards have none that can be written.
//!
//! It outlives a reset of the board and the end of QEMU, however that comes. Real boards have the flash driver of their
//! HAL instead, which implements the same trait.

use core::ops::Range;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use semihosting::fs::{File, OpenOptions};
use semihosting::io::{Read as _, Seek as _, SeekFrom, Write as _};

/// In the folder that QEMU runs in.
const NAME: &core::ffi::CStr = c"flash.bin";
const SECTORS: u32 = 32;
const SECTOR: usize = 4096;

/// 128 kB in sectors of 4 kB, with words of 4 bytes, as in an nRF52840.
pub struct Flash(File);

/// What can go wrong with a flash in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, defmt::Format)]
pub enum FlashError {
    /// The host has said no.
    Host,
    /// A mistake of the caller.
    Arguments(NorFlashErrorKind),
}

impl NorFlashError for FlashError {
    fn kind(&self) -> NorFlashErrorKind {
        match *self {
            Self::Host => NorFlashErrorKind::Other,
            Self::Arguments(kind) => kind,
        }
    }
}

fn host<T>(result: semihosting::io::Result<T>) -> Result<T, FlashError> {
    result.map_err(|_| FlashError::Host)
}

impl Flash {
    fn open() -> Result<Self, FlashError> {
        let there = OpenOptions::new().read(true).write(true).open(NAME);
        if let Ok(file) = there
            && host(file.metadata())?.len() == u64::from(SECTORS) * SECTOR as u64
        {
            return Ok(Self(file));
        }
        let made = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(NAME);
        let mut flash = Self(host(made)?);
        flash.erase(0, SECTORS * SECTOR as u32)?;
        Ok(flash)
    }
}

/// The file, made anew and erased where there is none of the right size.
///
/// # Errors
/// [`FlashError::Host`] if it cannot be opened or made.
pub fn flash() -> Result<Flash, FlashError> {
    Flash::open()
}

/// Where checkpoints go: all of it.
pub const CHECKPOINTS: Range<u32> = 0..SECTORS * SECTOR as u32;

impl ErrorType for Flash {
    type Error = FlashError;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), FlashError> {
        check_read(self, offset, bytes.len()).map_err(FlashError::Arguments)?;
        host(self.0.seek(SeekFrom::Start(offset.into())))?;
        host(self.0.read_exact(bytes))
    }

    fn capacity(&self) -> usize {
        SECTORS as usize * SECTOR
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), FlashError> {
        check_erase(self, from, to).map_err(FlashError::Arguments)?;
        host(self.0.seek(SeekFrom::Start(from.into())))?;
        let ones = [0xff; 256];
        for _ in 0..(to - from) as usize / ones.len() {
            host(self.0.write_all(&ones))?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), FlashError> {
        check_write(self, offset, bytes.len()).map_err(FlashError::Arguments)?;
        host(self.0.seek(SeekFrom::Start(offset.into())))?;
        host(self.0.write_all(bytes))
    }
}
