//! Settings of the relay guard, by value.

use lgl2o::guard::RelayGuard;

use super::{AnyRule, Sides};

/// Settings of the relay guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelaySettings {
    /// Learned steps of the race, n_0.
    pub race: u32,
    /// Learned steps before the hand-over, t_1.
    pub hand_over: u32,
    /// Most check batches of a comparison, n_c.
    pub checks: u32,
    /// Whether comparisons are of the full objective.
    pub exact: bool,
    /// Whether the fallback's latest point is kept, rather than its best.
    pub latest: bool,
    /// Whether the fallback's own run is not kept after the race.
    pub lean: bool,
}

impl Default for RelaySettings {
    /// The default of the core, as [`RelayGuard::new`].
    fn default() -> Self {
        Self { race: 40, hand_over: 300, checks: 4, exact: false, latest: false, lean: false }
    }
}

impl RelaySettings {
    /// The core's guard with these settings, but for [`lean`](Self::lean).
    #[must_use]
    pub fn guard(&self, sides: &Sides) -> RelayGuard<AnyRule, AnyRule> {
        RelayGuard::new(sides.learned.clone(), sides.fallback.clone())
            .race(self.race)
            .hand_over(self.hand_over)
            .checks(self.checks)
            .exact(self.exact)
            .keep_latest(self.latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::{Method, Tuned, parse};

    #[test]
    fn the_default_is_the_cores() {
        let Method::Relay { sides, settings } = parse("relay(l2o,sgd:1)", &Tuned::default()).unwrap().method else {
            panic!("a relay")
        };
        assert_eq!(settings.guard(&sides), RelayGuard::new(sides.learned.clone(), sides.fallback.clone()));
    }
}
