//! MPS3 with the image AN547: Cortex-M55, its peripherals at 25 MHz, seen from the secure side.

use super::register::Registers;
use super::uart::{Polled, cmsdk::Cmsdk};
use super::{Board, led};

/// UART 0.
pub type Uart = Polled<Cmsdk>;
/// The first of the user LEDs.
pub type Led = led::Led;

pub(super) fn board() -> Board {
    // SAFETY: UART 0 and the LED register of the board's FPGA, by their secure addresses (application note AN547, memory
    // map); the board is taken once.
    let (uart, light) = unsafe { (Registers::at(0x5930_3000), Registers::at(0x5930_2000)) };
    Board { uart: Polled::new(Cmsdk::new(uart, 25_000_000 / 115_200)), led: Led::new(light, 1, 0) }
}
