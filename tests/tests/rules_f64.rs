//! The hand-designed update rules against double precision, over random settings and gradients.

use std::any::type_name;

use lgl2o_tests::every_rule::*;
use lgl2o_tests::reference::losses::{distance, largest, wide, widen};
use lgl2o_tests::reference::rules::{Double, Reference, Settings};
use lgl2o_tests::{cases, every_rule, strategy};
use proptest::collection::vec;
use proptest::prelude::*;

type Three = ([f32; 2], ([[f32; 1]; 2], [f32; 3]));

fn params(w: [f32; 7]) -> Three {
    let [a, b, c, d, e, f, g] = w;
    ([a, b], ([[c], [d]], [e, f, g]))
}

fn rate() -> impl Strategy<Value = Rate> {
    prop_oneof![
        (1e-4f32..1.0).prop_map(Rate::Constant),
        (1e-2f32..10.0, 1f32..100.0).prop_map(|(c, i0)| Rate::Harmonic { c, i0 }),
    ]
}

/// Means forget by at most half a step: with a fast second moment, m / sqrt v would magnify m's rounding.
fn settings() -> impl Strategy<Value = Settings> {
    (rate(), 0f32..0.99, 0.5f32..0.9999, prop_oneof![Just(1e-8f32), 1e-4f32..1.0], 0f32..0.5)
        .prop_map(|(rate, beta1, beta2, eps, decay)| Settings { rate, beta1, beta2, eps, decay })
}

/// Steps of a rule in single precision.
fn single(rule: &impl Rule, mut w: Three, gradients: &[[f32; 7]]) -> Three {
    let mut state = rule.state(&w);
    for &g in gradients {
        rule.step(&mut state, &mut w, &params(g), 0.0, &mut NoProbe);
    }
    w
}

/// Whether a rule with these settings stays with its formula from a start on.
type Law = fn(Settings, [f32; 7], &[[f32; 7]]) -> Result<(), TestCaseError>;

fn follows<R: Double>(settings: Settings, start: [f32; 7], gradients: &[[f32; 7]]) -> Result<(), TestCaseError> {
    let rule = R::with(settings);
    let got = widen(&single(&rule, params(start), gradients)).concat();
    let mut reference = Reference::new(rule, 7);
    let mut w = wide(&start);
    let mut size = largest(&[w.clone()]);
    for g in gradients {
        reference.step(&mut w, &wide(g));
        size = size.max(largest(&[w.clone()]));
    }
    // Where Lion's direction nearly vanishes, single precision may see the other sign.
    prop_assume!(reference.closest() > 1e-5);
    let allowed = gradients.len() as f64 * size / f64::from(1 << 22) + R::ROUNDING * reference.travelled();
    let error = distance(&[got], &[w]);
    prop_assert!(error <= allowed, "{}: off by {:e} where {:e} is allowed", type_name::<R>(), error, allowed);
    Ok(())
}

/// The law for the type of a rule.
fn law<R: Double>(_: R) -> Law {
    follows::<R>
}

/// The laws of all coordinatewise rules.
macro_rules! laws {
    (coordinatewise { $($rule:expr => $($($field:ident).+ in $bad:expr),+;)+ } $($others:tt)*) => {
        [$(law($rule)),+]
    };
}

proptest! {
    #![proptest_config(cases!(1500, "rules_f64"))]

    /// Every rule stays with its formula, computed in f64, for up to 10 steps.
    ///
    /// Allowed: 2^-22 of the parameters' size per step, for their own rounding, and [`Double::ROUNDING`] of the way travelled.
    #[test]
    fn rules_follow_their_formulas(
        which in any::<prop::sample::Index>(),
        settings in settings(),
        start in prop::array::uniform7(strategy::number()),
        gradients in vec(prop::array::uniform7(strategy::slope()), 1..=10),
    ) {
        which.get(&every_rule!(laws))(settings, start, &gradients)?;
    }
}

/// The comparison can fail: Nesterov's momentum is not the heavy ball.
#[test]
fn another_rule_is_noticed() {
    let gradients = [[1.0; 7], [0.5; 7], [-1.0; 7]];
    let rule = Nesterov { rate: Rate::Constant(0.1), beta: 0.9 };
    let mut reference = Reference::new(Momentum { rate: rule.rate, beta: rule.beta }, 7);
    let mut w = vec![0.0; 7];
    gradients.iter().for_each(|g| reference.step(&mut w, &wide(g)));
    let got = widen(&single(&rule, params([0.0; 7]), &gradients)).concat();
    assert!(distance(&[got], &[w]) > 0.01);
}
