//! One call of `lgl2o device`: a program on a board, under QEMU or at the end of a serial port.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};

use super::Failure;
use super::journal::Journal;
use crate::cli::DeviceArgs;
use crate::device::board::{Board, Runner};
use crate::device::emulator::Emulator;
use crate::device::foreign::Foreign;
use crate::device::listen::{Event, listen, log_table};
use crate::device::port::{self, Port};
use crate::device::probe;
use crate::device::session::{AtPort, Ended, Transcript, follow};
use crate::say;

/// What is to be done, with what.
pub(super) struct Job<'a> {
    pub(super) args: &'a DeviceArgs,
    pub(super) board: &'a Board,
    /// Where the report goes.
    pub(super) out: &'a Path,
    /// The program's file and what is in it; none if it runs already on a board at the end of a port.
    pub(super) elf: Option<(PathBuf, Vec<u8>)>,
    /// Where the board is, if QEMU does not run it.
    pub(super) port: Option<Port>,
    /// Whether somebody is still to write the program into the board.
    pub(super) awaited: bool,
    /// What the device says.
    pub(super) journal: Journal,
}

/// The port that the arguments name; real hardware needs one.
pub(super) fn port(args: &DeviceArgs, board: &Board) -> Result<Option<Port>, Failure> {
    match &args.port {
        Some(path) => Ok(Some(port::open(path)?)),
        None if board.is_emulated() => Ok(None),
        None => Err(Failure::Usage(anyhow!(
            "QEMU does not have {}: connect the board, and say with --port on which serial port it is; those that are \
             there: {}",
            board.name,
            port::names()
        ))),
    }
}

impl Job<'_> {
    /// The program, where QEMU is to run it.
    pub(super) fn program(&self) -> Result<(&Path, &[u8]), Failure> {
        let elf = self.elf.as_ref().map(|(path, bytes)| (path.as_path(), bytes.as_slice()));
        elf.ok_or_else(|| anyhow!("there is no program to run").into())
    }

    /// What is in the program's file.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.elf.as_ref().map(|(_, bytes)| bytes.as_slice())
    }

    /// When patience ends.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + Duration::from_secs(self.args.timeout)
    }

    /// What is expected at the port, if there is one.
    pub(super) fn at_port(&self) -> Option<AtPort<'_>> {
        self.args.port.as_ref().map(|_| AtPort { program: &self.args.program, awaited: self.awaited })
    }

    /// The board at the end of the port, with the program in it if that can be done from here, about to start or started.
    pub(super) fn attach(&mut self) -> Result<Option<Port>, Failure> {
        let (Some(port), Some(path)) = (self.port.take(), &self.args.port) else { return Ok(None) };
        let (listening, again) = (format!("listening on {}", path.display()), "reset the board now");
        match (self.board.runner, &self.elf) {
            (Runner::Hardware { chip }, Some((elf, _))) if probe::is_there() => {
                say::note(format_args!("writing {} into the board", elf.display()));
                // A checkpoint of an earlier run would be gone on from.
                probe::write(chip, elf, self.args.program == "resume")?;
                port.discard().context("cannot use the port")?;
                say::note(format_args!("{listening}"));
                probe::reset(chip)?;
            }
            (Runner::Hardware { .. }, Some((elf, _))) => {
                self.awaited = true;
                say::note(format_args!(
                    "probe-rs is not installed: write {} into the board by other means",
                    elf.display()
                ));
                say::note(format_args!("{listening}; {again}"));
            }
            _ => say::note(format_args!("{listening}; {again}")),
        }
        Ok(Some(port))
    }

    /// Follows a program that only reports, to its end, which must be a good one.
    pub(super) fn report(
        &mut self,
        start: fn(&Board, &Path) -> anyhow::Result<Emulator>,
        mut each: impl FnMut(&Event),
    ) -> Result<Transcript, Failure> {
        if let Some(port) = self.attach()? {
            let events = listen(port, None::<(std::io::Empty, _)>);
            let transcript = follow(Transcript::default(), &events, self.deadline(), self.at_port(), |event| {
                self.journal.note(event);
                each(event);
            });
            return match transcript.ended {
                Ended::Over if transcript.summary.is_none() => Err(closed(&transcript).into()),
                Ended::Over => Ok(transcript),
                Ended::TimedOut | Ended::Foreign => Err(self.late(&transcript).into()),
            };
        }
        let (elf, bytes) = self.program()?;
        self.report_of(start(self.board, elf)?, bytes, each)
    }

    /// The same under QEMU, of any program for this board.
    pub(super) fn report_of(
        &self,
        mut emulator: Emulator,
        bytes: &[u8],
        mut each: impl FnMut(&Event),
    ) -> Result<Transcript, Failure> {
        let events = events(&mut emulator, bytes)?;
        let transcript = follow(Transcript::default(), &events, self.deadline(), None, |event| {
            self.journal.note(event);
            each(event);
        });
        if transcript.ended == Ended::TimedOut {
            return Err(self.late(&transcript).into());
        }
        let status = emulator.end()?;
        let last = transcript.log.last().map_or("it has logged nothing", String::as_str);
        if status.success() {
            Ok(transcript)
        } else {
            Err(anyhow!("the program failed, {status}; its last output: {last}").into())
        }
    }

    /// Another program is at the port.
    pub(super) fn foreign(&self, foreign: &Foreign) -> anyhow::Error {
        let (program, port) = (&self.args.program, self.args.port.clone().unwrap_or_default());
        anyhow!(
            "the device at {} does not run `{program}` of this firmware: {foreign}. See that it is the right port, write the \
             program into the board, reset it, and start again",
            port.display()
        )
    }

    /// The device takes too long, or what it says cannot be read.
    pub(super) fn late(&self, transcript: &Transcript) -> anyhow::Error {
        if let Some(foreign) = &transcript.foreign {
            return self.foreign(foreign);
        }
        let damaged = match transcript.damaged {
            0 => String::new(),
            frames => format!(
                "; {frames} frames came in damaged: is the line noisy, the board's rate another one than {} baud, or its \
                 program no part of this firmware?",
                port::BAUD
            ),
        };
        anyhow!("the device did not finish within {} seconds (--timeout allows more){damaged}", self.args.timeout)
    }
}

/// The port is gone.
pub(super) fn closed(transcript: &Transcript) -> anyhow::Error {
    anyhow!(
        "the serial port was closed after {} rounds, before the end: see whether the board is still connected",
        transcript.rounds.len()
    )
}

/// What a board under QEMU says, from its start on.
pub(super) fn events(emulator: &mut Emulator, elf: &[u8]) -> Result<Receiver<Event>, Failure> {
    let uart = emulator.uart.try_clone().context("cannot read from the UART")?;
    let table = log_table(elf)?;
    Ok(listen(uart, emulator.log.take().map(|log| (log, table))))
}
