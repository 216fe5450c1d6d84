//! Folders of data sets: where they are looked for, how they are loaded.
//!
//! A data directory holds one folder per data set; a folder holds four IDX files, each with or
//! without `.gz`, under the names that `find.rs` knows. [`load_mnist`] accepts only the published content, checked by SHA-256;
//! [`load_folder`] takes any image size and any number of classes.

mod find;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use self::find::Found;
use super::idx::{self, Images, Labels};
use super::{DataError, DataSets};

/// A file whose content is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownFile {
    /// The usual name, without `.gz`.
    pub name: &'static str,
    /// Size of the decompressed content, in bytes.
    pub size: u64,
    /// SHA-256 of the decompressed content, in lower-case hexadecimal.
    pub sha256: &'static str,
}

/// The four files of MNIST (LeCun, Cortes, Burges; CC BY-SA 3.0), in the order of [`PARTS`].
pub const MNIST_FILES: [KnownFile; 4] = [
    KnownFile {
        name: "train-images-idx3-ubyte",
        size: 47_040_016,
        sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
    KnownFile {
        name: "train-labels-idx1-ubyte",
        size: 60_008,
        sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    KnownFile {
        name: "t10k-images-idx3-ubyte",
        size: 7_840_016,
        sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    KnownFile {
        name: "t10k-labels-idx1-ubyte",
        size: 10_008,
        sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
];

/// Names under which each of the four files is known, the usual one first. `idx2` is a plain
/// table; the names with a dot are what some archives unpack to.
pub const PARTS: [&[&str]; 4] = [
    &["train-images-idx3-ubyte", "train-images.idx3-ubyte", "train-images-idx2-ubyte"],
    &["train-labels-idx1-ubyte", "train-labels.idx1-ubyte"],
    &["t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte", "t10k-images-idx2-ubyte"],
    &["t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte"],
];

/// The data directory: the flag, else the environment variable `LGL2O_DATA`, else `lgl2o` in the
/// user's cache directory, else (without one) `lgl2o-data` in the current directory. It need not
/// exist. An empty variable counts as unset.
#[must_use]
pub fn data_dir(flag: Option<&Path>) -> PathBuf {
    let os = std::env::consts::OS;
    resolve(flag, os, |name| std::env::var_os(name))
}

/// Whether the environment variable `LGL2O_DATA` names the data directory.
#[must_use]
pub fn is_named() -> bool {
    std::env::var_os("LGL2O_DATA").is_some_and(|value| !value.is_empty())
}

/// [`data_dir`] with the operating system and its environment as arguments.
fn resolve(flag: Option<&Path>, os: &str, variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let path = |name| variable(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let cache = || match os {
        "windows" => path("LOCALAPPDATA"),
        "macos" => path("HOME").map(|home| home.join("Library/Caches")),
        // The XDG rules say that a relative path is to be ignored.
        _ => path("XDG_CACHE_HOME")
            .filter(|dir| dir.is_absolute())
            .or_else(|| path("HOME").map(|home| home.join(".cache"))),
    };
    flag.map(Path::to_path_buf)
        .or_else(|| path("LGL2O_DATA"))
        .or_else(|| cache().map(|dir| dir.join("lgl2o")))
        .unwrap_or_else(|| PathBuf::from("lgl2o-data"))
}

/// Loads MNIST from `dir/mnist`, from `dir/MNIST`, or from `dir` itself, and verifies the content of all four files.
/// 60,000 training and 10,000 test images of 28 x 28 inputs in [0, 1], 10 classes.
///
/// # Errors
///
/// [`DataError::NotFound`] when neither folder holds it, [`DataError::Checksum`] when a file is not
/// the published one, and whatever makes a file unreadable.
pub fn load_mnist(dir: &Path) -> Result<DataSets, DataError> {
    let found = find("mnist", dir)?;
    let [train_images, train_labels, test_images, test_labels] = found.all()?;
    let [a, b, c, d] = &MNIST_FILES;
    Ok(DataSets {
        name: "mnist".to_owned(),
        train: load_known((a, train_images), (b, train_labels))?,
        test: load_known((c, test_images), (d, test_labels))?,
    })
}

/// Loads the data set `name` from `dir/name`, or from `dir` itself; see [`load_folder`].
///
/// # Errors
///
/// [`DataError::NotFound`] when neither folder holds one; else as [`load_folder`].
pub fn load_named(dir: &Path, name: &str) -> Result<DataSets, DataError> {
    Ok(DataSets { name: name.to_owned(), ..load(&find(name, dir)?)? })
}

/// Loads the four IDX files of `folder`, whatever the size of the images, or the data set that it names in a folder of several.
/// The number of classes is the highest label of both halves plus one; the name is the folder's name, or that of the set.
///
/// # Errors
///
/// [`DataError::NotFound`] when `folder` holds no data set, [`DataError::Several`] when it holds more than one, [`DataError::Missing`]
/// when it lacks a file, and whatever is wrong with a file, between two files, or with the labels.
pub fn load_folder(folder: &Path) -> Result<DataSets, DataError> {
    if let Some(found) = find::named(folder)? {
        return load(&found);
    }
    match &find::within(folder)?[..] {
        [] => Err(not_found(&name_of(folder), find::places(folder).to_vec())),
        [found] => load(found),
        several => Err(several_in(folder, several)),
    }
}

/// Whether a path is a folder, or names one of several data sets in a folder.
#[must_use]
pub fn is_folder(path: &Path) -> bool {
    path.is_dir() || find::named(path).is_ok_and(|found| found.is_some())
}

fn load(found: &Found) -> Result<DataSets, DataError> {
    let [train_images, train_labels, test_images, test_labels] = found.all()?;
    let train = (idx::read_images(train_images)?, idx::read_labels(train_labels)?);
    let test = (idx::read_images(test_images)?, idx::read_labels(test_labels)?);
    check_shapes(&train.0, &test.0)?;
    let (name, classes) = (found.name.clone(), count_classes(&train.1, &test.1)?);
    Ok(DataSets { name, train: idx::join(&train.0, &train.1, classes)?, test: idx::join(&test.0, &test.1, classes)? })
}

/// Every data set of a folder, with its path: those of the folders in `dir`, by their names, or those
/// in `dir` itself. Folders without one are passed over.
///
/// # Errors
///
/// [`DataError::NoSets`] where there is none; else as [`load_folder`].
pub fn load_all(dir: &Path) -> Result<Vec<(PathBuf, DataSets)>, DataError> {
    let mut found = find::within(dir)?;
    if found.is_empty() {
        let entries = std::fs::read_dir(dir).map_err(|error| idx::unreadable(dir, error))?;
        let paths = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>();
        let mut folders = paths.map_err(DataError::io("read", dir))?;
        folders.retain(|folder| folder.is_dir());
        folders.sort();
        for folder in folders {
            found.extend(find::within(&folder)?);
        }
    }
    if found.is_empty() {
        return Err(DataError::NoSets { folder: dir.to_path_buf(), file: PARTS[0][0] });
    }
    found.into_iter().map(|found| Ok((found.path.clone(), load(&found)?))).collect()
}

/// Checks that the decompressed content of `file` is the known one, and returns it.
pub(super) fn known_content(known: &KnownFile, file: &Path) -> Result<Vec<u8>, DataError> {
    let content = idx::content(file, known.size);
    let found =
        content.as_ref().map_or_else(|_| "of another length".to_owned(), |content| hex(&Sha256::digest(content)));
    if found == known.sha256 {
        return content;
    }
    let (file, expected) = (file.to_path_buf(), known.sha256);
    match content {
        // Perhaps a user's data; it is not reported as damage.
        Ok(_) | Err(DataError::TrailingBytes { .. }) if idx::is_whole(&file) => {
            Err(DataError::OtherSet { file, expected, found })
        }
        Ok(_) => Err(DataError::Checksum { file, expected, found }),
        error => error,
    }
}

/// The file of a part, under the first of its names that exists, `.gz` before plain.
pub(super) fn locate(folder: &Path, names: &[&str]) -> Option<PathBuf> {
    names
        .iter()
        .flat_map(|name| [format!("{name}.gz"), (*name).to_owned()])
        .map(|name| folder.join(name))
        // Also one that cannot be read, such as a link that leads nowhere: whoever opens it says so.
        .find(|file| file.symlink_metadata().is_ok())
}

/// The data set `name`, in a folder of `dir` of that name or in `dir` itself, under the usual names of its files.
fn find(name: &str, dir: &Path) -> Result<Found, DataError> {
    let candidates = vec![dir.join(name), dir.join(name.to_uppercase()), dir.to_path_buf()];
    for folder in &candidates {
        let found = find::within(folder)?.into_iter().find(Found::is_plain);
        if let Some(found) = found {
            return Ok(found);
        }
    }
    Err(not_found(name, candidates))
}

fn several_in(folder: &Path, several: &[Found]) -> DataError {
    let sets = several.iter().map(|found| found.path.clone()).collect();
    DataError::Several { folder: folder.to_path_buf(), sets }
}

fn not_found(name: &str, looked: Vec<PathBuf>) -> DataError {
    DataError::NotFound { name: name.to_owned(), file: PARTS[0][0], looked }
}

/// The last part of a folder's path, also for `.` and paths that end in `..`; of a folder that files are kept in, its parent's.
fn name_of(folder: &Path) -> String {
    let whole = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let mut names = whole.ancestors().filter_map(|part| Some(part.file_name()?.to_string_lossy().into_owned()));
    names.find(|name| !find::is_inner(name)).unwrap_or_else(|| "data".to_owned())
}

/// Loads one verified half of MNIST.
fn load_known(
    (images, images_file): (&KnownFile, &Path),
    (labels, labels_file): (&KnownFile, &Path),
) -> Result<super::Dataset, DataError> {
    let images = idx::parse_images(&known_content(images, images_file)?, images_file)?;
    let labels = idx::parse_labels(&known_content(labels, labels_file)?, labels_file)?;
    idx::join(&images, &labels, 10)
}

/// Training and test examples must have the same shape.
fn check_shapes(train: &Images, test: &Images) -> Result<(), DataError> {
    if train.shape() == test.shape() {
        return Ok(());
    }
    Err(DataError::ShapeMismatch {
        train: train.file().to_path_buf(),
        train_shape: train.shape().to_vec(),
        test: test.file().to_path_buf(),
        test_shape: test.shape().to_vec(),
    })
}

/// The highest label plus one. The training labels must not be all the same.
fn count_classes(train: &Labels, test: &Labels) -> Result<usize, DataError> {
    let first = train.values().first().copied().unwrap_or(0);
    if train.values().iter().all(|&label| label == first) {
        return Err(DataError::TooFewClasses { file: train.file().to_path_buf(), label: first });
    }
    let highest = train.values().iter().chain(test.values()).max().copied().unwrap_or(first);
    Ok(usize::from(highest) + 1)
}

/// Lower-case hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
