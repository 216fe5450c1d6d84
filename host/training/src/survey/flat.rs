//! The flat line: how much the rate of the fallback matters, alone and under the guard.
//!
//! The loss of SGD alone against its rate is a U: too slow on the left, diverged on the right. Guarded by a good
//! learned optimizer it should be a flat line. Each rate has one run on every task, with the first seed. Beside them stand the oracle's
//! other rules by their rates, from the runs that the oracle makes anyway.

use super::bootstrap::geometric_mean;
use super::oracle::Tried;
use super::record::{FlatPoint, FlatRecord, RatedRule};
use super::run::{Losses, Trail};
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

    /// The record; `trail` looks a unit up, and `tried` is what the oracle tried on each task with that seed.
    #[must_use]
    pub fn record<'a>(
        &self,
        optimizers: &[Optimizer],
        tasks: usize,
        seed: u64,
        floor: f64,
        trail: impl Fn(&Unit) -> &'a Trail,
        tried: &[&[Tried]],
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
            others: others(tried, floor),
        }
    }
}

/// The oracle's plain settings by rule, without SGD, which has its own rates here.
fn others(tried: &[&[Tried]], floor: f64) -> Vec<RatedRule> {
    let mut all: Vec<RatedRule> = Vec::new();
    for (place, setting) in tried.first().copied().unwrap_or_default().iter().enumerate() {
        let Some((name, rate)) = setting.name.split_once(':').filter(|(name, _)| setting.plain && *name != "sgd")
        else {
            continue;
        };
        let Ok(rate) = rate.parse() else { continue };
        let last: Vec<Losses> = tried
            .iter()
            .map(|one| one.get(place).and_then(|t| t.at.last()).copied())
            .map(Option::unwrap_or_default)
            .collect();
        if all.last().is_none_or(|rule| rule.name != name) {
            all.push(RatedRule { name: name.to_owned(), rates: Vec::new(), train: Vec::new(), held_out: Vec::new() });
        }
        if let Some(rule) = all.last_mut() {
            rule.rates.push(rate);
            rule.train.push(bounded_mean(last.iter().map(|l| l.train), floor));
            rule.held_out.push(bounded_mean(last.iter().map(|l| l.held_out), floor));
        }
    }
    all
}

/// The geometric mean of losses, each at least the floor and at most [`MOST`], as which a run counts that has none.
#[must_use]
pub fn bounded_mean(losses: impl Iterator<Item = Option<f64>>, floor: f64) -> f64 {
    geometric_mean(&losses.map(|loss| loss.unwrap_or(MOST).clamp(floor, MOST)).collect::<Vec<_>>())
}

/// The decimal number that a rate is written as.
fn rounded(rate: f32) -> f64 {
    rate.to_string().parse().unwrap_or_else(|_| f64::from(rate))
}

/// The losses of some runs after the last step.
fn point(trails: &[&Trail], floor: f64) -> FlatPoint {
    let last = |trail: &&Trail| trail.by_step.last().copied().unwrap_or_default();
    FlatPoint {
        train: bounded_mean(trails.iter().map(|trail| last(trail).train), floor),
        held_out: bounded_mean(trails.iter().map(|trail| last(trail).held_out), floor),
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
    fn the_oracles_other_rules_stand_by_their_rates() {
        let tried = |name: &str, plain, train| {
            let early = Losses { train: Some(9.0), held_out: Some(9.0) };
            Tried { name: name.to_owned(), plain, at: vec![early, Losses { train, held_out: Some(0.5) }] }
        };
        let one = [
            tried("sgd:1", true, Some(0.1)),
            tried("adam:0.01, averaged", false, Some(0.2)),
            tried("adam:0.01", true, Some(4.0)),
            tried("adam:0.1", true, None),
        ];
        let two = one.clone().map(|one| Tried { at: vec![Losses { train: Some(1.0), held_out: Some(2.0) }], ..one });
        let all = others(&[&one, &two], 1e-3);
        assert_eq!((all.len(), all[0].name.as_str(), all[0].rates.as_slice()), (1, "adam", [0.01, 0.1].as_slice()));
        assert!((all[0].train[0] - 2.0).abs() < 1e-12 && (all[0].train[1] - MOST.sqrt()).abs() < 1e-9, "{all:?}");
        assert!((all[0].held_out[0] - 1.0).abs() < 1e-12, "{all:?}");
        assert!(others(&[], 1e-3).is_empty());
    }

    #[test]
    fn every_rate_has_both_runs() {
        let flat = Flat::new("avg-l2o").expect("a rule");
        assert_eq!((flat.pairs.len(), flat.pairs[2][1].name.as_str()), (8, "relay(avg-l2o,sgd:0.1)"));
        assert!(Flat::new("avg-l20").is_err());
    }
}
