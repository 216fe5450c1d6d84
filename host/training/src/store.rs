//! Finished units of work on disk, so that an interrupted command goes on where it was.
//!
//! A unit's file holds its key, a line that says everything its result depends on, and the result; on a line of its own
//! follows a checksum (SHA-256) of them. It is named by a digest of the key. A file that cannot be read, is damaged, or holds
//! another key, counts as not there, and the first one is told. Beside them stand units
//! that are under way.

use std::path::{Path, PathBuf};
use std::sync::Once;

use anyhow::Result;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::files::{check_writable, sweep, write_atomically};
use crate::say;

/// The folder of finished units.
#[derive(Debug)]
pub struct Store {
    dir: PathBuf,
    told: Once,
}

/// What a run is of, beside its key: a result that says that it is of something else is not believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Of {
    /// The optimizer, with all its numbers.
    pub optimizer: String,
    /// The seed, or the number of the run.
    pub seed: u64,
    /// The steps at which something is measured, rising; the last one ends the run.
    pub steps: Vec<u64>,
    /// The network, with the size of its batches.
    pub network: String,
    /// A digest of the data, and which part of them is judged on.
    pub data: String,
}

/// A result with what it is of.
#[derive(Serialize)]
struct Told<'a, T> {
    of: &'a Of,
    result: &'a T,
}

#[derive(Deserialize)]
struct Heard<T> {
    of: Of,
    result: T,
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
        Self { dir: out.join("units"), told: Once::new() }
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
        // Nothing is there yet.
        path.symlink_metadata().ok()?;
        let found = read(&path).filter(|(found, _)| found == key).map(|(_, result)| result);
        if found.is_none() {
            self.foreign(&path);
        }
        found
    }

    /// As [`get`](Self::get), if the result also fits what was asked for.
    #[must_use]
    pub fn get_if<T: DeserializeOwned>(&self, key: &str, fits: impl FnOnce(&T) -> bool) -> Option<T> {
        let found = self.get(key)?;
        if fits(&found) {
            return Some(found);
        }
        self.foreign(&self.path(key));
        None
    }

    /// The result that [`put_of`](Self::put_of) has stored under a key for the same optimizer, seed, steps, network and data, if it also
    /// fits what was asked for.
    #[must_use]
    pub fn get_of<T: DeserializeOwned>(&self, key: &str, of: &Of, fits: impl FnOnce(&T) -> bool) -> Option<T> {
        Some(self.get_if(key, |heard: &Heard<T>| heard.of == *of && fits(&heard.result))?.result)
    }

    /// Tells of the first file that is no unit.
    fn foreign(&self, path: &Path) {
        self.told.call_once(|| {
            say::note(format_args!("{} is damaged, or another unit: it is computed again", path.display()));
        });
    }

    /// Stores a result under a key.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn put<T: Serialize>(&self, key: &str, result: &T) -> Result<()> {
        let mut bytes = serde_json::to_vec(&Written { key, result })?;
        let sum = checksum(&bytes);
        bytes.push(b'\n');
        bytes.extend(sum.as_bytes());
        write_atomically(&self.path(key), &bytes)
    }

    /// Stores a result with what it is of.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn put_of<T: Serialize>(&self, key: &str, of: &Of, result: &T) -> Result<()> {
        self.put(key, &Told { of, result })
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
        self.dir.join(format!("{}.{ending}", digest(key)))
    }
}

/// Key and result of a unit's file; none if it is damaged.
fn read<T: DeserializeOwned>(path: &Path) -> Option<(String, T)> {
    // Reading a pipe in its place would never end.
    let bytes = path.is_file().then(|| std::fs::read(path).ok())??;
    let end = bytes.iter().rposition(|byte| *byte == b'\n')?;
    let (unit, sum) = (bytes.get(..end)?, bytes.get(end + 1..)?);
    let Read { key, result } = (sum == checksum(unit).as_bytes()).then(|| serde_json::from_slice(unit).ok())??;
    Some((key, result))
}

fn checksum(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A short digest that stands for a text in the name of a file.
#[must_use]
pub fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(10).map(|byte| format!("{byte:02x}")).collect()
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

    #[test]
    fn a_damaged_unit_is_not_believed() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path());
        store.open().unwrap();
        store.put("a", &run(1)).unwrap();
        assert_eq!(store.get_if("a", |found: &Run| found.seed == 2), None, "of another seed");
        let text = std::fs::read_to_string(store.path("a")).unwrap();
        // A digit changed, as on a bad disk, and a file of before there were checksums.
        let changed = text.replace("\"seed\":1", "\"seed\":2");
        assert_ne!(changed, text);
        for bad in [&changed, text.split('\n').next().unwrap(), ""] {
            std::fs::write(store.path("a"), bad).unwrap();
            assert_eq!(store.get::<Run>("a"), None, "{bad}");
        }
        std::fs::write(store.path("a"), text).unwrap();
        assert_eq!(store.get_if("a", |found: &Run| found.seed == 1), Some(run(1)));
    }

    /// As where a unit's file was written by another program, or changed with its checksum: its key alone says too little.
    #[test]
    fn a_result_of_something_else_is_not_believed() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path());
        store.open().unwrap();
        let of = Of {
            optimizer: "sgd:1".to_owned(),
            seed: 1,
            steps: vec![10, 20],
            network: "2-4-2 relu, batch 8".to_owned(),
            data: "abc".to_owned(),
        };
        store.put_of("a", &of, &run(1)).unwrap();
        assert_eq!(store.get_of("a", &of, |_| true), Some(run(1)));
        assert_eq!(store.get_of("a", &of, |run: &Run| run.seed == 2), None);
        let others = [
            Of { optimizer: "sgd:2".to_owned(), ..of.clone() },
            Of { seed: 2, ..of.clone() },
            Of { steps: vec![10, 21], ..of.clone() },
            Of { network: "2-5-2 relu, batch 8".to_owned(), ..of.clone() },
            Of { data: "abd".to_owned(), ..of.clone() },
        ];
        for other in others {
            assert_eq!(store.get_of::<Run>("a", &other, |_| true), None, "{other:?}");
        }
        store.put("b", &run(1)).unwrap();
        assert_eq!(store.get_of::<Run>("b", &of, |_| true), None, "it does not say what it is of");
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_in_the_place_of_a_unit_is_not_waited_for() {
        let home = tempfile::tempdir().unwrap();
        let store = Store::new(home.path());
        store.open().unwrap();
        assert!(std::process::Command::new("mkfifo").arg(store.path("a")).status().unwrap().success());
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
