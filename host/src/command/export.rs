//! `lgl2o export`: a model in another format.

use std::path::PathBuf;

use anyhow::{Result, anyhow, bail};

use super::Failure;
use crate::cli::ExportArgs;
use crate::files::write_atomically;
use crate::output::Output;
use crate::saved::{Files, SavedModel, arrays, c, rust, tensors};
use crate::say;

/// Does it.
pub(super) fn run(args: &ExportArgs) -> Result<(), Failure> {
    let out = Output::claim_files(&args.out.clone().unwrap_or_else(|| PathBuf::from("out/export")))?;
    let model = SavedModel::read(&args.model)?;
    let files = files(&model, &args.to).map_err(Failure::Usage)?;
    for (name, _) in &files {
        check_place(&out, name, args.force)?;
        out.spares(&[name], &[Some(&args.model)])?;
    }
    for (name, bytes) in &files {
        let path = out.dir().join(name);
        write_atomically(&path, bytes)?;
        say::line(format_args!("written: {}", path.display()));
    }
    Ok(())
}

fn files(model: &SavedModel, format: &str) -> Result<Files> {
    Ok(match format {
        "rust" => vec![("model.rs".to_owned(), rust::module(model).into_bytes())],
        "c" => vec![("model.h".to_owned(), c::header(model).into_bytes())],
        "npy" => arrays::files(model),
        "safetensors" => vec![("model.safetensors".to_owned(), tensors::bytes(model))],
        other => return Err(anyhow!("there is no format `{other}`")),
    })
}

/// Refuses to replace a file unless that is asked for.
pub(super) fn check_place(out: &Output, name: &str, force: bool) -> Result<()> {
    out.room_for(&[name])?;
    let path = out.dir().join(name);
    if path.exists() && !force {
        bail!("{} is there already: --force replaces it, --out names another folder", path.display());
    }
    Ok(())
}
