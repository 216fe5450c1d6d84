//! UARTs: polled drivers behind `embedded-io`, one file each.
// A board uses one of them.
#![allow(dead_code, unreachable_pub)]

pub(super) mod cmsdk;
pub(super) mod nrf51;
pub(super) mod ns16550;
pub(super) mod pl011;
pub(super) mod stm32;

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, ReadReady, Write};

/// What a driver has to say about its hardware; the rest is the same for all.
pub trait Hardware {
    /// Whether a byte has come in.
    fn received(&self) -> bool;
    /// The byte that has come in; only after `received`.
    fn take(&mut self) -> u8;
    /// Whether a byte can be sent.
    fn vacant(&self) -> bool;
    /// Sends a byte; only after `vacant`.
    fn put(&mut self, byte: u8);
}

/// A UART that is waited for.
pub struct Polled<H>(H);

impl<H> Polled<H> {
    pub(super) const fn new(hardware: H) -> Self {
        Self(hardware)
    }
}

impl<H> ErrorType for Polled<H> {
    type Error = Infallible;
}

impl<H: Hardware> ReadReady for Polled<H> {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.received())
    }
}

impl<H: Hardware> Read for Polled<H> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let Some(first) = buffer.first_mut() else { return Ok(0) };
        while !self.0.received() {}
        *first = self.0.take();
        Ok(1)
    }
}

impl<H: Hardware> Write for Polled<H> {
    fn write(&mut self, buffer: &[u8]) -> Result<usize, Infallible> {
        let Some(first) = buffer.first() else { return Ok(0) };
        while !self.0.vacant() {}
        self.0.put(*first);
        Ok(1)
    }
    fn flush(&mut self) -> Result<(), Infallible> {
        while !self.0.vacant() {}
        Ok(())
    }
}
