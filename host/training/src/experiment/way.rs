//! How far a run has come between two rounds: what is on its curve, what is accepted, who has won.

use serde::{Deserialize, Serialize};

use super::Evaluator;
use crate::container::{bytes, numbers};
use crate::network::HeapTensors;
use crate::record::{Point, Verdicts, Winner};
use crate::task::Task;

/// Examples of the training set that the training loss on a curve is measured on.
pub(crate) const TRAIN_SAMPLE: usize = 2_000;

/// How far a run has come.
pub(super) struct Way<'a> {
    pub(super) curve: Curve<'a>,
    pub(super) accepted: Accepted,
    pub(super) verdicts: Vec<Verdicts>,
    pub(super) learned_steps: u64,
}

/// The same in a file, without what is accepted: that and the core's checkpoint are the file's body.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    points: Vec<Point>,
    /// Steps at which the curve is still to be evaluated.
    left: usize,
    pub(super) step: u64,
    cost: f64,
    verdicts: Vec<Verdicts>,
    learned_steps: u64,
}

impl<'a> Way<'a> {
    /// Before the first step.
    pub(super) fn new(task: &'a Task, schedule: &'a [u64], params: &HeapTensors) -> Self {
        let accepted = Accepted { step: 0, cost: 0.0, params: params.clone() };
        Self { curve: Curve::new(task, schedule), accepted, verdicts: Vec::new(), learned_steps: 0 }
    }

    /// What is to be kept of it.
    pub(super) fn kept(&self) -> (Kept, Vec<u8>) {
        let Self { curve, accepted, verdicts, learned_steps } = self;
        let kept = Kept {
            points: curve.points.clone(),
            left: curve.schedule.len(),
            step: accepted.step,
            cost: accepted.cost,
            verdicts: verdicts.clone(),
            learned_steps: *learned_steps,
        };
        (kept, bytes(accepted.params.as_slice()))
    }

    /// Goes on from there; `params` are the bytes of what was accepted.
    pub(super) fn go_on(&mut self, kept: Kept, params: &[u8]) {
        let Kept { points, left, step, cost, verdicts, learned_steps } = kept;
        self.curve.go_on(points, left);
        (self.accepted.step, self.accepted.cost) = (step, cost);
        self.accepted.params.as_mut_slice().copy_from_slice(&numbers(params));
        (self.verdicts, self.learned_steps) = (verdicts, learned_steps);
    }

    /// A round was won, or by nobody, with so many steps.
    pub(super) fn won(&mut self, winner: lgl2o::Winner, steps: u64) {
        self.learned_steps += if winner == lgl2o::Winner::Learned { steps } else { 0 };
        let until = self.accepted.step + steps;
        let winner = match winner {
            lgl2o::Winner::Fallback => Winner::Fallback,
            lgl2o::Winner::Learned => Winner::Learned,
            lgl2o::Winner::Neither => Winner::Neither,
        };
        match self.verdicts.last_mut() {
            Some(last) if last.winner == winner => last.until = until,
            _ => self.verdicts.push(Verdicts { winner, until }),
        }
    }
}

/// What the last finished round left behind.
pub(super) struct Accepted {
    pub(super) step: u64,
    pub(super) cost: f64,
    pub(super) params: HeapTensors,
}

impl Accepted {
    pub(super) fn take(&mut self, step: u64, cost: f64, params: &HeapTensors) {
        (self.step, self.cost) = (step, cost);
        self.params.as_mut_slice().copy_from_slice(params.as_slice());
    }
}

/// The points of a curve, as far as it is.
pub(super) struct Curve<'a> {
    task: &'a Task,
    /// Steps at which it is still to be evaluated.
    schedule: &'a [u64],
    last: u64,
    pub(super) points: Vec<Point>,
}

impl<'a> Curve<'a> {
    pub(super) fn new(task: &'a Task, schedule: &'a [u64]) -> Self {
        Self { task, schedule, last: schedule.last().copied().unwrap_or(0), points: Vec::new() }
    }

    /// Goes on with some points, of which so many steps were left.
    fn go_on(&mut self, points: Vec<Point>, left: usize) {
        self.points = points;
        self.schedule = &self.schedule[self.schedule.len().saturating_sub(left)..];
    }

    /// Whether there is a step left to evaluate at.
    pub(super) fn is_due(&self) -> bool {
        !self.schedule.is_empty()
    }

    /// The last one.
    pub(super) fn last(&self) -> u64 {
        self.last
    }

    /// Leaves out the steps before this one, except for the last of all.
    pub(super) fn skip_to(&mut self, step: u64) {
        let passed = self.schedule.partition_point(|s| *s < step.min(self.last));
        self.schedule = &self.schedule[passed..];
    }

    /// Evaluates if the schedule asks for it at or before this step.
    pub(super) fn evaluate(&mut self, step: u64, cost: f64, params: &HeapTensors, evaluator: &mut Evaluator) {
        let (due, rest) = self.schedule.split_at(self.schedule.partition_point(|s| *s <= step));
        if due.is_empty() {
            return;
        }
        self.schedule = rest;
        let train = evaluator.score(params, self.task.train(), TRAIN_SAMPLE);
        let test = evaluator.score(params, self.task.test(), usize::MAX);
        self.points.extend(due.iter().map(|&step| Point {
            step,
            cost,
            train_loss: train.loss,
            test_loss: test.loss,
            test_accuracy: test.loss.and(test.accuracy),
        }));
    }

    /// Fills the rest of the schedule with losses that are not there; cost grows by as much a step as so far.
    pub(super) fn diverge(&mut self, cost: f64, done: u64) {
        let per_step = if done > 0 { cost / done as f64 } else { 3.0 };
        for &step in self.schedule {
            let cost = cost + (step - done.min(step)) as f64 * per_step;
            self.points.push(Point { step, cost, train_loss: None, test_loss: None, test_accuracy: None });
        }
        self.schedule = &[];
    }
}
