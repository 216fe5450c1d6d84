//! Serial ports, for boards of metal.

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
    let mut port = SerialPort::open(path, BAUD).map_err(|error| trouble(path, &error))?;
    port.set_read_timeout(Duration::from_millis(200)).map_err(|error| trouble(path, &error))?;
    Ok(Port(port))
}

fn trouble(path: &Path, error: &io::Error) -> anyhow::Error {
    let path = path.display();
    match error.kind() {
        ErrorKind::NotFound => {
            let there = SerialPort::available_ports().unwrap_or_default();
            let names: Vec<String> = there.iter().map(|port| port.display().to_string()).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            anyhow!("there is no serial port {path}; those that are there: {names}")
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
}
