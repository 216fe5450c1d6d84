//! `lgl2o meta-train`: trains the weights of a learned optimizer, or evaluates optimizers on what it is trained on.

use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::Failure;
use crate::cli::MetaTrainArgs;
use crate::data;
use crate::files::folder_of;
use crate::interrupt;
use crate::meta::any_config::AnyConfig;
use crate::meta::checkpoint::Snapshot;
use crate::meta::{self, Files, Start, full_horizon};
use crate::optimizer::{Tuned, parse_list};
use crate::output::Output;
use crate::ranks::Ranks;
use crate::say;
use crate::store::{self, Store};

/// Runs the command.
pub(super) fn run(args: &MetaTrainArgs, ranks: &Ranks) -> Result<(), Failure> {
    let mut config = ranks.agree(AnyConfig::read(&args.config)).map_err(Failure::Usage)?;
    let data = data::data_dir(args.data.as_deref());
    if let Some(optimizers) = &args.evaluate {
        return evaluate(&config, optimizers, args, &data);
    }
    let (AnyConfig::Tasks(meta::config::Config { seeds, .. })
    | AnyConfig::Distribution(full_horizon::Config { seeds, .. })) = &mut config;
    *seeds = args.seeds.unwrap_or(*seeds);
    let beside = folder_of(&args.config);
    let out = args.out.as_deref().unwrap_or(beside);
    let files = Files::new(&args.config, out);
    let claim = || if ranks.is_first() { Output::claim_for(out, &files.name()).map(Some) } else { Ok(None) };
    let claim = ranks.agree(claim())?;
    let written = [&files.weights, &files.log, &files.validation, &files.checkpoint];
    let names: Vec<_> = written.iter().filter_map(|path| path.file_name()?.to_str()).collect();
    ranks.agree(claim.as_ref().map_or(Ok(()), |claim| claim.spares(&names, &[Some(&args.config)])))?;
    interrupt::last_words("the training had not begun; what was there before is as it was");
    let start = match (args.resume, args.restart) {
        (true, _) => Start::Resume,
        (_, true) => Start::Restart,
        _ => Start::Fresh,
    };
    let Snapshot { score, seed, step, .. } = match config {
        AnyConfig::Tasks(config) => meta::train(config, &data, &files, start, ranks)?,
        AnyConfig::Distribution(config) => full_horizon::train(config, &data, &files, start, ranks)?,
    };
    if !ranks.is_first() {
        return Ok(());
    }
    say::line(format_args!(
        "chosen weights: {} (seed {seed}, outer step {step}, validation score {score:.5})",
        files.weights.display()
    ));
    say::line(format_args!("logs: {} and {}", files.log.display(), files.validation.display()));
    Ok(())
}

/// Evaluates optimizers instead.
fn evaluate(config: &AnyConfig, optimizers: &str, args: &MetaTrainArgs, data: &Path) -> Result<(), Failure> {
    let AnyConfig::Distribution(config) = config else {
        return Err(Failure::Usage(anyhow!("--evaluate needs a configuration with a [distribution]")));
    };
    let optimizers = parse_list(optimizers, &Tuned::default()).map_err(|error| Failure::Usage(error.into()))?;
    let out = args.out.clone().unwrap_or_else(|| PathBuf::from("out/evaluate"));
    let store = Store::new(&out);
    let _claim = Output::claim_files(&out)?;
    store.open()?;
    interrupt::last_words(store::kept(&out));
    let sources = full_horizon::sources(config, data)?;
    let all = full_horizon::evaluate::evaluate(config, &sources, &optimizers, args.tasks, &store)?;
    say::line(all.text.trim_end());
    say::line(format_args!("runs: {} done, {} found finished in {}", all.done, all.found, out.join("units").display()));
    Ok(())
}
