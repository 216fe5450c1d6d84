//! Draws that several families need.

use lgl2o::Rng;

/// Log-uniform in \[low, high).
pub(super) fn log_uniform(rng: &mut Rng, low: f32, high: f32) -> f32 {
    libm::expf(rng.range(libm::logf(low), libm::logf(high)))
}

/// A whole number, log-uniform from `low` to `high`, both included.
pub(super) fn log_whole(rng: &mut Rng, low: usize, high: usize) -> usize {
    (log_uniform(rng, low as f32, high as f32 + 1.0) as usize).clamp(low, high)
}

/// A whole number, uniform from `low` to `high`, both included.
pub(super) fn whole(rng: &mut Rng, low: usize, high: usize) -> usize {
    low + rng.below((high - low + 1) as u32) as usize
}

/// True with this probability.
pub(super) fn chance(rng: &mut Rng, probability: f32) -> bool {
    rng.uniform() < probability
}

/// So many normal numbers of this standard deviation.
pub(super) fn normals(rng: &mut Rng, count: usize, deviation: f32) -> Vec<f32> {
    (0..count).map(|_| deviation * rng.normal()).collect()
}

/// Place of the greatest number; the first of equal ones.
pub(super) fn greatest(numbers: &[f32]) -> usize {
    let mut best = 0;
    for (i, x) in numbers.iter().enumerate() {
        if *x > numbers[best] {
            best = i;
        }
    }
    best
}

/// A place, drawn with probability in proportion to its weight.
pub(super) fn weighted(rng: &mut Rng, weights: impl Iterator<Item = f32> + Clone) -> usize {
    let mut left = rng.uniform() * weights.clone().sum::<f32>();
    let mut last = 0;
    for (i, weight) in weights.enumerate() {
        if left < weight {
            return i;
        }
        left -= weight;
        if weight > 0.0 {
            last = i;
        }
    }
    last
}
