//! What device and host say to each other, each message in a [frame](crate::frame) of its own.

use serde::{Deserialize, Serialize};

use crate::record::RoundRecord;

/// From the device to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FromDevice {
    /// A round is done. Nobody answers.
    Round(RoundRecord),
    /// The device has been reset, and goes on after this many rounds; those that it told of beyond come again.
    Resumed {
        /// Rounds done, as the checkpoint has it.
        rounds: u32,
    },
    /// All rounds are done: their number, and the hash of the final parameters.
    Done {
        /// Rounds done.
        rounds: u32,
        /// [`Trace::of_tensors`](crate::record::Trace::of_tensors) of the parameters.
        params: u64,
    },
    /// What the run has come to; after [`Done`](Self::Done).
    Summary(Summary),
}

/// What a run has come to, and what it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Bits of the loss on held-out examples.
    pub loss: u32,
    /// Training steps.
    pub steps: u32,
    /// Rounds that the learned side has won.
    pub learned: u32,
    /// Training memory, all of it, in bytes.
    pub memory: u32,
    /// The most stack that was in use, in bytes.
    pub stack: u32,
}

/// No message from the device is longer, in bytes of postcard.
pub const FROM_DEVICE_LEN: usize = 64;
