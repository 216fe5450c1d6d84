//! IDX, the file format of MNIST: numbers with a short header, all of it big-endian.
//!
//! ```text
//! 00 00 T D       magic: element type T, such as 0x08 = unsigned byte, D = number of dimensions
//! D x u32         the dimensions, rows first
//! the values      their product, last dimension fastest
//! ```
//!
//! Images have D = 3 (count, rows, columns); D = 2 (count, columns) is a plain table. Labels have D = 1; of those with D
//! = 2, as in QMNIST (count, 8), the first column is the class. A byte becomes the input value / 255 in `f32`, any other
//! number the nearest `f32`; the element types are in a table (`element.rs`). Whether a file is gzipped is decided by its
//! first two bytes, never by its name. A header is not trusted: it may call for at most [`MAX_VALUES`] values, and memory
//! grows with the payload that is really there.
//!
//! Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits"; C. Yadav, L. Bottou, "Cold Case: The Lost MNIST
//! Digits" (2019), for QMNIST.

mod array;
mod element;
mod write;

use std::fs::File;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

pub use self::array::{Images, Labels, Values};
use self::element::{Element, UNSIGNED_BYTE};
pub use self::write::{Encoding, write_images, write_labels};
use super::error::MAX_VALUES;
use super::{DataError, Dataset, dataset};
use crate::first_bytes;

/// Columns of QMNIST's labels: the class, and seven on where the digit is from.
const QMNIST_COLUMNS: u32 = 8;

/// What a file is expected to hold.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Images,
    Labels,
}

impl Kind {
    fn accepts(self, dims: u8) -> bool {
        match self {
            Self::Images => matches!(dims, 2 | 3),
            Self::Labels => matches!(dims, 1 | 2),
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Images => "0x00000803 (images) or 0x00000802 (a table)",
            Self::Labels => "0x00000801 (labels), or another element type in its third byte",
        }
    }
}

/// Reads a file of images, or of table rows.
///
/// # Errors
///
/// Refuses a file that cannot be read, is damaged, too short or too long, of another kind, or holds a NaN or an infinity.
pub fn read_images(file: &Path) -> Result<Images, DataError> {
    images(open(file)?, file)
}

/// Reads a file of labels.
///
/// # Errors
///
/// As [`read_images`], and if a label is no whole number from 0 to 255.
pub fn read_labels(file: &Path) -> Result<Labels, DataError> {
    labels(open(file)?, file)
}

/// Reads images from the bytes of a file, gzipped or not; `file` is its name in errors.
///
/// # Errors
///
/// As [`read_images`].
pub fn parse_images(bytes: &[u8], file: &Path) -> Result<Images, DataError> {
    images(decompressed(bytes, file)?, file)
}

/// Reads labels from the bytes of a file, gzipped or not; `file` is its name in errors.
///
/// # Errors
///
/// As [`read_labels`].
pub fn parse_labels(bytes: &[u8], file: &Path) -> Result<Labels, DataError> {
    labels(decompressed(bytes, file)?, file)
}

fn images(reader: impl Read, file: &Path) -> Result<Images, DataError> {
    let Parsed { element, dims, payload } = parse(reader, file, Kind::Images)?;
    let dims: Vec<usize> = dims.iter().map(|&d| d as usize).collect();
    let values = if element.code == UNSIGNED_BYTE {
        Values::Bytes(payload)
    } else {
        // As an input; what is beyond its range is as good as infinite.
        let numbers: Vec<f32> = element.numbers(&payload).map(|x| x as f32).collect();
        if let Some(at) = numbers.iter().position(|x| !x.is_finite()) {
            let (row, value) = (at / (numbers.len() / dims[0]), numbers[at]);
            return Err(DataError::InfiniteElement { file: file.to_path_buf(), row, value });
        }
        Values::Numbers(numbers)
    };
    Ok(Images { file: file.to_path_buf(), dims, values })
}

fn labels(reader: impl Read, file: &Path) -> Result<Labels, DataError> {
    let Parsed { element, dims, payload } = parse(reader, file, Kind::Labels)?;
    let columns = match *dims {
        [_] | [_, 1] => 1,
        [_, QMNIST_COLUMNS] => QMNIST_COLUMNS as usize,
        _ => return Err(DataError::LabelColumns { file: file.to_path_buf(), dims }),
    };
    let classes = element.numbers(&payload).step_by(columns).enumerate().map(|(row, x)| {
        let is_label = (0.0..=255.0).contains(&x) && x.fract() == 0.0;
        let error = || DataError::NoLabel { file: file.to_path_buf(), row, value: x };
        is_label.then_some(x as u8).ok_or_else(error)
    });
    Ok(Labels { file: file.to_path_buf(), values: classes.collect::<Result<_, _>>()? })
}

/// Joins images and labels into a data set; bytes become value / 255.
///
/// # Errors
///
/// Refuses unequal counts, and a label at or above `classes`.
pub fn join(images: &Images, labels: &Labels, classes: usize) -> Result<Dataset, DataError> {
    if images.count() != labels.count() {
        return Err(DataError::CountMismatch {
            images: images.file.clone(),
            n_images: images.count(),
            labels: labels.file.clone(),
            n_labels: labels.count(),
        });
    }
    dataset::check_labels(&labels.values, classes, || labels.file.display().to_string())?;
    let image = match *images.shape() {
        [rows, cols] => Some((rows, cols)),
        _ => None,
    };
    Dataset::new(images.inputs(), labels.values.clone(), images.shape().iter().product(), classes, image)
}

/// The decompressed content of `file`, which should have `size` bytes and may have fewer.
///
/// # Errors
///
/// Refuses a file that cannot be read or decompressed, and one longer than `size`.
pub(super) fn content(file: &Path, size: u64) -> Result<Vec<u8>, DataError> {
    let mut content = Vec::new();
    let end = fill(open(file)?, size.saturating_add(1), &mut content);
    let found = content.len() as u64;
    match end {
        _ if found > size => Err(DataError::TrailingBytes { file: file.to_path_buf(), expected: size }),
        Err(cause) if cause.kind() == ErrorKind::UnexpectedEof && found < size => Err(truncated(file, size, found)),
        Err(cause) => Err(read_error(file, cause)),
        Ok(()) => Ok(content),
    }
}

/// Opens a file, gzipped or not.
fn open(file: &Path) -> Result<Box<dyn Read>, DataError> {
    // Opening a pipe would wait for somebody to write to it.
    if std::fs::metadata(file).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(unreadable(file, io::Error::other("it is not a file")));
    }
    let handle = File::open(file).map_err(|error| unreadable(file, error))?;
    decompressed(BufReader::with_capacity(1 << 16, handle), file)
}

/// Why a file or folder cannot be read; of a link that leads nowhere, where it leads.
pub(super) fn unreadable(path: &Path, error: io::Error) -> DataError {
    let error = match crate::files::dangling(path) {
        Some(target) => io::Error::new(error.kind(), format!("it is a link to {}: {error}", target.display())),
        None => error,
    };
    DataError::io("read", path)(error)
}

/// Whether a file is a whole one of images or labels.
pub(super) fn is_whole(file: &Path) -> bool {
    read_images(file).is_ok() || read_labels(file).is_ok()
}

/// Looks at the first bytes to tell gzip from plain content.
fn decompressed<'a>(mut reader: impl BufRead + 'a, file: &Path) -> Result<Box<dyn Read + 'a>, DataError> {
    const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
    let start = reader.fill_buf().map_err(DataError::io("read", file))?;
    if start.starts_with(&GZIP_MAGIC) { Ok(Box::new(MultiGzDecoder::new(reader))) } else { Ok(Box::new(reader)) }
}

/// Header and payload of a file.
struct Parsed {
    element: &'static Element,
    dims: Vec<u32>,
    payload: Vec<u8>,
}

/// Reads header and payload, checking each before the next.
fn parse(mut reader: impl Read, file: &Path, kind: Kind) -> Result<Parsed, DataError> {
    let (element, rank) = parse_magic(&mut reader, file, kind)?;
    let header = 4 + 4 * u64::from(rank);
    let dims = parse_dims(&mut reader, file, header)?;
    let expected = count_values(&dims, file)? * element.size as u64;
    let mut payload = Vec::new();
    let end = fill(reader, expected + 1, &mut payload);
    let found = payload.len() as u64;
    if found > expected {
        return Err(DataError::TrailingBytes { file: file.to_path_buf(), expected: header + expected });
    }
    match end {
        Err(cause) if cause.kind() != ErrorKind::UnexpectedEof || found == expected => Err(read_error(file, cause)),
        _ if found < expected => Err(truncated(file, header + expected, header + found)),
        _ => Ok(Parsed { element, dims, payload }),
    }
}

/// Checks the first four bytes and returns the type of the elements, and the number of dimensions.
fn parse_magic(reader: &mut impl Read, file: &Path, kind: Kind) -> Result<(&'static Element, u8), DataError> {
    let mut magic = Vec::new();
    let end = fill(&mut *reader, 4, &mut magic);
    let [zero_0, zero_1, code, rank] = header_word(file, &magic, end, 4, 0)?;
    match Element::of(code).filter(|_| (zero_0, zero_1) == (0, 0)) {
        Some(element) if kind.accepts(rank) => Ok((element, rank)),
        Some(_) if rank > 3 => Err(DataError::Dimensions { file: file.to_path_buf(), rank }),
        _ => Err(other_format(reader, file.to_path_buf(), magic, kind)),
    }
}

/// What a file is that begins with another magic number, as far as that can be told.
fn other_format(reader: impl Read, file: PathBuf, magic: Vec<u8>, kind: Kind) -> DataError {
    let mut start = magic;
    // What cannot be read is not needed.
    let _ = fill(reader, first_bytes::LOOKED_AT, &mut start);
    let advice = first_bytes::of(&start).map(|[_, advice]| advice);
    match first_bytes::name(&start) {
        // It was unpacked once.
        first_bytes::PACKED => {
            DataError::OtherFormat { file, what: "compressed by gzip twice", advice: advice.unwrap_or_default() }
        }
        what if !first_bytes::is_unknown(what) && what != first_bytes::IDX => {
            DataError::OtherFormat { file, what, advice: advice.unwrap_or("Is it in the wrong place?") }
        }
        _ => {
            let found = start.first_chunk().map_or(0, |magic| u32::from_be_bytes(*magic));
            DataError::WrongMagic { file, expected: kind.expected(), found }
        }
    }
}

/// Reads the dimensions that fill the header, `header` bytes with the magic number.
fn parse_dims(reader: &mut impl Read, file: &Path, header: u64) -> Result<Vec<u32>, DataError> {
    let mut dims = Vec::new();
    for offset in (4..header).step_by(4) {
        let mut word = Vec::new();
        let end = fill(&mut *reader, 4, &mut word);
        let bytes = header_word(file, &word, end, header, offset)?;
        dims.push(u32::from_be_bytes(bytes));
    }
    Ok(dims)
}

/// The four bytes of a header word at `offset`, or why they are not there.
fn header_word(file: &Path, word: &[u8], end: io::Result<()>, header: u64, offset: u64) -> Result<[u8; 4], DataError> {
    match (word.try_into(), end) {
        (Ok(bytes), _) => Ok(bytes),
        (_, Err(cause)) if cause.kind() != ErrorKind::UnexpectedEof => Err(read_error(file, cause)),
        _ => Err(truncated(file, header, offset + word.len() as u64)),
    }
}

/// The number of values that the header calls for, within bounds.
fn count_values(dims: &[u32], file: &Path) -> Result<u64, DataError> {
    if dims.contains(&0) {
        return Err(DataError::Empty { file: file.to_path_buf(), dims: dims.to_vec() });
    }
    dims.iter()
        .try_fold(1u64, |product, &d| product.checked_mul(u64::from(d)))
        .filter(|&size| size <= MAX_VALUES)
        .ok_or_else(|| DataError::TooLarge { file: file.to_path_buf(), dims: dims.to_vec() })
}

/// Appends what `reader` holds, but at most `limit` bytes; what was read before an error stays.
/// A limit of one more than the wanted size shows whether there is more, and makes a gzip decoder
/// check its checksum.
fn fill(reader: impl Read, limit: u64, into: &mut Vec<u8>) -> io::Result<()> {
    reader.take(limit).read_to_end(into).map(drop)
}

/// Sorts a reading error: the decoder's complaints are damage, the rest is the system's.
fn read_error(file: &Path, cause: io::Error) -> DataError {
    match cause.kind() {
        ErrorKind::InvalidInput | ErrorKind::InvalidData | ErrorKind::UnexpectedEof => {
            DataError::Gzip { file: file.to_path_buf(), cause }
        }
        _ => DataError::io("read", file)(cause),
    }
}

fn truncated(file: &Path, expected: u64, found: u64) -> DataError {
    DataError::Truncated { file: file.to_path_buf(), expected, found }
}

#[cfg(test)]
mod tests;
