//! Any optimizers on fresh tasks of the distribution and of the unseen families, all on the same ones. Each score is kept as
//! soon as it is there.

use std::fmt::Write as _;

use anyhow::Result;
use indicatif::{ProgressBar, ProgressStyle};
use lgl2o::Rng;
use rayon::prelude::*;

use super::super::distribution::task::{DrawnTask, Space};
use super::super::distribution::{Family, Sources, UNSEEN};
use super::episode::{self, Score};
use super::training::horizon;
use super::validate::{mean, worst_tenth};
use super::{Config, validate};
use crate::data::digest_of;
use crate::optimizer::Optimizer;
use crate::store::{Of, Store};

/// Seed of the tasks. Meta-training uses small seeds, so that none of them was trained on.
const SEED: u64 = 0x6576_616c_7561_7465;
/// The format of what is kept; another one is not found.
const FORMAT: u32 = 2;

/// A table of scores, and how many of them were run and how many found.
#[derive(Debug)]
pub struct Evaluated {
    /// One line for each optimizer.
    pub text: String,
    /// Scores that were not there before.
    pub done: usize,
    /// Scores that were.
    pub found: usize,
}

/// Runs every optimizer on `count` tasks of the distribution and as many of the unseen families; returns tables. Scores are kept in the
/// store, and not run again where they are there.
///
/// # Errors
/// Settings out of range, a batch that an optimizer cannot use, or a score that cannot be kept.
pub fn evaluate(
    config: &Config,
    sources: &Sources,
    optimizers: &[Optimizer],
    count: u32,
    store: &Store,
) -> Result<Evaluated> {
    let mut all = Evaluated { text: String::new(), done: 0, found: 0 };
    let trained = config.distribution.families()?;
    for (title, families) in [("tasks of the distribution", &trained[..]), ("tasks of unseen families", &UNSEEN)] {
        let tasks = tasks(config, sources, families, count)?;
        let methods = methods(optimizers);
        let (scores, found) = scores(&tasks, &methods, store)?;
        all.found += found;
        all.done += scores.len() - found;
        writeln!(all.text, "{count} {title}; f, lower is better")?;
        all.text.push_str(&table(config, &scores, &methods)?);
        all.text.push('\n');
    }
    Ok(all)
}

/// The optimizers, and the reference of validation.
fn methods(optimizers: &[Optimizer]) -> Vec<Optimizer> {
    let name = "reference: adam:0.03, averaged with eta = 8".to_owned();
    let reference = Optimizer { name, method: validate::method() };
    optimizers.iter().cloned().chain([reference]).collect()
}

/// Tasks with their horizons.
fn tasks(config: &Config, sources: &Sources, families: &[Family], count: u32) -> Result<Vec<(DrawnTask, u32)>> {
    let space = Space { families, rows: config.distribution.rows, sources };
    (0..count)
        .into_par_iter()
        .map(|number| {
            let mut rng = Rng::stream(SEED, u64::from(number));
            let place = rng.uniform();
            let task = space.draw(&mut rng, None)?;
            let horizon = horizon(&config.estimator, task.work(), place);
            Ok((task, horizon))
        })
        .collect()
}

/// A line that says everything that a score depends on.
fn key((task, horizon): &(DrawnTask, u32), optimizer: &Optimizer, digest: &str) -> Result<String> {
    let (version, sources) = (env!("CARGO_PKG_VERSION"), crate::SOURCES);
    let DrawnTask { family, network, batch, initial_scale, seed, .. } = task;
    let Optimizer { name, method } = optimizer;
    Ok(format!(
        "lgl2o {version} {sources} | evaluate {FORMAT} | {family} {digest} | {network:?} | batch {batch} | scale {initial_scale} | \
         seed {seed} | {horizon} steps | {name} {:08x}",
        method.fingerprint()?
    ))
}

/// What a score's file says of itself.
fn of((task, horizon): &(DrawnTask, u32), optimizer: &Optimizer, digest: &str) -> Of {
    let DrawnTask { family, network, batch, seed, .. } = task;
    Of {
        optimizer: optimizer.name.clone(),
        seed: *seed,
        steps: vec![u64::from(*horizon)],
        network: format!("{network:?}, batch {batch}"),
        data: format!("{digest}, {family}"),
    }
}

/// The scores of all tasks by the first optimizer, then those by the second and so on; and how many of them were found.
fn scores(tasks: &[(DrawnTask, u32)], methods: &[Optimizer], store: &Store) -> Result<(Vec<Score>, usize)> {
    // The longest runs first, one optimizer beside the other.
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    let work = |i: usize| tasks[i].0.work() * f64::from(tasks[i].1);
    order.sort_by(|a, b| work(*b).total_cmp(&work(*a)));
    let digests: Vec<String> = tasks.par_iter().map(|(task, _)| digest_of([&task.train, &task.held_out])).collect();
    let units: Vec<_> = order.iter().flat_map(|&i| (0..methods.len()).map(move |m| (m, i))).collect();
    let style = ProgressStyle::with_template("evaluating {bar:30} {pos}/{len} runs, left {eta}")?;
    let bar = ProgressBar::new(units.len() as u64).with_style(style);
    let run = |(m, i): (usize, usize)| {
        let key = key(&tasks[i], &methods[m], &digests[i])?;
        let of = of(&tasks[i], &methods[m], &digests[i]);
        let kept = store.get_of(&key, &of, |_: &Score| true);
        let score = kept.map_or_else(|| episode::run(&tasks[i].0, &methods[m].method, tasks[i].1), Ok)?;
        if kept.is_none() {
            store.put_of(&key, &of, &score)?;
        }
        bar.inc(1);
        anyhow::Ok(((m, i), score, kept.is_some()))
    };
    let mut scores = units.into_iter().par_bridge().map(run).collect::<Result<Vec<_>>>()?;
    bar.finish_and_clear();
    scores.sort_by_key(|(unit, ..)| *unit);
    let found = scores.iter().filter(|(.., found)| *found).count();
    Ok((scores.into_iter().map(|(_, score, _)| score).collect(), found))
}

/// One line for each optimizer.
fn table(config: &Config, scores: &[Score], methods: &[Optimizer]) -> Result<String> {
    let weight = &config.estimator;
    let scores: Vec<&[Score]> = scores.chunks(scores.len() / methods.len()).collect();
    let totals = |m: usize| scores[m].iter().map(|score| score.total(weight)).collect::<Vec<f64>>();
    let all: Vec<Vec<f64>> = (0..methods.len()).map(totals).collect();
    let reference = &all[methods.len() - 1];
    let mut text = format!(
        "{:>8} {:>7} {:>8} {:>8} {:>8} {:>8} {:>7} {:>8} {:>7} {:>7} optimizer\n",
        "mean f", "+-", "train", "rise", "held-out", "f-first", "+-", "f-ref", "worst", "broken"
    );
    for (m, Optimizer { name, .. }) in methods.iter().enumerate() {
        let [first, against] = [&all[0], reference].map(|other| differences(&all[m], other));
        let part = |part: fn(&Score) -> f64| mean(scores[m].iter().map(part));
        writeln!(
            text,
            "{:8.4} {:7.4} {:8.4} {:8.4} {:8.4} {:8.4} {:7.4} {:8.4} {:7.3} {:6.1}% {name}",
            mean(all[m].iter().copied()),
            standard_error(&all[m]),
            part(|s| s.train),
            part(|s| s.held_out),
            part(|s| s.held_out_loss),
            mean(first.iter().copied()),
            standard_error(&first),
            mean(against.iter().copied()),
            worst_tenth(&against),
            100.0 * part(|s| f64::from(u8::from(s.broken))),
        )?;
    }
    Ok(text)
}

fn differences(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

fn standard_error(numbers: &[f64]) -> f64 {
    let n = numbers.len() as f64;
    let mean = mean(numbers.iter().copied());
    let squares: f64 = numbers.iter().map(|x| (x - mean) * (x - mean)).sum();
    libm::sqrt(squares / (n * (n - 1.0).max(1.0)))
}
