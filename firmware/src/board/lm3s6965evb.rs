//! Stellaris LM3S6965 evaluation board: Cortex-M3 at 12 MHz after reset.

use super::register::Registers;
use super::uart::{Polled, pl011::Pl011};
use super::{Board, led};

/// UART 0.
pub type Uart = Polled<Pl011>;
/// LED 1, on port F.
pub type Led = led::Led;

/// Port F's pin 0, and its register that shows and sets this pin only (the address is the mask).
const PIN: u32 = 1;

pub(super) fn board() -> Board {
    // SAFETY: registers by the data sheet of the LM3S6965: clock gates of UARTs and of ports, UART 0, data of pin F0,
    // direction and digital enable of port F; the board is taken once.
    let (mut gates, uart, mut direction, mut digital, light) = unsafe {
        (
            Registers::<u32, 2>::at(0x400f_e104),
            Registers::at(0x4000_c000),
            Registers::<u32, 1>::at(0x4002_5400),
            Registers::<u32, 1>::at(0x4002_551c),
            Registers::at(0x4002_5000 + ((PIN as usize) << 2)),
        )
    };
    gates.write::<0>(1);
    gates.write::<1>(1 << 5);
    direction.write::<0>(PIN);
    digital.write::<0>(PIN);
    // 12 MHz / (16 * 115,200), in 64ths.
    let divisor = 12_000_000 * 4 / 115_200;
    Board { uart: Polled::new(Pl011::new(uart, divisor)), led: Led::new(light, PIN, 0) }
}
