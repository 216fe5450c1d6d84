//! Locks on folders. A program that fills a folder holds its lock alone; those that write single files into it share the
//! lock, and each holds a second one for its file. So no two programs write the same file.
//!
//! A lock is a file in the folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, anyhow, bail};

use crate::interrupt::Ours;
use crate::lock::{Held, NAME, held, is_at};

/// Who ends holds a shared lock alone for a moment. It is waited for so often, and so long each time.
const TRIES: u32 = 5;
const MOMENT: Duration = Duration::from_millis(20);
/// The longest file name that is part of a lock's name; of longer ones a digest is.
const LONGEST: usize = 200;

/// A lock that is held.
#[derive(Debug)]
pub(super) struct Lock {
    file: Arc<File>,
    _ours: Ours,
}

impl Drop for Lock {
    fn drop(&mut self) {
        held().retain(|other| !Arc::ptr_eq(&other.file, &self.file));
    }
}

/// The lock of a folder, alone or shared; none where the file system has no locks.
pub(super) fn folder(dir: &Path, alone: bool) -> Result<Option<Lock>> {
    lock(dir, &dir.join(NAME), alone)
}

/// The lock of a file in a folder.
pub(super) fn file(dir: &Path, name: &str) -> Result<Option<Lock>> {
    let short = if name.len() <= LONGEST { name.to_owned() } else { crate::store::digest(name) };
    lock(dir, &dir.join(format!(".lgl2o.{short}.lock")), true)
}

fn lock(dir: &Path, path: &Path, alone: bool) -> Result<Option<Lock>> {
    let mut tries = 0;
    loop {
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = opened.map_err(|error| {
            let advice = crate::files::advice(&error);
            anyhow!("cannot write to the output directory {}: {error}.{advice}", dir.display())
        })?;
        match if alone { file.try_lock() } else { file.try_lock_shared() } {
            // Who held it before may have removed the file since it was opened here.
            Ok(()) if !is_at(&file, path) => {}
            Ok(()) => {
                // Only for the message to others.
                let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
                let file = Arc::new(file);
                held().push(Held { dir: dir.to_path_buf(), path: path.to_path_buf(), file: Arc::clone(&file), alone });
                return Ok(Some(Lock { _ours: Ours::lock(path, &file), file }));
            }
            Err(TryLockError::WouldBlock) if tries < TRIES => {
                tries += 1;
                sleep(MOMENT);
            }
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(path).ok().filter(|id| id.parse::<u32>().is_ok());
                let holder = holder.map_or(String::new(), |id| format!(", process {id}"));
                bail!(
                    "{} is in use by another lgl2o{holder}: wait for its end, or name another folder with --out",
                    dir.display()
                );
            }
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(TryLockError::Error(_)) => return Ok(None),
        }
    }
}
