//! Tasks with what is run on them, and the tasks that several experiments share.

use std::path::PathBuf;

use lgl2o::objective::mlp::Activation;

use crate::data::Variant;
use crate::optimizer::hand_made;

/// Rules whose rate is searched on every task.
const BASELINES: [&str; 4] = ["sgd", "momentum", "nesterov", "adam"];
/// Those whose rate is searched where a run takes minutes.
const SLOW_BASELINES: [&str; 3] = ["sgd", "momentum", "adam"];
/// Rules whose iterates are averaged, and whose rate is searched again for that: what averaging alone does.
const AVERAGED_BASELINES: [&str; 3] = ["avg-sgd", "avg-nesterov", "avg-adam"];
/// Hidden units of [`mnist`], which folders of one's own get too.
pub const IDX_HIDDEN: usize = 20;

/// The data of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The built-in spirals.
    Spirals,
    /// MNIST, as it is or shifted.
    Mnist(Variant),
    /// A folder of IDX files.
    Folder(PathBuf),
}

impl Source {
    /// The data in words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Spirals => "Spirals: two classes of points in the plane, built in".to_owned(),
            Self::Mnist(Variant::Plain) => "MNIST".to_owned(),
            Self::Mnist(Variant::Permuted) => "MNIST with the pixels of all images in one other order".to_owned(),
            Self::Mnist(Variant::Inverted) => "MNIST with black for white".to_owned(),
            Self::Mnist(Variant::WrongLabels) => {
                "MNIST with a fifth of the training labels wrong, those of the grid search too".to_owned()
            }
            Self::Folder(path) => format!("the images in `{}`", path.display()),
        }
    }
}

/// A task of the plan: data, network, horizon, and what its grid search is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPlan {
    /// Its name in the report, and of its folder there.
    pub key: String,
    /// The data.
    pub source: Source,
    /// Hidden widths.
    pub hidden: Vec<usize>,
    /// Activation of the hidden units.
    pub activation: Activation,
    /// Training steps.
    pub steps: u64,
    /// Rules whose rate is searched.
    pub rules: Vec<&'static str>,
    /// Seeds of each trial of the grid.
    pub grid_seeds: usize,
}

/// One task of an experiment with what is run on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The task.
    pub task: TaskPlan,
    /// Training steps; at most the task's.
    pub steps: u64,
    /// Whether every searched rule is run at its best rate for each checkpoint.
    pub baselines: bool,
    /// Optimizer expressions; a rate that is not written out is the one tuned for the last step.
    pub optimizers: Vec<String>,
}

/// How much of everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scale {
    /// Seeds of every final run.
    pub seeds: u64,
    /// A smoke run: short horizons, small data, one seed in every grid.
    pub quick: bool,
}

/// A quick run has a thirtieth of the steps, in tens, and at most so many.
const QUICK_STEPS: u64 = 300;
/// Examples of a quick run, training and held out, at most.
pub const QUICK_EXAMPLES: [usize; 2] = [6_000, 1_000];

impl Scale {
    /// The training steps of a run that has so many at full scale.
    #[must_use]
    pub fn steps(&self, full: u64) -> u64 {
        if self.quick { (full / 300 * 10).clamp(10, QUICK_STEPS) } else { full }
    }

    fn grid_seeds(&self, full: usize) -> usize {
        if self.quick { 1 } else { full }
    }
}

/// The task of `in-distribution`: as every rule's rate is searched there, averaged or not, so it is wherever the task occurs.
#[must_use]
pub fn mnist_for_all(scale: &Scale) -> TaskPlan {
    let searched = hand_made::searched().map(|(rule, _)| rule);
    TaskPlan { rules: searched.chain(AVERAGED_BASELINES).collect(), ..mnist(scale, "mnist", Variant::Plain, 3000) }
}

/// MNIST with one hidden layer.
#[must_use]
pub fn mnist(scale: &Scale, key: &str, variant: Variant, steps: u64) -> TaskPlan {
    TaskPlan {
        key: key.to_owned(),
        source: Source::Mnist(variant),
        hidden: vec![IDX_HIDDEN],
        activation: Activation::Sigmoid,
        steps: scale.steps(steps),
        rules: BASELINES.to_vec(),
        grid_seeds: scale.grid_seeds(2),
    }
}

/// The built-in spirals.
#[must_use]
pub fn spirals(scale: &Scale) -> TaskPlan {
    TaskPlan {
        key: "spirals".to_owned(),
        source: Source::Spirals,
        hidden: vec![32, 32],
        activation: Activation::Tanh,
        steps: scale.steps(3000),
        rules: BASELINES.to_vec(),
        grid_seeds: scale.grid_seeds(3),
    }
}

/// MNIST with three hidden layers.
#[must_use]
pub fn mnist_deep(scale: &Scale) -> TaskPlan {
    TaskPlan { hidden: vec![20, 20, 20], ..mnist(scale, "mnist-deep", Variant::Plain, 2000) }
}

/// A task where a run takes minutes: fewer rules are searched, with one seed.
#[must_use]
pub fn slow(task: TaskPlan) -> TaskPlan {
    TaskPlan { rules: SLOW_BASELINES.to_vec(), grid_seeds: 1, ..task }
}
