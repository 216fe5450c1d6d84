//! Any optimizers on fresh tasks of the distribution and of the unseen families, all on the same ones.

use std::fmt::Write as _;

use anyhow::Result;
use lgl2o::Rng;
use rayon::prelude::*;

use super::super::distribution::task::{DrawnTask, Space};
use super::super::distribution::{Family, Sources, UNSEEN};
use super::episode::{self, Score};
use super::training::horizon;
use super::validate::{mean, worst_tenth};
use super::{Config, validate};
use crate::optimizer::Optimizer;

/// Seed of the tasks. Meta-training uses small seeds, so that none of them was trained on.
const SEED: u64 = 0x6576_616c_7561_7465;

/// Runs every optimizer on `count` tasks of the distribution and as many of the unseen families; returns tables.
///
/// # Errors
/// Settings out of range, or a batch that an optimizer cannot use.
pub fn evaluate(config: &Config, sources: &Sources, optimizers: &[Optimizer], count: u32) -> Result<String> {
    let mut text = String::new();
    let trained = config.distribution.families()?;
    for (title, families) in [("tasks of the distribution", &trained[..]), ("tasks of unseen families", &UNSEEN)] {
        let tasks = tasks(config, sources, families, count)?;
        writeln!(text, "{count} {title}; f, lower is better")?;
        text.push_str(&table(config, &tasks, optimizers)?);
        text.push('\n');
    }
    Ok(text)
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

/// One line for each optimizer, and the reference of validation.
fn table(config: &Config, tasks: &[(DrawnTask, u32)], optimizers: &[Optimizer]) -> Result<String> {
    let weight = &config.estimator;
    let mut methods: Vec<_> = optimizers.iter().map(|o| (o.name.clone(), o.method.clone())).collect();
    methods.push(("reference: adam:0.03, averaged with eta = 8".to_owned(), validate::method()));
    // The longest runs first, one optimizer beside the other.
    let mut order: Vec<usize> = (0..tasks.len()).collect();
    let work = |i: usize| tasks[i].0.work() * f64::from(tasks[i].1);
    order.sort_by(|a, b| work(*b).total_cmp(&work(*a)));
    let units: Vec<_> = order.iter().flat_map(|&i| (0..methods.len()).map(move |m| (m, i))).collect();
    let run = |(m, i): (usize, usize)| anyhow::Ok(((m, i), episode::run(&tasks[i].0, &methods[m].1, tasks[i].1)?));
    let mut scores = units.into_iter().par_bridge().map(run).collect::<Result<Vec<_>>>()?;
    scores.sort_by_key(|(unit, _)| *unit);
    let scores: Vec<Score> = scores.into_iter().map(|(_, score)| score).collect();
    let scores: Vec<&[Score]> = scores.chunks(tasks.len()).collect();
    let totals = |m: usize| scores[m].iter().map(|score| score.total(weight)).collect::<Vec<f64>>();
    let all: Vec<Vec<f64>> = (0..methods.len()).map(totals).collect();
    let reference = &all[methods.len() - 1];
    let mut text = format!(
        "{:>8} {:>7} {:>8} {:>8} {:>8} {:>8} {:>7} {:>8} {:>7} {:>7} optimizer\n",
        "mean f", "+-", "train", "rise", "held-out", "f-first", "+-", "f-ref", "worst", "broken"
    );
    for (m, (name, _)) in methods.iter().enumerate() {
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
