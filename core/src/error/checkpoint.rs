//! Why a checkpoint was not loaded.

use core::fmt;

/// Why a checkpoint was not loaded. But for [`Interrupted`](Self::Interrupted), the memory is as it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CheckpointError {
    /// It does not start with the right four bytes: it is something else.
    Foreign,
    /// It is of a version of the format that this crate does not know.
    Version {
        /// Version of the checkpoint.
        found: u8,
        /// The version that this crate reads.
        known: u8,
    },
    /// A checksum does not fit: it is damaged.
    Damaged,
    /// It is shorter or longer than it should be.
    Length {
        /// Bytes that it should have.
        expected: usize,
        /// Bytes that it has.
        found: usize,
    },
    /// It was made with another objective: another network shape, activation or loss, or other frozen
    /// parameters.
    OtherObjective,
    /// It was made with another guard, other rules, other settings or other learned weights.
    OtherOptimizer,
    /// It was made with another source of minibatches: another number of examples, or another batch size.
    OtherSource,
    /// It has another standardizer than the model: with other columns, or one of the two has none.
    OtherStandardizer {
        /// Bytes of the model's standardizer.
        expected: usize,
        /// Bytes of the checkpoint's.
        found: usize,
    },
    /// The place where it is cannot be read.
    Unreadable,
    /// It was found good, but could not be read a second time: the memory now holds part of it.
    Interrupted,
}

impl fmt::Display for CheckpointError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Foreign => f.write_str(
                "not a checkpoint (it does not start with \"L2OR\"): look at where these bytes come from, or start over",
            ),
            Self::Version { found, known } => {
                write!(
                    f,
                    "written in version {found} of the format, only version {known} is known here: \
                     load it with the version of this crate that wrote it, or start over"
                )
            }
            Self::Damaged => f.write_str("damaged: a checksum does not fit the content; load an older checkpoint, or start over"),
            Self::Length { expected, found } => {
                write!(
                    f,
                    "{found} bytes where {expected} are needed: cut off, or longer than it should be; \
                     load an older checkpoint, or start over"
                )
            }
            Self::OtherObjective => f.write_str(
                "made with another objective (network shape, activation, loss or frozen backbone): \
                 load it into the network that it was made with, or start over",
            ),
            Self::OtherOptimizer => f.write_str(
                "made with another optimizer (guard, rules, settings or learned weights): \
                 load its parameters alone with `load_params`, or resume with the old optimizer",
            ),
            Self::OtherSource => f.write_str(
                "made with another source of minibatches (number of examples, width or batch size): \
                 load its parameters alone with `load_params`, or resume with the old source. \
                 Where the number of examples changes, keep them in a `replay` buffer, which takes any number",
            ),
            Self::OtherStandardizer { expected, found } => write!(
                f,
                "its standardizer has {found} bytes where the model's has {expected} (0 is none): if a standardizer was \
                 the outermost part of the run's source, give the model one with the same columns, and otherwise none"
            ),
            Self::Unreadable => f.write_str("the place where it is cannot be read: try again, then look at the flash and its wires"),
            Self::Interrupted => f.write_str(
                "reading failed after the checkpoint had been found good, and the memory holds part of it: \
                 load again, or start over",
            ),
        }
    }
}

impl core::error::Error for CheckpointError {}
