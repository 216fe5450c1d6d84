//! How sure a geometric mean over tasks is: a percentile bootstrap (Efron 1979).
//!
//! As many tasks are drawn from the tasks, with repetition; the mean of each of a thousand such draws is taken; the
//! interval has 95 % of them. The draws come from one fixed seed, so the same factors have the same interval.

use lgl2o::Rng;

/// How often tasks are drawn.
const DRAWS: usize = 1000;
/// How many of the draws lie on each side of the interval.
const BEYOND: usize = DRAWS / 40;
const SEED: u64 = 2028;

/// The geometric mean of some factors; 1 of none.
#[must_use]
pub fn geometric_mean(factors: &[f64]) -> f64 {
    let sum: f64 = factors.iter().map(|factor| libm::log(*factor)).sum();
    libm::exp(sum / factors.len().max(1) as f64)
}

/// The interval of the geometric mean of some factors.
#[must_use]
pub fn interval(factors: &[f64]) -> [f64; 2] {
    let mut rng = Rng::new(SEED);
    let mut drawn = vec![1.0; factors.len()];
    let mut means: Vec<f64> = (0..DRAWS)
        .map(|_| {
            drawn.iter_mut().for_each(|place| *place = factors[rng.below(factors.len() as u32) as usize]);
            geometric_mean(&drawn)
        })
        .collect();
    means.sort_by(f64::total_cmp);
    [means[BEYOND], means[DRAWS - 1 - BEYOND]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_factors_have_the_same_interval() {
        let factors = [0.5, 1.0, 2.0, 4.0];
        assert_eq!(interval(&factors), interval(&factors));
        assert_ne!(interval(&factors), interval(&[0.5, 1.0, 2.0, 5.0]));
    }

    #[test]
    fn factors_that_are_equal_leave_no_doubt() {
        let [low, high] = interval(&[2.0; 7]);
        assert!((low - 2.0).abs() < 1e-12 && (high - 2.0).abs() < 1e-12);
        assert_eq!(interval(&[]), [1.0, 1.0]);
    }

    /// The mean of n numbers whose logarithm has a deviation of s has one of s / sqrt n; the interval is four of these.
    #[test]
    fn the_interval_is_as_wide_as_it_should_be() {
        let mut rng = Rng::new(1);
        let factors: Vec<f64> = (0..400).map(|_| libm::exp(f64::from(rng.normal()))).collect();
        let [low, high] = interval(&factors);
        let width = libm::log(high / low) * 20.0;
        assert!((3.3..4.5).contains(&width), "{width}");
    }
}
