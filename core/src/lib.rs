//! Guarded learned optimization for on-device training: `no_std`, no allocation, no panic, the same bits everywhere.
//!
//! A *learned optimizer*, trained in advance on a desktop and stored in flash, proposes steps; a *guard* compares it, round
//! by round, with a plain *fallback* optimizer and keeps whichever leaves the lower loss. Training inherits the
//! fallback's convergence guarantee and, where it is good, the learned optimizer's speed (Loss-Guarded L2O, "A Simple
//! Guard for Learned Optimizers", ICML 2022, arXiv 2201.12426).
//!
//! ```
//! use lgl2o::source::Exact;
//! use lgl2o::guard::{Decision, LossGuard};
//! use lgl2o::objective::Quadratic;
//! use lgl2o::{Memory, Rule, Trainer, learned, rule::Sgd};
//!
//! let bowl = Quadratic::new([1.0, 10.0], [3.0, -1.0])?;
//! // 0 < rate < 2 / L = 0.2: every round brings F closer to F* at the known rate,
//! // whatever is proposed.
//! let guard = LossGuard::new(learned::ngn().averaged(), Sgd::new(0.15));
//! let guard = guard.batches(1, 1).decision(Decision::FullObjective);
//! let mut memory = Memory::new();
//! let mut trainer = Trainer::new(&bowl, &guard, &mut memory);
//! for _ in 0..200 {
//!     trainer.round(&mut Exact)?;
//! }
//! assert!(trainer.loss(())? < 1e-6);
//! # Ok::<(), lgl2o::Error>(())
//! ```
//!
//! A network and minibatches are in the README's example. The [`guide`] explains how to use it all, chapter by chapter.
//!
//! # The tour, in the order that data takes
//!
//! **Numbers and parameters.** All transcendental functions go through [`math`], all sums
//! through [`sum`]. [`tensors`] says what memory with a shape is: lengths are types on a device, values on a desktop, slices
//! inside. [`persist`] writes such memory out and reads it back, [`error`](mod@error) says what can be wrong. [`rng`] is the one
//! generator, [`shuffle`] makes random orders without memory.
//!
//! **Update rules.** A [`rule`](mod@rule) turns a gradient into a step; the table there has all of them, from gradient descent to those
//! with nothing to tune. Any of them can have its iterates averaged, its gradients clipped, an L2 penalty, or its parameters decaying.
//!
//! **Objectives.** A [`batch`] borrows examples. An [`objective`] returns their losses and the gradient: a convex quadratic,
//! logistic regression, a network of dense [layers](objective::mlp::layer) and, over windows of a series in time or over images, of
//! convolutions, pooling and gated recurrent units, any of which can be frozen in flash; its outputs are compared by cross-entropy (plain, with smoothed labels, with class
//! weights), squared error or Huber's loss. A [`source`] hands batches out, with [`held_out`] examples to
//! check on if wanted; [`replay`] keeps the latest examples, or equally many of each class, while new ones come;
//! [`standardize`] brings inputs of any unit to one size. An [`oracle`] asks an objective and counts the cost.
//!
//! **Learned rules.** A [`learned`] rule is an update rule with weights that were meta-trained.
//!
//! **Guards.** A [`guard`] proposes candidates from the accepted parameters, judges them by asking the
//! oracle, and commits one. Its verdict says who won, by how much, and at what price.
//!
//! **No number to set.** [`auto()`] is a guard with its rules, for all tasks.
//!
//! **Trainer.** The [`trainer`] holds all memory in one value and runs rounds. Where there is no room for it, a
//! [`Descent`](objective::mlp::Descent) trains by a plain rule without memory for a gradient.
//!
//! **Checkpoints.** A [`checkpoint`] is all that a run needs to go on bit for bit, streamed out and in, versioned,
//! checksummed, and refused by any run but its own. In flash the two most recent are kept in separate slots, so that a power cut at any
//! byte leaves one.
//!
//! **Predicting.** A [`model`] is a network with its parameters and its standardizer, without trainer or guard; it loads from a
//! checkpoint of any guard. [`metrics`] count how good predictions are: a confusion matrix, mean absolute error, R^2. [`anomaly`]
//! turns scores of windows into alarms, with a threshold that comes from held-out scores.
//!
//! # Floors
//!
//! A module imports only from those that stand before it here, and no two files import each other. `tests/tests/floors/`
//! reads this list and holds the crate to it.
//!
//! ```text
//! pair, math, sum, lanes, tensors
//! checksum, persist, error
//! rng, shuffle, rule, batch
//! objective, source, held_out, standardize, replay, metrics
//! oracle, model, anomaly
//! learned, fault
//! guard, auto
//! trainer
//! checkpoint
//! guide
//! ```
//!
//! # What is configuration, what is state
//!
//! Rules, guards, objectives and learned weights are immutable and passed by `&`. Accumulators, candidates and scratch
//! are one [`Memory`], which the caller owns, in a `static` if it likes. Nothing here allocates or
//! recurses.
//!
//! A rejected proposal is data, a [`Verdict`]. A call that could not be carried out is an [`Error`];
//! the parameters are then as they were.
//!
//! # Features
//!
//! - `alloc`: `Memory::boxed`, training memory that is made on the heap and never passes over the stack.
//! - `cortex-m7`: inner loops in which one instruction multiplies and adds, for a Cortex-M7 alone; the bits are the same.
//! - `fault`: harmful learned optimizers and bits that flip, to test guards with (module `fault`).
//! - `micromath`: approximate transcendental functions instead of `libm`'s; see [`math`].
//! - `defmt`: `defmt::Format` for errors, verdicts and settings.
//! - `nor-flash`: checkpoints in two slots of a flash, over embedded-storage's `NorFlash`.
//! - `nor-flash-async`: the same over embedded-storage-async's `NorFlash`.
//! - `serde`: `Serialize` and `Deserialize` for settings and verdicts.
//! - `small`: smaller, slower kernels of dense layers and update rules. A program that trains is 8 to 11 kB smaller, and on a Cortex-M4F a
//!   step takes 1.7 times the cycles, 2.2 times for very small networks. The bits are the same.
//! - `std`: square roots by the machine's own instruction; the bits are `libm`'s.
//! - `twins`: the slow twins of the kernels, for tests.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "alloc")]
extern crate alloc;
#[cfg(any(test, feature = "std"))]
extern crate std;

/// The example of this package's README, so that it is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// Whether kernels are the smaller, slower ones.
const SMALL: bool = cfg!(feature = "small");

pub mod anomaly;
pub mod auto;
pub mod batch;
pub mod checkpoint;
mod checksum;
pub mod error;
#[cfg(feature = "fault")]
pub mod fault;
pub mod guard;
// For documentation and its tests alone.
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod held_out;
mod lanes;
pub mod learned;
pub mod math;
pub mod metrics;
pub mod model;
pub mod objective;
pub mod oracle;
mod pair;
pub mod persist;
pub mod replay;
pub mod rng;
// Compiled for tests on every target, though in use on one kind only.
#[cfg_attr(not(all(target_arch = "arm", target_abi = "eabihf", not(feature = "micromath"))), allow(dead_code))]
pub mod rule;
pub mod shuffle;
pub mod source;
pub mod standardize;
pub mod sum;
pub mod tensors;
pub mod trainer;

pub use auto::{Auto, AutoLean, AutoRotated, auto, auto_lean, auto_rotated};
pub use error::{CheckpointError, Error};
pub use guard::{Guard, Verdict, Winner};
pub use model::Model;
pub use objective::Objective;
pub use rng::Rng;
pub use rule::Rule;
pub use trainer::{Memory, Trainer};
