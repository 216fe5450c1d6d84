//! The tables and sentences of a survey's report.

use std::collections::BTreeSet;

use super::oracle;
use super::record::{Against, By, Loss, OptimizerRecord, Scored, Survey, TaskRecord};
use crate::report::number::{grouped, percent, significant};
use crate::report::overview::Table;

/// A factor with two decimals, or three digits where it is large.
fn factor(value: f64) -> String {
    if value < 9.995 { format!("{value:.2}") } else { significant(value) }
}

/// What a score measures.
#[derive(Clone, Copy)]
pub(super) struct Measure {
    pub(super) against: Against,
    pub(super) loss: Loss,
    pub(super) by: By,
}

impl Measure {
    /// Against the plain oracle after as many steps as it has made.
    const fn by_step(loss: Loss) -> Self {
        Self { against: Against::Oracle, loss, by: By::Step }
    }
}

/// A score of an optimizer.
pub(super) fn scored(optimizer: &OptimizerRecord, measure: Measure, step: u64) -> Option<&Scored> {
    let Measure { against, loss, by } = measure;
    optimizer.scores.iter().find(|s| (s.against, s.loss, s.by, s.step) == (against, loss, by, step))
}

/// The middle one of the scored steps, which pictures and groups are about.
pub(super) fn middle(survey: &Survey) -> u64 {
    survey.steps.get(survey.steps.len() / 2).copied().unwrap_or(0)
}

/// Rows of cells in which the lowest factor of each of the first columns is bold.
fn bold_lowest(rows: &mut [(Vec<f64>, Vec<String>)]) -> Vec<Vec<String>> {
    let columns = rows.first().map_or(0, |(factors, _)| factors.len());
    let lowest: Vec<String> = (0..columns)
        .map(|i| factor(rows.iter().map(|(factors, _)| factors[i]).fold(f64::INFINITY, f64::min)))
        .collect();
    let cell = |(text, lowest): (String, &String)| if text == *lowest { format!("**{text}**") } else { text };
    let row = |(factors, rest): &mut (Vec<f64>, Vec<String>)| {
        let name = rest.remove(0);
        let factors = factors.iter().map(|x| factor(*x)).zip(&lowest).map(cell);
        std::iter::once(name).chain(factors).chain(rest.iter().cloned()).collect()
    };
    rows.iter_mut().map(row).collect()
}

/// The factors of one kind at every scored step.
fn factors(survey: &Survey, optimizer: &OptimizerRecord, measure: Measure) -> Vec<f64> {
    let at = |step: &u64| scored(optimizer, measure, *step).map_or(f64::NAN, |scored| scored.score.factor);
    survey.steps.iter().map(at).collect()
}

/// The table that is printed: against the plain oracle by step, with spread, failures and cost.
pub(super) fn main_table(survey: &Survey) -> Table {
    let step = middle(survey);
    let (train, held_out) = (Measure::by_step(Loss::Training), Measure::by_step(Loss::HeldOut));
    let runs = survey.optimizers.first().map_or(0, |one| one.runs);
    let mut head = vec!["optimizer".to_owned()];
    head.extend(survey.steps.iter().map(|step| format!("training at {step}")));
    head.extend(survey.steps.iter().map(|step| format!("held-out at {step}")));
    head.extend([format!("95 % at {step}"), "<= 1.1, %".to_owned(), "> 2, %".to_owned()]);
    head.extend([
        format!("worst at {step}"),
        "worst at the end".to_owned(),
        format!("failed, of {runs}"),
        "cost".to_owned(),
    ]);
    let mut rows: Vec<(Vec<f64>, Vec<String>)> = survey
        .optimizers
        .iter()
        .map(|one| {
            let last = survey.steps.last().copied().unwrap_or(0);
            let mut rest = vec![format!("`{}`", one.name)];
            if let (Some(middle), Some(end)) = (scored(one, train, step), scored(one, train, last)) {
                let (middle, end) = (&middle.score, &end.score);
                rest.push(format!("{} to {}", factor(middle.interval[0]), factor(middle.interval[1])));
                rest.extend([middle.within, middle.above].map(percent));
                rest.extend([middle.worst, end.worst].map(factor));
            }
            rest.push(one.failed.to_string());
            rest.push(format!("{:.2}", one.cost));
            ([factors(survey, one, train), factors(survey, one, held_out)].concat(), rest)
        })
        .collect();
    Table {
        caption: format!(
            "Geometric mean over {} tasks of the loss, divided by that of the best of {} settings tuned for each task and \
             step; below 1 is better than tuned. Interval, shares and worst task are of the training loss. Failed: runs \
             that ended with an error, or above the loss of the start. Cost: of a step, in gradients.",
            survey.tasks.len(),
            survey.oracle.len()
        ),
        head,
        rows: bold_lowest(&mut rows),
        words: false,
    }
}

/// Against the strong oracle by step, and against the plain one by cost.
pub(super) fn more_table(survey: &Survey, against: Against, by: By, caption: &str) -> Table {
    let mut head = vec!["optimizer".to_owned()];
    for loss in ["training", "held-out"] {
        head.extend(survey.steps.iter().map(|step| format!("{loss} at {step}")));
    }
    let row = |one: &OptimizerRecord| {
        let both = [Loss::Training, Loss::HeldOut].map(|loss| factors(survey, one, Measure { against, loss, by }));
        (both.concat(), vec![format!("`{}`", one.name)])
    };
    let mut rows: Vec<_> = survey.optimizers.iter().map(row).collect();
    Table { caption: caption.to_owned(), head, rows: bold_lowest(&mut rows), words: false }
}

/// The tasks, each with its sizes and the best settings after the last step.
pub(super) fn task_table(survey: &Survey) -> Table {
    let last = survey.steps.last().copied().unwrap_or(0);
    let loss = |loss: Option<f64>| loss.map_or_else(|| "diverged".to_owned(), significant);
    let row = |task: &TaskRecord| {
        let mut cells = vec![task.name.clone()];
        cells.extend(
            [task.features, task.classes, task.examples[0], task.batch, task.parameters].map(|n| grouped(n as u64)),
        );
        cells.push(loss(task.start.train));
        for best in [task.oracle.last(), task.strong.last()] {
            let (train, setting) = best.map_or((None, ""), |best| (best.train, &best.train_setting));
            cells.extend([loss(train), format!("`{setting}`")]);
        }
        cells
    };
    let head = ["task", "inputs", "classes", "examples", "batch", "parameters", "loss at the start"];
    let mut head: Vec<String> = head.map(str::to_owned).to_vec();
    head.extend([format!("oracle at {last}"), "its setting".to_owned()]);
    head.extend([format!("strong oracle at {last}"), "its setting".to_owned()]);
    Table {
        caption: "Training losses, means over the seeds.".to_owned(),
        head,
        rows: survey.tasks.iter().map(row).collect(),
        words: false,
    }
}

/// The worst task of each optimizer, and what its failed runs said.
pub(super) fn worst_table(survey: &Survey) -> Table {
    let row = |one: &OptimizerRecord| {
        let worst = |loss: Loss| {
            let scored = scored(one, Measure::by_step(loss), middle(survey))?;
            let name = &survey.tasks.get(scored.score.worst_task)?.name;
            Some(format!("{} ({name})", factor(scored.score.worst)))
        };
        let said = one.messages.iter().map(|[task, message]| format!("{message} (first on {task})"));
        let said = said.collect::<Vec<_>>().join("; ");
        let failed = match (one.failed, said.is_empty()) {
            (0, _) => "none".to_owned(),
            (failed, true) => format!("{failed} above the loss of the start"),
            (failed, false) => format!("{failed}: {said}"),
        };
        let worst = [Loss::Training, Loss::HeldOut].map(|loss| worst(loss).unwrap_or_default());
        let [train, held_out] = worst;
        vec![format!("`{}`", one.name), train, held_out, failed]
    };
    let step = middle(survey);
    Table {
        caption: "Where each optimizer is furthest behind the oracle, and what became of failed runs.".to_owned(),
        head: vec![
            "optimizer".to_owned(),
            format!("worst training loss at {step}"),
            format!("worst held-out loss at {step}"),
            "failed runs".to_owned(),
        ],
        rows: survey.optimizers.iter().map(row).collect(),
        words: true,
    }
}

/// What the table by cost shows.
pub(super) const BY_COST: &str = "After as much work as the oracle has spent at each step: a guarded optimizer pays for \
    its checks here.";
/// What the table of the strong oracle shows.
pub(super) const STRONG: &str = "Against the best of 40 settings: the 15, the same 15 with averaged iterates (eta = 8), \
    and Adam and NAdam at five rates with a cosine to the scored step, which only they are told.";

/// What was done, in a few sentences.
pub(super) fn lead(survey: &Survey) -> Vec<String> {
    let sets = survey.tasks.iter().map(|task| (&task.digest, &task.inputs)).collect::<BTreeSet<_>>().len();
    let standardized = if survey.tasks.iter().any(|task| task.standardized) { "standardized" } else { "as they are" };
    let seeds = survey.seeds.len();
    vec![
        format!(
            "{} optimizer{}, each with one setting, on {} tasks: {sets} data sets with {} networks, inputs {standardized}, {seeds} \
             seed{} each. The oracle is the best of {}, chosen for each task and step by the same loss that is \
             shown.",
            survey.optimizers.len(),
            if survey.optimizers.len() == 1 { "" } else { "s" },
            survey.tasks.len(),
            survey.tasks.len() / sets.max(1),
            if seeds == 1 { "" } else { "s" },
            settings(survey)
        ),
        format!("Losses below {} count as that, factors end at 1/1000 and 1000.", survey.floor),
    ]
}

/// The settings of the oracle.
fn settings(survey: &Survey) -> String {
    if survey.oracle == oracle::names() {
        return format!("{} settings of SGD, momentum and Adam", survey.oracle.len());
    }
    let names: Vec<String> = survey.oracle.iter().map(|name| format!("`{name}`")).collect();
    names.join(", ")
}

/// So many that it lost to are named, the lowest first.
const LISTED: usize = 4;

/// What the product did, `auto` or else the first optimizer, and what it lost to.
pub(super) fn headline(survey: &Survey) -> Vec<String> {
    let step = middle(survey);
    let product = survey.optimizers.iter().find(|one| one.name == "auto").or_else(|| survey.optimizers.first());
    let score = |one, loss| scored(one, Measure::by_step(loss), step).map(|scored| &scored.score);
    let Some((own, train, held_out)) =
        product.and_then(|one| Some((one, score(one, Loss::Training)?, score(one, Loss::HeldOut)?)))
    else {
        return Vec::new();
    };
    let mut text = format!(
        "After {} steps the training loss of `{}` is **{} times** that of settings tuned for each task, its held-out loss {} \
         times; below 1 is better than tuned.",
        grouped(step),
        own.name,
        factor(train.factor),
        factor(held_out.factor)
    );
    let worst = survey.tasks.get(train.worst_task).map_or("", |task| &task.name);
    text.push_str(&format!(" At its worst, on {worst}, its training loss is {} times that.", factor(train.worst)));
    if own.failed > 0 {
        text.push_str(&format!(" {} of its {} runs failed.", own.failed, own.runs));
    }
    let others = survey.optimizers.iter().filter(|one| one.name != own.name);
    let better = others.filter_map(|one| Some((one, score(one, Loss::Training)?.factor)));
    let better = better.filter(|(_, other)| *other < train.factor).map(|(one, other)| (one.name.as_str(), other));
    if survey.optimizers.len() > 1 {
        text.push_str(&lost_to(better.collect()));
    }
    vec![text]
}

/// Whom the product lost to, the lowest factor first.
fn lost_to(mut better: Vec<(&str, f64)>) -> String {
    better.sort_by(|a, b| a.1.total_cmp(&b.1));
    let listed: Vec<String> =
        better.iter().take(LISTED).map(|(name, other)| format!("`{name}` ({})", factor(*other))).collect();
    let listed = listed.join(", ");
    match better.len() {
        0 => " No other optimizer here is lower.".to_owned(),
        1..=LISTED => format!(" It lost to {listed}."),
        all => format!(" It lost to {listed} and {} more.", all - LISTED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_it_lost_to_most_are_named_and_the_others_counted() {
        let all = [("a", 0.9), ("b", 0.5), ("c", 0.8), ("d", 0.7), ("e", 0.6)];
        assert_eq!(lost_to(all[..2].to_vec()), " It lost to `b` (0.50), `a` (0.90).");
        assert_eq!(lost_to(all.to_vec()), " It lost to `b` (0.50), `e` (0.60), `d` (0.70), `c` (0.80) and 1 more.");
        assert_eq!(lost_to(Vec::new()), " No other optimizer here is lower.");
    }
}
