//! The record of a survey: what `survey.json` holds.
//!
//! Everything that the table, the pictures and the page show is computed from one [`Survey`] value. It carries one
//! version number; a field may be added without raising it, none may change its meaning.

use serde::{Deserialize, Serialize};

use super::run::Losses;
use super::score::Score;

/// The version of the format that this program writes.
pub const VERSION: u32 = 1;

/// Everything that one `lgl2o survey` found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Survey {
    /// Format version, [`VERSION`].
    pub version: u32,
    /// The command line that produces these results.
    pub command: String,
    /// The scored steps, rising.
    pub steps: Vec<u64>,
    /// The seeds of each run.
    pub seeds: Vec<u64>,
    /// Losses below this count as this.
    pub floor: f64,
    /// The settings of which the best one is the oracle.
    #[serde(default = "super::oracle::names")]
    pub oracle: Vec<String>,
    /// The tasks.
    pub tasks: Vec<TaskRecord>,
    /// The optimizers, in the order asked for.
    pub optimizers: Vec<OptimizerRecord>,
    /// Loss against the rate of the fallback, if that was asked for.
    pub flat: Option<FlatRecord>,
}

/// A task, and the best that tuned settings reach on it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TaskRecord {
    /// Its name: data set, treatment, network.
    pub name: String,
    /// The data set.
    pub data: String,
    /// A digest of the data.
    pub digest: String,
    /// Hidden widths and activation.
    pub network: String,
    /// The activation.
    pub activation: String,
    /// Treatment of the inputs.
    pub inputs: String,
    /// Whether inputs were standardized.
    pub standardized: bool,
    /// Inputs of the network.
    pub features: usize,
    /// Classes.
    pub classes: usize,
    /// Examples to train on, and held out.
    pub examples: [usize; 2],
    /// Examples in a minibatch.
    pub batch: usize,
    /// How many parameters are trained.
    pub parameters: usize,
    /// Mean losses before the first step.
    pub start: Losses,
    /// The best of the settings of [`Survey::oracle`], at each scored step.
    pub oracle: Vec<Best>,
    /// The best of the 40 strong settings, at each scored step.
    pub strong: Vec<Best>,
}

/// The lowest mean losses at one step, each with the setting that has it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Best {
    /// Training loss; none where every setting diverged.
    pub train: Option<f64>,
    /// The setting of the lowest training loss.
    pub train_setting: String,
    /// Held-out loss.
    pub held_out: Option<f64>,
    /// The setting of the lowest held-out loss.
    pub held_out_setting: String,
}

/// One optimizer over all tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OptimizerRecord {
    /// The optimizer as an expression that the command line accepts.
    pub name: String,
    /// Cost of a step in gradients, the mean over all runs: 1 for a plain rule.
    pub cost: f64,
    /// Runs that failed: with an error, or with a loss above that of the start.
    pub failed: usize,
    /// All runs.
    pub runs: usize,
    /// Messages of the runs that ended with an error, each once, with the task of the first.
    pub messages: Vec<[String; 2]>,
    /// Its scores against the oracles.
    pub scores: Vec<Scored>,
    /// Its scores on parts of the tasks, at the middle one of the scored steps, against the plain oracle.
    pub groups: Vec<Group>,
    /// Mean losses and factors, in the order of the tasks.
    pub tasks: Vec<OnTask>,
}

/// What a score is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Loss {
    /// Training loss.
    Training,
    /// Held-out loss.
    HeldOut,
}

/// Where losses are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// After as many steps as the oracle.
    Step,
    /// After as much work as the oracle.
    Cost,
}

/// Which oracle losses are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// The best of the settings of [`Survey::oracle`]: 15 by default.
    Oracle,
    /// The best of 40.
    Strong,
}

/// A score with what it is of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Scored {
    /// Which oracle.
    pub against: Against,
    /// Which loss.
    pub loss: Loss,
    /// By step or by cost.
    pub by: By,
    /// The scored step.
    pub step: u64,
    /// The score.
    #[serde(flatten)]
    pub score: Score,
}

/// The geometric mean of the factors on a part of the tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// What the parts differ in: `activation`, `batch`, `data set` or `inputs`.
    pub by: String,
    /// Which part.
    pub name: String,
    /// How many tasks it has.
    pub tasks: usize,
    /// Factor of the training loss.
    pub train: f64,
    /// Factor of the held-out loss.
    pub held_out: f64,
}

/// One optimizer on one task: mean losses at each scored step, and their factors to the plain oracle's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OnTask {
    /// Mean losses by step.
    pub by_step: Vec<Losses>,
    /// Mean losses by cost.
    pub by_cost: Vec<Losses>,
    /// Factors of the training loss, by step.
    pub train_factors: Vec<f64>,
    /// Factors of the held-out loss, by step.
    pub held_out_factors: Vec<f64>,
    /// Runs that failed.
    pub failed: usize,
}

/// Loss against the rate of the fallback, alone and guarded, and against that of the oracle's other rules: geometric means over the
/// tasks after the last step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlatRecord {
    /// The learned side.
    pub learned: String,
    /// The fallback's rates.
    pub rates: Vec<f64>,
    /// The fallback alone.
    pub alone: Vec<FlatPoint>,
    /// Guarded, with this fallback.
    pub guarded: Vec<FlatPoint>,
    /// The oracle's other rules alone, each with its own rates. Empty in records of programs that did not keep them.
    #[serde(default)]
    pub others: Vec<RatedRule>,
}

/// A rule alone, by its rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RatedRule {
    /// The rule's name, such as `adam`.
    pub name: String,
    /// Its rates, rising.
    pub rates: Vec<f64>,
    /// Geometric means of the training losses, each at least the floor and at most 1e3.
    pub train: Vec<f64>,
    /// The same of the held-out losses.
    pub held_out: Vec<f64>,
}

/// Losses at one rate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct FlatPoint {
    /// Geometric mean of the training losses, each at least the floor and at most 1e3.
    pub train: f64,
    /// The same of the held-out losses.
    pub held_out: f64,
    /// Runs that failed.
    pub failed: usize,
}
