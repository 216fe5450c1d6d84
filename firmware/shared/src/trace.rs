//! What a run says about each round, and hashes that two runs can be compared by.
//!
//! The hash is FNV-1a (Fowler, Noll, Vo) with 64 bits, over words of 32 bits instead of bytes:
//!
//! ```text
//! h <- (h xor word) * 0x100000001b3
//! ```
//!
//! Any NaN counts as the same word: processors differ in the bits of a NaN that they make.

use lgl2o::tensors::Tensors;
use lgl2o::{Verdict, Winner};
use serde::{Deserialize, Serialize};

/// The bits of a number, the same for every NaN.
#[must_use]
pub const fn bits(x: f32) -> u32 {
    if x.is_nan() { 0x7fc0_0000 } else { x.to_bits() }
}

/// A hash of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self::new()
    }
}

impl Hash {
    /// The hash of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// The hash of all numbers of some tensors, in their order.
    #[must_use]
    pub fn of(tensors: &impl Tensors) -> Self {
        let mut hash = Self::new();
        for i in 0..tensors.count() {
            tensors.tensor(i).iter().for_each(|&x| hash.add(bits(x)));
        }
        hash
    }

    /// Takes in one more word.
    pub const fn add(&mut self, word: u32) {
        self.0 = (self.0 ^ word as u64).wrapping_mul(0x0100_0000_01b3);
    }

    /// The hash so far.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }
}

/// One round of a run: what the guard found out, and hashes of all that has been so far.
///
/// Losses are bits of an `f32`, so that records that are equal say that the runs are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// The number of the round, from 1.
    pub round: u32,
    /// 0: the fallback, 1: the learned side, 2: neither.
    pub winner: u8,
    /// Training steps that the round has made.
    pub steps: u32,
    /// Loss on the first training batch, before the round.
    pub train_loss: u32,
    /// What the fallback's candidate was judged by.
    pub fallback_loss: u32,
    /// What the learned candidate was judged by.
    pub learned_loss: u32,
    /// Hash of everything above, of this round and all before it.
    pub trace: u64,
    /// Hash of the accepted parameters after the round.
    pub params: u64,
}

/// The trace of a run: makes a [`Round`] of each verdict.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trace {
    rounds: u32,
    hash: Hash,
}

impl Trace {
    /// The record of one more round, which has left these parameters.
    pub fn record(&mut self, verdict: &Verdict, params: &impl Tensors) -> Round {
        self.rounds = self.rounds.saturating_add(1);
        let winner = match verdict.winner {
            Winner::Fallback => 0,
            Winner::Learned => 1,
            Winner::Neither => 2,
        };
        let losses = [verdict.train_loss, verdict.fallback_loss, verdict.learned_loss].map(bits);
        for word in [self.rounds, u32::from(winner), verdict.steps].into_iter().chain(losses) {
            self.hash.add(word);
        }
        let [train_loss, fallback_loss, learned_loss] = losses;
        Round {
            round: self.rounds,
            winner,
            steps: verdict.steps,
            train_loss,
            fallback_loss,
            learned_loss,
            trace: self.hash.value(),
            params: Hash::of(params).value(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lgl2o::oracle::Cost;

    #[test]
    fn the_hash_is_fnv_1a_over_words() {
        let mut hash = Hash::new();
        hash.add(0);
        assert_eq!(hash.value(), 0xcbf2_9ce4_8422_2325u64.wrapping_mul(0x0100_0000_01b3));
        assert_eq!(Hash::of(&[0.0f32]), hash);
        assert_ne!(Hash::of(&[0.0f32]), Hash::of(&[-0.0f32]));
        assert_eq!(Hash::of(&[f32::NAN]), Hash::of(&[-f32::NAN]));
    }

    #[test]
    fn a_record_differs_if_any_bit_does() {
        let verdict = Verdict {
            winner: Winner::Learned,
            steps: 4,
            train_loss: 0.5,
            fallback_loss: f32::NAN,
            learned_loss: 0.25,
            standard_error: 0.0,
            spent: Cost::ZERO,
        };
        let record = |verdict: &Verdict, params: [f32; 2]| Trace::default().record(verdict, &params);
        let first = record(&verdict, [1.0, 2.0]);
        assert_eq!((first.round, first.winner, first.steps, first.fallback_loss), (1, 1, 4, 0x7fc0_0000));
        assert_eq!(first, record(&verdict, [1.0, 2.0]));
        let nudged = f32::from_bits(0.25f32.to_bits() ^ 1);
        assert_ne!(first.trace, record(&Verdict { learned_loss: nudged, ..verdict }, [1.0, 2.0]).trace);
        assert_ne!(first.params, record(&verdict, [1.0, f32::from_bits(2.0f32.to_bits() ^ 1)]).params);
    }
}
