//! The rules without a scale: against double precision, and what the name promises.

use lgl2o::learned::{LeanScaleFree, Learned, LearnedScaleFree};
use lgl2o::rule::{Ngn, NoProbe, Rule, RuleState, ScaleFree, ScaleFreeMomentum};
use lgl2o::tensors::Tensors;
use lgl2o_tests::layers::{Steps, params, path, runs};
use lgl2o_tests::reference::scale_free::{Full, HandMade, Lean, Momentum, Reference, rms};
use lgl2o_tests::{bits, cases};
use proptest::collection::vec;
use proptest::prelude::*;

/// Holds a rule to its reference, and what it observes to what it does.
fn assert_follows<R: Rule>(
    rule: &R,
    reference: &mut impl Reference,
    (start, steps): &Steps,
) -> Result<(), TestCaseError> {
    let mut w = params(start);
    let (mut state, mut observed) = (rule.state(&w), rule.state(&w));
    let mut wide: [Vec<f64>; 2] = [&w.0[..], &w.1[..]].map(|w| w.iter().map(|x| f64::from(*x)).collect());
    for (t, (g, loss)) in (1..).zip(steps) {
        let gradient = params(g);
        rule.observe(&mut observed, &w, &gradient, *loss);
        rule.step(&mut state, &mut w, &gradient, *loss, &mut NoProbe);
        for (l, (wide, g)) in wide.iter_mut().zip([&gradient.0[..], &gradient.1[..]]).enumerate() {
            let g: Vec<f64> = g.iter().map(|x| f64::from(*x)).collect();
            reference.step(l, wide, &g, t, f64::from(*loss));
        }
        for (l, wide) in wide.iter().enumerate() {
            let size = rms(wide).max(0.01);
            for (got, expected) in w.tensor(l).iter().zip(wide) {
                let error = (f64::from(*got) - expected).abs();
                prop_assert!(error < 3e-4 * size, "step {t}, layer {l}: {got} where {expected} is due");
            }
        }
    }
    prop_assert!(state.is_finite());
    // A state that observed has seen the same gradients at the same points, and so goes on alike; so does a copy of it.
    let mut copy = rule.state(&w);
    copy.copy_from(&observed);
    let [a, b, c] = [&mut state, &mut observed, &mut copy].map(|state| {
        let mut w = w;
        rule.step(state, &mut w, &params(start), 1.0, &mut NoProbe);
        bits::of(&w)
    });
    prop_assert!(a == b && a == c, "observing is not what stepping does");
    Ok(())
}

fn learned<R: Learned>(weights: &[f32]) -> (R, Vec<f64>) {
    (R::from_weights(weights).expect("as many weights"), weights.iter().map(|w| f64::from(*w)).collect())
}

proptest! {
    #![proptest_config(cases!(400, "scale_free"))]

    #[test]
    fn scale_free_follows_its_formula(run in runs(), eta in 0.01f32..0.3, kappa in 0f32..0.2) {
        let rule = ScaleFree { eta, kappa, ..ScaleFree::new() };
        assert_follows(&rule, &mut HandMade::new(rule), &run)?;
    }

    #[test]
    fn scale_free_momentum_follows_its_formula(run in runs(), eta in 0.01f32..0.3, kappa in 0f32..0.2) {
        let rule = ScaleFreeMomentum { eta, kappa, ..ScaleFreeMomentum::new() };
        assert_follows(&rule, &mut Momentum::new(rule), &run)?;
    }

    #[test]
    fn the_learned_rule_follows_its_formula(run in runs(), weights in vec(-0.5f32..0.5, 18), size in -1.5f32..-0.5) {
        let mut weights = weights;
        // A direction that says something, and steps that stay short.
        (weights[0], weights[1], weights[11]) = (weights[0] + 1.0, weights[1] + 1.0, size);
        let (rule, wide) = learned::<LearnedScaleFree>(&weights);
        assert_follows(&rule, &mut Full::new(wide), &run)?;
    }

    #[test]
    fn the_lean_rule_follows_its_formula(run in runs(), weights in vec(-0.5f32..0.5, 10), size in -1.5f32..-0.5) {
        let mut weights = weights;
        (weights[0], weights[4]) = (weights[0] + 0.5, size);
        let (rule, wide) = learned::<LeanScaleFree>(&weights);
        assert_follows(&rule, &mut Lean::new(wide), &run)?;
    }

    /// The loss in another unit, by a power of two: the same bits of the same parameters.
    #[test]
    fn the_unit_of_the_loss_changes_no_bit(run in runs(), power in -20i32..20) {
        let factor = 2f32.powi(power);
        prop_assert!(same_run(&ScaleFree::new(), &run, factor, [1.0; 2]));
        prop_assert!(same_run(&ScaleFreeMomentum::new(), &run, factor, [1.0; 2]));
        prop_assert!(same_run(&LearnedScaleFree::hand_made(), &run, factor, [1.0; 2]));
        prop_assert!(same_run(&LeanScaleFree::hand_made(), &run, factor, [1.0; 2]));
    }

    /// A layer's weights in another unit, its gradients in the inverse one: the same bits, in that unit.
    #[test]
    fn the_unit_of_a_layer_changes_no_bit(run in runs(), powers in [-3i32..6, -3..6]) {
        // A layer's size counts as 1e-3 at least: the smallest here is 0.01 / 8.
        let factors = powers.map(|power| 2f32.powi(power));
        prop_assert!(same_run(&ScaleFree::new(), &run, 1.0, factors));
        prop_assert!(same_run(&ScaleFreeMomentum::new(), &run, 1.0, factors));
        prop_assert!(same_run(&LearnedScaleFree::hand_made(), &run, 1.0, factors));
        prop_assert!(same_run(&LeanScaleFree::hand_made(), &run, 1.0, factors));
    }

    /// Whatever the weights of the learned rules, and whatever the gradients, no number moves by more than 16 times what
    /// its layer's were at the start, and its decay.
    #[test]
    fn a_learned_step_is_bounded(
        run in runs(),
        weights in vec(-30f32..30.0, 18),
        scale in prop_oneof![Just(1e-30f32), Just(1e30), Just(1.0)],
    ) {
        let full = learned::<LearnedScaleFree>(&weights).0;
        let lean = learned::<LeanScaleFree>(&weights[..10]).0;
        prop_assert!(longest_step(&full, &run, scale) <= 1.001 * (16.0 + 4.0 * 0.1 * weights[17].max(0.0)));
        prop_assert!(longest_step(&lean, &run, scale) <= 1.001 * (16.0 + 4.0 * 0.1 * weights[9].max(0.0)));
    }
}

fn same_run<R: Rule>(rule: &R, run: &Steps, loss_factor: f32, units: [f32; 2]) -> bool {
    bits::patterns(&path(rule, run, 1.0, [1.0; 2])) == bits::patterns(&path(rule, run, loss_factor, units))
}

/// The longest move of a number in a run, as a multiple of its layer's rho or of itself, whichever is more; gradients are
/// multiplied by a scale.
fn longest_step<R: Rule>(rule: &R, (start, steps): &Steps, scale: f32) -> f32 {
    let mut w = params(start);
    let mut state = rule.state(&w);
    let rho = [&w.0[..], &w.1[..]].map(|w| (w.iter().map(|w| w * w).sum::<f32>() / w.len() as f32).sqrt());
    let mut longest = 0f32;
    for (g, loss) in steps {
        let before = w;
        let mut gradient = params(g);
        gradient.0.iter_mut().chain(&mut gradient.1).for_each(|g| *g *= scale);
        rule.step(&mut state, &mut w, &gradient, *loss, &mut NoProbe);
        for (l, rho) in rho.iter().enumerate() {
            for (a, b) in before.tensor(l).iter().zip(w.tensor(l)) {
                let moved = (a - b).abs() / rho.max(a.abs());
                assert!(moved.is_finite(), "{a} {b}");
                longest = longest.max(moved);
            }
        }
    }
    longest
}

/// A gradient of zeros moves nothing and spoils nothing; one huge gradient is forgotten again.
#[test]
fn zero_and_huge_gradients_are_survived() {
    fn check<R: Rule>(name: &str, rule: &R) {
        let start = params(&[0.5; 12]);
        let (mut w, mut state) = (start, rule.state(&start));
        rule.step(&mut state, &mut w, &params(&[0.0; 12]), 0.7, &mut NoProbe);
        assert_eq!(w, start, "{name}");
        rule.step(&mut state, &mut w, &params(&[3e38; 12]), 0.7, &mut NoProbe);
        assert!(w.is_finite() && state.is_finite(), "{name}: {w:?}");
        let far = w;
        for i in 0..4000 {
            let g = if i % 2 == 0 { 1.0 } else { 0.5 };
            rule.step(&mut state, &mut w, &params(&[g; 12]), 0.7, &mut NoProbe);
        }
        assert!(w.is_finite() && state.is_finite(), "{name}: {w:?}");
        assert!(w.0[0] < far.0[0], "{name}: it still learns, {w:?}");
    }
    check("scale-free", &ScaleFree::new());
    check("ngn", &Ngn { beta2: 0.9, ..Ngn::new() });
    check("learned", &LearnedScaleFree::hand_made());
    check("lean", &LeanScaleFree::hand_made());
}

/// ScaleFree by hand, first step: all |d| are equal, so each number of a layer moves by eta rho: 1/2 sqrt((1 + 49) / 2) =
/// 5/2 in the first layer, 1/2 3 in the second.
#[test]
fn scale_free_by_hand() {
    let rule = ScaleFree { eta: 0.5, ..ScaleFree::new() };
    let mut w = ([1.0f32, 7.0], [3.0f32]);
    let mut state = rule.state(&w);
    rule.step(&mut state, &mut w, &([2.0, -4.0], [1.0]), 1.0, &mut NoProbe);
    assert!((w.0[0] + 1.5).abs() < 1e-5 && (w.0[1] - 9.5).abs() < 1e-5 && (w.1[0] - 1.5).abs() < 1e-5, "{w:?}");
}

#[test]
fn hand_made_weights_survive_a_file() {
    let mut file = [0; LearnedScaleFree::FILE_LEN];
    let rule = LearnedScaleFree::hand_made();
    assert_eq!(LearnedScaleFree::read_file(rule.write_file(&mut file).unwrap()), Ok(rule));
    let mut file = [0; LeanScaleFree::FILE_LEN];
    let rule = LeanScaleFree::hand_made();
    assert_eq!(LeanScaleFree::read_file(rule.write_file(&mut file).unwrap()), Ok(rule));
    assert_eq!((LearnedScaleFree::FILE_LEN, LeanScaleFree::FILE_LEN), (88, 56));
}
