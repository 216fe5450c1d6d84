//! Output folders: made, tried and claimed before anything is computed.
//!
//! A folder is claimed by a [lock](lock.rs) on a file in it, which goes away with the claim, or with the program however that
//! ends. Who holds the claim removes temporary files that killed programs have left. [Results of another kind](kind.rs) are
//! not written over.

mod kind;
mod lock;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

pub use self::kind::Kind;

use crate::files::{check_place, check_writable, folder_of, make_output, missing, sweep};
use crate::interrupt::Ours;

/// A claimed output folder.
#[derive(Debug)]
pub struct Output {
    dir: PathBuf,
    // Dropped in this order: the locks, then folders that were made here and are still empty.
    _locks: [Option<lock::Lock>; 2],
    _made: Ours,
}

impl Output {
    /// Makes an output folder if need be, tries whether it can be written to, and claims it for a command, alone.
    ///
    /// # Errors
    /// If it cannot be written to, another program has claimed it, or it holds results of another command.
    pub fn claim(dir: &Path, command: &str) -> Result<Self> {
        let output = Self::claim_files(dir)?;
        kind::check_folder(dir, command)?;
        sweep_below(dir, PARTS);
        Ok(output)
    }

    /// Claims a folder alone, for commands that refuse to replace any file in it unless told to.
    ///
    /// # Errors
    /// If it cannot be written to, or another program has claimed it.
    pub fn claim_files(dir: &Path) -> Result<Self> {
        Self::locked(dir, |dir| Ok([lock::folder(dir, true)?, None]))
    }

    /// Claims only the part of a folder that has a name, for commands that write a few files beside others'.
    ///
    /// # Errors
    /// As [`claim_files`](Self::claim_files).
    pub fn claim_for(dir: &Path, name: &str) -> Result<Self> {
        Self::locked(dir, |dir| {
            let shared = if crate::lock::is_held(dir) { None } else { lock::folder(dir, false)? };
            // Dropped in this order.
            Ok([lock::file(dir, name)?, shared])
        })
    }

    fn locked(dir: &Path, locks: impl FnOnce(&Path) -> Result<[Option<lock::Lock>; 2]>) -> Result<Self> {
        let made = Ours::empty(missing(dir));
        make_output(dir)?;
        let output = Self { dir: dir.to_path_buf(), _locks: locks(dir)?, _made: made };
        check_writable(dir)?;
        sweep(dir);
        Ok(output)
    }

    /// Claims the place of one file, which is none of those that are read, and returns its path.
    ///
    /// # Errors
    /// If it cannot be written there, or a file of another kind is there.
    pub fn claim_file(file: &Path, kind: Kind, read: &[Option<&Path>]) -> Result<(Self, PathBuf)> {
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
        kind::check(&path, kind)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::lost;

    #[test]
    fn a_folder_is_claimed_once_and_left_as_it_was() {
        let home = tempfile::tempdir().expect("temporary directory");
        let dir = home.path().join("a/b");
        let first = Output::claim(&dir, "train").expect("free");
        let error = Output::claim(&dir, "train").expect_err("in use").to_string();
        assert!(error.contains("is in use") && error.contains(&std::process::id().to_string()), "{error}");
        // The last to go is the one that has made the folders.
        drop(first);
        assert!(!home.path().join("a").exists(), "nothing was written");
        fs::create_dir(home.path().join("a")).expect("made");
        drop(Output::claim(&dir, "train").expect("free"));
        assert!(home.path().join("a").exists() && !dir.exists(), "somebody else's folder stays");
        let kept = Output::claim(&dir, "train").expect("free");
        fs::write(dir.join("result"), "x").expect("written");
        drop(kept);
        assert_eq!(fs::read_dir(&dir).expect("there").count(), 1, "only the result");
        fs::create_dir(dir.join("table.md")).expect("made");
        let output = Output::claim(&dir, "train").expect("free");
        assert!(output.room_for(&["result", "other"]).is_ok());
        assert!(output.room_for(&["result", "table.md"]).unwrap_err().to_string().contains("not a file"));
        let (result, other) = (dir.join("../b/result"), dir.join("other"));
        assert!(output.spares(&["other", "new"], &[Some(&result), None, Some(&other)]).is_ok());
        let error = output.spares(&["other", "result"], &[None, Some(&result)]).unwrap_err().to_string();
        assert!(error.contains("b/result is read here"), "{error}");
    }

    #[test]
    fn files_share_a_folder_that_nobody_has_alone() {
        let home = tempfile::tempdir().expect("temporary directory");
        let dir = home.path().to_path_buf();
        let long = "x".repeat(250);
        let parts = ["one", "two", &long].map(|name| Output::claim_for(&dir, name).expect("another part"));
        for taken in ["one", &long] {
            assert!(Output::claim_for(&dir, taken).expect_err("in use").to_string().contains("is in use"));
        }
        assert!(Output::claim(&dir, "train").expect_err("shared").to_string().contains("is in use"));
        drop(parts);
        assert_eq!(fs::read_dir(&dir).expect("there").count(), 0);
        let whole = Output::claim(&dir, "train").expect("free again");
        drop(Output::claim_for(&dir, "one").expect("this process has the folder already"));
        assert_eq!(lost(&dir.join("a")), None);
        fs::remove_file(dir.join(".lgl2o.lock")).expect("there");
        assert_eq!(lost(&dir.join("a")).as_deref(), Some(dir.as_path()));
        let other = Output::claim(&dir, "train").expect("nobody's, as it seems");
        drop(whole);
        assert!(dir.join(".lgl2o.lock").exists(), "the other one's");
        assert_eq!(lost(&dir.join("a")), None);
        drop(other);
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
        drop(Output::claim(home.path(), "train").expect("free"));
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
            let error = format!("{:#}", Output::claim(&dir, "train").expect_err("refused"));
            assert!(error.contains("output directory") && error.contains(&dir.display().to_string()), "{error}");
        }
    }
}
