//! `lgl2o device --program faults`: every fault on a device and here, as a table.

use anyhow::{Context, Result, anyhow};
use lgl2o_device::faults::{self, Fault, FaultMemory, FaultRecord};
use lgl2o_device::message::FromDevice;
use serde::Serialize;

use super::job::Job;
use super::{Failure, MATH};
use crate::device::board::Board;
use crate::device::emulator::Emulator;
use crate::device::listen::Event;
use crate::files::write_atomically;
use crate::report::overview::{Overview, Table};
use crate::say;

/// The version of `results.json` of this program.
const VERSION: u32 = 1;

/// What `results.json` holds.
#[derive(Debug, Serialize)]
struct Results {
    version: u32,
    board: String,
    program: &'static str,
    math: &'static str,
    /// Whether every bit of both sides is the same.
    equal: bool,
    /// Whether the model was never worse than the fallback's candidate, and ended no higher than the fallback alone.
    kept: bool,
    device: Vec<FaultRecord>,
    host: Vec<FaultRecord>,
}

/// Runs the command.
pub(super) fn run(mut job: Job<'_>) -> Result<(), Failure> {
    let (args, board, out) = (job.args, job.board, job.out);
    let host = here()?;
    let mut device = Vec::new();
    let ran = job.report(Emulator::start, |event| match event {
        Event::Message(FromDevice::Fault(record)) => {
            if record.number == 0 {
                device.clear();
            }
            device.push(*record);
        }
        Event::Log(line) if args.log => say::note(format_args!("{line}")),
        _ => {}
    });
    let kept = host.iter().all(|record| keeps(record, &host));
    let equal = device == host;
    let results = Results {
        version: VERSION,
        board: board.name.to_owned(),
        program: "faults",
        math: MATH,
        equal,
        kept,
        device,
        host,
    };
    let table = table(board, &results);
    say::line(&table);
    let json = serde_json::to_string_pretty(&results).context("cannot write results.json")?;
    write_atomically(&out.join("results.json"), format!("{json}\n").as_bytes())?;
    write_atomically(&out.join("table.md"), table.as_bytes())?;
    say::line(format_args!("results: {}", out.join("results.json").display()));
    if let Some((device, _)) = results.device.iter().zip(&results.host).find(|(device, host)| device != host) {
        return Err(anyhow!("device and host differ from the fault \"{}\" on", name(device)).into());
    }
    ran?;
    if !results.equal {
        let (done, all) = (results.device.len(), results.host.len());
        return Err(anyhow!("the device has reported {done} of {all} faults").into());
    }
    if results.kept { Ok(()) } else { Err(anyhow!("a fault has left the model worse than the fallback").into()) }
}

/// Every fault on this machine.
fn here() -> Result<Vec<FaultRecord>> {
    let mut memory = Box::new(FaultMemory::new());
    let records = (0..Fault::COUNT as u8).map(|number| faults::run(number, &mut memory));
    let records: Result<Vec<_>, _> = records.collect();
    Ok(records.context("the run on this machine")?.into_iter().flatten().collect())
}

/// Whether the model was never worse than the fallback's candidate, and ends no higher than the fallback alone.
fn keeps(record: &FaultRecord, all: &[FaultRecord]) -> bool {
    let alone = all.first().map_or(f32::NAN, |record| f32::from_bits(record.loss));
    record.worse == 0 && f32::from_bits(record.loss) <= alone
}

fn name(record: &FaultRecord) -> &'static str {
    Fault::number(record.number.into()).map_or("?", Fault::name)
}

fn table(board: &Board, results: &Results) -> String {
    let rows = results.host.iter().map(|host| {
        let device = results.device.iter().find(|record| record.number == host.number);
        let same = if device == Some(host) { "yes" } else { "NO" };
        let loss = f32::from_bits(host.loss);
        vec![
            name(host).to_owned(),
            format!("{loss:.6}"),
            host.learned.to_string(),
            host.worse.to_string(),
            same.to_owned(),
        ]
    });
    let head = [
        "what goes wrong",
        "loss in the end",
        "rounds won by the learned side",
        "rounds worse than the fallback",
        "same bits",
    ];
    let table = Table {
        caption: "2-16-2 on 16 points of two spirals, 200 rounds of one step of gradient descent.".to_owned(),
        head: head.map(str::to_owned).to_vec(),
        rows: rows.collect(),
        words: false,
    };
    let lead = match (results.equal, results.kept) {
        (false, _) => "DEVICE AND HOST DIFFER.",
        (true, false) => "A FAULT HAS LEFT THE MODEL WORSE THAN THE FALLBACK.",
        (true, true) => "Every bit is the same, and no fault has left the model worse than the fallback.",
    };
    let title = format!("faults on {} ({}), {}", board.name, board.core, results.math);
    Overview { title, lead: vec![lead.to_owned()], table, ..Overview::default() }.markdown()
}
