//! Downloads MNIST: four files, from the first mirror that delivers each of them.
//!
//! A file is written beside its place under a temporary name, its decompressed content is checked
//! against the known SHA-256, and only then is it renamed; so an interrupted or wrong download
//! never leaves a file that looks right. Files that are there and right are kept, and so are whole files of another data set,
//! which are then an error. Time and size are
//! bounded. The program `curl` downloads. Mirrors: the public copies of the Common Visual Data Foundation and of PyTorch.

mod curl;

use std::fmt;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};

use self::curl::Download;
use super::DataError;
use super::folder::{KnownFile, MNIST_FILES, PARTS, known_content, locate};
use crate::files::{missing, sweep};
use crate::interrupt::Ours;

/// Folders of the internet that hold the four `.gz` files, tried in this order.
const MIRRORS: [&str; 2] =
    ["https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"];

/// How much longer than its content a file may be: gzip adds far less, even where it does not
/// compress.
const GZIP_SLACK: u64 = 64 * 1024;

/// Whether a download shows a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// On standard error, and only where that is a terminal.
    Bar,
    /// Never.
    Silent,
}

/// What became of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was there and its content is right; nothing was downloaded.
    Kept,
    /// It was not there and came from this address.
    Downloaded(String),
    /// It was there but damaged, and was replaced from this address.
    Replaced(String),
}

/// One file of the data set, now in place and verified. Its `Display` is one line for the user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where the file is.
    pub file: PathBuf,
    /// How it came there.
    pub outcome: Outcome,
}

impl fmt::Display for Fetched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.file.display();
        match &self.outcome {
            Outcome::Kept => write!(f, "kept       {file} (already there, checksum correct)"),
            Outcome::Downloaded(from) => write!(f, "downloaded {file} from {from}"),
            Outcome::Replaced(from) => {
                write!(f, "replaced   {file}, which was damaged, from {from}")
            }
        }
    }
}

/// Puts the four files of MNIST into `dir/mnist`, verified, and says what became of each.
///
/// # Errors
///
/// [`DataError::Download`] when no mirror delivered a file (naming each mirror, its error, and how
/// to place the files by hand), and [`DataError::Io`] when the folder cannot be written.
pub fn fetch_mnist(dir: &Path, progress: Progress) -> Result<Vec<Fetched>, DataError> {
    let request = Request {
        options: &[],
        mirrors: &MIRRORS,
        files: &MNIST_FILES,
        names: &PARTS,
        folder: dir.join("mnist"),
        progress,
    };
    request.fetch_all()
}

/// What is fetched from where to where; tests fill it with small files and a local server.
struct Request<'a> {
    /// Further arguments for `curl`.
    options: &'a [&'a str],
    mirrors: &'a [&'a str],
    files: &'a [KnownFile],
    names: &'a [&'a [&'a str]],
    folder: PathBuf,
    progress: Progress,
}

/// Why one attempt failed.
enum Failure {
    /// This mirror's fault; the next may do.
    Mirror(String),
    /// Nothing can be downloaded.
    Every(String),
    /// Nothing can be kept.
    Disk(DataError),
}

impl Request<'_> {
    fn fetch_all(&self) -> Result<Vec<Fetched>, DataError> {
        // Folders that are made here and stay empty go again.
        let _made = Ours::empty(missing(&self.folder));
        fs::create_dir_all(&self.folder).map_err(DataError::io("create", &self.folder))?;
        // What a download that was killed has left.
        sweep(&self.folder);
        self.files.iter().zip(self.names).map(|(known, names)| self.fetch_one(known, names)).collect()
    }

    /// Keeps a right file, and downloads one that is missing or damaged.
    fn fetch_one(&self, known: &KnownFile, names: &[&str]) -> Result<Fetched, DataError> {
        let present = locate(&self.folder, names);
        if let Some(file) = &present {
            match known_content(known, file) {
                Ok(_) => return Ok(Fetched { file: file.clone(), outcome: Outcome::Kept }),
                // Another data set is not for us to replace.
                Err(error @ DataError::OtherSet { .. }) => return Err(error),
                Err(_) => {}
            }
        }
        let target = self.folder.join(format!("{}.gz", known.name));
        let from = self.first_mirror(known, &target)?;
        let outcome = match present {
            Some(_) => Outcome::Replaced(from),
            None => Outcome::Downloaded(from),
        };
        Ok(Fetched { file: target, outcome })
    }

    /// Tries the mirrors in order and returns the address that delivered.
    fn first_mirror(&self, known: &KnownFile, target: &Path) -> Result<String, DataError> {
        let mut attempts = Vec::new();
        for mirror in self.mirrors {
            let address = format!("{mirror}{}.gz", known.name);
            match self.attempt(&address, known, target) {
                Ok(()) => return Ok(address),
                Err(Failure::Mirror(cause)) => attempts.push((address, cause)),
                Err(Failure::Every(cause)) => {
                    attempts.push((address, cause));
                    break;
                }
                Err(Failure::Disk(error)) => return Err(error),
            }
        }
        Err(DataError::Download {
            file: format!("{}.gz", known.name),
            attempts,
            folder: self.folder.clone(),
            by_hand: self.files.iter().map(|f| (f.name, f.sha256)).collect(),
        })
    }

    /// Downloads to a temporary file, verifies it and renames it to `target`.
    fn attempt(&self, address: &str, known: &KnownFile, target: &Path) -> Result<(), Failure> {
        let disk = |action| move |cause| Failure::Disk(DataError::io(action, target)(cause));
        let mut temporary = crate::files::temporary_in(&self.folder).map_err(disk("create"))?;
        self.download(address, known, &mut temporary, target)?;
        known_content(known, temporary.path()).map_err(|e| Failure::Mirror(defect(e)))?;
        temporary.as_file().sync_all().map_err(disk("write"))?;
        let renamed = temporary.persist(target);
        renamed.map(drop).map_err(|e| disk("create")(e.error))
    }

    /// Copies the body of a response, bounded in size, to `out`.
    fn download(&self, address: &str, known: &KnownFile, out: &mut impl Write, target: &Path) -> Result<(), Failure> {
        let started = Download::start(address, self.options);
        let mut body = started.map_err(|e| Failure::Every(format!("`curl` does not start ({e}); install it")))?;
        let bar = self.bar(known.name);
        let limit = known.size + GZIP_SLACK;
        let mut buffer = [0; 1 << 14];
        let mut total = 0;
        loop {
            let n = body.read(&mut buffer).map_err(|e| Failure::Mirror(e.to_string()))?;
            if n == 0 {
                bar.finish_and_clear();
                return body.finish().map_err(Failure::Mirror);
            }
            total += n as u64;
            if total > limit {
                return Err(Failure::Mirror(format!("sent more than {limit} bytes")));
            }
            out.write_all(&buffer[..n]).map_err(|cause| Failure::Disk(DataError::io("write", target)(cause)))?;
            bar.inc(n as u64);
        }
    }

    /// How many bytes have come, on standard error; it hides itself where that is not a terminal.
    fn bar(&self, name: &'static str) -> ProgressBar {
        let bar = match self.progress {
            Progress::Silent => return ProgressBar::hidden(),
            Progress::Bar => ProgressBar::no_length(),
        };
        // A wrong template would cost the style only, never the download.
        let style = ProgressStyle::with_template("{msg:24} {bytes} {bytes_per_sec}");
        bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(name)
    }
}

/// What is wrong with a downloaded file, without the temporary name that the user never sees.
fn defect(error: DataError) -> String {
    match error {
        DataError::Checksum { expected, found, .. } | DataError::OtherSet { expected, found, .. } => {
            format!("wrong content: expected SHA-256 {expected}, found {found}")
        }
        DataError::Truncated { expected, found, .. } => {
            format!("truncated: expected {expected} bytes (decompressed), found {found}")
        }
        DataError::TrailingBytes { expected, .. } => {
            format!("the content goes on after byte {expected}, where it should end")
        }
        DataError::Gzip { cause, .. } => format!("the gzip data is damaged ({cause})"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
