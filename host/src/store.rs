//! Finished units of work on disk, so that an interrupted command goes on where it was.
//!
//! A unit's file holds its key, a line that says everything its result depends on, and the result. It is named by a
//! digest of the key. A file that cannot be read, or holds another key, counts as not there. Beside them stand units
//! that are under way.

use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::files::{check_writable, sweep, write_atomically};

/// The folder of finished units.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
}

#[derive(Serialize)]
struct Written<'a, T> {
    key: &'a str,
    result: &'a T,
}

#[derive(Deserialize)]
struct Read<T> {
    key: String,
    result: T,
}

/// What is to be said where work is interrupted whose units an output directory keeps.
#[must_use]
pub fn kept(out: &Path) -> String {
    format!("finished runs are kept in {}; the same command goes on from there", out.join("units").display())
}

impl Store {
    /// The store in an output directory, whether or not it is there.
    #[must_use]
    pub fn new(out: &Path) -> Self {
        Self { dir: out.join("units") }
    }

    /// Whether its folder is there: other ranks than the first may run where there is none.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.dir.is_dir()
    }

    /// Makes it and the output directory if need be.
    ///
    /// # Errors
    /// If they cannot be made or written to.
    pub fn open(&self) -> Result<()> {
        check_writable(&self.dir)?;
        sweep(&self.dir);
        Ok(())
    }

    /// The result that was stored under a key.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let path = self.path(key);
        // Reading a pipe in its place would never end.
        let bytes = path.is_file().then(|| std::fs::read(path).ok())??;
        let Read { key: found, result } = serde_json::from_slice(&bytes).ok()?;
        (found == key).then_some(result)
    }

    /// Stores a result under a key.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn put<T: Serialize>(&self, key: &str, result: &T) -> Result<()> {
        write_atomically(&self.path(key), &serde_json::to_vec(&Written { key, result })?)
    }

    /// Removes what is stored under a key. What cannot be removed stays.
    pub fn forget(&self, key: &str) {
        [self.path(key), self.half(key)].iter().for_each(|path| drop(std::fs::remove_file(path)));
    }

    fn path(&self, key: &str) -> PathBuf {
        self.named(key, "json")
    }

    /// Where the unit with a key is kept while it is under way.
    #[must_use]
    pub fn half(&self, key: &str) -> PathBuf {
        self.named(key, "half")
    }

    fn named(&self, key: &str, ending: &str) -> PathBuf {
        let digest = Sha256::digest(key.as_bytes());
        let name: String = digest.iter().take(10).map(|byte| format!("{byte:02x}")).collect();
        self.dir.join(format!("{name}.{ending}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Run;

    fn run(seed: u64) -> Run {
        Run {
            optimizer: "sgd:1".to_owned(),
            seed,
            learned_share: 0.0,
            learned_steps_share: 0.0,
            curve: Vec::new(),
            verdicts: Vec::new(),
        }
    }

    #[test]
    fn what_was_put_is_found_under_its_key_only() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path());
        store.open().unwrap();
        store.put("a", &run(1)).unwrap();
        assert_eq!(store.get("a"), Some(run(1)));
        assert_eq!(store.get::<Run>("b"), None);
        store.put("a", &run(2)).unwrap();
        assert_eq!(Store::new(home.path()).get("a"), Some(run(2)));
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_the_place_of_a_unit_is_not_waited_for() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path());
        store.open().unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, store.path("a"), rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        assert_eq!(store.get::<Run>("a"), None);
        store.put("a", &run(1)).unwrap();
        assert_eq!(store.get("a"), Some(run(1)));
    }

    #[test]
    fn a_damaged_or_foreign_file_counts_as_not_there() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path());
        store.open().unwrap();
        store.put("a", &run(1)).unwrap();
        std::fs::copy(store.path("a"), store.path("b")).unwrap();
        assert_eq!(store.get::<Run>("b"), None);
        std::fs::write(store.path("a"), b"{\"key\":\"a\",\"result\":{").unwrap();
        assert_eq!(store.get::<Run>("a"), None);
    }

    #[test]
    fn a_place_that_is_a_file_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let taken = home.path().join("taken");
        std::fs::write(&taken, "a file").unwrap();
        let error = Store::new(&taken).open().unwrap_err().to_string();
        assert!(error.contains("output directory") && error.contains("taken"), "{error}");
    }
}
