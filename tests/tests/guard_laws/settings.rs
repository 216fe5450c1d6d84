//! A rule whose settings are out of range is refused by every guard, on either side, before its first step.

use std::fmt::Debug;

use lgl2o::guard::{Blend, LossGuard, RelayGuard, ResidualGuard, Unguarded};
use lgl2o::rule::{
    Adam, Adam16, AdamW, Armijo, Averaged, Lion, Momentum, NAdam, Nesterov, Ngn, PlainNgn, Rate, RmsProp, ScaleFree,
    ScaleFreeMomentum, Sgd,
};
use lgl2o::source::Exact;
use lgl2o::{Error, Guard, Rule};
use lgl2o_tests::run;
use lgl2o_tests::task::{BOWL_START, bowl};

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

/// A rule as it is, and with each of the named settings at each of some values.
macro_rules! settings {
    ($($good:expr => $($($field:ident).+ in $bad:expr),+;)+) => {
        $(
            let good = $good;
            assert!(!is_refused(&Unguarded::new(good)) && !is_refused(&LossGuard::new(good, good)), "{good:?}");
            $(
                for bad in $bad {
                    let mut rule = good;
                    rule.$($field).+ = bad;
                    assert_refused(rule);
                }
            )+
        )+
    };
}

/// Every rule, every setting.
#[test]
fn rules_out_of_range_are_refused() {
    const RATES: [Rate; 8] = [
        Rate::Constant(0.0),
        Rate::Constant(-0.1),
        Rate::Constant(f32::NAN),
        Rate::Constant(f32::INFINITY),
        Rate::Harmonic { c: 1.0, i0: 0.0 },
        Rate::Harmonic { c: -1.0, i0: 5.0 },
        Rate::Harmonic { c: f32::NAN, i0: 1.0 },
        Rate::Harmonic { c: f32::MAX, i0: 1e-3 },
    ];
    const SIZES: [f32; 4] = [0.0, -1.0, f32::NAN, f32::INFINITY];
    const AMOUNTS: [f32; 3] = [-1.0, f32::NAN, f32::INFINITY];
    const SHARES: [f32; 4] = [-0.1, 1.0, f32::NAN, f32::INFINITY];
    const INNER: [f32; 4] = [0.0, 1.0, f32::NAN, -0.5];
    settings! {
        Sgd::new(0.1) => rate in RATES;
        Momentum::new(0.1) => rate in RATES, beta in SHARES;
        Nesterov::new(0.1) => rate in RATES, beta in SHARES;
        RmsProp::new(0.1) => rate in RATES, decay in SHARES, eps in SIZES;
        Adam::new(0.1) => rate in RATES, beta1 in SHARES, beta2 in SHARES, eps in SIZES;
        AdamW::new(0.1) => adam.rate in RATES, adam.beta1 in SHARES, decay in AMOUNTS;
        NAdam::new(0.1) => adam.rate in RATES, adam.beta2 in SHARES, adam.eps in SIZES;
        Adam16::new(0.1) => adam.rate in RATES, adam.beta1 in SHARES;
        Lion::new(0.1) => rate in RATES, beta1 in SHARES, beta2 in SHARES, decay in AMOUNTS;
        Ngn::new() => sigma in SIZES, beta in SHARES, beta2 in SHARES;
        PlainNgn::new(0.3) => sigma in SIZES;
        ScaleFree::new() => eta in SIZES, kappa in AMOUNTS, cap in AMOUNTS, beta1 in SHARES, beta2 in SHARES;
        ScaleFreeMomentum::new() => eta in SIZES, kappa in AMOUNTS, cap in AMOUNTS, beta in SHARES;
        Armijo::new(1.0).unwrap() => largest in SIZES, slope in INNER, shrink in INNER, growth in [0.9, f32::NAN, f32::INFINITY];
        Armijo::new(1.0).unwrap() => trials in [0];
        Averaged::new(Sgd::new(0.1)) => eta in AMOUNTS, rule.rate in RATES;
    }
}
