//! One optimizer, one seed, one curve.

use lgl2o::checkpoint::{Fingerprint, Persist};
use lgl2o::objective::Mlp;
use lgl2o::trainer::Progress;
use lgl2o::{Guard, Memory, Trainer};
pub(crate) use lgl2o_device::table::Bounded;

use super::Evaluator;
use super::examples::{Examples, Minibatches};
use super::halfway::{Halfway, checkpoint};
use super::way::{self, Way};
use crate::network::{HeapNetwork, HeapTensors};
use crate::optimizer::{GuardVisitor, Optimizer};
use crate::record::Run;
use crate::task::Task;

/// What a run leaves behind.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// For the record.
    pub run: Run,
    /// The parameters at the end; those before the step that failed, if the run diverged. None where the run was found
    /// finished and nothing is drawn of them.
    pub params: Option<HeapTensors>,
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
    run_unless(task, optimizer, seed, points, advance, &Halfway::nowhere(), &|| false)
}

/// [`run`], except that it ends as soon as `stop` returns true; its curve is then shorter. It is kept on its way, and goes
/// on from what was kept of it.
///
/// # Errors
/// As [`run`].
pub fn run_unless(
    task: &Task,
    optimizer: &Optimizer,
    seed: u64,
    points: &[u64],
    advance: &(dyn Fn(u64) + Sync),
    halfway: &Halfway,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<Outcome, lgl2o::Error> {
    optimizer.method.visit(Runner { task, optimizer, seed, points, advance, halfway, stop })?
}

struct Runner<'a> {
    task: &'a Task,
    optimizer: &'a Optimizer,
    seed: u64,
    points: &'a [u64],
    advance: &'a (dyn Fn(u64) + Sync),
    halfway: &'a Halfway,
    stop: &'a (dyn Fn() -> bool + Sync),
}

/// How a run ends.
#[derive(PartialEq)]
enum End {
    Whole,
    Diverged,
    Stopped,
}

impl Runner<'_> {
    fn record(&self, progress: &Progress, way: Way<'_>) -> Run {
        Run {
            optimizer: self.optimizer.name.clone(),
            seed: self.seed,
            learned_share: f64::from(progress.learned_share()),
            learned_steps_share: way.learned_steps as f64 / progress.steps.max(1) as f64,
            curve: way.curve.points,
            verdicts: if self.optimizer.method.is_guarded() { way.verdicts } else { Vec::new() },
        }
    }

    fn cost(&self, progress: &Progress) -> f64 {
        progress.spent.in_forwards() as f64 / self.task.batch as f64
    }

    /// Goes on from what was kept; whether there was something.
    fn go_on<G>(&self, trainer: &mut Training<'_, G>, source: &mut Minibatches<'_>, way: &mut Way<'_>) -> bool
    where
        G: Guard + Fingerprint,
        G::Memory<HeapTensors>: Persist,
    {
        let Some((kept, body)) = self.halfway.found::<way::Kept>() else { return false };
        let length = size_of_val(way.accepted.params.as_slice());
        let Some((params, checkpoint)) = body.split_at_checked(length) else { return false };
        if trainer.load(source, &mut &*checkpoint).is_err() {
            return false;
        }
        way.go_on(kept, params);
        (self.advance)(way.accepted.step.min(way.curve.last()));
        true
    }

    fn keep<G>(&self, trainer: &Training<'_, G>, source: &Minibatches<'_>, way: &Way<'_>)
    where
        G: Guard + Fingerprint,
        G::Memory<HeapTensors>: Persist,
    {
        if trainer.progress().steps > 0 {
            let (kept, params) = way.kept();
            self.halfway.keep(&kept, &[params, checkpoint(trainer, source)].concat());
        }
    }

    /// Trains up to the end of the curve, or until it is stopped.
    fn train<G>(
        &self,
        trainer: &mut Training<'_, G>,
        source: &mut Minibatches<'_>,
        way: &mut Way<'_>,
        evaluator: &mut Evaluator,
    ) -> Result<End, lgl2o::Error>
    where
        G: Guard + Fingerprint,
        G::Memory<HeapTensors>: Persist,
    {
        while way.curve.is_due() {
            let is_stopped = (self.stop)();
            if is_stopped || self.halfway.is_due() {
                self.keep(trainer, source, way);
            }
            if is_stopped {
                return Ok(End::Stopped);
            }
            let left = way.curve.last().saturating_sub(trainer.progress().steps).max(1);
            match trainer.round(&mut Bounded { source, left }) {
                // A round that ended before anybody was judged is part of a later one.
                Ok(verdict) if verdict.steps == 0 => continue,
                Ok(verdict) => way.won(verdict.winner, u64::from(verdict.steps)),
                // Only a rule that runs alone can fail so: what it does next is not defined any more.
                Err(lgl2o::Error::Diverged | lgl2o::Error::NonFiniteGradient) => return Ok(End::Diverged),
                Err(error) => return Err(error),
            }
            let (step, Way { curve, accepted, .. }) = (trainer.progress().steps, &mut *way);
            (self.advance)(step.min(curve.last()) - accepted.step.min(curve.last()));
            if accepted.step == 0 {
                curve.skip_to(step);
            }
            curve.evaluate(step - 1, accepted.cost, &accepted.params, evaluator);
            if step > curve.last() {
                break;
            }
            let cost = self.cost(trainer.progress());
            curve.evaluate(step, cost, trainer.params(), evaluator);
            accepted.take(step, cost, trainer.params());
        }
        Ok(if way.curve.is_due() { End::Diverged } else { End::Whole })
    }
}

type Training<'a, G> = Trainer<'a, Mlp<HeapNetwork>, G>;

impl GuardVisitor for Runner<'_> {
    type Output = Result<Outcome, lgl2o::Error>;

    fn visit<G: Guard + Fingerprint>(self, guard: &G) -> Self::Output
    where
        G::Memory<HeapTensors>: Persist,
    {
        let optimizee = self.task.optimizee();
        let mut evaluator = Evaluator::new(&self.task.network);
        let mut examples = Examples::new(self.task.train(), &self.optimizer.method, self.task.batch, self.seed);
        let mut source = examples.source()?;
        let mut memory = Memory::blank(&optimizee, guard);
        *memory.params_mut() = evaluator.initial(self.seed);
        let mut trainer = Trainer::new(&optimizee, guard, &mut memory);
        let mut way = Way::new(self.task, self.points, trainer.params());
        if !self.go_on(&mut trainer, &mut source, &mut way) {
            way.curve.evaluate(0, 0.0, trainer.params(), &mut evaluator);
        }
        let end = self.train(&mut trainer, &mut source, &mut way, &mut evaluator)?;
        if end == End::Diverged {
            (self.advance)(way.curve.last() - way.accepted.step);
            way.curve.diverge(self.cost(trainer.progress()), way.accepted.step);
        }
        let params = Some(way.accepted.params.clone());
        Ok(Outcome { run: self.record(trainer.progress(), way), params, finished: end != End::Stopped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::{Tuned, parse};
    use crate::record::{self, Point};
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

    /// The same bits as those of a run that nobody has interrupted, for every guard.
    #[test]
    fn a_killed_run_goes_on_from_where_it_was_kept() {
        let home = tempfile::tempdir().expect("temporary directory");
        let store = crate::store::Store::new(home.path());
        store.open().expect("writable");
        let task = Task::load(task::find("spirals").expect("known"), None, &Hidden::default(), 16).expect("built in");
        for name in [
            "sgd:0.1",
            "l2o",
            "avg-adam:0.01",
            "lgl2o(l2o,adam:0.01)",
            "lgl2o(lstm,sgd:0.1,paper,nt=3,rewind)",
            "auto",
            "auto-lean(held-out)",
            "gl2o(l2o,sgd:0.1)",
            "blend(l2o,sgd:0.1,share=0.5)",
        ] {
            let optimizer = parse(name, &Tuned::default()).expect("an optimizer");
            let ran = |halfway: &Halfway| {
                let counted = std::sync::atomic::AtomicU64::new(0);
                let count = |steps| {
                    counted.fetch_add(steps, std::sync::atomic::Ordering::Relaxed);
                };
                let outcome = run_unless(&task, &optimizer, 3, &[0, 7, 60, 120], &count, halfway, &|| false);
                let outcome = outcome.expect("runs");
                assert_eq!(counted.into_inner(), 120, "{name}: what was done before is done");
                outcome
            };
            let whole = ran(&Halfway::killed(&store, name, 5));
            let half = Halfway::of(&store, name);
            let (kept, _) = half.found::<way::Kept>().expect("kept");
            assert!((1..120).contains(&kept.step), "{name}");
            let again = ran(&half);
            assert_eq!((&again.run, &again.params), (&whole.run, &whole.params), "{name}");
            assert_eq!(ran(&Halfway::nowhere()).run, whole.run, "{name}");
        }
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
