//! Grid search of learning rates, on data held out of the training set.
//!
//! Every rule gets the same number of rates: nine, a factor of sqrt 10 apart. The score is the mean held-out loss at
//! the end of a run, and the test set is not looked at. A fallback has the rate that its rule got alone, so guard and
//! baseline were tuned by one and the same search.

use std::collections::BTreeMap;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use rayon::prelude::*;

use super::run::{run, schedule};
use crate::optimizer::tuned::Trial;
use crate::optimizer::{Tuned, hand_made, parse};
use crate::task::Task;

/// Seeds of the trials. `compare` counts its own from 1.
pub const SEEDS: [u64; 3] = [1001, 1002, 1003];

/// Searches the grid of every rule. Batches are as large as the task's, or as what is left to train on where that is less.
///
/// # Errors
/// What is wrong with the task's data.
pub fn tune(task: &Task, steps: u64) -> anyhow::Result<Tuned> {
    let mut task = task.for_selection().context("no rates can be searched on so few examples")?;
    task.batch = task.batch.min(task.train().len());
    let jobs: Vec<(&str, f32, u64)> = hand_made::searched()
        .flat_map(|(rule, grid)| grid.iter().flat_map(move |rate| SEEDS.map(|seed| (rule, *rate, seed))))
        .collect();
    let points = schedule(steps);
    let style = ProgressStyle::with_template("tuning {bar:30} {pos}/{len} runs, left {eta}")?;
    let bar = ProgressBar::new(jobs.len() as u64).with_style(style);
    let losses: anyhow::Result<Vec<Option<f64>>> = jobs
        .par_iter()
        .map(|(rule, rate, seed)| {
            let optimizer = parse(&format!("{rule}:{rate}"), &Tuned::default())?;
            let outcome = run(&task, &optimizer, *seed, &points, &|_| {})?;
            bar.inc(1);
            Ok(outcome.run.curve.last().and_then(|point| point.test_loss))
        })
        .collect();
    bar.finish_and_clear();
    let losses = losses?;
    let mut tuned = Tuned {
        task: task.name.clone(),
        steps,
        seeds: SEEDS.to_vec(),
        score: "mean loss at the last step on the last sixth of the training data, which is not trained on".to_owned(),
        best: BTreeMap::new(),
        grid: BTreeMap::new(),
    };
    for (trial, losses) in jobs.chunks(SEEDS.len()).zip(losses.chunks(SEEDS.len())) {
        let (rule, rate, _) = trial[0];
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
    Ok(tuned)
}

/// Six decimals: what the file shows.
fn round(x: f64) -> f64 {
    (x * 1e6).round() / 1e6
}
