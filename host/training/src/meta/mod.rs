//! Meta-training: the weights of a learned optimizer, by evolution strategies on unrolled training runs.
//!
//! [`config`] says what to train on what; a [`problem`] is a task with its data; a [`particle`] is an antithetic pair
//! of runs that estimates the meta-gradient; [`outer`] moves the weights; a [`training`] is all of that for one seed;
//! [`validate`] scores snapshots; a [`checkpoint`] holds it all. [`train`] is the loop over outer steps and seeds.
//!
//! Tasks that shifted data or networks are tested on must not be trained on; nothing here enforces that.
//!
//! Random numbers belong to particles, and sums run in the particles' order, so the weights do not depend on the number
//! of threads or [ranks](crate::ranks), nor on interruptions. Particles live on their ranks; only what they contribute
//! to a step travels, and for a checkpoint their states.

pub mod any_config;
pub mod checkpoint;
pub mod config;
pub mod distribution;
pub mod full_horizon;
mod keep;
pub mod outer;
pub mod particle;
pub mod problem;
pub mod theta;
pub mod training;
pub mod validate;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};

use checkpoint::{Checkpoint, ParticleState, Saved as _, Snapshot};
use config::{Config, OuterConfig};
use keep::Course;
use problem::Problem;
use training::Training;
use validate::Validation;

use crate::files::write_atomically;
use crate::interrupt::{self, Grace};
use crate::ranks::Ranks;

/// Longest time between checkpoints; there is one after each validation, too.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(20);

/// What to do about a checkpoint that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// There must be none.
    Fresh,
    /// Go on from it.
    Resume,
    /// Start again over it.
    Restart,
}

/// Files of one meta-training, beside each other.
#[derive(Debug, Clone)]
pub struct Files {
    /// The chosen weights.
    pub weights: PathBuf,
    /// Meta-loss and gradient along the way: lines of [`training::Line`], after the seed if there are several.
    pub log: PathBuf,
    /// Validation scores along the way. The weights are those of the first line with the lowest score.
    pub validation: PathBuf,
    /// The state to resume from.
    pub checkpoint: PathBuf,
}

impl Files {
    /// The files in `out`, named like the configuration file.
    #[must_use]
    pub fn new(config: &Path, out: &Path) -> Self {
        let name = config.file_stem().map_or_else(|| "meta".into(), |stem| stem.to_string_lossy().into_owned());
        Self {
            weights: out.join(format!("{name}.l2o")),
            log: out.join(format!("{name}.log.csv")),
            validation: out.join(format!("{name}.validation.csv")),
            checkpoint: out.join(format!("{name}.checkpoint")),
        }
    }

    /// The name that all of them begin with.
    #[must_use]
    pub fn name(&self) -> String {
        self.weights.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
    }
}

/// All trainings of a configuration, one after another.
struct Session<'a> {
    ranks: &'a Ranks,
    config: Config,
    problems: Vec<Arc<Problem>>,
    training: Training,
    best: Option<Snapshot>,
    logs: [String; 2],
    /// How the seeds have gone that were trained since the start of the program.
    courses: Vec<Course>,
}

/// Trains, and writes weights, logs and checkpoints. Gives the snapshot whose weights were chosen.
///
/// # Errors
/// Whatever is wrong with the configuration's data, the checkpoint or the output directory.
pub fn train(config: Config, data_dir: &Path, files: &Files, start: Start, ranks: &Ranks) -> Result<Snapshot> {
    let saved: Option<Checkpoint> = ranks.lead(|| keep::begin(files, start))?;
    let problems = ranks.agree(problem::load(&config, data_dir))?;
    let mut session = Session::new(config, problems, ranks)?;
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
    fn new(config: Config, problems: Vec<Arc<Problem>>, ranks: &'a Ranks) -> Result<Self> {
        // Columns that would say the same in every line, or the same as another one, are left out.
        let seed = if config.seeds > 1 { "seed," } else { "" };
        let tasks = validate::chosen(&config, &problems).map(|p| format!(",score_{}", p.config.name));
        let tasks: Vec<String> = tasks.collect();
        let tasks = if tasks.len() > 1 { tasks.concat() } else { String::new() };
        let losses: String = config.validation.steps.iter().map(|s| format!(",loss_{s}")).collect();
        let logs = [
            format!("{seed}outer_step,inner_steps,minutes,meta_loss,gradient_length,rate\n"),
            format!("{seed}outer_step,score{losses}{tasks}\n"),
        ];
        let training = Training::new(&config, &problems, config.seed, ranks)?;
        Ok(Self { ranks, config, problems, training, best: None, logs, courses: Vec::new() })
    }

    fn restore(&mut self, saved: &Checkpoint) -> Result<()> {
        keep::same_config(&saved.config, &toml::to_string(&self.config)?)?;
        self.training = Training::new(&self.config, &self.problems, saved.seed, self.ranks)?;
        self.training.restore(saved)?;
        self.best.clone_from(&saved.best);
        self.logs.clone_from(&saved.logs);
        Ok(())
    }

    fn save(&self, files: &Files) -> Result<()> {
        let training = &self.training;
        let particles = self.ranks.map(&training.particles, ParticleState::of)?;
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
            pending: training.pending,
            logs: self.logs.clone(),
            particles,
        };
        self.ranks.lead(|| {
            checkpoint.write(&files.checkpoint)?;
            self.write_logs(files)
        })
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
            self.training = Training::new(&self.config, &self.problems, self.training.seed + 1, self.ranks)?;
        }
        let best = self.best.clone().context("no snapshot was validated")?;
        let theta = &self.training.theta;
        self.ranks.lead(|| keep::finish(files, theta, &best, &self.courses, || self.write_logs(files)))?;
        Ok(best)
    }

    /// The training of one seed, from where it is to its end.
    fn run_one(&mut self, files: &Files) -> Result<()> {
        let OuterConfig { steps, .. } = self.config.outer;
        let bar = if self.ranks.is_first() { progress_bar(steps, self.training.done) } else { ProgressBar::hidden() };
        let mut saved = Instant::now();
        if self.training.done == 0 {
            self.validate(&bar)?;
        }
        while self.training.done < steps {
            if self.ranks.lead(|| Ok(interrupt::asked()))? {
                self.save(files)?;
                return Err(keep::stopped(files, self.training.seed, [self.training.done, steps]));
            }
            if let Some(line) = self.training.step(&self.config, self.ranks)? {
                bar.set_message(format!("meta-loss {:.4}", line.meta_loss));
                let seed = self.seed_column();
                writeln!(self.logs[0], "{seed}{line}")?;
            }
            bar.inc(1);
            let due = self.training.done.is_multiple_of(self.config.validation.every) || self.training.done == steps;
            if due {
                self.validate(&bar)?;
            }
            // Clocks of different ranks are never quite the same, so one of them decides.
            if due || self.ranks.lead(|| Ok(saved.elapsed() > CHECKPOINT_EVERY))? {
                keep::unless_full(self.save(files));
                saved = Instant::now();
            }
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// Scores the mean of the weights as it is, and keeps it if it is the best so far.
    fn validate(&mut self, bar: &ProgressBar) -> Result<()> {
        let mean = self.training.theta.with(self.training.average.clone());
        let Validation { score, tasks, losses } = validate::validate(&self.config, &self.problems, &mean, self.ranks)?;
        let (seed, step) = (self.training.seed, self.training.done);
        let losses: String = losses.iter().map(|l| format!(",{l:.4}")).collect();
        let tasks = if tasks.len() > 1 { tasks.iter().map(|t| format!(",{t:.5}")).collect() } else { String::new() };
        let column = self.seed_column();
        writeln!(self.logs[1], "{column}{step},{score:.5}{losses}{tasks}")?;
        keep::validated(&mut self.courses, &mut self.best, Snapshot { score, seed, step, weights: mean.weights });
        bar.set_prefix(format!("seed {seed} validation {score:.4}"));
        Ok(())
    }

    fn seed_column(&self) -> String {
        keep::seed_column(self.config.seeds, self.training.seed)
    }

    fn write_logs(&self, files: &Files) -> Result<()> {
        write_atomically(&files.log, self.logs[0].as_bytes())?;
        write_atomically(&files.validation, self.logs[1].as_bytes())
    }
}

fn progress_bar(steps: u32, done: u32) -> ProgressBar {
    let template = "{bar:30} {pos}/{len} {prefix} {msg} {elapsed} left {eta}";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(u64::from(steps)).with_style(style.progress_chars("=> ")).with_position(u64::from(done))
}
