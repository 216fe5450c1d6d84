//! `lgl2o reproduce`: the paper's experiments and the shifts, and one report.

use std::path::PathBuf;

use anyhow::bail;

use super::Failure;
use crate::cli::ReproduceArgs;
use crate::data::{self, DataError};
use crate::interrupt;
use crate::network::check_size;
use crate::output::Output;
use crate::ranks::Ranks;
use crate::reproduce::claims::Claim;
use crate::reproduce::experiment::Planned;
use crate::reproduce::experiments::{self, ALL};
use crate::reproduce::outcome::Outcome;
use crate::reproduce::page::write;
use crate::reproduce::tasks::IDX_HIDDEN;
use crate::reproduce::{DataCache, Runner, Scale, Source};
use crate::say;
use crate::store::{self, Store};
use crate::task::BATCH;

/// The experiment that trains on folders of IDX files.
const DATA: &str = "data";
/// Seeds of a quick run, at most.
const QUICK_SEEDS: u64 = 2;

/// Runs the command.
pub(super) fn run(args: &ReproduceArgs, ranks: &Ranks) -> Result<(), Failure> {
    let seeds = if args.quick { args.seeds.min(QUICK_SEEDS) } else { args.seeds };
    let scale = Scale { seeds, quick: args.quick };
    ranks.agree(check(args)).map_err(Failure::Usage)?;
    let mut chosen = experiments::plan(&args.only, &args.idx, &scale);
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("out/reproduce"));
    let store = Store::new(&out);
    interrupt::last_words(store::kept(&out));
    let claimed = || -> anyhow::Result<Output> {
        let output = Output::claim(&out, "reproduce")?;
        output.room_for(&["report.md", "report.html"])?;
        Ok(output)
    };
    let claim = || if ranks.is_first() { claimed().map(Some) } else { Ok(None) };
    let _claim = ranks.agree(claim())?;
    let mut cache = DataCache::new(data::data_dir(args.data.as_deref()));
    let left_out = leave_out(&mut chosen, args, &mut cache, ranks)?;
    if ranks.is_first() {
        left_out.iter().for_each(say::note);
    }
    ranks.lead(|| store.open())?;
    let command = command_line(args);
    let mut runner = Runner::new(ranks, cache, store, scale.clone())?;
    let findings = runner.run(&chosen)?;
    let claims: Vec<Claim> = findings.iter().flat_map(|f| (ALL[f.experiment - 1].claims)(f)).collect();
    let outcome = Outcome {
        experiments: &chosen,
        findings: &findings,
        claims: &claims,
        scale: &scale,
        notes: &left_out,
        command: &command,
    };
    if ranks.is_first() {
        claims.iter().for_each(|claim| say::line(line(claim)));
    }
    let page = ranks.lead(|| write(&out, &outcome))?;
    if !ranks.is_first() {
        return Ok(());
    }
    let [done, found] = runner.counts();
    say::line(format_args!("runs: {done} done, {found} found finished in {}", out.join("units").display()));
    say::line(format_args!("report: {}", page.display()));
    Ok(())
}

/// What is asked for goes together.
fn check(args: &ReproduceArgs) -> anyhow::Result<()> {
    let takes = |number: &usize| ALL.get(number.wrapping_sub(1)).is_some_and(|experiment| experiment.name == DATA);
    if !args.idx.is_empty() && !args.only.is_empty() && !args.only.iter().any(takes) {
        bail!("--idx: only the experiment `{DATA}` trains on such folders. Add it to --only, or leave --idx out");
    }
    Ok(())
}

/// Where the first rank has no MNIST, a quick run skips the tasks that need it; a full one says at once what is missing.
fn leave_out(
    chosen: &mut Vec<Planned>,
    args: &ReproduceArgs,
    cache: &mut DataCache,
    ranks: &Ranks,
) -> Result<Vec<String>, Failure> {
    let mut notes = Vec::new();
    if args.quick {
        notes.push(
            "A quick run, to see that everything works: its horizons are too short to judge anything.".to_owned(),
        );
    }
    let needs = |e: &Planned| e.parts.iter().any(|part| matches!(part.task.source, Source::Mnist(_)));
    if chosen.iter().any(needs) {
        let missing = ranks.lead(|| Ok(matches!(cache.mnist(), Err(DataError::NotFound { .. }))))?;
        if missing && args.quick {
            for experiment in chosen.iter_mut() {
                experiment.parts.retain(|part| !matches!(part.task.source, Source::Mnist(_)));
            }
            notes.push(
                "Left out: everything on MNIST, which is not there; `lgl2o data fetch mnist` gets it.".to_owned(),
            );
        } else {
            ranks.agree(cache.mnist().map(|_| ()).map_err(Into::into))?;
        }
    }
    // What is wrong with a folder, or too large for the network, shows before anything is run.
    let load = |folder: &PathBuf| -> anyhow::Result<Vec<String>> {
        let sets = data::load_folder(folder)?;
        check_size(&[sets.train.width(), IDX_HIDDEN, sets.train.classes()], BATCH)?;
        Ok(sets.remarks())
    };
    notes.extend(ranks.agree(args.idx.iter().map(load).collect::<anyhow::Result<Vec<_>>>())?.concat());
    chosen.retain(|experiment| !experiment.parts.is_empty());
    if chosen.is_empty() {
        ranks.agree(Err(anyhow::anyhow!("nothing is left to run without MNIST; `lgl2o data fetch mnist` gets it")))?;
    }
    Ok(notes)
}

/// The command line that produces these results.
fn command_line(args: &ReproduceArgs) -> String {
    let mut line = "lgl2o reproduce".to_owned();
    if let Some(dir) = &args.data {
        line.push_str(&format!(" --data {}", say::word(&dir.to_string_lossy())));
    }
    if args.quick {
        line.push_str(" --quick");
    }
    if !args.only.is_empty() && args.only.len() < ALL.len() {
        let only: Vec<String> = args.only.iter().map(usize::to_string).collect();
        line.push_str(&format!(" --only {}", only.join(",")));
    }
    line.push_str(&format!(" --seeds {}", args.seeds));
    args.idx.iter().for_each(|folder| line.push_str(&format!(" --idx {}", say::path(folder))));
    line
}

/// A claim for the terminal.
fn line(claim: &Claim) -> String {
    let reached = match claim.reached {
        Some(true) => "yes",
        Some(false) => "NO ",
        None => "-  ",
    };
    format!(
        "{reached}  {}. {}\n     target: {}; measured: {}",
        claim.experiment, claim.claim, claim.target, claim.measured
    )
}
