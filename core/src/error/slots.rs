//! What is said about slots of flash: their states, and what went wrong.

use core::fmt;

use embedded_storage::nor_flash::NorFlashErrorKind;

use super::CheckpointError;

/// What was found in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SlotState {
    /// Erased where the commit mark would be.
    Blank,
    /// Neither erased nor committed: cut off while it was erased or written, damaged there, or never used before.
    Uncommitted,
    /// Committed; not looked at any further.
    Committed {
        /// Its sequence number.
        sequence: u32,
    },
    /// Committed and loaded.
    Loaded {
        /// Its sequence number.
        sequence: u32,
    },
    /// Committed, but it could not be loaded.
    Refused {
        /// Its sequence number.
        sequence: u32,
        /// Why.
        why: CheckpointError,
    },
    /// It could not be read.
    Unreadable,
}

/// Why a checkpoint could not be saved or loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SlotError {
    /// The region is outside the flash, or its ends are not those of sectors, or it has fewer than two.
    Region {
        /// Bytes that the flash erases at a time.
        sector: usize,
        /// Bytes of the flash.
        capacity: usize,
    },
    /// A slot is too small for the checkpoint; nothing was erased.
    TooSmall {
        /// Bytes that a slot needs.
        needed: usize,
        /// Bytes that it has.
        slot: usize,
    },
    /// The buffer of an asynchronous flash is shorter than the checkpoint; nothing was erased.
    Buffer {
        /// Bytes that it needs.
        needed: usize,
        /// Bytes that it has.
        found: usize,
    },
    /// There are checkpoints, but none could be loaded. The memory is as it was, unless a slot says
    /// [`Interrupted`](CheckpointError::Interrupted).
    NoneLoads([SlotState; 2]),
    /// What was written is not what is read back: the flash is worn or the region write-protected. The other slot is as
    /// it was.
    NotWritten,
    /// The flash reports an error. The slot that was not being written is as it was.
    Flash(NorFlashErrorKind),
}

impl fmt::Display for SlotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Region { sector, capacity } => write!(
                f,
                "the region of the checkpoints must be two or more sectors of {sector} bytes within a flash of {capacity}"
            ),
            Self::TooSmall { needed, slot } => write!(
                f,
                "a checkpoint takes {needed} bytes of flash and a slot has {slot}: make the region larger, it holds two"
            ),
            Self::Buffer { needed, found } => {
                write!(f, "a checkpoint takes a buffer of {needed} bytes and this one has {found}: make it longer")
            }
            Self::NoneLoads([first, second]) => write!(
                f,
                "no checkpoint in flash can be loaded (first slot: {first}; second slot: {second}): \
                 go back to the program that wrote them, or start over and save a new one"
            ),
            Self::NotWritten => f.write_str(
                "the flash does not hold what was written: worn out or write-protected; the other slot is as it was: \
                 go on training and save later, and if that fails too, give the checkpoints another region",
            ),
            Self::Flash(kind) => write!(
                f,
                "the flash reports an error: {kind}; try again, then look at the region and at the flash's settings"
            ),
        }
    }
}

impl core::error::Error for SlotError {}

impl fmt::Display for SlotState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Blank => f.write_str("blank"),
            Self::Uncommitted => f.write_str("not committed"),
            Self::Committed { sequence } => write!(f, "number {sequence}"),
            Self::Loaded { sequence } => write!(f, "number {sequence}, loaded"),
            Self::Refused { sequence, why } => write!(f, "number {sequence}, refused: {why}"),
            Self::Unreadable => f.write_str("unreadable"),
        }
    }
}
