//! One training run on one task, and its score f.
//!
//! ```text
//! f     = sum over i of p_i [ ln(L_i + 0.001) + c ln((H_i + 0.05) / (B_i + 0.05)) + d ln(H_i + 0.02) ]
//! p     = .15, .2, .25, .4   after T/8, T/4, T/2, T steps
//! L_i   loss on up to 256 training rows, H_i on up to 256 held-out rows, of the parameters that a user would have then;
//!       at most 2 max(ln classes, L at the start), and that if it is not finite
//! B_i   the lowest held-out loss of the start and the points up to this one
//! ```
//!
//! The first part says how fast training is, a factor of the loss counting alike early and late. The second one says
//! what overfitting costs: what was better on held-out rows before. The third one is the held-out loss itself, so that a
//! fast start that ends in a place which generalises badly counts, too. c is `held_out_weight`, d `held_out_loss_weight`.

use anyhow::Result;
use lgl2o::checkpoint::{Fingerprint, Persist};
use lgl2o::{Guard, Memory, Trainer};
use serde::{Deserialize, Serialize};

use super::super::distribution::task::DrawnTask;
use super::config::EstimatorConfig;
use crate::data::Dataset;
use crate::experiment::{Bounded, Evaluator, Examples};
use crate::network::HeapTensors;
use crate::optimizer::{GuardVisitor, Method};

/// Shares of a run at whose end it is looked at, as divisors of its length, and how much each counts.
const POINTS: [(u64, f64); 4] = [(8, 0.15), (4, 0.2), (2, 0.25), (1, 0.4)];
/// Rows that a loss is measured on.
const ROWS: usize = 256;

/// The score of an episode, lower is better.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Its part of the training loss.
    pub train: f64,
    /// Its part of the held-out loss, without the factor c.
    pub held_out: f64,
    /// Its part of the held-out loss itself, without the factor d.
    pub held_out_loss: f64,
    /// Whether the run ended with a number that is not finite.
    pub broken: bool,
}

impl Score {
    /// f.
    #[must_use]
    pub fn total(&self, weights: &EstimatorConfig) -> f64 {
        let EstimatorConfig { held_out_weight, held_out_loss_weight, .. } = weights;
        self.train + held_out_weight * self.held_out + held_out_loss_weight * self.held_out_loss
    }
}

/// Runs a method for some steps and scores the run.
///
/// # Errors
/// Settings out of range, or batches that do not fit the task. A run that diverges is none.
pub fn run(task: &DrawnTask, method: &Method, horizon: u32) -> Result<Score> {
    Ok(method.visit(Episode { task, method, horizon: u64::from(horizon) })??)
}

struct Episode<'a> {
    task: &'a DrawnTask,
    method: &'a Method,
    horizon: u64,
}

impl GuardVisitor for Episode<'_> {
    type Output = Result<Score, lgl2o::Error>;

    /// A round does not reach over a point.
    fn visit<G: Guard + Fingerprint>(self, guard: &G) -> Self::Output
    where
        G::Memory<HeapTensors>: Persist,
    {
        let Self { task, method, horizon } = self;
        let optimizee = task.optimizee();
        let mut examples = Examples::new(&task.train, method, task.batch, task.seed);
        let mut source = examples.source()?;
        let mut memory = Memory::blank(&optimizee, guard);
        task.initialize(memory.params_mut());
        let mut trainer = Trainer::new(&optimizee, guard, &mut memory);
        let mut scorer = Scorer::new(task, trainer.params());
        for (divisor, weight) in POINTS {
            let point = horizon / divisor;
            while trainer.progress().steps < point {
                let left = point - trainer.progress().steps;
                match trainer.round(&mut Bounded { source: &mut source, left }) {
                    Ok(_) => {}
                    // Only a rule that runs alone can fail so: what it does next is not defined any more.
                    Err(lgl2o::Error::Diverged | lgl2o::Error::NonFiniteGradient) => return Ok(scorer.broken()),
                    Err(error) => return Err(error),
                }
            }
            scorer.add(weight, trainer.params());
        }
        Ok(scorer.score)
    }
}

/// Sums up the score of a run.
struct Scorer<'a> {
    task: &'a DrawnTask,
    evaluator: Evaluator,
    cap: f64,
    best: f64,
    /// Weights of the points that are there.
    seen: f64,
    score: Score,
}

impl<'a> Scorer<'a> {
    fn new(task: &'a DrawnTask, start: &HeapTensors) -> Self {
        let mut evaluator = Evaluator::new(&task.network);
        let guess = libm::log(task.train.classes() as f64);
        let mut loss = |data: &Dataset| evaluator.score(start, data, ROWS).loss.unwrap_or(guess);
        let cap = 2.0 * guess.max(loss(&task.train));
        let best = loss(&task.held_out).min(cap);
        Self {
            task,
            evaluator,
            cap,
            best,
            seen: 0.0,
            score: Score { train: 0.0, held_out: 0.0, held_out_loss: 0.0, broken: false },
        }
    }

    /// Adds a point.
    fn add(&mut self, weight: f64, params: &HeapTensors) {
        let cap = self.cap;
        let mut loss = |data: &Dataset| self.evaluator.score(params, data, ROWS).loss.unwrap_or(cap).min(cap);
        let (train, held_out) = (loss(&self.task.train), loss(&self.task.held_out));
        self.count(weight, train, held_out);
    }

    fn count(&mut self, weight: f64, train: f64, held_out: f64) {
        self.best = self.best.min(held_out);
        self.score.train += weight * libm::log(train + 1e-3);
        self.score.held_out += weight * libm::log((held_out + 0.05) / (self.best + 0.05));
        self.score.held_out_loss += weight * libm::log(held_out + 0.02);
        self.seen += weight;
    }

    /// The score of a run that ends here: all later points count as the cap.
    fn broken(mut self) -> Score {
        let rest = POINTS.iter().map(|(_, weight)| weight).sum::<f64>() - self.seen;
        self.count(rest, self.cap, self.cap);
        Score { broken: true, ..self.score }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::distribution::task::{Shape, Space};
    use super::super::super::distribution::{Sources, UNSEEN};
    use super::*;
    use crate::optimizer::{Tuned, parse};
    use lgl2o::Rng;
    use lgl2o::objective::mlp::Activation;

    fn task() -> DrawnTask {
        let space = Space { families: &UNSEEN[2..3], rows: [200, 200], sources: &Sources::default() };
        // Units that do not saturate, so that a run with a rate far too large breaks.
        let shape = Shape { hidden: vec![12], activation: Activation::Relu };
        space.draw(&mut Rng::new(4), Some(shape)).unwrap()
    }

    fn method(name: &str) -> Method {
        parse(name, &Tuned::default()).expect("an optimizer").method
    }

    #[test]
    fn learning_is_better_than_standing_still_and_breaking_is_worst() {
        let task = task();
        let score = |name: &str| run(&task, &method(name), 200).unwrap();
        let (learns, stands, breaks) = (score("adam:0.01"), score("sgd:1e-12"), score("sgd:1e30"));
        assert!(learns.train < stands.train - 0.1 && stands.train < breaks.train, "{learns:?} {stands:?} {breaks:?}");
        assert!(breaks.broken && !learns.broken && !stands.broken);
        assert!(stands.held_out.abs() < 1e-6 && breaks.held_out > 0.1, "{stands:?} {breaks:?}");
        assert!(breaks.held_out_loss > stands.held_out_loss, "{stands:?} {breaks:?}");
    }

    #[test]
    fn guards_end_their_rounds_at_the_points() {
        let score = run(&task(), &method("lgl2o(adam:0.01,sgd:0.1)"), 100).unwrap();
        assert!(score.train.is_finite() && !score.broken);
    }

    /// With losses 1, 1, 1, 1 the training part is ln 1.001; what is lost on held-out rows counts from the best point on.
    #[test]
    fn scores_by_hand() {
        let task = task();
        let mut params = lgl2o::objective::Blank::blank_params(&task.optimizee());
        task.initialize(&mut params);
        let mut scorer = Scorer::new(&task, &params);
        scorer.best = 0.95;
        for ((_, weight), held_out) in POINTS.into_iter().zip([0.45, 0.95, 0.45, 1.95]) {
            scorer.count(weight, 1.0, held_out);
        }
        assert!((scorer.score.train - libm::log(1.001)).abs() < 1e-12);
        let lost = 0.2 * libm::log(2.0) + 0.4 * libm::log(4.0);
        assert!((scorer.score.held_out - lost).abs() < 1e-12, "{:?}", scorer.score);
        let loss = 0.4 * libm::log(0.47) + 0.2 * libm::log(0.97) + 0.4 * libm::log(1.97);
        assert!((scorer.score.held_out_loss - loss).abs() < 1e-12, "{:?}", scorer.score);
    }
}
