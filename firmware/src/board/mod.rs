//! The boards. A board is one small file, its UART and its LED; all else that is known of it stands in `shared/boards.toml`.
//!
//! Boards under QEMU (`cfg(emulated)`) share the rest: drivers of registers, a log and a flash by semihosting, and a counter
//! of instructions. Real hardware has a HAL for that, in its one file; what the HALs have in common is in `hardware`
//! and `line`.
//!
//! This module and what is below it are the only places with `unsafe` code: registers at fixed addresses.
#![allow(unsafe_code)]

#[cfg(target_arch = "arm")]
mod cortex_m;
#[cfg(emulated)]
mod counter;
#[cfg(emulated)]
mod file;
#[cfg(not(emulated))]
mod hardware;
#[cfg(emulated)]
mod led;
#[cfg(not(emulated))]
mod line;
// The logger of real hardware panics where it is called in the middle of a line. For the proof that nothing else does,
// this one takes its place.
#[cfg(any(emulated, feature = "panic-never"))]
mod log;
#[cfg(emulated)]
mod register;
#[cfg(all(target_arch = "riscv32", emulated))]
mod riscv;
mod stack;
#[cfg(emulated)]
mod uart;

#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(all(target_arch = "riscv32", not(emulated)))]
pub use esp_hal::main as entry;
#[cfg(all(target_arch = "riscv32", emulated))]
pub use riscv_rt::entry;

// The board's file, as `build.rs` has it from `shared/boards.toml`.
include!(concat!(env!("OUT_DIR"), "/chosen.rs"));

#[cfg(not(emulated))]
pub use chosen::{CHECKPOINTS, Flash, flash};
pub use chosen::{Led, Uart};
#[cfg(emulated)]
pub use counter::Meter;
#[cfg(emulated)]
pub use file::{CHECKPOINTS, Flash, FlashError, flash};
#[cfg(not(emulated))]
pub use hardware::{FlashError, Meter, exit};
pub use stack::high_water;

use static_cell::ConstStaticCell;

/// The board's name, as `lgl2o device --board` knows it.
pub const NAME: &str = env!("BOARD");

/// The same for who has only the file: `lgl2o device` will not run it on another board.
#[unsafe(no_mangle)]
static LGL2O_BOARD: [u8; NAME.len()] = {
    let (mut name, mut i) = ([0; NAME.len()], 0);
    while i < name.len() {
        name[i] = NAME.as_bytes()[i];
        i += 1;
    }
    name
};

/// Exit status after a panic.
pub const PANICKED: i32 = 100;
/// Exit status after a fault of the processor.
pub const FAULTED: i32 = 101;

#[cfg(target_arch = "arm")]
pub use self::cortex_m::reset;
#[cfg(all(target_arch = "riscv32", emulated))]
pub use self::riscv::reset;
#[cfg(all(target_arch = "riscv32", not(emulated)))]
pub use chosen::reset;

/// What is on the board.
pub struct Board {
    /// The line to the host.
    pub uart: Uart,
    /// The light.
    pub led: Led,
}

impl Board {
    /// The board; `None` if it was taken before.
    pub fn take() -> Option<Self> {
        static THERE: ConstStaticCell<()> = ConstStaticCell::new(());
        THERE.try_take()?;
        // Kept in the program by being looked at.
        core::hint::black_box(&LGL2O_BOARD);
        stack::paint();
        Some(chosen::board())
    }
}

/// Ends the program; QEMU ends with this status.
#[cfg(emulated)]
pub fn exit(status: i32) -> ! {
    semihosting::process::exit(status)
}
