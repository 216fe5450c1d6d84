//! Trains by [`lgl2o::auto()`] from one seed, and keeps what is needed to go on every few seconds.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use lgl2o::objective::mlp::{Activation, Mlp};
use lgl2o::{Auto, Memory, Rng, Trainer, auto};
use lgl2o_device::record::{RoundRecord, Trace};
use lgl2o_device::table::{Bounded, Minibatches};

use super::Settings;
use super::kept::{Kept, Point};
use super::loss::loss;
use super::prepare::{Prepared, rescale};
use super::source::{self, rows};
use crate::data::table::{Table, Target};
use crate::experiment::halfway::checkpoint;
use crate::experiment::schedule;
use crate::interrupt;
use crate::network::series::Kind;
use crate::network::{HeapNetwork, HeapTensors, expression};

/// Rows that the training loss on the curve is measured on.
const TRAIN_SAMPLE: usize = 2_000;
/// The same of rows that are held out: a curve costs little beside the training.
const HELD_OUT_SAMPLE: usize = 20_000;
/// How often a training is kept.
const EVERY: Duration = Duration::from_secs(5);

/// What a training has come to.
#[derive(Debug)]
pub struct Trained {
    /// The network's parameters, in the unit of the values.
    pub params: HeapTensors,
    /// Its losses along the way.
    pub curve: Vec<Point>,
    /// Steps done.
    pub steps: u64,
    /// Share of the rounds that the learned side won.
    pub learned_share: f32,
    /// Share of the rounds that nobody won, or that ended before anybody was judged.
    pub neither_share: f32,
    /// Whether it was stopped on the way.
    pub stopped: bool,
    /// Its rounds, if they were asked for.
    pub rounds: Vec<RoundRecord>,
    /// The hash of the parameters as they were trained, in no unit.
    pub bits: u64,
}

/// The network of some settings, for batches of this size.
///
/// # Errors
/// If its layers are no network for the table.
pub fn network(settings: &Settings, table: &Table, batch: usize) -> Result<HeapNetwork> {
    let outputs = match &table.target {
        Target::Classes { names, .. } => names.len(),
        Target::Values(_) | Target::Unknown => 1,
    };
    let Some(text) = &settings.network else {
        let widths = [&[table.width()], settings.hidden.as_slice(), &[outputs]].concat();
        return Ok(HeapNetwork::new(&widths, settings.activation, batch));
    };
    let layers = expression::read(text).map_err(|error| anyhow!("--network: {error}"))?;
    let (first, last) = (layers[0].shape, layers[layers.len() - 1]);
    if first.inputs != table.width() {
        bail!(
            "--network takes {} numbers, and a row has {} features: change the shape before the layers",
            first.inputs,
            table.width()
        );
    }
    if last.kind != Kind::Dense || last.shape.activation != Activation::Identity || last.shape.outputs != outputs {
        bail!(
            "--network must end with dense({outputs}), without an activation: one output for each class, or one for a value"
        );
    }
    Ok(HeapNetwork::of(&layers, batch))
}

type Net = Mlp<HeapNetwork>;

/// One training.
struct Training<'a, 't> {
    trainer: Trainer<'a, Net, Auto>,
    source: Minibatches<'a>,
    prepared: &'a Prepared,
    settings: &'t Settings,
    batch: usize,
    curve: Vec<Point>,
    unfinished: bool,
    /// The rounds so far, if they are asked for.
    record: Option<(Trace, Vec<RoundRecord>)>,
}

/// Trains until `steps` are done, from the beginning or from what was kept; hands what is to be kept to `keep`.
/// With `record`, notes every round.
///
/// # Errors
/// What the core says, and what `keep` says.
pub fn train(
    prepared: &Prepared,
    settings: &Settings,
    steps: u64,
    kept: Option<Kept>,
    keep: &dyn Fn(&Kept) -> Result<()>,
    record: bool,
) -> Result<Trained> {
    let batch = settings.batch.min(prepared.train.rows());
    let network = network(settings, &prepared.train, batch)?;
    let loss = loss(settings, &prepared.train);
    let (optimizee, guard) = (Mlp::new(network.clone(), loss), auto().held_out(prepared.check.is_some()));
    let mut room = source::Memory::new(&prepared.train, batch);
    let check = prepared.check.as_ref().map(rows).transpose()?;
    let source = Minibatches::new(rows(&prepared.train)?, check, settings.seed, room.room())?;
    let mut memory = Memory::blank(&optimizee, &guard);
    optimizee.initialize(memory.params_mut(), &mut Rng::stream(settings.seed, 0));
    let trainer = Trainer::new(&optimizee, &guard, &mut memory);
    let mut run =
        Training { trainer, source, prepared, settings, batch, curve: Vec::new(), unfinished: false, record: None };
    run.record = record.then(|| (Trace::EMPTY, Vec::new()));
    match kept {
        Some(kept) => run.take(kept)?,
        None => run.measure(0)?,
    }
    let stopped = run.go(steps, keep)?;
    keep(&run.kept())?;
    let mut params = run.trainer.params().clone();
    let bits = Trace::of_tensors(&params);
    if let Some(scale) = prepared.scale {
        rescale(&network, &mut params, scale);
    }
    let progress = run.trainer.progress();
    let (done, learned_share) = (progress.steps, progress.learned_share());
    let neither_share = progress.neither as f32 / progress.rounds.max(1) as f32;
    let rounds = run.record.map_or(Vec::new(), |(_, rounds)| rounds);
    Ok(Trained { params, curve: run.curve, steps: done, learned_share, neither_share, stopped, rounds, bits })
}

impl Training<'_, '_> {
    /// Goes on from what was kept.
    fn take(&mut self, kept: Kept) -> Result<()> {
        let loaded = self.trainer.load(&mut self.source, &mut kept.checkpoint.as_slice());
        loaded.context("the training cannot be resumed; --restart starts over")?;
        (self.curve, self.unfinished) = (kept.curve, kept.unfinished);
        Ok(())
    }

    /// Trains; tells whether it was stopped on the way.
    fn go(&mut self, steps: u64, keep: &dyn Fn(&Kept) -> Result<()>) -> Result<bool> {
        let bar = bar(steps);
        let mut due = schedule(steps);
        due.retain(|step| *step > self.trainer.progress().steps);
        // At once, so that what can be gone on with is there from the beginning.
        let mut last: Option<Instant> = None;
        while self.trainer.progress().steps < steps {
            if interrupt::asked() {
                return Ok(true);
            }
            let left = steps - self.trainer.progress().steps;
            let verdict = self.trainer.round(&mut Bounded { source: &mut self.source, left })?;
            if let Some((trace, rounds)) = &mut self.record {
                rounds.push(RoundRecord::new(self.trainer.progress().rounds, &verdict, trace));
            }
            let done = self.trainer.progress().steps;
            bar.set_position(done);
            if due.first().is_some_and(|step| *step <= done) {
                due.retain(|step| *step > done);
                self.measure(done)?;
            }
            if last.is_none_or(|last| last.elapsed() > EVERY) {
                keep(&self.kept())?;
                last = Some(Instant::now());
            }
        }
        bar.finish_and_clear();
        Ok(false)
    }

    fn kept(&self) -> Kept {
        let (steps, unfinished) = (self.trainer.progress().steps, self.unfinished);
        let checkpoint = checkpoint(&self.trainer, &self.source);
        Kept { settings: self.settings.clone(), steps, curve: self.curve.clone(), checkpoint, unfinished }
    }

    /// Adds a point to the curve.
    fn measure(&mut self, step: u64) -> Result<()> {
        let prepared = self.prepared;
        let train = self.loss(&prepared.train, TRAIN_SAMPLE)?;
        let mut of = |table: &Option<Table>| match table {
            Some(table) => self.loss(table, HELD_OUT_SAMPLE),
            None => Ok(None),
        };
        let (check, test) = (of(&prepared.check)?, of(&prepared.test)?);
        self.curve.push(Point { step, train, check, test });
        Ok(())
    }

    /// Mean loss of the first rows of a table, at least as many as asked for if there are.
    fn loss(&mut self, table: &Table, most: usize) -> Result<Option<f32>> {
        let (all, mut sum, mut seen) = (rows(table)?, 0.0f64, 0);
        let mut i = 0;
        while let Some(batch) = all.part(self.batch, i).filter(|_| seen < most) {
            let n = batch.examples();
            sum += n as f64 * f64::from(self.trainer.loss(batch)?);
            (seen, i) = (seen + n, i + 1);
        }
        Ok(Some((sum / seen.max(1) as f64) as f32).filter(|loss| loss.is_finite()))
    }
}

fn bar(steps: u64) -> ProgressBar {
    let template = "training {bar:30} {percent:>3} %  step {pos} of {len}  {elapsed} gone, {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps).with_style(style.progress_chars("=> "))
}

/// Examples in a minibatch unless said otherwise: 16, 32 from 256 rows on, 64 from 2,048 on.
#[must_use]
pub fn usual_batch(rows: usize) -> usize {
    match rows {
        0..256 => 16,
        256..2048 => 32,
        _ => 64,
    }
}
