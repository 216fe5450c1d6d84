//! Writing a program into real hardware, and resetting it, by `probe-rs`.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// So many of its last lines are shown when it fails.
const LINES: usize = 10;

/// Whether `probe-rs` is installed.
#[must_use]
pub fn is_there() -> bool {
    let version = Command::new("probe-rs").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    version.is_ok_and(|status| status.success())
}

/// Writes a program into a board's flash. `erase` empties the rest of it too, where checkpoints of an earlier run may be.
///
/// # Errors
/// With what `probe-rs` says, if it fails: mostly that it finds no board.
pub fn write(chip: &str, elf: &Path, erase: bool) -> Result<()> {
    let mut command = Command::new("probe-rs");
    command.args(["download", "--chip", chip, "--disable-progressbars"]);
    if erase {
        command.arg("--chip-erase");
    }
    run(command.arg(elf), "write the program into the board")
}

/// Resets the board, so that its program starts.
///
/// # Errors
/// As [`write()`].
pub fn reset(chip: &str) -> Result<()> {
    run(Command::new("probe-rs").args(["reset", "--chip", chip]), "reset the board")
}

fn run(command: &mut Command, what: &str) -> Result<()> {
    let output = match command.stdin(Stdio::null()).output() {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => bail!("probe-rs is not installed"),
        Err(error) => return Err(error).context("cannot run probe-rs"),
    };
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = words.lines().filter(|line| !line.trim().is_empty()).collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
    bail!("probe-rs cannot {what}; it ended with:\n{last}")
}
