//! What is reproduced: the experiments, their tasks and optimizers, all in this one place.
//!
//! | | experiment | tasks |
//! |---|---|---|
//! | 1 | in distribution | MNIST, 784-20-10 sigmoid |
//! | 2 | other data, another network | Spirals, 2-32-32-2 tanh |
//! | 3 | another network | MNIST with 784-64-64-10 ReLU, 784-20-20-20-10 sigmoid, 784-320-10 sigmoid |
//! | 4 | other data, the same network | MNIST with pixels permuted, pixels inverted, labels wrong; IDX folders |
//! | 5 | a longer horizon | the task of 1, 50,000 steps |
//! | 6 | guard against guard | the tasks of 1 and 2 |
//! | 7 | every learned optimizer with every fallback | the tasks of 1 and 2, 1,000 steps |
//! | 8 | the default guard without its parts | the tasks of 1 and 2, and one of 3 |
//!
//! Experiments 1 to 5 and 6 are those of the paper's section 4 in kind ("A Simple Guard for Learned Optimizers", arXiv
//! 2201.12426); 7 and 8 are this project's own.

use std::path::{Path, PathBuf};

use lgl2o::objective::mlp::Activation;

use crate::data::Variant;
use crate::optimizer::expression::AVERAGED;
use crate::optimizer::tuned::TUNED_RULES;

/// How many experiments there are.
pub const EXPERIMENTS: u8 = 8;
/// Steps that tables and claims speak of, as far as a run goes; its last step is one more.
const CHECKPOINTS: [u64; 15] =
    [25, 50, 100, 150, 200, 300, 500, 1000, 2000, 3000, 5000, 10_000, 20_000, 30_000, 50_000];
/// Steps before the first checkpoint at which curves are evaluated too.
const EARLY: [u64; 5] = [0, 1, 3, 6, 12];
/// Rules whose rate is searched on every task.
const BASELINES: [&str; 4] = ["sgd", "momentum", "nesterov", "adam"];
/// Those whose rate is searched where a run takes minutes.
const SLOW_BASELINES: [&str; 3] = ["sgd", "momentum", "adam"];
/// Rules whose iterates are averaged, and whose rate is searched again for that: what averaging alone does.
const AVERAGED_BASELINES: [&str; 3] = ["avg-sgd", "avg-nesterov", "avg-adam"];
/// Learned optimizers, in the order of the heat map.
pub const LEARNED: [&str; 4] = ["l2o", "lean", "lstm", "rnnprop"];
/// Hidden units of experiment 1, which folders of one's own get too.
pub const IDX_HIDDEN: usize = 20;
/// Fallbacks of the heat map, in its order.
pub const FALLBACKS: [&str; 5] = ["sgd", "momentum", "nesterov", "adam", "armijo"];
/// Fallbacks of guard against guard.
pub const DUELS: [&str; 3] = ["sgd", "momentum", "adam"];
/// The five rules for the bound of GL2O.
pub const MU_RULES: [&str; 5] = ["gs:0.99", "rt", "aa", "ema:0.25", "rm:10"];
/// The default guard without one part or with another one, each in words: pace, decision, fallback, state policies, and
/// the paper's form, which has none of the parts.
pub const ABLATIONS: [(&str, &str); 16] = [
    ("lgl2o(l2o,sgd)", "without averaging"),
    ("lgl2o(avg-l2o,sgd,no-trust)", "without trust: every tie to the fallback"),
    ("lgl2o(avg-l2o,sgd,no-stretch)", "without stretch: strides of 32 steps at most"),
    ("lgl2o(avg-l2o,sgd,no-stride)", "without strides"),
    ("lgl2o(avg-l2o,sgd,no-audit)", "without audits"),
    ("lgl2o(avg-l2o,sgd,no-budget)", "without budget"),
    ("lgl2o(avg-l2o,sgd,no-audit,no-budget)", "with nothing but strides"),
    ("lgl2o(avg-l2o,sgd,lower)", "without margin"),
    ("lgl2o(avg-l2o,sgd,early-stop=0)", "with all check batches always"),
    ("lgl2o(avg-l2o,sgd,no-veto)", "without veto"),
    ("lgl2o(avg-l2o,sgd,stay)", "staying where neither side descends"),
    ("lgl2o(avg-l2o,armijo)", "with line search in the fallback"),
    ("lgl2o(avg-l2o,sgd,rewind)", "rewinding the loser's state"),
    ("lgl2o(avg-l2o,sgd,reset)", "resetting the loser's state"),
    ("lgl2o(avg-l2o,sgd,follow)", "having the loser's state follow the winner"),
    ("lgl2o(l2o,sgd,paper)", "in the paper's form, without averaging"),
];

/// A learned optimizer whose iterates are averaged, as the default guard has it.
#[must_use]
pub fn averaged(learned: &str) -> String {
    format!("{AVERAGED}{learned}")
}

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

/// One experiment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Experiment {
    /// Its number, from 1.
    pub number: u8,
    /// The name of its folder.
    pub folder: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it asks, in a sentence.
    pub question: &'static str,
    /// Its tasks.
    pub parts: Vec<Part>,
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
    fn steps(&self, full: u64) -> u64 {
        if self.quick { (full / 300 * 10).clamp(10, QUICK_STEPS) } else { full }
    }

    fn grid_seeds(&self, full: usize) -> usize {
        if self.quick { 1 } else { full }
    }
}

/// The experiments, on MNIST, Spirals and folders of one's own.
#[must_use]
pub fn experiments(folders: &[PathBuf], scale: &Scale) -> Vec<Experiment> {
    let mnist = || mnist_for_all(scale);
    let spirals = || spirals(scale);
    let [relu, deep, wide] = networks(scale);
    let shifted: Vec<TaskPlan> = shifts(scale).into_iter().chain(own(scale, folders)).collect();
    let long = TaskPlan {
        rules: SLOW_BASELINES.to_vec(),
        grid_seeds: 1,
        ..self::mnist(scale, "mnist-long", Variant::Plain, 50_000)
    };
    let all = [
        vec![full_for_all(mnist())],
        vec![full_for_all(spirals())],
        vec![full(relu), full(deep.clone()), full(wide)],
        shifted.into_iter().map(full).collect(),
        vec![full(long)],
        vec![duel(mnist()), duel(spirals())],
        vec![pairs(mnist(), scale), pairs(spirals(), scale)],
        vec![ablation(mnist()), ablation(spirals()), ablation(deep)],
    ];
    let number = 1..=EXPERIMENTS;
    let titled = number.zip(TITLES).zip(all);
    titled
        .map(|((number, [folder, title, question]), parts)| Experiment { number, folder, title, question, parts })
        .collect()
}

/// Folder, title and question of each experiment.
const TITLES: [[&str; 3]; EXPERIMENTS as usize] = [
    ["1-in-distribution", "In distribution", "Is the learned optimizer fast on the kind of task it was trained on?"],
    ["2-spirals", "Other data, another network", "How does it do on few points in the plane, with another network?"],
    ["3-networks", "Another network", "Does the guard hold when the network is wider, deeper or has other units?"],
    ["4-data", "Other data, the same network", "Does the guard hold when only the data are other ones?"],
    ["5-horizon", "A longer horizon", "What happens far beyond the horizon of meta-training?"],
    ["6-guards", "Guard against guard", "Which guard leaves the lower loss, at which cost?"],
    ["7-pairs", "Every learned optimizer, every fallback", "Does the guard work for any pair?"],
    ["8-ablation", "The default guard without its parts", "What does each part of the guard contribute?"],
];

/// Experiment 1's task: as every rule's rate is searched there, averaged or not, so it is wherever the task occurs.
fn mnist_for_all(scale: &Scale) -> TaskPlan {
    TaskPlan { rules: [&TUNED_RULES[..], &AVERAGED_BASELINES].concat(), ..mnist(scale, "mnist", Variant::Plain, 3000) }
}

fn mnist(scale: &Scale, key: &str, variant: Variant, steps: u64) -> TaskPlan {
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

fn spirals(scale: &Scale) -> TaskPlan {
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

/// The three other networks on MNIST; the last is 16 times as wide as that of experiment 1.
fn networks(scale: &Scale) -> [TaskPlan; 3] {
    let task = |key, hidden: &[usize], activation, steps| TaskPlan {
        hidden: hidden.to_vec(),
        activation,
        ..mnist(scale, key, Variant::Plain, steps)
    };
    let wide = task("mnist-wide", &[320], Activation::Sigmoid, 1000);
    [
        task("mnist-relu", &[64, 64], Activation::Relu, 2000),
        task("mnist-deep", &[20, 20, 20], Activation::Sigmoid, 2000),
        TaskPlan { rules: SLOW_BASELINES.to_vec(), grid_seeds: 1, ..wide },
    ]
}

fn shifts(scale: &Scale) -> [TaskPlan; 3] {
    [
        mnist(scale, "mnist-permuted", Variant::Permuted, 2000),
        mnist(scale, "mnist-inverted", Variant::Inverted, 2000),
        mnist(scale, "mnist-wrong-labels", Variant::WrongLabels, 2000),
    ]
}

/// Folders of one's own, each once however it is named. The key is the folder's name in letters that any file system
/// takes; of several with the same one, those after the first have a number behind it.
fn own(scale: &Scale, folders: &[PathBuf]) -> Vec<TaskPlan> {
    let mut seen: Vec<(PathBuf, String)> = Vec::new();
    let mut plans = Vec::new();
    for path in folders {
        let whole = path.canonicalize().unwrap_or_else(|_| path.clone());
        if seen.iter().any(|(other, _)| *other == whole) {
            continue;
        }
        let key = numbered(&plain_key(&whole), |key| seen.iter().any(|(_, other)| other == key));
        plans.push(TaskPlan { source: Source::Folder(path.clone()), ..mnist(scale, &key, Variant::Plain, 2000) });
        seen.push((whole, key));
    }
    plans
}

/// The key of a folder, as long as it is the only one of its name.
fn plain_key(whole: &Path) -> String {
    let name = whole.file_name().map_or_else(|| "data".to_owned(), |name| name.to_string_lossy().into_owned());
    let plain = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' });
    format!("idx-{}", plain.collect::<String>())
}

/// A key that is not taken yet.
fn numbered(key: &str, taken: impl Fn(&str) -> bool) -> String {
    let numbers = (2_u64..).map(|number| format!("{key}-{number}"));
    let mut free = std::iter::once(key.to_owned()).chain(numbers).filter(|key| !taken(key));
    free.next().unwrap_or_else(|| key.to_owned())
}

/// Baselines tuned for each checkpoint, the learned optimizer alone, the guards with their fallbacks alone.
fn full(task: TaskPlan) -> Part {
    let optimizers = ["auto", "sgd", "adam", "avg-ngn", "l2o", "avg-l2o", "lgl2o(avg-l2o,sgd)", "lgl2o(avg-l2o,adam)"];
    let optimizers = optimizers.map(str::to_owned).to_vec();
    Part { steps: task.steps, task, baselines: true, optimizers }
}

/// The same with GL2O and every learned optimizer. Some of these take many times as long for a step, so that this is
/// for the first two experiments only.
fn full_for_all(task: TaskPlan) -> Part {
    let part = full(task);
    let others = LEARNED
        .iter()
        .filter(|name| **name != "l2o")
        .chain(&["auto-lean", "gl2o(l2o,sgd)", "lgl2o(avg-lean,sgd)"])
        .map(|name| (*name).to_owned());
    Part { optimizers: part.optimizers.iter().cloned().chain(others).collect(), ..part }
}

/// Guard against guard: for each fallback the two sides alone, LGL2O in the paper's form and by default, averaged or not,
/// five forms of GL2O and one that is averaged, three blends.
fn duel(task: TaskPlan) -> Part {
    let guards = |fallback: &str| -> Vec<String> {
        let alone = [
            fallback.to_owned(),
            format!("lgl2o(avg-l2o,{fallback})"),
            format!("lgl2o(l2o,{fallback})"),
            format!("lgl2o(l2o,{fallback},paper)"),
            format!("gl2o(avg-l2o,{fallback})"),
        ];
        let residual = MU_RULES.map(|mu| format!("gl2o(l2o,{fallback},mu={mu})"));
        let blends = ["0.25", "0.5", "0.75"].map(|share| format!("blend(l2o,{fallback},share={share})"));
        alone.into_iter().chain(residual).chain(blends).collect()
    };
    let optimizers =
        ["l2o", "avg-l2o"].map(str::to_owned).into_iter().chain(DUELS.iter().flat_map(|f| guards(f))).collect();
    Part { steps: task.steps, task, baselines: false, optimizers }
}

/// Every learned optimizer with every fallback, and all of them alone.
fn pairs(task: TaskPlan, scale: &Scale) -> Part {
    let alone = FALLBACKS.iter().map(|name| (*name).to_owned()).chain(LEARNED.iter().map(|name| averaged(name)));
    let guarded = LEARNED.iter().flat_map(|l| FALLBACKS.iter().map(move |f| format!("lgl2o({},{f})", averaged(l))));
    Part {
        steps: scale.steps(1000).min(task.steps),
        task,
        baselines: false,
        optimizers: alone.chain(guarded).collect(),
    }
}

/// The default guard with its sides alone, and the same without one part or with another one.
fn ablation(task: TaskPlan) -> Part {
    let optimizers =
        ["sgd", "armijo", "avg-l2o", "lgl2o(avg-l2o,sgd)"].into_iter().chain(ABLATIONS.map(|(changed, _)| changed));
    Part { steps: task.steps, task, baselines: false, optimizers: optimizers.map(str::to_owned).collect() }
}

/// The checkpoints of a run, its last step included.
#[must_use]
pub fn checkpoints(steps: u64) -> Vec<u64> {
    CHECKPOINTS.into_iter().filter(|s| *s < steps).chain([steps]).collect()
}

/// The steps at which a run's curve is evaluated.
#[must_use]
pub fn points(steps: u64) -> Vec<u64> {
    EARLY.into_iter().filter(|s| *s < steps.min(CHECKPOINTS[0])).chain(checkpoints(steps)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::{Tuned, parse};
    use std::collections::{BTreeMap, BTreeSet};

    fn all(quick: bool) -> Vec<Experiment> {
        experiments(&[PathBuf::from("a b/My Digits")], &Scale { seeds: 5, quick })
    }

    #[test]
    fn one_key_is_one_task() {
        for quick in [false, true] {
            let mut tasks: BTreeMap<String, TaskPlan> = BTreeMap::new();
            for part in all(quick).into_iter().flat_map(|e| e.parts) {
                assert!(part.steps <= part.task.steps);
                let task = tasks.entry(part.task.key.clone()).or_insert_with(|| part.task.clone());
                assert_eq!(*task, part.task);
            }
            assert!(tasks.contains_key("idx-my-digits"));
        }
    }

    #[test]
    fn folders_are_told_apart_by_where_they_are() {
        let home = tempfile::tempdir().unwrap();
        let names =
            ["x/digits", "y/digits", "z/Digits", "\u{30c7}\u{30fc}\u{30bf}", "\u{6587}\u{5b57}\u{5217}", "digits-2"];
        let folders = names.map(|name| home.path().join(name));
        folders.iter().for_each(|folder| std::fs::create_dir_all(folder).unwrap());
        // The first one once more, by another way.
        let all = [&folders[..], &[home.path().join("x/../x/digits")]].concat();
        let plans = own(&Scale { seeds: 1, quick: true }, &all);
        let keys: Vec<&str> = plans.iter().map(|plan| plan.key.as_str()).collect();
        assert_eq!(keys, ["idx-digits", "idx-digits-2", "idx-digits-3", "idx----", "idx-----2", "idx-digits-2-2"]);
        let sources: Vec<Source> = folders.map(Source::Folder).to_vec();
        assert_eq!(plans.into_iter().map(|plan| plan.source).collect::<Vec<_>>(), sources);
    }

    #[test]
    fn checkpoints_end_with_the_last_step() {
        assert_eq!(checkpoints(200), [25, 50, 100, 150, 200]);
        assert_eq!(checkpoints(120), [25, 50, 100, 120]);
        assert_eq!(points(25), [0, 1, 3, 6, 12, 25]);
        assert_eq!(points(5), [0, 1, 3, 5]);
    }

    /// Each expression is known, has a rate that the task's own grid search finds, and stands for a method of its own.
    #[test]
    fn every_part_has_optimizers_that_are_known() {
        for part in all(false).iter().flat_map(|e| &e.parts) {
            let rates = part.task.rules.iter().map(|rule| ((*rule).to_owned(), 1.0)).collect();
            let tuned = Tuned { best: rates, ..Tuned::default() };
            let read = |o: &String| parse(o, &tuned).unwrap_or_else(|error| panic!("{}: {o}: {error}", part.task.key));
            let methods: BTreeSet<String> = part.optimizers.iter().map(|o| format!("{:?}", read(o).method)).collect();
            assert_eq!(methods.len(), part.optimizers.len(), "{:?}", part.optimizers);
        }
    }
}
