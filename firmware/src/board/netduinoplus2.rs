//! Netduino Plus 2, STM32F405: Cortex-M4F at 16 MHz after reset.

use super::register::Registers;
use super::uart::{Polled, stm32::Usart};
use super::{Board, led};

/// USART 1, on PB6 and PB7.
pub type Uart = Polled<Usart>;
/// The blue LED, on PA10.
pub type Led = led::Led;

const LIGHT: u32 = 10;
const TX: u32 = 6;
const RX: u32 = 7;
/// What connects pins to USART 1.
const FUNCTION: u32 = 7;
/// Modes of PA13 and PA14 after reset, which the debugger needs.
const DEBUGGER: u32 = 0xa800_0000;

pub(super) fn board() -> Board {
    // SAFETY: registers by the reference manual RM0090: clock gates (from AHB1's to APB2's), modes of the ports A and B,
    // alternate functions of PB0 to PB7, set and reset of port A, USART 1; the board is taken once.
    let (mut gates, mut modes_a, mut modes_b, mut functions, light, uart) = unsafe {
        (
            Registers::<u32, 6>::at(0x4002_3830),
            Registers::<u32, 1>::at(0x4002_0000),
            Registers::<u32, 1>::at(0x4002_0400),
            Registers::<u32, 1>::at(0x4002_0420),
            Registers::at(0x4002_0018),
            Registers::at(0x4001_1000),
        )
    };
    gates.write::<0>(0b11);
    gates.write::<5>(1 << 4);
    modes_a.write::<0>(DEBUGGER | 1 << (2 * LIGHT));
    modes_b.write::<0>(2 << (2 * TX) | 2 << (2 * RX));
    functions.write::<0>(FUNCTION << (4 * TX) | FUNCTION << (4 * RX));
    let uart = Polled::new(Usart::new(uart, 16_000_000 / 115_200));
    Board { uart, led: Led::new(light, 1 << LIGHT, 1 << (LIGHT + 16)) }
}
