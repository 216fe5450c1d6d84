//! Arm's PL011 ("PrimeCell UART", DDI 0183), as it is in Stellaris parts.

use super::Hardware;
use crate::board::register::Registers;

const DATA: usize = 0;
/// Bit 4: nothing received. Bit 5: no room to send.
const FLAG: usize = 6;
/// Divisor of the clock, in 16 cycles per bit and in 64ths of that.
const DIVISOR: usize = 9;
const FRACTION: usize = 10;
/// Bits 5 and 6: eight bits. Bit 4: FIFOs.
const LINE: usize = 11;
/// Bit 0: on. Bits 8 and 9: transmitter and receiver.
const CONTROL: usize = 12;

/// The registers.
pub struct Pl011(Registers<u32, 13>);

impl Pl011 {
    /// Switches the UART on, at so many 64ths of 16 clock cycles per bit.
    pub(in crate::board) fn new(mut registers: Registers<u32, 13>, divisor: u32) -> Self {
        registers.write::<CONTROL>(0);
        registers.write::<DIVISOR>(divisor >> 6);
        registers.write::<FRACTION>(divisor & 0x3f);
        registers.write::<LINE>(0x70);
        registers.write::<CONTROL>(0x301);
        Self(registers)
    }
}

impl Hardware for Pl011 {
    fn received(&self) -> bool {
        self.0.read::<FLAG>() & 1 << 4 == 0
    }
    fn take(&mut self) -> u8 {
        self.0.read::<DATA>() as u8
    }
    fn vacant(&self) -> bool {
        self.0.read::<FLAG>() & 1 << 5 == 0
    }
    fn put(&mut self, byte: u8) {
        self.0.write::<DATA>(u32::from(byte));
    }
}
