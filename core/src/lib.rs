//! Guarded learned optimization for on-device training: `no_std`, no allocation, no panic, the same bits everywhere.
//!
//! A *learned optimizer*, meta-trained on a desktop and baked into flash, proposes steps; a *guard* compares it, round
//! by round, with a plain *fallback* optimizer and keeps whichever leaves the lower loss. Training inherits the
//! fallback's convergence guarantee and, where the learned optimizer is good, its speed (Loss-Guarded L2O, "A Simple
//! Guard for Learned Optimizers", ICML 2022, arXiv 2201.12426).
//!
//! ```
#![doc = include_str!("../examples/quickstart.rs")]
//! ```
//!
//! # The tour, along the way of the data
//!
//! **Numbers and parameters.** [`math`] is the one door to transcendental functions, [`sum`] the one order of
//! additions, [`rng`] the one generator. [`tensors`] says what memory with a shape is: lengths are types on a device,
//! values on a desktop, slices inside.
//!
//! **Objectives.** A [`batch`] borrows examples; a source hands them out. An [`objective`] gives losses and gradients:
//! a convex quadratic, logistic regression, a multilayer perceptron of any depth.
//!
//! **Update rules.** A [`rule`] turns a gradient into a step: SGD, momentum, Nesterov, RMSProp, Adam, AdamW, Lion,
//! Armijo backtracking. A [`learned`] rule does the same with weights that were meta-trained.
//!
//! **Guards.** A [`guard`] proposes candidates from the accepted parameters, judges them by asking an [`oracle`] that
//! counts the cost, and commits one. Its verdict says who won, by how much, and at what price.
//!
//! **Trainer.** The [`trainer`] holds all memory in one value and runs rounds.
//!
//! # What is configuration, what is state
//!
//! Rules, guards, objectives and learned weights are immutable and passed by `&`. Accumulators, candidates and scratch
//! are one [`Memory`](trainer::Memory), which the caller owns, in a `static` if it likes. Nothing here allocates or
//! recurses.
//!
//! A rejected proposal is data, a [`Verdict`](guard::Verdict). A call that could not be carried out is an [`Error`];
//! the parameters are then as they were.
//!
//! # Features
//!
//! - `micromath`: approximate transcendental functions instead of `libm`'s; see [`math`].
//! - `defmt`: `defmt::Format` for errors, verdicts and settings.
//! - `serde`: `Serialize` and `Deserialize` for settings and verdicts.
//! - `twins`: the slow twins of the kernels, for tests.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(test)]
extern crate std;

pub mod batch;
pub mod error;
pub mod guard;
pub mod learned;
pub mod math;
pub mod objective;
pub mod oracle;
pub mod rng;
pub mod rule;
pub mod sum;
pub mod tensors;
pub mod trainer;

pub use error::Error;
pub use guard::{Guard, Verdict, Winner};
pub use objective::Objective;
pub use rng::Rng;
pub use rule::Rule;
pub use trainer::{Memory, Trainer};
