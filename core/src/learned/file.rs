//! The file of learned weights: what `meta-train` writes and what this crate embeds.
//!
//! ```text
//! offset 0   "L2OW"
//!        4   version, 1
//!        5   kind of optimizer: 1 coordinate MLP, 2 coordinate LSTM, 3 RNNProp, 4 tensor controller, 5 table,
//!            6 scale-free, 7 lean scale-free, 8 non-negative Gauss-Newton
//!        6   hidden units
//!        7   0, reserved
//!        8   number n of weights, u32
//!       12   n weights, f32
//!  12 + 4n   CRC-32 (IEEE 802.3) of all bytes before it, u32
//! ```
//!
//! A kind that packs its weights more tightly says so in its module; the rest of the file is the same.
//!
//! All numbers are little-endian. Reading works at compile time, so that a damaged file that is to be embedded does
//! not build.

use core::fmt;

use crate::checksum;

/// First bytes of every weights file.
pub const MAGIC: [u8; 4] = *b"L2OW";
/// The version that this crate reads and writes.
pub const VERSION: u8 = 1;
/// Bytes before the weights.
pub const HEADER: usize = 12;
/// Bytes after the weights.
pub const TRAILER: usize = 4;

/// What is wrong with a file of learned weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum WeightsError {
    /// It does not start with the right four bytes: it is some other file.
    Foreign,
    /// It is of a version that this crate does not know.
    Version(u8),
    /// It holds another kind or size of optimizer than the one asked for.
    OtherOptimizer {
        /// Kind in the file.
        kind: u8,
        /// Hidden units in the file.
        hidden: u8,
    },
    /// It is shorter or longer than its header says.
    Length {
        /// Bytes that it should have.
        expected: usize,
        /// Bytes that it has.
        found: usize,
    },
    /// Its checksum does not fit its content: it is damaged.
    Checksum,
    /// It sets something that this version of the format reserves.
    Reserved,
    /// A weight is a NaN or an infinity.
    NotFinite,
}

impl fmt::Display for WeightsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Foreign => f.write_str("not a weights file (it does not start with \"L2OW\")"),
            Self::Version(version) => {
                write!(f, "written in version {version} of the format, only version {VERSION} is known here")
            }
            Self::OtherOptimizer { kind, hidden } => write!(
                f,
                "the file holds an optimizer of kind {kind} with {hidden} hidden units, not the kind or size asked for"
            ),
            Self::Length { expected, found } => {
                write!(f, "{found} bytes where {expected} are needed: cut off, or with something behind its end")
            }
            Self::Checksum => f.write_str("damaged: the checksum does not fit the content"),
            Self::Reserved => f.write_str("a reserved byte is set: made by a later version of this crate"),
            Self::NotFinite => f.write_str("a weight is not a finite number"),
        }
    }
}

impl core::error::Error for WeightsError {}

/// CRC-32 (IEEE 802.3, reflected, polynomial 0xEDB88320) of some bytes, bit by bit: small rather than fast.
#[must_use]
pub const fn crc32(bytes: &[u8]) -> u32 {
    checksum::crc32(bytes)
}

/// Hands over weights one by one, if there are as many as expected and all of them are finite.
pub(super) fn take(weights: &[f32], expected: usize, mut set: impl FnMut(usize, f32)) -> Result<(), WeightsError> {
    if weights.len() != expected {
        return Err(WeightsError::Length { expected, found: weights.len() });
    }
    if weights.iter().any(|weight| !weight.is_finite()) {
        return Err(WeightsError::NotFinite);
    }
    weights.iter().enumerate().for_each(|(i, &weight)| set(i, weight));
    Ok(())
}

/// Writes weights one after the other; what does not fit is left out.
pub(super) fn put(weights: impl Iterator<Item = f32>, to: &mut [f32]) {
    to.iter_mut().zip(weights).for_each(|(to, weight)| *to = weight);
}

/// Splits a file into its weights' bytes, four for each, after checking everything else.
pub(super) const fn weights(file: &[u8], kind: u8, hidden: usize, count: usize) -> Result<&[u8], WeightsError> {
    body(file, kind, hidden, count, 4 * count)
}

/// Splits a file into its weights' bytes, `length` in all, after checking everything else.
pub(super) const fn body(
    file: &[u8],
    kind: u8,
    hidden: usize,
    count: usize,
    length: usize,
) -> Result<&[u8], WeightsError> {
    let expected = HEADER + length + TRAILER;
    let [a, b, c, d, version, file_kind, file_hidden, reserved, n0, n1, n2, n3, ..] = file else {
        return Err(WeightsError::Foreign);
    };
    if *a != MAGIC[0] || *b != MAGIC[1] || *c != MAGIC[2] || *d != MAGIC[3] {
        return Err(WeightsError::Foreign);
    }
    if *version != VERSION {
        return Err(WeightsError::Version(*version));
    }
    let n = u32::from_le_bytes([*n0, *n1, *n2, *n3]);
    if *file_kind != kind || *file_hidden as usize != hidden || n as usize != count {
        return Err(WeightsError::OtherOptimizer { kind: *file_kind, hidden: *file_hidden });
    }
    if file.len() != expected {
        return Err(WeightsError::Length { expected, found: file.len() });
    }
    let (content, trailer) = file.split_at(expected - TRAILER);
    let [c0, c1, c2, c3] = trailer else {
        return Err(WeightsError::Length { expected, found: file.len() });
    };
    if u32::from_le_bytes([*c0, *c1, *c2, *c3]) != crc32(content) {
        return Err(WeightsError::Checksum);
    }
    if *reserved != 0 {
        return Err(WeightsError::Reserved);
    }
    Ok(content.split_at(HEADER).1)
}

/// Writes a file; gives its bytes. `weights` yields `count` numbers.
pub(super) fn write(
    kind: u8,
    hidden: usize,
    count: usize,
    weights: impl Iterator<Item = f32>,
    out: &mut [u8],
) -> Result<&[u8], WeightsError> {
    write_body(kind, hidden, count, 4 * count, weights.flat_map(f32::to_le_bytes), out)
}

/// Writes a file whose weights take `length` bytes in all; gives its bytes.
pub(super) fn write_body(
    kind: u8,
    hidden: usize,
    count: usize,
    length: usize,
    weights: impl Iterator<Item = u8>,
    out: &mut [u8],
) -> Result<&[u8], WeightsError> {
    let expected = HEADER + length + TRAILER;
    let found = out.len();
    let Some(file) = out.get_mut(..expected) else {
        return Err(WeightsError::Length { expected, found });
    };
    let (content, trailer) = file.split_at_mut(expected - TRAILER);
    let (header, body) = content.split_at_mut(HEADER);
    let head = MAGIC.into_iter().chain([VERSION, kind, hidden as u8, 0]).chain((count as u32).to_le_bytes());
    header.iter_mut().zip(head).for_each(|(to, from)| *to = from);
    body.iter_mut().zip(weights).for_each(|(to, byte)| *to = byte);
    let crc = crc32(content).to_le_bytes();
    trailer.iter_mut().zip(crc).for_each(|(to, from)| *to = from);
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_of_the_standard_check_string() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
