//! One optimizer, one seed, one curve.

use lgl2o::batch::Sampler;
use lgl2o::{Guard, Memory, Trainer, Winner};

use super::Evaluator;
use crate::network::HeapTensors;
use crate::optimizer::{GuardVisitor, Optimizer};
use crate::record::{self, Point, Run, Verdicts};
use crate::task::Task;

/// Examples of the training set that the training loss on a curve is measured on.
const TRAIN_SAMPLE: usize = 2_000;

/// What a run leaves behind.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// For the record.
    pub run: Run,
    /// The parameters at the end; those before the step that failed, if the run diverged.
    pub params: HeapTensors,
}

/// Steps at which curves are evaluated: 0, then 1, 2, 3, 5 in every decade, and the last one.
#[must_use]
pub fn schedule(steps: u64) -> Vec<u64> {
    let mut all = vec![0];
    let mut decade = 1u64;
    while decade <= steps {
        all.extend([1, 2, 3, 5].map(|m| m * decade).into_iter().filter(|s| *s <= steps));
        decade = decade.saturating_mul(10);
    }
    if all.last() != Some(&steps) {
        all.push(steps);
    }
    all
}

/// Trains with one optimizer from one seed. `advance` is told of every few steps done.
///
/// # Errors
/// Settings out of range, or data that do not fit the task. A diverged run is no error: its losses are `null`.
pub fn run(
    task: &Task,
    optimizer: &Optimizer,
    seed: u64,
    steps: u64,
    advance: &(dyn Fn(u64) + Sync),
) -> Result<Outcome, lgl2o::Error> {
    optimizer.method.visit(Runner { task, optimizer, seed, steps, advance })?
}

struct Runner<'a> {
    task: &'a Task,
    optimizer: &'a Optimizer,
    seed: u64,
    steps: u64,
    advance: &'a (dyn Fn(u64) + Sync),
}

impl GuardVisitor for Runner<'_> {
    type Output = Result<Outcome, lgl2o::Error>;

    fn visit<G: Guard>(self, guard: &G) -> Self::Output {
        let optimizee = self.task.optimizee();
        let train = self.task.train();
        let mut evaluator = Evaluator::new(&self.task.network);
        let (mut pick, mut used) = (vec![0; self.task.batch], vec![0; train.len().div_ceil(32)]);
        let mut source = Sampler::new(train.inputs(), train.width(), train.labels(), self.seed, &mut pick, &mut used)?;
        let mut memory = Memory::blank(&optimizee, guard);
        *memory.params_mut() = evaluator.initial(self.seed);
        let mut trainer = Trainer::new(&optimizee, guard, &mut memory);
        let mut curve = Curve::new(self.task, self.steps);
        curve.evaluate(0, 0.0, trainer.params(), &mut evaluator);
        let mut verdicts = Vec::new();
        let mut done = 0;
        while done < self.steps {
            match trainer.round(&mut source) {
                Ok(verdict) => push(&mut verdicts, verdict.winner, done + u64::from(verdict.steps)),
                // Only a rule that runs alone can fail so: what it does next is not defined any more.
                Err(lgl2o::Error::Diverged | lgl2o::Error::NonFiniteGradient) => break,
                Err(error) => return Err(error),
            }
            (self.advance)(trainer.progress().steps - done);
            done = trainer.progress().steps;
            let cost = trainer.progress().spent.in_forwards() as f64 / self.task.batch as f64;
            curve.evaluate(done, cost, trainer.params(), &mut evaluator);
        }
        if done < self.steps {
            (self.advance)(self.steps - done);
            curve.diverge(trainer.progress().spent.in_forwards() as f64 / self.task.batch as f64, done);
        }
        let guarded = self.optimizer.method.is_guarded();
        Ok(Outcome {
            run: Run {
                optimizer: self.optimizer.name.clone(),
                seed: self.seed,
                learned_share: f64::from(trainer.progress().learned_share()),
                curve: curve.points,
                verdicts: if guarded { verdicts } else { Vec::new() },
            },
            params: trainer.params().clone(),
        })
    }
}

/// Adds a round's winner to the stretches of equal verdicts.
fn push(verdicts: &mut Vec<Verdicts>, winner: Winner, until: u64) {
    let winner = match winner {
        Winner::Fallback => record::Winner::Fallback,
        Winner::Learned => record::Winner::Learned,
        Winner::Neither => record::Winner::Neither,
    };
    match verdicts.last_mut() {
        Some(last) if last.winner == winner => last.until = until,
        _ => verdicts.push(Verdicts { winner, until }),
    }
}

/// The points of a curve, as far as it is.
struct Curve<'a> {
    task: &'a Task,
    schedule: std::iter::Peekable<std::vec::IntoIter<u64>>,
    points: Vec<Point>,
}

impl<'a> Curve<'a> {
    fn new(task: &'a Task, steps: u64) -> Self {
        Self { task, schedule: schedule(steps).into_iter().peekable(), points: Vec::new() }
    }

    /// Evaluates if the schedule asks for it at or before this step; a round may pass several of its points at once.
    fn evaluate(&mut self, step: u64, cost: f64, params: &HeapTensors, evaluator: &mut Evaluator) {
        let mut due = false;
        while self.schedule.next_if(|s| *s <= step).is_some() {
            due = true;
        }
        if !due {
            return;
        }
        let train = evaluator.score(params, self.task.train(), TRAIN_SAMPLE);
        let test = evaluator.score(params, self.task.test(), usize::MAX);
        self.points.push(Point {
            step,
            cost,
            train_loss: train.loss,
            test_loss: test.loss,
            test_accuracy: test.loss.and(test.accuracy),
        });
    }

    /// Fills the rest of the schedule with losses that are not there; cost goes on at the pace so far.
    fn diverge(&mut self, cost: f64, done: u64) {
        let pace = if done > 0 { cost / done as f64 } else { 3.0 };
        for step in self.schedule.by_ref() {
            let cost = cost + (step - done.min(step)) as f64 * pace;
            self.points.push(Point { step, cost, train_loss: None, test_loss: None, test_accuracy: None });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_ends_with_the_last_step() {
        assert_eq!(schedule(1), [0, 1]);
        assert_eq!(schedule(7), [0, 1, 2, 3, 5, 7]);
        assert_eq!(schedule(20), [0, 1, 2, 3, 5, 10, 20]);
    }
}
