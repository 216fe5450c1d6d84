//! The UART of real hardware behind `embedded-io`: what its HAL does differently is a [`Line`], the rest is the same for all.

use core::convert::Infallible;

use embedded_io::{ErrorType, Read, Write};

/// What a HAL offers, of which every call waits for its end.
pub trait Line {
    /// Waits for a byte; `None` for one that was damaged or came too early.
    fn receive(&mut self) -> Option<u8>;
    /// Sends the first bytes, at least one, of a slice that is not empty; returns how many.
    fn send(&mut self, bytes: &[u8]) -> usize;
    /// Waits until all bytes are sent.
    fn finish(&mut self);
}

/// A [`Line`] over a UART of one of embassy's HALs, by the calls that wait. Their UARTs without a buffer have no `embedded_io::Read`.
#[allow(unused_macros)]
macro_rules! by_blocking_calls {
    ($uart:ty) => {
        impl $crate::board::line::Line for $uart {
            fn receive(&mut self) -> Option<u8> {
                let mut byte = 0;
                self.blocking_read(core::slice::from_mut(&mut byte)).ok().map(|()| byte)
            }
            fn send(&mut self, bytes: &[u8]) -> usize {
                // A UART that sends has no errors to report.
                let _ = self.blocking_write(bytes);
                bytes.len()
            }
            fn finish(&mut self) {
                let _ = self.blocking_flush();
            }
        }
    };
}
#[allow(unused_imports)]
pub(super) use by_blocking_calls;

/// A UART through its HAL.
pub struct Uart<L>(pub(super) L);

impl<L> ErrorType for Uart<L> {
    type Error = Infallible;
}

impl<L: Line> Read for Uart<L> {
    /// One byte; the few that come in meanwhile wait in the hardware. A byte that was damaged or came too early is missing in
    /// its frame, whose checksum shows it.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Infallible> {
        let Some(first) = buffer.first_mut() else { return Ok(0) };
        loop {
            if let Some(byte) = self.0.receive() {
                *first = byte;
                return Ok(1);
            }
        }
    }
}

impl<L: Line> Write for Uart<L> {
    fn write(&mut self, buffer: &[u8]) -> Result<usize, Infallible> {
        Ok(if buffer.is_empty() { 0 } else { self.0.send(buffer) })
    }
    fn flush(&mut self) -> Result<(), Infallible> {
        self.0.finish();
        Ok(())
    }
}
