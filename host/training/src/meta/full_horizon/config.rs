//! The configuration of meta-training on a distribution of tasks.

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::super::config::{MOST_SEEDS, OptimizerConfig, OuterConfig, within};
use super::super::distribution::{FAMILIES, Family};

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
    pub distribution: DistributionConfig,
}

/// How meta-gradients are estimated: antithetic pairs of perturbed weights, each pair on whole episodes of one task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EstimatorConfig {
    /// Which estimator.
    pub kind: EstimatorKind,
    /// Standard deviation of the perturbation of each weight.
    pub sigma: f32,
    /// Pairs in an outer step.
    pub pairs: u32,
    /// Shortest and longest episode in inner steps; lengths are log-uniform between them.
    pub horizon: [u32; 2],
    /// Most multiply-adds of an episode, about; the longest horizon of a large task is shorter by that.
    pub work: f64,
    /// Largest difference of the two scores of a pair that counts.
    pub difference_clip: f32,
    /// How much a rise of the loss on held-out rows counts.
    pub held_out_weight: f64,
    /// How much the loss on held-out rows itself counts; 0 unless said otherwise.
    #[serde(default)]
    pub held_out_loss_weight: f64,
}

/// Estimators of the meta-gradient on a distribution of tasks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EstimatorKind {
    /// Antithetic evolution strategies on whole episodes.
    FullHorizon,
}

/// How the weights that are kept are chosen: lowest score of all snapshots.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValidationConfig {
    /// Outer steps between snapshots.
    pub every: u32,
    /// Lengths of the episodes: with a small network, with a large one.
    pub horizons: [u32; 2],
    /// Tasks of each family, activation and size of network.
    pub seeds: u32,
}

/// What tasks are like.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DistributionConfig {
    /// Fewest and most rows, a quarter of which is held out.
    pub rows: [usize; 2],
    /// Names of the families that are trained on, in proportion to their weights; all of them unless said otherwise.
    #[serde(default = "all_families")]
    pub families: Vec<String>,
}

fn one() -> u64 {
    1
}

fn all_families() -> Vec<String> {
    FAMILIES.iter().map(|family| family.name.to_owned()).collect()
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
        self.optimizer.find()?;
        within("seeds", self.seeds, 1..=MOST_SEEDS)?;
        self.estimator.check()?;
        self.outer.check()?;
        let ValidationConfig { every, horizons, seeds } = self.validation;
        ensure!(every > 0, "validation.every must be at least 1");
        within("validation.seeds", seeds.into(), 1..=MOST_SEEDS)?;
        ensure!(horizons.iter().all(|h| (8..=1_000_000).contains(h)), "validation.horizons must be in 8..=1000000");
        self.distribution.families()?;
        let [low, high] = self.distribution.rows;
        ensure!(
            (32..=high).contains(&low) && high <= 50_000,
            "distribution.rows must be [fewest, most], from 32 to 50000"
        );
        Ok(())
    }
}

impl EstimatorConfig {
    fn check(&self) -> Result<()> {
        let Self { sigma, pairs, horizon: [low, high], work, difference_clip, .. } = *self;
        ensure!(sigma > 0.0 && sigma.is_finite(), "estimator.sigma must be positive");
        ensure!((1..=65_536).contains(&pairs), "estimator.pairs must be in 1..=65536");
        ensure!(
            (8..=high).contains(&low) && high <= 1_000_000,
            "estimator.horizon must be [shortest, longest], from 8 to 1000000"
        );
        ensure!(work > 0.0, "estimator.work must be positive");
        ensure!(difference_clip > 0.0, "estimator.difference_clip must be positive");
        let weights = [("held_out_weight", self.held_out_weight), ("held_out_loss_weight", self.held_out_loss_weight)];
        for (name, weight) in weights {
            ensure!(weight >= 0.0 && weight.is_finite(), "estimator.{name} must be 0 or positive");
        }
        Ok(())
    }
}

impl DistributionConfig {
    /// The families that are trained on.
    ///
    /// # Errors
    /// If there is none, or none of a name.
    pub fn families(&self) -> Result<Vec<Family>> {
        ensure!(!self.families.is_empty(), "distribution.families must name at least one family");
        let find = |name: &String| match FAMILIES.iter().find(|family| family.name == name) {
            Some(family) => Ok(*family),
            None => {
                let known = FAMILIES.map(|family| family.name).join(", ");
                bail!("distribution.families names `{name}`; known: {known}")
            }
        };
        self.families.iter().map(find).collect()
    }
}
