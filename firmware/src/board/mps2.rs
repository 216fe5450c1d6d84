//! MPS2 with the images AN385, AN386 and AN500: Cortex-M3, M4F and M7 at 25 MHz.

use super::register::Registers;
use super::uart::{Polled, cmsdk::Cmsdk};
use super::{Board, led};

/// UART 0.
pub type Uart = Polled<Cmsdk>;
/// The first of the user LEDs.
pub type Led = led::Led;

pub(super) fn board() -> Board {
    // SAFETY: UART 0 and the LED register of the board's FPGA (the memory maps in the application notes of these
    // names); the board is taken once.
    let (uart, light) = unsafe { (Registers::at(0x4000_4000), Registers::at(0x4002_8000)) };
    Board { uart: Polled::new(Cmsdk::new(uart, 25_000_000 / 115_200)), led: Led::new(light, 1, 0) }
}
