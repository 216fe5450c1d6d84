//! The 16550 (National Semiconductor PC16550D), with registers of one byte.

use super::Hardware;
use crate::board::register::Registers;

const DATA: usize = 0;
/// FIFOs: bit 0 switches them on.
const FIFO: usize = 2;
/// Bits 0 and 1: eight bits.
const LINE: usize = 3;
/// Bit 0: a byte has come in. Bit 5: the transmitter is empty.
const STATUS: usize = 5;

/// The registers.
pub struct Ns16550(Registers<u8, 8>);

impl Ns16550 {
    /// Switches the UART on, at the rate that it is set to.
    pub(in crate::board) fn new(mut registers: Registers<u8, 8>) -> Self {
        registers.write::<LINE>(0b11);
        registers.write::<FIFO>(1);
        Self(registers)
    }
}

impl Hardware for Ns16550 {
    fn received(&self) -> bool {
        self.0.read::<STATUS>() & 1 != 0
    }
    fn take(&mut self) -> u8 {
        self.0.read::<DATA>()
    }
    fn vacant(&self) -> bool {
        self.0.read::<STATUS>() & 1 << 5 != 0
    }
    fn put(&mut self, byte: u8) {
        self.0.write::<DATA>(byte);
    }
}
