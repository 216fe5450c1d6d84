//! QEMU: found, checked, started with the UART on a socket and the log on its output, and ended whatever happens.

use std::io::{self, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::Uart;
use super::board::{Board, Runner};
use crate::files::Temporary;
use crate::interrupt::Ours;

/// The oldest version that knows all boards, and semihosting on RISC-V.
const OLDEST: [u32; 2] = [6, 0];
/// QEMU opens its end of the socket within this time, or never.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running emulator. It is killed when this value goes away, and when this program ends, however that comes.
#[derive(Debug)]
pub struct Emulator {
    child: Child,
    /// Kills it.
    ours: Option<Ours>,
    /// Both directions of the board's UART.
    pub uart: Uart,
    /// What the program logs.
    pub log: Option<ChildStdout>,
    /// Where the socket is, and what the board keeps when its power is off.
    folder: Temporary,
}

impl Emulator {
    /// Starts a program on a board.
    ///
    /// # Errors
    /// If QEMU is not there, too old, or ends before it is ready.
    pub fn start(board: &Board, elf: &Path) -> Result<Self> {
        Self::start_with(board, elf, &[])
    }

    /// Starts a program on a board whose clock goes by instructions: one virtual nanosecond each.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn counting(board: &Board, elf: &Path) -> Result<Self> {
        Self::start_with(board, elf, &["-icount", "shift=0"])
    }

    fn start_with(board: &Board, elf: &Path, more: &[&str]) -> Result<Self> {
        check(board)?;
        let folder = Temporary::new()?;
        let elf = std::path::absolute(elf).with_context(|| format!("cannot find {}", elf.display()))?;
        let Launched { child, ours, uart, log } = launch(board, &elf, folder.path(), more)?;
        Ok(Self { child, ours: Some(ours), uart, log, folder })
    }

    /// Stops the emulator at once, as a power failure would.
    ///
    /// # Errors
    /// If QEMU does not end.
    pub fn cut(&mut self) -> Result<()> {
        self.ours = None;
        self.child.wait().context("cannot wait for QEMU")?;
        Ok(())
    }

    /// Starts the board again after [`cut`](Self::cut), with the flash as it was left.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn restart(&mut self, board: &Board, elf: &Path) -> Result<()> {
        let elf = std::path::absolute(elf).with_context(|| format!("cannot find {}", elf.display()))?;
        let Launched { child, ours, uart, log } = launch(board, &elf, self.folder.path(), &[])?;
        (self.child, self.ours, self.uart, self.log) = (child, Some(ours), uart, log);
        Ok(())
    }

    /// Waits for the program's end; it has said its last word already.
    ///
    /// # Errors
    /// If there is no end in sight.
    pub fn end(&mut self) -> Result<ExitStatus> {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait().context("cannot wait for QEMU")? {
                if let Some(ours) = self.ours.take() {
                    ours.forget();
                }
                return Ok(status);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        bail!("QEMU has closed its lines, but does not end")
    }
}

/// The emulator of a board, and its arguments that say which machine.
fn qemu(board: &Board) -> Result<(&'static str, &'static str)> {
    match board.runner {
        Runner::Qemu { program, machine } => Ok((program, machine)),
        Runner::Hardware { .. } => bail!("QEMU does not have the board {}", board.name),
    }
}

/// A process of QEMU's with its lines.
struct Launched {
    child: Child,
    ours: Ours,
    uart: Uart,
    log: Option<ChildStdout>,
}

/// Runs QEMU in a folder, in which a flash that is a file stays.
fn launch(board: &Board, elf: &Path, folder: &Path, more: &[&str]) -> Result<Launched> {
    let (program, machine) = qemu(board)?;
    let socket = Socket::new(folder).context("cannot make a socket for the UART")?;
    let mut command = Command::new(program);
    command
        .current_dir(folder)
        .args(machine.split(' '))
        .args(more)
        .args(["-nographic", "-monitor", "none", "-semihosting-config", "enable=on,target=native"])
        .arg("-chardev")
        .arg(format!("socket,id=uart,{},server=on,wait=on", socket.address()))
        .args(["-serial", "chardev:uart", "-kernel"])
        .arg(elf);
    let started = Ours::spawn(command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()));
    let (mut child, ours) = started.with_context(|| format!("cannot run {program}"))?;
    let uart = match connect(&socket, &mut child, program) {
        Ok(uart) => uart,
        Err(error) => {
            drop(ours);
            let _ = child.wait();
            return Err(error);
        }
    };
    let log = child.stdout.take();
    Ok(Launched { child, ours, uart, log })
}

impl Drop for Emulator {
    fn drop(&mut self) {
        self.ours = None;
        let _ = self.child.wait();
    }
}

/// Where QEMU is to open the socket of the UART.
#[cfg(unix)]
struct Socket(std::path::PathBuf);

#[cfg(unix)]
impl Socket {
    fn new(folder: &Path) -> io::Result<Self> {
        let path = folder.join("uart");
        match std::fs::remove_file(&path) {
            // One that was killed leaves it behind.
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(Self(path)),
        }
    }

    fn address(&self) -> String {
        format!("path={}", self.0.display())
    }

    fn connect(&self) -> io::Result<Uart> {
        Uart::connect(&self.0)
    }
}

/// Where QEMU is to open the socket of the UART: a port that was free a moment ago.
#[cfg(not(unix))]
struct Socket(std::net::SocketAddr);

#[cfg(not(unix))]
impl Socket {
    fn new(_: &Path) -> io::Result<Self> {
        Ok(Self(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?))
    }

    fn address(&self) -> String {
        format!("host={},port={}", self.0.ip(), self.0.port())
    }

    fn connect(&self) -> io::Result<Uart> {
        Uart::connect(self.0)
    }
}

/// Connects to the socket once QEMU has opened it.
fn connect(socket: &Socket, child: &mut Child, program: &str) -> Result<Uart> {
    let start = Instant::now();
    loop {
        match socket.connect() {
            Ok(stream) => return Ok(stream),
            Err(_) if child.try_wait().context("cannot wait for QEMU")?.is_some() => {
                let mut words = String::new();
                child.stderr.take().map(|mut stderr| stderr.read_to_string(&mut words));
                bail!("{program} does not start: {}", words.trim());
            }
            Err(error) if start.elapsed() > PATIENCE => {
                return Err(error).with_context(|| format!("{program} opens no UART"));
            }
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
}

/// Whether the emulator can be started at all.
#[must_use]
pub fn is_there(board: &Board) -> bool {
    qemu(board).is_ok_and(|(program, _)| Command::new(program).arg("--version").output().is_ok())
}

/// Checks that the emulator is there and new enough.
///
/// # Errors
/// If not, with what to do.
pub fn check(board: &Board) -> Result<()> {
    let (program, _) = qemu(board)?;
    let output = match Command::new(program).arg("--version").output() {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => bail!("{}", missing(board, program)),
        Err(error) => return Err(error).with_context(|| format!("cannot run {program}")),
    };
    let words = String::from_utf8_lossy(&output.stdout);
    match version(&words) {
        Some(found) if found >= OLDEST => Ok(()),
        Some([major, minor]) => bail!(
            "{program} is of version {major}.{minor}; at least {}.{} is needed for all boards",
            OLDEST[0],
            OLDEST[1]
        ),
        None => bail!("{program} --version does not say its version: {}", words.trim()),
    }
}

fn missing(board: &Board, program: &str) -> String {
    format!("{program} is not installed; on Debian and Ubuntu: {} (as root)", install(board, program))
}

/// The command that installs a board's emulator on Debian and Ubuntu.
#[must_use]
pub fn install(board: &Board, program: &str) -> String {
    format!("apt-get install --no-install-recommends {}", board.entry.get("package").unwrap_or(program))
}

/// Major and minor version in "QEMU emulator version 7.2.22 (Debian ...)".
fn version(words: &str) -> Option<[u32; 2]> {
    let number = words.split("version ").nth(1)?.split([' ', '\n']).next()?;
    let mut parts = number.split('.').map(|part| part.parse().ok());
    Some([parts.next()??, parts.next()??])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        assert_eq!(version("QEMU emulator version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)\nCopyright"), Some([7, 2]));
        assert_eq!(version("QEMU emulator version 10.0\n"), Some([10, 0]));
        assert_eq!(version("something else"), None);
    }
}
