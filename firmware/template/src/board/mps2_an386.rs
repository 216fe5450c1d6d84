//! QEMU's mps2-an386: what is logged is printed, and the flash is a file, `flash.bin`, in the folder that QEMU runs in. It outlives
//! a reset and the end of QEMU, however that comes.

use core::ops::Range;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};
use semihosting::fs::{File, OpenOptions};
use semihosting::io::{Read as _, Seek as _, SeekFrom, Write as _};

macro_rules! log {
    ($($words:tt)*) => { semihosting::println!($($words)*) };
}
pub(crate) use log;

const SECTOR: u32 = 4096;
/// Where checkpoints go: all of it.
pub const CHECKPOINTS: Range<u32> = 0..32 * SECTOR;

/// The board's flash.
pub fn start() -> Flash {
    let there = OpenOptions::new().read(true).write(true).open(c"flash.bin");
    if let Ok(file) = there
        && file.metadata().is_ok_and(|found| found.len() == u64::from(CHECKPOINTS.end))
    {
        return Flash(Some(file));
    }
    let made = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(c"flash.bin");
    let mut flash = Flash(made.ok());
    let _ = flash.erase(CHECKPOINTS.start, CHECKPOINTS.end);
    flash
}

/// Ends QEMU.
pub fn end() -> ! {
    semihosting::process::exit(0)
}

#[panic_handler]
fn panic(info: &core::panic::PanicInfo<'_>) -> ! {
    log!("{}", info);
    semihosting::process::exit(100)
}

/// A flash in a file; none where it could not be made.
pub struct Flash(Option<File>);

impl Flash {
    fn at(&mut self, offset: u32) -> Result<&mut File, NorFlashErrorKind> {
        let file = self.0.as_mut().ok_or(NorFlashErrorKind::Other)?;
        file.seek(SeekFrom::Start(offset.into())).map_err(|_| NorFlashErrorKind::Other)?;
        Ok(file)
    }
}

impl ErrorType for Flash {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        check_read(self, offset, bytes.len())?;
        self.at(offset)?.read_exact(bytes).map_err(|_| NorFlashErrorKind::Other)
    }

    fn capacity(&self) -> usize {
        CHECKPOINTS.end as usize
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = SECTOR as usize;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        check_erase(self, from, to)?;
        let file = self.at(from)?;
        (0..(to - from) / 256).try_for_each(|_| file.write_all(&[0xff; 256])).map_err(|_| NorFlashErrorKind::Other)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        check_write(self, offset, bytes.len())?;
        self.at(offset)?.write_all(bytes).map_err(|_| NorFlashErrorKind::Other)
    }
}
