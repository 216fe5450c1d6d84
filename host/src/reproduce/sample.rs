//! Made-up runs for the tests of this module.

use crate::record::{Point, Run};

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
