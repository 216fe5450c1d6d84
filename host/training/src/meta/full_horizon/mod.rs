//! Meta-training on a [distribution](super::distribution) of tasks, by evolution strategies on whole training runs.
//!
//! [`config`] says what to train; an [`episode`] is one run with its score; a [`training`] moves the weights; [`validate`]
//! scores snapshots on families that are never trained on; [`evaluate`] compares any optimizers on fresh tasks.
//! [`train`] is the loop over outer steps and seeds.
//!
//! Every pair of an outer step is drawn from its number, and sums run in the pairs' order, so the weights do not depend
//! on the number of threads or [ranks](crate::ranks), nor on interruptions; and a checkpoint is small.

pub mod config;
pub mod episode;
pub mod evaluate;
pub mod training;
pub mod validate;

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use serde::{Deserialize, Serialize};

pub use config::Config;
use training::Training;
use validate::Validator;

use super::checkpoint::{Saved, Snapshot};
use super::distribution::Sources;
use super::distribution::digits::Digits;
use super::keep::{self, Course};
use super::outer::Outer;
use super::{Files, Start, progress_bar};
use crate::files::write_atomically;
use crate::interrupt::{self, Grace};
use crate::ranks::Ranks;
use crate::say;

/// Longest time between checkpoints, except the outer step that is under way; there is one after each validation, too.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(20);

/// The state of a run between two outer steps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The configuration that the run was started with, as TOML.
    pub config: String,
    /// The seed of the training that runs.
    pub seed: u64,
    /// Outer steps done of it.
    pub done: u32,
    /// Inner steps done of it.
    pub inner: u64,
    /// Minutes that it took so far.
    pub minutes: f64,
    /// The weights.
    pub weights: Vec<f32>,
    /// Their running mean.
    pub average: Vec<f32>,
    /// The outer optimizer.
    pub outer: Outer,
    /// The best snapshot of all seeds so far.
    pub best: Option<Snapshot>,
    /// The logs so far.
    pub logs: [String; 2],
}

impl Saved for Checkpoint {}

/// The data that families need.
///
/// # Errors
/// Whatever is wrong with the data.
pub fn sources(config: &Config, data_dir: &Path) -> Result<Sources> {
    let digits = config.distribution.families.iter().any(|name| name == "digits");
    Ok(Sources { digits: if digits { Some(Digits::load(data_dir)?) } else { None } })
}

/// All trainings of a configuration, one after another.
struct Session<'a> {
    ranks: &'a Ranks,
    config: Config,
    sources: Sources,
    validator: Validator,
    training: Training,
    best: Option<Snapshot>,
    logs: [String; 2],
    /// How the seeds have gone that were trained since the start of the program.
    courses: Vec<Course>,
    /// Outer steps of the last checkpoint.
    kept: u32,
}

/// Trains, and writes weights, logs and checkpoints. Returns the snapshot whose weights were chosen.
///
/// # Errors
/// Whatever is wrong with the configuration's data, the checkpoint or the output directory.
pub fn train(config: Config, data_dir: &Path, files: &Files, start: Start, ranks: &Ranks) -> Result<Snapshot> {
    let saved: Option<Checkpoint> = ranks.lead(|| keep::begin(files, start))?;
    let sources = ranks.agree(sources(&config, data_dir))?;
    let mut session = Session::new(config, sources, ranks)?;
    if let Some(saved) = saved {
        let restored = session.restore(&saved);
        ranks.agree(restored.context("the checkpoint does not fit the configuration; start again with --restart"))?;
    }
    if start == Start::Restart {
        ranks.lead(|| keep::set_aside(files))?;
    }
    session.run(files)
}

impl<'a> Session<'a> {
    fn new(config: Config, sources: Sources, ranks: &'a Ranks) -> Result<Self> {
        let seed = if config.seeds > 1 { "seed," } else { "" };
        let validator = Validator::new(&config, ranks)?;
        let logs = [
            format!(
                "{seed}outer_step,inner_steps,minutes,mean_f,train,held_out,held_out_loss,broken,gradient_length,rate\n"
            ),
            format!("{seed}outer_step,{}\n", Validator::columns()),
        ];
        let training = Training::new(&config, config.seed, ranks)?;
        Ok(Self { ranks, config, sources, validator, training, best: None, logs, courses: Vec::new(), kept: 0 })
    }

    fn restore(&mut self, saved: &Checkpoint) -> Result<()> {
        keep::same_config(&saved.config, &toml::to_string(&self.config)?)?;
        self.training = Training::new(&self.config, saved.seed, self.ranks)?;
        self.training.restore(saved)?;
        self.best.clone_from(&saved.best);
        self.logs.clone_from(&saved.logs);
        self.kept = saved.done;
        Ok(())
    }

    fn save(&mut self, files: &Files) -> Result<()> {
        let training = &self.training;
        let checkpoint = Checkpoint {
            config: toml::to_string(&self.config)?,
            seed: training.seed,
            done: training.done,
            inner: training.inner,
            minutes: training.minutes(),
            weights: training.theta.weights.clone(),
            average: training.average.clone(),
            outer: training.outer.clone(),
            best: self.best.clone(),
            logs: self.logs.clone(),
        };
        self.ranks.lead(|| {
            checkpoint.write(&files.checkpoint)?;
            self.write_results(files)
        })?;
        self.kept = self.training.done;
        Ok(())
    }

    /// The error of a training that was asked to stop; with its state as it is, or as the last checkpoint has it.
    fn stop(&mut self, files: &Files, whole: bool) -> anyhow::Error {
        if whole && let Err(error) = self.save(files) {
            return error;
        }
        keep::stopped(files, self.training.seed, [self.kept, self.config.outer.steps])
    }

    fn run(&mut self, files: &Files) -> Result<Snapshot> {
        let _grace = Grace::begin();
        // An output directory that cannot be written shows at once, not after an hour.
        self.save(files)?;
        keep::under_way(files);
        let last = self.config.seed + (self.config.seeds - 1);
        loop {
            self.run_one(files)?;
            if self.training.seed == last {
                break;
            }
            self.training = Training::new(&self.config, self.training.seed + 1, self.ranks)?;
        }
        let best = self.best.clone().context("no snapshot was validated")?;
        let theta = &self.training.theta;
        self.ranks.lead(|| keep::finish(files, theta, &best, &self.courses, || self.write_results(files)))?;
        Ok(best)
    }

    /// The training of one seed, from where it is to its end.
    fn run_one(&mut self, files: &Files) -> Result<()> {
        let steps = self.config.outer.steps;
        let bar = if self.ranks.is_first() { progress_bar(steps, self.training.done) } else { ProgressBar::hidden() };
        let (begun, from) = (Instant::now(), self.training.done);
        let mut saved = Instant::now();
        if self.training.done == 0 {
            self.validate(&bar).map_err(|error| if self.is_stopped() { self.stop(files, false) } else { error })?;
        }
        while self.training.done < steps {
            if self.ranks.lead(|| Ok(interrupt::asked()))? {
                return Err(self.stop(files, true));
            }
            // A step that was not finished has changed nothing.
            let line = match self.training.step(&self.config, &self.sources, self.ranks) {
                Err(_) if self.is_stopped() => return Err(self.stop(files, true)),
                other => other?,
            };
            bar.set_message(format!("mean f {:.4}", line.score.total(&self.config.estimator)));
            let seed = self.seed_column();
            writeln!(self.logs[0], "{seed}{}", line.columns(&self.config.estimator))?;
            bar.inc(1);
            let due = self.training.done.is_multiple_of(self.config.validation.every) || self.training.done == steps;
            if due {
                // A run that goes on comes to this validation again, from the checkpoint before it.
                self.validate(&bar).map_err(|error| if self.is_stopped() { self.stop(files, false) } else { error })?;
            }
            // Clocks of different ranks are never quite the same, so one of them decides.
            if due || self.ranks.lead(|| Ok(saved.elapsed() > CHECKPOINT_EVERY))? {
                keep::unless_full(self.save(files));
                saved = Instant::now();
                self.report(&bar, begun, from);
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Whether units of work have refused to begin because the program is asked to end.
    fn is_stopped(&self) -> bool {
        self.ranks.count() == 1 && interrupt::asked()
    }

    /// Where there is no bar to look at, a line on standard error says how far it is.
    fn report(&self, bar: &ProgressBar, begun: Instant, from: u32) {
        if !(self.ranks.is_first() && bar.is_hidden()) {
            return;
        }
        let Training { seed, done, inner, .. } = self.training;
        let steps = self.config.outer.steps;
        let each = begun.elapsed().as_secs_f64() / f64::from((done - from).max(1));
        let (minutes, left) = (self.training.minutes(), each * f64::from(steps - done) / 60.0);
        let best =
            self.best.as_ref().map_or(String::new(), |best| format!(", best {:.4} at {}", best.score, best.step));
        say::note(format_args!(
            "seed {seed}: {done} of {steps} outer steps, {inner} inner, {minutes:.1} min, {left:.1} left{best}"
        ));
    }

    /// Scores the mean of the weights as it is, and keeps it if it is the best so far.
    fn validate(&mut self, bar: &ProgressBar) -> Result<()> {
        let mean = self.training.theta.with(self.training.average.clone());
        let found = self.validator.validate(&self.config, &mean, self.ranks)?;
        let (seed, step, score) = (self.training.seed, self.training.done, found.score);
        let column = self.seed_column();
        writeln!(self.logs[1], "{column}{step},{found}")?;
        keep::validated(&mut self.courses, &mut self.best, Snapshot { score, seed, step, weights: mean.weights });
        bar.set_prefix(format!("seed {seed} validation {score:.4}"));
        Ok(())
    }

    fn seed_column(&self) -> String {
        keep::seed_column(self.config.seeds, self.training.seed)
    }

    /// Logs, and the best weights so far.
    fn write_results(&self, files: &Files) -> Result<()> {
        if let Some(best) = &self.best {
            write_atomically(&files.weights, &self.training.theta.with(best.weights.clone()).to_file()?)?;
        }
        write_atomically(&files.log, self.logs[0].as_bytes())?;
        write_atomically(&files.validation, self.logs[1].as_bytes())
    }
}
