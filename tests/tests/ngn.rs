//! Ngn and its learned form: against double precision, against each other, and what does not matter to them.

use lgl2o::checkpoint::{Buffer, Persist};
use lgl2o::learned::{self, LeanScaleFree, Learned, LearnedNgn, LearnedScaleFree};
use lgl2o::objective::Blank;
use lgl2o::objective::mlp::{Dense, Fixed, Loss, Mlp};
use lgl2o::rule::{Ngn, NoProbe, PlainNgn, Rule, RuleState, ScaleFree, ScaleFreeMomentum};
use lgl2o::tensors::Tensors;
use lgl2o_tests::layers::{Steps, Two, params, path, runs};
use lgl2o_tests::reference::learned::LearnedNgn64;
use lgl2o_tests::reference::losses::{wide, widen};
use lgl2o_tests::{bits, cases};
use proptest::collection::vec;
use proptest::prelude::*;

/// Weights about those of the hand-made rule.
fn weights() -> impl Strategy<Value = Vec<f32>> {
    vec(-0.4f32..0.4, LearnedNgn::WEIGHTS).prop_map(|about| {
        let mut weights = [0.0; LearnedNgn::WEIGHTS];
        LearnedNgn::hand_made().write_weights(&mut weights);
        // A power other than 1 takes straight lines within an octave twice.
        weights.iter().zip(about).enumerate().map(|(i, (w, a))| if i == 2 { *w } else { w + a }).collect()
    })
}

/// Whether two paths are one but for rounding.
fn close(a: &[f32], b: &[f32], tolerance: f32) -> Result<(), TestCaseError> {
    for (a, b) in a.iter().zip(b) {
        prop_assert!((a - b).abs() <= tolerance * a.abs().max(0.1), "{a} {b}");
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases!(400, "ngn"))]

    #[test]
    fn the_learned_rule_follows_its_formula(run in runs(), weights in weights()) {
        let rule = LearnedNgn::from_weights(&weights).expect("as many as there are");
        let mut reference = LearnedNgn64::new(&wide(&weights), &[9, 3]);
        let mut w = params(&run.0);
        let (mut expected, mut state, mut observed) = (widen(&w), rule.state(&w), rule.state(&w));
        for (t, (g, loss)) in (1..).zip(&run.1) {
            let g = params(g);
            rule.observe(&mut observed, &w, &g, *loss);
            rule.step(&mut state, &mut w, &g, *loss, &mut NoProbe);
            reference.step(&mut expected, &widen(&g), f64::from(*loss));
            for (got, due) in widen(&w).concat().iter().zip(expected.concat()) {
                prop_assert!((got - due).abs() < 1e-3 * due.abs().max(0.1), "step {t}: {got} where {due} is due");
            }
        }
        prop_assert!(state.is_finite());
        // What was observed is what stepping saw, and goes on alike.
        let [a, b] = [&mut state, &mut observed].map(|state| {
            let mut w = w;
            rule.step(state, &mut w, &params(&run.0), 1.0, &mut NoProbe);
            bits::of(&w)
        });
        prop_assert!(a == b, "observing is not what stepping does");
    }

    /// The hand-made weights are Ngn with its own constants, but for rounding.
    #[test]
    fn the_hand_made_weights_are_ngn(run in runs()) {
        let [learned, plain] = [
            path(&LearnedNgn::hand_made(), &run, 1.0, [1.0; 2]),
            path(&Ngn::new(), &run, 1.0, [1.0; 2]),
        ];
        close(&learned, &plain, 1e-3)?;
    }

    /// The unit of the loss does not matter to any weights, that of a layer not to those that take steps in proportion to it.
    #[test]
    fn units_do_not_matter(run in runs(), weights in weights(), power in -20i32..20, powers in [-3i32..6, -3..6]) {
        // A layer's size counts as 1e-3 at least: the smallest here is 0.01 / 8.
        let (factor, units) = (2f32.powi(power), powers.map(|power| 2f32.powi(power)));
        let of_any = LearnedNgn::from_weights(&weights).expect("as many as there are");
        close(&path(&of_any, &run, 1.0, [1.0; 2]), &path(&of_any, &run, factor, [1.0; 2]), 1e-3)?;
        close(&path(&of_any, &run, 1.0, [1.0; 2]), &path(&of_any, &run, factor, units), 1e-3)?;
        close(&path(&Ngn::new(), &run, 1.0, [1.0; 2]), &path(&Ngn::new(), &run, factor, units), 1e-3)?;
    }

    /// Whatever the weights, the losses and the gradients are, the parameters stay finite for a while.
    #[test]
    fn nothing_breaks_it(
        run in runs(),
        weights in vec(-3f32..3.0, LearnedNgn::WEIGHTS),
        scale in prop_oneof![Just(1e-30f32), Just(1e30), Just(1.0)],
        loss in prop_oneof![Just(f32::NAN), Just(f32::INFINITY), Just(0.0f32), Just(-1.0), Just(1e-38), Just(1e38)],
    ) {
        survives(&LearnedNgn::from_weights(&weights).expect("as many as there are"), &run, scale, loss)?;
        for beta2 in [0.0, 0.99, 0.999, 0.9999] {
            survives(&Ngn { beta2, ..Ngn::new() }, &run, scale, loss)?;
        }
        survives(&PlainNgn::new(1.0), &run, scale, loss)?;
    }

    /// On a convex loss whose minimum is 0 no step of plain NGN moves away from a minimiser, whatever sigma: least squares of
    /// any curvature with examples that agree, one example a step.
    #[test]
    fn plain_ngn_never_moves_away(
        examples in vec([-30f32..30.0, -30f32..30.0, -30f32..30.0], 1..20),
        solution in [-2f32..2.0, -2f32..2.0, -2f32..2.0],
        start in [-5f32..5.0, -5f32..5.0, -5f32..5.0],
        log_sigma in -6f32..12.0,
    ) {
        let rule = PlainNgn::new(log_sigma.exp2());
        let (mut w, mut state) = (start, rule.state(&start));
        for x in &examples {
            let residual: f64 = (0..3).map(|i| f64::from(x[i]) * (f64::from(w[i]) - f64::from(solution[i]))).sum();
            let (loss, before) = (0.5 * residual * residual, distance(&w, &solution));
            let gradient: [f32; 3] = std::array::from_fn(|i| (f64::from(x[i]) * residual) as f32);
            rule.step(&mut state, &mut w, &gradient, loss as f32, &mut NoProbe);
            let after = distance(&w, &solution);
            prop_assert!(after <= before + 1e-5 * (1.0 + before), "{before} {after}");
        }
    }
}

fn distance(a: &[f32; 3], b: &[f32; 3]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2)).sum::<f64>().sqrt()
}

/// Parameters and state stay finite along a run whose gradients are multiplied by a scale and whose every other loss is
/// replaced.
fn survives<R: Rule>(rule: &R, run: &Steps, scale: f32, loss: f32) -> Result<(), TestCaseError> {
    let mut w = params(&run.0);
    let mut state = rule.state(&w);
    for (i, (g, usual)) in run.1.iter().enumerate() {
        let mut g = params(g);
        g.0.iter_mut().chain(&mut g.1).for_each(|g| *g *= scale);
        rule.step(&mut state, &mut w, &g, if i % 2 == 0 { *usual } else { loss }, &mut NoProbe);
        prop_assert!(w.is_finite() && state.is_finite(), "{w:?}");
    }
    Ok(())
}

/// The bytes of a state in a checkpoint.
fn saved(state: &impl Persist) -> Vec<u8> {
    let mut bytes = [0; 1024];
    let mut buffer = Buffer::new(&mut bytes);
    state.save(&mut buffer).expect("it fits");
    buffer.written().to_vec()
}

/// The laws of states, for the rules that look at layers: observing is what stepping does, a copy is equal, and reset is the
/// beginning.
#[test]
fn observing_resetting_and_copying() {
    fn check<R: Rule<State<Two>: Persist>>(name: &str, rule: &R) {
        let mut w = params(&[0.5; 12]);
        let [mut stepped, mut observed, mut copy] = [(); 3].map(|()| rule.state(&w));
        let fresh = saved(&copy);
        assert!(fresh.iter().all(|byte| *byte == 0), "{name}: a state begins with zeros");
        for i in 1..6u8 {
            let g = params(&std::array::from_fn::<f32, 12, _>(|k| f32::from(i) - 0.37 * k as f32));
            rule.observe(&mut observed, &w, &g, 1.0 / f32::from(i));
            rule.step(&mut stepped, &mut w, &g, 1.0 / f32::from(i), &mut NoProbe);
            assert_eq!(saved(&stepped), saved(&observed), "{name}, step {i}");
        }
        copy.copy_from(&stepped);
        assert_eq!(saved(&copy), saved(&stepped), "{name}");
        stepped.reset();
        assert_eq!(saved(&stepped), fresh, "{name}");
    }
    check("ngn", &Ngn::new());
    check("learned ngn", learned::ngn());
    check("scale-free", &ScaleFree::new());
    check("scale-free momentum", &ScaleFreeMomentum::new());
    check("lean scale-free", &LeanScaleFree::hand_made());
    check("learned scale-free", &LearnedScaleFree::hand_made());
}

/// Ngn by hand, first step: rho = 2 and v' = g^2, so that D = |g| / 2, g / D = 2 sign g and the sum of g^2 / D is 4 + 8 + 2 =
/// 14. With sigma = 1 and f = 7, e = 1 / (1 + 14 / 14) = 1/2; with beta = 1/2, q = -sign g / 2 and the step is q / 2 - sign g /
/// 2 = -3/4 sign g. A loss of zero is no step, and q falls by half.
#[test]
fn ngn_by_hand() {
    let rule = Ngn { sigma: 1.0, beta: 0.5, beta2: 0.75 };
    let (mut w, mut state) = ([2.0f32, -2.0, 2.0], rule.state(&[0.0; 3]));
    rule.step(&mut state, &mut w, &[2.0, -4.0, 1.0], 7.0, &mut NoProbe);
    let close = |got: [f32; 3], due: [f32; 3]| got.iter().zip(due).all(|(got, due)| (got - due).abs() < 1e-5);
    assert!(close(w, [1.25, -1.25, 1.25]), "{w:?}");
    assert!(close(state.slots.slots[0], [-0.5, 0.5, -0.5]), "{state:?}");
    rule.step(&mut state, &mut w, &[2.0, -4.0, 1.0], 0.0, &mut NoProbe);
    assert!(close(w, [1.125, -1.125, 1.125]), "{w:?}");
}

/// A layer of zeros counts as large as weights usually begin: 1 / sqrt(4) with 8 weights and 2 biases, 1 where there is one
/// tensor. The first step of a rule with sigma so small that e = sigma shows it.
#[test]
fn a_layer_of_zeros_moves() {
    let rule = Ngn { sigma: 1e-3, beta: 0.0, beta2: 0.5 };
    let net = Mlp::<Fixed<Dense<4, 2>, 1>>::new(Fixed::new(), Loss::CrossEntropy);
    let (mut dense, mut ones) = (net.blank_params(), net.blank_params());
    let mut state = rule.state(&dense);
    ones.fill(1.0);
    rule.step(&mut state, &mut dense, &ones, 1e6, &mut NoProbe);
    assert!(dense.tensor(0).iter().all(|w| (w + 0.5e-3).abs() < 1e-8), "{dense:?}");
    let mut single = [0.0f32; 3];
    let mut state = rule.state(&single);
    rule.step(&mut state, &mut single, &[1.0; 3], 1e6, &mut NoProbe);
    assert!(single.iter().all(|w| (w + 1e-3).abs() < 1e-8), "{single:?}");
}

/// sigma / (1 + sigma |g|^2 / (2 f)) with |g|^2 = 21, f = 21/2, sigma = 1 is 1/2; without a positive, finite loss it is 0.
#[test]
fn plain_ngn_by_hand() {
    let rule = PlainNgn::new(1.0);
    let start = [1.0f32, 2.0, 3.0];
    let after = |loss| {
        let (mut w, mut state) = (start, rule.state(&start));
        rule.step(&mut state, &mut w, &[2.0, -4.0, 1.0], loss, &mut NoProbe);
        w
    };
    assert_eq!(after(10.5), [0.0, 4.0, 2.5]);
    for loss in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert_eq!(after(loss), start, "{loss}");
    }
}
