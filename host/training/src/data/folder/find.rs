//! Where the four files of a data set are, by the names that those who publish them give.
//!
//! ```text
//! [SET-]{train|t10k|test}-{images|labels}{-|.}idxD-TYPE[.gz]
//! ```
//!
//! | from | names |
//! |---|---|
//! | MNIST, Fashion-MNIST, KMNIST | `train-images-idx3-ubyte`, `t10k-labels-idx1-ubyte` |
//! | EMNIST | `emnist-letters-train-images-idx3-ubyte`, `emnist-letters-test-labels-idx1-ubyte`; six sets in one folder |
//! | QMNIST | `qmnist-train-images-idx3-ubyte`, `qmnist-test-labels-idx2-int` |
//!
//! torchvision keeps them in a folder `raw` in that of the set, EMNIST's archive in a folder `gzip`. A set in a folder of several is
//! named as if it were a folder there: `DIR/emnist-letters`.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{DataError, PARTS};
use crate::data::idx;

/// Folders in that of a data set which its files may be in.
const INNER: [&str; 2] = ["raw", "gzip"];
/// Element types, as names of files have them.
const TYPES: [&str; 6] = ["ubyte", "byte", "short", "int", "float", "double"];

/// Files of a data set, in the order of [`PARTS`].
type Files = [Option<PathBuf>; 4];

/// A data set that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// What it is called.
    pub(super) name: String,
    /// How it is named on the command line.
    pub(super) path: PathBuf,
    /// What its files begin with, up to a dash; empty for most.
    prefix: String,
    /// Where they are.
    folder: PathBuf,
    files: Files,
}

impl Found {
    /// All four files.
    ///
    /// # Errors
    /// [`DataError::Missing`] with the name of the first that is not there.
    pub(super) fn all(&self) -> Result<[&Path; 4], DataError> {
        let part = |i: usize| self.files[i].as_deref().ok_or_else(|| self.missing(i));
        Ok([part(0)?, part(1)?, part(2)?, part(3)?])
    }

    fn missing(&self, i: usize) -> DataError {
        let usual = match (self.prefix.as_str(), i) {
            ("", _) => PARTS[i][0].to_owned(),
            ("qmnist-", 1) => "train-labels-idx2-int".to_owned(),
            ("qmnist-", 3) => "test-labels-idx2-int".to_owned(),
            _ => PARTS[i][0].replace("t10k", "test"),
        };
        DataError::Missing { folder: self.folder.clone(), file: format!("{}{usual}", self.prefix) }
    }

    /// Whether its files have no name of a set before theirs.
    pub(super) fn is_plain(&self) -> bool {
        self.prefix.is_empty()
    }
}

/// The data sets of a folder, or of a folder in it that such files are kept in. One whose files have the usual names stands for all.
///
/// # Errors
/// If a folder cannot be looked into: it is not taken for an empty one.
pub(super) fn within(folder: &Path) -> Result<Vec<Found>, DataError> {
    for place in places(folder) {
        let sets = sets_in(&place)?;
        let only = sets.contains_key("").then(String::new);
        let sets = sets.into_iter().filter(|(prefix, _)| only.as_ref().is_none_or(|only| only == prefix));
        let sets: Vec<_> = sets.collect();
        let many = sets.len() > 1;
        let found = sets.into_iter().map(|(prefix, files)| {
            let set = prefix.trim_end_matches('-').to_owned();
            let name = if set.is_empty() { super::name_of(folder) } else { set.clone() };
            let path = if many { folder.join(set) } else { folder.to_path_buf() };
            Found { name, path, prefix, folder: place.clone(), files }
        });
        let found: Vec<Found> = found.collect();
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// One of the data sets of a folder, which is named as if it were a folder there.
///
/// # Errors
/// As [`within`].
pub(super) fn named(path: &Path) -> Result<Option<Found>, DataError> {
    let (Some(name), false) = (path.file_name().and_then(|name| name.to_str()), path.exists()) else { return Ok(None) };
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !parent.is_dir() {
        return Ok(None);
    }
    for folder in places(parent) {
        let prefix = format!("{name}-");
        if let Some(files) = sets_in(&folder)?.remove(&prefix) {
            return Ok(Some(Found { name: name.to_owned(), path: path.to_path_buf(), prefix, folder, files }));
        }
    }
    Ok(None)
}

/// Where the files of a folder's data set may be.
pub(super) fn places(folder: &Path) -> [PathBuf; 3] {
    [folder.to_path_buf(), folder.join(INNER[0]), folder.join(INNER[1])]
}

/// Whether a folder is one that files are kept in, inside that of the data set.
pub(super) fn is_inner(name: &str) -> bool {
    INNER.contains(&name)
}

/// The data sets that a folder's own files are of.
fn sets_in(folder: &Path) -> Result<BTreeMap<String, Files>, DataError> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound && crate::files::dangling(folder).is_none() => {
            return Ok(BTreeMap::new());
        }
        Err(error) => return Err(idx::unreadable(folder, error)),
    };
    let mut best: BTreeMap<(String, usize), (usize, bool, String)> = BTreeMap::new();
    for entry in entries {
        let entry = entry.map_err(|error| idx::unreadable(folder, error))?;
        let Ok(file) = entry.file_name().into_string() else { continue };
        let Some((prefix, part)) = part_of(&file) else { continue };
        let stem = file.strip_suffix(".gz").unwrap_or(&file);
        // The usual name before others, `.gz` before plain.
        let usual = PARTS[part].iter().position(|name| *name == stem).unwrap_or(PARTS[part].len());
        let rank = (usual, !file.ends_with(".gz"), file);
        let place = best.entry((prefix, part)).or_insert_with(|| rank.clone());
        if rank < *place {
            *place = rank;
        }
    }
    let mut sets: BTreeMap<String, Files> = BTreeMap::new();
    for ((prefix, part), (.., file)) in best {
        // Also one that cannot be read, such as a link that leads nowhere: whoever opens it says so.
        sets.entry(prefix).or_default()[part] = Some(folder.join(file));
    }
    Ok(sets)
}

/// What a file's name begins with before the usual name, and which part of a data set it is.
fn part_of(file: &str) -> Option<(String, usize)> {
    let stem = file.strip_suffix(".gz").unwrap_or(file);
    let kinds = ["images", "labels"].into_iter().enumerate();
    let (kind, (before, after)) = kinds.filter_map(|(i, kind)| Some((i, stem.rsplit_once(kind)?))).next()?;
    let (dimensions, element) = after.strip_prefix(['-', '.'])?.strip_prefix("idx")?.split_once('-')?;
    let is_known = matches!(dimensions.as_bytes(), [b'0'..=b'9']) && TYPES.contains(&element);
    let halves = [("train-", 0), ("t10k-", 1), ("test-", 1)];
    let (prefix, half) = halves.iter().find_map(|(half, i)| Some((before.strip_suffix(half)?, *i)))?;
    let is_whole = prefix.is_empty() || prefix.ends_with('-');
    (is_known && is_whole).then(|| (prefix.to_owned(), 2 * half + kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_known_by_their_names() {
        for (file, prefix, part) in [
            ("train-images-idx3-ubyte.gz", "", 0),
            ("train-labels.idx1-ubyte", "", 1),
            ("t10k-images-idx2-float", "", 2),
            ("emnist-letters-test-labels-idx1-ubyte.gz", "emnist-letters-", 3),
            ("emnist-mnist-train-images-idx3-ubyte", "emnist-mnist-", 0),
            ("qmnist-train-labels-idx2-int.gz", "qmnist-", 1),
        ] {
            assert_eq!(part_of(file), Some((prefix.to_owned(), part)), "{file}");
        }
        for file in [
            "train-images-idx3-ubyte.xz",
            "train-images-idx3-ulong",
            "retrain-images-idx3-ubyte",
            "train-images-idx-ubyte",
            "train-images",
            "emnist-letters-mapping.txt",
            "",
        ] {
            assert_eq!(part_of(file), None, "{file}");
        }
    }
}
