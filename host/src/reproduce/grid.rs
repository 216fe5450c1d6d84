//! The outcome of a task's grid search: the best rate of each rule for each checkpoint.
//!
//! Trials run on training data alone ([`DataSets::for_selection`](crate::data::DataSets::for_selection)), to the task's
//! full horizon, on the rule's [grid](hand_made::grid). A constant rate knows nothing of its horizon, so one trial serves every
//! checkpoint on its way: a baseline that is shown at step s has the rate that was best at step s.

use std::collections::BTreeMap;

use super::tasks::TaskPlan;
use super::unit::{Split, Unit};
use crate::experiment::tune;
use crate::optimizer::{Tuned, hand_made};
use crate::record::Run;

/// The trials of a task's grid.
#[must_use]
pub fn trials(task: &TaskPlan) -> Vec<Unit> {
    let seeds = &tune::SEEDS[..task.grid_seeds.min(tune::SEEDS.len())];
    let grid =
        |rule: &'static str| hand_made::grid(rule).into_iter().flatten().map(move |rate| format!("{rule}:{rate}"));
    let rates = task.rules.iter().flat_map(|rule| grid(rule));
    let unit = |(expression, &seed)| Unit { split: Split::Selection, expression, seed, steps: task.steps };
    rates.flat_map(|rate| seeds.iter().map(move |seed| (rate.clone(), seed))).map(unit).collect()
}

/// Mean losses by step; none where a seed diverged.
type Losses = BTreeMap<u64, Option<f64>>;

/// Mean held-out losses of all trials.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// By rule, the rates in the order of the grid, each with its losses.
    scores: BTreeMap<String, Vec<(f32, Losses)>>,
}

impl Grid {
    /// Sums up runs; those of one rate must stand together.
    #[must_use]
    pub fn new(runs: &[Run]) -> Self {
        let mut scores: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for seeds in runs.chunk_by(|a, b| a.optimizer == b.optimizer) {
            let Some((rule, rate)) = seeds[0].optimizer.split_once(':') else { continue };
            let Ok(rate) = rate.parse() else { continue };
            scores.entry(rule.to_owned()).or_default().push((rate, means(seeds)));
        }
        Self { scores }
    }

    /// The best rate of a rule at a step; the smallest one if all diverged.
    #[must_use]
    pub fn best(&self, rule: &str, step: u64) -> Option<f32> {
        let rates = self.scores.get(rule)?;
        let finite = rates.iter().filter_map(|(rate, losses)| Some((*rate, losses.get(&step).copied().flatten()?)));
        let best = finite.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(rate, _)| rate);
        best.or_else(|| rates.first().map(|(rate, _)| *rate))
    }

    /// The rates tuned for a step, as expressions need them.
    #[must_use]
    pub fn tuned(&self, step: u64) -> Tuned {
        let best = self.scores.keys().filter_map(|rule| Some((rule.clone(), self.best(rule, step)?)));
        Tuned { best: best.collect(), ..Tuned::default() }
    }
}

fn means(seeds: &[Run]) -> Losses {
    let mean = |step: u64| {
        let losses = seeds.iter().map(|run| run.curve.iter().find(|p| p.step == step).and_then(|p| p.test_loss));
        losses.sum::<Option<f64>>().map(|sum| sum / seeds.len() as f64)
    };
    seeds.iter().flat_map(|run| &run.curve).map(|point| (point.step, mean(point.step))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::sample;

    #[test]
    fn each_step_has_its_own_best_rate() {
        let runs = [
            sample::run("sgd:0.1", 1, &[(50, 2.0), (100, 1.0)]),
            sample::run("sgd:0.1", 2, &[(50, 2.0), (100, 1.2)]),
            sample::run("sgd:1", 1, &[(50, 1.0), (100, 2.0)]),
            sample::run("sgd:1", 2, &[(50, 1.5), (100, 2.0)]),
            sample::run("sgd:10", 1, &[(50, 0.1), (100, f64::NAN)]),
            sample::run("sgd:10", 2, &[(50, f64::NAN), (100, 0.1)]),
            sample::run("adam:0.5", 1, &[(50, f64::NAN), (100, f64::NAN)]),
        ];
        let grid = Grid::new(&runs);
        assert_eq!((grid.best("sgd", 50), grid.best("sgd", 100)), (Some(1.0), Some(0.1)));
        assert_eq!((grid.best("adam", 50), grid.best("lion", 50)), (Some(0.5), None));
        assert_eq!(grid.tuned(100).rate("sgd"), Some(0.1));
    }
}
