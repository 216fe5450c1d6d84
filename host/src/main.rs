//! The `lgl2o` program: reads the command line, does it, and gives an exit status.
//!
//! 0: done. 1: it failed. 2: it was asked for wrongly.

use std::process::ExitCode;

use clap::Parser;
use lgl2o_host::cli::Cli;
use lgl2o_host::command::{self, Failure};

fn main() -> ExitCode {
    match command::dispatch(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Usage(error)) => {
            eprintln!("error: {error:#}\n\nFor more information, try '--help'.");
            ExitCode::from(2)
        }
        Err(Failure::Failed(error)) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
