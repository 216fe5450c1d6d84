//! Scores: how losses compare with the oracle's, over tasks.
//!
//! ```text
//! factor = clip(max(loss, floor) / max(oracle, floor), 1e-3, 1e3)      of losses that are means over seeds
//! score  = exp(mean over tasks of ln factor)
//! ```
//!
//! A loss that is not there, because a run diverged, is infinite: its factor is 1e3.

use serde::{Deserialize, Serialize};

use super::bootstrap::{geometric_mean, interval};

/// Factors end here, and at its inverse.
pub const MOST: f64 = 1e3;
/// A task counts as solved as well as by the oracle up to this factor.
pub const WITHIN: f64 = 1.1;
/// A task counts as missed above this factor.
pub const ABOVE: f64 = 2.0;

/// Mean of the losses of some seeds; infinite if one of them is not there, or if there is none.
#[must_use]
pub fn mean(losses: impl IntoIterator<Item = Option<f64>>) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for loss in losses {
        sum += loss.unwrap_or(f64::INFINITY);
        count += 1;
    }
    if count == 0 { f64::INFINITY } else { sum / f64::from(count) }
}

/// The factor of a loss to the oracle's.
#[must_use]
pub fn factor(loss: f64, oracle: f64, floor: f64) -> f64 {
    let ratio = loss.max(floor) / oracle.max(floor);
    // Both may be infinite.
    if !loss.is_finite() { MOST } else { ratio.clamp(1.0 / MOST, MOST) }
}

/// The share of some factors for which something holds.
#[must_use]
pub fn share(factors: &[f64], holds: impl Fn(f64) -> bool) -> f64 {
    factors.iter().filter(|factor| holds(**factor)).count() as f64 / factors.len().max(1) as f64
}

/// One optimizer over all tasks, at one step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// Geometric mean of the factors.
    pub factor: f64,
    /// A bootstrap interval of it, of 95 %.
    pub interval: [f64; 2],
    /// Share of the tasks within [`WITHIN`].
    pub within: f64,
    /// Share of the tasks above [`ABOVE`].
    pub above: f64,
    /// The largest factor.
    pub worst: f64,
    /// The task that has it, by its place in the list of tasks.
    pub worst_task: usize,
}

impl Score {
    /// The score of some factors, in the order of the tasks.
    #[must_use]
    pub fn of(factors: &[f64]) -> Self {
        let worst =
            factors.iter().enumerate().fold((0, 0.0), |worst, (i, f)| if *f > worst.1 { (i, *f) } else { worst });
        Self {
            factor: geometric_mean(factors),
            interval: interval(factors),
            within: share(factors, |factor| factor <= WITHIN),
            above: share(factors, |factor| factor > ABOVE),
            worst: worst.1,
            worst_task: worst.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factors_by_hand() {
        assert_eq!(factor(0.5, 0.25, 1e-3), 2.0);
        assert_eq!(factor(0.25, 0.5, 1e-3), 0.5);
        // Both below the floor; one of them.
        assert_eq!(factor(1e-9, 1e-5, 1e-3), 1.0);
        assert_eq!((factor(1e-9, 2e-3, 1e-3), factor(4e-3, 1e-9, 1e-3)), (0.5, 4.0));
        // Clipped at both ends.
        assert_eq!((factor(5.0, 1e-9, 1e-3), factor(0.0, 1e6, 1e-3)), (1e3, 1e-3));
        assert_eq!((factor(f64::INFINITY, 1.0, 1e-3), factor(f64::INFINITY, f64::INFINITY, 1e-3)), (1e3, 1e3));
        assert_eq!(factor(1.0, f64::INFINITY, 1e-3), 1e-3);
    }

    #[test]
    fn a_seed_that_diverged_makes_the_mean_infinite() {
        assert_eq!(mean([Some(1.0), Some(2.0), Some(6.0)]), 3.0);
        assert_eq!(mean([Some(1.0), None]), f64::INFINITY);
        assert_eq!(mean([]), f64::INFINITY);
    }

    #[test]
    fn scores_by_hand() {
        assert!((geometric_mean(&[0.5, 2.0, 4.0]) - 4f64.powf(1.0 / 3.0)).abs() < 1e-12);
        assert_eq!(geometric_mean(&[]), 1.0);
        let score = Score::of(&[1.0, 1.1, 1.2, 2.0, 8.0]);
        assert_eq!((score.within, score.above, score.worst, score.worst_task), (0.4, 0.2, 8.0, 4));
        assert!(score.interval[0] < score.factor && score.factor < score.interval[1]);
    }
}
