//! `lgl2o device`: trains on a board and here, and compares every bit.

mod cost;
mod faults;
mod job;
mod journal;
mod stream;

use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use anyhow::{anyhow, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use lgl2o_device::boards::UnknownBoard;
use lgl2o_device::message::FromDevice;
use lgl2o_device::resume::SAVE_EVERY;

use self::job::{Job, events};
use self::journal::Journal;
use super::Failure;
use crate::cli::DeviceArgs;
use crate::device::board::{Board, board};
use crate::device::compare::{self, first_difference};
use crate::device::emulator::{self, Emulator};
use crate::device::firmware::{self, Build};
use crate::device::listen::{Event, listen};
use crate::device::port::Port;
use crate::device::programs::{self, Role};
use crate::device::record::{DeviceResults, MachineRecord, VERSION, finite, hex};
use crate::device::session::{Ended, Transcript, follow};
use crate::device::spirals::DemoRun;
use crate::device::{imported, report};
use crate::files::Temporary;
use crate::output::Output;
use crate::say;

/// Which transcendental functions this program, and so the firmware that it builds, has.
const MATH: &str = if cfg!(feature = "micromath") { "micromath" } else { "libm" };

/// Runs the command.
pub(super) fn run(args: &DeviceArgs) -> Result<(), Failure> {
    let board = board(&args.board).ok_or_else(|| Failure::Usage(anyhow!("{}", UnknownBoard(&args.board))))?;
    check(args, board).map_err(Failure::Usage)?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("out/device"));
    let out = Output::claim(&out, "device")?;
    let written = ["results.json", "table.md", "rounds.svg", journal::NAME];
    out.room_for(&written)?;
    out.spares(&written, &[args.elf.as_deref()])?;
    let out = out.dir();
    let port = job::port(args, board)?;
    // Before the build, which takes a minute; but the build installs an emulator that is missing, where it can.
    if port.is_none() {
        drop(Temporary::new()?);
    }
    if port.is_none() && (args.elf.is_some() || emulator::is_there(board)) {
        emulator::check(board)?;
    }
    if args.program == "stream" {
        stream::check(args, board)?;
    }
    let elf = match &args.elf {
        Some(elf) => Some(elf.clone()),
        // The board is assumed to have the program already.
        None if port.is_some() && board.is_emulated() => None,
        None => Some(build_program(args, board, &args.program)?),
    };
    let read = |elf: PathBuf| {
        let bytes = firmware::read(&elf, board)?;
        if args.elf.is_some() {
            firmware::check_program(&elf, &bytes, &args.program)?;
        }
        anyhow::Ok((elf, bytes))
    };
    let journal = Journal::within(out);
    let job = Job { args, board, out, elf: elf.map(read).transpose()?, port, awaited: false, journal };
    match programs::find(&args.program).map(|program| program.role) {
        Some(Role::Cost) => cost::run(job),
        Some(Role::Faults) => faults::run(job),
        Some(Role::Stream) => stream::run(job),
        Some(Role::Rounds(reference)) => rounds(job, &reference(board)?),
        Some(Role::Apart) | None => Err(anyhow!("`lgl2o device` does not run the program `{}`", args.program).into()),
    }
}

/// What is asked for goes together.
fn check(args: &DeviceArgs, board: &Board) -> anyhow::Result<()> {
    ensure!(args.power_cuts == 0 || args.program == "resume", "only `--program resume` survives --power-cuts");
    let of_stream =
        [("--steps", args.steps.is_some()), ("--seed", args.seed.is_some()), ("--data", args.data.is_some())];
    let stray = of_stream.iter().find(|(_, is_set)| *is_set && args.program != "stream");
    ensure!(
        stray.is_none(),
        "{} is for `--program stream`: `{}` has its own. Leave it out, or add --program stream",
        stray.map_or("", |(flag, _)| flag),
        args.program
    );
    ensure!(
        args.features.is_empty() || args.port.is_none() || !board.is_emulated(),
        "--features: nothing is built for {} on a serial port, which has its program already. Leave it out",
        board.name
    );
    Ok(())
}

/// Runs a program that tells of its rounds, and holds each against the same one here.
fn rounds(mut job: Job<'_>, here: &DemoRun) -> Result<(), Failure> {
    let (args, board, out) = (job.args, job.board, job.out);
    let (transcript, trouble) = match job.attach()? {
        Some(port) => listen_to(port, &job, here)?,
        None => emulate(&job, here)?,
    };
    if transcript.ended == Ended::Foreign {
        return Err(job.late(&transcript).into());
    }
    let results = results(args, board, &transcript, here, job.bytes())?;
    say::line(report::table(&results));
    report::write(out, &results)?;
    say::line(format_args!("results: {}", out.join("results.json").display()));
    let never_reset = args.program == "resume" && transcript.resumed.is_empty();
    match (transcript.ended, trouble, results.equal) {
        (Ended::TimedOut | Ended::Foreign, ..) => {
            let rounds = transcript.rounds.len();
            Err(anyhow!("{}; it had made {rounds} rounds", job.late(&transcript)).into())
        }
        (_, Some(trouble), _) => Err(trouble.into()),
        (.., false) => Err(anyhow!("device and host differ. {}", report::sentence(&results)).into()),
        (.., true) if never_reset => Err(anyhow!("no reset happened, so resuming was not tested: start again").into()),
        (.., true) => Ok(()),
    }
}

/// Builds a program, with a line about what is going on.
fn build_program(args: &DeviceArgs, board: &Board, program: &str) -> Result<PathBuf, Failure> {
    let folder = firmware::folder()?;
    let mut features = args.features.clone();
    if cfg!(feature = "micromath") {
        features.push("micromath".to_owned());
    }
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {wide_msg}")?);
    bar.enable_steady_tick(Duration::from_millis(100));
    let plan = Build { folder: &folder, board, program, features: &features };
    let elf = firmware::build(&plan, |line| bar.set_message(format!("firmware: {line}")));
    bar.finish_and_clear();
    Ok(elf?)
}

/// Runs the program under QEMU. Beside the transcript, what was wrong with its end.
fn emulate(job: &Job<'_>, here: &DemoRun) -> Result<(Transcript, Option<anyhow::Error>), Failure> {
    let (args, board, (elf, bytes)) = (job.args, job.board, job.program()?);
    let mut emulator = Emulator::start(board, elf)?;
    let mut transcript = Transcript::default();
    for (cut, delay) in power_cuts(args.power_cuts, here.rounds.len()) {
        let events = events(&mut emulator, bytes)?;
        let mut killed = Ok(());
        transcript = watch(transcript, &events, job, here, |event| {
            if matches!(event, Event::Message(FromDevice::Round(round)) if round.round == cut) {
                std::thread::sleep(delay);
                killed = emulator.cut();
            }
        })?;
        killed?;
        if transcript.ended == Ended::TimedOut || transcript.params.is_some() {
            break;
        }
        emulator.restart(board, elf)?;
    }
    let events = events(&mut emulator, bytes)?;
    let transcript = watch(transcript, &events, job, here, |_| {})?;
    if transcript.ended == Ended::TimedOut {
        return Ok((transcript, None));
    }
    let status = emulator.end()?;
    let last = transcript.log.last().map_or("it has logged nothing", String::as_str);
    let trouble = (!status.success()).then(|| anyhow!("the program failed, {status}; its last output: {last}"));
    Ok((transcript, trouble))
}

/// After which rounds the power is cut, and how long after the board has reported them: from at once, which is when it
/// begins to write a checkpoint, to 3 ms later.
fn power_cuts(count: u32, rounds: usize) -> impl Iterator<Item = (u32, Duration)> {
    let (saves, count) = (rounds as u64 / u64::from(SAVE_EVERY), u64::from(count));
    (1..=count).map(move |i| {
        let round = (i * saves / (count + 1)).max(1) as u32 * SAVE_EVERY;
        (round, Duration::from_micros(i * 700 % 3100))
    })
}

/// Listens to a board on a serial port. Its log comes by another way, a debug probe.
fn listen_to(port: Port, job: &Job<'_>, here: &DemoRun) -> Result<(Transcript, Option<anyhow::Error>), Failure> {
    let events = listen(port, None::<(std::io::Empty, _)>);
    let transcript = watch(Transcript::default(), &events, job, here, |_| {})?;
    let old = transcript.rounds.first().map_or(transcript.resumed.first().copied(), |first| first.round.checked_sub(1));
    let trouble = match old {
        Some(rounds @ 1..) => Some(anyhow!(
            "the device has gone on from a checkpoint of another run, after {rounds} rounds: erase its flash, and start again"
        )),
        _ => (transcript.ended == Ended::Over && transcript.summary.is_none()).then(|| job::closed(&transcript)),
    };
    Ok((transcript, trouble))
}

/// Follows the device with a progress bar.
fn watch(
    transcript: Transcript,
    events: &Receiver<Event>,
    job: &Job<'_>,
    here: &DemoRun,
    mut each: impl FnMut(&Event),
) -> Result<Transcript, Failure> {
    let args = job.args;
    let style = "{msg} {wide_bar} round {pos}/{len} {elapsed}";
    let bar = ProgressBar::new(here.rounds.len() as u64).with_style(ProgressStyle::with_template(style)?);
    bar.set_message(args.board.clone());
    let transcript = follow(transcript, events, job.deadline(), job.at_port(), |event| {
        job.journal.note(event);
        each(event);
        match event {
            Event::Log(line) if args.log => bar.suspend(|| say::note(format_args!("{line}"))),
            Event::Message(FromDevice::Round(round)) => bar.set_position(u64::from(round.round)),
            _ => {}
        }
    });
    bar.finish_and_clear();
    Ok(transcript)
}

/// Both sides, and where they part.
fn results(
    args: &DeviceArgs,
    board: &Board,
    transcript: &Transcript,
    here: &DemoRun,
    bytes: Option<&[u8]>,
) -> Result<DeviceResults, Failure> {
    let sizes = bytes.map(|bytes| firmware::sizes(bytes, board)).transpose()?;
    let last = transcript.rounds.last();
    let summary = transcript.summary;
    let device = MachineRecord {
        loss: summary.and_then(|s| finite(s.loss)),
        loss_bits: summary.map(|s| format!("{:08x}", s.loss)),
        steps: summary.map(|s| s.steps),
        learned: summary.map(|s| s.learned),
        memory: summary.map(|s| u64::from(s.memory)),
        stack: summary.map(|s| s.stack),
        flash: sizes.map(|s| s.flash),
        static_ram: sizes.map(|s| s.ram),
        resumed: transcript.resumed.clone(),
        damaged_frames: Some(transcript.damaged),
        from_pytorch: imported::from_pytorch(&transcript.outputs),
        outputs: transcript.outputs.iter().map(Into::into).collect(),
        trace: last.map(|round| hex(round.trace)),
        params: transcript.params.map(hex),
        rounds: transcript.rounds.iter().map(Into::into).collect(),
        ..MachineRecord::default()
    };
    let host = MachineRecord {
        loss: finite(here.outcome.loss.to_bits()),
        loss_bits: Some(format!("{:08x}", here.outcome.loss.to_bits())),
        steps: Some(here.outcome.steps),
        learned: Some(here.outcome.learned),
        memory: Some(here.memory as u64),
        accuracy: here.accuracy,
        from_pytorch: imported::from_pytorch(&here.outputs),
        outputs: here.outputs.iter().map(Into::into).collect(),
        trace: here.rounds.last().map(|round| hex(round.trace)),
        params: Some(hex(here.outcome.params)),
        rounds: here.rounds.iter().map(Into::into).collect(),
        ..MachineRecord::default()
    };
    let ours = compare::RunBits { rounds: &here.rounds, params: Some(here.outcome.params), outputs: &here.outputs };
    let theirs =
        compare::RunBits { rounds: &transcript.rounds, params: transcript.params, outputs: &transcript.outputs };
    let lost = compare::first_lost_difference(&transcript.lost, &here.rounds);
    let difference = lost.or_else(|| first_difference(theirs, ours));
    Ok(DeviceResults {
        version: VERSION,
        board: board.name.to_owned(),
        core: board.core.to_owned(),
        program: args.program.clone(),
        network: here.network.to_owned(),
        math: MATH.to_owned(),
        equal: difference.is_none(),
        first_difference: difference.map(Into::into),
        device,
        host,
    })
}
