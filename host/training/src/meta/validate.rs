//! Validation of a snapshot: complete runs on held-out training data. Test data is never seen here.

use std::sync::Arc;

use anyhow::Result;
use lgl2o::Rng;

use super::config::{Config, ValidationConfig};
use super::problem::{Problem, Workspace};
use super::theta::Theta;
use crate::experiment::Evaluator;
use crate::ranks::Ranks;

/// Score of a snapshot, lower is better.
#[derive(Debug, Clone, PartialEq)]
pub struct Validation {
    /// Mean of ln(held-out loss + 0.01) over tasks, seeds and steps; a loss counts 1.5 ln(classes) at most.
    pub score: f64,
    /// The same mean over each task's runs alone, in the configuration's order of tasks.
    pub tasks: Vec<f64>,
    /// Mean held-out loss at each of the steps.
    pub losses: Vec<f64>,
}

/// The tasks that are validated on.
pub fn chosen<'a>(config: &'a Config, problems: &'a [Arc<Problem>]) -> impl Iterator<Item = &'a Arc<Problem>> {
    problems.iter().filter(|p| config.validation.tasks.contains(&p.config.name))
}

/// Validates a snapshot on the tasks that the configuration names.
///
/// # Errors
/// Those of [`Ranks::map`].
pub fn validate(config: &Config, problems: &[Arc<Problem>], theta: &Theta, ranks: &Ranks) -> Result<Validation> {
    let seeds = config.validation.seeds;
    let jobs: Vec<(&Arc<Problem>, u64)> =
        chosen(config, problems).flat_map(|p| (0..seeds).map(move |seed| (p, seed))).collect();
    let curves = ranks.map(&jobs, |(problem, seed)| curve(&config.validation, problem, theta, *seed))?;
    let runs = curves.len() as f64;
    let steps = config.validation.steps.len();
    let losses = (0..steps).map(|i| curves.iter().map(|c| c[i]).sum::<f64>() / runs).collect();
    let tasks = curves.chunks(seeds as usize).map(score).collect();
    Ok(Validation { score: score(&curves), tasks, losses })
}

/// Mean of ln(loss + 0.01) over all points of some curves.
fn score(curves: &[Vec<f64>]) -> f64 {
    let points = curves.iter().map(Vec::len).sum::<usize>();
    let logs = curves.iter().flatten().map(|loss| libm::log(loss + 0.01)).sum::<f64>();
    logs / points as f64
}

/// Held-out losses of one run at the configured steps.
fn curve(config: &ValidationConfig, problem: &Problem, theta: &Theta, seed: u64) -> Vec<f64> {
    let mut rng = Rng::stream(0x76_616c_6964, seed);
    let mut workspace = Workspace::new(problem);
    let mut evaluator = Evaluator::new(&problem.task.network);
    let rule = theta.rule(&theta.weights);
    let mut lane = workspace.begin(problem, &rule, &mut rng);
    let most = 1.5 * libm::log(problem.train().classes() as f64);
    let mut losses = Vec::new();
    let mut done = 0;
    for &step in &config.steps {
        while done < step {
            workspace.draw(problem, &mut rng);
            workspace.step(problem, &rule, &mut lane);
            done += 1;
        }
        let score = evaluator.score(workspace.weights(&lane), problem.task.test(), usize::MAX);
        let loss = if lane.broken { None } else { score.loss };
        losses.push(loss.map_or(most, |loss| loss.min(most)));
    }
    losses
}
