//! The UART of nRF51 parts (nRF51 Series Reference Manual, chapter 29). Its registers are tasks, events and settings.

use core::cell::Cell;

use super::Hardware;
use crate::board::register::Registers;

const START_RX: usize = 0;
const START_TX: usize = 2;
/// A byte has come in.
const RX_READY: usize = 0x108 / 4;
/// The byte has been sent.
const TX_READY: usize = 0x11c / 4;
const ENABLE: usize = 0x500 / 4;
const PIN_TX: usize = 0x50c / 4;
const PIN_RX: usize = 0x514 / 4;
const RX: usize = 0x518 / 4;
const TX: usize = 0x51c / 4;
const BAUD: usize = 0x524 / 4;

/// Registers of the UART.
pub(in crate::board) const REGISTERS: usize = 0x570 / 4;
const ON: u32 = 4;
/// What the manual gives for 115,200 bits per second.
const BAUD_115200: u32 = 0x01d7_e000;

/// The registers.
pub struct Nrf51 {
    registers: Registers<u32, REGISTERS>,
    /// Whether a byte is on its way. The event says when it is not any more, but nothing says so before the first.
    sending: Cell<bool>,
}

impl Nrf51 {
    /// Switches the UART on, on these two pins.
    pub(in crate::board) fn new(mut registers: Registers<u32, REGISTERS>, [tx, rx]: [u32; 2]) -> Self {
        registers.write::<PIN_TX>(tx);
        registers.write::<PIN_RX>(rx);
        registers.write::<BAUD>(BAUD_115200);
        registers.write::<ENABLE>(ON);
        registers.write::<START_RX>(1);
        registers.write::<START_TX>(1);
        Self { registers, sending: Cell::new(false) }
    }
}

impl Hardware for Nrf51 {
    fn received(&self) -> bool {
        self.registers.read::<RX_READY>() != 0
    }
    fn take(&mut self) -> u8 {
        // The event is cleared first: reading the byte may raise it again for the next one.
        self.registers.write::<RX_READY>(0);
        self.registers.read::<RX>() as u8
    }
    fn vacant(&self) -> bool {
        !self.sending.get() || self.registers.read::<TX_READY>() != 0
    }
    fn put(&mut self, byte: u8) {
        self.registers.write::<TX_READY>(0);
        self.registers.write::<TX>(u32::from(byte));
        self.sending.set(true);
    }
}
