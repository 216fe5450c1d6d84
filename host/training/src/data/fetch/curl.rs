//! A download with the program `curl`.
//!
//! It is part of Windows, of macOS and of most Linux systems, knows their certificates and proxies (`https_proxy`, `no_proxy`, `.curlrc`),
//! and spares every build of this program a TLS library.

use std::io::{self, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

use crate::interrupt::Ours;

/// How long finding a mirror, and then connecting to it, may take, in seconds.
const CONNECT_TIMEOUT: &str = "15";
/// How long a mirror may stay silent, in seconds.
const SILENCE_TIMEOUT: &str = "30";
/// How long one file may take in all, in seconds; 10 MB then need 17 kB/s.
const FILE_TIMEOUT: &str = "600";

/// A running download, whose body is read as it comes. `curl` ends when this value is dropped, and with this program.
pub(super) struct Download {
    curl: Child,
    body: ChildStdout,
    ours: Option<Ours>,
}

impl Download {
    /// Starts a download, with further arguments for `curl`.
    ///
    /// # Errors
    /// If there is no `curl` to start.
    pub(super) fn start(address: &str, further: &[&str]) -> io::Result<Self> {
        let mut command = Command::new("curl");
        command
            .args(["--silent", "--show-error", "--fail", "--location", "--globoff"])
            .args(["--connect-timeout", CONNECT_TIMEOUT, "--max-time", FILE_TIMEOUT])
            .args(["--speed-limit", "1", "--speed-time", SILENCE_TIMEOUT])
            .args(["--user-agent", concat!("lgl2o/", env!("CARGO_PKG_VERSION"))])
            .args(further)
            .args(["--output", "-", "--url", address])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let (mut curl, ours) = Ours::spawn(&mut command)?;
        let body = curl.stdout.take().expect("piped");
        Ok(Self { curl, body, ours: Some(ours) })
    }

    /// Waits for the end, once the whole body is read.
    ///
    /// # Errors
    /// What `curl` says of a failure.
    pub(super) fn finish(mut self) -> Result<(), String> {
        // One line: "curl: (6) Could not resolve host: ...".
        let mut line = String::new();
        let said = self.curl.stderr.take().map_or(Ok(0), |mut stderr| stderr.read_to_string(&mut line));
        let status = said.and_then(|_| self.curl.wait()).map_err(|error| error.to_string())?;
        if let Some(ours) = self.ours.take() {
            ours.forget();
        }
        if status.success() {
            return Ok(());
        }
        match line.trim().trim_start_matches("curl: ") {
            "" => Err(format!("curl failed ({status})")),
            line => Err(line.to_owned()),
        }
    }
}

impl Read for Download {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.body.read(buffer)
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        // Ends the process where it still runs; it is then waited for, so that none is left.
        drop(self.ours.take());
        let _ = self.curl.wait();
    }
}
