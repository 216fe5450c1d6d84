//! Experiment `guards`: guard against guard, with three fallbacks.

use anyhow::Result;

use crate::report::number::significant;
use crate::reproduce::claims::{Claim, Worst, claim, worst_ratio};
use crate::reproduce::experiment::Experiment;
use crate::reproduce::finding::Finding;
use crate::reproduce::pictures::{Picture, curves};
use crate::reproduce::tasks::{Part, TaskPlan, mnist_for_all, spirals};

/// The experiment.
pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "guards",
    title: "Guard against guard",
    question: "Which guard leaves the lower loss, at which cost?",
    tasks: "LGL2O, GL2O with its five rules, fixed blends",
    parts: |scale, _| vec![part(mnist_for_all(scale)), part(spirals(scale))],
    claims: |finding| FALLBACKS.iter().map(|fallback| claims(finding, fallback)).collect(),
    pictures,
    words: |finding| FALLBACKS.iter().filter_map(|fallback| words(finding, fallback)).collect(),
    tables: |_| Vec::new(),
};

/// Its fallbacks.
const FALLBACKS: [&str; 3] = ["sgd", "momentum", "adam"];
/// The five rules for the bound of GL2O.
const MU_RULES: [&str; 5] = ["gs:0.99", "rt", "aa", "ema:0.25", "rm:10"];

/// Guard against guard: for each fallback the two sides alone, LGL2O in the paper's form and by default, averaged or not,
/// five forms of GL2O and one that is averaged, three blends.
fn part(task: TaskPlan) -> Part {
    let guards = |fallback: &str| -> Vec<String> {
        let alone = [
            fallback.to_owned(),
            format!("lgl2o(avg-l2o,{fallback})"),
            format!("lgl2o(l2o,{fallback})"),
            format!("lgl2o(l2o,{fallback},paper)"),
            format!("gl2o(avg-l2o,{fallback})"),
        ];
        let residual = MU_RULES.map(|mu| format!("gl2o(l2o,{fallback},mu={mu})"));
        let blends = ["0.25", "0.5", "0.75"].map(|share| format!("blend(l2o,{fallback},share={share})"));
        alone.into_iter().chain(residual).chain(blends).collect()
    };
    let optimizers =
        ["l2o", "avg-l2o"].map(str::to_owned).into_iter().chain(FALLBACKS.iter().flat_map(|f| guards(f))).collect();
    Part { steps: task.steps, task, baselines: false, optimizers }
}

/// The default guard against the lowest of the five forms of GL2O, at every checkpoint.
fn claims(finding: &Finding, fallback: &str) -> Claim {
    let own = finding.name(&format!("lgl2o(avg-l2o,{fallback})"));
    let others: Vec<&str> =
        MU_RULES.iter().filter_map(|mu| finding.name(&format!("gl2o(l2o,{fallback},mu={mu})"))).collect();
    let measured = own.and_then(|own| {
        let ratios = others.iter().filter_map(|other| worst_ratio(finding, own, other, finding.checkpoints()));
        let worst = ratios.reduce(Worst::or)?;
        let (text, reached) = worst.judged(1.0);
        let cost = |name: &str| finding.cost(name, finding.steps).map(|cost| cost / finding.steps as f64 / 3.0);
        let (own, other) = (cost(own)?, cost(others.first()?)?);
        Some((format!("{text}; gradients a step, a forward as a third: {own:.2} against {other:.2}"), reached))
    });
    let what = format!("{}: lgl2o(avg-l2o,{fallback}) against each GL2O at each checkpoint", finding.task);
    claim(finding, what, "never above it".to_owned(), measured)
}

fn pictures(finding: &Finding) -> Result<Vec<Picture>> {
    let all: Result<Vec<Vec<Picture>>> = FALLBACKS.iter().map(|fallback| pictures_with(finding, fallback)).collect();
    Ok(all?.into_iter().flatten().collect())
}

/// The two sides alone and every guard with one fallback.
fn pictures_with(finding: &Finding, fallback: &str) -> Result<Vec<Picture>> {
    let shown = |name: &str| {
        let inside = [format!("l2o,{fallback})"), format!("l2o,{fallback},")];
        ["l2o", "avg-l2o", fallback].contains(&name) || inside.iter().any(|part| name.contains(part.as_str()))
    };
    let mut all = curves(finding, shown, &format!("-{fallback}"))?;
    // A band of verdicts for each of eight guards says less than the column of shares in the table.
    all.truncate(2);
    Ok(all)
}

fn words(finding: &Finding, fallback: &str) -> Option<String> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::sample::{finding, run_at_cost};

    #[test]
    fn the_guard_is_held_against_the_best_of_gl2o() {
        let runs = vec![
            run_at_cost("g", 1, 3.3, &[(25, 1.0), (50, 0.9)]),
            run_at_cost("rt", 1, 6.0, &[(25, 1.1), (50, 1.0)]),
            run_at_cost("aa", 1, 6.0, &[(25, 1.2), (50, 0.8)]),
        ];
        let names = [("lgl2o(avg-l2o,sgd)", "g"), ("gl2o(l2o,sgd,mu=rt)", "rt"), ("gl2o(l2o,sgd,mu=aa)", "aa")];
        let claim = claims(&finding(50, runs, &names, &[]), "sgd");
        let measured = "at worst 1.12 times, at step 50; gradients a step, a forward as a third: 1.10 against 2.00";
        assert_eq!((claim.reached, claim.measured.as_str()), (Some(false), measured));
    }
}
