//! Files that are complete or not there: written beside their place, then moved to it.

use std::io::{self, Write as _};
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
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || -> io::Result<()> {
        let mut file = temporary_in(dir)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
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
