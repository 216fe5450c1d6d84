//! The training steps at which runs are evaluated and compared.

/// Steps that tables and claims speak of, as far as a run goes; its last step is one more.
const CHECKPOINTS: [u64; 15] =
    [25, 50, 100, 150, 200, 300, 500, 1000, 2000, 3000, 5000, 10_000, 20_000, 30_000, 50_000];
/// Steps before the first checkpoint at which curves are evaluated too.
const BEFORE_CHECKPOINTS: [u64; 5] = [0, 1, 3, 6, 12];

/// The checkpoints of a run, its last step included.
#[must_use]
pub(super) fn checkpoints(steps: u64) -> Vec<u64> {
    CHECKPOINTS.into_iter().filter(|s| *s < steps).chain([steps]).collect()
}

/// The steps at which a run's curve is evaluated.
#[must_use]
pub(super) fn points(steps: u64) -> Vec<u64> {
    BEFORE_CHECKPOINTS.into_iter().filter(|s| *s < steps.min(CHECKPOINTS[0])).chain(checkpoints(steps)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checkpoints_end_with_the_last_step() {
        assert_eq!(checkpoints(200), [25, 50, 100, 150, 200]);
        assert_eq!(checkpoints(120), [25, 50, 100, 120]);
        assert_eq!(points(25), [0, 1, 3, 6, 12, 25]);
        assert_eq!(points(5), [0, 1, 3, 5]);
    }
}
