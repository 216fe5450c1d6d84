//! Everything that can be wrong with data. A message names the file, says what is wrong with it
//! and what to do; it holds its cause in full, so printing the error alone is enough.

use std::io;
use std::path::{Path, PathBuf};

use super::words::{download_message, list, pooling_fault};
use crate::files::advice;

/// The most values a file may hold, 2^30: 22 times as many as MNIST, 4 GiB once they are `f32`.
pub const MAX_VALUES: u64 = 1 << 30;

/// What went wrong while data was found, read, checked, cut or fetched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// No folder of the data set was found in any place that was tried.
    #[error(
        "no data set `{name}` was found. Looked for a file `{file}` (with or without .gz) in:{}\n\
         Run `lgl2o data fetch mnist` to download MNIST, or name a folder with `--data DIR`.",
        list(.looked)
    )]
    NotFound {
        /// The data set that was asked for.
        name: String,
        /// The file whose presence marks a folder as a data set.
        file: &'static str,
        /// Every folder that was tried, in order.
        looked: Vec<PathBuf>,
    },

    /// A folder, and the folders in it, hold no data set.
    #[error(
        "{}: there is no data set in it. A data set is a folder of four IDX files, such as `{file}` (with or without \
         .gz); name such a folder, or one that holds several.",
        .folder.display()
    )]
    NoSets {
        /// The folder.
        folder: PathBuf,
        /// The file whose presence marks a folder as a data set.
        file: &'static str,
    },

    /// A folder holds several data sets.
    #[error("{}: it holds several data sets. Name one of them:{}", .folder.display(), list(.sets))]
    Several {
        /// The folder.
        folder: PathBuf,
        /// How each of them is named.
        sets: Vec<PathBuf>,
    },

    /// A folder holds a data set, but one of its four files is absent.
    #[error(
        "{}: the file `{file}` (with or without .gz) is missing. Put it there; \
         for MNIST, `lgl2o data fetch mnist` does it.",
        .folder.display()
    )]
    Missing {
        /// The folder that lacks the file.
        folder: PathBuf,
        /// The usual name of the file, without `.gz`.
        file: String,
    },

    /// The operating system refused to read, write or create something.
    #[error(
        "{}: cannot {action} it: {cause}.{}",
        .file.display(), advice(.cause)
    )]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// What was tried: "read", "write" or "create".
        action: &'static str,
        /// The operating system's answer.
        cause: io::Error,
    },

    /// A gzip stream does not decode, or its own checksum does not match.
    #[error("{}: the gzip data is damaged ({cause}). {}", .file.display(), REPLACE)]
    Gzip {
        /// The damaged file.
        file: PathBuf,
        /// What the decoder found.
        cause: io::Error,
    },

    /// The file ends before its header says it does. Sizes count decompressed bytes.
    #[error(
        "{}: the file is truncated: expected {expected} bytes (decompressed), found {found}. {}",
        .file.display(), REPLACE
    )]
    Truncated {
        /// The short file.
        file: PathBuf,
        /// Bytes that the header calls for, or that a header needs.
        expected: u64,
        /// Bytes that are there.
        found: u64,
    },

    /// The file goes on after the end that its header states.
    #[error(
        "{}: there are more bytes after byte {expected} (decompressed), where the data should end. {}",
        .file.display(), REPLACE
    )]
    TrailingBytes {
        /// The long file.
        file: PathBuf,
        /// Bytes that the file should have.
        expected: u64,
    },

    /// The first four bytes are not those of the expected kind of IDX file.
    #[error(
        "{}: not the expected kind of IDX file: it starts with 0x{found:08x}, expected {expected}. \
         Are images and labels swapped, or is this another format?",
        .file.display()
    )]
    WrongMagic {
        /// The file.
        file: PathBuf,
        /// The magic numbers that would do.
        expected: &'static str,
        /// The magic number found.
        found: u32,
    },

    /// A file of another format that is known.
    #[error("{}: not the expected kind of IDX file: it is {what}. {advice}", .file.display())]
    OtherFormat {
        /// The file.
        file: PathBuf,
        /// What it is.
        what: &'static str,
        /// What to do about it.
        advice: &'static str,
    },

    /// An IDX file with more dimensions than grey images have.
    #[error(
        "{}: not the expected kind of IDX file: it has {rank} dimensions. Grey images have 3 (0x00000803), a table has 2 \
         (0x00000802), labels have 1; colour images need one row of all their values each, as a table.",
        .file.display()
    )]
    Dimensions {
        /// The file.
        file: PathBuf,
        /// Its dimensions.
        rank: u8,
    },

    /// A whole IDX file in the place of MNIST's.
    #[error(
        "{}: a whole IDX file, but not MNIST's (SHA-256 {found}, MNIST has {expected}): another data set, or a damaged \
         copy. Use another data set with `--task idx --data FOLDER`; for MNIST, name another data directory, or put this \
         file elsewhere, and run `lgl2o data fetch mnist`.",
        .file.display()
    )]
    OtherSet {
        /// The file.
        file: PathBuf,
        /// The published checksum of the decompressed content.
        expected: &'static str,
        /// The checksum of the content that is there, as far as it is as long.
        found: String,
    },

    /// A number that no network can be given.
    #[error("{}: there is {value} in row {row}, counted from 0. Replace it with a finite number, or leave the row out.", .file.display())]
    InfiniteElement {
        /// The file.
        file: PathBuf,
        /// The row.
        row: usize,
        /// The number, as an input.
        value: f32,
    },

    /// A number that is no class.
    #[error(
        "{}: the label of row {row}, counted from 0, is {value:?}. Labels are whole numbers from 0 to 255, big-endian: number the classes \
         from 0 on, or write the file with its highest byte first.",
        .file.display()
    )]
    NoLabel {
        /// The file.
        file: PathBuf,
        /// The row.
        row: usize,
        /// The number.
        value: f64,
    },

    /// Labels of several columns, not those of QMNIST.
    #[error(
        "{}: the dimensions of the labels are {dims:?}. Labels have one dimension, or, as in QMNIST, a second one of 8 columns, the first of \
         which is the class. Keep one column.",
        .file.display()
    )]
    LabelColumns {
        /// The file.
        file: PathBuf,
        /// The dimensions of the header.
        dims: Vec<u32>,
    },

    /// The header calls for more values than this program reads.
    #[error(
        "{}: the header calls for {dims:?} values, more than the bound of {} values. \
         The header is damaged or little-endian (IDX has the highest byte first), or the data set needs to be cut.",
        .file.display(), MAX_VALUES
    )]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// The dimensions of the header.
        dims: Vec<u32>,
    },

    /// A dimension of the header is zero: there is nothing to learn from.
    #[error("{}: the file holds nothing: its header says {dims:?}. {}", .file.display(), REPLACE)]
    Empty {
        /// The file.
        file: PathBuf,
        /// The dimensions of the header.
        dims: Vec<u32>,
    },

    /// The content is not the published one.
    #[error(
        "{}: wrong content: expected SHA-256 {expected}, found {found} (decompressed), and it is no whole IDX file. \
         `lgl2o data fetch mnist` replaces it.",
        .file.display()
    )]
    Checksum {
        /// The file.
        file: PathBuf,
        /// The published checksum of the decompressed content.
        expected: &'static str,
        /// The checksum of the content that is there.
        found: String,
    },

    /// Images and labels that belong together differ in number.
    #[error(
        "{} holds {n_images} images, but {} holds {n_labels} labels. \
         The two files must come from the same data set and split.",
        .images.display(), .labels.display()
    )]
    CountMismatch {
        /// The file of images.
        images: PathBuf,
        /// How many images it holds.
        n_images: usize,
        /// The file of labels.
        labels: PathBuf,
        /// How many labels it holds.
        n_labels: usize,
    },

    /// Training and test examples differ in shape.
    #[error(
        "{} holds examples of shape {train_shape:?}, but {} of shape {test_shape:?}. \
         Training and test data must have the same shape.",
        .train.display(), .test.display()
    )]
    ShapeMismatch {
        /// The training file.
        train: PathBuf,
        /// Shape of a training example.
        train_shape: Vec<usize>,
        /// The test file.
        test: PathBuf,
        /// Shape of a test example.
        test_shape: Vec<usize>,
    },

    /// All training labels are the same: there is nothing to tell apart.
    #[error("{}: all labels are {label}. A classification task needs at least two classes.", .file.display())]
    TooFewClasses {
        /// The file of the training labels.
        file: PathBuf,
        /// The label.
        label: u8,
    },

    /// A label that no class has.
    #[error(
        "{origin}: the label of row {row} is {label}, but with {classes} classes labels end at {}.",
        .classes.saturating_sub(1)
    )]
    LabelOutOfRange {
        /// The file, or "labels" for labels from memory.
        origin: String,
        /// The first row with such a label, from 0.
        row: usize,
        /// The label.
        label: u8,
        /// The number of classes.
        classes: usize,
    },

    /// A data set without a single row.
    #[error("a data set needs at least one row")]
    NoRows,

    /// The number of inputs is not rows times width.
    #[error(
        "{inputs} inputs do not make {rows} rows of width {width}. \
         Give one label for each row, and `width` inputs for each label."
    )]
    LengthMismatch {
        /// Number of inputs, over all rows.
        inputs: usize,
        /// Number of labels, one for each row.
        rows: usize,
        /// Inputs in a row.
        width: usize,
    },

    /// The stated image size does not fit the width of a row.
    #[error("an image of {rows} x {cols} does not fill a row of width {width}")]
    ImageShape {
        /// Rows of the image.
        rows: usize,
        /// Columns of the image.
        cols: usize,
        /// Inputs in a row of the data set.
        width: usize,
    },

    /// An input that is NaN or infinite.
    #[error("row {row}, column {column}: the input is {value}; inputs must be finite numbers")]
    NotFinite {
        /// The first row with such an input, from 0.
        row: usize,
        /// Its first such column, from 0.
        column: usize,
        /// The input.
        value: f32,
    },

    /// A cut that leaves one side without rows, or reaches beyond the end.
    #[error("cannot take rows {start}..{end} of {len}: {rule}")]
    BadRange {
        /// First row asked for.
        start: usize,
        /// One past the last row asked for.
        end: usize,
        /// Rows there are.
        len: usize,
        /// What would have been allowed.
        rule: &'static str,
    },

    /// Average pooling by a factor that does not divide the image, or of rows that are not images.
    #[error(
        "cannot average-pool by {factor}: {}",
        pooling_fault(.image)
    )]
    NotPoolable {
        /// The factor asked for.
        factor: usize,
        /// Rows and columns of an image, if the rows are images.
        image: Option<(usize, usize)>,
    },

    /// No mirror delivered a file.
    #[error("{}", download_message(.file, .attempts, .folder, .by_hand))]
    Download {
        /// The file that could not be fetched.
        file: String,
        /// Each address tried, and why it failed.
        attempts: Vec<(String, String)>,
        /// The folder where the files belong.
        folder: PathBuf,
        /// Names and checksums of all files of the data set.
        by_hand: Vec<(&'static str, &'static str)>,
    },
}

impl DataError {
    /// Returns a closure that turns an [`io::Error`] on `file` into a [`DataError::Io`].
    pub(super) fn io(action: &'static str, file: &Path) -> impl FnOnce(io::Error) -> Self {
        move |cause| Self::Io { file: file.to_path_buf(), action, cause }
    }
}

/// What to do about a damaged file.
const REPLACE: &str = "Replace the file; for MNIST, `lgl2o data fetch mnist` does it.";
