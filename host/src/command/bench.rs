//! `lgl2o bench`: step times on this machine.

use std::path::PathBuf;

use anyhow::Context as _;
use indicatif::ProgressBar;
use serde::Serialize;

use super::Failure;
use crate::bench::{Measurement, SIZES, Time, WORKLOADS, Workload, growth as measure_growth, measure, task};
use crate::cli::BenchArgs;
use crate::files::{folder_of, write_atomically};
use crate::optimizer::{Tuned, parse_list};
use crate::output::Output;
use crate::report;
use crate::report::overview::{Overview, Table};
use crate::say;

/// The version of what `--json` prints.
const VERSION: u32 = 1;

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Results {
    version: u32,
    /// Runs of each optimizer.
    rounds: u32,
    /// Training steps of a run, at least; a guard's last round may go beyond.
    steps: u32,
    /// What S2 and S3 learn: `prototypes` or `mnist`.
    images: &'static str,
    /// Times in microseconds.
    measurements: Vec<Measurement>,
}

/// Runs the command.
pub(super) fn run(args: &BenchArgs) -> Result<(), Failure> {
    let chosen: Vec<&'static Workload> = WORKLOADS.iter().filter(|workload| args.includes(workload.name)).collect();
    let optimizers = parse_list(&args.optimizers, &Tuned::default()).map_err(|e| Failure::Usage(e.into()))?;
    let claim = |file: &PathBuf| -> anyhow::Result<Output> {
        let name = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let output = Output::claim_for(folder_of(file), &name)?;
        output.room_for(&[&name])?;
        Ok(output)
    };
    let _claim = args.growth.as_ref().map(claim).transpose()?;
    let sizes = chosen.len() + args.growth.as_ref().map_or(0, |_| SIZES);
    let bar = ProgressBar::new(sizes as u64 * optimizers.len() as u64 * u64::from(args.rounds));
    let (mut measurements, mut growth) = (Vec::new(), Ok(()));
    for workload in chosen {
        bar.set_message(workload.name);
        let task = task(workload, args.data.as_deref())?;
        measurements.extend(measure(workload.name, &task, &optimizers, [args.rounds, args.steps], || bar.inc(1))?);
    }
    if let Some(file) = &args.growth {
        bar.set_message("growth");
        let all =
            measure_growth(&optimizers, [args.rounds, args.steps], || bar.inc(1)).context("cannot measure growth")?;
        let picture = report::growth("How the time of a step grows", "Microseconds a step", &all)?;
        growth = write_atomically(file, picture.as_bytes());
    }
    bar.finish_and_clear();
    let images = if args.data.is_some() { "mnist" } else { "prototypes" };
    let results = Results { version: VERSION, rounds: args.rounds, steps: args.steps, images, measurements };
    if args.json {
        say::line(serde_json::to_string_pretty(&results).context("cannot write the figures")?);
    } else {
        say::line(table(&results));
    }
    Ok(growth?)
}

fn table(results: &Results) -> String {
    let show = |time: &Time| format!("{:.1} ({:.1} to {:.1})", time.median, time.least, time.greatest);
    let row = |figure: &Measurement| {
        // The first optimizer of the workload is what the others are held against.
        let first = results.measurements.iter().find(|other| other.workload == figure.workload).unwrap_or(figure);
        vec![
            format!("{}: {}", figure.workload, figure.model),
            format!("`{}`", figure.optimizer),
            show(&figure.step),
            format!("{:.2}", figure.step.median / first.step.median),
            figure.update.as_ref().map_or("-".to_owned(), show),
            format!("{:.0}", 100.0 * figure.learned_steps_share),
        ]
    };
    let head = ["network", "optimizer", "step, us", "ratio", "update alone, us", "learned steps %"];
    Overview {
        title: "step times".to_owned(),
        lead: vec![format!(
            "Medians of {} runs of {} steps, on one thread, and in brackets the shortest and the longest; batches of 128; \
             images: {}.",
            results.rounds, results.steps, results.images
        )],
        table: Table {
            caption: "Microseconds on the processor for a training step, all included, and for an update alone; the \
                      ratio is to the first optimizer."
                .to_owned(),
            head: head.map(str::to_owned).to_vec(),
            rows: results.measurements.iter().map(row).collect(),
            words: false,
        },
        ..Overview::default()
    }
    .markdown()
}
