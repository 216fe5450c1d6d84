//! A file of a header and numbers.
//!
//! ```text
//! offset 0   kind, 4 bytes: "L2OM" a model, "L2OT" a training to go on with, "L2OU" a run of `compare`, `survey` or `reproduce`
//!        4   version, u32
//!        8   length h of the header, u32
//!       12   the header, JSON
//!   12 + h   the body
//!        n   CRC-32 of all bytes before it, u32
//! ```
//!
//! All numbers are little-endian; the CRC-32 is that of IEEE 802.3.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::files::read_bounded;
use crate::first_bytes;

/// The largest file that is read, in bytes: 1 GB.
const LARGEST: u64 = 1 << 30;
const BEFORE: usize = 12;
const AFTER: usize = 4;

/// A kind of file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// Its first bytes.
    pub magic: [u8; 4],
    /// The version that is written and read.
    pub version: u32,
    /// What it is called.
    pub name: &'static str,
}

/// What is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The first bytes are of something else.
    #[error("it is not {name}: it is {what}. Name another file")]
    Foreign {
        /// What it should be.
        name: &'static str,
        /// What it is.
        what: &'static str,
    },
    /// Another version.
    #[error(
        "it is of version {found}, and this program reads version {known}: use the program that wrote it, or a newer one"
    )]
    Version {
        /// The file's.
        found: u32,
        /// This program's.
        known: u32,
    },
    /// The checksum does not match, or the file is cut.
    #[error("it is damaged or cut off ({bytes} bytes): copy it again, or write it again")]
    Damaged {
        /// How long it is.
        bytes: usize,
    },
    /// The content contradicts itself, with a good checksum.
    #[error("its content does not fit together: {0}. Write it again")]
    Content(String),
}

/// A file's bytes.
///
/// # Panics
/// Never for headers of this program, which are JSON.
#[must_use]
pub fn write(kind: Kind, header: &impl Serialize, body: &[u8]) -> Vec<u8> {
    let header = serde_json::to_vec(header).unwrap_or_default();
    let mut bytes = Vec::with_capacity(BEFORE + header.len() + body.len() + AFTER);
    bytes.extend(kind.magic);
    bytes.extend(kind.version.to_le_bytes());
    bytes.extend((header.len() as u32).to_le_bytes());
    bytes.extend(header);
    bytes.extend(body);
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// The header and the body of a file.
///
/// # Errors
/// Whatever is wrong with it.
pub fn read<H: DeserializeOwned>(kind: Kind, bytes: &[u8]) -> Result<(H, &[u8]), FileError> {
    let damaged = || FileError::Damaged { bytes: bytes.len() };
    let word = |at: usize| bytes.get(at..at + 4).and_then(|word| word.try_into().ok()).map(u32::from_le_bytes);
    if !bytes.is_empty() && !bytes.starts_with(&kind.magic[..bytes.len().min(4)]) {
        return Err(FileError::Foreign { name: kind.name, what: first_bytes::name(bytes) });
    }
    let (found, known) = (word(4).ok_or_else(damaged)?, kind.version);
    let length = word(8).ok_or_else(damaged)? as usize;
    let end = bytes.len().checked_sub(AFTER).filter(|end| *end >= BEFORE).ok_or_else(damaged)?;
    if word(end) != Some(crc32fast::hash(&bytes[..end])) {
        return Err(damaged());
    }
    // After the checksum: a damaged version is no other version.
    if found != known {
        return Err(FileError::Version { found, known });
    }
    let (header, body) = bytes[BEFORE..end].split_at_checked(length).ok_or_else(damaged)?;
    let header = serde_json::from_slice(header).map_err(|error| FileError::Content(format!("its header: {error}")))?;
    Ok((header, body))
}

/// Reads the bytes of a file.
///
/// # Errors
/// If it cannot be read, or is too large, with its name.
pub fn bytes_of(path: &Path) -> anyhow::Result<Vec<u8>> {
    read_bounded(path, LARGEST)
}

/// Numbers as bytes.
#[must_use]
pub fn bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

/// Bytes as numbers; an incomplete last one is left out.
#[must_use]
pub fn numbers(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect()
}
