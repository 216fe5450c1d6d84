//! A rule whose settings are out of range is refused by every guard, on either side, before its first step.

use std::fmt::Debug;

use lgl2o::source::Exact;
use lgl2o::{Error, Guard};
use lgl2o_tests::every_guard::*;
use lgl2o_tests::every_rule::*;
use lgl2o_tests::task::{BOWL_START, bowl};
use lgl2o_tests::{every_guard, every_rule, run};

fn is_refused(guard: &impl Guard) -> bool {
    matches!(run::rounds(&bowl(), guard, &mut Exact, &BOWL_START, 1), Err(Error::InvalidSetting { .. }))
}

/// Each guard with a bad rule in the place of either of its rules, and with good ones.
macro_rules! refused_by {
    ($rule:ident one_rule { $($one:tt)+ } both_rules { $($both:tt)+ } with_settings { $($others:tt)+ }) => {
        refused_by!(@learned $rule $($one)+ $($both)+);
        refused_by!(@fallback $rule $($both)+);
    };
    (@learned $rule:ident $($name:literal => |$l:ident, $f:ident| $guard:expr;)+) => {
        $({
            #[allow(unused_variables)]
            let ($l, $f) = ($rule, Sgd::new(0.1));
            assert!(is_refused(&$guard), "{}: {:?}", $name, $rule);
        })+
    };
    (@fallback $rule:ident $($name:literal => |$l:ident, $f:ident| $guard:expr;)+) => {
        $({
            let ($l, $f) = (Sgd::new(0.1), $rule);
            assert!(is_refused(&$guard), "{}, as fallback: {:?}", $name, $rule);
            let ($l, $f) = (Sgd::new(0.1), Sgd::new(0.1));
            assert!(!is_refused(&$guard), "{}", $name);
        })+
    };
}

fn assert_refused(rule: impl Rule + Copy + Debug) {
    every_guard!(refused_by, rule);
    assert!(is_refused(&Unguarded::new(&rule)), "{rule:?}");
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
