//! `lgl2o doctor`: what this machine has for each part of the program, and how to get what it lacks.

mod checks;

use anyhow::{anyhow, ensure};

use self::checks::{CHECKS, State};
use super::Failure;
use crate::cli::DoctorArgs;
use crate::say;

/// Runs the command.
pub(super) fn run(args: &DoctorArgs) -> Result<(), Failure> {
    check(args).map_err(Failure::Usage)?;
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

/// An option is for something that is looked at.
fn check(args: &DoctorArgs) -> anyhow::Result<()> {
    let options: [(&str, bool, &[&str]); 3] = [
        ("--board", args.board.is_some(), &["firmware", "emulator"]),
        ("--data", args.data.is_some(), &["data"]),
        ("--out", args.out.is_some(), &["output"]),
    ];
    for (flag, is_set, of) in options {
        let is_used = args.what.is_empty() || args.what.iter().any(|what| of.contains(&what.as_str()));
        ensure!(
            !is_set || is_used,
            "{flag} is for {}, which is not asked for: name it, or leave {flag} out",
            of.join(" and ")
        );
    }
    Ok(())
}
