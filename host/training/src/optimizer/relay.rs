//! Settings of the relay guard, by value.

use std::sync::Arc;

use lgl2o::guard::RelayGuard;
use lgl2o::learned::{self, LearnedNgn};
use lgl2o::rule::{Averaged, Ngn, Rotated};

use super::{AnyRule, Method, Sides};

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
    /// Whether a part of the training examples is held out, and candidates are compared on all of it.
    pub held_out: bool,
}

impl Default for RelaySettings {
    /// The default of the core, as [`RelayGuard::new`].
    fn default() -> Self {
        Self { race: 40, hand_over: 3000, checks: 4, exact: false, latest: false, lean: false, held_out: false }
    }
}

/// The forms of the core's [`lgl2o::auto()`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Automatic {
    /// [`lgl2o::auto()`] itself.
    Usual,
    /// [`lgl2o::auto_lean()`].
    Lean,
    /// [`lgl2o::auto_rotated()`].
    Rotated,
}

impl Automatic {
    /// All of them, with their names in expressions.
    pub const ALL: [(&str, Self); 3] =
        [("auto", Self::Usual), ("auto-lean", Self::Lean), ("auto-rotated", Self::Rotated)];
}

impl RelaySettings {
    /// A form of the core's [`lgl2o::auto()`].
    #[must_use]
    pub fn automatic(form: Automatic, held_out: bool) -> Method {
        let averaged = |rule| AnyRule::Averaged(Box::new(Averaged::new(rule)));
        let ngn = |rule: &LearnedNgn| AnyRule::LearnedNgn(Arc::new(rule.clone()));
        let learned = match form {
            Automatic::Usual | Automatic::Lean => ngn(learned::ngn()),
            Automatic::Rotated => AnyRule::Rotated(Box::new(Rotated::new(ngn(learned::rotated_ngn())))),
        };
        Method::Relay {
            sides: Sides { learned: averaged(learned), fallback: averaged(AnyRule::Ngn(Ngn::new())) },
            settings: Self { lean: form == Automatic::Lean, held_out, ..Self::default() },
        }
    }

    /// The core's guard with these settings, except [`lean`](Self::lean).
    #[must_use]
    pub fn guard(&self, sides: &Sides) -> RelayGuard<AnyRule, AnyRule> {
        RelayGuard::new(sides.learned.clone(), sides.fallback.clone())
            .race(self.race)
            .hand_over(self.hand_over)
            .checks(self.checks)
            .exact(self.exact)
            .held_out(self.held_out)
            .keep_latest(self.latest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimizer::{Method, Tuned, parse};
    use lgl2o::checkpoint::Fingerprint as _;

    #[test]
    fn automatic_is_the_cores() {
        for (name, form) in Automatic::ALL {
            let expected = match form {
                Automatic::Usual => lgl2o::auto().fingerprint(),
                Automatic::Lean => lgl2o::auto_lean().fingerprint(),
                Automatic::Rotated => lgl2o::auto_rotated().fingerprint(),
            };
            let Method::Relay { sides, settings } = parse(name, &Tuned::default()).unwrap().method else {
                panic!("a relay")
            };
            let guard = settings.guard(&sides);
            let found = if settings.lean { guard.lean().fingerprint() } else { guard.fingerprint() };
            assert_eq!(found, expected, "{name}");
        }
        let [rotated, spelled] = ["auto-rotated", "relay(avg-rot-l2o,avg-ngn)"].map(|name| {
            let method = parse(name, &Tuned::default()).unwrap().method;
            method.fingerprint().unwrap()
        });
        assert_eq!(rotated, spelled);
        assert!(parse("auto:0.1", &Tuned::default()).unwrap_err().to_string().contains("no number to set"));
    }

    #[test]
    fn the_default_is_the_cores() {
        let Method::Relay { sides, settings } = parse("relay(l2o,sgd:1)", &Tuned::default()).unwrap().method else {
            panic!("a relay")
        };
        assert_eq!(settings.guard(&sides), RelayGuard::new(sides.learned.clone(), sides.fallback.clone()));
    }
}
