//! `lgl2o meta-train`: trains the weights of a learned optimizer.

use std::path::Path;

use super::Failure;
use crate::cli::MetaTrainArgs;
use crate::data;
use crate::meta::checkpoint::Snapshot;
use crate::meta::config::Config;
use crate::meta::{self, Files, Start};

/// Does it.
pub(super) fn run(args: &MetaTrainArgs) -> Result<(), Failure> {
    let mut config = Config::read(&args.config).map_err(Failure::Usage)?;
    config.seeds = args.seeds.unwrap_or(config.seeds);
    let beside = args.config.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let out = args.out.as_deref().unwrap_or(beside);
    std::fs::create_dir_all(out).map_err(|error| anyhow::anyhow!("cannot create {}: {error}", out.display()))?;
    let files = Files::new(&args.config, out);
    let start = match (args.resume, args.restart) {
        (true, _) => Start::Resume,
        (_, true) => Start::Restart,
        _ => Start::Fresh,
    };
    let Snapshot { score, seed, step, .. } = meta::train(config, &data::data_dir(args.data.as_deref()), &files, start)?;
    println!(
        "chosen weights: {} (seed {seed}, outer step {step}, validation score {score:.5})",
        files.weights.display()
    );
    println!("logs: {} and {}", files.log.display(), files.validation.display());
    Ok(())
}
