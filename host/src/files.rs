//! Files that are complete or not there: written beside their place, then moved to it.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use anyhow::{Context, Result};
use tempfile::NamedTempFile;

/// An empty temporary file in a directory; it goes away if it is not used.
///
/// A temporary file is private by default; this one will be as readable as any other new file.
///
/// # Errors
/// If the directory cannot be written to.
pub fn temporary_in(dir: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".lgl2o-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(dir)
}

/// Writes a file beside its place, then moves it there: whatever happens, the old file or the new one is there, whole.
///
/// # Errors
/// If that fails, with the path.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<()> {
    let dir = folder_of(path);
    let write = || -> io::Result<()> {
        let mut file = temporary_in(dir)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
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
    File::open(path)?.take(SMALL + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > SMALL {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            "it has more than a megabyte, so it is something else",
        ));
    }
    Ok(bytes)
}

/// Makes an output directory if need be, and fails now rather than after the work if it cannot be written to.
///
/// # Errors
/// If so, with the path.
pub fn check_writable(out: &Path) -> Result<()> {
    std::fs::create_dir_all(out).with_context(|| format!("cannot create the output directory {}", out.display()))?;
    tempfile::tempfile_in(out).with_context(|| format!("cannot write to the output directory {}", out.display()))?;
    Ok(())
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
