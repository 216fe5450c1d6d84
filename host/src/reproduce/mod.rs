//! The paper's experiments and the shifts, as units of work that are kept on disk, and one report.
//!
//! The way of the data: [`plan`] says what is run; [`mod@bench`] loads a task; [`mod@unit`] is one run, [`store`](crate::store)
//! keeps it; [`grid`] chooses the rates of the baselines; [`lab`] runs all of it, task by task; a [`finding`] is what
//! came out of one experiment on one task; [`claims`] holds the findings against their targets; [`page`] and `words`
//! write them down.
//!
//! Every result depends on its unit alone, so that it does not matter how many threads and [ranks](crate::ranks) there
//! are, in which order the units are done, or whether the program was interrupted in between. Only the first rank has
//! the store and writes.

pub mod bench;
pub mod claims;
pub mod finding;
pub mod grid;
pub mod lab;
pub mod page;
pub mod plan;
#[cfg(test)]
mod sample;
pub mod unit;
mod words;

pub use bench::Shelf;
pub use lab::Lab;
pub use plan::{Experiment, Scale, Source};
