//! The programs of the firmware: what this side knows of each stands in one table, from which come what `lgl2o device` runs and how,
//! which messages are whose, and whose sizes are shown.

use anyhow::Result;
use lgl2o_device::message::FromDevice;

use super::board::Board;
use super::spirals::DemoRun;
use super::{imported, sensor, spirals};

/// A program of the firmware.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// The name of its file in `firmware/src/bin/`.
    pub name: &'static str,
    /// Another name that the command line has for it.
    pub alias: Option<&'static str>,
    /// Who runs it.
    pub role: Role,
    /// What it says beside its summary.
    pub says: &'static [Says],
    /// Whether `lgl2o device --program cost` shows its size.
    pub size: SizeShown,
}

/// Who runs a program.
#[derive(Debug, Clone, Copy)]
pub enum Role {
    /// `lgl2o device`, which holds each of its rounds against the run that this function makes here.
    Rounds(fn(&Board) -> Result<DemoRun>),
    /// `lgl2o device`, which sends it images and learns along.
    Stream,
    /// `lgl2o device`, which holds what each fault has left against the same here.
    Faults,
    /// `lgl2o device`, which collects what it counts.
    Cost,
    /// Not `lgl2o device`, but `lgl2o train` or the tests.
    Apart,
}

/// Whether and how `lgl2o device --program cost` shows a program's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeShown {
    /// With the stack that it uses: it runs by itself.
    WithStack,
    /// Its flash and static RAM alone: it waits for something.
    Alone,
    /// Not at all.
    No,
}

/// What programs say beside their summary, which all of them send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// Rounds, and that all are done.
    Rounds,
    /// From which round it goes on.
    Resumed,
    /// Questions for this side.
    Questions,
    /// What a fault has left.
    Faults,
    /// Outputs of a network.
    Outputs,
    /// Costs of a part.
    Costs,
    /// Costs of a whole training.
    Spent,
}

impl Says {
    /// What a message belongs to; `None` for what all programs send, and for what no program here does.
    #[must_use]
    pub const fn of(message: &FromDevice) -> Option<Self> {
        match message {
            FromDevice::Round(_) | FromDevice::Done { .. } => Some(Self::Rounds),
            FromDevice::Resumed { .. } => Some(Self::Resumed),
            FromDevice::Question(_) => Some(Self::Questions),
            FromDevice::Fault(_) => Some(Self::Faults),
            FromDevice::Outputs(_) => Some(Self::Outputs),
            FromDevice::Cost(_) => Some(Self::Costs),
            FromDevice::Spent { .. } => Some(Self::Spent),
            // The type may grow in another package.
            FromDevice::Summary(_) | _ => None,
        }
    }
}

const fn program(name: &'static str, role: Role, says: &'static [Says], size: SizeShown) -> Program {
    Program { name, alias: None, role, says, size }
}

/// All programs, in the order of the help.
pub const PROGRAMS: [Program; 12] = [
    program("empty", Role::Apart, &[], SizeShown::WithStack),
    program("spirals", Role::Rounds(spirals::reference), &[Says::Rounds], SizeShown::WithStack),
    Program { alias: Some("mnist"), ..program("stream", Role::Stream, &[Says::Questions], SizeShown::Alone) },
    program("sensor", Role::Rounds(|_| sensor::reference()), &[Says::Rounds], SizeShown::WithStack),
    program("imported", Role::Rounds(|_| imported::reference()), &[Says::Rounds, Says::Outputs], SizeShown::No),
    program("resume", Role::Rounds(spirals::reference), &[Says::Rounds, Says::Resumed], SizeShown::WithStack),
    program("faults", Role::Faults, &[Says::Faults], SizeShown::WithStack),
    program("cost", Role::Cost, &[Says::Costs], SizeShown::No),
    program("kernels", Role::Apart, &[], SizeShown::No),
    program("least", Role::Apart, &[], SizeShown::No),
    program("windows", Role::Apart, &[Says::Costs], SizeShown::No),
    program("train", Role::Apart, &[Says::Rounds, Says::Spent], SizeShown::No),
];

/// Those that `lgl2o device` runs.
pub fn of_device() -> impl Iterator<Item = &'static Program> {
    PROGRAMS.iter().filter(|program| !matches!(program.role, Role::Apart))
}

/// A program by its name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Program> {
    PROGRAMS.iter().find(|program| program.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let names = || PROGRAMS.iter().flat_map(|program| [Some(program.name), program.alias]).flatten();
        assert!(names().all(|name| names().filter(|other| *other == name).count() == 1));
        assert!(PROGRAMS.iter().all(|program| find(program.name).is_some_and(|found| found.name == program.name)));
        assert!(find("mnist").is_none() && find("").is_none());
    }

    #[test]
    fn those_of_the_command_say_something_that_it_waits_for() {
        assert_eq!(of_device().count(), 7);
        for program in of_device() {
            let awaited = match program.role {
                Role::Rounds(_) => Says::Rounds,
                Role::Stream => Says::Questions,
                Role::Faults => Says::Faults,
                Role::Cost => Says::Costs,
                Role::Apart => panic!("{} is not the command's", program.name),
            };
            assert!(program.says.contains(&awaited), "{}", program.name);
        }
    }
}
