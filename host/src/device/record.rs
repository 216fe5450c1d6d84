//! What `lgl2o device` writes to `results.json`: the device's trace and the host's, side by side.
//!
//! Losses are numbers for people and programs that plot; `bits` beside them are what is compared. Hashes are
//! hexadecimal, for 64 bits do not fit into a JSON number.

use lgl2o_device::imported::Outputs;
use lgl2o_device::record::RoundRecord;
use serde::{Deserialize, Serialize};

use super::compare::Difference;
use crate::record::Winner;

/// The version of the format that this program writes.
pub const VERSION: u32 = 1;

/// Everything that one `lgl2o device` found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DeviceResults {
    /// Format version, [`VERSION`].
    pub version: u32,
    /// The board.
    pub board: String,
    /// Its processor.
    pub core: String,
    /// The demonstration.
    pub program: String,
    /// The network in words.
    pub network: String,
    /// `libm` or `micromath`.
    pub math: String,
    /// Whether every bit of both sides is the same.
    pub equal: bool,
    /// Where they part, if they do.
    pub first_difference: Option<FirstDifference>,
    /// The device's side.
    pub device: MachineRecord,
    /// This machine's side.
    pub host: MachineRecord,
}

/// Where two runs part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstDifference {
    /// The first round that differs; `null` if only the final parameters do.
    pub round: Option<u32>,
    /// In what.
    pub what: String,
}

impl From<Difference> for FirstDifference {
    fn from(Difference { round, what }: Difference) -> Self {
        Self { round, what }
    }
}

/// What one of the two machines has reported.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct MachineRecord {
    /// Share of held-out examples that are classified right in the end; this machine's only, where there are any.
    pub accuracy: Option<f64>,
    /// Held-out loss in the end; `null` if the run did not come so far, or diverged.
    pub loss: Option<f32>,
    /// Bits of the same.
    pub loss_bits: Option<String>,
    /// Training steps.
    pub steps: Option<u32>,
    /// Rounds that the learned side has won.
    pub learned: Option<u32>,
    /// Training memory in bytes.
    pub memory: Option<u64>,
    /// The most stack in use, in bytes; the device's only.
    pub stack: Option<u32>,
    /// Bytes of the program in flash, and of everything static in RAM; the device's only.
    pub flash: Option<u64>,
    /// See [`flash`](Self::flash).
    pub static_ram: Option<u64>,
    /// After how many rounds the device went on when it was started again, each time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resumed: Vec<u32>,
    /// Frames that were damaged on their way; the device's only.
    pub damaged_frames: Option<u32>,
    /// The largest difference of outputs before training from those of PyTorch, where the networks are its.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_pytorch: Option<f32>,
    /// What networks return for rows, where the program tells of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<RowOutputs>,
    /// Hash of all rounds.
    pub trace: Option<String>,
    /// Hash of the final parameters.
    pub params: Option<String>,
    /// All rounds.
    pub rounds: Vec<Round>,
}

/// What a network returns for a row. An output that is not finite is `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowOutputs {
    /// The network's number.
    pub network: u8,
    /// The row's number.
    pub row: u8,
    /// Whether the network's head was trained before.
    pub tuned: bool,
    /// The outputs.
    pub outputs: Vec<Option<f32>>,
    /// Their bits, hexadecimal.
    pub bits: Vec<String>,
}

impl From<&Outputs> for RowOutputs {
    fn from(said: &Outputs) -> Self {
        Self {
            network: said.network,
            row: said.row,
            tuned: said.tuned,
            outputs: said.bits.map(finite).to_vec(),
            bits: said.bits.map(|bits| format!("{bits:08x}")).to_vec(),
        }
    }
}

/// One round. A loss that is not finite, or was not needed, is `null`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Its number, from 1.
    pub round: u32,
    /// Whose candidate was kept.
    pub winner: Winner,
    /// Training steps that it has made.
    pub steps: u32,
    /// Loss on the first training batch, before the round.
    pub train_loss: Option<f32>,
    /// What the fallback's candidate was judged by.
    pub fallback_loss: Option<f32>,
    /// What the learned candidate was judged by.
    pub learned_loss: Option<f32>,
    /// Bits of the three losses, hexadecimal.
    pub bits: [String; 3],
    /// Hash of all rounds so far, hexadecimal.
    pub trace: String,
}

/// A hash, or the bits of a number, as they are written.
#[must_use]
pub fn hex(hash: u64) -> String {
    format!("{hash:016x}")
}

/// The finite number of these bits.
#[must_use]
pub fn finite(bits: u32) -> Option<f32> {
    Some(f32::from_bits(bits)).filter(|x| x.is_finite())
}

impl From<&RoundRecord> for Round {
    fn from(r: &RoundRecord) -> Self {
        let losses = [r.train_loss, r.fallback_loss, r.learned_loss];
        let [train_loss, fallback_loss, learned_loss] = losses.map(finite);
        let winner = match r.winner {
            0 => Winner::Fallback,
            1 => Winner::Learned,
            _ => Winner::Neither,
        };
        Self {
            round: r.round,
            winner,
            steps: r.steps,
            train_loss,
            fallback_loss,
            learned_loss,
            bits: losses.map(|bits| format!("{bits:08x}")),
            trace: hex(r.trace),
        }
    }
}
