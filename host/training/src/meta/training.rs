//! One meta-training: the weights of one seed, and what moves them.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::checkpoint::Checkpoint;
use super::config::{Config, OptimizerConfig};
use super::outer::{Outer, OuterStep};
use super::particle::Particle;
use super::problem::Problem;
use super::theta::Theta;
use crate::files::{read_small, unreadable};
use crate::optimizer::learned::{self, WeightsFile};
use crate::ranks::Ranks;

/// Outer steps between lines of the log.
const LOG_EVERY: u32 = 25;

/// A meta-training between two outer steps.
#[derive(Debug)]
pub struct Training {
    /// Seed of everything random in it.
    pub seed: u64,
    /// The weights.
    pub theta: Theta,
    /// Running mean of the weights (Polyak and Juditsky 1992): it has less of the estimator's noise.
    pub average: Vec<f32>,
    /// What moves them.
    pub outer: Outer,
    /// What says where to. Those of other ranks are as they were at the last checkpoint, or at the beginning.
    pub particles: Vec<Particle>,
    /// Outer steps done.
    pub done: u32,
    /// Inner steps done, validation not counted.
    pub inner: u64,
    /// Sum and number of the meta-losses since the last line of the log.
    pub pending: (f64, u32),
    /// Minutes that it took before it was resumed.
    earlier: f64,
    started: Instant,
}

/// A line of the log. The columns are these fields, in this order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    /// Outer steps done.
    pub outer_step: u32,
    /// Inner steps done by all runs of all particles; steps of validation runs are not counted.
    pub inner_steps: u64,
    /// Minutes by the clock on the wall since the training of this seed began, validation included, time between
    /// interruption and resumption left out; on as many cores as the program had.
    pub minutes: f64,
    /// Mean meta-loss of the outer steps since the last line.
    pub meta_loss: f64,
    /// Length of the last gradient, before clipping, and the rate of that step.
    pub step: OuterStep,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { outer_step, inner_steps, minutes, meta_loss, step: OuterStep { length, rate } } = self;
        write!(f, "{outer_step},{inner_steps},{minutes:.2},{meta_loss:.5},{length:.4},{rate:.6}")
    }
}

impl Training {
    /// A training at its beginning.
    ///
    /// # Errors
    /// If the weights to start from cannot be read.
    pub fn new(config: &Config, problems: &[Arc<Problem>], seed: u64, ranks: &Ranks) -> Result<Self> {
        let theta = initial(&config.optimizer, &config.dir, seed, ranks)?;
        let places = problems.iter().flat_map(|p| (0..p.config.particles).map(move |_| p));
        let particles = places.zip(0..).map(|(p, number)| Particle::new(p, &theta, &config.estimator, seed, number));
        Ok(Self {
            seed,
            particles: particles.collect(),
            outer: Outer::new(theta.weights.len()),
            average: theta.weights.clone(),
            theta,
            done: 0,
            inner: 0,
            pending: (0.0, 0),
            earlier: 0.0,
            started: Instant::now(),
        })
    }

    /// Puts it where a checkpoint was.
    ///
    /// # Errors
    /// If the sizes are not the configuration's.
    pub fn restore(&mut self, saved: &Checkpoint) -> Result<()> {
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
        self.pending = saved.pending;
        Ok(())
    }

    /// Minutes that it took so far, see [`Line::minutes`].
    #[must_use]
    pub fn minutes(&self) -> f64 {
        self.earlier + self.started.elapsed().as_secs_f64() / 60.0
    }

    /// One outer step; returns a line of the log when one is due.
    ///
    /// # Errors
    /// Those of [`Ranks::map_mut`].
    pub fn step(&mut self, config: &Config, ranks: &Ranks) -> Result<Option<Line>> {
        let theta = &self.theta;
        let parts = ranks.map_mut(&mut self.particles, |p| p.unroll(theta, &config.estimator))?;
        let share = 1.0 / parts.len() as f32;
        let mut gradient = vec![0.0; self.theta.weights.len()];
        let mut meta_loss = 0.0;
        for part in &parts {
            gradient.iter_mut().zip(&part.gradient).for_each(|(sum, g)| *sum += share * g);
            meta_loss += f64::from(share * part.meta_loss);
        }
        let step = self.outer.step(&config.outer, &mut self.theta.weights, &mut gradient);
        let stay = config.outer.average;
        for (mean, w) in self.average.iter_mut().zip(&self.theta.weights) {
            *mean = stay * *mean + (1.0 - stay) * w;
        }
        self.done += 1;
        self.inner += 2 * u64::from(config.estimator.unroll) * parts.len() as u64;
        self.pending = (self.pending.0 + meta_loss, self.pending.1 + 1);
        let due = self.pending.1 == LOG_EVERY || self.done == config.outer.steps;
        Ok(due.then(|| self.line(step)))
    }

    fn line(&mut self, step: OuterStep) -> Line {
        let (sum, count) = std::mem::take(&mut self.pending);
        Line {
            outer_step: self.done,
            inner_steps: self.inner,
            minutes: self.minutes(),
            meta_loss: sum / f64::from(count),
            step,
        }
    }
}

/// The weights that a training begins with; `dir` is where paths begin.
///
/// # Errors
/// If they cannot be read.
pub(super) fn initial(config: &OptimizerConfig, dir: &Path, seed: u64, ranks: &Ranks) -> Result<Theta> {
    let initial = Theta::initial(config, seed)?;
    match &config.start {
        None => Ok(initial),
        Some(file) => Ok(initial.with(ranks.lead(|| read_weights(&dir.join(file), config))?)),
    }
}

/// The weights in a file of the same kind and size of optimizer.
fn read_weights(path: &Path, config: &OptimizerConfig) -> Result<Vec<f32>> {
    let shown = path.display();
    let file = read_small(path).map_err(|error| unreadable(path, &error)).context("the weights to start from")?;
    let held = learned::read(&file).with_context(|| format!("the weights to start from, {shown}"))?;
    let WeightsFile { kind, weights, .. } = held;
    let wanted = config.find()?;
    ensure!(
        (kind.number, kind.hidden) == (wanted.number, wanted.hidden),
        "{shown} holds a {} of size {}, not the optimizer that [optimizer] says",
        kind.name,
        kind.hidden
    );
    Ok(weights)
}
