//! The file of learned weights: what `meta-train` writes and what this crate embeds.
//!
//! ```text
//! offset 0   "L2OW"
//!        4   version, 1
//!        5   kind of optimizer: 2 coordinate LSTM, 3 RNNProp, 6 scale-free, 7 lean scale-free, 8 non-negative
//!            Gauss-Newton; 1, 4 and 5 were kinds of earlier versions
//!        6   size: hidden units, or what the kind counts instead of them
//!        7   0, reserved
//!        8   number n of weights, u32
//!       12   n weights, f32
//!  12 + 4n   CRC-32 (IEEE 802.3) of all bytes before it, u32
//! ```
//!
//! All numbers are little-endian. Reading works at compile time, so that a damaged file that is to be embedded does
//! not build.

use crate::checksum;
pub use crate::error::WeightsError;

/// First bytes of every weights file.
pub const MAGIC: [u8; 4] = *b"L2OW";
/// The version that this crate reads and writes.
pub const VERSION: u8 = 1;
/// Numbers of kinds that earlier versions had: coordinate MLP, tensor controller, table. No later kind has one of them.
pub const RETIRED: [u8; 3] = [1, 4, 5];
/// Bytes before the weights.
pub const HEADER: usize = 12;
/// Bytes after the weights.
pub const TRAILER: usize = 4;

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
    let expected = HEADER + 4 * count + TRAILER;
    let [a, b, c, d, version, file_kind, file_hidden, reserved, n0, n1, n2, n3, ..] = file else {
        return Err(WeightsError::Foreign);
    };
    if *a != MAGIC[0] || *b != MAGIC[1] || *c != MAGIC[2] || *d != MAGIC[3] {
        return Err(WeightsError::Foreign);
    }
    if *version != VERSION {
        return Err(WeightsError::Version { found: *version, known: VERSION });
    }
    let [coordinate_mlp, controller, table] = RETIRED;
    if *file_kind == coordinate_mlp || *file_kind == controller || *file_kind == table {
        return Err(WeightsError::Retired { kind: *file_kind });
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

/// Writes a file; returns its bytes. `weights` yields `count` numbers.
pub(super) fn write(
    kind: u8,
    hidden: usize,
    count: usize,
    weights: impl Iterator<Item = f32>,
    out: &mut [u8],
) -> Result<&[u8], WeightsError> {
    let expected = HEADER + 4 * count + TRAILER;
    let found = out.len();
    let Some(file) = out.get_mut(..expected) else {
        return Err(WeightsError::Length { expected, found });
    };
    let (content, trailer) = file.split_at_mut(expected - TRAILER);
    let (header, body) = content.split_at_mut(HEADER);
    let head = MAGIC.into_iter().chain([VERSION, kind, hidden as u8, 0]).chain((count as u32).to_le_bytes());
    header.iter_mut().zip(head).for_each(|(to, from)| *to = from);
    body.iter_mut().zip(weights.flat_map(f32::to_le_bytes)).for_each(|(to, byte)| *to = byte);
    let crc = crc32(content).to_le_bytes();
    trailer.iter_mut().zip(crc).for_each(|(to, from)| *to = from);
    Ok(file)
}

/// The constructor from a weights file, for a rule with `ZERO`, [`Learned`](super::Learned) constants and
/// `const fn set(&mut self, i: usize, weight: f32)`. A macro, since no method of a trait runs at compile time.
macro_rules! from_bytes {
    () => {
        /// Reads a weights file.
        ///
        /// # Errors
        /// Whatever is wrong with the file, as a [`WeightsError`].
        pub const fn from_bytes(file: &[u8]) -> Result<Self, WeightsError> {
            let read = file::weights(file, Self::KIND, Self::HIDDEN, Self::WEIGHTS);
            let mut bytes = match read {
                Ok(bytes) => bytes,
                Err(error) => return Err(error),
            };
            let mut rule = Self::ZERO;
            let mut i = 0;
            while let [b0, b1, b2, b3, rest @ ..] = bytes {
                let weight = f32::from_bits(u32::from_le_bytes([*b0, *b1, *b2, *b3]));
                if !weight.is_finite() {
                    return Err(WeightsError::NotFinite);
                }
                rule.set(i, weight);
                (bytes, i) = (rest, i + 1);
            }
            Ok(rule)
        }
    };
}

/// What [`Learned`](super::Learned) asks about weights and files, from `ZERO`, `set`, `weights` and [`from_bytes`].
macro_rules! weights_and_files {
    () => {
        fn from_weights(weights: &[f32]) -> Result<Self, WeightsError> {
            let mut rule = Self::ZERO;
            file::take(weights, Self::WEIGHTS, |i, weight| rule.set(i, weight))?;
            Ok(rule)
        }

        fn write_weights(&self, weights: &mut [f32]) {
            file::put(self.weights(), weights);
        }

        fn read_file(file: &[u8]) -> Result<Self, WeightsError> {
            Self::from_bytes(file)
        }

        fn write_file<'a>(&self, buffer: &'a mut [u8]) -> Result<&'a [u8], WeightsError> {
            file::write(Self::KIND, Self::HIDDEN, Self::WEIGHTS, self.weights(), buffer)
        }
    };
}

pub(super) use {from_bytes, weights_and_files};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crc_of_the_standard_check_string() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }
}
