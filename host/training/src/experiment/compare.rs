//! Several optimizers on one task, in parallel over optimizers and seeds.
//!
//! Each run depends on its optimizer and its seed only, and results stand in the order asked for, so the record is the
//! same for any number of threads, and for one that was interrupted and called again.

use std::collections::BTreeMap;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use rayon::prelude::*;

use super::kept::KeptRuns;
use super::run::{Outcome, schedule};
use crate::optimizer::Optimizer;
use crate::record::{Point, Results, Run, Summary, VERSION};
use crate::store::Store;
use crate::task::Task;

/// What is to be compared.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The optimizers, in the order of the report.
    pub optimizers: Vec<Optimizer>,
    /// The seeds of each.
    pub seeds: Vec<u64>,
    /// Training steps of each run.
    pub steps: u64,
}

/// The results of a comparison, also of one that was interrupted.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The record.
    pub results: Results,
    /// The outcomes in the order of its runs.
    pub outcomes: Vec<Outcome>,
    /// How many runs were asked for.
    pub asked: usize,
    /// How many of them were found finished.
    pub found: usize,
}

impl Comparison {
    /// How many runs are finished.
    #[must_use]
    pub fn finished(&self) -> usize {
        self.outcomes.iter().filter(|outcome| outcome.finished).count()
    }
}

/// Runs everything that is not in a store yet. Where the program is asked to end, what there is until then: of each
/// optimizer the runs that have come to their end, or, where none has, those that have begun to train.
///
/// # Errors
/// What the first failing run says.
pub fn compare(task: &Task, plan: &Plan, store: &Store) -> Result<Comparison, lgl2o::Error> {
    let (bars, points) = (Bars::new(plan), schedule(plan.steps));
    let kept_runs = KeptRuns::new(store, task, &points);
    let jobs: Vec<(usize, u64)> =
        (0..plan.optimizers.len()).flat_map(|o| plan.seeds.iter().map(move |&s| (o, s))).collect();
    let outcomes: Result<Vec<Outcome>, lgl2o::Error> = jobs
        .par_iter()
        .map(|&(o, seed)| {
            let bar = &bars.each[o];
            let outcome = kept_runs.run(&plan.optimizers[o], seed, &|steps| bar.inc(steps));
            if bar.position() >= bar.length().unwrap_or(0) {
                bar.finish();
            }
            outcome
        })
        .collect();
    let outcomes = kept(outcomes?, plan.seeds.len());
    bars.clear();
    let results = results(task, outcomes.iter().map(|o| o.run.clone()).collect());
    Ok(Comparison { results, outcomes, asked: jobs.len(), found: kept_runs.found() })
}

/// The record of runs on a task.
#[must_use]
pub fn results(task: &Task, runs: Vec<Run>) -> Results {
    Results {
        version: VERSION,
        task: task.name.clone(),
        model: task.model.clone(),
        parameters: task.optimizee().parameters(),
        batch: task.batch,
        summary: summarise(&runs),
        runs,
    }
}

/// Of each optimizer, which has so many seeds, the runs that a record is made of.
fn kept(outcomes: Vec<Outcome>, seeds: usize) -> Vec<Outcome> {
    if outcomes.iter().all(|outcome| outcome.finished) {
        return outcomes;
    }
    let has_begun = |outcome: &Outcome| outcome.run.curve.last().is_some_and(|point| point.step > 0);
    let of_one = |outcomes: &[Outcome]| -> Vec<Outcome> {
        let any = outcomes.iter().any(|outcome| outcome.finished);
        outcomes.iter().filter(|o| if any { o.finished } else { has_begun(o) }).cloned().collect()
    };
    outcomes.chunks(seeds.max(1)).flat_map(of_one).collect()
}

/// One progress bar per optimizer, on standard error, hidden where that is no terminal.
struct Bars {
    all: MultiProgress,
    each: Vec<ProgressBar>,
}

impl Bars {
    fn new(plan: &Plan) -> Self {
        let all = MultiProgress::new();
        let width = plan.optimizers.iter().map(|o| o.name.len()).max().unwrap_or(0).min(32);
        let template = format!("{{prefix:{width}.{width}}} {{bar:30}} {{percent:>3}} % {{elapsed:>4}} left {{eta}}");
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let length = plan.steps * plan.seeds.len() as u64;
        let bar = |o: &Optimizer| {
            let bar = ProgressBar::new(length).with_style(style.clone().progress_chars("=> "));
            all.add(bar.with_prefix(o.name.clone()))
        };
        let each = plan.optimizers.iter().map(bar).collect();
        Self { all, each }
    }

    fn clear(&self) {
        self.each.iter().for_each(ProgressBar::finish);
        // What is left on the screen is the table, not the bars.
        let _ = self.all.clear();
    }
}

/// Mean and spread over the seeds, per optimizer and step.
#[must_use]
pub fn summarise(runs: &[Run]) -> Vec<Summary> {
    let mut order: Vec<&str> = Vec::new();
    let mut points: BTreeMap<(usize, u64), Vec<&Point>> = BTreeMap::new();
    for run in runs {
        let place = order.iter().position(|name| *name == run.optimizer).unwrap_or_else(|| {
            order.push(&run.optimizer);
            order.len() - 1
        });
        for point in &run.curve {
            points.entry((place, point.step)).or_default().push(point);
        }
    }
    points.into_iter().map(|((place, step), points)| summary(order[place], step, &points)).collect()
}

fn summary(optimizer: &str, step: u64, points: &[&Point]) -> Summary {
    let n = points.len() as f64;
    let mean = |value: &dyn Fn(&Point) -> Option<f64>| -> Option<f64> {
        let all: Option<Vec<f64>> = points.iter().map(|p| value(p)).collect();
        all.map(|all| all.iter().sum::<f64>() / n)
    };
    let test_loss_mean = mean(&|p| p.test_loss);
    let test_loss_std = test_loss_mean.and_then(|m| {
        let squares = mean(&|p| p.test_loss.map(|l| (l - m) * (l - m)))?;
        Some(if points.len() < 2 { 0.0 } else { (squares * n / (n - 1.0)).sqrt() })
    });
    Summary {
        optimizer: optimizer.to_owned(),
        step,
        cost: mean(&|p| Some(p.cost)).unwrap_or(0.0),
        test_loss_mean,
        test_loss_std,
        test_accuracy_mean: mean(&|p| p.test_accuracy),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_losses(seed: u64, losses: [Option<f64>; 2]) -> Run {
        let point = |step, test_loss: Option<f64>| Point {
            step,
            cost: 3.0 * step as f64,
            train_loss: test_loss,
            test_loss,
            test_accuracy: test_loss.map(|_| 0.5),
        };
        Run {
            optimizer: "sgd:1".to_owned(),
            seed,
            learned_share: 0.0,
            learned_steps_share: 0.0,
            curve: vec![point(0, losses[0]), point(1, losses[1])],
            verdicts: Vec::new(),
        }
    }

    #[test]
    fn of_an_interrupted_comparison_the_longest_runs_are_kept() {
        let outcome = |seed, finished, points: usize| {
            let mut run = with_losses(seed, [Some(1.0); 2]);
            run.curve.truncate(points);
            Outcome { run, params: None, finished }
        };
        let seeds = |outcomes: Vec<Outcome>| kept(outcomes, 2).iter().map(|o| o.run.seed).collect::<Vec<_>>();
        assert_eq!(seeds(vec![outcome(1, true, 2), outcome(2, true, 1)]), [1, 2], "nothing was interrupted");
        // One seed has ended; none has, and one has trained; none has trained.
        let all = [(1, true, 2), (2, false, 2), (3, false, 2), (4, false, 1), (5, false, 1), (6, false, 1)];
        assert_eq!(seeds(all.map(|(seed, finished, points)| outcome(seed, finished, points)).to_vec()), [1, 3]);
    }

    #[test]
    fn means_and_spreads_by_hand() {
        let rows = summarise(&[with_losses(1, [Some(1.0), Some(2.0)]), with_losses(2, [Some(3.0), None])]);
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].test_loss_mean, rows[0].test_loss_std), (Some(2.0), Some(2.0f64.sqrt())));
        assert_eq!((rows[1].test_loss_mean, rows[1].test_loss_std), (None, None));
        assert_eq!(rows[1].cost, 3.0);
    }
}
