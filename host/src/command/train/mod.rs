//! `lgl2o train`: a network of the user's own, on a table of the user's own.

mod emulate;
mod program;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow, bail};

use super::Failure;
use crate::cli::{TableArgs, TrainArgs};
use crate::data::is_folder;
use crate::data::remarks::of_labels;
use crate::data::table::{self, Kind, Missing, Reading, Table, TableError, Target, folder};
use crate::files::write_atomically;
use crate::interrupt::{self, Grace, Interrupted};
use crate::lock::lost;
use crate::network::expression;
use crate::output::Output;
use crate::saved::{Output as Answer, SavedModel};
use crate::say;
use crate::train::kept::{self, Kept};
use crate::train::page::{self, Findings};
use crate::train::prepare::{Prepared, prepare};
use crate::train::run::{Trained, network, train, usual_batch};
use crate::train::score::{Metrics, score};
use crate::train::split::{Split, split};
use crate::train::{Settings, checksum};

/// The file of the model.
pub(super) const MODEL: &str = "model.lgl2o";
/// The folder of what an interrupted training has come to, in that of a finished one.
const INTERRUPTED: &str = "interrupted";
/// Share of the rows that is tested on unless said otherwise.
const TESTED: f64 = 0.2;

/// Does it.
pub(super) fn run(args: &TrainArgs) -> Result<(), Failure> {
    let test_share = test_share(args).map_err(Failure::Usage)?;
    let out = claim(args)?;
    let board = args.emulate.as_deref().map(emulate::find).transpose()?;
    if args.resume {
        interrupt::last_words(format!("what was kept stays in {}", out.dir().join(kept::NAME).display()));
    }
    let (table, tested) = read(args)?;
    let (file, settings) = (args.table.data.as_path(), settings(args, &table, test_share));
    network(&settings, &table, settings.batch).and_then(|net| Ok(net.check()?)).map_err(Failure::Usage)?;
    let split = split(file, &table, [settings.check_on, settings.test_share], settings.seed)?;
    let prepared = prepare(file, &table, &split, tested.as_ref())?;
    if let Some(board) = board {
        emulate::check(board, &prepared, &settings)?;
    }
    let path = out.dir().join(kept::NAME);
    let kept = args.resume.then(|| Kept::read(&path, &settings)).transpose()?;
    say::note(said(&table, &prepared, &settings));
    if let Some(steps) = kept.as_ref().map(|kept| kept.steps).filter(|steps| *steps >= args.steps) {
        say::note(format_args!("{steps} steps are done already; a larger --steps goes on"));
    }
    // A model that was finished stays until another one is.
    let own = kept.as_ref().is_some_and(|kept| kept.unfinished);
    let stays = out.dir().join(MODEL).exists() && !own;
    let grace = begin(&path);
    let trained = train(&prepared, &settings, args.steps, kept, &|kept| kept.write(&path), board.is_some())?;
    interrupt::last_words(format!("the training is kept in {}; --resume writes the rest", path.display()));
    if !trained.stopped {
        drop(grace);
    }
    let (done, all) = (trained.steps, args.steps);
    let rest = format!("{done} of {all} steps are kept in {}; {}", path.display(), how_to_go_on(args));
    if trained.stopped && done == 0 {
        return Err(Interrupted::new(rest).into());
    }
    let model = model(&table, &prepared, &settings, &trained)?;
    let findings = findings(args, &model, &trained, parts(&model, &table, tested.as_ref(), &split)?);
    say::line(page::text(&findings.parts));
    page::overfitted(&findings).iter().for_each(say::note);
    remarks(&table, &split, tested.as_ref()).iter().for_each(say::note);
    let dir = if trained.stopped && stays { out.dir().join(INTERRUPTED) } else { out.dir().to_path_buf() };
    let page = write(&dir, &model, &findings);
    let page = with_place(page, &path)?;
    told(&dir.join(MODEL), &page);
    if !trained.stopped {
        if own {
            mark(&path, &settings, false)?;
        }
        if let Some(board) = board {
            emulate::run(out.dir(), board, (&prepared, &settings, args.steps), &trained)?;
        }
        return Ok(());
    }
    // The model so far is as good as any other of so many steps.
    if stays {
        return Err(Interrupted::new(format!("{rest}; the model that was there before is as it was")).into());
    }
    mark(&path, &settings, true)?;
    Err(Interrupted::new(rest).into())
}

/// The training begins: a first signal leaves it to stop, and any other end says what is kept.
fn begin(path: &Path) -> Grace {
    interrupt::last_words(format!("what was kept is in {}; --resume continues from it", path.display()));
    Grace::begin()
}

/// What to do after an interruption. Only a whole training can be compared with a board's.
fn how_to_go_on(args: &TrainArgs) -> &'static str {
    match args.emulate {
        Some(_) => "--resume continues without --emulate; --restart starts over with it",
        None => "--resume continues from there",
    }
}

/// Adds to an error where the training is kept, if it is still there.
fn with_place<T>(written: Result<T>, path: &Path) -> Result<T> {
    let place = || format!("the training is kept in {}; --resume writes the rest", path.display());
    if lost(path).is_some() { written } else { written.with_context(place) }
}

/// Tells where model and report are, and what to do next.
fn told(model: &Path, page: &Path) {
    say::line(format_args!("model: {}\nreport: {}", model.display(), page.display()));
    say::line(format_args!("next: lgl2o predict --model {} --data NEW.csv", say::path(model)));
}

/// The output folder, in which nothing stands in the way.
fn claim(args: &TrainArgs) -> Result<Output> {
    let out = Output::claim(&args.out.clone().unwrap_or_else(|| PathBuf::from("out/train")), "train")?;
    let written = [&[MODEL, kept::NAME, emulate::FILE], page::FILES.as_slice()].concat();
    out.room_for(&written)?;
    out.spares(&written, &[Some(&args.table.data), args.table.labels.as_deref()])?;
    check_places(out.dir(), args)?;
    Ok(out)
}

/// Notes beside what is kept of a training whether the model is one that was finished.
fn mark(path: &Path, settings: &Settings, unfinished: bool) -> Result<()> {
    Kept { unfinished, ..Kept::read(path, settings)? }.write(path)
}

/// Writes the model and what is known of it; returns the path of the page.
fn write(out: &Path, model: &SavedModel, findings: &Findings) -> Result<PathBuf> {
    std::fs::create_dir_all(out).with_context(|| format!("cannot write to {}", out.display()))?;
    write_atomically(&out.join(MODEL), &model.to_bytes())?;
    page::write(out, findings)
}

/// Share of the rows that is tested on.
fn test_share(args: &TrainArgs) -> Result<f64> {
    let share = match (is_folder(&args.table.data), args.test_share) {
        (true, Some(_)) => bail!("--test-share: a folder of IDX files has test examples of its own"),
        (true, None) => 0.0,
        (false, share) => share.unwrap_or(TESTED),
    };
    if share + args.check_on > 0.95 {
        bail!("--check-on and --test-share leave nothing to train on: lower them");
    }
    if let Some(target) = args.target.as_ref().filter(|target| args.drop.contains(target)) {
        bail!("--drop leaves the target {target} out: take it out of --drop, or name another column with --target");
    }
    if args.hidden.contains(&0) && args.hidden.len() > 1 {
        bail!("--hidden: 0 stands for no hidden layer, and goes with no other width");
    }
    Ok(share)
}

/// Refuses to replace a training by accident, and to go on with one that is not there.
fn check_places(out: &Path, args: &TrainArgs) -> Result<()> {
    let there = [MODEL, kept::NAME].iter().map(|name| out.join(name)).find(|path| path.exists());
    match there {
        Some(path) if !args.resume && !args.restart => bail!(
            "{} of another training is there: --resume continues it, --restart replaces it, --out names another folder",
            path.display()
        ),
        _ if args.resume && !out.join(kept::NAME).exists() => {
            bail!("there is nothing to go on with: {} is not there; leave --resume out", out.join(kept::NAME).display())
        }
        _ => Ok(()),
    }
}

/// How a table is to be read.
pub(super) fn reading<'a>(args: &'a TableArgs, kind: Kind<'a>, missing: &str) -> Reading<'a> {
    Reading {
        kind,
        missing: if missing == "drop" { Missing::Drop } else { Missing::Refuse },
        header: match args.header.as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            "auto" => None,
            other => unreachable!("the command line knows no `--header {other}`"),
        },
        delimiter: args.delimiter,
        labels: args.labels.as_deref(),
        ..Reading::default()
    }
}

/// A folder of IDX files needs nothing of what is said about a CSV file.
pub(super) fn check_folder(args: &TableArgs) -> Result<()> {
    if args.delimiter.is_some() || args.header != "auto" {
        return Err(TableError::OfText { file: args.data.clone(), what: "a folder of IDX files" }.into());
    }
    Ok(())
}

/// The table, and what is tested on if that is a table of its own.
fn read(args: &TrainArgs) -> Result<(Table, Option<Table>)> {
    let path = &args.table.data;
    if is_folder(path) {
        check_folder(&args.table)?;
        if args.regression || args.target.is_some() || !args.drop.is_empty() || args.table.labels.is_some() {
            bail!("{}: a folder of IDX files has labels of its own, and no columns to name", path.display());
        }
        let [train, test] = folder::read(path)?;
        return Ok((train, Some(test)));
    }
    let kind = if args.regression { Kind::Values } else { Kind::Classes };
    let reading =
        Reading { target: args.target.as_deref(), drop: &args.drop, ..reading(&args.table, kind, &args.missing) };
    let table = table::read(path, &reading)?;
    if let Some((column, value)) = table.constant().filter(|_| !args.allow_constant) {
        let (file, rows, drop) = (path.clone(), table.rows(), say::word(&column.reference()));
        return Err(TableError::Constant { file, column: column.clone(), rows, value: value.to_string(), drop }.into());
    }
    Ok((table, None))
}

fn settings(args: &TrainArgs, table: &Table, test_share: f64) -> Settings {
    Settings {
        hidden: args.hidden.iter().filter(|width| **width > 0).map(|&width| width as usize).collect(),
        activation: args.activation,
        network: args.network.as_ref().map(|network| expression::written(&network.0)),
        batch: args.batch.map_or_else(|| usual_batch(table.rows()), |batch| batch as usize),
        seed: args.seed,
        check_on: args.check_on,
        test_share,
        balance: args.balance,
        smoothing: args.smoothing,
        data: checksum(table),
    }
}

/// What is about to be done, in a line.
fn said(table: &Table, prepared: &Prepared, settings: &Settings) -> String {
    let rows = |table: &Option<Table>| table.as_ref().map_or(0, Table::rows);
    let what = match &table.target {
        Target::Classes { names, .. } => format!("{} classes", names.len()),
        Target::Values(_) | Target::Unknown => "a value".to_owned(),
    };
    let dropped = if table.dropped > 0 {
        format!(", {} left out because a value is missing", table.dropped)
    } else {
        String::new()
    };
    let target = table.columns.target.as_ref().map_or(String::new(), |column| format!(" from {column}"));
    format!(
        "{} features, {what}{target}; rows: {} to train on, {} to check on, {} to test on{dropped}; batches of {}",
        table.width(),
        prepared.train.rows(),
        rows(&prepared.check),
        rows(&prepared.test),
        settings.batch.min(prepared.train.rows()),
    )
}

fn model(table: &Table, prepared: &Prepared, settings: &Settings, trained: &Trained) -> Result<SavedModel> {
    let output = match &table.target {
        Target::Classes { names, .. } => Answer::Classes(names.clone()),
        Target::Values(_) | Target::Unknown => Answer::Value,
    };
    let layers = network(settings, table, 1)?.by_value();
    let standardizer = [prepared.mean.as_slice(), &prepared.deviation];
    let model = SavedModel::of(&layers, trained.params.as_slice(), standardizer, output, table.columns.clone());
    model.map_err(|error| anyhow!("the trained network is no model: {error}"))
}

/// How good the model is on each part of the rows.
fn parts(model: &SavedModel, table: &Table, tested: Option<&Table>, split: &Split) -> Result<Vec<(String, Metrics)>> {
    let mut core = model.model()?;
    let mut parts = Vec::new();
    let mut add = |name: &str, table: &Table| -> Result<()> {
        if table.rows() > 0 {
            parts.push((name.to_owned(), score(&mut core, table)?.metrics()));
        }
        Ok(())
    };
    add("trained on", &table.pick(&split.train))?;
    add("checked on", &table.pick(&split.check))?;
    match tested {
        Some(tested) => add("tested on", tested)?,
        None => add("tested on", &table.pick(&split.test))?,
    }
    Ok(parts)
}

/// What is to be said of the labels of rows to train on and to test on.
fn remarks(table: &Table, split: &Split, tested: Option<&Table>) -> Vec<String> {
    let labels = |table: &Table| match &table.target {
        Target::Classes { labels, .. } => labels.clone(),
        Target::Values(_) | Target::Unknown => Vec::new(),
    };
    let Target::Classes { names, .. } = &table.target else { return Vec::new() };
    let tested = tested.map_or_else(|| labels(&table.pick(&split.test)), labels);
    of_labels(&labels(&table.pick(&split.train)), &tested, names)
}

fn findings(args: &TrainArgs, model: &SavedModel, trained: &Trained, parts: Vec<(String, Metrics)>) -> Findings {
    Findings {
        version: page::VERSION,
        command: command_line(args),
        data: args.table.data.display().to_string(),
        model: model.shape(),
        parameters: model.params.as_slice().len(),
        steps: trained.steps,
        learned_share: trained.learned_share,
        neither_share: trained.neither_share,
        parts,
        curve: trained.curve.clone(),
    }
}

/// The command line that gives this model.
fn command_line(args: &TrainArgs) -> String {
    let path = say::path;
    let mut line = format!("lgl2o train --data {}", path(&args.table.data));
    let mut add = |flag: &str, value: Option<String>| {
        if let Some(value) = value {
            line.push_str(&format!(" --{flag} {value}"));
        }
    };
    add("labels", args.table.labels.as_deref().map(path));
    add("delimiter", args.table.delimiter.map(|byte| say::word(&char::from(byte).to_string())));
    add("header", (args.table.header != "auto").then(|| args.table.header.clone()));
    add("target", args.target.as_deref().map(say::word));
    add("drop", (!args.drop.is_empty()).then(|| say::word(&args.drop.join(","))));
    add("missing", (args.missing != "refuse").then(|| args.missing.clone()));
    match &args.network {
        Some(network) => add("network", Some(say::word(&expression::written(&network.0)))),
        None => {
            add("hidden", Some(args.hidden.iter().map(u64::to_string).collect::<Vec<_>>().join(",")));
            add("activation", Some(format!("{:?}", args.activation).to_lowercase()));
        }
    }
    add("steps", Some(args.steps.to_string()));
    add("batch", args.batch.map(|batch| batch.to_string()));
    add("seed", Some(args.seed.to_string()));
    add("check-on", (args.check_on > 0.0).then(|| args.check_on.to_string()));
    add("test-share", args.test_share.map(|share| share.to_string()));
    add("smoothing", (args.smoothing > 0.0).then(|| args.smoothing.to_string()));
    for (flag, is_set) in
        [(" --regression", args.regression), (" --allow-constant", args.allow_constant), (" --balance", args.balance)]
    {
        line.push_str(if is_set { flag } else { "" });
    }
    line
}
