//! Which results belong to which command: a folder with the results of one command, or a file that is no such result, is not
//! written over by another.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::{Result, ensure};

use crate::first_bytes;

/// So much of a file is looked at.
const LOOKED_AT: u64 = 4096;

/// Files that tell whose results a folder holds: the command, the file, and what stands near its beginning.
const RECORDS: [(&str, &str, &str); 7] = [
    ("compare", "results.json", "\"runs\":"),
    ("bench", "results.json", "\"measurements\":"),
    ("device", "device.log", ""),
    ("train", "metrics.json", ""),
    ("train", "train.checkpoint", ""),
    ("survey", "survey.json", ""),
    ("reproduce", "report.md", ""),
];

/// What a command writes that writes a single file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A table of `predict`.
    Predictions,
    /// The page of `playground`.
    Playground,
    /// The picture of `bench --growth`.
    Growth,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Predictions => "a table of `lgl2o predict`",
            Self::Playground => "a page of `lgl2o playground`",
            Self::Growth => "a picture of `lgl2o bench`",
        }
    }

    /// Whether a file begins as one of these does.
    fn is(self, start: &str) -> bool {
        match self {
            Self::Predictions => start.starts_with("class,p_") || start.lines().next() == Some("value"),
            Self::Playground => start.contains("<title>lgl2o: a playground</title>"),
            Self::Growth => start.starts_with("<svg") && start.contains("How the time of a step grows"),
        }
    }
}

/// The beginning of a file; empty if it cannot be read.
fn start(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Opening a pipe would wait for somebody to write to it.
    if path.is_file() {
        let _ = File::open(path).and_then(|file| file.take(LOOKED_AT).read_to_end(&mut bytes));
    }
    bytes
}

/// Checks that a file that would be replaced is of the kind that is written, or empty.
///
/// # Errors
/// If it is something else; with what it is, and what to do.
pub(super) fn check(path: &Path, kind: Kind) -> Result<()> {
    let bytes = start(path);
    ensure!(
        bytes.is_empty() || kind.is(&String::from_utf8_lossy(&bytes)),
        "cannot write {}: the file that is there is {}, and not {}. Remove it, or name another place.",
        path.display(),
        first_bytes::name(&bytes),
        kind.name()
    );
    Ok(())
}

/// Checks that a folder has no results of another command.
///
/// # Errors
/// If it has; with the file, and what to do.
pub(super) fn check_folder(dir: &Path, command: &str) -> Result<()> {
    for (owner, name, mark) in RECORDS.iter().filter(|(owner, ..)| *owner != command) {
        let path = dir.join(name);
        ensure!(
            !path.is_file() || !String::from_utf8_lossy(&start(&path)).contains(mark),
            "{} has results of `lgl2o {owner}` ({name}), and `lgl2o {command}` would write over some of them: name another \
             folder with --out",
            dir.display()
        );
    }
    Ok(())
}
