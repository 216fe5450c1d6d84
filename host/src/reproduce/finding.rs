//! What came out of one experiment on one task.

use super::steps;
use crate::optimizer::rule::AVERAGED;
use crate::record::{Results, Run, Summary};

/// A rule's best rate for one checkpoint.
#[derive(Debug, Clone, PartialEq)]
pub struct TunedRule {
    /// The rule.
    pub rule: String,
    /// The checkpoint.
    pub step: u64,
    /// The rule with that rate, as an expression.
    pub name: String,
}

/// The results of one experiment on one task.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// Number of the experiment in the list.
    pub experiment: usize,
    /// Name of the task in the plan.
    pub task: String,
    /// Training steps.
    pub steps: u64,
    /// Every run, and mean and spread by step.
    pub results: Results,
    /// The baselines' rates; empty where none were asked for.
    pub baselines: Vec<TunedRule>,
    /// The plan's expressions, each with the name that it has in the results.
    pub names: Vec<(String, String)>,
}

impl Finding {
    /// The name in the results of an expression of the plan.
    #[must_use]
    pub fn name(&self, expression: &str) -> Option<&str> {
        self.names.iter().find(|(planned, _)| planned == expression).map(|(_, name)| name.as_str())
    }

    /// Mean held-out loss of an optimizer, by its name in the results; `None` if it was not run, or a seed diverged.
    #[must_use]
    pub fn mean(&self, name: &str, step: u64) -> Option<f64> {
        self.results.summary.iter().find(|s| s.optimizer == name && s.step == step)?.test_loss_mean
    }

    /// Mean held-out loss of an optimizer as a multiple of another loss; infinite if it has diverged, `None` where it has no point
    /// at this step but has one later: a first round may be longer than the first steps of a report.
    #[must_use]
    pub fn ratio(&self, name: &str, step: u64, other: f64) -> Option<f64> {
        let row = |s: &&Summary| s.optimizer == name;
        let own = self.results.summary.iter().filter(row);
        let is_late =
            !own.clone().any(|s| s.step == step) && own.clone().any(|s| s.step > step && s.test_loss_mean.is_some());
        (!is_late).then(|| self.mean(name, step).map_or(f64::INFINITY, |own| own / other))
    }

    /// Mean held-out loss of an expression of the plan.
    #[must_use]
    pub fn mean_of(&self, expression: &str, step: u64) -> Option<f64> {
        self.mean(self.name(expression)?, step)
    }

    /// A rule with the rate that is best for a checkpoint.
    #[must_use]
    pub fn baseline(&self, rule: &str, step: u64) -> Option<&TunedRule> {
        self.baselines.iter().find(|choice| choice.rule == rule && choice.step == step)
    }

    /// The rules that were tuned for each checkpoint, in the plan's order.
    #[must_use]
    pub fn rules(&self) -> Vec<&str> {
        let mut rules: Vec<&str> = Vec::new();
        for choice in &self.baselines {
            if !rules.contains(&choice.rule.as_str()) {
                rules.push(&choice.rule);
            }
        }
        rules
    }

    /// The lowest mean loss of any baseline at a checkpoint, each at its best rate for it. Those whose iterates are
    /// averaged are not among them.
    #[must_use]
    pub fn best_baseline(&self, step: u64) -> Option<(&TunedRule, f64)> {
        self.best(step, false)
    }

    /// The same among the baselines whose iterates are averaged.
    #[must_use]
    pub fn best_averaged(&self, step: u64) -> Option<(&TunedRule, f64)> {
        self.best(step, true)
    }

    fn best(&self, step: u64, averaged: bool) -> Option<(&TunedRule, f64)> {
        let wanted = |choice: &&TunedRule| choice.step == step && choice.rule.starts_with(AVERAGED) == averaged;
        let there = self.baselines.iter().filter(wanted);
        let means = there.filter_map(|choice| Some((choice, self.mean(&choice.name, step)?)));
        means.min_by(|a, b| a.1.total_cmp(&b.1))
    }

    /// Mean cost of an optimizer up to a step.
    #[must_use]
    pub fn cost(&self, name: &str, step: u64) -> Option<f64> {
        self.results.summary.iter().find(|s| s.optimizer == name && s.step == step).map(|s| s.cost)
    }

    /// The highest held-out loss of any seed at the end; `None` if one diverged or there is none.
    #[must_use]
    pub fn worst_seed(&self, name: &str) -> Option<f64> {
        let runs = self.results.runs.iter().filter(|run| run.optimizer == name);
        let ends: Option<Vec<f64>> = runs.map(|run| run.curve.last()?.test_loss).collect();
        ends?.into_iter().reduce(|a, b| if b > a { b } else { a })
    }

    /// Mean share of the steps that are the learned side's; `None` for a plain rule.
    #[must_use]
    pub fn learned_steps_share(&self, name: &str) -> Option<f64> {
        let runs = || self.results.runs.iter().filter(|run| run.optimizer == name);
        let (count, sum) = (runs().count(), runs().map(|run| run.learned_steps_share).sum::<f64>());
        let plain = runs().all(|run| run.verdicts.is_empty() && run.learned_share == 0.0);
        (!plain && count > 0).then(|| sum / count as f64)
    }

    /// The checkpoints of its runs.
    #[must_use]
    pub fn checkpoints(&self) -> Vec<u64> {
        steps::checkpoints(self.steps)
    }

    /// What a picture shows: the optimizers of the plan that `shown` lets through, and the best baseline of each
    /// checkpoint as a line of its own.
    #[must_use]
    pub fn shown(&self, shown: impl Fn(&str) -> bool) -> Results {
        let names = self.names.iter().filter(|(planned, _)| shown(planned)).map(|(_, name)| name);
        let mut runs: Vec<Run> = Vec::new();
        for name in names {
            runs.extend(self.results.runs.iter().filter(|run| run.optimizer == *name).cloned());
        }
        runs.extend(self.envelope());
        Results { summary: crate::experiment::compare::summarise(&runs), runs, ..self.results.clone() }
    }

    /// For each seed the losses of the baseline that is best at each checkpoint.
    fn envelope(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for step in self.checkpoints() {
            let Some((choice, _)) = self.best_baseline(step) else { continue };
            for run in self.results.runs.iter().filter(|run| run.optimizer == choice.name) {
                let point = run.curve.iter().find(|point| point.step == step);
                match runs.iter_mut().find(|other| other.seed == run.seed) {
                    Some(other) => other.curve.extend(point),
                    None => runs.push(Run {
                        optimizer: ENVELOPE.to_owned(),
                        curve: point.copied().into_iter().collect(),
                        verdicts: Vec::new(),
                        ..run.clone()
                    }),
                }
            }
        }
        runs
    }
}

/// The name of the line that follows the best baselines.
pub const ENVELOPE: &str = "best baseline, rule and rate chosen for each step";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reproduce::sample::{self, run};

    fn finding() -> Finding {
        let runs = vec![
            run("sgd:3", 1, &[(25, 0.5)]),
            run("sgd:3", 2, &[(25, 0.7)]),
            run("sgd:1", 1, &[(25, 0.8), (50, 0.4)]),
            run("sgd:1", 2, &[(25, 0.9), (50, 0.6)]),
            run("adam:0.1", 1, &[(25, 0.9), (50, 0.3)]),
            run("adam:0.1", 2, &[(25, 0.9), (50, f64::NAN)]),
        ];
        let best = [(25, "sgd:3"), (50, "sgd:1"), (25, "adam:0.1"), (50, "adam:0.1")];
        sample::finding(50, runs, &[("sgd", "sgd:1")], &best)
    }

    #[test]
    fn the_best_baseline_is_the_lowest_that_no_seed_diverged_in() {
        let finding = finding();
        let best = |step| finding.best_baseline(step).map(|(choice, loss)| (choice.name.as_str(), loss));
        assert_eq!((best(25), best(50)), (Some(("sgd:3", 0.6)), Some(("sgd:1", 0.5))));
        assert_eq!(finding.rules(), ["sgd", "adam"]);
        assert_eq!((finding.mean_of("sgd", 50), finding.worst_seed("sgd:1")), (Some(0.5), Some(0.6)));
        assert_eq!((finding.worst_seed("adam:0.1"), finding.worst_seed("lion:1")), (None, None));
    }

    #[test]
    fn a_picture_shows_what_was_planned_and_the_best_baseline_of_each_step() {
        let shown = finding().shown(|_| true);
        let names: Vec<(&str, u64)> = shown.runs.iter().map(|run| (run.optimizer.as_str(), run.seed)).collect();
        assert_eq!(names, [("sgd:1", 1), ("sgd:1", 2), (ENVELOPE, 1), (ENVELOPE, 2)]);
        let losses: Vec<Option<f64>> = shown.runs[2].curve.iter().map(|point| point.test_loss).collect();
        assert_eq!(losses, [Some(0.5), Some(0.4)]);
        assert_eq!(finding().shown(|_| false).runs.len(), 2);
    }
}
