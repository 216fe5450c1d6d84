//! What a device tells of a round, and the hash that stands for all rounds so far.

use lgl2o::checkpoint::Persist;
use lgl2o::tensors::Tensors;
use lgl2o::{AutoLean, Verdict, Winner, auto_lean};
use serde::{Deserialize, Serialize};

/// A running hash of everything that must be the same on every target: FNV-1a of 64 bits (Fowler, Noll, Vo 1991), over
/// numbers as their bits, with one pattern for every NaN, whose bits are the hardware's choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trace(u64);

impl Persist for Trace {
    lgl2o::persist_fields!(0);
}

impl Trace {
    /// The hash of nothing.
    pub const EMPTY: Self = Self(0xcbf2_9ce4_8422_2325);

    /// The hash so far.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// Adds a whole number.
    pub fn add(&mut self, word: u32) {
        for byte in word.to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// Adds all numbers of all tensors.
    pub fn add_tensors(&mut self, tensors: &impl Tensors) {
        for i in 0..tensors.count() {
            for &x in tensors.tensor(i) {
                self.add(bits(x));
            }
        }
    }

    /// The hash of these tensors alone.
    #[must_use]
    pub fn of_tensors(tensors: &impl Tensors) -> u64 {
        let mut trace = Self::EMPTY;
        trace.add_tensors(tensors);
        trace.value()
    }
}

/// A number's bits, with one pattern for every NaN.
#[must_use]
pub fn bits(x: f32) -> u32 {
    if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }
}

/// One round, as a device reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoundRecord {
    /// Rounds done, this one included.
    pub round: u32,
    /// Whose candidate was kept: 0 the fallback's, 1 the learned one, 2 neither.
    pub winner: u8,
    /// Training steps of the kept candidate.
    pub steps: u32,
    /// [`bits`] of the losses on the first training batch, and on the check batches of either candidate.
    pub train_loss: u32,
    /// See [`Verdict::fallback_loss`]; a NaN where there is none.
    pub fallback_loss: u32,
    /// See [`Verdict::learned_loss`]; a NaN where there is none.
    pub learned_loss: u32,
    /// [`Trace`] over winner, steps and losses of all rounds so far.
    pub trace: u64,
}

impl RoundRecord {
    /// The record of round number `round`, which is added to the trace.
    #[must_use]
    pub fn new(round: u32, verdict: &Verdict, trace: &mut Trace) -> Self {
        let winner = match verdict.winner {
            Winner::Fallback => 0,
            Winner::Learned => 1,
            Winner::Neither => 2,
        };
        let losses = [Some(verdict.train_loss), verdict.fallback_loss, verdict.learned_loss];
        let losses = losses.map(|loss| bits(loss.unwrap_or(f32::NAN)));
        let [train_loss, fallback_loss, learned_loss] = losses;
        trace.add(winner);
        trace.add(verdict.steps);
        losses.iter().for_each(|&loss| trace.add(loss));
        let (winner, steps, trace) = (winner as u8, verdict.steps, trace.value());
        Self { round, winner, steps, train_loss, fallback_loss, learned_loss, trace }
    }

    /// Whether the learned side has won; `None` where the round has ended before anybody was judged.
    #[must_use]
    pub const fn learned(&self) -> Option<bool> {
        if self.steps == 0 { None } else { Some(self.winner == 1) }
    }
}

/// Most steps of a round: what a device tells of a run, and what is in its checkpoints, is no older than that.
pub const LONGEST_ROUND: u32 = 2;

/// The guard of the demonstrations: the one without a number to set, in the form that takes less memory.
#[must_use]
pub fn guard() -> AutoLean {
    auto_lean().longest_round(LONGEST_ROUND)
}

/// What a run has come to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Loss on held-out examples.
    pub loss: f32,
    /// Rounds done.
    pub rounds: u32,
    /// Rounds that the learned side has won.
    pub learned: u32,
    /// Training steps.
    pub steps: u32,
    /// Hash of the final parameters.
    pub params: u64,
}
