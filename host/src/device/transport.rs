//! Lines to a device: bytes go out, bytes come in, and one may wait for them.

use std::io::{self, Read, Write};
use std::time::Duration;

/// The serial port of an emulated board: a socket of this machine's.
#[cfg(unix)]
pub type Uart = std::os::unix::net::UnixStream;
/// The serial port of an emulated board: a socket of this machine's.
#[cfg(not(unix))]
pub type Uart = std::net::TcpStream;

/// A line that carries bytes, which may be lost or damaged.
pub trait Transport {
    /// Sends bytes.
    ///
    /// # Errors
    /// If the line is broken.
    fn send(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Waits for bytes, but no longer than `patience`. Gives how many came, at least one, or `None` if time is up.
    ///
    /// # Errors
    /// If the line is broken; [`io::ErrorKind::UnexpectedEof`] if the other side has closed it.
    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<Option<usize>>;
}

/// The outcome of a read with a time-out.
pub(super) fn received(read: io::Result<usize>) -> io::Result<Option<usize>> {
    use io::ErrorKind::{Interrupted, TimedOut, UnexpectedEof, WouldBlock};
    match read {
        Ok(0) => Err(UnexpectedEof.into()),
        Ok(n) => Ok(Some(n)),
        Err(error) if matches!(error.kind(), Interrupted | TimedOut | WouldBlock) => Ok(None),
        Err(error) => Err(error),
    }
}

impl Transport for Uart {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.write_all(bytes)
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<Option<usize>> {
        self.set_read_timeout(Some(patience))?;
        received(self.read(buffer))
    }
}
