//! What is claimed of the guard and the learned optimizers, held against what was measured.
//!
//! A claim that fails stays in the report; one that cannot be measured, because a run is too short or was left out,
//! says so. All losses are means over the seeds on held-out data.

use super::finding::{Choice, Finding};
use super::plan::{DUELS, MU_RULES};
use crate::report::number::significant;

/// A claim with what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// Number of the experiment.
    pub experiment: u8,
    /// What is claimed.
    pub claim: String,
    /// What would be reached.
    pub target: String,
    /// What was measured.
    pub measured: String,
    /// Whether it was; `None` if it could not be measured.
    pub reached: Option<bool>,
}

/// Checkpoints at which the learned optimizer alone is to be below every baseline.
const EARLY: [u64; 5] = [25, 50, 100, 200, 300];
/// The loss that the best baseline has here ...
const REFERENCE: u64 = 300;
/// ... is to be reached by this step,
const FASTER: u64 = 150;
/// ... and by the guarded run at this cost, where the baseline has spent 3 forwards a step.
const CHEAPER: f64 = 600.0;
/// The guarded run may cost this many times the unguarded one.
const OVERHEAD: f64 = 1.10;
/// The guard without a number to set may have this many times the loss of the best tuned baseline at the end ...
const BEST: f64 = 1.0;
/// ... and this many times from a tenth of the horizon on.
const NEVER_ABOVE: f64 = 2.0;
/// The guarded mean may be this many times the fallback's, from a tenth of the horizon on.
const NO_WORSE: f64 = 1.05;
/// The worst guarded seed may be this many times the fallback's worst.
const WORST_SEED: f64 = 1.10;
/// The guarded optimizer that has no number to set.
const AUTO: &str = "auto";
/// Its learned side.
const LEARNED_SIDE: &str = "avg-l2o";
/// Guarded optimizers with the fallback that each must not lose to.
const SAFE: [[&str; 2]; 3] = [[AUTO, "avg-ngn"], ["lgl2o(avg-l2o,sgd)", "sgd"], ["lgl2o(avg-l2o,adam)", "adam"]];

/// Every claim about the experiments that were run.
#[must_use]
pub fn claims(findings: &[Finding]) -> Vec<Claim> {
    findings.iter().flat_map(of_one).collect()
}

fn of_one(finding: &Finding) -> Vec<Claim> {
    match finding.experiment {
        1 => {
            let speed = vec![faster(finding), cheaper(finding), overhead(finding)];
            [automatic(finding).to_vec(), early(finding), speed].concat()
        }
        2..=5 => {
            let safe = SAFE.iter().flat_map(|[guarded, fallback]| safe(finding, guarded, fallback));
            automatic(finding).into_iter().chain(safe).collect()
        }
        6 => DUELS.iter().map(|fallback| duel(finding, fallback)).collect(),
        _ => Vec::new(),
    }
}

/// Claims of one finding, worded and judged.
fn claim(finding: &Finding, claim: String, target: String, measured: Option<(String, bool)>) -> Claim {
    let (measured, reached) = match measured {
        Some((text, reached)) => (text, Some(reached)),
        None => ("nothing: the runs are too short, or one of them was left out".to_owned(), None),
    };
    Claim { experiment: finding.experiment, claim, target, measured, reached }
}

/// Nobody who tunes a rule for the task is to do better than who sets nothing.
fn automatic(finding: &Finding) -> [Claim; 2] {
    let end = finding.best_baseline(finding.steps).zip(finding.name(AUTO)).map(|((choice, loss), own)| {
        let own = finding.mean(own, finding.steps);
        let text = format!("{} against {} of {}", loss_or_diverged(own), significant(loss), choice.name);
        (text, own.is_some_and(|own| own <= BEST * loss))
    });
    let worst = finding.name(AUTO).and_then(|own| {
        let ratios = late(finding).filter_map(|step| {
            let (_, theirs) = finding.best_baseline(step)?;
            Some(Worst { ratio: finding.mean(own, step).map_or(f64::INFINITY, |own| own / theirs), step })
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

/// The checkpoints from a tenth of the horizon on.
fn late(finding: &Finding) -> impl Iterator<Item = u64> + use<> {
    let steps = finding.steps;
    finding.checkpoints().into_iter().filter(move |step| step * 10 >= steps)
}

fn early(finding: &Finding) -> Vec<Claim> {
    let below = |averaged: bool, step: u64| {
        let best = if averaged { finding.best_averaged(step) } else { finding.best_baseline(step) };
        let measured = best.zip(finding.name(LEARNED_SIDE)).map(|((Choice { name, .. }, loss), own)| {
            let own = finding.mean(own, step);
            let text = format!("{} against {} of {name}", loss_or_diverged(own), significant(loss));
            (text, own.is_some_and(|own| own < loss))
        });
        let theirs = if averaged { "averaged baseline" } else { "baseline" };
        let what =
            format!("{}: {LEARNED_SIDE} alone at step {step} is below every {theirs} tuned for it", finding.task);
        claim(finding, what, format!("below the best {theirs}"), measured)
    };
    EARLY.map(|s| below(false, s)).into_iter().chain(EARLY.map(|s| below(true, s))).collect()
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

/// The default guard against the lowest of the five forms of GL2O, at every checkpoint.
fn duel(finding: &Finding, fallback: &str) -> Claim {
    let own = finding.name(&format!("lgl2o(avg-l2o,{fallback})"));
    let others: Vec<&str> =
        MU_RULES.iter().filter_map(|mu| finding.name(&format!("gl2o(l2o,{fallback},mu={mu})"))).collect();
    let measured = own.and_then(|own| {
        let ratios = others.iter().filter_map(|other| worst_ratio(finding, own, other, finding.checkpoints()));
        let worst = ratios.reduce(Worst::or)?;
        let (text, reached) = worst.judged(1.0);
        let pace = |name: &str| finding.cost(name, finding.steps).map(|cost| cost / finding.steps as f64 / 3.0);
        let (own, other) = (pace(own)?, pace(others.first()?)?);
        Some((format!("{text}; gradients a step, a forward as a third: {own:.2} against {other:.2}"), reached))
    });
    let what = format!("{}: lgl2o(avg-l2o,{fallback}) against each GL2O at each checkpoint", finding.task);
    claim(finding, what, "never above it".to_owned(), measured)
}

/// The largest ratio of two mean losses, and where it is.
struct Worst {
    /// Infinite if the first diverged.
    ratio: f64,
    step: u64,
}

impl Worst {
    /// The worse of two, the first of equals.
    fn or(self, other: Self) -> Self {
        if other.ratio > self.ratio { other } else { self }
    }

    fn judged(&self, limit: f64) -> (String, bool) {
        let text = match self.ratio.is_finite() {
            true => format!("at worst {} times, at step {}", significant(self.ratio), self.step),
            false => format!("diverged by step {}", self.step),
        };
        (text, self.ratio <= limit)
    }
}

/// The worst ratio over some steps at which the second optimizer has a loss.
fn worst_ratio(finding: &Finding, own: &str, other: &str, steps: impl IntoIterator<Item = u64>) -> Option<Worst> {
    let ratios = steps.into_iter().filter_map(|step| {
        let theirs = finding.mean(other, step)?;
        Some(Worst { ratio: finding.mean(own, step).map_or(f64::INFINITY, |own| own / theirs), step })
    });
    ratios.reduce(Worst::or)
}

fn loss_or_diverged(loss: Option<f64>) -> String {
    loss.map_or_else(|| "diverged".to_owned(), significant)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::compare::summarise;
    use crate::record::{Results, Run, VERSION};
    use crate::reproduce::sample::{run, run_at_cost};

    fn finding(experiment: u8, steps: u64, runs: Vec<Run>, names: &[(&str, &str)], best: &[(u64, &str)]) -> Finding {
        let choice = |&(step, name): &(u64, &str)| Choice {
            rule: name.split(':').next().unwrap_or_default().to_owned(),
            step,
            name: name.to_owned(),
        };
        let results = Results {
            version: VERSION,
            task: "t".to_owned(),
            model: "m".to_owned(),
            parameters: 1,
            batch: 1,
            summary: summarise(&runs),
            runs,
        };
        Finding {
            experiment,
            task: "t".to_owned(),
            steps,
            results,
            choices: best.iter().map(choice).collect(),
            names: names.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
        }
    }

    /// Experiment 1 with the losses of the baselines, of the learned side and of the guard, which costs 3.3 a step.
    fn first() -> Vec<Claim> {
        let runs = vec![
            run("sgd:1", 1, &[(25, 2.0), (50, 1.5), (100, 1.0), (150, 0.9), (200, 0.8), (300, 0.7)]),
            run("adam:0.1", 1, &[(25, 1.6), (50, 1.4), (100, 1.2), (150, 0.9), (200, 0.9), (300, 0.6)]),
            run("avg-l2o", 1, &[(25, 1.0), (50, 1.45), (100, 0.8), (150, 0.6), (200, 0.5), (300, f64::NAN)]),
            run_at_cost("auto", 1, 3.3, &[(25, 1.0), (50, 2.9), (100, 0.8), (150, 0.7), (200, 0.5), (300, 0.4)]),
        ];
        let best = [25, 50, 100, 150, 200, 300].map(|step| [(step, "sgd:1"), (step, "adam:0.1")]).concat();
        claims(&[finding(1, 300, runs, &[(LEARNED_SIDE, "avg-l2o"), (AUTO, "auto")], &best)])
    }

    #[test]
    fn the_first_experiment_by_hand() {
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
        let all = claims(&[finding(1, 100, vec![run("sgd:1", 1, &[(100, 1.0)])], &[], &[(100, "sgd:1")])]);
        assert_eq!(all.len(), 15);
        assert!(all.iter().all(|c| c.reached.is_none() && c.measured.starts_with("nothing")));
    }

    #[test]
    fn the_guard_is_held_against_its_fallback_late_and_in_the_worst_seed() {
        let runs = vec![
            run("sgd:1", 1, &[(25, 1.0), (50, 1.0), (300, 0.5)]),
            run("sgd:1", 2, &[(25, 1.0), (50, 1.0), (300, 0.7)]),
            run("g", 1, &[(25, 9.0), (50, 1.06), (300, 0.5)]),
            run("g", 2, &[(25, 9.0), (50, 1.06), (300, 0.78)]),
        ];
        let all = claims(&[finding(3, 300, runs, &[("avg-ngn", "sgd:1"), (AUTO, "g")], &[])]);
        assert!(all[..2].iter().all(|c| c.reached.is_none()), "there is no baseline");
        // Step 25 is before a tenth of the horizon.
        assert_eq!((all[2].reached, all[2].measured.as_str()), (Some(false), "at worst 1.07 times, at step 300"));
        assert_eq!((all[3].reached, all[3].measured.as_str()), (Some(false), "0.780 against 0.700"));
        assert_eq!(all[4].reached, None, "nothing was run with sgd");
    }

    #[test]
    fn the_guard_is_held_against_the_best_of_gl2o() {
        let runs = vec![
            run_at_cost("g", 1, 3.3, &[(25, 1.0), (50, 0.9)]),
            run_at_cost("rt", 1, 6.0, &[(25, 1.1), (50, 1.0)]),
            run_at_cost("aa", 1, 6.0, &[(25, 1.2), (50, 0.8)]),
        ];
        let names = [("lgl2o(avg-l2o,sgd)", "g"), ("gl2o(l2o,sgd,mu=rt)", "rt"), ("gl2o(l2o,sgd,mu=aa)", "aa")];
        let all = claims(&[finding(6, 50, runs, &names, &[])]);
        let measured = "at worst 1.12 times, at step 50; gradients a step, a forward as a third: 1.10 against 2.00";
        assert_eq!((all[0].reached, all[0].measured.as_str()), (Some(false), measured));
    }

    #[test]
    fn a_diverged_guard_is_worse_than_anything() {
        let runs = vec![run("sgd:1", 1, &[(50, 1.0)]), run("g", 1, &[(50, f64::NAN)])];
        let all = claims(&[finding(2, 50, runs, &[("avg-ngn", "sgd:1"), (AUTO, "g")], &[])]);
        assert_eq!((all[2].reached, all[2].measured.as_str()), (Some(false), "diverged by step 50"));
        assert_eq!((all[3].reached, all[3].measured.as_str()), (Some(false), "diverged against 1.00"));
    }
}
