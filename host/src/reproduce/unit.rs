//! Units of work: one optimizer, one seed, on one task.
//!
//! A unit is described by values alone, and its result is a [`Run`], so that any thread of any rank can do it.

use std::collections::BTreeMap;
use std::sync::Mutex;

use anyhow::Result;
use lgl2o::learned::file::crc32;
use lgl2o::objective::mlp::Activation;

use super::plan;
use crate::data::{DataSets, spirals};
use crate::experiment::run;
use crate::optimizer::{Optimizer, Tuned, parse};
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
    /// Does it. `advance` is told of steps done.
    ///
    /// # Errors
    /// What is wrong with the expression, its settings or the data.
    pub fn work(&self, task: &Task, advance: &(dyn Fn(u64) + Sync)) -> Result<Run> {
        let optimizer = parse(&self.expression, &Tuned::default())?;
        Ok(run(task, &optimizer, self.seed, &plan::points(self.steps), advance)?.run)
    }

    /// A line that says everything the result depends on; `task` describes task and data.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub fn key(&self, task: &str, fingerprints: &Fingerprints) -> Result<String> {
        let fingerprint = fingerprints.of(&self.expression)?;
        let Self { split, expression, seed, steps } = self;
        let (version, points) = (env!("CARGO_PKG_VERSION"), plan::points(*steps));
        Ok(format!(
            "lgl2o {version} | {task} | {split:?} | {expression} | acts as {fingerprint:08x} | seed {seed} | {points:?}"
        ))
    }
}

/// What optimizers do, in 32 bits each: a checksum over settings, learned weights, and the parameters that a short run
/// on a small task ends with. A program in which a rule, a guard or a kernel has changed gives another number, so that
/// it does not take an earlier program's results for its own.
#[derive(Debug)]
pub struct Fingerprints {
    task: Task,
    known: Mutex<BTreeMap<String, u32>>,
}

impl Default for Fingerprints {
    fn default() -> Self {
        let data = DataSets { name: "fingerprint".to_owned(), train: spirals(3, 512), test: spirals(4, 16) };
        Self { task: Task::new("fingerprint", data, &[11, 9], Activation::Tanh, 16), known: Mutex::default() }
    }
}

impl Fingerprints {
    /// Steps of the short run.
    const STEPS: u64 = 120;

    /// The checksum of an optimizer.
    ///
    /// # Errors
    /// What is wrong with the expression.
    pub fn of(&self, expression: &str) -> Result<u32> {
        let lock = || self.known.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(known) = lock().get(expression) {
            return Ok(*known);
        }
        let Optimizer { method, name } = parse(expression, &Tuned::default())?;
        let mut bytes = format!("{method:?}").into_bytes();
        let ran = run(&self.task, &Optimizer { name, method }, 1, &[Self::STEPS], &|_| {})?;
        bytes.extend(ran.params.as_slice().iter().flat_map(|x| x.to_bits().to_le_bytes()));
        bytes.extend(ran.run.curve.iter().flat_map(|point| point.cost.to_bits().to_le_bytes()));
        let fingerprint = crc32(&bytes);
        lock().insert(expression.to_owned(), fingerprint);
        Ok(fingerprint)
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
        let fingerprints = Fingerprints::default();
        let key = |unit: &Unit, task: &str| unit.key(task, &fingerprints).unwrap();
        let one = unit("sgd:1", 1, 50);
        let others = [unit("sgd:2", 1, 50), unit("sgd:1", 2, 50), unit("sgd:1", 1, 60)];
        let selection = Unit { split: Split::Selection, ..one.clone() };
        for other in others.iter().chain([&selection]) {
            assert_ne!(key(&one, "t"), key(other, "t"));
        }
        assert_ne!(key(&one, "t"), key(&one, "u"));
        assert_eq!(key(&one, "t"), key(&one.clone(), "t"));
    }

    #[test]
    fn a_fingerprint_follows_what_an_optimizer_does() {
        let of = |expression: &str| Fingerprints::default().of(expression).unwrap();
        assert_eq!(of("lgl2o(l2o,sgd:1)"), of("lgl2o(l2o,sgd:1)"));
        assert_ne!(of("lgl2o(l2o,sgd:1)"), of("lgl2o(l2o,sgd:1,no-veto)"));
        assert_ne!(of("sgd:1"), of("momentum:1"));
    }
}
