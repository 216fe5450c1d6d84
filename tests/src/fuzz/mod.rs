//! What comes from outside, read from any bytes at all: one function for each format, called by the fuzzing targets in
//! `tests/fuzz` and by the ordinary tests.
//!
//! Each function panics if a promise is broken: reading never panics; what is accepted is consistent and comes back the
//! same after being written; what is refused leaves everything as it was. A checksum keeps random bytes from reaching
//! what is behind it, so formats that have one are read twice, as they are and with the checksum put right.

mod checkpoint;
mod config;
mod expression;
mod frame;
mod idx;
mod meta;
mod model;
mod onnx;
mod survey;
mod table;
mod weights;

use lgl2o::learned::file::crc32;

/// A format.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// Its name, that of the fuzzing target and of its corpus.
    pub name: &'static str,
    /// Reads some bytes and says whether they were accepted; panics if a promise is broken.
    pub read: fn(&[u8]) -> bool,
    /// Examples to start from; the first one is good.
    pub examples: fn() -> Vec<Vec<u8>>,
    /// The most memory on the heap that reading some bytes may take, in bytes.
    pub memory: fn(&[u8]) -> usize,
}

/// All of them.
pub const TARGETS: [Target; 11] = [
    checkpoint::TARGET,
    config::TARGET,
    expression::TARGET,
    frame::TARGET,
    idx::TARGET,
    meta::TARGET,
    model::TARGET,
    onnx::TARGET,
    survey::TARGET,
    table::TARGET,
    weights::TARGET,
];

/// Reads some bytes as the format of a name; what a fuzzing target does.
///
/// # Panics
/// If a promise is broken, or if there is no such format.
pub fn read(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name).expect("a format");
    (target.read)(bytes);
}

/// Writes the CRC-32 of a part of some bytes, little-endian, over the four bytes at `at`, if both are there.
fn put_right(bytes: &mut [u8], part: core::ops::Range<usize>, at: usize) {
    let Some(sum) = bytes.get(part).map(crc32) else { return };
    if let Some(place) = bytes.get_mut(at..at + 4) {
        place.copy_from_slice(&sum.to_le_bytes());
    }
}
