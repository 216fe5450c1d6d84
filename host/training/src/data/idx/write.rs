//! Writing IDX files of unsigned bytes.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::element::UNSIGNED_BYTE;
use crate::data::DataError;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The bytes as they are.
    Plain,
    /// Compressed with gzip.
    Gzip,
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
