//! Experiment `pairs`: every learned optimizer with every fallback, and all of them alone.

use anyhow::Result;

use crate::optimizer::rule::AVERAGED;
use crate::report::number::{percent, significant};
use crate::report::{HeatCell, HeatMap, heat_map};
use crate::reproduce::claims::NO_WORSE;
use crate::reproduce::experiment::Experiment;
use crate::reproduce::finding::Finding;
use crate::reproduce::pictures::Picture;
use crate::reproduce::tasks::{Part, Scale, TaskPlan, mnist_for_all, spirals};

/// The experiment.
pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "pairs",
    title: "Every learned optimizer, every fallback",
    question: "Does the guard work for any pair?",
    tasks: "the two tasks of `guards`, 1,000 steps",
    parts: |scale, _| vec![part(mnist_for_all(scale), scale), part(spirals(scale), scale)],
    claims: |_| Vec::new(),
    pictures: |finding| Ok(vec![picture(finding)?]),
    words: |finding| vec![words(finding)],
    tables: |_| Vec::new(),
};

/// Learned optimizers, in the order of the heat map.
pub(super) const LEARNED: [&str; 4] = ["l2o", "lean", "lstm", "rnnprop"];
/// Fallbacks, in its order.
const FALLBACKS: [&str; 5] = ["sgd", "momentum", "nesterov", "adam", "armijo"];

/// A learned optimizer whose iterates are averaged, as the default guard has it.
fn averaged(learned: &str) -> String {
    format!("{AVERAGED}{learned}")
}

fn part(task: TaskPlan, scale: &Scale) -> Part {
    let alone = FALLBACKS.iter().map(|name| (*name).to_owned()).chain(LEARNED.iter().map(|name| averaged(name)));
    let guarded = LEARNED.iter().flat_map(|l| FALLBACKS.iter().map(move |f| format!("lgl2o({},{f})", averaged(l))));
    Part {
        steps: scale.steps(1000).min(task.steps),
        task,
        baselines: false,
        optimizers: alone.chain(guarded).collect(),
    }
}

/// Final loss and share of learned steps of every pair.
fn picture(finding: &Finding) -> Result<Picture> {
    let learned: Vec<&str> = LEARNED.into_iter().filter(|name| finding.name(&averaged(name)).is_some()).collect();
    let end = |expression: &str| finding.mean_of(expression, finding.steps);
    let alone = |name: &str| {
        let loss = end(name).map_or_else(|| "diverges".to_owned(), significant);
        [name.to_owned(), format!("alone: {loss}")]
    };
    let cell = |learned: &str, fallback: &str| {
        let pair = format!("lgl2o({},{fallback})", averaged(learned));
        let Some(name) = finding.name(&pair) else { return HeatCell::default() };
        let (loss, fallback) = (end(&pair), end(fallback));
        let share = finding.learned_steps_share(name).unwrap_or(0.0);
        HeatCell {
            ratio: Some(loss.zip(fallback).map_or(f64::INFINITY, |(loss, fallback)| loss / fallback)),
            lines: vec![
                loss.map_or_else(|| "diverged".to_owned(), significant),
                format!("{} % learned steps", percent(share)),
            ],
        }
    };
    let map = HeatMap {
        rows: learned.iter().map(|name| alone(&averaged(name))).collect(),
        columns: FALLBACKS.iter().map(|name| alone(name)).collect(),
        cells: learned.iter().map(|l| FALLBACKS.iter().map(|f| cell(l, f)).collect()).collect(),
    };
    let title = format!("Every pair: held-out loss after {} steps", finding.steps);
    Ok(Picture {
        file: "pairs.svg".to_owned(),
        svg: heat_map(&title, &finding.results, &map)?,
        caption:
            "Guarded pairs: the loss at the end, coloured by its ratio to the fallback's alone; below it the share \
                  of the steps that are the learned side's."
                .to_owned(),
    })
}

fn words(finding: &Finding) -> String {
    let end = |expression: &str| finding.mean_of(expression, finding.steps);
    let all = LEARNED.iter().flat_map(|l| FALLBACKS.iter().map(move |f| (*f, format!("lgl2o({},{f})", averaged(l)))));
    let run: Vec<(&str, String)> = all.filter(|(_, pair)| finding.name(pair).is_some()).collect();
    let good = run.iter().filter(|(fallback, pair)| match (end(pair), end(fallback)) {
        (Some(own), Some(theirs)) => own <= NO_WORSE * theirs,
        (own, _) => own.is_some(),
    });
    format!(
        "Of {} guarded pairs, {} end no higher than {NO_WORSE:.2} times the loss of their fallback alone.",
        run.len(),
        good.count()
    )
}
