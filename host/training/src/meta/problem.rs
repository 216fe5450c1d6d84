//! The tasks of meta-training, with data in memory, and episodes on them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use lgl2o::Rng;
use lgl2o::batch::Batch;
use lgl2o::objective::mlp::Mlp;
use lgl2o::objective::{Blank, Objective};
use lgl2o::rule::{NoProbe, Rule};
use lgl2o::tensors::Tensors;
use serde::{Deserialize, Serialize};

use super::config::{Config, MetaObjective, TaskConfig};
use crate::data::{DataSets, Dataset};
use crate::network::{HeapNetwork, HeapTensors};
use crate::optimizer::AnyRule;
use crate::optimizer::rule::AnyState;
use crate::task::{self, Task};

/// A task to meta-train or validate on. Its "test" data is the last sixth of the training data.
#[derive(Debug)]
pub struct Problem {
    /// How it is configured.
    pub config: TaskConfig,
    /// The task.
    pub task: Task,
}

/// Loads all tasks of a configuration; tasks with the same data share it while it is split.
///
/// # Errors
/// Whatever is wrong with the data.
pub fn load(config: &Config, data_dir: &Path) -> Result<Vec<Arc<Problem>>> {
    let mut sets: HashMap<(String, usize), DataSets> = HashMap::new();
    config
        .tasks
        .iter()
        .map(|task| {
            let key = (task.data.clone(), task.pool);
            if !sets.contains_key(&key) {
                sets.insert(key.clone(), selection_data(task, data_dir)?);
            }
            let data = sets[&key].clone();
            let context = || format!("task `{}`", task.name);
            anyhow::ensure!(task.batch <= data.train.len(), "{}: batch is {}, and there are {} examples to train on. Lower batch", context(), task.batch, data.train.len());
            let loaded = Task::new(&task.name, data, &task.hidden, task.activation, task.batch);
            loaded.check_size().with_context(context)?;
            let numbers = task.particles.saturating_mul(loaded.optimizee().parameters());
            anyhow::ensure!(
                numbers <= MOST_NUMBERS,
                "{}: {} particles with a network of {} parameters each are {numbers} numbers, more than the {MOST_NUMBERS} that \
                 are allowed",
                context(),
                task.particles,
                loaded.optimizee().parameters()
            );
            Ok(Arc::new(Problem { config: task.clone(), task: loaded }))
        })
        .collect()
}

/// Most parameters of all particles of a task together: with slots and perturbations they take many times as much memory.
const MOST_NUMBERS: usize = 1 << 28;

/// Training data, part of it split off to validate on; the test data is dropped unseen.
fn selection_data(task: &TaskConfig, data_dir: &Path) -> Result<DataSets> {
    let known = task::find_data(&task.data).map_err(anyhow::Error::msg)?;
    let mut sets = (known.data)(data_dir)?;
    if task.pool > 1 {
        sets.train = sets.train.average_pool(task.pool).with_context(|| format!("task `{}`", task.name))?;
    }
    Ok(sets.for_selection()?)
}

impl Problem {
    /// What is trained on.
    #[must_use]
    pub fn train(&self) -> &Dataset {
        self.task.train()
    }

    /// What a loss counts as.
    #[must_use]
    pub fn value(&self, objective: MetaObjective, loss: f32) -> f32 {
        let most = 1.5 * libm::logf(self.train().classes() as f32);
        let loss = if loss < most { loss } else { most };
        match objective {
            MetaObjective::Loss => loss,
            MetaObjective::LogLoss => libm::logf(loss + 0.01),
        }
    }
}

/// Working memory for inner runs on one problem.
#[derive(Debug, Clone)]
pub struct Workspace {
    optimizee: Mlp<HeapNetwork>,
    /// c w', if a run is rescaled.
    rescaled: HeapTensors,
    scratch: HeapTensors,
    losses: Vec<f32>,
    gradient: HeapTensors,
    pick: Vec<u32>,
}

impl Workspace {
    /// Memory for a problem.
    #[must_use]
    pub fn new(problem: &Problem) -> Self {
        let optimizee = problem.task.optimizee();
        Self {
            scratch: optimizee.blank_scratch(),
            losses: optimizee.blank_losses(),
            gradient: optimizee.blank_params(),
            rescaled: optimizee.blank_params(),
            pick: vec![0; problem.task.batch],
            optimizee,
        }
    }

    /// A run at its beginning: fresh initial parameters, rescaled if the task says so.
    pub fn begin(&self, problem: &Problem, rule: &AnyRule, rng: &mut Rng) -> InnerRun {
        let mut params = self.optimizee.blank_params();
        self.optimizee.initialize(&mut params, rng);
        let rescale = Rescale::draw(&problem.config, params.count(), rng);
        rescale.divide(&mut params);
        InnerRun { state: rule.state(&params), params, rescale, broken: false }
    }

    /// Draws the minibatch of the next step.
    pub fn draw(&mut self, problem: &Problem, rng: &mut Rng) {
        let n = problem.train().len() as u32;
        self.pick.iter_mut().for_each(|i| *i = rng.below(n));
    }

    /// One inner step on the drawn minibatch; returns the loss before it. A run that is not finite any more stands
    /// still, at an infinite loss.
    pub fn step(&mut self, problem: &Problem, rule: &AnyRule, run: &mut InnerRun) -> f32 {
        if run.broken {
            return f32::INFINITY;
        }
        let train = problem.train();
        let batch = Batch::picked_classes(train.inputs(), train.width(), train.labels(), &self.pick);
        let gradient = &mut self.gradient;
        let params = run.rescale.weights(&run.params, &mut self.rescaled);
        let n = self.optimizee.gradient(&mut self.scratch, params, batch, &mut self.losses, gradient);
        run.rescale.multiply(gradient);
        let loss = n.map_or(f32::NAN, |n| lgl2o::sum::sum(&self.losses[..n]) / n as f32);
        if !loss.is_finite() || !gradient.is_finite() {
            run.broken = true;
            return f32::INFINITY;
        }
        rule.step(&mut run.state, &mut run.params, gradient, loss, &mut NoProbe);
        loss
    }

    /// The parameters that the optimizee has in a run.
    pub fn weights<'a>(&'a mut self, run: &'a InnerRun) -> &'a HeapTensors {
        run.rescale.weights(&run.params, &mut self.rescaled)
    }
}

/// One inner training run: parameters and the learned optimizer's state.
#[derive(Debug, Clone)]
pub struct InnerRun {
    /// Parameters as the learned optimizer sees them.
    pub params: HeapTensors,
    /// State of the learned optimizer.
    pub state: AnyState<HeapTensors>,
    /// How the optimizee's parameters follow from them.
    pub rescale: Rescale,
    /// Whether it has stopped being finite.
    pub broken: bool,
}

/// Reparametrisation of the optimizee, an augmentation of tasks:
///
/// ```text
/// w = c w'    dL/dw' = c dL/dw    w'_0 = w_0 / c
/// ```
///
/// The learned optimizer sees w' and its gradient; the optimizee is the same function from the same beginning. So the
/// rule meets parameters and gradients of many sizes, and what it learns depends less on those of its tasks (Metz et
/// al., "VeLO: training versatile learned optimizers by scaling up", 2022).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Rescale {
    /// c of each tensor; none without rescaling.
    factors: Vec<f32>,
}

impl Rescale {
    /// Draws factors for a run; a task without rescaling draws no random number.
    fn draw(config: &TaskConfig, tensors: usize, rng: &mut Rng) -> Self {
        if config.rescale == [1.0; 2] {
            return Self { factors: Vec::new() };
        }
        let [low, high] = config.rescale.map(libm::logf);
        let mut factor = || libm::expf(rng.range(low, high));
        let factors =
            if config.rescale_per_tensor { (0..tensors).map(|_| factor()).collect() } else { vec![factor(); tensors] };
        Self { factors }
    }

    /// w = c w', in `memory` if that is another value than w'.
    fn weights<'a>(&self, params: &'a HeapTensors, memory: &'a mut HeapTensors) -> &'a HeapTensors {
        if self.factors.is_empty() {
            return params;
        }
        memory.copy_from(params);
        self.multiply(memory);
        memory
    }

    fn multiply(&self, tensors: &mut HeapTensors) {
        for (i, c) in self.factors.iter().enumerate() {
            tensors.tensor_mut(i).iter_mut().for_each(|x| *x *= c);
        }
    }

    fn divide(&self, tensors: &mut HeapTensors) {
        for (i, c) in self.factors.iter().enumerate() {
            tensors.tensor_mut(i).iter_mut().for_each(|x| *x /= c);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lgl2o::rule::Sgd;

    fn problem(rescale: [f32; 2], rescale_per_tensor: bool) -> Problem {
        let config = TaskConfig {
            name: "small".to_owned(),
            data: "spirals".to_owned(),
            pool: 1,
            hidden: vec![5],
            activation: lgl2o::objective::mlp::Activation::Tanh,
            batch: 8,
            particles: 1,
            rescale,
            rescale_per_tensor,
        };
        let task =
            Task::new(&config.name, crate::data::spirals_sets(), &config.hidden, config.activation, config.batch);
        Problem { config, task }
    }

    fn sgd(rate: f32) -> AnyRule {
        AnyRule::Sgd(Sgd::new(rate))
    }

    /// With w = c w', gradient descent of rate r on w' is gradient descent of rate c^2 r on w: exactly, for powers of
    /// two.
    #[test]
    fn rescaled_descent_is_descent_of_another_rate() {
        let problem = problem([1.0; 2], false);
        let mut workspace = Workspace::new(&problem);
        let mut plain = workspace.begin(&problem, &sgd(0.25), &mut Rng::new(3));
        assert!(plain.rescale.factors.is_empty());
        let mut rescaled = plain.clone();
        rescaled.rescale = Rescale { factors: vec![0.5; 4] };
        rescaled.rescale.divide(&mut rescaled.params);
        assert_ne!(plain.params, rescaled.params);
        let mut rng = Rng::new(4);
        for _ in 0..50 {
            workspace.draw(&problem, &mut rng);
            let loss = workspace.step(&problem, &sgd(0.25), &mut plain);
            assert_eq!(loss.to_bits(), workspace.step(&problem, &sgd(1.0), &mut rescaled).to_bits());
        }
        assert_eq!(&plain.params, workspace.weights(&rescaled));
    }

    #[test]
    fn factors_are_drawn_for_each_run_within_their_bounds() {
        let mut rng = Rng::new(5);
        for per_tensor in [false, true] {
            let problem = problem([0.1, 10.0], per_tensor);
            let workspace = Workspace::new(&problem);
            let mut logs = Vec::new();
            for _ in 0..500 {
                let factors = workspace.begin(&problem, &sgd(0.1), &mut rng).rescale.factors;
                assert_eq!(factors.len(), 4);
                assert!(factors.iter().all(|c| (0.0999..10.001).contains(c)), "{factors:?}");
                assert_eq!(factors.iter().all(|c| *c == factors[0]), !per_tensor);
                logs.push(libm::log10f(factors[3]));
            }
            // Uniform in [-1, 1]: mean 0, variance 1/3.
            let n = logs.len() as f32;
            assert!((logs.iter().sum::<f32>() / n).abs() < 0.1);
            assert!((logs.iter().map(|x| x * x).sum::<f32>() / n - 1.0 / 3.0).abs() < 0.05);
        }
    }
}
