//! The boards. A board is one small file: its name, its UART and its LED; its memory map is in `memory/`.
//!
//! This module and what is below it are the only places with `unsafe` code: registers at fixed addresses.
#![allow(unsafe_code)]

#[cfg(target_arch = "arm")]
mod cortex_m;
mod counter;
mod file;
mod led;
mod log;
mod register;
#[cfg(target_arch = "riscv32")]
mod riscv;
mod stack;
mod uart;

#[cfg(target_arch = "arm")]
pub use cortex_m_rt::entry;
#[cfg(target_arch = "riscv32")]
pub use riscv_rt::entry;

#[cfg_attr(board = "lm3s6965evb", path = "lm3s6965evb.rs")]
#[cfg_attr(board = "microbit", path = "microbit.rs")]
#[cfg_attr(board = "mps2-an385", path = "mps2_an385.rs")]
#[cfg_attr(board = "mps2-an386", path = "mps2_an386.rs")]
#[cfg_attr(board = "mps2-an500", path = "mps2_an500.rs")]
#[cfg_attr(board = "mps2-an505", path = "mps2_an505.rs")]
#[cfg_attr(board = "mps3-an547", path = "mps3_an547.rs")]
#[cfg_attr(board = "netduinoplus2", path = "netduinoplus2.rs")]
#[cfg_attr(board = "riscv-virt", path = "riscv_virt.rs")]
mod chosen;

pub use chosen::{Led, Uart};
pub use counter::Instructions;
pub use file::{Flash, FlashError};
pub use stack::high_water;

use static_cell::ConstStaticCell;

/// The board's name, as QEMU and `lgl2o device --board` know it.
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
#[cfg(target_arch = "riscv32")]
pub use self::riscv::reset;

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

/// Ends the program; the debugger, or QEMU, ends with this status.
pub fn exit(status: i32) -> ! {
    semihosting::process::exit(status)
}
