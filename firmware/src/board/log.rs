//! The log: defmt's frames to the debugger, or to QEMU, by semihosting.
//!
//! The crate `defmt-semihosting` does the same, but panics where a line is begun inside another, which can happen when a
//! fault interrupts the first. This one ends the program instead, so that a program that logs can be proven to have no
//! panic at all. For the same reason it asks the debugger itself: the crate's `Stdout` checks its handle by a panic.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicBool, Ordering};

use critical_section::RestoreState;
use semihosting::fd::RawFd;
use semihosting::sys::arm_compat::syscall::{OperationNumber, ParamRegR, syscall_readonly};

#[defmt::global_logger]
struct Logger;

struct Line {
    /// Whether a line has begun. Then, and only then, the rest is in use, in a critical section.
    begun: AtomicBool,
    restore: UnsafeCell<RestoreState>,
    encoder: UnsafeCell<defmt::Encoder>,
    /// The debugger's number of the standard output.
    output: UnsafeCell<Option<RawFd>>,
}

// SAFETY: the cells are used between `begin` and `end` only, in a critical section, on a machine of one core.
unsafe impl Sync for Line {}

static LINE: Line = Line {
    begun: AtomicBool::new(false),
    restore: UnsafeCell::new(RestoreState::invalid()),
    encoder: UnsafeCell::new(defmt::Encoder::new()),
    output: UnsafeCell::new(None),
};

impl Line {
    fn begin(&self) {
        // SAFETY: `end` releases it; defmt calls that after each `acquire`.
        let restore = unsafe { critical_section::acquire() };
        if self.begun.load(Ordering::Relaxed) {
            super::exit(super::FAULTED);
        }
        self.begun.store(true, Ordering::Relaxed);
        // SAFETY: a line has just begun, so nobody else uses the cells.
        unsafe {
            self.restore.get().write(restore);
            if (*self.output.get()).is_none() {
                *self.output.get() = open();
            }
            (*self.encoder.get()).start_frame(|bytes| self.put(bytes));
        }
    }

    fn write(&self, bytes: &[u8]) {
        // SAFETY: defmt writes between `begin` and `end` only.
        unsafe { (*self.encoder.get()).write(bytes, |bytes| self.put(bytes)) };
    }

    fn end(&self) {
        // SAFETY: defmt calls this after `begin`, which has acquired the critical section.
        unsafe {
            (*self.encoder.get()).end_frame(|bytes| self.put(bytes));
            let restore = self.restore.get().read();
            self.begun.store(false, Ordering::Relaxed);
            critical_section::release(restore);
        }
    }

    /// Writes bytes; what cannot be written is lost.
    fn put(&self, bytes: &[u8]) {
        // SAFETY: called by the encoder inside a line; the encoder is another cell.
        let Some(output) = (unsafe { *self.output.get() }) else { return };
        let block = [ParamRegR::raw_fd(output), ParamRegR::buf(bytes), number(bytes.len())];
        // SAFETY: SYS_WRITE reads a handle, an address and a length, and as many bytes from there.
        unsafe { syscall_readonly(OperationNumber::SYS_WRITE, ParamRegR::block(&block)) };
    }
}

/// Opens the standard output, which semihosting calls ":tt" for writing.
fn open() -> Option<RawFd> {
    const NAME: &core::ffi::CStr = c":tt";
    const WRITE: usize = 4;
    let block = [ParamRegR::c_str(NAME), number(WRITE), number(NAME.count_bytes())];
    // SAFETY: SYS_OPEN reads the address of a string that ends with a zero, a mode, and the string's length.
    unsafe { syscall_readonly(OperationNumber::SYS_OPEN, ParamRegR::block(&block)) }.raw_fd()
}

fn number(n: usize) -> ParamRegR<'static> {
    ParamRegR::ptr(core::ptr::without_provenance::<u8>(n))
}

// SAFETY: what defmt asks for: `acquire` and `release` are a critical section, and a line cannot begin inside another.
unsafe impl defmt::Logger for Logger {
    fn acquire() {
        LINE.begin();
    }
    unsafe fn flush() {
        // What was written has arrived: semihosting waits for the debugger.
    }
    unsafe fn release() {
        LINE.end();
    }
    unsafe fn write(bytes: &[u8]) {
        LINE.write(bytes);
    }
}
