//! What can be wrong with a call, as opposed to what a round found out.
//!
//! A rejected proposal is a [`Verdict`](crate::guard::Verdict). An [`Error`] means that the call could not be carried
//! out; the accepted parameters are then as they were before it.

pub mod checkpoint;
#[cfg(feature = "nor-flash")]
pub mod slots;
pub mod weights;

pub use checkpoint::CheckpointError;
#[cfg(feature = "nor-flash")]
pub use slots::{SlotError, SlotState};
pub use weights::WeightsError;

use core::fmt;

/// Why a call could not be carried out. Every variant says in its message what to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Error {
    /// A minibatch holds no example.
    EmptyBatch,
    /// A minibatch holds more examples than the objective has scratch memory for.
    BatchTooLarge {
        /// Examples in the minibatch.
        examples: usize,
        /// Examples that fit.
        capacity: usize,
    },
    /// Lengths of slices that belong together do not match.
    ShapeMismatch {
        /// Which slice is wrong.
        what: &'static str,
        /// The length that it should have.
        expected: usize,
        /// The length that it has.
        found: usize,
    },
    /// A class label is not below the number of classes.
    LabelOutOfRange {
        /// The label.
        label: u8,
        /// The number of classes.
        classes: usize,
    },
    /// The targets of a minibatch are of the other kind than the loss needs.
    WrongTargets,
    /// The gradient at the accepted parameters holds a NaN or an infinity.
    NonFiniteGradient,
    /// A row of inputs, or of target values, holds a NaN or an infinity.
    NonFiniteInput,
    /// An output of the network is a NaN or an infinity.
    NonFiniteOutput,
    /// A class was asked of a network whose loss compares values.
    NoClasses,
    /// The loss of the accepted parameters on a check batch is a NaN or infinite.
    NonFiniteLoss,
    /// The step of an unguarded rule holds a NaN or an infinity. It was not taken.
    Diverged,
    /// A source of minibatches has no (more) batch.
    NoBatch,
    /// The round has trained on every example, so that none is left to check its candidates with.
    NothingToCheck,
    /// No example is held out yet to check on.
    NothingHeldOut,
    /// A guard judges by the full objective, but the source does not offer it.
    NoObjective,
    /// A setting is outside its range.
    InvalidSetting {
        /// The setting and its range.
        what: &'static str,
    },
    /// A file of learned weights is damaged or of another kind.
    InvalidWeights(WeightsError),
    /// A checkpoint was refused.
    InvalidCheckpoint(CheckpointError),
    /// A checkpoint could not be saved in flash, or loaded from there (feature `nor-flash`).
    #[cfg(feature = "nor-flash")]
    Flash(SlotError),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::EmptyBatch => f.write_str("the minibatch is empty: give it at least one example"),
            Self::BatchTooLarge { examples, capacity } => write!(
                f,
                "the minibatch holds {examples} examples, the objective's scratch memory {capacity}: \
                 use smaller batches or a larger capacity"
            ),
            Self::ShapeMismatch { what, expected, found } => {
                write!(
                    f,
                    "{what} has {found} values where {expected} are needed: give it that many, or change what it has to fit"
                )
            }
            Self::LabelOutOfRange { label, classes } => {
                write!(f, "label {label} is none of {classes} classes from 0: correct it, or widen the last layer")
            }
            Self::WrongTargets => f.write_str(
                "the loss needs the other kind of targets: class labels for cross-entropy, values for squared error and Huber's loss",
            ),
            Self::NonFiniteGradient => f.write_str(
                "the gradient at the accepted parameters is not finite. If the data hold no NaN and no huge values, a learning \
                 rate is too high (check that of a guard's fallback first): lower it, or use a rule without a rate. Otherwise \
                 look for NaN in the data",
            ),
            Self::NonFiniteInput => f.write_str(
                "a row of inputs or target values holds a NaN or an infinity: leave the row out, and look at where it comes from",
            ),
            Self::NonFiniteOutput => f.write_str(
                "an output of the network is not finite: look for huge inputs, and for parameters that were damaged; \
                 if it comes again, load the latest checkpoint",
            ),
            Self::NoClasses => f.write_str("the network predicts values, not classes: ask for its values"),
            Self::NonFiniteLoss => f.write_str(
                "the loss of the accepted parameters on a check batch is not finite: \
                 look for NaN or huge values in the data; without any, load the latest checkpoint",
            ),
            Self::Diverged => {
                f.write_str("the step would leave non-finite parameters and was not taken: lower the rate, or guard it")
            }
            Self::NoBatch => {
                f.write_str("the source of minibatches is exhausted: give it more data, or end the run before")
            }
            Self::NothingToCheck => f.write_str(
                "the round has trained on every example and has none left to check with: \
                 use fewer (n_t) or smaller training batches",
            ),
            Self::NothingHeldOut => f.write_str("nothing is held out yet: keep more examples first (`with_held_out`)"),
            Self::NoObjective => f.write_str(
                "the guard judges by the full objective, which this source does not offer: \
                     use a source that does, or another decision",
            ),
            Self::InvalidSetting { what } => write!(f, "setting out of range: {what}"),
            Self::InvalidWeights(error) => write!(f, "learned weights: {error}"),
            Self::InvalidCheckpoint(error) => write!(f, "checkpoint: {error}"),
            #[cfg(feature = "nor-flash")]
            Self::Flash(error) => write!(f, "flash: {error}"),
        }
    }
}

impl core::error::Error for Error {}

impl From<WeightsError> for Error {
    fn from(error: WeightsError) -> Self {
        Self::InvalidWeights(error)
    }
}

impl From<CheckpointError> for Error {
    fn from(error: CheckpointError) -> Self {
        Self::InvalidCheckpoint(error)
    }
}

#[cfg(feature = "nor-flash")]
impl From<SlotError> for Error {
    fn from(error: SlotError) -> Self {
        Self::Flash(error)
    }
}
