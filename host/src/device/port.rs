//! Serial ports, for real hardware.

use std::io::{self, ErrorKind, Read};
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, anyhow};
use serial2::SerialPort;

use super::Transport;
use super::transport::received;

/// Bits per second; the boards' UARTs are set to it.
pub const BAUD: u32 = 115_200;

/// A serial port, waited for without end.
#[derive(Debug)]
pub struct Port(SerialPort);

/// Opens a serial port.
///
/// # Errors
/// If it is not there, busy, or not ours to use; the error says which.
pub fn open(path: &Path) -> Result<Port> {
    let ours = |port: SerialPort| claim(&port).map(|()| port);
    let mut port = SerialPort::open(path, BAUD).and_then(ours).map_err(|error| trouble(path, &error))?;
    port.set_read_timeout(Duration::from_millis(200)).map_err(|error| trouble(path, &error))?;
    Ok(Port(port))
}

/// Takes the port for this program alone: two readers would get half of the bytes each. Programs that keep to it see
/// the lock, and the system refuses it to all others but the administrator's.
#[cfg(unix)]
fn claim(port: &SerialPort) -> io::Result<()> {
    use rustix::fs::{FlockOperation, flock};
    use rustix::termios::ioctl_tiocexcl;
    match flock(port, FlockOperation::NonBlockingLockExclusive) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => return Err(ErrorKind::ResourceBusy.into()),
        other => other?,
    }
    Ok(ioctl_tiocexcl(port)?)
}

/// Other systems do not open a port twice.
#[cfg(not(unix))]
fn claim(_: &SerialPort) -> io::Result<()> {
    Ok(())
}

impl Port {
    /// Forgets what has come in so far.
    ///
    /// # Errors
    /// If the port is broken.
    pub fn discard(&self) -> io::Result<()> {
        self.0.discard_input_buffer()
    }
}

/// The serial ports that are there, each with whether this user may read and write it.
#[must_use]
pub fn all() -> Vec<(String, bool)> {
    let there = SerialPort::available_ports().unwrap_or_default();
    there.iter().map(|port| (port.display().to_string(), is_ours(port))).collect()
}

/// Whether this user may read and write a file; it is not opened.
#[cfg(unix)]
fn is_ours(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::READ_OK | rustix::fs::Access::WRITE_OK).is_ok()
}

#[cfg(not(unix))]
fn is_ours(_: &Path) -> bool {
    true
}

/// The serial ports that are there, in words.
#[must_use]
pub fn names() -> String {
    let names: Vec<String> = all().into_iter().map(|(name, _)| name).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

fn trouble(path: &Path, error: &io::Error) -> anyhow::Error {
    let path = path.display();
    match error.kind() {
        ErrorKind::NotFound => {
            anyhow!("there is no serial port {path}; those that are there: {}", names())
        }
        ErrorKind::PermissionDenied => {
            anyhow!("no permission to use {path}; on many systems the group `dialout` has it")
        }
        ErrorKind::ResourceBusy => anyhow!("{path} is busy: another program has it open"),
        _ => anyhow!("cannot use {path} as a serial port: {error}"),
    }
}

impl Read for Port {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.0.read(buffer) {
                Err(error) if error.kind() == ErrorKind::TimedOut => {}
                other => return other,
            }
        }
    }
}

impl Transport for Port {
    fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn receive(&mut self, buffer: &mut [u8], patience: Duration) -> io::Result<Option<usize>> {
        self.0.set_read_timeout(patience)?;
        received(self.0.read(buffer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_not_there_is_named() {
        let error = open(Path::new("/dev/ttyNone")).expect_err("not there");
        assert!(error.to_string().contains("/dev/ttyNone"), "{error}");
        // A file is there, but is no port.
        let file = tempfile::NamedTempFile::new().expect("temporary file");
        assert!(open(file.path()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_port_that_is_open_already_is_busy() {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let board = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a pseudo-terminal");
        grantpt(&board).and_then(|()| unlockpt(&board)).expect("open to us");
        let path = ptsname(&board, Vec::new()).expect("a name").into_string().expect("in Unicode");
        let first = open(Path::new(&path)).expect("free");
        let error = open(Path::new(&path)).expect_err("busy");
        assert!(error.to_string().contains(&format!("{path} is busy: another program has it open")), "{error}");
        drop(first);
        open(Path::new(&path)).expect("free again");
    }
}
