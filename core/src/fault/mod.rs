//! Faults: harmful learned optimizers, and memory whose bits flip, to test a guard with (feature
//! `fault`).
//!
//! An [`Adversary`] is a rule like any other and stands where a learned one would. [`flip_bit`] flips a bit of anything
//! that a checkpoint holds: parameters, rule states, a guard's pace. [`flip_weight`] flips one of a learned rule's
//! weights, and [`Flipping`] one of the candidate, after each step of the rule that it wraps.
//!
//! What a guard can promise ends where its own memory begins: a bit of the *accepted* parameters that flips after they
//! were judged cannot be noticed by any guard before the next round.
//!
//! ```
//! use lgl2o::source::Exact;
//! use lgl2o::fault::Adversary;
//! use lgl2o::guard::{Decision, LossGuard};
//! use lgl2o::objective::Quadratic;
//! use lgl2o::{Memory, Trainer, rule::Sgd};
//!
//! let bowl = Quadratic::new([1.0, 10.0], [3.0, -1.0])?;
//! for adversary in Adversary::ALL {
//!     let guard = LossGuard::new(adversary, Sgd::new(0.15)).batches(1, 1).decision(Decision::FullObjective);
//!     let mut memory = Memory::new();
//!     let mut trainer = Trainer::new(&bowl, &guard, &mut memory);
//!     for _ in 0..200 {
//!         trainer.round(&mut Exact)?;
//!     }
//!     assert!(trainer.loss(())? < 1e-6, "{}", adversary.name());
//! }
//! # Ok::<(), lgl2o::Error>(())
//! ```

pub mod adversary;
pub mod flip;

pub use adversary::Adversary;
pub use flip::{Flipping, bits, flip_bit, flip_weight};
