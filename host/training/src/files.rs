//! Files that are complete or not there: written beside their place, then moved to it.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use anyhow::{Result, anyhow, ensure};
use tempfile::{NamedTempFile, TempDir};

use crate::interrupt::{self, Ours};
use crate::lock;

/// What the names of temporary files and folders begin with; the number of the process follows, and as many letters and
/// digits by chance.
const TEMPORARY: &str = ".lgl2o-";
const BY_CHANCE: usize = 6;

/// An empty temporary file in a directory; it goes away if it is not used.
///
/// A temporary file is private by default; this one will be as readable as any other new file.
///
/// # Errors
/// If the directory cannot be written to.
pub fn temporary_in(dir: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    let prefix = format!("{TEMPORARY}{}-", std::process::id());
    interrupt::remove_at_end(dir, &prefix);
    builder.prefix(&prefix).rand_bytes(BY_CHANCE);
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(dir)
}

/// Writes a file beside its place, then moves it there: whatever happens, the old file or the new one is there, whole.
///
/// # Errors
/// If that fails, with the path.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let _whole = interrupt::writing();
    if let Some(folder) = lock::lost(path) {
        return Err(rescued(path, &folder, bytes));
    }
    let write = || -> io::Result<()> {
        let place = behind_links(path)?;
        let mut file = temporary_in(folder_of(&place))?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(&place)?;
        Ok(())
    };
    write().map_err(|error| anyhow!("cannot write {}: {error}.{}", path.display(), advice(&error)))
}

/// Writes a file elsewhere whose folder may be another program's by now; the error says where it is.
fn rescued(path: &Path, folder: &Path, bytes: &[u8]) -> anyhow::Error {
    let place = refuge().ok().and_then(|dir| Some(dir.join(path.file_name()?)));
    let place = place.filter(|place| std::fs::write(place, bytes).is_ok());
    let place = place
        .map_or("No other place takes it".to_owned(), |place| format!("What was to be written is {}", place.display()));
    anyhow!("cannot write {}: {}. {place}.", path.display(), lock::lost_words(folder))
}

/// More links than this in a row lead in a circle.
const MOST_LINKS: usize = 40;

/// Where a path leads to: a link stays a link, and what it leads to is written.
///
/// # Errors
/// If links lead in a circle.
pub fn behind_links(path: &Path) -> io::Result<PathBuf> {
    let mut place = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match std::fs::read_link(&place) {
            Ok(target) => place = folder_of(&place).join(target),
            // It is no link, or not there yet.
            Err(_) => return Ok(place),
        }
    }
    Err(io::Error::other("its links lead in a circle"))
}

/// Checks that a file can take a place: known before the work.
///
/// # Errors
/// If something else is there, a link leads nowhere, or the file that is there is write-protected; with what to do.
pub fn check_place(path: &Path) -> Result<()> {
    let shown = path.display();
    let place = behind_links(path).map_err(|error| anyhow!("cannot write {shown}: {error}. Remove the link."))?;
    let is_device = [path, &place].iter().any(|path| path.starts_with("/dev") || path.starts_with("/proc"));
    ensure!(
        !is_device && (!place.exists() || place.is_file()),
        "cannot write {shown}: something that is not a file is in its place. Name another place."
    );
    ensure!(
        place == path || folder_of(&place).is_dir(),
        "cannot write {shown}: it is a link to {}, which leads nowhere. Remove the link, or name another place.",
        place.display()
    );
    ensure!(
        !place.metadata().is_ok_and(|metadata| metadata.permissions().readonly()),
        "cannot write {shown}: the file that is there is write-protected. Make it writable, or name another place."
    );
    Ok(())
}

/// The folder that a file is to stand in.
#[must_use]
pub fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The largest file that [`read_small`] reads, in bytes: a megabyte.
pub const SMALL: u64 = 1 << 20;

/// Reads a file of a kind that is never large, such as weights or a configuration. A wrong file, or a device that has no
/// end, is refused instead of filling the memory.
///
/// # Errors
/// If it cannot be read, or is larger than [`SMALL`].
pub fn read_small(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // Opening a pipe would wait for somebody to write to it; what a shell puts in the place of a file stands in /dev.
    if std::fs::metadata(path)?.is_file() || path.starts_with("/dev") {
        File::open(path)?.take(SMALL + 1).read_to_end(&mut bytes)?;
    } else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
    }
    if bytes.len() as u64 > SMALL {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it has more than a megabyte, so it is something else",
        ));
    }
    Ok(bytes)
}

/// Reads a file of a kind that may be large, but not larger than this.
///
/// # Errors
/// If it cannot be read, is no file, or is larger; with its name, and what to do.
pub fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>> {
    let shown = path.display();
    // Opening a pipe would wait for somebody to write to it.
    let metadata = std::fs::metadata(path).map_err(|error| unreadable(path, &error))?;
    ensure!(
        metadata.is_file() || metadata.is_dir(),
        "cannot read {shown}: it is not a file, but a pipe or a device. Write what comes from it to a file first."
    );
    ensure!(metadata.is_file(), "cannot read {shown}: it is not a file, but a folder. Correct the path.");
    let too_large = || anyhow!("{shown} has more than {most} bytes, so it is something else. Correct the path.");
    ensure!(metadata.len() <= most, too_large());
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most + 1).read_to_end(&mut bytes));
    read.map_err(|error| unreadable(path, &error))?;
    ensure!(bytes.len() as u64 <= most, too_large());
    Ok(bytes)
}

/// A file cannot be read: why, and what to do.
#[must_use]
pub fn unreadable(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow!("cannot read {}: {error}.{}", path.display(), advice(error))
}

/// What to do about a refusal of the operating system's, cause by cause.
#[must_use]
pub fn advice(cause: &io::Error) -> &'static str {
    use io::ErrorKind::{
        FileTooLarge, InvalidInput, IsADirectory, NotADirectory, NotFound, OutOfMemory, PermissionDenied,
        QuotaExceeded, ReadOnlyFilesystem, StorageFull,
    };
    match cause.kind() {
        FileTooLarge if cause.raw_os_error().is_some() => {
            " Raise the limit on the size of files (`ulimit -f`), or name another place."
        }
        NotFound | FileTooLarge | InvalidInput => " Correct the path.",
        OutOfMemory => " There is too little memory for it: use a smaller file, or another machine.",
        NotADirectory => " A part of the path is a file, and no folder: correct it.",
        IsADirectory => " It is a folder, and no file: correct the path.",
        PermissionDenied => " Change its permissions, or name another place.",
        StorageFull | QuotaExceeded => " Free some space, or name another place.",
        ReadOnlyFilesystem => " Name a place that can be written to.",
        // The cause says all that is known.
        _ => "",
    }
}

/// What is written to try a folder: about as much as a small report.
const TRIAL: usize = 1 << 18;

/// Makes an output directory if need be, and fails now rather than after the work if it cannot be written to, or is full.
///
/// # Errors
/// If so, with the path.
pub fn check_writable(out: &Path) -> Result<()> {
    make_output(out)?;
    try_to_write(out)
        .map_err(|error| anyhow!("cannot write to the output directory {}: {error}.{}", out.display(), advice(&error)))
}

/// Writes a file of some size into a directory, and removes it.
///
/// # Errors
/// If that fails.
pub fn try_to_write(dir: &Path) -> io::Result<()> {
    let _whole = interrupt::writing();
    let mut file = temporary_in(dir)?;
    file.write_all(&[0; TRIAL])?;
    file.as_file().sync_all()
}

/// Makes an output directory if need be.
///
/// # Errors
/// If it cannot be made, with the path, and what to do.
pub fn make_output(out: &Path) -> Result<()> {
    let Err(error) = std::fs::create_dir_all(out) else { return Ok(()) };
    let why = match dangling(out) {
        Some(target) => format!("it is a link to {}, which leads nowhere. Name another folder.", target.display()),
        None if out.exists() && !out.is_dir() => "it is a file, and no folder. Name another place.".to_owned(),
        None => format!("{error}.{}", advice(&error)),
    };
    Err(anyhow!("cannot create the output directory {}: {why}", out.display()))
}

/// The folders of a path that are not there yet, the innermost first.
#[must_use]
pub fn missing(dir: &Path) -> Vec<PathBuf> {
    let named = |path: &&Path| !path.as_os_str().is_empty();
    dir.ancestors().filter(named).take_while(|path| !path.exists()).map(Path::to_path_buf).collect()
}

/// Where a link leads to whose target is not there.
#[must_use]
pub fn dangling(path: &Path) -> Option<std::path::PathBuf> {
    if path.exists() { None } else { std::fs::read_link(path).ok() }
}

/// A temporary folder that goes away with the value, and with the program however that ends.
#[derive(Debug)]
pub struct Temporary {
    _ours: Ours,
    folder: TempDir,
}

impl Temporary {
    /// Makes one in the system's place for them, and removes those that killed programs have left there.
    ///
    /// # Errors
    /// If there is no place for it.
    pub fn new() -> Result<Self> {
        sweep(&std::env::temp_dir());
        let prefix = format!("{TEMPORARY}{}-", std::process::id());
        let place = std::env::temp_dir();
        interrupt::remove_at_end(&place, &prefix);
        let folder = tempfile::Builder::new().prefix(&prefix).rand_bytes(BY_CHANCE).tempdir();
        let folder = folder.map_err(|error| {
            anyhow!("cannot make a temporary folder in {}: {error}. Set TMPDIR to another one.", place.display())
        })?;
        Ok(Self { _ours: Ours::folder(folder.path()), folder })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }
}

/// A folder for results that have no other place, in the system's place for temporary files: one for each process. It stays.
///
/// # Errors
/// If it cannot be made.
pub fn refuge() -> io::Result<PathBuf> {
    static PLACE: Mutex<Option<PathBuf>> = Mutex::new(None);
    let mut place = PLACE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(dir) = place.as_ref() {
        return Ok(dir.clone());
    }
    let dir = tempfile::Builder::new().prefix("lgl2o-results-").tempdir()?.keep();
    Ok(place.insert(dir).clone())
}

/// Removes temporary files and folders of programs that are no more. What cannot be removed stays.
pub fn sweep(dir: &Path) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let parts = name.strip_prefix(TEMPORARY).and_then(|rest| rest.split_once('-'));
        let owner = parts.filter(|(_, chance)| chance.len() == BY_CHANCE).and_then(|(id, _)| id.parse().ok());
        if owner.is_some_and(is_gone) {
            let path = entry.path();
            let _ = std::fs::remove_file(&path).or_else(|_| std::fs::remove_dir_all(&path));
        }
    }
}

/// Whether there is no process of this number on this machine.
#[cfg(unix)]
fn is_gone(process: i32) -> bool {
    use rustix::process::{Pid, test_kill_process};
    Pid::from_raw(process).is_some_and(|pid| test_kill_process(pid) == Err(rustix::io::Errno::SRCH))
}

#[cfg(not(unix))]
fn is_gone(_: i32) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_large_is_refused() {
        let home = tempfile::tempdir().expect("temporary directory");
        let path = home.path().join("f");
        for (size, good) in [(0, true), (SMALL as usize, true), (SMALL as usize + 1, false)] {
            std::fs::write(&path, vec![7; size]).expect("written");
            assert_eq!(read_small(&path).is_ok_and(|bytes| bytes.len() == size), good, "{size}");
        }
    }

    #[test]
    fn a_file_is_replaced_as_a_whole() {
        let home = tempfile::tempdir().expect("temporary directory");
        let path = home.path().join("f");
        write_atomically(&path, b"old").expect("written");
        write_atomically(&path, b"new").expect("written");
        assert_eq!(std::fs::read(&path).expect("readable"), b"new");
        assert_eq!(std::fs::read_dir(home.path()).expect("readable").count(), 1);
        let error = write_atomically(&home.path().join("no/such/f"), b"x").expect_err("refused");
        assert!(error.to_string().contains("no/such/f"), "{error}");
    }
}
