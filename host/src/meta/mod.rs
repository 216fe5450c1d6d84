//! Meta-training: the weights of a learned optimizer, by evolution strategies on unrolled training runs.
//!
//! [`config`] says what to train on what; a [`problem`] is a task with its data; a [`particle`] is an antithetic pair
//! of runs that estimates the meta-gradient; [`outer`] moves the weights; [`validate`] scores snapshots; a
//! [`checkpoint`] holds it all. [`train`] is the loop.
//!
//! Random numbers belong to particles, and sums run in the particles' order, so the weights do not depend on the number
//! of threads, nor on interruptions.

pub mod checkpoint;
pub mod config;
pub mod distill;
pub mod outer;
pub mod particle;
pub mod problem;
pub mod theta;
pub mod validate;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use checkpoint::{Checkpoint, ParticleState};
use config::Config;
use outer::Outer;
use particle::Particle;
use problem::Problem;
use theta::Theta;

use crate::files::write_atomically;

/// Time between checkpoints.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(50);
/// Outer steps between lines of the log.
const LOG_EVERY: u32 = 25;

/// What to do about a checkpoint that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// There must be none.
    Fresh,
    /// Go on from it.
    Resume,
    /// Begin anew over it.
    Restart,
}

/// Files of one meta-training, beside each other.
#[derive(Debug, Clone)]
pub struct Files {
    /// The chosen weights.
    pub weights: PathBuf,
    /// Meta-loss and gradient along the way.
    pub log: PathBuf,
    /// Validation scores along the way.
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
}

/// A run between two outer steps.
struct Session {
    config: Config,
    problems: Vec<Arc<Problem>>,
    theta: Theta,
    /// Running mean of the weights (Polyak and Juditsky 1992): it has less of the estimator's noise.
    average: Vec<f32>,
    outer: Outer,
    particles: Vec<Particle>,
    done: u32,
    inner: u64,
    best: Option<(f64, Vec<f32>)>,
    pending: (f64, u32),
    logs: [String; 2],
    earlier: f64,
    started: Instant,
}

/// Trains, and writes weights, logs and checkpoints. Gives the validation score of the chosen weights.
///
/// # Errors
/// Whatever is wrong with the configuration's data, the checkpoint or the output directory.
pub fn train(config: Config, data_dir: &Path, files: &Files, start: Start) -> Result<f64> {
    let saved = match (start, files.checkpoint.exists()) {
        (Start::Fresh, true) => bail!(
            "there is a checkpoint at {}: go on with --resume, or begin anew with --restart",
            files.checkpoint.display()
        ),
        (Start::Resume, _) => Some(Checkpoint::read(&files.checkpoint)?),
        (Start::Fresh | Start::Restart, _) => None,
    };
    let problems = problem::load(&config, data_dir)?;
    let mut session = Session::new(config, problems)?;
    if let Some(saved) = saved {
        session.restore(&saved).context("the checkpoint does not fit the configuration; begin anew with --restart")?;
    }
    session.run(files)
}

impl Session {
    fn new(config: Config, problems: Vec<Arc<Problem>>) -> Result<Self> {
        let theta = Theta::initial(&config.optimizer, config.seed)?;
        let places = problems.iter().flat_map(|p| (0..p.config.particles).map(move |_| p));
        let particles =
            places.zip(0..).map(|(p, number)| Particle::new(p, &theta, &config.estimator, config.seed, number));
        let logs = [
            "outer_step,inner_steps,minutes,meta_loss,gradient_length,rate\n".to_owned(),
            format!(
                "outer_step,score,{}\n",
                config.validation.steps.iter().map(|s| format!("loss_{s}")).collect::<Vec<_>>().join(",")
            ),
        ];
        Ok(Self {
            particles: particles.collect(),
            outer: Outer::new(theta.weights.len()),
            problems,
            average: theta.weights.clone(),
            theta,
            done: 0,
            inner: 0,
            best: None,
            pending: (0.0, 0),
            logs,
            earlier: 0.0,
            started: Instant::now(),
            config,
        })
    }

    fn restore(&mut self, saved: &Checkpoint) -> Result<()> {
        ensure!(saved.config == toml::to_string(&self.config)?, "it was written with another configuration");
        ensure!(saved.weights.len() == self.theta.weights.len(), "weights of another size");
        ensure!(saved.outer.len() == self.outer.len(), "an outer optimizer of another size");
        ensure!(saved.particles.len() == self.particles.len(), "another number of particles");
        for (particle, state) in self.particles.iter_mut().zip(&saved.particles) {
            state.restore(particle)?;
        }
        ensure!(saved.average.len() == self.average.len(), "a mean of another size");
        self.theta = self.theta.with(saved.weights.clone());
        self.average.clone_from(&saved.average);
        self.outer = saved.outer.clone();
        (self.done, self.inner, self.earlier) = (saved.done, saved.inner, saved.minutes);
        self.best.clone_from(&saved.best);
        self.pending = saved.pending;
        self.logs.clone_from(&saved.logs);
        Ok(())
    }

    fn minutes(&self) -> f64 {
        self.earlier + self.started.elapsed().as_secs_f64() / 60.0
    }

    fn checkpoint(&self) -> Result<Checkpoint> {
        Ok(Checkpoint {
            config: toml::to_string(&self.config)?,
            done: self.done,
            inner: self.inner,
            minutes: self.minutes(),
            weights: self.theta.weights.clone(),
            average: self.average.clone(),
            outer: self.outer.clone(),
            best: self.best.clone(),
            pending: self.pending,
            logs: self.logs.clone(),
            particles: self.particles.iter().map(ParticleState::of).collect(),
        })
    }

    fn run(&mut self, files: &Files) -> Result<f64> {
        // An output directory that cannot be written shows at once, not after an hour.
        self.checkpoint()?.write(&files.checkpoint)?;
        let bar = progress_bar(self.config.outer.steps, self.done);
        let mut saved = Instant::now();
        if self.done == 0 {
            self.validate(&bar)?;
        }
        while self.done < self.config.outer.steps {
            self.step(&bar)?;
            if self.done.is_multiple_of(self.config.validation.every) || self.done == self.config.outer.steps {
                self.validate(&bar)?;
            }
            if saved.elapsed() > CHECKPOINT_EVERY {
                self.checkpoint()?.write(&files.checkpoint)?;
                self.write_logs(files)?;
                saved = Instant::now();
            }
        }
        bar.finish_and_clear();
        let (score, weights) = self.best.clone().context("no snapshot was validated")?;
        write_atomically(&files.weights, &self.theta.with(weights).to_file()?)?;
        self.write_logs(files)?;
        std::fs::remove_file(&files.checkpoint).context("the finished run's checkpoint cannot be removed")?;
        Ok(score)
    }

    /// One outer step.
    fn step(&mut self, bar: &ProgressBar) -> Result<()> {
        let (theta, estimator) = (&self.theta, &self.config.estimator);
        let parts: Vec<_> = self.particles.par_iter_mut().map(|p| p.unroll(theta, estimator)).collect();
        let share = 1.0 / parts.len() as f32;
        let mut gradient = vec![0.0; self.theta.weights.len()];
        let mut meta_loss = 0.0;
        for part in &parts {
            gradient.iter_mut().zip(&part.gradient).for_each(|(sum, g)| *sum += share * g);
            meta_loss += f64::from(share * part.meta_loss);
        }
        let step = self.outer.step(&self.config.outer, &mut self.theta.weights, &mut gradient);
        let stay = self.config.outer.average;
        for (mean, w) in self.average.iter_mut().zip(&self.theta.weights) {
            *mean = stay * *mean + (1.0 - stay) * w;
        }
        self.done += 1;
        self.inner += 2 * u64::from(self.config.estimator.unroll) * parts.len() as u64;
        self.pending = (self.pending.0 + meta_loss, self.pending.1 + 1);
        bar.inc(1);
        if self.pending.1 == LOG_EVERY || self.done == self.config.outer.steps {
            let mean = self.pending.0 / f64::from(self.pending.1);
            bar.set_message(format!("meta-loss {mean:.4}"));
            let (done, inner, minutes) = (self.done, self.inner, self.minutes());
            let (length, rate) = (step.length, step.rate);
            writeln!(self.logs[0], "{done},{inner},{minutes:.2},{mean:.5},{length:.4},{rate:.6}")?;
            self.pending = (0.0, 0);
        }
        Ok(())
    }

    /// Scores the mean of the weights as it is, and keeps it if it is the best so far.
    fn validate(&mut self, bar: &ProgressBar) -> Result<()> {
        let mean = self.theta.with(self.average.clone());
        let found = validate::validate(&self.config, &self.problems, &mean);
        let losses: Vec<String> = found.losses.iter().map(|l| format!("{l:.4}")).collect();
        writeln!(self.logs[1], "{},{:.5},{}", self.done, found.score, losses.join(","))?;
        if self.best.as_ref().is_none_or(|(best, _)| found.score < *best) {
            self.best = Some((found.score, mean.weights));
        }
        bar.set_prefix(format!("validation {:.4}", found.score));
        Ok(())
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
