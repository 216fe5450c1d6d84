//! Output folders: made, tried and claimed before anything is computed.
//!
//! A folder is claimed by a lock on a file in it, which goes away with the claim, or with the program however that ends.
//! Who holds the claim removes temporary files that killed programs have left.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::files::{check_place, check_writable, folder_of, make_output, missing, sweep};
use crate::interrupt::Ours;

/// A claimed output folder.
#[derive(Debug)]
pub struct Output {
    dir: PathBuf,
    // Dropped in this order: the lock's file, the lock, then folders that were made here and are still empty.
    _file: Option<Ours>,
    _lock: Option<File>,
    _made: Ours,
}

impl Output {
    /// Makes an output folder if need be, tries whether it can be written to, and claims it.
    ///
    /// # Errors
    /// If it cannot be written to, or another program has claimed it.
    pub fn claim(dir: &Path) -> Result<Self> {
        let output = Self::claim_for(dir, "")?;
        sweep_below(dir, PARTS);
        Ok(output)
    }

    /// Claims only the part of a folder that has a name, for commands that write a few files beside others'.
    ///
    /// # Errors
    /// As [`claim`](Self::claim).
    pub fn claim_for(dir: &Path, name: &str) -> Result<Self> {
        let made = Ours::empty(missing(dir));
        make_output(dir)?;
        let path = dir.join(format!(".lgl2o{}{name}.lock", if name.is_empty() { "" } else { "." }));
        let lock = lock(&path, dir)?;
        let file = lock.as_ref().map(|_| Ours::file(&path));
        let output = Self { dir: dir.to_path_buf(), _file: file, _lock: lock, _made: made };
        check_writable(dir)?;
        sweep(dir);
        Ok(output)
    }

    /// Claims the place of one file, which is none of those that are read, and returns its path.
    ///
    /// # Errors
    /// If it cannot be written there.
    pub fn claim_file(file: &Path, read: &[Option<&Path>]) -> Result<(Self, PathBuf)> {
        let shown = file.display();
        let ends_in_folder = file.as_os_str().as_encoded_bytes().ends_with(b"/");
        let Some(name) = file.file_name().filter(|_| !ends_in_folder) else {
            bail!("{shown} is the name of a folder, and a file is to be written: add the name of the file");
        };
        let path = folder_of(file).join(name);
        // Told before the folder is made, and before a lock is written beside a device.
        check_place(&path).or_else(|error| if folder_of(file).is_dir() { Err(error) } else { Ok(()) })?;
        let output = Self::claim_for(folder_of(file), &name.to_string_lossy())?;
        output.spares(&[name], read)?;
        Ok((output, path))
    }

    /// Checks that files of these names can take their places: known before the work.
    ///
    /// # Errors
    /// If one cannot, with what to do.
    pub fn room_for(&self, names: &[&str]) -> Result<()> {
        names.iter().try_for_each(|name| check_place(&self.dir.join(name)))
    }

    /// Checks that no file of these names is one of those that are read: known before the work.
    ///
    /// # Errors
    /// If one is.
    pub fn spares<N: AsRef<Path>>(&self, names: &[N], read: &[Option<&Path>]) -> Result<()> {
        let real = |path: &Path| path.canonicalize().ok();
        let read: Vec<PathBuf> = read.iter().flatten().copied().filter_map(real).collect();
        let taken = |path: &PathBuf| real(path).is_some_and(|path| read.contains(&path));
        match names.iter().map(|name| self.dir.join(name)).find(taken) {
            Some(path) => {
                bail!("{} is read here, and would be replaced: name another place with --out", path.display())
            }
            None => Ok(()),
        }
    }

    /// The folder.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.dir
    }
}

/// So deep are the folders of the parts of a report: `reproduce` has one for each experiment, and in it one for each task.
const PARTS: u32 = 2;

/// Sweeps the folders in a folder, so many levels of them.
fn sweep_below(dir: &Path, levels: u32) {
    if levels == 0 {
        return;
    }
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    for path in entries.map(|entry| entry.path()).filter(|path| path.is_dir()) {
        sweep(&path);
        sweep_below(&path, levels - 1);
    }
}

/// The lock on a file; none where the file system has no locks.
fn lock(path: &Path, dir: &Path) -> Result<Option<File>> {
    let shown = dir.display();
    loop {
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path);
        let mut file = opened.with_context(|| format!("cannot write to the output directory {shown}"))?;
        match file.try_lock() {
            // Who held it before may have removed the file since it was opened here.
            Ok(()) if !is_at(&file, path) => {}
            Ok(()) => {
                // Only for the message to others.
                let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
                return Ok(Some(file));
            }
            Err(TryLockError::WouldBlock) => {
                let holder = fs::read_to_string(path).ok().filter(|id| id.parse::<u32>().is_ok());
                let holder = holder.map_or(String::new(), |id| format!(", process {id}"));
                bail!(
                    "{shown} is in use by another lgl2o{holder}: wait for its end, or name another folder with --out"
                );
            }
            Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(TryLockError::Error(_)) => return Ok(None),
        }
    }
}

/// Whether a path still leads to an open file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let id = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(a), Ok(b)) if id(&a) == id(&b))
}

#[cfg(not(unix))]
fn is_at(_: &File, _: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_claimed_once_and_left_as_it_was() {
        let home = tempfile::tempdir().expect("temporary directory");
        let dir = home.path().join("a/b");
        let first = Output::claim(&dir).expect("free");
        let error = Output::claim(&dir).expect_err("in use").to_string();
        assert!(error.contains("is in use") && error.contains(&std::process::id().to_string()), "{error}");
        let parts = ["one", "two"].map(|name| Output::claim_for(&dir, name).expect("another part"));
        assert!(Output::claim_for(&dir, "one").is_err());
        drop(parts);
        drop(Output::claim_for(&dir, "one").expect("free again"));
        // The last to go is the one that has made the folders.
        drop(first);
        assert!(!home.path().join("a").exists(), "nothing was written");
        fs::create_dir(home.path().join("a")).expect("made");
        drop(Output::claim(&dir).expect("free"));
        assert!(home.path().join("a").exists() && !dir.exists(), "somebody else's folder stays");
        let kept = Output::claim(&dir).expect("free");
        fs::write(dir.join("result"), "x").expect("written");
        drop(kept);
        assert_eq!(fs::read_dir(&dir).expect("there").count(), 1, "only the result");
        fs::create_dir(dir.join("table.md")).expect("made");
        let output = Output::claim(&dir).expect("free");
        assert!(output.room_for(&["result", "other"]).is_ok());
        assert!(output.room_for(&["result", "table.md"]).unwrap_err().to_string().contains("not a file"));
        let (result, other) = (dir.join("../b/result"), dir.join("other"));
        assert!(output.spares(&["other", "new"], &[Some(&result), None, Some(&other)]).is_ok());
        let error = output.spares(&["other", "result"], &[None, Some(&result)]).unwrap_err().to_string();
        assert!(error.contains("b/result is read here"), "{error}");
    }

    #[test]
    fn what_a_killed_program_left_is_swept() {
        let home = tempfile::tempdir().expect("temporary directory");
        // Process 1 lives, and no process has the largest number.
        for name in [".lgl2o-4194305-abcdef", ".lgl2o-1-abcdef", "mine", ".lgl2o.other"] {
            fs::write(home.path().join(name), "x").expect("written");
        }
        fs::create_dir_all(home.path().join("part/task")).expect("made");
        for part in ["part/.lgl2o-4194305-abcdef", "part/task/.lgl2o-4194305-abcdef"] {
            fs::write(home.path().join(part), "x").expect("written");
        }
        drop(Output::claim(home.path()).expect("free"));
        for empty in ["part/task", "part"] {
            fs::remove_dir(home.path().join(empty)).expect("it is empty");
        }
        let entries = fs::read_dir(home.path()).expect("there").flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        assert_eq!(names, [".lgl2o-1-abcdef", ".lgl2o.other", "mine"]);
    }

    #[test]
    fn a_place_that_cannot_be_written_to_is_refused() {
        let home = tempfile::tempdir().expect("temporary directory");
        fs::write(home.path().join("file"), "x").expect("written");
        for dir in [home.path().join("file"), home.path().join("file/below"), PathBuf::from("/proc/lgl2o")] {
            let error = format!("{:#}", Output::claim(&dir).expect_err("refused"));
            assert!(error.contains("output directory") && error.contains(&dir.display().to_string()), "{error}");
        }
    }
}
