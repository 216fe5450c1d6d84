//! Why learned weights were not read.

use core::fmt;

/// What is wrong with a file of learned weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum WeightsError {
    /// It does not start with the right four bytes: it is some other file.
    Foreign,
    /// It is of a version that this crate does not know.
    Version {
        /// Version in the file.
        found: u8,
        /// The version that this crate reads.
        known: u8,
    },
    /// It holds an optimizer of a kind that this version no longer has.
    Retired {
        /// Kind in the file.
        kind: u8,
    },
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
            Self::Foreign => f.write_str(
                "not a weights file (it does not start with \"L2OW\"): take one that `lgl2o meta-train` has written",
            ),
            Self::Version { found, known } => {
                write!(
                    f,
                    "written in version {found} of the format, only version {known} is known here: \
                     take the version of this crate that wrote it, or meta-train again"
                )
            }
            Self::Retired { kind } => write!(
                f,
                "weights of kind {kind}, which this version no longer has: use a built-in learned optimizer, or \
                 meta-train one of another kind"
            ),
            Self::OtherOptimizer { kind, hidden } => write!(
                f,
                "the file holds an optimizer of kind {kind} with {hidden} hidden units, not the kind or size asked for: \
                 use the Rust type of its kind and size, or another file"
            ),
            Self::Length { expected, found } => {
                write!(
                    f,
                    "{found} bytes where {expected} are needed: cut off, or longer than it should be; copy the file again"
                )
            }
            Self::Checksum => f.write_str("damaged: the checksum does not fit the content; copy the file again"),
            Self::Reserved => {
                f.write_str("a reserved byte is set: made by a later version of this crate, which is needed to read it")
            }
            Self::NotFinite => f.write_str("a weight is not a finite number: meta-train again, from an earlier state"),
        }
    }
}

impl core::error::Error for WeightsError {}
