//! The sentences of the report: what was run, what it shows.

use super::claims::Claim;
use super::finding::Finding;
use super::page::Outcome;
use super::plan::{ABLATIONS, DUELS, EXPERIMENTS, FALLBACKS, LEARNED, MU_RULES, Part, averaged};
use crate::report::number::{percent, significant};
use crate::report::overview::Table;

/// Guarded and no worse than this many times the fallback's loss.
const NO_WORSE: f64 = 1.05;

/// The first lines: what was run, on what, which claims hold.
pub(super) fn lead(outcome: &Outcome<'_>) -> Vec<String> {
    let mut tasks: Vec<&str> = Vec::new();
    for finding in outcome.findings {
        if !tasks.contains(&finding.task.as_str()) {
            tasks.push(&finding.task);
        }
    }
    let numbers: Vec<String> = outcome.experiments.iter().map(|e| e.number.to_string()).collect();
    let seeds = outcome.scale.seeds;
    let run = format!(
        "Experiments {} on {}, {seeds} seed{} each, with lgl2o {}.",
        numbers.join(", "),
        tasks.join(", "),
        if seeds == 1 { "" } else { "s" },
        env!("CARGO_PKG_VERSION")
    );
    let mut all = vec![run];
    all.extend(verdict(outcome.claims));
    all.extend(outcome.notes.iter().cloned());
    all.push(
        "Learning rates come from a grid of nine rates for each rule, run to the task's full horizon on the last sixth \
         of the training data, which is not trained on there. A baseline row has at each step the rate that is best for \
         that step; the fallback of a guard has the rate that is best for the last one. Test data are used for the \
         final runs only. Cost counts forward passes of one minibatch, a gradient as three; each step of an optimizer \
         whose rounds are longer shows what was accepted at the last round's end."
            .to_owned(),
    );
    all
}

/// How many claims hold, of all and of each experiment.
fn verdict(claims: &[Claim]) -> Vec<String> {
    let count = |number: Option<u8>, reached| {
        claims.iter().filter(|c| number.is_none_or(|n| c.experiment == n) && c.reached == reached).count()
    };
    let counts = |number| [Some(true), Some(false), None].map(|reached| count(number, reached));
    let [held, failed, open] = counts(None);
    if held + failed == 0 {
        let none = if open == 0 { "These experiments make no claims." } else { "No claim could be measured." };
        return vec![none.to_owned()];
    }
    let each = (1..=EXPERIMENTS).filter_map(|number| match counts(Some(number)) {
        [0, 0, _] => None,
        [held, 0, _] => Some(format!("{number}: all {held}")),
        [held, failed, _] => Some(format!("{number}: {held} of {}", held + failed)),
    });
    let each: Vec<String> = each.collect();
    let open = if open > 0 { format!("; {open} more could not be measured") } else { String::new() };
    vec![format!(
        "**Of {} claims {held} hold and {failed} do not**{open}. By experiment: {}. The table below names them all.",
        held + failed,
        each.join(", ")
    )]
}

/// What a part was run on.
pub(super) fn task(finding: &Finding, part: &Part) -> String {
    let (results, steps) = (&finding.results, finding.steps);
    let grid = match part.task.grid_seeds {
        1 => "one seed",
        2 => "two seeds",
        _ => "three seeds",
    };
    format!(
        "{}. {}, {} parameters, batches of {}, {steps} steps. Rates were searched with {grid} for each.",
        part.task.source.describe(),
        results.model,
        results.parameters,
        results.batch
    )
}

/// A sentence on what a finding shows.
pub(super) fn shows(finding: &Finding) -> Vec<String> {
    match finding.experiment {
        6 => DUELS.iter().filter_map(|fallback| duel(finding, fallback)).collect(),
        7 => vec![pairs(finding)],
        8 => ablation(finding).into_iter().collect(),
        _ => full(finding).into_iter().collect(),
    }
}

/// Mean share of the steps that are the learned side's; `None` for a plain rule.
pub(super) fn learned_steps_share(finding: &Finding, name: &str) -> Option<f64> {
    let runs = || finding.results.runs.iter().filter(|run| run.optimizer == name);
    let (count, sum) = (runs().count(), runs().map(|run| run.learned_steps_share).sum::<f64>());
    let plain = runs().all(|run| run.verdicts.is_empty() && run.learned_share == 0.0);
    (!plain && count > 0).then(|| sum / count as f64)
}

fn full(finding: &Finding) -> Option<String> {
    let last = finding.steps;
    let (best, loss) = finding.best_baseline(last)?;
    let end = |expression: &str| {
        finding.name(expression).map(|name| match finding.mean(name, last) {
            Some(mean) => format!("`{name}` at {}", significant(mean)),
            None => format!("`{name}` has diverged"),
        })
    };
    let others: Vec<String> =
        ["auto", "avg-l2o", "lgl2o(avg-l2o,sgd)", "lgl2o(avg-l2o,adam)"].into_iter().filter_map(end).collect();
    let at = |step: u64| {
        let (choice, loss) = finding.best_baseline(step)?;
        let own = finding.mean_of("avg-l2o", step)?;
        Some(format!(
            " At step {step}, `avg-l2o` stood at {} against {} of `{}`.",
            significant(own),
            significant(loss),
            choice.name
        ))
    };
    let early = if last > 100 { at(100).unwrap_or_default() } else { String::new() };
    Some(format!(
        "After {last} steps the best baseline, `{}`, stands at {}, {}.{early}",
        best.name,
        significant(loss),
        others.join(", ")
    ))
}

fn duel(finding: &Finding, fallback: &str) -> Option<String> {
    let end = |expression: &str| finding.mean_of(expression, finding.steps);
    let say = |loss: Option<f64>| loss.map_or_else(|| "diverged".to_owned(), significant);
    let rule = |mu| Some((end(&format!("gl2o(l2o,{fallback},mu={mu})"))?, mu));
    let best = MU_RULES.into_iter().filter_map(rule).min_by(|a, b| a.0.total_cmp(&b.0))?;
    Some(format!(
        "With {fallback}: LGL2O ends at {}, the best GL2O (mu={}) at {}, {fallback} alone at {}, the averaged learned \
         optimizer alone at {}.",
        say(end(&format!("lgl2o(avg-l2o,{fallback})"))),
        best.1,
        significant(best.0),
        say(end(fallback)),
        say(end("avg-l2o"))
    ))
}

fn pairs(finding: &Finding) -> String {
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

/// What the table of the changed guards shows.
fn ablation(finding: &Finding) -> Option<String> {
    let whole = finding.mean_of(DEFAULT_GUARD, finding.steps)?;
    Some(format!(
        "The default guard ends at {}. The second table changes it in one part at a time.",
        significant(whole)
    ))
}

/// The guard that is changed in one part at a time.
const DEFAULT_GUARD: &str = "lgl2o(avg-l2o,sgd)";

/// The default guard, changed: loss and cost as multiples of the unchanged one's; `None` for other experiments.
pub(super) fn ablation_table(finding: &Finding) -> Option<Table> {
    let last = finding.steps;
    let (whole, name) = (finding.mean_of(DEFAULT_GUARD, last)?, finding.name(DEFAULT_GUARD)?);
    let cost = finding.cost(name, last)?;
    let row = |(planned, what): &(&str, &str)| {
        let name = finding.name(planned)?;
        let times = |x: f64| format!("{x:.2}");
        let loss = finding.mean(name, last).map_or_else(|| "diverges".to_owned(), |mean| times(mean / whole));
        let share = learned_steps_share(finding, name).map_or_else(|| "-".to_owned(), percent);
        Some(vec![(*what).to_owned(), loss, times(finding.cost(name, last)? / cost), share])
    };
    let share = learned_steps_share(finding, name).map_or_else(|| "-".to_owned(), percent);
    let own = [&format!("as it is, `{name}`"), "1.00", "1.00", &share].map(str::to_owned).to_vec();
    Some(Table {
        caption: format!("Loss and cost after {last} steps, as multiples of the default guard's."),
        head: ["the default guard", "loss", "cost", "learned steps %"].map(str::to_owned).to_vec(),
        rows: std::iter::once(own).chain(ABLATIONS.iter().filter_map(row)).collect(),
        words: false,
    })
}
