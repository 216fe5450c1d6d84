//! The runs of one optimizer, gathered over the seeds.

use std::collections::BTreeSet;

use crate::record::{Results, Run};

/// How an optimizer decides on its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A hand-designed rule.
    Plain,
    /// A learned rule that nothing guards.
    Learned,
    /// A learned rule behind a guard.
    Guarded,
}

/// One optimizer: its runs, and what they have in common at each evaluated step.
#[derive(Debug)]
pub(super) struct Series<'a> {
    /// The optimizer, as on the command line.
    pub(super) name: &'a str,
    /// Plain, learned or guarded.
    pub(super) kind: Kind,
    /// One run per seed.
    pub(super) runs: Vec<&'a Run>,
    /// By rising step, step 0 included.
    pub(super) points: Vec<Stat>,
}

/// All seeds of one optimizer at one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stat {
    /// Training steps done.
    pub(super) step: u64,
    /// Mean cost so far.
    pub(super) cost: f64,
    /// Mean held-out loss of the seeds that have not diverged; `None` if all have.
    pub(super) mean: Option<f64>,
    /// Lowest held-out loss among them.
    pub(super) low: f64,
    /// Highest held-out loss among them.
    pub(super) high: f64,
    /// How many seeds have a finite loss here.
    pub(super) alive: usize,
    /// How many seeds have none.
    pub(super) diverged: usize,
}

impl Series<'_> {
    /// How many seeds had lost their loss at the last evaluated step.
    pub(super) fn diverged(&self) -> usize {
        self.points.last().map_or(0, |p| p.diverged)
    }

    /// Mean share of the training steps that the learned side made; `None` where there is no learned side.
    pub(super) fn learned_steps_share(&self) -> Option<f64> {
        let total: f64 = self.runs.iter().map(|r| r.learned_steps_share).sum();
        (self.kind != Kind::Plain).then(|| total / self.runs.len() as f64)
    }
}

/// The optimizers in the order of their first run.
pub(super) fn series(results: &Results) -> Vec<Series<'_>> {
    let mut all: Vec<Series<'_>> = Vec::new();
    for run in &results.runs {
        match all.iter_mut().find(|s| s.name == run.optimizer) {
            Some(one) => one.runs.push(run),
            None => all.push(Series { name: &run.optimizer, kind: Kind::Plain, runs: vec![run], points: Vec::new() }),
        }
    }
    for one in &mut all {
        one.kind = kind(&one.runs);
        one.points = points(&one.runs);
    }
    all
}

/// How many different seeds there are.
pub(super) fn seeds(results: &Results) -> Vec<u64> {
    let all: BTreeSet<u64> = results.runs.iter().map(|r| r.seed).collect();
    all.into_iter().collect()
}

fn kind(runs: &[&Run]) -> Kind {
    if runs.iter().any(|r| !r.verdicts.is_empty()) {
        Kind::Guarded
    } else if runs.iter().any(|r| r.learned_share > 0.0) {
        Kind::Learned
    } else {
        Kind::Plain
    }
}

fn points(runs: &[&Run]) -> Vec<Stat> {
    let steps: BTreeSet<u64> = runs.iter().flat_map(|r| &r.curve).map(|p| p.step).collect();
    steps.into_iter().map(|step| stat(runs, step)).collect()
}

fn stat(runs: &[&Run], step: u64) -> Stat {
    let mut costs = Vec::new();
    let mut losses = Vec::new();
    let mut diverged = 0;
    for run in runs {
        match run.curve.binary_search_by_key(&step, |p| p.step) {
            Ok(at) => {
                let point = run.curve[at];
                costs.push(point.cost);
                let loss = point.test_loss.filter(|l| l.is_finite());
                loss.map_or_else(|| diverged += 1, |l| losses.push(l));
            }
            // A run may stop where it diverged: it stays diverged.
            Err(_) => diverged += usize::from(ended_diverged(run, step)),
        }
    }
    Stat {
        step,
        cost: mean(&costs).unwrap_or(0.0),
        mean: mean(&losses),
        low: losses.iter().copied().fold(f64::INFINITY, f64::min),
        high: losses.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        alive: losses.len(),
        diverged,
    }
}

fn ended_diverged(run: &Run, step: u64) -> bool {
    run.curve.last().is_some_and(|p| p.step < step && p.test_loss.is_none())
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample;

    #[test]
    fn optimizers_keep_the_order_of_their_first_run() {
        let results = sample::results();
        let names: Vec<&str> = series(&results).iter().map(|s| s.name).collect();
        assert_eq!(names, ["sgd:1", "sgd:9", "l2o", "lgl2o(l2o,sgd:1)"]);
    }

    #[test]
    fn kinds_follow_from_verdicts_and_shares() {
        let results = sample::results();
        let kinds: Vec<Kind> = series(&results).iter().map(|s| s.kind).collect();
        assert_eq!(kinds, [Kind::Plain, Kind::Plain, Kind::Learned, Kind::Guarded]);
    }

    #[test]
    fn a_stat_is_the_mean_and_the_range_over_the_seeds() {
        let results = sample::results();
        let all = series(&results);
        let point = all[0].points[1];
        let losses: Vec<f64> = results.runs[..2].iter().filter_map(|r| r.curve[1].test_loss).collect();
        assert_eq!(point.mean, Some((losses[0] + losses[1]) / 2.0));
        assert_eq!(point.low, losses[0].min(losses[1]));
        assert_eq!(point.high, losses[0].max(losses[1]));
        assert_eq!((point.alive, point.diverged), (2, 0));
    }

    #[test]
    fn a_run_that_stops_diverged_stays_diverged() {
        let mut results = sample::results();
        let cut = results.runs[2].curve.iter().position(|p| p.test_loss.is_none());
        results.runs[2].curve.truncate(cut.expect("diverges") + 1);
        assert_eq!(series(&results)[1].diverged(), 1);
    }
}
