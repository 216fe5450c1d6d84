//! The USART of STM32F4 parts (reference manual RM0090, chapter 30).

use super::Hardware;
use crate::board::register::Registers;

/// Bit 5: a byte has come in. Bit 7: the transmitter is empty.
const STATUS: usize = 0;
const DATA: usize = 1;
/// Clock cycles per bit, with 16 samples a bit.
const BAUD: usize = 2;
/// Bit 13: on. Bits 3 and 2: transmitter and receiver.
const CONTROL: usize = 3;

/// The registers.
pub struct Usart(Registers<u32, 4>);

impl Usart {
    /// Switches the USART on, at so many clock cycles per bit.
    pub(in crate::board) fn new(mut registers: Registers<u32, 4>, cycles_per_bit: u32) -> Self {
        registers.write::<BAUD>(cycles_per_bit);
        registers.write::<CONTROL>(1 << 13 | 1 << 3 | 1 << 2);
        Self(registers)
    }
}

impl Hardware for Usart {
    fn received(&self) -> bool {
        self.0.read::<STATUS>() & 1 << 5 != 0
    }
    fn take(&mut self) -> u8 {
        self.0.read::<DATA>() as u8
    }
    fn vacant(&self) -> bool {
        self.0.read::<STATUS>() & 1 << 7 != 0
    }
    fn put(&mut self, byte: u8) {
        self.0.write::<DATA>(u32::from(byte));
    }
}
