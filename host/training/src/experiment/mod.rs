//! Experiments: several optimizers on one task, several seeds each.
//!
//! [`mod@run`] is one optimizer with one seed, on minibatches of its [`examples`]; [`evaluate`] measures losses along the
//! way, [`kept`] keeps them on disk and [`halfway`] long ones on their way, on [several ranks](apart) too,
//! [`mod@compare`] runs all of them in parallel and sums them up, [`mod@tune`] searches the grid of learning rates.

pub mod apart;
pub mod compare;
pub mod evaluate;
pub mod examples;
pub mod halfway;
pub mod kept;
pub mod run;
pub mod tune;
mod way;

pub use apart::Apart;
pub use compare::{Comparison, Plan, compare};
pub use evaluate::Evaluator;
pub use examples::Examples;
pub use halfway::Halfway;
pub use kept::KeptRuns;
pub(crate) use run::Bounded;
pub use run::{Outcome, run, run_unless, schedule};
pub(crate) use way::TRAIN_SAMPLE;
