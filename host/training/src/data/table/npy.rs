//! Arrays of NumPy's in `.npy` files (NEP 1), read and written.
//!
//! ```text
//! "\x93NUMPY", version (2 bytes), length of the header (u16; u32 from version 2 on), header, numbers
//! header: {'descr': '<f4', 'fortran_order': False, 'shape': (150, 5), }
//! ```
//!
//! The first dimension counts the rows; the others together are the columns, in C order. Read are floats of 4 and 8 bytes, whole
//! numbers of 1 to 8 and truth values, of either order of bytes, in C or in Fortran order. The header is read here and not by a
//! crate: those that read it bring a dozen others, assembly among them.

use std::path::Path;

use super::gather::{Cell, Gather};
use super::{Column, Columns, Place, Reading, Table, TableError};

/// How a file begins.
pub const MAGIC: &[u8] = b"\x93NUMPY";

/// An array: its shape, and what is needed to read its numbers.
#[derive(Debug)]
struct Array<'a> {
    shape: Vec<usize>,
    fortran: bool,
    kind: u8,
    size: usize,
    big: bool,
    bytes: &'a [u8],
}

impl<'a> Array<'a> {
    fn read(file: &Path, bytes: &'a [u8]) -> Result<Self, TableError> {
        let wrong = |what: String| TableError::Array { file: file.to_owned(), what };
        let cut = || wrong("the header is cut off. Save the array again.".to_owned());
        let rest = bytes.strip_prefix(MAGIC).ok_or_else(|| wrong("it is no .npy file.".to_owned()))?;
        let ([major, _], rest) = rest.split_first_chunk::<2>().ok_or_else(cut)?;
        let (length, rest) = match major {
            1 => rest.split_first_chunk::<2>().map(|(n, rest)| (usize::from(u16::from_le_bytes(*n)), rest)),
            2 | 3 => rest.split_first_chunk::<4>().map(|(n, rest)| (u32::from_le_bytes(*n) as usize, rest)),
            other => {
                return Err(wrong(format!(
                    "version {other} of the .npy format is not known. Save it with numpy.save."
                )));
            }
        }
        .ok_or_else(cut)?;
        let (header, numbers) = rest.split_at_checked(length).ok_or_else(cut)?;
        let header = String::from_utf8_lossy(header);
        let [order, kind, size] = descr(&header).ok_or_else(|| {
            wrong("its elements are no plain numbers. Save a plain array, as with a.astype('float32').".to_owned())
        })?;
        let size = usize::from(size.wrapping_sub(b'0'));
        if !matches!((kind, size), (b'f', 4 | 8) | (b'i' | b'u', 1 | 2 | 4 | 8) | (b'b', 1)) {
            let what = "elements of this type are not read. Convert them with a.astype('float32') and save it again.";
            return Err(wrong(what.to_owned()));
        }
        let fortran = field(&header, "fortran_order").is_some_and(|value| value.starts_with("True"));
        let shape = shape(&header).ok_or_else(|| wrong("its header has no shape. Save the array again.".to_owned()))?;
        let values = shape.iter().try_fold(1usize, |n, &side| n.checked_mul(side));
        let expected = values.and_then(|values| values.checked_mul(size));
        if expected != Some(numbers.len()) {
            let (found, shape) = (numbers.len(), shape);
            return Err(wrong(format!(
                "its shape {shape:?} does not go with {found} bytes of numbers: the file is damaged. Save it again."
            )));
        }
        if numbers.is_empty() {
            return Err(TableError::NoRows { file: file.to_owned(), dropped: 0 });
        }
        Ok(Self { shape, fortran, kind, size, big: order == b'>', bytes: numbers })
    }

    fn rows(&self) -> usize {
        self.shape.first().copied().unwrap_or(0)
    }

    fn width(&self) -> usize {
        self.shape.iter().skip(1).product()
    }

    /// Number `column` of row `row`, in C order.
    fn at(&self, row: usize, column: usize) -> f64 {
        let place = if self.fortran { self.fortran_place(row, column) } else { row * self.width() + column };
        let mut eight = [0; 8];
        let bytes = &self.bytes[place * self.size..(place + 1) * self.size];
        eight[..self.size].copy_from_slice(bytes);
        if self.big {
            eight[..self.size].reverse();
        }
        let whole = u64::from_le_bytes(eight);
        match (self.kind, self.size) {
            (b'f', 4) => f32::from_bits(whole as u32).into(),
            (b'f', _) => f64::from_bits(whole),
            (b'i', 1) => (whole as i8).into(),
            (b'i', 2) => (whole as i16).into(),
            (b'i', 4) => (whole as i32).into(),
            (b'i', _) => whole as i64 as f64,
            _ => whole as f64,
        }
    }

    /// Where it stands if the first index runs fastest.
    fn fortran_place(&self, row: usize, mut column: usize) -> usize {
        let inner = &self.shape[1..];
        let mut place = 0;
        let mut stride = self.width() * self.rows();
        for &side in inner.iter().rev() {
            stride /= side.max(1);
            place += column % side.max(1) * stride;
            column /= side.max(1);
        }
        place + row
    }
}

/// What stands behind a key of the header.
fn field<'h>(header: &'h str, key: &str) -> Option<&'h str> {
    let (_, rest) = header.split_once(&format!("'{key}'"))?;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}

/// Order of the bytes, kind and size of the elements.
fn descr(header: &str) -> Option<[u8; 3]> {
    let (text, _) = field(header, "descr")?.strip_prefix('\'')?.split_once('\'')?;
    text.as_bytes().try_into().ok()
}

fn shape(header: &str) -> Option<Vec<usize>> {
    let (sides, _) = field(header, "shape")?.strip_prefix('(')?.split_once(')')?;
    sides.split(',').map(str::trim).filter(|side| !side.is_empty()).map(|side| side.parse().ok()).collect()
}

/// Reads a table: the target is a column of the array, or stands in an array of its own.
pub(super) fn table(file: &Path, bytes: &[u8], reading: &Reading<'_>) -> Result<Table, TableError> {
    let array = Array::read(file, bytes)?;
    let Some(path) = reading.labels else {
        if array.shape.len() < 2 && reading.like.is_none() {
            let what = "an array of one dimension has no columns. Save one with a row for each example, or name the file of the \
                        features and that of the targets with --labels.";
            return Err(TableError::Array { file: file.to_owned(), what: what.to_owned() });
        }
        let all: Vec<Column> = (0..array.width()).map(|place| Column { place, name: None }).collect();
        let columns = Columns::of(file, &all, reading)?;
        return gather(file, &array, None, Gather::new(file, columns, reading));
    };
    let beside =
        super::read_bounded(path, super::LARGEST).map_err(|error| TableError::Unreadable(format!("{error:#}")))?;
    let labels = Array::read(path, &beside)?;
    if labels.width() != 1 || labels.rows() != array.rows() {
        let what = format!(
            "its shape {:?} is not that of one target for each of the {} rows of {}.",
            labels.shape,
            array.rows(),
            file.display()
        );
        return Err(TableError::Array { file: path.to_owned(), what });
    }
    // The target stands behind the features.
    let all: Vec<Column> = (0..=array.width()).map(|place| Column { place, name: None }).collect();
    let last = (array.width() + 1).to_string();
    let columns = Columns::of(file, &all, &Reading { target: Some(&last), ..*reading })?;
    gather(file, &array, Some(&labels), Gather::new(file, columns, reading))
}

fn gather(file: &Path, array: &Array<'_>, labels: Option<&Array<'_>>, mut to: Gather<'_>) -> Result<Table, TableError> {
    if array.width() == 0 {
        return Err(TableError::NoFeatures { file: file.to_owned() });
    }
    for row in 0..array.rows() {
        let cell = |place: usize| match labels {
            Some(labels) if place == array.width() => labels.at(row, 0),
            _ => array.at(row, place),
        };
        to.row(Place::Row(row as u64 + 1), |place| Cell::Number(cell(place)))?;
    }
    to.finish()
}

/// A `.npy` file of some numbers in C order.
#[must_use]
pub fn write(shape: &[usize], numbers: &[f32]) -> Vec<u8> {
    let sides: String = shape.iter().map(|side| format!("{side}, ")).collect();
    let mut header = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}), }}", sides.trim_end());
    // The numbers begin at a multiple of 64 bytes, and a line ends before them.
    let unpadded = MAGIC.len() + 4 + header.len() + 1;
    header.push_str(&" ".repeat(unpadded.next_multiple_of(64) - unpadded));
    header.push('\n');
    let mut bytes = [MAGIC, &[1, 0], &(header.len() as u16).to_le_bytes(), header.as_bytes()].concat();
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    bytes
}
