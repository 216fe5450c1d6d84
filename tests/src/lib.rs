//! What the laws of `lgl2o` are held against.
//!
//! - [`reference`](mod@reference): losses, networks and rules in double precision, written a second time.
//! - [`every_guard`](mod@every_guard): the guards, around any two rules.
//! - [`every_rule`](mod@every_rule): the hand-designed rules and their settings.
//! - [`layers`]: parameters of two layers, and runs on them.
//! - [`known`]: objectives of known constants, with bounds of their rounding.
//! - [`adversary`]: fallbacks that always lose; everything that a guard is attacked with.
//! - [`trail`]: a rule that records what its state has seen.
//! - [`flash`]: a flash that fails on misuse, and whose power can be cut.
//! - [`fuzz`]: what comes from outside, read from any bytes.
//! - [`task`]: small objectives, data and sources.
//! - [`run`]: runs that end in parameters and verdicts.
//! - [`bits`]: equality bit for bit.
//! - [`cloud`]: an objective on minibatches without end, and checks that leak.
//! - [`cable`]: a serial line in memory, good or bad.
//! - [`documents`]: figures in documents, held or written anew.
//! - [`strategy`]: what property tests draw from.
//! - [`program`]: the `lgl2o` program as a process.
//! - [`browser`]: a headless Chromium.
//!
//! # What does not compile
//!
//! An empty layer:
//!
//! ```compile_fail,E0080
//! use lgl2o::objective::mlp::{Dense, Fixed};
//! let _ = Fixed::<Dense<0, 2>, 4>::new();
//! ```
//!
//! A network without room for an example:
//!
//! ```compile_fail,E0080
//! use lgl2o::objective::mlp::{Dense, Fixed};
//! let _ = Fixed::<Dense<2, 2>, 0>::new();
//! ```
//!
//! Memory of one guard for a run with another:
//!
//! ```compile_fail,E0308
//! use lgl2o::guard::{Blend, Unguarded};
//! use lgl2o::objective::Quadratic;
//! use lgl2o::rule::Sgd;
//! use lgl2o::{Memory, Trainer};
//! let objective = Quadratic::new([1.0], [0.0]).unwrap();
//! let mut memory: Memory<Quadratic<1>, Blend<Sgd, Sgd>> = Memory::new();
//! let guard = Unguarded::new(Sgd::new(0.1));
//! let _ = Trainer::new(&objective, &guard, &mut memory);
//! ```
//!
//! The same shapes, when they fit:
//!
//! ```
//! use lgl2o::guard::Unguarded;
//! use lgl2o::objective::Quadratic;
//! use lgl2o::objective::mlp::{Dense, Fixed};
//! use lgl2o::rule::Sgd;
//! use lgl2o::{Memory, Trainer};
//! let _ = Fixed::<Dense<2, 2>, 4>::new();
//! let objective = Quadratic::new([1.0], [0.0]).unwrap();
//! let mut memory: Memory<Quadratic<1>, Unguarded<Sgd>> = Memory::new();
//! let guard = Unguarded::new(Sgd::new(0.1));
//! let _ = Trainer::new(&objective, &guard, &mut memory);
//! ```

/// The README's example, so that it is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

pub mod adversary;
pub mod bits;
#[cfg(feature = "host")]
pub mod browser;
#[cfg(feature = "host")]
pub mod cable;
pub mod cloud;
pub mod documents;
pub mod every_guard;
pub mod every_rule;
pub mod flash;
#[cfg(feature = "host")]
pub mod fuzz;
pub mod known;
pub mod layers;
#[cfg(feature = "host")]
pub mod program;
pub mod reference;
pub mod run;
pub mod strategy;
pub mod task;
pub mod trail;
