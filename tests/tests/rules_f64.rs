//! The hand-designed update rules against double precision, over random settings and gradients.

use lgl2o::rule::{Adam, AdamW, Lion, Momentum, NAdam, Nesterov, NoProbe, Rate, RmsProp, Rule, Sgd};
use lgl2o_tests::reference::losses::{distance, largest, wide, widen};
use lgl2o_tests::reference::rules::{Reference, Which};
use lgl2o_tests::{cases, strategy};
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

fn which() -> impl Strategy<Value = Which> {
    // Means forget by at most half a step: with a fast second moment, m / sqrt v would magnify m's rounding.
    let settings = (rate(), 0f32..0.99, 0.5f32..0.9999, prop_oneof![Just(1e-8f32), 1e-4f32..1.0], 0f32..0.5);
    (0..8, settings).prop_map(|(which, (rate, beta1, beta2, eps, decay))| {
        let adam = Adam { rate, beta1, beta2, eps };
        match which {
            0 => Which::Sgd(Sgd { rate }),
            1 => Which::Momentum(Momentum { rate, beta: beta1 }),
            2 => Which::Nesterov(Nesterov { rate, beta: beta1 }),
            3 => Which::RmsProp(RmsProp { rate, decay: beta2, eps }),
            4 => Which::Adam(adam),
            5 => Which::AdamW(AdamW { adam, decay }),
            6 => Which::NAdam(NAdam { adam }),
            _ => Which::Lion(Lion { rate, beta1, beta2, decay }),
        }
    })
}

/// Steps of a rule in single precision.
fn single(rule: &impl Rule, mut w: Three, gradients: &[[f32; 7]]) -> Three {
    let mut state = rule.state(&w);
    for &g in gradients {
        rule.step(&mut state, &mut w, &params(g), 0.0, &mut NoProbe);
    }
    w
}

fn dispatch(which: &Which, w: Three, gradients: &[[f32; 7]]) -> Three {
    match which {
        Which::Sgd(rule) => single(rule, w, gradients),
        Which::Momentum(rule) => single(rule, w, gradients),
        Which::Nesterov(rule) => single(rule, w, gradients),
        Which::RmsProp(rule) => single(rule, w, gradients),
        Which::Adam(rule) => single(rule, w, gradients),
        Which::AdamW(rule) => single(rule, w, gradients),
        Which::NAdam(rule) => single(rule, w, gradients),
        Which::Lion(rule) => single(rule, w, gradients),
    }
}

proptest! {
    #![proptest_config(cases!(1500, "rules_f64"))]

    /// Every rule stays with its formula, computed in f64, for up to 10 steps.
    ///
    /// Allowed: 2^-22 of the parameters' size per step, for their own rounding, and 2e-4 of the way travelled: the
    /// correction 1 - beta2^t of Adam at beta2 = 0.9999 has lost 24 - 13 of its 24 bits when t = 1, of which the square
    /// root gives half back. Without that correction 1e-5 of the way is enough.
    #[test]
    fn rules_follow_their_formulas(
        which in which(),
        start in prop::array::uniform7(strategy::number()),
        gradients in vec(prop::array::uniform7(strategy::slope()), 1..=10),
    ) {
        let mut reference = Reference::new(which, 7);
        let mut w = wide(&start);
        let mut size = largest(&[w.clone()]);
        for g in &gradients {
            reference.step(&mut w, &wide(g));
            size = size.max(largest(&[w.clone()]));
        }
        // Where Lion's direction nearly vanishes, single precision may see the other sign.
        prop_assume!(reference.closest > 1e-5);
        let corrected = matches!(which, Which::Adam(_) | Which::AdamW(_) | Which::NAdam(_));
        let share = if corrected { 2e-4 } else { 1e-5 };
        let allowed = gradients.len() as f64 * size / f64::from(1 << 22) + share * reference.travelled;
        let got = widen(&dispatch(&which, params(start), &gradients)).concat();
        let error = distance(&[got], &[w]);
        prop_assert!(error <= allowed, "off by {:e} where {:e} is allowed", error, allowed);
    }
}

/// The comparison can fail: Nesterov's momentum is not the heavy ball.
#[test]
fn another_rule_is_noticed() {
    let gradients = [[1.0; 7], [0.5; 7], [-1.0; 7]];
    let rule = Nesterov { rate: Rate::Constant(0.1), beta: 0.9 };
    let mut reference = Reference::new(Which::Momentum(Momentum { rate: rule.rate, beta: rule.beta }), 7);
    let mut w = vec![0.0; 7];
    gradients.iter().for_each(|g| reference.step(&mut w, &wide(g)));
    let got = widen(&single(&rule, params([0.0; 7]), &gradients)).concat();
    assert!(distance(&[got], &[w]) > 0.01);
}
