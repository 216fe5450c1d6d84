//! The `lgl2o` program: reads the command line, does it, and gives an exit status.
//!
//! 0: done. 1: it failed. 2: it was asked for wrongly.

use std::process::ExitCode;

use clap::Parser;
use lgl2o_host::cli::Cli;
use lgl2o_host::command::{self, Failure};
use lgl2o_host::ranks::{Ended, Ranks};

fn main() -> ExitCode {
    let cli = Cli::parse();
    let ranks = match Ranks::start() {
        Ok(ranks) => ranks,
        Err(error) => return say(&Failure::Failed(error)),
    };
    match ranks.run(|| command::dispatch(&cli, &ranks), Failure::parts) {
        Ended::Here(Ok(())) => ExitCode::SUCCESS,
        Ended::Here(Err(failure)) => say(&failure),
        Ended::Elsewhere(status) => ExitCode::from(status),
    }
}

fn say(failure: &Failure) -> ExitCode {
    let (error, status) = failure.parts();
    let hint = if matches!(failure, Failure::Usage(_)) { "\n\nFor more information, try '--help'." } else { "" };
    eprintln!("error: {error:#}{hint}");
    ExitCode::from(status)
}
