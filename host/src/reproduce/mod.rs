//! The paper's experiments and the shifts, as units of work that are kept on disk, and one report.
//!
//! [`experiments`] lists them, a file each. [`tasks`] are what they run on; a [`loaded`] task has its data in memory;
//! [`mod@unit`] is one run, [`store`](crate::store) keeps it; [`grid`] chooses the rates of the baselines; [`runner`] runs all of
//! it, task by task; a [`finding`] is what came out of one experiment on one task; [`claims`] are judged on findings;
//! [`pictures`], `words` and [`page`] write them down.
//!
//! Every result depends on its unit alone, so that it does not matter how many threads and [ranks](crate::ranks) there
//! are, in which order the units are done, or whether the program was interrupted in between. Only the first rank has
//! the store and writes.

pub mod claims;
pub mod experiment;
pub mod experiments;
pub mod finding;
pub mod grid;
pub mod loaded;
pub mod outcome;
pub mod page;
pub mod pictures;
pub mod runner;
#[cfg(test)]
mod sample;
mod steps;
pub mod tasks;
pub mod unit;
mod words;

pub use loaded::DataCache;
pub use runner::Runner;
pub use tasks::{Scale, Source};
