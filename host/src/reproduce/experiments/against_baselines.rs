//! What the first five experiments share: guards beside their fallbacks and beside baselines tuned for each checkpoint.

use super::super::claims::{Claim, NO_WORSE, Worst, claim, late, loss_or_diverged, worst_ratio};
use super::super::experiment::Experiment;
use super::super::finding::Finding;
use super::super::pictures::curves;
use super::super::tasks::{Part, TaskPlan};
use super::pairs::LEARNED;
use crate::report::number::significant;

/// The defaults of an experiment of this kind; name, texts and tasks are its own.
pub(super) const DEFAULTS: Experiment = Experiment {
    name: "",
    title: "",
    question: "",
    tasks: "",
    parts: |_, _| Vec::new(),
    claims,
    pictures: |finding| curves(finding, |_| true, ""),
    words: |finding| words(finding).into_iter().collect(),
    tables: |_| Vec::new(),
};

/// The guarded optimizer that has no number to set.
pub(super) const AUTO: &str = "auto";
/// Its learned side.
pub(super) const LEARNED_SIDE: &str = "avg-l2o";
/// The loss guard by default, with gradient descent as its fallback.
pub(super) const GUARDED: &str = "lgl2o(avg-l2o,sgd)";
/// The same with Adam.
const GUARDED_ADAM: &str = "lgl2o(avg-l2o,adam)";
/// Guarded optimizers with the fallback that each must not lose to.
const SAFE: [[&str; 2]; 3] = [[AUTO, "avg-ngn"], [GUARDED, "sgd"], [GUARDED_ADAM, "adam"]];
/// The guard without a number to set may have this many times the loss of the best tuned baseline at the end ...
const BEST: f64 = 1.0;
/// ... and this many times from a tenth of the horizon on.
const NEVER_ABOVE: f64 = 2.0;
/// The worst guarded seed may be this many times the fallback's worst.
const WORST_SEED: f64 = 1.10;

/// Baselines tuned for each checkpoint, the learned optimizer alone, the guards with their fallbacks alone.
pub(super) fn part(task: TaskPlan) -> Part {
    let optimizers = [AUTO, "sgd", "adam", "avg-ngn", "l2o", LEARNED_SIDE, GUARDED, GUARDED_ADAM];
    let optimizers = optimizers.map(str::to_owned).to_vec();
    Part { steps: task.steps, task, baselines: true, optimizers }
}

/// The same with GL2O and every learned optimizer. Some of these take many times as long for a step, so that this is
/// for the first two experiments only.
pub(super) fn part_for_all(task: TaskPlan) -> Part {
    let part = part(task);
    let others = LEARNED
        .iter()
        .filter(|name| **name != "l2o")
        .chain(&["auto-lean", "gl2o(l2o,sgd)", "lgl2o(avg-lean,sgd)"])
        .map(|name| (*name).to_owned());
    Part { optimizers: part.optimizers.iter().cloned().chain(others).collect(), ..part }
}

fn claims(finding: &Finding) -> Vec<Claim> {
    let safe = SAFE.iter().flat_map(|[guarded, fallback]| safe(finding, guarded, fallback));
    automatic(finding).into_iter().chain(safe).collect()
}

/// The rate-free guard against baselines that are tuned for the task.
pub(super) fn automatic(finding: &Finding) -> [Claim; 2] {
    let end = finding.best_baseline(finding.steps).zip(finding.name(AUTO)).map(|((choice, loss), own)| {
        let own = finding.mean(own, finding.steps);
        let text = format!("{} against {} of {}", loss_or_diverged(own), significant(loss), choice.name);
        (text, own.is_some_and(|own| own <= BEST * loss))
    });
    let worst = finding.name(AUTO).and_then(|own| {
        let ratios = late(finding).filter_map(|step| {
            let (_, theirs) = finding.best_baseline(step)?;
            Some(Worst { ratio: finding.ratio(own, step, theirs)?, step })
        });
        ratios.reduce(Worst::or)
    });
    let what = format!("{}: {AUTO} against the best baseline tuned for the end", finding.task);
    let never =
        format!("{}: {AUTO} against the best baseline of each step, from a tenth of the horizon on", finding.task);
    [
        claim(finding, what, format!("at most {BEST:.2} times its loss"), end),
        claim(finding, never, format!("at most {NEVER_ABOVE:.2} times its loss"), worst.map(|r| r.judged(NEVER_ABOVE))),
    ]
}

/// A guard must not lose to its fallback: on average, and in the worst seed.
fn safe(finding: &Finding, guarded: &str, fallback: &str) -> [Claim; 2] {
    let names = finding.name(guarded).zip(finding.name(fallback));
    let mean = names.and_then(|(guarded, fallback)| worst_ratio(finding, guarded, fallback, late(finding)));
    let worst = names.and_then(|(guarded, alone)| {
        let theirs = finding.worst_seed(alone)?;
        let own = finding.worst_seed(guarded);
        let text = format!("{} against {}", loss_or_diverged(own), significant(theirs));
        Some((text, own.is_some_and(|own| own <= WORST_SEED * theirs)))
    });
    let what = format!("{}: {guarded} against {fallback} alone, from a tenth of the horizon on", finding.task);
    let seed = format!("{}: worst seed of {guarded} at the end against that of {fallback}", finding.task);
    [
        claim(finding, what, format!("at most {NO_WORSE:.2} times its loss"), mean.map(|r| r.judged(NO_WORSE))),
        claim(finding, seed, format!("at most {WORST_SEED:.2} times"), worst),
    ]
}

fn words(finding: &Finding) -> Option<String> {
    let last = finding.steps;
    let (best, loss) = finding.best_baseline(last)?;
    let end = |expression: &str| {
        finding.name(expression).map(|name| match finding.mean(name, last) {
            Some(mean) => format!("`{name}` at {}", significant(mean)),
            None => format!("`{name}` has diverged"),
        })
    };
    let others: Vec<String> = [AUTO, LEARNED_SIDE, GUARDED, GUARDED_ADAM].into_iter().filter_map(end).collect();
    let at = |step: u64| {
        let (choice, loss) = finding.best_baseline(step)?;
        let own = finding.mean_of(LEARNED_SIDE, step)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::sample::{finding, run};

    #[test]
    fn the_guard_is_held_against_its_fallback_late_and_in_the_worst_seed() {
        let runs = vec![
            run("sgd:1", 1, &[(25, 1.0), (50, 1.0), (300, 0.5)]),
            run("sgd:1", 2, &[(25, 1.0), (50, 1.0), (300, 0.7)]),
            run("g", 1, &[(25, 9.0), (50, 1.06), (300, 0.5)]),
            run("g", 2, &[(25, 9.0), (50, 1.06), (300, 0.78)]),
        ];
        let all = claims(&finding(300, runs, &[("avg-ngn", "sgd:1"), (AUTO, "g")], &[]));
        assert!(all[..2].iter().all(|c| c.reached.is_none()), "there is no baseline");
        // Step 25 is before a tenth of the horizon.
        assert_eq!((all[2].reached, all[2].measured.as_str()), (Some(false), "at worst 1.07 times, at step 300"));
        assert_eq!((all[3].reached, all[3].measured.as_str()), (Some(false), "0.780 against 0.700"));
        assert_eq!(all[4].reached, None, "nothing was run with sgd");
    }

    #[test]
    fn a_diverged_guard_is_worse_than_anything() {
        let runs = vec![run("sgd:1", 1, &[(50, 1.0)]), run("g", 1, &[(50, f64::NAN)])];
        let all = claims(&finding(50, runs, &[("avg-ngn", "sgd:1"), (AUTO, "g")], &[]));
        assert_eq!((all[2].reached, all[2].measured.as_str()), (Some(false), "diverged by step 50"));
        assert_eq!((all[3].reached, all[3].measured.as_str()), (Some(false), "diverged against 1.00"));
    }

    #[test]
    fn a_first_round_that_is_longer_than_a_tenth_of_the_horizon_is_no_divergence() {
        let runs = vec![run("sgd:1", 1, &[(10, 1.0), (50, 1.0)]), run("g", 1, &[(50, 1.02)])];
        let all = claims(&finding(50, runs, &[("avg-ngn", "sgd:1"), (AUTO, "g")], &[]));
        assert_eq!((all[2].reached, all[2].measured.as_str()), (Some(true), "at worst 1.02 times, at step 50"));
    }
}
