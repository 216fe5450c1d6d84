//! A download by the program `curl`.
//!
//! It is part of Windows, of macOS and of most Linux systems, knows their certificates and proxies (`https_proxy`, `no_proxy`, `.curlrc`),
//! and spares every build of this program a TLS library.

use std::io::{self, Read};
use std::process::{Child, ChildStdout, Command, Stdio};

/// How long finding a mirror, and then connecting to it, may take, in seconds.
const CONNECT_TIMEOUT: &str = "15";
/// How long a mirror may stay silent, in seconds.
const SILENCE_TIMEOUT: &str = "30";
/// How long one file may take in all, in seconds; 10 MB then need 17 kB/s.
const FILE_TIMEOUT: &str = "600";

/// A running download, whose body is read as it comes. Dropped before its end, it is stopped.
pub(super) struct Download {
    curl: Child,
    body: ChildStdout,
}

impl Download {
    /// Starts a download, with further arguments for `curl`.
    ///
    /// # Errors
    /// If there is no `curl` to start.
    pub(super) fn start(address: &str, further: &[&str]) -> io::Result<Self> {
        let mut curl = Command::new("curl")
            .args(["--silent", "--show-error", "--fail", "--location", "--globoff"])
            .args(["--connect-timeout", CONNECT_TIMEOUT, "--max-time", FILE_TIMEOUT])
            .args(["--speed-limit", "1", "--speed-time", SILENCE_TIMEOUT])
            .args(["--user-agent", concat!("lgl2o/", env!("CARGO_PKG_VERSION"))])
            .args(further)
            .args(["--output", "-", "--url", address])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let body = curl.stdout.take().expect("piped");
        Ok(Self { curl, body })
    }

    /// Waits for the end, once the whole body is read.
    ///
    /// # Errors
    /// What `curl` says of a failure.
    pub(super) fn finish(mut self) -> Result<(), String> {
        let mut words = String::new();
        let said = self.curl.stderr.take().map(|mut stderr| stderr.read_to_string(&mut words));
        let status = self.curl.wait().map_err(|error| error.to_string())?;
        if status.success() {
            return Ok(());
        }
        match said {
            // One line: "curl: (6) Could not resolve host: ...".
            Some(Ok(1..)) => Err(words.trim().trim_start_matches("curl: ").to_owned()),
            _ => Err(format!("curl failed ({status})")),
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
        // Both fail where it has ended by itself, and that is as good.
        let _ = self.curl.kill();
        let _ = self.curl.wait();
    }
}
