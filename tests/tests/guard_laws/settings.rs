//! A rule whose settings are out of range is refused by every guard, on either side, before its first step.

use std::fmt::Debug;

use lgl2o::guard::{Blend, LossGuard, RelayGuard, ResidualGuard, Unguarded};
use lgl2o::source::Exact;
use lgl2o::{Error, Guard};
use lgl2o_tests::every_rule::*;
use lgl2o_tests::task::{BOWL_START, bowl};
use lgl2o_tests::{every_rule, run};

fn is_refused(guard: &impl Guard) -> bool {
    matches!(run::rounds(&bowl(), guard, &mut Exact, &BOWL_START, 1), Err(Error::InvalidSetting { .. }))
}

fn assert_refused(rule: impl Rule + Copy + Debug) {
    let good = Sgd::new(0.1);
    assert!(is_refused(&Unguarded::new(rule)) && is_refused(&RelayGuard::new(rule, good)), "{rule:?}");
    assert!(is_refused(&LossGuard::new(rule, good)) && is_refused(&LossGuard::new(good, rule)), "{rule:?}");
    assert!(is_refused(&RelayGuard::new(good, rule)) && is_refused(&ResidualGuard::new(good, rule)), "{rule:?}");
    assert!(is_refused(&ResidualGuard::new(rule, good)), "{rule:?}");
    assert!(is_refused(&Blend::new(rule, good, 0.5).unwrap()), "{rule:?}");
    assert!(is_refused(&Blend::new(good, rule, 0.5).unwrap()), "{rule:?}");
    assert!(is_refused(&Unguarded::new(rule.averaged())) && is_refused(&Unguarded::new(&rule)), "{rule:?}");
}

/// Each rule as it is, and with each of its settings at each of some values.
macro_rules! refused {
    ($($kind:ident { $($good:expr => $($($field:ident).+ in $bad:expr),+;)+ })+) => {
        $($(
            let good = $good;
            assert!(!is_refused(&Unguarded::new(good)) && !is_refused(&LossGuard::new(good, good)), "{good:?}");
            $(
                for bad in $bad {
                    let mut rule = good;
                    rule.$($field).+ = bad;
                    assert_refused(rule);
                }
            )+
        )+)+
    };
}

/// Every rule, every setting.
#[test]
fn rules_out_of_range_are_refused() {
    every_rule!(refused);
    refused! { around { Averaged::new(Sgd::new(0.1)) => eta in AMOUNTS, rule.rate in RATES; } }
}
