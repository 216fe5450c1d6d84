//! Made-up runs for the tests of this module.

use super::finding::{Finding, TunedRule};
use crate::experiment::compare::summarise;
use crate::record::{Point, Results, Run, VERSION};

/// A run with these losses by step, three forwards a step; NaN stands for a diverged one.
pub(super) fn run(optimizer: &str, seed: u64, losses: &[(u64, f64)]) -> Run {
    run_at_cost(optimizer, seed, 3.0, losses)
}

/// The same with another cost of each step.
pub(super) fn run_at_cost(optimizer: &str, seed: u64, cost: f64, losses: &[(u64, f64)]) -> Run {
    let point = |&(step, loss): &(u64, f64)| {
        let loss = loss.is_finite().then_some(loss);
        Point { step, cost: cost * step as f64, train_loss: loss, test_loss: loss, test_accuracy: loss.map(|_| 0.5) }
    };
    Run {
        optimizer: optimizer.to_owned(),
        seed,
        learned_share: 0.0,
        learned_steps_share: 0.0,
        curve: losses.iter().map(point).collect(),
        verdicts: Vec::new(),
    }
}

/// A finding of these runs: the names of the plan's expressions, and the best baselines by step.
pub(super) fn finding(steps: u64, runs: Vec<Run>, names: &[(&str, &str)], best: &[(u64, &str)]) -> Finding {
    let choice = |&(step, name): &(u64, &str)| TunedRule {
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
        experiment: 1,
        task: "t".to_owned(),
        steps,
        results,
        baselines: best.iter().map(choice).collect(),
        names: names.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect(),
    }
}
