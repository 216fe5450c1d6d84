//! Experiment `in-distribution`: the kind of task that the learned optimizer was trained on, with claims on its speed.

use super::against_baselines::{self, AUTO, LEARNED_SIDE, automatic};
use crate::report::number::significant;
use crate::reproduce::claims::{Claim, claim, loss_or_diverged};
use crate::reproduce::experiment::Experiment;
use crate::reproduce::finding::{Finding, TunedRule};
use crate::reproduce::tasks;

/// The experiment.
pub(super) const EXPERIMENT: Experiment = Experiment {
    name: "in-distribution",
    title: "In distribution",
    question: "Is the learned optimizer fast on the kind of task it was trained on?",
    tasks: "MNIST, 784-20-10 sigmoid",
    parts: |scale, _| vec![against_baselines::part_for_all(tasks::mnist_for_all(scale))],
    claims,
    ..against_baselines::DEFAULTS
};

/// Checkpoints at which the learned optimizer alone is to be below every baseline.
const EARLY_CHECKPOINTS: [u64; 5] = [25, 50, 100, 200, 300];
/// The loss that the best baseline has here ...
const REFERENCE: u64 = 300;
/// ... is to be reached by this step,
const FASTER: u64 = 150;
/// ... and by the guarded run at this cost, where the baseline has spent 3 forwards a step.
const CHEAPER: f64 = 600.0;
/// The guarded run may cost this many times the unguarded one.
const OVERHEAD: f64 = 1.10;
fn claims(finding: &Finding) -> Vec<Claim> {
    let speed = vec![faster(finding), cheaper(finding), overhead(finding)];
    [automatic(finding).to_vec(), early(finding), speed].concat()
}

fn early(finding: &Finding) -> Vec<Claim> {
    let below = |averaged: bool, step: u64| {
        let best = if averaged { finding.best_averaged(step) } else { finding.best_baseline(step) };
        let measured = best.zip(finding.name(LEARNED_SIDE)).map(|((TunedRule { name, .. }, loss), own)| {
            let own = finding.mean(own, step);
            let text = format!("{} against {} of {name}", loss_or_diverged(own), significant(loss));
            (text, own.is_some_and(|own| own < loss))
        });
        let theirs = if averaged { "averaged baseline" } else { "baseline" };
        let what =
            format!("{}: {LEARNED_SIDE} alone at step {step} is below every {theirs} tuned for it", finding.task);
        claim(finding, what, format!("below the best {theirs}"), measured)
    };
    EARLY_CHECKPOINTS.map(|s| below(false, s)).into_iter().chain(EARLY_CHECKPOINTS.map(|s| below(true, s))).collect()
}

fn faster(finding: &Finding) -> Claim {
    let measured = finding.best_baseline(REFERENCE).zip(finding.name(LEARNED_SIDE)).map(|((choice, loss), own)| {
        let reached = finding.checkpoints().into_iter().find(|&s| finding.mean(own, s).is_some_and(|own| own <= loss));
        let text = match reached {
            Some(step) => format!("first at step {step} ({} has {} at {REFERENCE})", choice.name, significant(loss)),
            None => format!("never ({} has {} at {REFERENCE})", choice.name, significant(loss)),
        };
        (text, reached.is_some_and(|step| step <= FASTER))
    });
    let what =
        format!("{}: {LEARNED_SIDE} alone has the best baseline's loss of step {REFERENCE} sooner", finding.task);
    claim(finding, what, format!("by step {FASTER}"), measured)
}

fn cheaper(finding: &Finding) -> Claim {
    let budget = 3.0 * REFERENCE as f64;
    let measured = finding.best_baseline(REFERENCE).zip(finding.name(AUTO)).map(|((_, loss), guarded)| {
        let cost = cost_of(finding, guarded, loss);
        let text = cost.map_or_else(|| "never".to_owned(), |cost| format!("at cost {cost:.0}"));
        (text, cost.is_some_and(|cost| cost <= CHEAPER))
    });
    let what = format!("{}: {AUTO} has the loss that the best baseline has at cost {budget:.0}", finding.task);
    claim(finding, what, format!("at cost {CHEAPER:.0} or less (a gradient is 3)"), measured)
}

/// The cost at which the mean loss of an optimizer first falls to a value, on straight lines between its points.
fn cost_of(finding: &Finding, name: &str, loss: f64) -> Option<f64> {
    let own = finding.results.summary.iter().filter(|s| s.optimizer == name);
    let points: Vec<(f64, f64)> = own.filter_map(|s| Some((s.cost, s.test_loss_mean?))).collect();
    let below = points.iter().position(|(_, own)| *own <= loss)?;
    let (cost, own) = points[below];
    let Some(&(cost_before, before)) = below.checked_sub(1).and_then(|i| points.get(i)) else { return Some(cost) };
    Some(cost_before + (cost - cost_before) * (before - loss) / (before - own))
}

fn overhead(finding: &Finding) -> Claim {
    let cost = |expression: &str| finding.cost(finding.name(expression)?, finding.steps);
    let measured = cost(AUTO).zip(cost(LEARNED_SIDE)).map(|(guarded, alone)| {
        let ratio = guarded / alone;
        (format!("{} times", significant(ratio)), ratio <= OVERHEAD)
    });
    let what = format!("{}: cost of {AUTO} against {LEARNED_SIDE} alone, {} steps", finding.task, finding.steps);
    claim(finding, what, format!("at most {OVERHEAD:.2} times"), measured)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::sample::{finding, run, run_at_cost};

    /// All claims with the losses of the baselines, of the learned side and of the guard, which costs 3.3 a step.
    fn first() -> Vec<Claim> {
        let runs = vec![
            run("sgd:1", 1, &[(25, 2.0), (50, 1.5), (100, 1.0), (150, 0.9), (200, 0.8), (300, 0.7)]),
            run("adam:0.1", 1, &[(25, 1.6), (50, 1.4), (100, 1.2), (150, 0.9), (200, 0.9), (300, 0.6)]),
            run("avg-l2o", 1, &[(25, 1.0), (50, 1.45), (100, 0.8), (150, 0.6), (200, 0.5), (300, f64::NAN)]),
            run_at_cost("auto", 1, 3.3, &[(25, 1.0), (50, 2.9), (100, 0.8), (150, 0.7), (200, 0.5), (300, 0.4)]),
        ];
        let best = [25, 50, 100, 150, 200, 300].map(|step| [(step, "sgd:1"), (step, "adam:0.1")]).concat();
        claims(&finding(300, runs, &[(LEARNED_SIDE, "avg-l2o"), (AUTO, "auto")], &best))
    }

    #[test]
    fn the_claims_by_hand() {
        let all = first();
        assert_eq!((all[0].reached, all[0].measured.as_str()), (Some(true), "0.400 against 0.600 of adam:0.1"));
        // 2.9 against 1.4; step 25 is before a tenth of the horizon.
        assert_eq!((all[1].reached, all[1].measured.as_str()), (Some(false), "at worst 2.07 times, at step 50"));
        let reached: Vec<Option<bool>> = all.iter().map(|c| c.reached).collect();
        // At 50 it is above Adam's 1.4, at 300 it has diverged.
        assert_eq!(reached[2..7], [true, false, true, true, false].map(Some));
        assert!(all[7..12].iter().all(|c| c.reached.is_none() && c.claim.contains("averaged")), "none was run");
        assert!(all[6].measured.starts_with("diverged against 0.600"), "{}", all[6].measured);
        assert_eq!((all[12].reached, all[12].measured.starts_with("first at step 150")), (Some(true), true));
        // Half way from cost 495 (loss 0.7) to cost 660 (loss 0.5).
        assert_eq!((all[13].reached, all[13].measured.as_str()), (Some(true), "at cost 578"));
        assert_eq!((all[14].reached, all[14].measured.as_str()), (Some(true), "1.10 times"));
        assert_eq!(all.len(), 15);
    }

    #[test]
    fn what_cannot_be_measured_is_said() {
        let all = claims(&finding(100, vec![run("sgd:1", 1, &[(100, 1.0)])], &[], &[(100, "sgd:1")]));
        assert_eq!(all.len(), 15);
        assert!(all.iter().all(|c| c.reached.is_none() && c.measured.starts_with("nothing")));
    }
}
