//! Experiment `ablation`: the default guard without one of its parts, or with another one.

use super::against_baselines::{GUARDED, LEARNED_SIDE};
use crate::report::number::{percent, significant};
use crate::report::overview::Table;
use crate::reproduce::experiment::Experiment;
use crate::reproduce::finding::Finding;
use crate::reproduce::pictures::curves;
use crate::reproduce::tasks::{Part, TaskPlan, mnist_deep, mnist_for_all, spirals};

/// The experiment.
pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "ablation",
    title: "The default guard without its parts",
    question: "What does each part of the guard contribute?",
    tasks: "the two tasks of `guards`, and the deeper network",
    parts: |scale, _| vec![part(mnist_for_all(scale)), part(spirals(scale)), part(mnist_deep(scale))],
    claims: |_| Vec::new(),
    pictures: |finding| curves(finding, |_| true, ""),
    words: |finding| words(finding).into_iter().collect(),
    tables: |finding| table(finding).into_iter().collect(),
};

/// The default guard without one part or with another one, each in words: schedule, decision, fallback, state policies, and
/// the paper's form, which has none of the parts.
const ABLATIONS: [(&str, &str); 16] = [
    ("lgl2o(l2o,sgd)", "without averaging"),
    ("lgl2o(avg-l2o,sgd,no-trust)", "without trust: every tie to the fallback"),
    ("lgl2o(avg-l2o,sgd,no-stretch)", "without stretch: strides of 32 steps at most"),
    ("lgl2o(avg-l2o,sgd,no-stride)", "without strides"),
    ("lgl2o(avg-l2o,sgd,no-audit)", "without audits"),
    ("lgl2o(avg-l2o,sgd,no-budget)", "without budget"),
    ("lgl2o(avg-l2o,sgd,no-audit,no-budget)", "with nothing but strides"),
    ("lgl2o(avg-l2o,sgd,lower)", "without margin"),
    ("lgl2o(avg-l2o,sgd,early-stop=0)", "with all check batches always"),
    ("lgl2o(avg-l2o,sgd,no-veto)", "without veto"),
    ("lgl2o(avg-l2o,sgd,stay)", "staying where neither side descends"),
    ("lgl2o(avg-l2o,armijo)", "with line search in the fallback"),
    ("lgl2o(avg-l2o,sgd,rewind)", "rewinding the loser's state"),
    ("lgl2o(avg-l2o,sgd,reset)", "resetting the loser's state"),
    ("lgl2o(avg-l2o,sgd,follow)", "having the loser's state follow the winner"),
    ("lgl2o(l2o,sgd,paper)", "in the paper's form, without averaging"),
];

/// The default guard with its sides alone, and the same without one part or with another one.
fn part(task: TaskPlan) -> Part {
    let optimizers = ["sgd", "armijo", LEARNED_SIDE, GUARDED].into_iter().chain(ABLATIONS.map(|(changed, _)| changed));
    Part { steps: task.steps, task, baselines: false, optimizers: optimizers.map(str::to_owned).collect() }
}

/// What the table of the changed guards shows.
fn words(finding: &Finding) -> Option<String> {
    let whole = finding.mean_of(GUARDED, finding.steps)?;
    Some(format!(
        "The default guard ends at {}. The second table changes it in one part at a time.",
        significant(whole)
    ))
}

/// The default guard, changed: loss and cost as multiples of the unchanged one's.
fn table(finding: &Finding) -> Option<Table> {
    let last = finding.steps;
    let (whole, name) = (finding.mean_of(GUARDED, last)?, finding.name(GUARDED)?);
    let cost = finding.cost(name, last)?;
    let row = |(planned, what): &(&str, &str)| {
        let name = finding.name(planned)?;
        let times = |x: f64| format!("{x:.2}");
        let loss = finding.mean(name, last).map_or_else(|| "diverges".to_owned(), |mean| times(mean / whole));
        let share = finding.learned_steps_share(name).map_or_else(|| "-".to_owned(), percent);
        Some(vec![(*what).to_owned(), loss, times(finding.cost(name, last)? / cost), share])
    };
    let share = finding.learned_steps_share(name).map_or_else(|| "-".to_owned(), percent);
    let own = [&format!("as it is, `{name}`"), "1.00", "1.00", &share].map(str::to_owned).to_vec();
    Some(Table {
        caption: format!("Loss and cost after {last} steps, as multiples of the default guard's."),
        head: ["the default guard", "loss", "cost", "learned steps %"].map(str::to_owned).to_vec(),
        rows: std::iter::once(own).chain(ABLATIONS.iter().filter_map(row)).collect(),
        words: false,
    })
}
