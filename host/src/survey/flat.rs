//! The flat line: how much the rate of the fallback matters, alone and under the guard.
//!
//! The loss of SGD alone against its rate is a U: too slow on the left, diverged on the right. Guarded by a good
//! learned optimizer it should be a flat line. Each rate has one run on every task, with the first seed.

use super::bootstrap::geometric_mean;
use super::record::{FlatPoint, FlatRecord};
use super::run::Trail;
use super::runner::{Unit, Work};
use super::score::MOST;
use crate::optimizer::{ExpressionError, Optimizer, Tuned, parse};

/// The fallback's rates.
pub const RATES: [f32; 8] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];

/// What is run for the flat line.
#[derive(Debug, Clone)]
pub struct Flat {
    /// The learned side.
    pub learned: String,
    /// For each rate the fallback alone, and guarded.
    pub pairs: Vec<[Optimizer; 2]>,
}

impl Flat {
    /// The runs for a learned side.
    ///
    /// # Errors
    /// If it is no rule.
    pub fn new(learned: &str) -> Result<Self, ExpressionError> {
        let pair = |rate: f32| {
            let read = |expression: &str| parse(expression, &Tuned::default());
            Ok([read(&format!("sgd:{rate}"))?, read(&format!("relay({learned},sgd:{rate})"))?])
        };
        let pairs = RATES.map(pair).into_iter().collect::<Result<_, _>>()?;
        Ok(Self { learned: learned.to_owned(), pairs })
    }

    /// The record; `trail` looks a unit up.
    #[must_use]
    pub fn record<'a>(
        &self,
        optimizers: &[Optimizer],
        tasks: usize,
        seed: u64,
        floor: f64,
        trail: impl Fn(&Unit) -> &'a Trail,
    ) -> FlatRecord {
        let point = |optimizer: &Optimizer| {
            let place = optimizers.iter().position(|other| other.name == optimizer.name).unwrap_or(0);
            let trails: Vec<&Trail> =
                (0..tasks).map(|task| trail(&Unit { task, seed, work: Work::Run(place) })).collect();
            point(&trails, floor)
        };
        FlatRecord {
            learned: self.learned.clone(),
            rates: RATES.map(rounded).to_vec(),
            alone: self.pairs.iter().map(|[alone, _]| point(alone)).collect(),
            guarded: self.pairs.iter().map(|[_, guarded]| point(guarded)).collect(),
        }
    }
}

/// The decimal number that a rate is written as.
fn rounded(rate: f32) -> f64 {
    rate.to_string().parse().unwrap_or_else(|_| f64::from(rate))
}

/// The losses of some runs after the last step.
fn point(trails: &[&Trail], floor: f64) -> FlatPoint {
    let last = |trail: &&Trail| trail.by_step.last().copied().unwrap_or_default();
    let mean = |losses: Vec<Option<f64>>| {
        let bounded = losses.into_iter().map(|loss| loss.unwrap_or(MOST).clamp(floor, MOST));
        geometric_mean(&bounded.collect::<Vec<_>>())
    };
    FlatPoint {
        train: mean(trails.iter().map(|trail| last(trail).train).collect()),
        held_out: mean(trails.iter().map(|trail| last(trail).held_out).collect()),
        failed: trails.iter().filter(|trail| trail.has_failed()).count(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::survey::run::Losses;

    #[test]
    fn points_by_hand() {
        let trail = |train, held_out| {
            let at = Losses { train, held_out };
            let start = Losses { train: Some(1.0), held_out: Some(1.0) };
            Trail { start, by_step: vec![at], by_cost: vec![at], cost: 1.0, failure: None }
        };
        let trails = [trail(Some(0.5), Some(2.0)), trail(Some(1e-9), Some(0.5)), trail(None, None)];
        let point = super::point(&trails.each_ref(), 1e-3);
        assert!((point.train - (0.5 * 1e-3 * 1e3f64).powf(1.0 / 3.0)).abs() < 1e-12, "{point:?}");
        assert!((point.held_out - 10.0).abs() < 1e-9 && point.failed == 1, "{point:?}");
    }

    #[test]
    fn every_rate_has_both_runs() {
        let flat = Flat::new("avg-l2o").expect("a rule");
        assert_eq!((flat.pairs.len(), flat.pairs[2][1].name.as_str()), (8, "relay(avg-l2o,sgd:0.1)"));
        assert!(Flat::new("avg-l20").is_err());
    }
}
