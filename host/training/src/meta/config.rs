//! The configuration file of meta-training: with `[[task]]` tables, or with a `[distribution]`.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use lgl2o::objective::mlp::Activation;
use serde::{Deserialize, Serialize};

use crate::optimizer::learned::{self, KINDS, LearnedKind};
use crate::task;

/// Bounds of what a configuration may ask for: far beyond what is useful, and below what fills memory or never ends.
pub(super) const MOST_SEEDS: u64 = 10_000;
const MOST_STEPS: u64 = 10_000_000;
const MOST_OUTER_STEPS: u64 = 100_000_000;
const MOST_PARTICLES: u64 = 65_536;
const MOST_POOL: u64 = 1024;
const MOST_BATCH: u64 = 65_536;
const MOST_LAYERS: u64 = 64;

/// Checks that a number is within its bounds.
pub(super) fn within(name: &str, number: u64, bounds: RangeInclusive<u64>) -> Result<()> {
    ensure!(bounds.contains(&number), "{name} is {number}, but must be in {}..={}", bounds.start(), bounds.end());
    Ok(())
}

/// Everything that decides what meta-training does, besides the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Seed of everything random; that of the first training, if there are several.
    pub seed: u64,
    /// Independent trainings, with seeds from `seed` on; the best snapshot of all of them is kept.
    #[serde(default = "one")]
    pub seeds: u64,
    /// Where the file is; paths in it start there.
    #[serde(skip)]
    pub dir: PathBuf,
    /// The optimizer that is trained.
    pub optimizer: OptimizerConfig,
    /// How meta-gradients are estimated.
    pub estimator: EstimatorConfig,
    /// How they are used.
    pub outer: OuterConfig,
    /// How the weights that are kept are chosen.
    pub validation: ValidationConfig,
    /// What is trained on.
    #[serde(rename = "task")]
    pub tasks: Vec<TaskConfig>,
}

/// The optimizer that is trained.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptimizerConfig {
    /// Its kind, by one of the names in [`KINDS`].
    pub kind: String,
    /// Its size, for kinds that come in several; else the size that is shipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hidden: Option<usize>,
    /// A weights file of the same kind and size to start from, instead of the kind's own initial weights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<PathBuf>,
    /// Whether it is trained in the eigenbases of the gradients' second moments, as `auto-rotated` has it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rotated: bool,
}

impl OptimizerConfig {
    /// The optimizer that is meant.
    ///
    /// # Errors
    /// If there is none of this kind and size, with those that there are.
    pub fn find(&self) -> Result<&'static LearnedKind> {
        let known = || KINDS.iter().map(|kind| format!("{} {}", kind.name, kind.hidden)).collect::<Vec<_>>().join(", ");
        learned::find(&self.kind, self.hidden).with_context(|| {
            let size = self.hidden.map_or(String::new(), |hidden| format!(" of size {hidden}"));
            format!("[optimizer]: there is no kind `{}`{size}; known kinds and sizes: {}", self.kind, known())
        })
    }
}

/// How meta-gradients are estimated: antithetic pairs of perturbed weights, unrolled piece by piece.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EstimatorConfig {
    /// Which estimator.
    pub kind: EstimatorKind,
    /// Standard deviation of the perturbation of each weight.
    pub sigma: f32,
    /// Inner steps per outer step, K.
    pub unroll: u32,
    /// Shortest and longest episode in inner steps; lengths are log-uniform between them.
    pub horizon: [u32; 2],
    /// What a loss counts as.
    pub objective: MetaObjective,
    /// How much a step of an episode counts.
    #[serde(default)]
    pub weighting: Weighting,
    /// Largest difference of the two losses of a pair that counts, per inner step.
    pub difference_clip: f32,
}

/// Estimators of the meta-gradient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EstimatorKind {
    /// Persistent evolution strategies (Vicol, Metz, Sohl-Dickstein, ICML 2021).
    Pes,
    /// One perturbation per episode (Vicol, ICML 2023; Li et al., NeurIPS 2023).
    EsSingle,
}

/// What a loss l of an inner step counts as, after clipping at 1.5 ln(classes).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MetaObjective {
    /// l.
    Loss,
    /// ln(l + 0.01): a tenth less counts alike early and late.
    LogLoss,
}

/// How much step t = 1..T of an episode of T steps counts in the meta-loss; the mean over an episode is 1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    /// 1.
    #[default]
    Uniform,
    /// 2 t / (T + 1): where a run ends counts more than how it gets there.
    Linear,
}

impl Weighting {
    /// How much step `step` counts, the first one being 1.
    #[must_use]
    pub fn of(self, step: u32, horizon: u32) -> f32 {
        match self {
            Self::Uniform => 1.0,
            Self::Linear => 2.0 * step as f32 / (horizon as f32 + 1.0),
        }
    }
}

/// The outer optimizer: Adam with clipping before it and a schedule of its rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OuterConfig {
    /// Outer steps.
    pub steps: u32,
    /// Largest learning rate.
    pub rate: f32,
    /// Outer steps over which the rate rises from 0.
    pub warmup: u32,
    /// Adam's two decays.
    pub betas: [f32; 2],
    /// A gradient longer than this times the running mean length of those before it is shortened to that, before Adam
    /// sees it.
    pub clip: f32,
    /// How much of the running mean of the weights stays in each step; that mean is what is validated and kept. 0 keeps
    /// the weights themselves.
    pub average: f32,
    /// How the rate falls.
    #[serde(default)]
    pub schedule: Schedule,
}

/// How the outer rate falls behind the warm-up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// Along a cosine, to a twentieth at the end.
    #[default]
    Cosine,
    /// Not in the first half of all steps, then along a line, to a tenth at the end.
    Linear,
}

impl OuterConfig {
    pub(super) fn check(&self) -> Result<()> {
        within("outer.steps", self.steps.into(), 1..=MOST_OUTER_STEPS)?;
        ensure!(self.rate > 0.0 && self.rate.is_finite(), "outer.rate must be positive");
        ensure!(self.clip > 0.0, "outer.clip must be positive");
        ensure!((0.0..1.0).contains(&self.average), "outer.average must be in [0, 1)");
        ensure!(self.betas.iter().all(|b| (0.0..1.0).contains(b)), "outer.betas must be in [0, 1)");
        Ok(())
    }
}

/// How the weights that are kept are chosen: lowest score of all snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidationConfig {
    /// Outer steps between snapshots.
    pub every: u32,
    /// Inner steps at which the held-out loss counts; the last one is the length of a run.
    pub steps: Vec<u64>,
    /// Runs per task.
    pub seeds: u64,
    /// Names of the tasks that are validated on; each is one of `task`, or has `particles = 0` there.
    pub tasks: Vec<String>,
}

/// A task to train or validate on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskConfig {
    /// A name of one's choice.
    pub name: String,
    /// Data set: `mnist` or `spirals`.
    pub data: String,
    /// Side of the squares of pixels that are averaged into one; 1 leaves images as they are.
    #[serde(default = "one")]
    pub pool: usize,
    /// Hidden widths.
    pub hidden: Vec<usize>,
    /// Activation of the hidden layers.
    pub activation: Activation,
    /// Examples in a minibatch.
    pub batch: usize,
    /// Antithetic pairs that train on it.
    pub particles: usize,
    /// Smallest and largest factor c of the reparametrisation w = c w' (see [`Rescale`](super::problem::Rescale)),
    /// drawn log-uniform for each episode and each validation run; `[1, 1]` is none.
    #[serde(default = "no_rescaling")]
    pub rescale: [f32; 2],
    /// Whether each tensor of the parameters has a factor of its own.
    #[serde(default)]
    pub rescale_per_tensor: bool,
}

fn one<N: From<u8>>() -> N {
    N::from(1)
}

fn no_rescaling() -> [f32; 2] {
    [1.0; 2]
}

impl Config {
    /// Checks a configuration in the TOML format.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self> {
        let config: Self = toml::from_str(text)?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        let EstimatorConfig { sigma, unroll, horizon: [low, high], difference_clip, .. } = self.estimator;
        self.optimizer.find()?;
        within("seeds", self.seeds, 1..=MOST_SEEDS)?;
        ensure!(sigma > 0.0 && sigma.is_finite(), "estimator.sigma must be positive");
        within("estimator.unroll", unroll.into(), 1..=MOST_STEPS)?;
        ensure!(low <= high, "estimator.horizon must be [shortest, longest]");
        within("estimator.horizon", low.into(), 1..=MOST_STEPS)?;
        within("estimator.horizon", high.into(), 1..=MOST_STEPS)?;
        ensure!(difference_clip > 0.0, "estimator.difference_clip must be positive");
        self.outer.check()?;
        ensure!(self.validation.every > 0, "validation.every must be at least 1");
        within("validation.seeds", self.validation.seeds, 1..=MOST_SEEDS)?;
        let steps = &self.validation.steps;
        ensure!(!steps.is_empty() && steps.is_sorted_by(|a, b| a < b), "validation.steps must rise");
        steps.iter().try_for_each(|step| within("validation.steps", *step, 1..=MOST_STEPS))?;
        ensure!(self.tasks.iter().any(|t| t.particles > 0), "at least one [[task]] needs particles");
        let particles = self.tasks.iter().fold(0, |sum: u64, task| sum.saturating_add(task.particles as u64));
        within("the particles of all tasks together", particles, 1..=MOST_PARTICLES)?;
        for task in &self.tasks {
            task.check()?;
        }
        for name in &self.validation.tasks {
            if !self.tasks.iter().any(|t| t.name == *name) {
                bail!("validation.tasks names `{name}`, but there is no [[task]] of that name");
            }
        }
        ensure!(!self.validation.tasks.is_empty(), "validation.tasks must name at least one task");
        Ok(())
    }
}

impl TaskConfig {
    fn check(&self) -> Result<()> {
        let name = &self.name;
        task::find_data(&self.data).map_err(|problem| anyhow!("task `{name}`: {problem}"))?;
        let own = |what: &str| format!("task `{name}`: {what}");
        within(&own("pool"), self.pool as u64, 1..=MOST_POOL)?;
        within(&own("batch"), self.batch as u64, 1..=MOST_BATCH)?;
        within(&own("the number of hidden layers"), self.hidden.len() as u64, 0..=MOST_LAYERS)?;
        let [low, high] = self.rescale;
        ensure!(
            low > 0.0 && low <= high && high.is_finite(),
            "task `{name}`: rescale must be [smallest, largest], positive"
        );
        ensure!(self.hidden.iter().all(|h| (1..=4096).contains(h)), "task `{name}`: hidden widths must be in 1..=4096");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_of_an_episode_have_mean_one() {
        assert_eq!((1..=3).map(|t| Weighting::Linear.of(t, 3)).collect::<Vec<_>>(), [0.5, 1.0, 1.5]);
        assert_eq!((1..=3).map(|t| Weighting::Uniform.of(t, 3)).collect::<Vec<_>>(), [1.0; 3]);
    }
}
