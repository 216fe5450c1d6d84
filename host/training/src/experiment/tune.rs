//! Grid search of learning rates, on data held out of the training set.
//!
//! Every rule gets the same number of rates: nine, a factor of sqrt 10 apart. The score is the mean held-out loss at
//! the end of a run, and the test set is not looked at. A fallback has the rate that its rule got alone, so guard and
//! baseline were tuned by one and the same search.

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use super::kept::KeptRuns;
use super::run::schedule;
use crate::optimizer::tuned::Trial;
use crate::optimizer::{Tuned, hand_made, parse};
use crate::store::Store;
use crate::task::Task;

/// Seeds of the trials. `compare` counts its own from 1.
pub const SEEDS: [u64; 3] = [1001, 1002, 1003];

/// What a search has come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Search {
    /// What it has found. Of an interrupted one, the rates whose runs have all come to their end.
    pub tuned: Tuned,
    /// Runs that have come to their end.
    pub finished: usize,
    /// Runs that were asked for.
    pub asked: usize,
}

/// A run of the search: rule, rate and seed.
type Job = (&'static str, f32, u64);

/// Searches the grid of every rule. Batches are as large as the task's, or as what is left to train on where that is less. Where
/// the program is asked to end, the search ends with what there is until then. Runs are kept in a store.
///
/// # Errors
/// What is wrong with the task's data.
pub fn tune(task: &Task, steps: u64, store: &Store) -> anyhow::Result<Search> {
    let mut task = task.for_selection().context("no rates can be searched on so few examples")?;
    task.batch = task.batch.min(task.train().len());
    let jobs: Vec<Job> = hand_made::searched()
        .flat_map(|(rule, grid)| grid.iter().flat_map(move |rate| SEEDS.map(|seed| (rule, *rate, seed))))
        .collect();
    let points = schedule(steps);
    let kept = KeptRuns::new(store, &task, &points);
    let style = ProgressStyle::with_template("tuning {bar:30} {pos}/{len} runs, left {eta}")?;
    let bar = ProgressBar::new(jobs.len() as u64).with_style(style);
    let ends: anyhow::Result<Vec<End>> = jobs
        .par_iter()
        .map(|(rule, rate, seed)| {
            let optimizer = parse(&format!("{rule}:{rate}"), &Tuned::default())?;
            let outcome = kept.run(&optimizer, *seed, &|_| {})?;
            bar.inc(1);
            let loss = outcome.run.curve.last().and_then(|point| point.test_loss);
            Ok(outcome.finished.then_some(loss))
        })
        .collect();
    bar.finish_and_clear();
    let ends = ends?;
    let tuned = Tuned {
        task: task.name.clone(),
        steps,
        seeds: SEEDS.to_vec(),
        score: "mean loss at the last step on the last sixth of the training data, which is not trained on".to_owned(),
        ..scored(&jobs, &ends)
    };
    Ok(Search { tuned, finished: ends.iter().flatten().count(), asked: jobs.len() })
}

/// The loss that a run ends with, none if it has diverged; nothing at all for a run that has not come to its end.
type End = Option<Option<f64>>;

/// Grid and best rates of the trials whose runs have all come to their end.
fn scored(jobs: &[Job], ends: &[End]) -> Tuned {
    let mut tuned = Tuned::default();
    for (trial, ends) in jobs.chunks(SEEDS.len()).zip(ends.chunks(SEEDS.len())) {
        let (rule, rate, _) = trial[0];
        let Some(losses) = ends.iter().copied().collect::<Option<Vec<_>>>() else { continue };
        let sum: Option<f64> = losses.iter().copied().sum();
        let score = sum.map(|sum| round(sum / losses.len() as f64));
        tuned.grid.entry(rule.to_owned()).or_default().push(Trial { rate, score });
    }
    for (rule, trials) in &tuned.grid {
        let best =
            trials.iter().filter_map(|t| t.score.map(|score| (score, t.rate))).min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((_, rate)) = best {
            tuned.best.insert(rule.clone(), rate);
        }
    }
    tuned
}

/// Six decimals: what the file shows.
fn round(x: f64) -> f64 {
    (x * 1e6).round() / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_interrupted_search_the_finished_rates_are_kept() {
        let jobs: Vec<Job> =
            [0.1, 0.3, 1.0].into_iter().flat_map(|rate| SEEDS.map(|seed| ("sgd", rate, seed))).collect();
        let loss = |loss: f64| Some(Some(loss));
        // Whole; diverged; lower, but one of its runs has not come to its end.
        let ends = [loss(1.0), loss(2.0), loss(3.0), loss(0.1), Some(None), loss(0.1), loss(0.1), None, loss(0.1)];
        let tuned = scored(&jobs, &ends);
        let grid = [Trial { rate: 0.1, score: Some(2.0) }, Trial { rate: 0.3, score: None }];
        assert_eq!((tuned.grid["sgd"].as_slice(), tuned.best["sgd"]), (&grid[..], 0.1));
        assert_eq!(scored(&jobs, &[None; 9]), Tuned::default());
    }
}
