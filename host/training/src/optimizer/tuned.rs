//! Learning rates that a grid search found, task by task.
//!
//! The files under `host/training/tuned/` are what `lgl2o compare --task TASK --tune` writes: the grid, every score in it, and
//! the best rate of each rule. They are built into the program, so that an expression without a rate means the tuned
//! one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rule::AVERAGED;

/// What a grid search found for one task.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuned {
    /// The task.
    pub task: String,
    /// Training steps of each trial.
    pub steps: u64,
    /// Seeds of each trial; they are none that `compare` uses by default.
    pub seeds: Vec<u64>,
    /// What the score is.
    pub score: String,
    /// The best rate of each rule.
    pub best: BTreeMap<String, f32>,
    /// Every rule's grid, as pairs of rate and score; a diverged trial has none.
    pub grid: BTreeMap<String, Vec<Trial>>,
}

/// One point of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// The learning rate.
    pub rate: f32,
    /// Mean score over the seeds; absent if any diverged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
}

/// The tasks whose rates are built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TunedOn {
    /// The built-in spirals.
    Spirals,
    /// MNIST.
    Mnist,
}

impl Tuned {
    /// The built-in result for a task.
    #[must_use]
    pub fn built_in(task: TunedOn) -> Self {
        let text = match task {
            TunedOn::Spirals => include_str!("../../tuned/spirals.toml"),
            TunedOn::Mnist => include_str!("../../tuned/mnist.toml"),
        };
        toml::from_str(text).unwrap_or_default()
    }

    /// The tuned rate of a rule. A rule whose iterates are averaged has the plain rule's unless it was tuned for itself.
    #[must_use]
    pub fn rate(&self, rule: &str) -> Option<f32> {
        let plain = rule.strip_prefix(AVERAGED).unwrap_or(rule);
        self.best.get(rule).or_else(|| self.best.get(plain)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::hand_made;

    #[test]
    fn built_in_files_are_read_and_hold_the_best_of_their_grids() {
        for (task, name) in [(TunedOn::Spirals, "spirals"), (TunedOn::Mnist, "mnist")] {
            let tuned = Tuned::built_in(task);
            assert_eq!(tuned.task, name);
            for (rule, _) in hand_made::searched() {
                let found = tuned.grid.get(rule);
                let trials = found.unwrap_or_else(|| {
                    panic!("host/training/tuned/{name}.toml has no grid of `{rule}`: copy the tuned.toml that `lgl2o compare --task {name} --tune` writes")
                });
                let score = |rate| trials.iter().find(|t| t.rate == rate).and_then(|t| t.score).expect("a score");
                let best = score(tuned.best[rule]);
                assert!(trials.iter().filter_map(|t| t.score).all(|other| best <= other), "{name} {rule}");
            }
        }
    }
}
