//! The report of a run on a device: `results.json`, `table.md` and `rounds.svg`.

use std::path::Path;

use anyhow::{Context, Result};

use super::record::{DeviceResults, MachineRecord};
use crate::files::write_atomically;
use crate::report::overview::{Overview, Table};
use crate::report::rounds::{RoundPoint, rounds_picture};

/// Writes the files to a directory that is there.
///
/// # Errors
/// If one cannot be written or drawn.
pub fn write(out: &Path, results: &DeviceResults) -> Result<()> {
    let json = serde_json::to_string_pretty(results).context("cannot write results.json")?;
    write_atomically(&out.join("results.json"), format!("{json}\n").as_bytes())?;
    write_atomically(&out.join("table.md"), table(results).as_bytes())?;
    let title = format!("{} on {}, {}", results.program, results.board, results.core);
    let picture = rounds_picture(
        &title,
        &explanation(results),
        &[("device", points(&results.device)), ("host", points(&results.host))],
    )?;
    write_atomically(&out.join("rounds.svg"), picture.as_bytes())
}

/// The verdict of the comparison in a sentence.
#[must_use]
pub fn sentence(results: &DeviceResults) -> String {
    match &results.first_difference {
        None => {
            let outputs = match results.host.outputs.len() {
                0 => String::new(),
                rows => format!(", of the outputs for {rows} rows"),
            };
            let rounds = results.host.rounds.len();
            format!("Every bit of {rounds} rounds{outputs} and of the final parameters is the same.")
        }
        Some(first) => match first.round {
            Some(round) => format!("DIFFERENT from round {round} on: {}.", first.what),
            None => format!("DIFFERENT: {}.", first.what),
        },
    }
}

/// Both sides as a table in Markdown.
#[must_use]
pub fn table(results: &DeviceResults) -> String {
    let number = |n: Option<u64>| n.map_or("-".to_owned(), |n| n.to_string());
    let code = |text: &Option<String>| text.as_ref().map_or("-".to_owned(), |text| format!("`{text}`"));
    let row = |name: &str, value: &dyn Fn(&MachineRecord) -> String| {
        vec![name.to_owned(), value(&results.device), value(&results.host)]
    };
    let mut rows = vec![
        row("rounds", &|s| s.rounds.len().to_string()),
        row("of them won by the learned side", &|s| number(s.learned.map(u64::from))),
        row("training steps", &|s| number(s.steps.map(u64::from))),
        row("held-out loss", &|s| s.loss.map_or("-".to_owned(), |loss| loss.to_string())),
        row("held-out accuracy", &|s| s.accuracy.map_or("-".to_owned(), |share| format!("{:.2} %", 100.0 * share))),
        row("trace", &|s| code(&s.trace)),
        row("parameters", &|s| code(&s.params)),
        row("training memory, bytes", &|s| number(s.memory)),
        row("stack, bytes", &|s| number(s.stack.map(u64::from))),
        row("static RAM, bytes", &|s| number(s.static_ram)),
        row("flash, bytes", &|s| number(s.flash)),
    ];
    if results.host.from_pytorch.is_some() {
        let distance = |s: &MachineRecord| s.from_pytorch.map_or("-".to_owned(), |distance| format!("{distance:.1e}"));
        rows.push(row("before training, largest difference from PyTorch's outputs", &distance));
    }
    if !results.device.resumed.is_empty() {
        let rounds: Vec<String> = results.device.resumed.iter().map(u32::to_string).collect();
        rows.push(vec!["went on after a reset from round".to_owned(), rounds.join(", "), "-".to_owned()]);
    }
    let title = format!("{} on {} ({}), {}", results.program, results.board, results.core, results.math);
    let head = ["", &format!("device: {}", results.board), "this machine"].map(str::to_owned).to_vec();
    let table = Table { caption: format!("Network {}.", results.network), head, rows, words: false };
    Overview { title, lead: vec![sentence(results)], table, ..Overview::default() }.markdown()
}

fn explanation(results: &DeviceResults) -> String {
    let equal = if results.equal { "both lines are the same" } else { "THE LINES DIFFER" };
    format!("Loss on the first training batch of each round; {equal}. Dots: rounds that the learned side won.")
}

fn points(side: &MachineRecord) -> Vec<RoundPoint> {
    let mut step = 0;
    let each = side.rounds.iter().map(|round| {
        step += u64::from(round.steps);
        RoundPoint { step, loss: round.train_loss.map(f64::from), winner: round.winner }
    });
    each.collect()
}
