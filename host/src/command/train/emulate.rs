//! `lgl2o train --emulate BOARD`: the training that was made here again, on the board's emulator, held against this one, with what it
//! takes there.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use lgl2o_device::message::FromDevice;
use serde::Serialize;

use super::super::Failure;
use super::program;
use crate::device::board::{Board, board};
use crate::device::compare::{RunBits, first_difference};
use crate::device::emulator::{self, Emulator};
use crate::device::firmware::{self, Build, Sizes};
use crate::device::listen::{Event, listen, log_table};
use crate::device::session::{Transcript, follow};
use crate::files::{Temporary, write_atomically};
use crate::network::series::ByValue;
use crate::report::number::{grouped, significant};
use crate::say;
use crate::train::Settings;
use crate::train::prepare::Prepared;
use crate::train::run::{Trained, network};

/// What is written about it.
pub(super) const FILE: &str = "emulated.json";
/// The version of that file.
const VERSION: u32 = 1;
/// Cycles for an instruction: what the model of firmware/COSTS.md has for training on a Cortex-M4F, wait states left out.
const CYCLES: f64 = 2.2;
/// Energy of a cycle in nanojoules: an assumption, 10 mW at 64 MHz, and no measurement.
const NANOJOULES: f64 = 0.16;
/// Instructions for a multiply-add, with and without a unit for floating-point numbers, at most; and how many the board's clock
/// counts between two batches.
const MOST: [f64; 2] = [20.0, 1500.0];
const COUNTABLE: f64 = 4e8;
/// QEMU does at least so many steps of the smallest network in a second; nobody waits longer than a day.
const PATIENCE: Duration = Duration::from_secs(86_400);

/// What is known of the training on the board.
#[derive(Debug, Serialize)]
struct Emulated {
    version: u32,
    board: &'static str,
    core: &'static str,
    /// Whether every round and every parameter has the bits of this machine.
    equal: bool,
    rounds: usize,
    steps: u32,
    flash: u64,
    /// Bytes of the flash that hold the rows, which a device gets from its sensor.
    flash_of_rows: u64,
    static_ram: u64,
    /// Training memory, which is part of it, and the rows that are trained on.
    training_memory: u32,
    rows_memory: u64,
    stack: u32,
    /// `null` where a step takes longer than the board's clock counts.
    instructions: Option<u64>,
    estimate: Option<Estimate>,
    compiler: Option<String>,
}

/// An estimate, with what it assumes.
#[derive(Debug, Clone, Copy, Serialize)]
struct Estimate {
    megahertz: f64,
    cycles_per_instruction: f64,
    nanojoules_per_cycle: f64,
    seconds: f64,
    millijoules: f64,
}

impl Estimate {
    /// Of so many instructions at the board's clock; `None` where its clock is not known.
    fn of(board: &Board, instructions: u64) -> Option<Self> {
        let megahertz: f64 = board.entry.get("clock")?.parse().ok()?;
        let cycles = instructions as f64 * CYCLES;
        let (seconds, millijoules) = (cycles / (megahertz * 1e6), cycles * NANOJOULES * 1e-6);
        let (cycles_per_instruction, nanojoules_per_cycle) = (CYCLES, NANOJOULES);
        Some(Self { megahertz, cycles_per_instruction, nanojoules_per_cycle, seconds, millijoules })
    }
}

/// The board of a name, if it can be emulated here; before anything is trained.
pub(super) fn find(name: &str) -> Result<&'static Board, Failure> {
    let board = board(name).ok_or_else(|| Failure::Usage(anyhow!("there is no board `{name}`")))?;
    if !board.is_emulated() {
        let other = crate::device::board::BOARDS.iter().find(|b| b.is_emulated() && b.target == board.target);
        let near = other.map_or(String::new(), |b| format!("; {} has the same instructions", b.name));
        return Err(Failure::Usage(anyhow!("--emulate {name}: no emulator has this board{near}")));
    }
    firmware::folder()?;
    // The build installs an emulator that is missing, where it can.
    if emulator::is_there(board) {
        emulator::check(board)?;
    }
    Ok(board)
}

/// Bytes of memory for the rows that are trained on.
fn rows_memory(prepared: &Prepared) -> u64 {
    let (rows, classes) = (prepared.train.rows(), prepared.scale.is_none());
    (4 * prepared.train.inputs.len() + if classes { rows } else { 4 * rows } + 4 * rows.div_ceil(32)) as u64
}

/// Refuses what cannot fit, before anything is trained.
///
/// The bound is below what it takes: 10 numbers for a parameter (`lgl2o::auto`), the outputs of all layers twice, and the rows.
pub(super) fn check(board: &Board, prepared: &Prepared, settings: &Settings) -> Result<()> {
    let batch = settings.batch.min(prepared.train.rows());
    let layers = network(settings, &prepared.train, batch)?;
    let parameters = layers.parameters();
    let activations: usize = layers.by_value().iter().map(ByValue::activations).sum();
    let training = 4 * (10 * parameters + batch * activations) as u64;
    let (rows, ram) = (rows_memory(prepared), 1024 * u64::from(board.ram.size));
    if training + rows > ram {
        bail!(
            "--emulate {}: the board has {ram} bytes of RAM; training takes {training} of them at least, and {} rows \
             {rows}. Take a board with more, narrower layers (--hidden, --network), smaller batches (--batch) or fewer rows",
            board.name,
            prepared.train.rows()
        );
    }
    Ok(())
}

/// Trains on the board, tells what it takes, and fails if a bit differs.
pub(super) fn run(
    out: &Path,
    board: &'static Board,
    (prepared, settings, steps): (&Prepared, &Settings, u64),
    trained: &Trained,
) -> Result<()> {
    let folder = Temporary::new()?;
    let task = program::write(folder.path(), prepared, settings, steps)?;
    let elf = build(board, &task)?;
    let bytes = firmware::read(&elf, board)?;
    emulator::check(board)?;
    let (transcript, instructions) = emulate(board, &elf, &bytes, trained.rounds.len())?;
    let ours = RunBits { rounds: &trained.rounds, params: Some(trained.bits), outputs: &[] };
    let difference =
        first_difference(RunBits { rounds: &transcript.rounds, params: transcript.params, outputs: &[] }, ours);
    let summary = transcript.summary.context("the board has not said what the training took")?;
    let Sizes { flash, ram } = firmware::sizes(&bytes, board)?;
    let all = [Some(&prepared.train), prepared.check.as_ref()];
    let flash_of_rows = all.into_iter().flatten().map(|t| table_bytes(t, prepared)).sum();
    let instructions = instructions.filter(|_| is_countable(board, prepared, settings));
    let emulated = Emulated {
        version: VERSION,
        board: board.name,
        core: board.core,
        equal: difference.is_none(),
        rounds: transcript.rounds.len(),
        steps: summary.steps,
        flash,
        flash_of_rows,
        static_ram: ram,
        training_memory: summary.memory,
        rows_memory: rows_memory(prepared),
        stack: summary.stack,
        instructions,
        estimate: instructions.and_then(|count| Estimate::of(board, count)),
        compiler: firmware::compiler(&bytes),
    };
    say::line(text(&emulated));
    let json = serde_json::to_string_pretty(&emulated).context("cannot write what was found")?;
    write_atomically(&out.join(FILE), format!("{json}\n").as_bytes())?;
    match difference {
        None => Ok(()),
        Some(found) => {
            let round = found.round.map_or(String::new(), |round| format!("round {round}: "));
            bail!("the training on {} is not the one here; {round}{}", board.name, found.what)
        }
    }
}

fn table_bytes(table: &crate::data::table::Table, prepared: &Prepared) -> u64 {
    (4 * table.inputs.len() + table.rows() * if prepared.scale.is_none() { 1 } else { 4 }) as u64
}

/// Whether the board's clock does not go round within a step.
fn is_countable(board: &Board, prepared: &Prepared, settings: &Settings) -> bool {
    let batch = settings.batch.min(prepared.train.rows());
    // The command has been through this network before.
    let Ok(layers) = network(settings, &prepared.train, batch) else { return false };
    let multiply_adds: usize = layers.by_value().iter().map(ByValue::multiply_adds).sum();
    let [hard, soft] = MOST;
    let each = if board.target.ends_with("eabihf") { hard } else { soft };
    // Forward and backward.
    3.0 * (batch * multiply_adds) as f64 * each < COUNTABLE
}

fn build(board: &Board, task: &Path) -> Result<std::path::PathBuf> {
    let folder = firmware::folder()?;
    let mut features = vec!["train".to_owned()];
    if cfg!(feature = "micromath") {
        features.push("micromath".to_owned());
    }
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{spinner} {wide_msg}")?);
    bar.enable_steady_tick(Duration::from_millis(100));
    let plan = Build { folder: &folder, board, program: "train", features: &features };
    let task = task.to_str().context("the system's folder for temporary files has a name that is no text")?;
    // A name of its own, for another training may be built at the same time.
    let variant = std::process::id().to_string();
    let built = firmware::build_with(&plan, &variant, &[("LGL2O_TRAIN", task)], |line| {
        bar.set_message(format!("firmware: {line}"));
    });
    bar.finish_and_clear();
    let said = built.as_ref().err().map(|error| format!("{error:#}")).unwrap_or_default();
    if ["will not fit in region", "overflowed by", "cannot move location counter"].iter().any(|w| said.contains(w)) {
        let flash =
            board.entry.region("flash").map_or(String::new(), |flash| format!("{} kB of flash and ", flash.size));
        let ram = board.ram.size;
        bail!(
            "--emulate {}: the board has {flash}{ram} kB of RAM, and this training does not fit. Take a board with more, \
             narrower layers (--hidden, --network), smaller batches (--batch) or fewer rows",
            board.name
        );
    }
    built.context("`lgl2o doctor firmware` says what is missing for building")
}

/// Runs it; returns what it said, and how many instructions it took.
fn emulate(board: &Board, elf: &Path, bytes: &[u8], rounds: usize) -> Result<(Transcript, Option<u64>)> {
    let mut emulator = Emulator::counting(board, elf)?;
    let uart = emulator.uart.try_clone().context("cannot read from the UART")?;
    let table = log_table(bytes)?;
    let events = listen(uart, emulator.log.take().map(|log| (log, table)));
    let style = ProgressStyle::with_template("{msg} {bar:30} round {pos} of {len}  {elapsed} gone, {eta} left")?;
    let bar = ProgressBar::new(rounds as u64).with_style(style.progress_chars("=> "));
    bar.set_message(board.name);
    let mut count = None;
    let deadline = std::time::Instant::now() + PATIENCE;
    let transcript = follow(Transcript::default(), &events, deadline, None, |event| match event {
        Event::Message(FromDevice::Round(round)) => bar.set_position(u64::from(round.round)),
        Event::Message(FromDevice::Spent { count: spent }) => count = Some(*spent),
        _ => {}
    });
    bar.finish_and_clear();
    let status = emulator.end()?;
    let last = transcript.log.last().map_or("it has logged nothing", String::as_str);
    if !status.success() {
        bail!("the training on {} failed, {status}; its last output: {last}", board.name);
    }
    Ok((transcript, count))
}

/// What is printed.
fn text(found: &Emulated) -> String {
    let bits = if found.equal { "the same bits as here" } else { "OTHER BITS than here" };
    let mut text = format!("on {} ({}, emulated): {} steps, {bits}\n", found.board, found.core, found.steps);
    let mut line = |what: &str, words: String| text.push_str(&format!("  {what:<13}{words}\n"));
    let (flash, of_rows) = (grouped(found.flash), grouped(found.flash_of_rows));
    line("flash", format!("{flash} bytes, of which {of_rows} are the rows"));
    let (ram, stack) = (grouped(found.static_ram + u64::from(found.stack)), grouped(u64::from(found.stack)));
    let (training, rows) = (grouped(u64::from(found.training_memory)), grouped(found.rows_memory));
    line("RAM", format!("{ram} bytes: training {training}, rows {rows}, stack {stack}, the rest the board's"));
    let each = |count: u64| grouped(count / u64::from(found.steps.max(1)));
    let count = found.instructions.map(|count| format!("{}, {} a step", grouped(count), each(count)));
    line(
        "instructions",
        count.unwrap_or_else(|| "not counted: a step takes longer than the board's clock counts".into()),
    );
    if found.estimate.is_none() {
        line("estimate", "none: it takes a count of instructions and a board with a clock".to_owned());
    }
    if let Some(estimate) = found.estimate {
        let [seconds, energy] = [estimate.seconds, estimate.millijoules].map(significant);
        line("estimate", format!("{seconds} s and {energy} mJ at {} MHz. It assumes", estimate.megahertz));
        line("", format!("{CYCLES} cycles for an instruction (firmware/COSTS.md, a Cortex-M4F, no wait states)"));
        line("", format!("and {NANOJOULES} nJ a cycle (10 mW at 64 MHz); measure it on your board"));
    }
    text.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_instructions_over_the_clock() {
        let board = board("mps2-an386").expect("a board");
        let found = Estimate::of(board, 25_000_000).expect("a clock");
        assert!((found.seconds - 2.2).abs() < 1e-9 && (found.millijoules - 8.8).abs() < 1e-9, "{found:?}");
        let unclocked = crate::device::board::board("riscv-virt").expect("a board");
        assert!(Estimate::of(unclocked, 1).is_none());
    }

    #[test]
    fn what_no_emulator_has_is_refused() {
        let Err(Failure::Usage(error)) = find("nrf52840-dk") else { panic!("not refused") };
        assert!(error.to_string().contains("mps2-an386 has the same instructions"), "{error}");
    }
}
