//! IDX, the file format of MNIST: unsigned bytes with a short big-endian header.
//!
//! ```text
//! 00 00 08 D      magic: element type 0x08 = unsigned byte, D = number of dimensions
//! D x u32         the dimensions, rows first
//! product bytes   the values, last dimension fastest
//! ```
//!
//! Labels have D = 1, images D = 3 (count, rows, columns); D = 2 (count, columns) is a plain table.
//! A value becomes the input value / 255 in `f32`. Whether a file is gzipped is decided by its
//! first two bytes, never by its name. A header is not trusted: it may call for at most
//! [`MAX_VALUES`] values, and memory grows with the payload that is really there.
//!
//! Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database of handwritten digits".

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;

use super::error::MAX_VALUES;
use super::{DataError, Dataset, dataset};
use crate::first_bytes;

/// The type code of unsigned bytes, the only one that is read.
const UNSIGNED_BYTE: u8 = 0x08;

/// The other type codes of the format, which are named in the refusal.
const OTHER_TYPES: [(u8, &str); 5] = [
    (0x09, "signed byte"),
    (0x0b, "16-bit integer"),
    (0x0c, "32-bit integer"),
    (0x0d, "32-bit float"),
    (0x0e, "64-bit float"),
];

/// The content of one IDX file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdxArray {
    file: PathBuf,
    dims: Vec<usize>,
    values: Vec<u8>,
}

impl IdxArray {
    /// The file it was read from.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The dimensions, count first; none is zero.
    #[must_use]
    pub fn dims(&self) -> &[usize] {
        &self.dims
    }

    /// Number of images, rows or labels.
    #[must_use]
    pub fn count(&self) -> usize {
        self.dims[0]
    }

    /// The shape of one example: `[rows, cols]`, `[cols]`, or `[]` for labels.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.dims[1..]
    }

    /// The values, last dimension fastest.
    #[must_use]
    pub fn values(&self) -> &[u8] {
        &self.values
    }
}

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The bytes as they are.
    Plain,
    /// Compressed with gzip.
    Gzip,
}

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
            Self::Labels => dims == 1,
        }
    }

    fn expected(self) -> &'static str {
        match self {
            Self::Images => "0x00000803 (images) or 0x00000802 (a table)",
            Self::Labels => "0x00000801 (labels)",
        }
    }
}

/// Reads a file of images, or of table rows.
///
/// # Errors
///
/// Refuses a file that cannot be read, is damaged, too short or too long, or of another kind.
pub fn read_images(file: &Path) -> Result<IdxArray, DataError> {
    parse(open(file)?, file, Kind::Images)
}

/// Reads a file of labels.
///
/// # Errors
///
/// As [`read_images`].
pub fn read_labels(file: &Path) -> Result<IdxArray, DataError> {
    parse(open(file)?, file, Kind::Labels)
}

/// Reads images from the bytes of a file, gzipped or not; `file` is its name in errors.
///
/// # Errors
///
/// As [`read_images`].
pub fn parse_images(bytes: &[u8], file: &Path) -> Result<IdxArray, DataError> {
    parse(decompressed(bytes, file)?, file, Kind::Images)
}

/// Reads labels from the bytes of a file, gzipped or not; `file` is its name in errors.
///
/// # Errors
///
/// As [`read_images`].
pub fn parse_labels(bytes: &[u8], file: &Path) -> Result<IdxArray, DataError> {
    parse(decompressed(bytes, file)?, file, Kind::Labels)
}

/// Joins images and labels into a data set; values become value / 255.
///
/// # Errors
///
/// Refuses unequal counts, and a label at or above `classes`.
pub fn join(images: &IdxArray, labels: &IdxArray, classes: usize) -> Result<Dataset, DataError> {
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
    let inputs = images.values.iter().map(|&v| f32::from(v) / 255.0);
    Dataset::new(inputs.collect(), labels.values.clone(), images.shape().iter().product(), classes, image)
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

/// Reads header and payload, checking each before the next.
fn parse(mut reader: impl Read, file: &Path, kind: Kind) -> Result<IdxArray, DataError> {
    let rank = parse_magic(&mut reader, file, kind)?;
    let header = 4 + 4 * u64::from(rank);
    let dims = parse_dims(&mut reader, file, header)?;
    let expected = payload_size(&dims, file)?;
    let mut values = Vec::new();
    let end = fill(reader, expected + 1, &mut values);
    let found = values.len() as u64;
    if found > expected {
        return Err(DataError::TrailingBytes { file: file.to_path_buf(), expected: header + expected });
    }
    match end {
        Err(cause) if cause.kind() != ErrorKind::UnexpectedEof || found == expected => Err(read_error(file, cause)),
        _ if found < expected => Err(truncated(file, header + expected, header + found)),
        _ => Ok(IdxArray { file: file.to_path_buf(), dims: dims.iter().map(|&d| d as usize).collect(), values }),
    }
}

/// Checks the first four bytes and returns the number of dimensions.
fn parse_magic(reader: &mut impl Read, file: &Path, kind: Kind) -> Result<u8, DataError> {
    let mut magic = Vec::new();
    let end = fill(&mut *reader, 4, &mut magic);
    let [zero_0, zero_1, code, rank] = header_word(file, &magic, end, 4, 0)?;
    let name = OTHER_TYPES.iter().find(|t| t.0 == code).map(|t| t.1);
    let path = file.to_path_buf();
    match ((zero_0, zero_1, code), name) {
        ((0, 0, UNSIGNED_BYTE), _) if kind.accepts(rank) => Ok(rank),
        ((0, 0, UNSIGNED_BYTE), _) if rank > 3 => Err(DataError::Dimensions { file: path, rank }),
        ((0, 0, _), Some(name)) => Err(DataError::UnsupportedElement { file: path, code, name }),
        _ => Err(other_format(reader, path, magic, kind)),
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
fn payload_size(dims: &[u32], file: &Path) -> Result<u64, DataError> {
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

/// Writes images of `rows x cols` bytes each.
///
/// # Errors
///
/// Refuses `pixels` that are not a whole number of images, and a file that cannot be written.
pub fn write_images(file: &Path, (rows, cols): (u32, u32), pixels: &[u8], encoding: Encoding) -> Result<(), DataError> {
    let area = (rows as usize).saturating_mul(cols as usize);
    if area == 0 || !pixels.len().is_multiple_of(area) {
        return Err(DataError::LengthMismatch {
            inputs: pixels.len(),
            rows: pixels.len().checked_div(area).unwrap_or(0),
            width: area,
        });
    }
    write(file, (pixels.len() / area, &[rows, cols]), pixels, encoding)
}

/// Writes labels.
///
/// # Errors
///
/// Refuses a file that cannot be written.
pub fn write_labels(file: &Path, labels: &[u8], encoding: Encoding) -> Result<(), DataError> {
    write(file, (labels.len(), &[]), labels, encoding)
}

/// Writes a header of `count` and `shape`, then the values.
fn write(file: &Path, (count, shape): (usize, &[u32]), values: &[u8], encoding: Encoding) -> Result<(), DataError> {
    let count = u32::try_from(count)
        .map_err(|_| DataError::TooLarge { file: file.to_path_buf(), dims: [&[u32::MAX], shape].concat() })?;
    // The rank is 1 or 3, so it fits a byte.
    let mut bytes = vec![0, 0, UNSIGNED_BYTE, 1 + shape.len() as u8];
    bytes.extend(count.to_be_bytes());
    bytes.extend(shape.iter().flat_map(|d| d.to_be_bytes()));
    let handle = File::create(file).map_err(DataError::io("create", file))?;
    put(BufWriter::new(handle), &bytes, values, encoding).map_err(DataError::io("write", file))
}

fn put(mut out: impl Write, head: &[u8], values: &[u8], encoding: Encoding) -> io::Result<()> {
    match encoding {
        Encoding::Plain => {
            out.write_all(head)?;
            out.write_all(values)?;
        }
        Encoding::Gzip => {
            let mut encoder = GzEncoder::new(&mut out, Compression::default());
            encoder.write_all(head)?;
            encoder.write_all(values)?;
            encoder.finish()?;
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests;
