//! One optimizer, one seed, one curve.

use lgl2o::checkpoint::{Fingerprint, Persist};
use lgl2o::trainer::Progress;
use lgl2o::{Guard, Memory, Trainer, Winner};
pub(crate) use lgl2o_device::table::Bounded;

use super::Evaluator;
use super::examples::Examples;
use crate::network::HeapTensors;
use crate::optimizer::{GuardVisitor, Optimizer};
use crate::record::{self, Point, Run, Verdicts};
use crate::task::Task;

/// Examples of the training set that the training loss on a curve is measured on.
pub(crate) const TRAIN_SAMPLE: usize = 2_000;

/// What a run leaves behind.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// For the record.
    pub run: Run,
    /// The parameters at the end; those before the step that failed, if the run diverged.
    pub params: HeapTensors,
    /// Whether it was not stopped before its end.
    pub finished: bool,
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

/// Trains with one optimizer from one seed, up to the last of some rising steps, and evaluates it at each of them.
/// `advance` is called with the number of steps done, every few of them.
///
/// A round may reach over such a step. The curve then shows what is accepted there, the outcome of the round before, and
/// what that has cost: so all seeds have a point at the same steps, however long their rounds are. Steps inside the very
/// first round are left out. No round reaches over the last step.
///
/// # Errors
/// Settings out of range, or data that do not fit the task. A diverged run is no error: its losses are `null`.
pub fn run(
    task: &Task,
    optimizer: &Optimizer,
    seed: u64,
    points: &[u64],
    advance: &(dyn Fn(u64) + Sync),
) -> Result<Outcome, lgl2o::Error> {
    run_unless(task, optimizer, seed, points, advance, &|| false)
}

/// [`run`], except that it ends as soon as `stop` returns true; its curve is then shorter.
///
/// # Errors
/// As [`run`].
pub fn run_unless(
    task: &Task,
    optimizer: &Optimizer,
    seed: u64,
    points: &[u64],
    advance: &(dyn Fn(u64) + Sync),
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Outcome, lgl2o::Error> {
    optimizer.method.visit(Runner { task, optimizer, seed, points, advance, stop })?
}

struct Runner<'a> {
    task: &'a Task,
    optimizer: &'a Optimizer,
    seed: u64,
    points: &'a [u64],
    advance: &'a (dyn Fn(u64) + Sync),
    stop: &'a (dyn Fn() -> bool + Sync),
}

impl Runner<'_> {
    fn record(&self, progress: &Progress, learned_steps: u64, curve: Vec<Point>, verdicts: Vec<Verdicts>) -> Run {
        Run {
            optimizer: self.optimizer.name.clone(),
            seed: self.seed,
            learned_share: f64::from(progress.learned_share()),
            learned_steps_share: learned_steps as f64 / progress.steps.max(1) as f64,
            curve,
            verdicts: if self.optimizer.method.is_guarded() { verdicts } else { Vec::new() },
        }
    }
}

impl GuardVisitor for Runner<'_> {
    type Output = Result<Outcome, lgl2o::Error>;

    fn visit<G: Guard + Fingerprint>(self, guard: &G) -> Self::Output
    where
        G::Memory<HeapTensors>: Persist,
    {
        let optimizee = self.task.optimizee();
        let train = self.task.train();
        let mut evaluator = Evaluator::new(&self.task.network);
        let mut examples = Examples::new(train, &self.optimizer.method, self.task.batch, self.seed);
        let mut source = examples.source()?;
        let mut memory = Memory::blank(&optimizee, guard);
        *memory.params_mut() = evaluator.initial(self.seed);
        let mut trainer = Trainer::new(&optimizee, guard, &mut memory);
        let mut curve = Curve::new(self.task, self.points);
        curve.evaluate(0, 0.0, trainer.params(), &mut evaluator);
        let mut accepted = Accepted { step: 0, cost: 0.0, params: trainer.params().clone() };
        let (mut verdicts, mut learned_steps) = (Vec::new(), 0);
        let mut stopped = false;
        while curve.is_due() {
            stopped = (self.stop)();
            if stopped {
                break;
            }
            let left = curve.last().saturating_sub(trainer.progress().steps).max(1);
            match trainer.round(&mut Bounded { source: &mut source, left }) {
                // A round that ended before anybody was judged is part of a later one.
                Ok(verdict) if verdict.steps == 0 => continue,
                Ok(verdict) => {
                    let steps = u64::from(verdict.steps);
                    learned_steps += if verdict.winner == Winner::Learned { steps } else { 0 };
                    push(&mut verdicts, verdict.winner, accepted.step + steps);
                }
                // Only a rule that runs alone can fail so: what it does next is not defined any more.
                Err(lgl2o::Error::Diverged | lgl2o::Error::NonFiniteGradient) => break,
                Err(error) => return Err(error),
            }
            let step = trainer.progress().steps;
            (self.advance)(step.min(curve.last()) - accepted.step.min(curve.last()));
            if accepted.step == 0 {
                curve.skip_to(step);
            }
            curve.evaluate(step - 1, accepted.cost, &accepted.params, &mut evaluator);
            if step > curve.last() {
                break;
            }
            let cost = trainer.progress().spent.in_forwards() as f64 / self.task.batch as f64;
            curve.evaluate(step, cost, trainer.params(), &mut evaluator);
            accepted.take(step, cost, trainer.params());
        }
        if curve.is_due() && !stopped {
            (self.advance)(curve.last() - accepted.step);
            curve.diverge(trainer.progress().spent.in_forwards() as f64 / self.task.batch as f64, accepted.step);
        }
        let run = self.record(trainer.progress(), learned_steps, curve.points, verdicts);
        Ok(Outcome { run, params: accepted.params, finished: !stopped })
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

/// What the last finished round left behind.
struct Accepted {
    step: u64,
    cost: f64,
    params: HeapTensors,
}

impl Accepted {
    fn take(&mut self, step: u64, cost: f64, params: &HeapTensors) {
        (self.step, self.cost) = (step, cost);
        self.params.as_mut_slice().copy_from_slice(params.as_slice());
    }
}

/// The points of a curve, as far as it is.
struct Curve<'a> {
    task: &'a Task,
    /// Steps at which it is still to be evaluated.
    schedule: &'a [u64],
    last: u64,
    points: Vec<Point>,
}

impl<'a> Curve<'a> {
    fn new(task: &'a Task, schedule: &'a [u64]) -> Self {
        Self { task, schedule, last: schedule.last().copied().unwrap_or(0), points: Vec::new() }
    }

    /// Whether there is a step left to evaluate at.
    fn is_due(&self) -> bool {
        !self.schedule.is_empty()
    }

    /// The last one.
    fn last(&self) -> u64 {
        self.last
    }

    /// Leaves out the steps before this one, except for the last of all.
    fn skip_to(&mut self, step: u64) {
        let passed = self.schedule.partition_point(|s| *s < step.min(self.last));
        self.schedule = &self.schedule[passed..];
    }

    /// Evaluates if the schedule asks for it at or before this step.
    fn evaluate(&mut self, step: u64, cost: f64, params: &HeapTensors, evaluator: &mut Evaluator) {
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
    fn diverge(&mut self, cost: f64, done: u64) {
        let per_step = if done > 0 { cost / done as f64 } else { 3.0 };
        for &step in self.schedule {
            let cost = cost + (step - done.min(step)) as f64 * per_step;
            self.points.push(Point { step, cost, train_loss: None, test_loss: None, test_accuracy: None });
        }
        self.schedule = &[];
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::{Tuned, parse};
    use crate::task::{self, Hidden};

    fn curve(points: &[u64]) -> Vec<Point> {
        let task = Task::load(task::find("spirals").expect("known"), None, &Hidden::default(), 16).expect("built in");
        let optimizer = parse("lgl2o(l2o,adam:0.01,paper,nc=2)", &Tuned::default()).expect("an optimizer");
        run(&task, &optimizer, 1, points, &|_| {}).expect("runs").run.curve
    }

    #[test]
    fn a_step_inside_a_round_shows_the_round_before() {
        let whole = curve(&[0, 10, 20, 30]);
        let steps = |curve: &[Point]| curve.iter().map(|point| point.step).collect::<Vec<u64>>();
        assert_eq!(steps(&whole), [0, 10, 20, 30]);
        let inside = curve(&[0, 3, 7, 10, 21, 25, 30]);
        assert_eq!(steps(&inside), [0, 10, 21, 25, 30], "nothing inside the first round");
        for point in &inside[2..4] {
            assert_eq!(*point, Point { step: point.step, ..whole[2] });
        }
        assert_eq!(inside[4], whole[3]);
    }

    #[test]
    fn the_last_round_ends_with_the_run() {
        for last in [4, 28] {
            let curve = curve(&[0, last]);
            assert_eq!(curve[1].step, last);
            // Races of 10 steps cost 57 forwards and 2 x 2 for the check, one of n steps 3 (2 n - 1) + 4.
            let (races, rest) = (last / 10, last % 10);
            assert_eq!(curve[1].cost, (races * 61 + 3 * (2 * rest - 1) + 4) as f64, "{last}");
        }
    }

    #[test]
    fn learned_steps_are_those_of_the_stretches_that_the_learned_side_won() {
        let task = Task::load(task::find("spirals").expect("known"), None, &Hidden::default(), 64).expect("built in");
        let ran = |name: &str| {
            let optimizer = parse(name, &Tuned::default()).expect("an optimizer");
            run(&task, &optimizer, 1, &[400], &|_| {}).expect("runs").run
        };
        // A proposing side that surely wins, whatever the learned weights are.
        let guarded = ran("lgl2o(adam:0.01,sgd:0.0001,gaps=20:40)");
        let begins = std::iter::once(0).chain(guarded.verdicts.iter().map(|v| v.until));
        let stretches = begins.zip(&guarded.verdicts).filter(|(_, v)| v.winner == record::Winner::Learned);
        let learned: u64 = stretches.map(|(begin, v)| v.until - begin).sum();
        let all = guarded.verdicts.last().expect("a verdict").until;
        assert_eq!(guarded.learned_steps_share, learned as f64 / all as f64);
        assert!(guarded.learned_steps_share > guarded.learned_share && guarded.learned_share > 0.0, "{guarded:?}");
        assert_eq!((ran("l2o").learned_steps_share, ran("sgd:1").learned_steps_share), (1.0, 0.0));
    }

    #[test]
    fn the_schedule_ends_with_the_last_step() {
        assert_eq!(schedule(1), [0, 1]);
        assert_eq!(schedule(7), [0, 1, 2, 3, 5, 7]);
        assert_eq!(schedule(20), [0, 1, 2, 3, 5, 10, 20]);
    }
}
