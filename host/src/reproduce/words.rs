//! The sentences of the report on all of it, and on what each part was run on.

use super::claims::Claim;
use super::experiments::ALL;
use super::finding::Finding;
use super::outcome::Outcome;
use super::tasks::Part;

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
    let count = |number: Option<usize>, reached| {
        claims.iter().filter(|c| number.is_none_or(|n| c.experiment == n) && c.reached == reached).count()
    };
    let counts = |number| [Some(true), Some(false), None].map(|reached| count(number, reached));
    let [held, failed, open] = counts(None);
    if held + failed == 0 {
        let none = if open == 0 { "These experiments make no claims." } else { "No claim could be measured." };
        return vec![none.to_owned()];
    }
    let each = (1..=ALL.len()).filter_map(|number| match counts(Some(number)) {
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
        1 => "one seed".to_owned(),
        2 => "two seeds".to_owned(),
        3 => "three seeds".to_owned(),
        more => format!("{more} seeds"),
    };
    format!(
        "{}. {}, {} parameters, batches of {}, {steps} steps. Rates were searched with {grid} for each.",
        part.task.source.describe(),
        results.model,
        results.parameters,
        results.batch
    )
}
