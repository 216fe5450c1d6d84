//! One optimizer, one seed, one task: losses at the scored steps, and where as much was spent as plain steps cost.
//!
//! A round may reach over a scored step or a scored cost. What counts is then what was accepted before it, so a guarded
//! optimizer is never credited with work that it had not finished. No round reaches over the last step.

use std::cell::OnceCell;

use lgl2o::checkpoint::{Fingerprint, Persist};
use lgl2o::{Error, Guard, Memory, Trainer};
use serde::{Deserialize, Serialize};

use super::task::SurveyTask;
use crate::experiment::examples::Minibatches;
use crate::experiment::halfway::checkpoint;
use crate::experiment::{Bounded, Evaluator, Examples, Halfway, TRAIN_SAMPLE};
use crate::network::HeapTensors;
use crate::optimizer::{GuardVisitor, Method};

/// Forward passes of a minibatch that a gradient counts as.
pub const GRADIENT: f64 = 3.0;

/// Mean losses at one point; none where they are not finite, or where the run has ended before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Losses {
    /// On up to 2,000 training examples.
    pub train: Option<f64>,
    /// On the held-out examples.
    pub held_out: Option<f64>,
}

/// What a run leaves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Trail {
    /// Before the first step.
    pub start: Losses,
    /// At each scored step.
    pub by_step: Vec<Losses>,
    /// For each scored step, where the cost was that of as many plain steps.
    pub by_cost: Vec<Losses>,
    /// Cost of a step, in gradients, over the whole run: 1 for a plain rule.
    pub cost: f64,
    /// Why the run ended before the last step.
    pub failure: Option<String>,
}

impl Trail {
    /// Whether the run failed: it ended early, or with a training loss that is not finite or above that of the start.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        let last = self.by_step.last().and_then(|losses| losses.train);
        let lower = last.is_some_and(|last| self.start.train.is_none_or(|start| last <= start));
        self.failure.is_some() || !lower
    }
}

/// Losses of parameters on a task.
pub(super) fn losses(task: &SurveyTask, evaluator: &mut Evaluator, params: &HeapTensors) -> Losses {
    let train = evaluator.score(params, task.train(), TRAIN_SAMPLE).loss;
    Losses { train, held_out: evaluator.score(params, task.test(), usize::MAX).loss }
}

/// Trains with an optimizer up to the last of some rising steps. It is kept on its way, and goes on from what was kept of it.
///
/// # Errors
/// Settings out of range, or data that do not fit the optimizer. A run that diverges, or fails later, is no error.
pub fn run(task: &SurveyTask, method: &Method, seed: u64, steps: &[u64], halfway: &Halfway) -> Result<Trail, Error> {
    method.visit(Runner { task, method, seed, steps, halfway })?
}

struct Runner<'a> {
    task: &'a SurveyTask,
    method: &'a Method,
    seed: u64,
    steps: &'a [u64],
    halfway: &'a Halfway,
}

/// What is kept of a run beside the core's checkpoint.
#[derive(Serialize, Deserialize)]
struct Kept {
    start: Losses,
    /// What was seen by step and by cost.
    seen: [Vec<Losses>; 2],
}

type Training<'a, G> = Trainer<'a, lgl2o::objective::Mlp<crate::network::HeapNetwork>, G>;

/// What was kept of a run, with the run's state taken in.
fn go_on<G>(halfway: &Halfway, trainer: &mut Training<'_, G>, source: &mut Minibatches<'_>) -> Option<Kept>
where
    G: Guard + Fingerprint,
    G::Memory<HeapTensors>: Persist,
{
    let (kept, body) = halfway.found::<Kept>()?;
    trainer.load(source, &mut body.as_slice()).ok()?;
    Some(kept)
}

impl GuardVisitor for Runner<'_> {
    type Output = Result<Trail, Error>;

    fn visit<G: Guard + Fingerprint>(self, guard: &G) -> Self::Output
    where
        G::Memory<HeapTensors>: Persist,
    {
        let Self { task, method, seed, steps, halfway } = self;
        let (optimizee, train) = (task.optimizee(), task.train());
        let mut evaluator = Evaluator::new(&task.network);
        let mut examples = Examples::new(train, method, task.batch, seed);
        let mut source = examples.source()?;
        let mut memory = Memory::blank(&optimizee, guard);
        *memory.params_mut() = evaluator.initial(seed);
        let mut trainer = Trainer::new(&optimizee, guard, &mut memory);
        let Kept { start, seen } = go_on(halfway, &mut trainer, &mut source).unwrap_or_else(|| Kept {
            start: losses(task, &mut evaluator, trainer.params()),
            seen: [Vec::new(), Vec::new()],
        });
        let [by_step, by_cost] = seen;
        let mut watches = [Watch::new(steps, 1.0, by_step), Watch::new(steps, GRADIENT, by_cost)];
        let last = steps.last().copied().unwrap_or(0);
        let (mut accepted, mut known, mut failure) = (trainer.params().clone(), OnceCell::new(), None);
        while trainer.progress().steps < last {
            if halfway.is_due() {
                let seen = watches.each_ref().map(|watch| watch.seen.clone());
                halfway.keep(&Kept { start, seen }, &checkpoint(&trainer, &source));
            }
            let left = last - trainer.progress().steps;
            if let Err(error) = trainer.round(&mut Bounded { source: &mut source, left }) {
                failure = Some(failed(error, trainer.progress().steps)?);
                break;
            }
            let at = place(&trainer, task.batch);
            // What this round has reached over shows the parameters before it.
            for (watch, at) in watches.iter_mut().zip(at) {
                watch.pass(at, || *known.get_or_init(|| losses(task, &mut evaluator, &accepted)));
            }
            accepted.as_mut_slice().copy_from_slice(trainer.params().as_slice());
            known = OnceCell::new();
            for (watch, at) in watches.iter_mut().zip(at) {
                watch.reach(at, || *known.get_or_init(|| losses(task, &mut evaluator, &accepted)));
            }
        }
        let [done, spent] = place(&trainer, task.batch);
        let cost = if done > 0.0 { spent / GRADIENT / done } else { 1.0 };
        let end = failure.is_none().then(|| *known.get_or_init(|| losses(task, &mut evaluator, &accepted)));
        let [by_step, by_cost] = watches.map(|watch| watch.finish(end.unwrap_or_default()));
        Ok(Trail { start, by_step, by_cost, cost, failure })
    }
}

/// Steps done and forward passes of a minibatch spent.
fn place<G: Guard>(trainer: &Training<'_, G>, batch: usize) -> [f64; 2] {
    let progress = trainer.progress();
    [progress.steps as f64, progress.spent.in_forwards() as f64 / batch as f64]
}

/// What a run that fails says; what is wrong from the first round on is not the optimizer's failure.
fn failed(error: Error, done: u64) -> Result<String, Error> {
    match error {
        Error::Diverged | Error::NonFiniteGradient => Ok(error.to_string()),
        other if done > 0 => Ok(other.to_string()),
        other => Err(other),
    }
}

/// Places on one axis at which losses are due.
struct Watch {
    due: Vec<f64>,
    seen: Vec<Losses>,
}

impl Watch {
    fn new(steps: &[u64], each: f64, seen: Vec<Losses>) -> Self {
        Self { due: steps.iter().map(|step| *step as f64 * each).collect(), seen }
    }

    /// A round has reached over everything before a place.
    fn pass(&mut self, at: f64, losses: impl FnMut() -> Losses) {
        self.fill(self.due.partition_point(|due| *due < at), losses);
    }

    /// A round has ended at a place.
    fn reach(&mut self, at: f64, losses: impl FnMut() -> Losses) {
        self.fill(self.due.partition_point(|due| *due <= at), losses);
    }

    fn fill(&mut self, count: usize, mut losses: impl FnMut() -> Losses) {
        while self.seen.len() < count {
            self.seen.push(losses());
        }
    }

    /// What was seen; the rest is the end.
    fn finish(mut self, end: Losses) -> Vec<Losses> {
        self.seen.resize(self.due.len(), end);
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::{Tuned, parse};
    use crate::survey::inputs::Inputs;
    use crate::survey::shape::Shape;
    use crate::survey::task::Material;

    fn task() -> SurveyTask {
        let sets = crate::data::synthetic::FAMILIES[1].draw(3);
        let material = Material::new("mixtures", &sets, Inputs::Plain, false).expect("treated");
        SurveyTask::new(&material, &Shape::parse("6 tanh").expect("a network"), None)
    }

    fn trail(expression: &str, steps: &[u64]) -> Trail {
        let optimizer = parse(expression, &Tuned::default()).expect("an optimizer");
        run(&task(), &optimizer.method, 1, steps, &Halfway::nowhere()).expect("runs")
    }

    #[test]
    fn a_plain_rule_costs_one_gradient_a_step() {
        let trail = trail("sgd:0.3", &[5, 20]);
        assert_eq!((trail.cost, &trail.failure), (1.0, &None));
        assert_eq!(trail.by_step, trail.by_cost);
        assert!(trail.by_step[1].train < trail.start.train && !trail.has_failed());
    }

    #[test]
    fn a_dearer_optimizer_is_judged_earlier_by_cost() {
        // Rounds of 10 steps with 19 gradients and 2 x 2 forwards: 61 for 30.
        let guarded = trail("lgl2o(adam:0.01,sgd:0.3,paper,nc=2)", &[10, 20, 40]);
        assert_eq!(guarded.cost, 61.0 / 30.0);
        let other = trail("lgl2o(adam:0.01,sgd:0.3,paper,nc=2)", &[10, 30, 40]);
        assert_eq!(guarded.by_cost[0], guarded.start, "30 forwards do not pay a round");
        // 60 do not either, 120 do one.
        assert_eq!((guarded.by_cost[1], guarded.by_cost[2]), (guarded.start, guarded.by_step[0]));
        assert_eq!(other.by_step[0], guarded.by_step[0]);
    }

    #[test]
    fn a_step_inside_a_round_shows_the_round_before() {
        let whole = trail("lgl2o(adam:0.01,sgd:0.3,paper,nc=2)", &[10, 20]);
        let inside = trail("lgl2o(adam:0.01,sgd:0.3,paper,nc=2)", &[10, 15, 20]);
        assert_eq!(inside.by_step, [whole.by_step[0], whole.by_step[0], whole.by_step[1]]);
    }

    #[test]
    fn a_killed_run_goes_on_from_where_it_was_kept() {
        let home = tempfile::tempdir().expect("temporary directory");
        let store = crate::store::Store::new(home.path());
        store.open().expect("writable");
        for name in ["adam:0.01", "lgl2o(adam:0.01,sgd:0.3,paper,nc=2)", "auto"] {
            let optimizer = parse(name, &Tuned::default()).expect("an optimizer");
            let ran = |halfway: &Halfway| run(&task(), &optimizer.method, 1, &[10, 30, 60], halfway).expect("runs");
            let whole = ran(&Halfway::killed(&store, name, 4));
            let half = Halfway::of(&store, name);
            let (kept, _) = half.found::<Kept>().expect("kept");
            assert!(kept.seen[0].len() < 3, "{name}: it was under way");
            assert_eq!((ran(&half), ran(&Halfway::nowhere())), (whole.clone(), whole), "{name}");
        }
    }

    #[test]
    fn a_run_that_diverges_has_failed_and_has_no_losses() {
        let trail = trail("sgd:1e38", &[10]);
        assert!(trail.failure.is_some() && trail.has_failed());
        assert_eq!(trail.by_step, [Losses::default()]);
        let rising = Trail { failure: None, by_step: vec![trail.start], ..trail.clone() };
        assert!(!rising.has_failed());
        let above = Losses { train: trail.start.train.map(|loss| loss * 1.01), ..trail.start };
        assert!(Trail { by_step: vec![above], ..rising }.has_failed());
    }
}
