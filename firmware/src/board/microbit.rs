//! BBC micro:bit, nRF51822: Cortex-M0 at 16 MHz.

use super::register::Registers;
use super::uart::{Polled, nrf51::Nrf51};
use super::{Board, led};

/// The UART to the interface chip.
pub type Uart = Polled<Nrf51>;
/// The LED in the corner of the matrix: its row is the pin, its column is held low.
pub type Led = led::Led;

const TX: u32 = 24;
const RX: u32 = 25;
const ROW: u32 = 13;
const COLUMN: u32 = 4;

pub(super) fn board() -> Board {
    // SAFETY: registers by the nRF51 reference manual: UART, and of the port: output, and direction of pins to set; the
    // board is taken once.
    let (uart, light, mut outputs) =
        unsafe { (Registers::at(0x4000_2000), Registers::at(0x5000_0504), Registers::<u32, 1>::at(0x5000_0518)) };
    outputs.write::<0>(1 << ROW | 1 << COLUMN | 1 << TX);
    // The line rests high.
    let rest = 1 << TX;
    Board { uart: Polled::new(Nrf51::new(uart, [TX, RX])), led: Led::new(light, rest | 1 << ROW, rest) }
}
