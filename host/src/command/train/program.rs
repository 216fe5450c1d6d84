//! The program `train` of the firmware for one training: network and settings as a file of Rust, rows as files of numbers beside it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::data::table::{Table, Target};
use crate::saved::rust::layers_type;
use crate::train::Settings;
use crate::train::loss::{expression, loss};
use crate::train::prepare::Prepared;
use crate::train::run::network;

/// The file of Rust; `LGL2O_TRAIN` names it.
const FILE: &str = "task.rs";

/// Writes the files into a folder; returns the path of the file of Rust.
pub(super) fn write(folder: &Path, prepared: &Prepared, settings: &Settings, steps: u64) -> Result<PathBuf> {
    let path = folder.join(FILE);
    let put = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))
    };
    for (name, table) in [("train", Some(&prepared.train)), ("check", prepared.check.as_ref())] {
        let Some(table) = table else { continue };
        put(&format!("{name}-inputs.bin"), &bytes(&table.inputs))?;
        match &table.target {
            Target::Classes { labels, .. } => put(&format!("{name}-answers.bin"), labels)?,
            Target::Values(values) => put(&format!("{name}-answers.bin"), &bytes(values))?,
            Target::Unknown => {}
        }
    }
    put(FILE, text(prepared, settings, steps)?.as_bytes())?;
    Ok(path)
}

fn bytes(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_bits().to_le_bytes()).collect()
}

/// The file of Rust.
fn text(prepared: &Prepared, settings: &Settings, steps: u64) -> Result<String> {
    let (train, batch) = (&prepared.train, settings.batch.min(prepared.train.rows()));
    let layers = network(settings, train, batch)?;
    let (rows, width, seed) = (train.rows(), train.width(), settings.seed);
    let (labels, values) = if prepared.scale.is_none() { (rows, 0) } else { (0, rows) };
    let loss = expression(loss(settings, train));
    let check = prepared.check.as_ref().map_or("None".to_owned(), |table| format!("Some({})", part("check", table)));
    Ok(format!(
        "// Written by `lgl2o train --emulate`.\n\
         use lgl2o::chain;\n\
         use lgl2o::objective::mlp::*;\n\
         use lgl2o_device::table::{{Answers, Rows}};\n\
         pub(crate) type Layers = {};\n\
         pub(crate) const LOSS: Loss = {loss};\n\
         pub(crate) const BATCH: usize = {batch};\n\
         pub(crate) const ROWS: usize = {rows};\n\
         pub(crate) const WIDTH: usize = {width};\n\
         pub(crate) const LABELS: usize = {labels};\n\
         pub(crate) const VALUES: usize = {values};\n\
         pub(crate) const SEED: u64 = {seed};\n\
         pub(crate) const STEPS: u64 = {steps};\n\
         pub(crate) const TRAIN: Rows<'static> = {};\n\
         pub(crate) const CHECK: Option<Rows<'static>> = {check};\n",
        layers_type(&layers.by_value()),
        part("train", train),
    ))
}

/// Rows as an expression.
fn part(name: &str, table: &Table) -> String {
    let numbers = |file: &str, n: usize| {
        format!("{{ static A: [f32; {n}] = super::floats(include_bytes!(\"{name}-{file}.bin\")); &A }}")
    };
    let answers = match &table.target {
        Target::Classes { names, .. } => {
            format!("Answers::Classes {{ labels: include_bytes!(\"{name}-answers.bin\"), classes: {} }}", names.len())
        }
        Target::Values(_) | Target::Unknown => format!("Answers::Values({})", numbers("answers", table.rows())),
    };
    let inputs = numbers("inputs", table.inputs.len());
    format!("Rows {{ inputs: {inputs}, width: {}, answers: {answers} }}", table.width())
}
