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

use super::config::{Config, MetaObjective, TaskConfig};
use crate::data::{self, DataSets, Dataset};
use crate::network::{HeapNetwork, HeapTensors};
use crate::optimizer::AnyRule;
use crate::optimizer::rule::AnyState;
use crate::task::Task;

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
            anyhow::ensure!(task.batch <= data.train.len(), "{}: batch larger than the data", context());
            Ok(Arc::new(Problem {
                config: task.clone(),
                task: Task::new(&task.name, data, &task.hidden, task.activation, task.batch),
            }))
        })
        .collect()
}

/// Training data, part of it split off to validate on; the test data is dropped unseen.
fn selection_data(task: &TaskConfig, data_dir: &Path) -> Result<DataSets> {
    let mut sets = match task.data.as_str() {
        "mnist" => data::load_mnist(data_dir)?,
        _ => data::spirals_sets(),
    };
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

/// Working memory of one thread for one problem.
#[derive(Debug)]
pub struct Bench {
    optimizee: Mlp<HeapNetwork>,
    scratch: HeapTensors,
    losses: Vec<f32>,
    gradient: HeapTensors,
    pick: Vec<u32>,
}

impl Bench {
    /// Memory for a problem.
    #[must_use]
    pub fn new(problem: &Problem) -> Self {
        let optimizee = problem.task.optimizee();
        Self {
            scratch: optimizee.blank_scratch(),
            losses: optimizee.blank_losses(),
            gradient: optimizee.blank_params(),
            pick: vec![0; problem.task.batch],
            optimizee,
        }
    }

    /// Fresh initial parameters.
    pub fn initial(&self, rng: &mut Rng) -> HeapTensors {
        let mut params = self.optimizee.blank_params();
        self.optimizee.initialize(&mut params, rng);
        params
    }

    /// Draws the minibatch of the next step.
    pub fn draw(&mut self, problem: &Problem, rng: &mut Rng) {
        let n = problem.train().len() as u32;
        self.pick.iter_mut().for_each(|i| *i = rng.below(n));
    }

    /// One inner step on the drawn minibatch; gives the loss before it. A lane that is not finite any more stands
    /// still, at an infinite loss.
    pub fn step(&mut self, problem: &Problem, rule: &AnyRule, lane: &mut Lane) -> f32 {
        if lane.broken {
            return f32::INFINITY;
        }
        let train = problem.train();
        let batch = Batch::picked_classes(train.inputs(), train.width(), train.labels(), &self.pick);
        let gradient = &mut self.gradient;
        let n = self.optimizee.gradient(&mut self.scratch, &lane.params, batch, &mut self.losses, gradient);
        let loss = n.map_or(f32::NAN, |n| lgl2o::sum::sum(&self.losses[..n]) / n as f32);
        if !loss.is_finite() || !gradient.is_finite() {
            lane.broken = true;
            return f32::INFINITY;
        }
        rule.step(&mut lane.state, &mut lane.params, gradient, loss, &mut NoProbe);
        loss
    }
}

/// One inner training run: parameters and the learned optimizer's state.
#[derive(Debug, Clone)]
pub struct Lane {
    /// Parameters of the optimizee.
    pub params: HeapTensors,
    /// State of the learned optimizer.
    pub state: AnyState<HeapTensors>,
    /// Whether it has stopped being finite.
    pub broken: bool,
}

impl Lane {
    /// A run from these parameters.
    #[must_use]
    pub fn new(rule: &AnyRule, params: HeapTensors) -> Self {
        Self { state: rule.state(&params), params, broken: false }
    }
}
