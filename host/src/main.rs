//! The `lgl2o` program: reads the command line, does it, and returns an exit status.
//!
//! 0: done. 1: it failed. 2: a usage error. 128 and the number of a signal, such as 130 or 143: it was interrupted.

use std::process::ExitCode;

use lgl2o_host::cli::Cli;
use lgl2o_host::command::{self, Failure};
use lgl2o_host::ranks::{Ended, Ranks};
use lgl2o_host::{interrupt, say};

fn main() -> ExitCode {
    let cli = match Cli::read() {
        Ok(cli) => cli,
        Err(error) => return shown(&error),
    };
    if let Err(error) = interrupt::listen() {
        say::note(format_args!("warning: signals are not looked out for: {error}"));
    }
    let ranks = match Ranks::start() {
        Ok(ranks) => ranks,
        Err(error) => return tell(&Failure::Failed(error)),
    };
    let work = || {
        let done = command::dispatch(&cli, &ranks);
        interrupt::wait_if_ending();
        done
    };
    let ended = ranks.run(work, Failure::parts);
    let unsaid = say::all_said();
    match (ended, unsaid) {
        (Ended::Here(Ok(())), Ok(())) => ExitCode::SUCCESS,
        (Ended::Here(Ok(())), Err(error)) => tell(&Failure::Failed(error)),
        (Ended::Here(Err(failure)), _) => tell(&failure),
        (Ended::Elsewhere(status), _) => ExitCode::from(status),
    }
}

/// Shows help, the version or a usage error. Help that nobody could read has failed.
fn shown(error: &clap::Error) -> ExitCode {
    match error.print() {
        Err(cause) if !error.use_stderr() => tell(&Failure::Failed(say::untold(&cause))),
        _ => ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2)),
    }
}

fn tell(failure: &Failure) -> ExitCode {
    let (error, status) = failure.parts();
    let hint = if matches!(failure, Failure::Usage(_)) { "\n\nFor more information, try '--help'." } else { "" };
    let kind = if failure.is_interruption() { "" } else { "error: " };
    say::note(format_args!("{kind}{}{hint}", say::told(error)));
    ExitCode::from(status)
}
