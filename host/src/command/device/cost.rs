//! `lgl2o device --program cost`: instructions of training on a board, and what every program takes of its memory.

use std::path::PathBuf;

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use lgl2o_device::cost::{Cost, Item, WORKLOADS};
use lgl2o_device::message::FromDevice;
use serde::Serialize;

use super::job::Job;
use super::{Failure, MATH, build_program};
use crate::device::emulator::Emulator;
use crate::device::firmware;
use crate::device::listen::Event;
use crate::device::programs::{PROGRAMS, Program, SizeShown};
use crate::files::write_atomically;
use crate::report::number::grouped;
use crate::report::overview::{Overview, Section, Table};
use crate::say;

/// The version of `results.json` of this program.
const VERSION: u32 = 1;

/// What is counted.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "lowercase")]
enum Unit {
    /// Under QEMU.
    Instructions,
    /// On real hardware.
    Cycles,
}

/// What `results.json` holds.
#[derive(Debug, Serialize)]
struct Results {
    version: u32,
    board: String,
    core: String,
    program: &'static str,
    math: &'static str,
    /// What is counted.
    unit: Unit,
    /// The compiler that the program is from: another one's counts are others.
    compiler: Option<String>,
    costs: Vec<Cost>,
    sizes: Vec<Size>,
}

/// What a program takes, in bytes.
#[derive(Debug, Serialize)]
struct Size {
    program: &'static str,
    flash: u64,
    static_ram: u64,
    /// The most stack in use; `null` where it was not run.
    stack: Option<u32>,
}

/// Runs the command.
pub(super) fn run(mut job: Job<'_>) -> Result<(), Failure> {
    let (args, board, out) = (job.args, job.board, job.out);
    let mut costs = Vec::new();
    let bar = ProgressBar::new_spinner();
    let ran = job.report(Emulator::counting, |event| match event {
        Event::Message(FromDevice::Cost(cost)) => {
            if (cost.workload, cost.item) == (0, Item::Inference) {
                costs.clear();
            }
            costs.push(*cost);
            bar.set_message(format!("counting: {}", WORKLOADS.get(usize::from(cost.workload)).unwrap_or(&"")));
            bar.tick();
        }
        Event::Log(line) if args.log => bar.suspend(|| say::note(format_args!("{line}"))),
        _ => {}
    });
    bar.finish_and_clear();
    ran?;
    let sizes = sizes(&job)?;
    let results = Results {
        version: VERSION,
        board: board.name.to_owned(),
        core: board.core.to_owned(),
        program: "cost",
        math: MATH,
        unit: if board.is_emulated() { Unit::Instructions } else { Unit::Cycles },
        compiler: job.bytes().and_then(firmware::compiler),
        costs,
        sizes,
    };
    let table = table(&results);
    say::line(&table);
    let json = serde_json::to_string_pretty(&results).context("cannot write results.json")?;
    write_atomically(&out.join("results.json"), format!("{json}\n").as_bytes())?;
    write_atomically(&out.join("table.md"), table.as_bytes())?;
    say::line(format_args!("results: {}", out.join("results.json").display()));
    Ok(())
}

/// Builds every program and reads its sizes; runs those that need no input, where QEMU can.
fn sizes(job: &Job<'_>) -> Result<Vec<Size>, Failure> {
    let mut all = Vec::new();
    for &Program { name: program, size, .. } in PROGRAMS.iter().filter(|program| program.size != SizeShown::No) {
        let Some(elf) = fitting(build_program(job.args, job.board, program))? else { continue };
        let bytes = firmware::read(&elf, job.board)?;
        let sizes = firmware::sizes(&bytes, job.board)?;
        let stack = if size == SizeShown::WithStack && job.args.port.is_none() {
            let run = job.report_of(Emulator::start(job.board, &elf)?, &bytes, |_| {})?;
            run.summary.map(|summary| summary.stack)
        } else {
            None
        };
        all.push(Size { program, flash: sizes.flash, static_ram: sizes.ram, stack });
    }
    Ok(all)
}

/// A program that does not fit into the board's memory is no failure here.
fn fitting(built: Result<PathBuf, Failure>) -> Result<Option<PathBuf>, Failure> {
    match built {
        Err(failure) if failure.parts().0.to_string().contains("will not fit in region") => Ok(None),
        other => other.map(Some),
    }
}

/// What the table of steps shows.
const STEPS: [Item; 9] = [
    Item::Inference,
    Item::Gradient,
    Item::StepSgd,
    Item::StepAdam,
    Item::StepNgn,
    Item::StepLean,
    Item::StepL2o,
    Item::StepRotated,
    Item::Decision,
];

/// What that of updates shows.
const UPDATES: [Item; 6] =
    [Item::UpdateSgd, Item::UpdateAdam, Item::UpdateNgn, Item::UpdateLean, Item::UpdateL2o, Item::UpdateRotated];

fn table(results: &Results) -> String {
    let find = |workload: u8, item| results.costs.iter().find(|c| c.workload == workload && c.item == item);
    let row = |items: &[Item], show: &dyn Fn(&Cost) -> String| -> Vec<Vec<String>> {
        let named = (0u8..).zip(WORKLOADS).filter(|(w, _)| find(*w, Item::Gradient).is_some());
        let cells = |w: u8| items.iter().map(move |item| find(w, *item).map_or("-".to_owned(), show));
        named.map(|(w, name)| [name.to_owned()].into_iter().chain(cells(w)).collect()).collect()
    };
    let (unit, lead) = match results.unit {
        Unit::Cycles => ("Cycles", "Counted by the processor."),
        Unit::Instructions => ("Instructions", "Counted by QEMU; instructions are not cycles."),
    };
    let figures = |caption: &str, rules: &[&str], rows| Table {
        caption: format!("{unit} {caption}"),
        head: std::iter::once(&"workload").chain(rules).map(|head| (*head).to_owned()).collect(),
        rows,
        words: false,
    };
    let whole = |cost: &Cost| grouped(cost.instructions.into());
    let each = |cost: &Cost| format!("{:.1}", f64::from(cost.instructions) / f64::from(cost.parameters));
    let steps = figures(
        "for the outputs of one example, for one gradient, for one training step by each rule, and for one decision of \
         the guard on one check batch (the losses of both candidates and of the current parameters).",
        &["inference", "gradient", "SGD", "Adam", "NGN", "lean", "l2o", "l2o rotated", "decision"],
        row(&STEPS, &whole),
    );
    let updates = figures(
        "for each parameter, of one update alone.",
        &["SGD", "Adam", "NGN", "lean", "l2o", "l2o rotated"],
        row(&UPDATES, &each),
    );
    let descents = figures(
        "for one training step without memory for a gradient.",
        &["SGD", "Adam"],
        row(&[Item::DescentSgd, Item::DescentAdam], &whole),
    );
    let section =
        |title: &str, table| Section { title: title.to_owned(), level: 2, tables: vec![table], ..Section::default() };
    Overview {
        title: format!("cost on {} ({}), {}", results.board, results.core, results.math),
        lead: vec![lead.to_owned()],
        table: steps,
        sections: vec![
            section("Updates", updates),
            section("Descent", descents),
            section("Programs", programs(&results.sizes)),
        ],
        ..Overview::default()
    }
    .markdown()
}

/// What every program takes, and how much of it is not the board's own.
fn programs(sizes: &[Size]) -> Table {
    let empty = sizes.first().map_or([0, 0], |size| [size.flash, size.static_ram]);
    let beyond = |total: u64, empty: u64| format!("{} ({:+})", grouped(total), total as i64 - empty as i64);
    let row = |size: &Size| {
        let stack = size.stack.map_or("-".to_owned(), |stack| grouped(stack.into()));
        vec![size.program.to_owned(), beyond(size.flash, empty[0]), beyond(size.static_ram, empty[1]), stack]
    };
    Table {
        caption: "Bytes, and in brackets how many more than the empty program has.".to_owned(),
        head: ["program", "flash", "static RAM", "stack in use"].map(str::to_owned).to_vec(),
        rows: sizes.iter().map(row).collect(),
        words: false,
    }
}
