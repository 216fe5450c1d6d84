//! `lgl2o meta-train`: trains the weights of a learned optimizer.

use anyhow::Context;

use super::Failure;
use crate::cli::MetaTrainArgs;
use crate::data;
use crate::files::folder_of;
use crate::meta::checkpoint::Snapshot;
use crate::meta::config::Config;
use crate::meta::{self, Files, Start};
use crate::ranks::Ranks;

/// Does it.
pub(super) fn run(args: &MetaTrainArgs, ranks: &Ranks) -> Result<(), Failure> {
    let mut config = ranks.agree(Config::read(&args.config)).map_err(Failure::Usage)?;
    config.seeds = args.seeds.unwrap_or(config.seeds);
    let beside = folder_of(&args.config);
    let out = args.out.as_deref().unwrap_or(beside);
    ranks.lead(|| std::fs::create_dir_all(out).with_context(|| format!("cannot create {}", out.display())))?;
    let files = Files::new(&args.config, out);
    let start = match (args.resume, args.restart) {
        (true, _) => Start::Resume,
        (_, true) => Start::Restart,
        _ => Start::Fresh,
    };
    let data = data::data_dir(args.data.as_deref());
    let Snapshot { score, seed, step, .. } = meta::train(config, &data, &files, start, ranks)?;
    if !ranks.is_first() {
        return Ok(());
    }
    println!(
        "chosen weights: {} (seed {seed}, outer step {step}, validation score {score:.5})",
        files.weights.display()
    );
    println!("logs: {} and {}", files.log.display(), files.validation.display());
    Ok(())
}
