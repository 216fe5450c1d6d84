//! The commands, each in a file of its own.

mod bench;
mod compare;
mod data;
mod device;
mod doctor;
mod eval;
mod export;
mod import;
mod meta_train;
mod playground;
mod predict;
mod reproduce;
mod survey;
mod train;

use clap::Parser;

use crate::cli::{Cli, Command, CompareArgs, NEXT};
use crate::interrupt::Interrupted;
use crate::ranks::Ranks;
use crate::say;

/// Why a command did not do what it was asked for.
#[derive(Debug)]
pub enum Failure {
    /// A usage error: exit status 2.
    Usage(anyhow::Error),
    /// It failed: exit status 1.
    Failed(anyhow::Error),
}

impl Failure {
    /// What went wrong, and the exit status that stands for it.
    #[must_use]
    pub fn parts(&self) -> (&anyhow::Error, u8) {
        let (error, status) = match self {
            Self::Usage(error) => (error, 2),
            Self::Failed(error) => (error, 1),
        };
        (error, interruption(error).map_or(status, Interrupted::status))
    }

    /// Whether nothing is wrong but that somebody has interrupted it.
    #[must_use]
    pub fn is_interruption(&self) -> bool {
        interruption(self.parts().0).is_some()
    }
}

fn interruption(error: &anyhow::Error) -> Option<&Interrupted> {
    error.chain().find_map(|cause| cause.downcast_ref())
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Does what the command line asks for.
///
/// # Errors
/// Why it could not be done.
pub fn dispatch(cli: &Cli, ranks: &Ranks) -> Result<(), Failure> {
    if ranks.count() > 1
        && !matches!(cli.command, Some(Command::MetaTrain(_) | Command::Reproduce(_) | Command::Survey(_)))
    {
        ranks
            .agree(Err(anyhow::anyhow!("mpirun spreads `survey`, `meta-train` and `reproduce` only: leave mpirun out")))
            .map_err(Failure::Usage)?;
    }
    rayon::ThreadPoolBuilder::new().num_threads(cli.threads).build_global()?;
    match &cli.command {
        None => {
            compare::run(&default_compare())?;
            say::line(format_args!("\n{NEXT}"));
            Ok(())
        }
        Some(Command::Compare(args)) => compare::run(args),
        Some(Command::Reproduce(args)) => reproduce::run(args, ranks),
        Some(Command::Survey(args)) => survey::run(args, ranks),
        Some(Command::MetaTrain(args)) => meta_train::run(args, ranks),
        Some(Command::Device(args)) => device::run(args),
        Some(Command::Data(args)) => data::run(args),
        Some(Command::Bench(args)) => bench::run(args),
        Some(Command::Train(args)) => train::run(args),
        Some(Command::Predict(args)) => predict::run(args),
        Some(Command::Eval(args)) => eval::run(args),
        Some(Command::Export(args)) => export::run(args),
        Some(Command::Import(args)) => import::run(args),
        Some(Command::Doctor(args)) => doctor::run(args),
        Some(Command::Playground(args)) => playground::run(args),
    }
}

/// The arguments of a plain `lgl2o compare`.
fn default_compare() -> CompareArgs {
    match Cli::parse_from(["lgl2o", "compare"]).command {
        Some(Command::Compare(args)) => args,
        _ => unreachable!("the command line just written asks for `compare`"),
    }
}
