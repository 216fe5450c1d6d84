//! `lgl2o bench`: step times on this machine.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use indicatif::ProgressBar;
use serde::Serialize;

use super::Failure;
use crate::bench::{
    Kept, Measurement, SIZES, Setting, WORKLOADS, Workload, growth as measure_growth, markdown, measure, page, task,
};
use crate::cli::BenchArgs;
use crate::files::write_atomically;
use crate::interrupt;
use crate::names;
use crate::optimizer::{Optimizer, Tuned, parse_list};
use crate::output::{Kind, Output};
use crate::report;
use crate::say;
use crate::store::{self, Store};

/// The version of what `--json` prints.
const VERSION: u32 = 1;

/// The files of the figures.
const RESULTS: &str = "results.json";
const TABLE: &str = "table.md";
const PAGE: &str = "report.html";

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
    check(args, &optimizers).map_err(Failure::Usage)?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("out/bench"));
    let claim = Output::claim(&out, "bench")?;
    let growth = |file| Output::claim_file(file, Kind::Growth, &[]);
    let picture = args.growth.as_deref().map(growth).transpose()?;
    claim.room_for(&[RESULTS, TABLE, PAGE])?;
    let task = |workload: &&'static Workload| anyhow::Ok((*workload, task(workload, args.data.as_deref())?));
    let tasks = chosen.iter().map(task).collect::<anyhow::Result<Vec<_>>>()?;
    let store = Store::new(&out);
    store.open()?;
    let kept = Kept::within(store);
    interrupt::last_words(store::kept(&out));
    let sizes = chosen.len() + args.growth.as_ref().map_or(0, |_| SIZES);
    let bar = ProgressBar::new(sizes as u64 * optimizers.len() as u64 * u64::from(args.rounds));
    let (mut measurements, mut growth) = (Vec::new(), Ok(None));
    for (workload, task) in &tasks {
        bar.set_message(workload.name);
        measurements
            .extend(measure(workload.name, task, &optimizers, [args.rounds, args.steps], &kept, &|| bar.inc(1))?);
    }
    if let Some((_claim, file)) = &picture {
        bar.set_message("growth");
        // What was measured before is told even if this fails.
        growth = draw_growth(file, &optimizers, args, &kept, &bar).map(Some);
    }
    bar.finish_and_clear();
    let images = if args.data.is_some() { "mnist" } else { "prototypes" };
    let results = Results { version: VERSION, rounds: args.rounds, steps: args.steps, images, measurements };
    tell(&out, args, &results, growth)?;
    if kept.found() > 0 {
        say::note(format_args!("{} runs are of a call that was interrupted", kept.found()));
    }
    kept.finish();
    Ok(())
}

/// Prints the figures and writes them; then says why growth could not be measured, if it could not.
fn tell(out: &Path, args: &BenchArgs, results: &Results, growth: anyhow::Result<Option<String>>) -> anyhow::Result<()> {
    let (command, file) = (command_line(args), out.join(PAGE));
    let Results { rounds, steps, images, measurements, .. } = results;
    let setting = Setting { rounds: *rounds, steps: *steps, images, command: &command };
    let json = serde_json::to_string_pretty(results).context("cannot write the figures")?;
    let table = markdown(measurements, setting);
    say::line(if args.json { &json } else { &table });
    write_atomically(&out.join(RESULTS), format!("{json}\n").as_bytes())?;
    write_atomically(&out.join(TABLE), table.as_bytes())?;
    let (growth, failed) = growth.map_or_else(|error| (None, Err(error)), |picture| (picture, Ok(())));
    write_atomically(&file, page(measurements, setting, growth)?.as_bytes())?;
    if !args.json {
        say::line(format_args!("report: {}", file.display()));
    }
    failed
}

/// The command line that makes these figures again.
fn command_line(args: &BenchArgs) -> String {
    let BenchArgs { networks, optimizers, data, rounds, steps, growth, .. } = args;
    let mut line = "lgl2o bench".to_owned();
    if !networks.is_empty() {
        line.push_str(&format!(" --networks {}", networks.join(",")));
    }
    line.push_str(&format!(" --optimizers {}", say::quoted(optimizers)));
    let paths = [("--data", data), ("--growth", growth)];
    for (name, path) in paths.into_iter().filter_map(|(name, path)| Some((name, path.as_deref()?))) {
        line.push_str(&format!(" {name} {}", say::quoted(&say::typed(path))));
    }
    line + &format!(" --rounds {rounds} --steps {steps}")
}

/// Measures how times grow with the network, draws it, and returns the picture.
fn draw_growth(
    file: &Path,
    optimizers: &[Optimizer],
    args: &BenchArgs,
    kept: &Kept,
    bar: &ProgressBar,
) -> anyhow::Result<String> {
    let all = measure_growth(optimizers, [args.rounds, args.steps], kept, &|| bar.inc(1));
    let all = all.context("cannot measure growth")?;
    let picture = report::growth("How the time of a step grows", "Microseconds a step", &all)?;
    write_atomically(file, picture.as_bytes())?;
    Ok(picture)
}

/// What is asked for goes together, and nothing is listed twice.
fn check(args: &BenchArgs, optimizers: &[Optimizer]) -> anyhow::Result<()> {
    let rules: Vec<&str> = optimizers.iter().map(|optimizer| optimizer.name.as_str()).collect();
    let networks: Vec<&str> = args.networks.iter().map(String::as_str).collect();
    for all in [&rules, &networks] {
        if let Some((_, name)) = all.iter().enumerate().find(|(i, name)| all[..*i].contains(name)) {
            bail!("{}", names::twice(name));
        }
    }
    ensure!(
        args.data.is_none() || WORKLOADS.iter().any(|workload| workload.has_images() && args.includes(workload.name)),
        "--data: only S2 and S3 train on MNIST. Leave --data out, or add one of them to --networks"
    );
    Ok(())
}
