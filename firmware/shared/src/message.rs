//! What device and host say to each other, each message in a [frame](crate::frame) of its own.

use serde::{Deserialize, Serialize};

use crate::record::RoundRecord;

/// From the device to the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FromDevice {
    /// A round is done. Nobody answers.
    Round(RoundRecord),
    /// All rounds are done: their number, and the hash of the final parameters.
    Done {
        /// Rounds done.
        rounds: u32,
        /// [`Trace::of_tensors`](crate::record::Trace::of_tensors) of the parameters.
        params: u64,
    },
}

/// No message from the device is longer, in bytes of postcard.
pub const FROM_DEVICE_LEN: usize = 64;
