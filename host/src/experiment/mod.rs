//! Experiments: several optimizers on one task, several seeds each.
//!
//! [`mod@run`] is one optimizer with one seed, on minibatches of its [`examples`]; [`evaluate`] measures losses along the
//! way, [`mod@compare`] runs all of them in parallel and sums them up, [`mod@tune`] searches the grid of learning rates.

pub mod compare;
pub mod evaluate;
pub mod examples;
pub mod run;
pub mod tune;

pub use compare::{Comparison, Plan, compare};
pub use evaluate::Evaluator;
pub use examples::Examples;
pub(crate) use run::Bounded;
pub use run::{Outcome, run, run_unless, schedule};
