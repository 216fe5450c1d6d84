//! The survey: many tasks, each optimizer with one setting for all of them, against settings tuned for each task.
//!
//! The way of the data: [`inputs`] and [`shape`] say what a data set and a network are made of; a [suite](mod@suite) crosses them
//! to [tasks](task); [`mod@run`] trains with one optimizer, [`oracle`] with every setting that is tuned for a task;
//! [`runner`] does all of it in parallel and keeps it on disk; [`score`] compares losses, [`bootstrap`] says how sure that
//! is; [`analysis`] makes the [`record`] of it, which is `survey.json`; [`flat`] is one optimizer over many rates.
//!
//! Every result depends on its unit of work alone, so neither threads, [ranks](crate::ranks) nor interruptions show.

pub mod analysis;
pub mod bootstrap;
pub mod flat;
pub mod inputs;
pub mod oracle;
pub mod record;
pub mod run;
pub mod runner;
pub mod score;
pub mod shape;
pub mod suite;
pub mod task;

pub use runner::{Runner, Setup};
pub use suite::{Plan, suite};
pub use task::SurveyTask;
