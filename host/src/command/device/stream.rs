//! `lgl2o device --program stream`: sends images to a device, learns along, and compares every bit.

use std::time::Duration;

use anyhow::{Context, anyhow};
use indicatif::{ProgressBar, ProgressStyle};
use lgl2o_device::boards;
use lgl2o_device::message::{Order, Summary};
use lgl2o_device::record::RoundRecord;

use super::job::Job;
use super::{Failure, MATH};
use crate::cli::DeviceArgs;
use crate::data::{self, DataSets};
use crate::device::board::Board;
use crate::device::emulator::Emulator;
use crate::device::firmware::sizes;
use crate::device::listen::{Event, listen, log_table};
use crate::device::record::{DeviceResults, FirstDifference, MachineRecord, VERSION, finite, hex};
use crate::device::stream::{Data, Examples, Line, Outcome, Patience, StreamError, run as learn};
use crate::device::{Transport, report};
use crate::say;

/// Seconds without anything new after which a device is given up.
const STALL: u64 = 20;
/// Before something is said again.
const RETRY: Duration = Duration::from_millis(1000);

/// Says before anything is built whether it can be run.
pub(super) fn check(args: &DeviceArgs, board: &Board) -> Result<(), Failure> {
    if args.port.is_none() && !board.fits("stream") {
        let (name, ram) = (board.name, board.ram.size);
        let need = boards::need("stream").unwrap_or(0);
        return Err(Failure::Usage(anyhow!(
            "`stream` takes {need} kB of RAM, and {name} has {ram} kB: use another board"
        )));
    }
    Ok(())
}

/// Runs the command.
pub(super) fn run(mut job: Job<'_>) -> Result<(), Failure> {
    let (args, board, out) = (job.args, job.board, job.out);
    let sets = load(args)?;
    let order = Order { seed: args.seed.unwrap_or(SEED), steps: args.steps.unwrap_or(STEPS) };
    let (outcome, trouble) = match job.attach()? {
        Some(port) => (follow(Line::new(port, patience(args)).at_port(), args, &sets, order)?, None),
        None => emulate(&job, &sets, order)?,
    };
    let results = results(args, board, &outcome, job.bytes())?;
    say::line(report::table(&results));
    report::write(out, &results)?;
    say::line(format_args!("results: {}", out.join("results.json").display()));
    match (outcome.failure, trouble) {
        (Some(failure @ StreamError::Differs { .. }), _) => {
            Err(anyhow!("device and host differ from {failure}").into())
        }
        (Some(failure), _) => Err(failure.into()),
        (None, Some(trouble)) => Err(trouble.into()),
        (None, None) => Ok(()),
    }
}

/// Seed and training steps unless the command line says so.
const SEED: u32 = 1;
const STEPS: u32 = 500;

/// MNIST at 14 x 14.
fn load(args: &DeviceArgs) -> Result<DataSets, Failure> {
    let sets = data::load_mnist(&data::data_dir(args.data.as_deref()))?;
    Ok(DataSets { train: sets.train.average_pool(2)?, test: sets.test.average_pool(2)?, ..sets })
}

/// Runs the program under QEMU. Beside the outcome, what was wrong with its end.
fn emulate(job: &Job<'_>, sets: &DataSets, order: Order) -> Result<(Outcome, Option<anyhow::Error>), Failure> {
    let (args, (elf, bytes)) = (job.args, job.program()?);
    let table = log_table(bytes)?;
    let mut emulator = Emulator::start(job.board, elf)?;
    let events = listen(std::io::empty(), emulator.log.take().map(|log| (log, table)));
    let (show, journal) = (args.log, job.journal.clone());
    let log = std::thread::spawn(move || {
        let mut last = None;
        for event in events {
            journal.note(&event);
            let Event::Log(line) = event else { continue };
            if show {
                say::note(format_args!("{line}"));
            }
            last = Some(line);
        }
        last
    });
    let uart = emulator.uart.try_clone().context("cannot use the UART")?;
    let outcome = follow(Line::new(uart, patience(args)), args, sets, order)?;
    if outcome.failure.is_some() {
        return Ok((outcome, None));
    }
    let status = emulator.end()?;
    let last = log.join().ok().flatten().unwrap_or_else(|| "it has logged nothing".to_owned());
    let trouble = (!status.success()).then(|| anyhow!("the program failed, {status}; its last output: {last}"));
    Ok((outcome, trouble))
}

fn patience(args: &DeviceArgs) -> Patience {
    Patience { retry: RETRY, stall: Duration::from_secs(args.timeout.min(STALL)) }
}

/// Feeds a device, with a progress bar.
fn follow(line: Line<impl Transport>, args: &DeviceArgs, sets: &DataSets, order: Order) -> Result<Outcome, Failure> {
    let train = Examples::new(&sets.train).map_err(StreamError::from)?;
    let data = Data { train: &train, test: &sets.test };
    let style = ProgressStyle::with_template("{prefix} {wide_bar} step {pos}/{len} {msg} {elapsed}")?;
    let bar = ProgressBar::new(u64::from(order.steps)).with_style(style).with_prefix(args.board.clone());
    let outcome = learn(line, data, order, |glance| {
        bar.set_position(u64::from(glance.steps));
        let accuracy = glance.accuracy.map_or(String::new(), |share| format!("{:.1} % right", 100.0 * share));
        bar.set_message(if glance.behind > 0 { "catching up".to_owned() } else { accuracy });
    });
    bar.finish_and_clear();
    Ok(outcome?)
}

/// Both sides, and where they part.
fn results(args: &DeviceArgs, board: &Board, outcome: &Outcome, elf: Option<&[u8]>) -> Result<DeviceResults, Failure> {
    let sizes = elf.map(|bytes| sizes(bytes, board)).transpose()?;
    let rounds = |of: fn(&(Option<RoundRecord>, RoundRecord)) -> Option<RoundRecord>| -> Vec<RoundRecord> {
        outcome.rounds.iter().filter_map(of).collect()
    };
    let (theirs, ours) = (rounds(|pair| pair.0), rounds(|pair| Some(pair.1)));
    let whole = outcome.failure.is_none();
    let device = MachineRecord {
        stack: outcome.device.map(|s| s.stack),
        flash: sizes.map(|s| s.flash),
        static_ram: sizes.map(|s| s.ram),
        damaged_frames: Some(outcome.damaged[1]),
        params: whole.then(|| hex(outcome.params)),
        ..side(outcome.device, &theirs)
    };
    let host = MachineRecord {
        accuracy: outcome.accuracy,
        params: Some(hex(outcome.params)),
        ..side(Some(outcome.host), &ours)
    };
    Ok(DeviceResults {
        version: VERSION,
        board: board.name.to_owned(),
        core: board.core.to_owned(),
        program: args.program.clone(),
        network: "196-32-10 sigmoid".to_owned(),
        math: MATH.to_owned(),
        equal: whole,
        first_difference: outcome.failure.as_ref().map(|failure| difference(failure, &ours)),
        device,
        host,
    })
}

/// What both sides have in common.
fn side(summary: Option<Summary>, rounds: &[RoundRecord]) -> MachineRecord {
    MachineRecord {
        loss: summary.and_then(|s| finite(s.loss)),
        loss_bits: summary.map(|s| format!("{:08x}", s.loss)),
        steps: summary.map(|s| s.steps),
        learned: summary.map(|s| s.learned),
        memory: summary.map(|s| u64::from(s.memory)),
        trace: rounds.last().map(|round| hex(round.trace)),
        rounds: rounds.iter().map(Into::into).collect(),
        ..MachineRecord::default()
    }
}

/// Where the sides part, or where the comparison broke off.
fn difference(failure: &StreamError, ours: &[RoundRecord]) -> FirstDifference {
    match failure {
        StreamError::Differs { round, what } => FirstDifference { round: Some(*round), what: what.clone() },
        other => {
            let next = ours.last().map_or(1, |round| round.round + 1);
            FirstDifference { round: Some(next), what: format!("no further comparison, as {other}") }
        }
    }
}
