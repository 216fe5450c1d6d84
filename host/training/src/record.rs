//! The record of an experiment: what `results.json` holds.
//!
//! One [`Results`] value is everything that the pictures, the table and the report are drawn from. It
//! carries one version number; a field may be added without raising it, none may change its meaning.
//!
//! Cost is counted in forward passes of one minibatch: a forward pass counts 1, a gradient 3.

use serde::{Deserialize, Serialize};

/// The version of the format that this program writes.
pub const VERSION: u32 = 1;

/// Everything that one `lgl2o compare` found out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Results {
    /// Format version, [`VERSION`].
    pub version: u32,
    /// Name of the task, such as `spirals`.
    pub task: String,
    /// The optimizee, such as `2-32-32-2 tanh, softmax cross-entropy`.
    pub model: String,
    /// How many parameters are trained.
    pub parameters: usize,
    /// Examples in a minibatch.
    pub batch: usize,
    /// One entry per optimizer and seed, in the order asked for.
    pub runs: Vec<Run>,
    /// Mean and spread over the seeds, one entry per optimizer and evaluated step.
    pub summary: Vec<Summary>,
}

/// One optimizer, one seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// The optimizer as an expression that the command line accepts, such as `lgl2o(l2o,sgd:1)`.
    pub optimizer: String,
    /// The seed of initial parameters and minibatches.
    pub seed: u64,
    /// Share of the rounds that the learned side won; 0 for a plain rule, 1 for the learned one alone.
    pub learned_share: f64,
    /// Share of the training steps that kept candidates of the learned side have made. It differs from the share of
    /// the rounds where rounds differ in length, as strides and steps of the fallback alone do.
    #[serde(default)]
    pub learned_steps_share: f64,
    /// The losses along the way, by rising step.
    pub curve: Vec<Point>,
    /// Who won, as runs of equal verdicts in the order of the rounds; empty where nothing is guarded.
    #[serde(default)]
    pub verdicts: Vec<Verdicts>,
}

impl Run {
    /// Whether it is of an optimizer and a seed, and was measured up to a step.
    #[must_use]
    pub fn is_of(&self, optimizer: &str, seed: u64, last: u64) -> bool {
        self.optimizer == optimizer && self.seed == seed && self.curve.last().map(|point| point.step) == Some(last)
    }
}

/// The state of a run at one step. A loss that is not finite is `null`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// Training steps done.
    pub step: u64,
    /// Forward passes of one minibatch spent so far, a gradient counting as three.
    pub cost: f64,
    /// Mean loss on a fixed sample of the training set.
    pub train_loss: Option<f64>,
    /// Mean loss on the held-out set.
    pub test_loss: Option<f64>,
    /// Share of the held-out set that is classified correctly, from 0 to 1.
    pub test_accuracy: Option<f64>,
}

/// A stretch of rounds that ended alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Verdicts {
    /// Whose candidate was kept.
    pub winner: Winner,
    /// Training step after the last round of the stretch.
    pub until: u64,
}

/// Whose candidate a round kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Winner {
    /// The fallback optimizer's.
    Fallback,
    /// The learned optimizer's.
    Learned,
    /// Nobody's: the parameters stayed as they were.
    Neither,
}

/// One optimizer at one step, over all seeds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// The optimizer, as in [`Run::optimizer`].
    pub optimizer: String,
    /// Training steps done.
    pub step: u64,
    /// Mean cost so far, as in [`Point::cost`].
    pub cost: f64,
    /// Mean of the held-out losses; `null` if any seed diverged.
    pub test_loss_mean: Option<f64>,
    /// Sample standard deviation of the held-out losses; `null` with a diverged seed, 0 with one seed.
    pub test_loss_std: Option<f64>,
    /// Mean held-out accuracy; `null` if any seed diverged.
    pub test_accuracy_mean: Option<f64>,
}
