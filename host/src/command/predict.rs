//! `lgl2o predict`: a line for each row of a table.

use std::path::Path;

use anyhow::{Context as _, Result};

use super::Failure;
use super::train::{check_folder, reading};
use crate::cli::{PredictArgs, TableArgs};
use crate::data::is_folder;
use crate::data::table::{self, Kind, Reading, Table, TableError, folder};
use crate::files::write_atomically;
use crate::output::{Kind as Written, Output};
use crate::report::number::significant;
use crate::saved::{Output as Answer, SavedModel};
use crate::say;

/// Does it.
pub(super) fn run(args: &PredictArgs) -> Result<(), Failure> {
    let read = [Some(args.model.as_path()), Some(&args.table.data), args.table.labels.as_deref()];
    // As other programs have it, `-` is standard output.
    let out = args.out.as_deref().filter(|path| *path != Path::new("-"));
    let out = out.map(|path| Output::claim_file(path, Written::Predictions, &read)).transpose()?;
    let model = SavedModel::read(&args.model)?;
    let reading = Reading { needs_target: false, ..self::reading(&args.table, kind(&model), "refuse") };
    let table = rows(&model, &args.table, reading)?;
    if let Some(warning) = far_away(&model, &table) {
        say::note(warning);
    }
    let text = predictions(&model, &table).with_context(|| args.table.data.display().to_string())?;
    match &out {
        Some((_claim, path)) => {
            write_atomically(path, text.as_bytes())?;
            say::line(format_args!("predictions: {}", path.display()));
        }
        None => say::line(text.trim_end()),
    }
    Ok(())
}

/// What targets of a model are.
pub(super) fn kind(model: &SavedModel) -> Kind<'_> {
    match &model.output {
        Answer::Classes(names) => Kind::Known(names),
        Answer::Value => Kind::Values,
    }
}

/// The rows of a table, with the features of a model; of a folder of IDX files those that are tested on.
pub(super) fn rows(model: &SavedModel, args: &TableArgs, reading: Reading<'_>) -> Result<Table> {
    if !is_folder(&args.data) {
        return Ok(table::read(&args.data, &Reading { like: Some(&model.columns), ..reading })?);
    }
    check_folder(args)?;
    let [_, test] = folder::read(&args.data)?;
    let (features, found) = (model.mean.len(), test.width());
    if features != found {
        let total = model.columns.total;
        return Err(TableError::Count { file: args.data.clone(), found, total, features }.into());
    }
    Ok(test)
}

/// Standard deviations of the training rows from which a column is far from them.
const FAR: f64 = 6.0;

/// What is to be said of rows that are far from those that the model was trained on: mostly, a column is in another unit.
fn far_away(model: &SavedModel, table: &Table) -> Option<String> {
    let count = table.rows().max(1) as f64;
    let average = |of: &dyn Fn(f64) -> f64, i: usize| {
        let column = (0..table.rows()).filter_map(|row| table.row(row).get(i));
        column.map(|&x| of(x.into())).sum::<f64>() / count
    };
    let standardization = model.mean.iter().zip(&model.deviation).enumerate();
    // What was constant in training has no deviation, and the network does not see it.
    let away = standardization.filter(|(_, (_, deviation))| **deviation > 0.0).map(|(i, (mean, deviation))| {
        let (mean, deviation) = (f64::from(*mean), f64::from(*deviation));
        (i, average(&|x| (x - mean).abs() / deviation, i))
    });
    let far: Vec<(usize, f64)> = away.filter(|(_, z)| *z > FAR).collect();
    let &(worst, z) = far.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let more = match far.len() - 1 {
        0 => String::new(),
        1 => "; so is 1 other column".to_owned(),
        n => format!("; so are {n} other columns"),
    };
    Some(format!(
        "warning: {} is far from the rows that the model was trained on: its mean is {} here and was {} in training, and its \
         values are on average {} standard deviations away; check its unit{more}",
        model.columns.features.get(worst)?,
        significant(average(&|x| x, worst)),
        significant(model.mean.get(worst).copied()?.into()),
        significant(z),
    ))
}

/// A line for each row, below a line of names.
pub(super) fn predictions(model: &SavedModel, table: &Table) -> Result<String> {
    let mut core = model.model()?;
    let mut out = csv::Writer::from_writer(Vec::new());
    let names = model.classes().iter().map(|name| format!("p_{name}"));
    match &model.output {
        Answer::Classes(_) => out.write_record(["class".to_owned()].into_iter().chain(names))?,
        Answer::Value => out.write_record(["value"])?,
    }
    for i in 0..table.rows() {
        let row = |error| anyhow::Error::new(error).context(format!("row {}", i + 1));
        match &model.output {
            Answer::Classes(classes) => {
                let prediction = core.predict(table.row(i)).map_err(row)?;
                let class = classes.get(usize::from(prediction.class)).cloned().unwrap_or_default();
                let shares = prediction.probabilities.iter().map(shown);
                out.write_record([class].into_iter().chain(shares))?;
            }
            Answer::Value => {
                let values = core.values(table.row(i)).map_err(row)?;
                out.write_record(values.iter().map(shown))?;
            }
        }
    }
    Ok(String::from_utf8(out.into_inner()?)?)
}

/// A number with as many digits as it takes to read the same bits back.
fn shown(number: &f32) -> String {
    format!("{number:?}")
}
