//! The locks on folders that this process holds.
//!
//! Before each write, [`lost`] checks that the file at a lock's path is still the one that this process holds: somebody may
//! have moved the folder, or removed the lock.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The lock of a folder.
pub const NAME: &str = ".lgl2o.lock";

/// The locks of this process.
static HELD: Mutex<Vec<Held>> = Mutex::new(Vec::new());

/// A lock that is held.
#[derive(Debug, Clone)]
pub struct Held {
    /// The folder.
    pub dir: PathBuf,
    /// The lock in it.
    pub path: PathBuf,
    /// The open file.
    pub file: Arc<File>,
    /// Whether nobody else shares it.
    pub alone: bool,
}

/// The locks that are held.
pub fn held() -> MutexGuard<'static, Vec<Held>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this process holds a folder alone.
#[must_use]
pub fn is_held(dir: &Path) -> bool {
    held().iter().any(|lock| lock.alone && lock.path.ends_with(NAME) && is_at(&lock.file, &dir.join(NAME)))
}

/// The claimed folder of a path if it is no longer this process's: it was moved, or its lock was removed.
#[must_use]
pub fn lost(path: &Path) -> Option<PathBuf> {
    let locks = held().clone();
    locks.into_iter().find(|lock| path.starts_with(&lock.dir) && !is_at(&lock.file, &lock.path)).map(|lock| lock.dir)
}

/// What is said of a folder that is [`lost`].
#[must_use]
pub fn lost_words(dir: &Path) -> String {
    format!(
        "{} is no longer held by this program: it was moved, or its lock ({NAME}) was removed, and another program may \
         write there",
        dir.display()
    )
}

/// Removes a lock's file, if nobody else shares the lock and the file is still the one that is held.
pub fn remove(path: &Path, file: &File) {
    if file.try_lock().is_ok() && is_at(file, path) {
        let _ = fs::remove_file(path);
    }
}

/// Whether a path still leads to an open file.
#[cfg(unix)]
#[must_use]
pub fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let id = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(a), Ok(b)) if id(&a) == id(&b))
}

/// Elsewhere an open file cannot be moved or removed.
#[cfg(not(unix))]
#[must_use]
pub fn is_at(_: &File, _: &Path) -> bool {
    true
}
