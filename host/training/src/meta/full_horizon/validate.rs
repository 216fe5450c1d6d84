//! Validation of a snapshot, on families that are never trained on.
//!
//! ```text
//! tasks   each of the unseen families x ReLU, tanh, sigmoid x a small and a large network x seeds, always the same ones
//! r       score of adam:0.03 with iterates averaged as the learned rule's, on the same task
//! score   mean over tasks of f + mean of the worst tenth of f - r
//! ```
//!
//! How low f can get depends on the task; f - r says where a rule fails.

use std::fmt;

use anyhow::Result;
use lgl2o::Rng;
use lgl2o::rule::Adam;
use rayon::prelude::*;

use super::super::distribution::task::{ACTIVATIONS, DrawnTask, Shape, Space};
use super::super::distribution::{Sources, UNSEEN};
use super::super::theta::Theta;
use super::episode::{self, Score};
use super::{Config, training};
use crate::optimizer::{AnyRule, Method};
use crate::ranks::Ranks;

/// Seed of the tasks: the same ones for all configurations.
const SEED: u64 = 0x76_616c_6964;
/// Rate of the reference.
const REFERENCE: f32 = 0.03;

/// The hidden layers of the small and the large network.
const HIDDEN: [&[usize]; 2] = [&[16], &[32, 32]];

/// The tasks that are validated on, with the reference's scores.
#[derive(Debug)]
pub struct Validator {
    tasks: Vec<(DrawnTask, u32)>,
    reference: Vec<f64>,
}

/// What a snapshot is like.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// Lower is better.
    pub score: f64,
    /// Mean of f over tasks.
    mean: f64,
    /// Mean of the worst tenth of f - r.
    worst: f64,
    /// Mean of f - r.
    against: f64,
    /// Means of the two parts of f.
    parts: Score,
    /// Mean of f over the tasks of each family.
    families: Vec<f64>,
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { score, mean, worst, against, parts: Score { train, held_out, held_out_loss, .. }, families } = self;
        write!(f, "{score:.5},{mean:.5},{worst:.5},{against:.5},{train:.5},{held_out:.5},{held_out_loss:.5}")?;
        families.iter().try_for_each(|family| write!(f, ",{family:.5}"))
    }
}

impl Validator {
    /// Draws the tasks and runs the reference on them.
    ///
    /// # Errors
    /// Those of [`Ranks::try_map`].
    pub fn new(config: &Config, ranks: &Ranks) -> Result<Self> {
        let tasks = ranks.agree(tasks(config))?;
        let reference = method();
        let scores = ranks.try_map(&tasks, |(task, horizon)| episode::run(task, &reference, *horizon))?;
        let reference = scores.iter().map(|score| score.total(&config.estimator)).collect();
        Ok(Self { tasks, reference })
    }

    /// Names of the columns of a [`Found`].
    #[must_use]
    pub fn columns() -> String {
        let families = UNSEEN.map(|family| format!(",f_{}", family.name)).concat();
        format!("score,mean_f,worst_tenth,against_adam,train,held_out,held_out_loss{families}")
    }

    /// Scores a snapshot.
    ///
    /// # Errors
    /// Those of [`Ranks::try_map`].
    pub fn validate(&self, config: &Config, theta: &Theta, ranks: &Ranks) -> Result<Found> {
        let method = training::method(theta.rule(&theta.weights));
        let may_begin = ranks.unless_interrupted();
        let scores = ranks.try_map(&self.tasks, |(task, horizon)| {
            may_begin()?;
            episode::run(task, &method, *horizon)
        })?;
        let totals: Vec<f64> = scores.iter().map(|score| score.total(&config.estimator)).collect();
        let against: Vec<f64> = totals.iter().zip(&self.reference).map(|(f, r)| f - r).collect();
        let (mean, worst) = (mean(totals.iter().copied()), worst_tenth(&against));
        let of_family = |name| {
            let of = self.tasks.iter().zip(&totals).filter(move |((task, _), _)| task.family == name);
            self::mean(of.map(|(_, f)| *f))
        };
        let part = |part: fn(&Score) -> f64| self::mean(scores.iter().map(part));
        Ok(Found {
            score: mean + worst,
            mean,
            worst,
            against: self::mean(against.iter().copied()),
            parts: Score {
                train: part(|s| s.train),
                held_out: part(|s| s.held_out),
                held_out_loss: part(|s| s.held_out_loss),
                broken: false,
            },
            families: UNSEEN.iter().map(|family| of_family(family.name)).collect(),
        })
    }
}

/// The reference.
#[must_use]
pub fn method() -> Method {
    training::method(AnyRule::Adam(Adam::new(REFERENCE)))
}

/// All tasks with their horizons.
fn tasks(config: &Config) -> Result<Vec<(DrawnTask, u32)>> {
    let sources = Sources::default();
    let mut jobs = Vec::new();
    for family in &UNSEEN {
        for activation in ACTIVATIONS {
            for (hidden, horizon) in HIDDEN.iter().zip(config.validation.horizons) {
                let shape = Shape { hidden: hidden.to_vec(), activation };
                jobs.extend((0..config.validation.seeds).map(|_| (family, shape.clone(), horizon)));
            }
        }
    }
    jobs.into_par_iter()
        .enumerate()
        .map(|(number, (family, shape, horizon))| {
            let space = Space { families: &[*family], rows: config.distribution.rows, sources: &sources };
            Ok((space.draw(&mut Rng::stream(SEED, number as u64), Some(shape))?, horizon))
        })
        .collect()
}

/// The mean; 0 of nothing.
pub fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (mut sum, mut count) = (0.0, 0u32);
    for number in numbers {
        (sum, count) = (sum + number, count + 1);
    }
    sum / f64::from(count.max(1))
}

/// The mean of the greatest tenth, of at least one number.
#[must_use]
pub fn worst_tenth(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    mean(sorted.iter().take(numbers.len().div_ceil(10)).copied())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_tenth_is_rounded_up() {
        let numbers: Vec<f64> = (0..11).map(f64::from).collect();
        assert_eq!(worst_tenth(&numbers), 9.5);
        assert_eq!(worst_tenth(&[3.0]), 3.0);
        assert_eq!(mean([].into_iter()), 0.0);
    }
}
