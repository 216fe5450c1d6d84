//! What device and host say to each other, each message in a [frame](crate::frame) of its own.
//!
//! A program that only reports sends [`FromDevice::Round`] and [`FromDevice::Done`], and nobody answers. A program that
//! is fed by the host asks [questions](Question), one at a time, each with a number; see [`stream`](crate::stream).

use serde::{Deserialize, Serialize};

use crate::cost::Cost;
use crate::faults::FaultRecord;
use crate::imported::Outputs;
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
    /// What the run has come to; after [`Done`](Self::Done).
    Summary(Summary),
    /// Something that the host is to answer.
    Question(Question),
    /// The device has started with a checkpoint, or with none (0), and goes on after this many rounds; those that it
    /// told of beyond come again.
    Resumed {
        /// Rounds done, as the checkpoint has it.
        rounds: u32,
    },
    /// What one of the faults has come to.
    Fault(FaultRecord),
    /// What something costs.
    Cost(Cost),
    /// What a whole training took: instructions under QEMU, cycles on real hardware.
    Spent {
        /// How many.
        count: u64,
    },
    /// What a network returns for a row.
    Outputs(Outputs),
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

/// What the device waits for: it repeats the question until the answer of its number comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// [`Order::id`] of the run that it belongs to; 0 before one has begun.
    pub run: u32,
    /// How many questions came before it since the device was reset.
    pub number: u32,
    /// Frames that arrived damaged since the device was reset.
    pub damaged: u32,
    /// The question.
    pub ask: Ask,
}

/// A question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Ask {
    /// What is to be learned? [`Answer::Start`].
    Start,
    /// The next training batch, please. [`Answer::Batch`].
    Train,
    /// A fresh check batch, please. [`Answer::Batch`].
    Check,
    /// A round is done. [`Answer::Noted`].
    Round(RoundRecord),
    /// The run is over. [`Answer::Noted`].
    Done {
        /// Rounds done.
        rounds: u32,
        /// Training steps done.
        steps: u32,
        /// [`Trace::of_tensors`](crate::record::Trace::of_tensors) of the final parameters.
        params: u64,
        /// Whether all went well; if not, the round after the last one could not be carried out.
        well: bool,
    },
}

/// From the host to the device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum ToDevice<'a> {
    /// What was your question?
    Repeat,
    /// The answer to question `number` of `run`.
    Answer {
        /// [`Question::run`].
        run: u32,
        /// [`Question::number`].
        number: u32,
        /// The answer.
        #[serde(borrow)]
        answer: Answer<'a>,
    },
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Answer<'a> {
    /// What is to be learned.
    Start(Order),
    /// Examples: grey values row by row, and one label each.
    Batch {
        /// Grey values, example after example, 255 for white.
        pixels: &'a [u8],
        /// Classes.
        labels: &'a [u8],
    },
    /// Understood.
    Noted,
}

/// What is to be learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// Seed of the initial parameters.
    pub seed: u32,
    /// Training steps after which the run ends with the round under way.
    pub steps: u32,
}

impl Order {
    /// A number for the run, so that a device in the middle of one is not fed with another. Never 0.
    #[must_use]
    pub const fn id(&self) -> u32 {
        let seed = lgl2o::Rng::stream(self.seed as u64, self.steps as u64).next_u32();
        if seed == 0 { 1 } else { seed }
    }
}
