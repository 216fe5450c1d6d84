//! `lgl2o doctor`: what this machine has for each part of the program, and how to get what it lacks.

mod checks;

use anyhow::anyhow;

use self::checks::{CHECKS, State};
use super::Failure;
use crate::cli::DoctorArgs;
use crate::say;

/// Runs the command.
pub(super) fn run(args: &DoctorArgs) -> Result<(), Failure> {
    let asked = |name: &str| args.what.iter().any(|what| what == name);
    let mut lacking = Vec::new();
    for check in CHECKS.iter().filter(|check| args.what.is_empty() || asked(check.name)) {
        say::line(format_args!("{}: {}", check.name, check.what_for));
        let findings = (check.look)(args);
        for finding in &findings {
            match &finding.state {
                State::There(what) => say::line(format_args!("  ok       {}: {what}", finding.name)),
                State::Missing { what, command } => {
                    say::line(format_args!("  MISSING  {}: {what}", finding.name));
                    say::line(format_args!("           {command}"));
                }
            }
        }
        if findings.iter().any(|finding| matches!(finding.state, State::Missing { .. })) {
            lacking.push(check.name);
        }
    }
    if lacking.is_empty() {
        say::line("everything is there");
    } else {
        say::line(format_args!("something is missing for: {}", lacking.join(", ")));
    }
    // Without a name everything is looked at, and no user needs all of it.
    if args.what.is_empty() || lacking.is_empty() {
        return Ok(());
    }
    Err(anyhow!("something is missing for {}; see above", lacking.join(", ")).into())
}
