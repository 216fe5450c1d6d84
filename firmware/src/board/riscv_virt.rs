//! QEMU's RISC-V machine `virt`. It has no light, so one word of memory stands for it.

use super::register::Registers;
use super::uart::{Polled, ns16550::Ns16550};
use super::{Board, led};

/// The UART.
pub type Uart = Polled<Ns16550>;
/// A word of memory.
pub type Led = led::Led;

pub(super) fn board() -> Board {
    // SAFETY: the UART (QEMU's documentation of `virt`), and the last word but one of the machine's RAM, which lies beyond
    // the 16 MB that the memory map gives to the program; the board is taken once.
    let (uart, light) = unsafe { (Registers::at(0x1000_0000), Registers::at(0x8000_0000 + (127 << 20))) };
    Board { uart: Polled::new(Ns16550::new(uart)), led: Led::new(light, 1, 0) }
}
