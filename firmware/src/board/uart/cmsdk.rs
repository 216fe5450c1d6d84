//! The UART of Arm's CMSDK, on MPS2 and MPS3 boards ("Cortex-M System Design Kit", DDI 0479, chapter 4).

use super::Hardware;
use crate::board::register::Registers;

const DATA: usize = 0;
/// Bit 0: transmitter full. Bit 1: receiver full.
const STATE: usize = 1;
/// Bit 0: transmitter on. Bit 1: receiver on.
const CTRL: usize = 2;
/// Clock cycles per bit, at least 16.
const BAUDDIV: usize = 4;

/// The registers.
pub struct Cmsdk(Registers<u32, 5>);

impl Cmsdk {
    /// Switches the UART on, at so many clock cycles per bit.
    pub(in crate::board) fn new(mut registers: Registers<u32, 5>, cycles_per_bit: u32) -> Self {
        registers.write::<BAUDDIV>(cycles_per_bit);
        registers.write::<CTRL>(0b11);
        Self(registers)
    }
}

impl Hardware for Cmsdk {
    fn received(&self) -> bool {
        self.0.read::<STATE>() & 0b10 != 0
    }
    fn take(&mut self) -> u8 {
        self.0.read::<DATA>() as u8
    }
    fn vacant(&self) -> bool {
        self.0.read::<STATE>() & 0b01 == 0
    }
    fn put(&mut self, byte: u8) {
        self.0.write::<DATA>(u32::from(byte));
    }
}
