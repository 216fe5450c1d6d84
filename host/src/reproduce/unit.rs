//! Units of work: one optimizer, one seed, on one task.
//!
//! A unit is described by values alone, and its result is a [`Run`], so that any thread of any rank can do it.

use anyhow::Result;

use super::steps;
use crate::experiment::{Halfway, run_unless};
use crate::optimizer::{Tuned, parse};
use crate::record::Run;
use crate::task::Task;

/// The half of the data that a unit is judged on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Split {
    /// Training data held out for selection.
    Selection,
    /// The test data.
    Test,
}

/// One run to be done.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unit {
    /// What it is judged on.
    pub split: Split,
    /// The optimizer, with every rate written out.
    pub expression: String,
    /// Seed of initial parameters and minibatches.
    pub seed: u64,
    /// Training steps.
    pub steps: u64,
}

impl Unit {
    /// Runs it, from what was kept of it on its way. `advance` is called with the number of steps done.
    ///
    /// # Errors
    /// What is wrong with the expression, its settings or the data.
    pub fn work(&self, task: &Task, halfway: &Halfway, advance: &(dyn Fn(u64) + Sync)) -> Result<Run> {
        let optimizer = parse(&self.expression, &Tuned::default())?;
        let points = steps::points(self.steps);
        Ok(run_unless(task, &optimizer, self.seed, &points, advance, halfway, &|| false)?.run)
    }

    /// A line that says everything the result depends on, the program's sources by their digest; `task` describes task
    /// and data.
    #[must_use]
    pub fn key(&self, task: &str) -> String {
        let Self { split, expression, seed, steps } = self;
        let (version, sources, points) = (env!("CARGO_PKG_VERSION"), lgl2o_training::SOURCES, steps::points(*steps));
        format!("lgl2o {version} {sources} | {task} | {split:?} | {expression} | seed {seed} | {points:?}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(expression: &str, seed: u64, steps: u64) -> Unit {
        Unit { split: Split::Test, expression: expression.to_owned(), seed, steps }
    }

    #[test]
    fn keys_differ_in_whatever_a_result_depends_on() {
        let one = unit("sgd:1", 1, 50);
        let others = [unit("sgd:2", 1, 50), unit("sgd:1", 2, 50), unit("sgd:1", 1, 60)];
        let selection = Unit { split: Split::Selection, ..one.clone() };
        for other in others.iter().chain([&selection]) {
            assert_ne!(one.key("t"), other.key("t"));
        }
        assert_ne!(one.key("t"), one.key("u"));
        assert_eq!(one.key("t"), one.clone().key("t"));
    }
}
