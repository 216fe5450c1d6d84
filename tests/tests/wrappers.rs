//! Rules around any rule: gradients clipped by their global norm, decoupled weight decay, and the L2 penalty.

use lgl2o::checkpoint::{Fingerprint, Persist, Sink};
use lgl2o::guard::{LossGuard, Unguarded};
use lgl2o::objective::Quadratic;
use lgl2o::rule::{
    Adam, AdamW, Armijo, Clipped, Decayed, Momentum, Ngn, NoProbe, Penalized, Probe, Rotated, Rule, Sgd,
};
use lgl2o::source::Exact;
use lgl2o::tensors::Tensors;
use lgl2o::{Error, learned};
use lgl2o_tests::task::{Data, small_mlp, start};
use lgl2o_tests::{bits, cases, run};
use proptest::prelude::*;

type Pair = ([f32; 2], [f32; 3]);

fn pair(numbers: &[f32]) -> Pair {
    ([numbers[0], numbers[1]], [numbers[2], numbers[3], numbers[4]])
}

/// The norm in double precision.
fn norm(p: &Pair) -> f64 {
    p.0.iter().chain(&p.1).map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt()
}

/// Where some steps lead from 0, and the state.
fn steps<R: Rule>(rule: &R, from: &Pair, gradients: &[Pair]) -> (Pair, R::State<Pair>) {
    let (mut w, mut state) = (*from, rule.state(from));
    gradients.iter().for_each(|g| rule.step(&mut state, &mut w, g, 1.0, &mut NoProbe));
    (w, state)
}

struct Length(usize);

impl Sink for Length {
    type Error = core::convert::Infallible;
    fn put(&mut self, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0 += bytes.len();
        Ok(())
    }
}

fn length(state: &impl Persist) -> usize {
    let mut length = Length(0);
    let Ok(()) = state.save(&mut length);
    length.0
}

proptest! {
    #![proptest_config(cases!(300, "wrappers"))]

    /// A step of gradient descent is at most rate times norm long, of the gradient's own direction, and the gradient's
    /// own step where that is short enough, bit for bit.
    #[test]
    fn a_clipped_step_is_no_longer_than_its_norm(
        numbers in prop::collection::vec(-1f32..1.0, 5), size in -20f32..20.0, clip in 0.01f32..100.0,
    ) {
        let gradient = pair(&numbers.iter().map(|x| x * size.exp2()).collect::<Vec<_>>());
        let plain = steps(&Sgd::new(1.0), &pair(&[0.0; 5]), &[gradient]).0;
        let clipped = steps(&Clipped::new(Sgd::new(1.0), clip), &pair(&[0.0; 5]), &[gradient]).0;
        prop_assert!(norm(&clipped) <= f64::from(clip) * (1.0 + 1e-6) || norm(&gradient) <= f64::from(clip) * (1.0 + 1e-6));
        if norm(&gradient) < f64::from(clip) * (1.0 - 1e-6) {
            prop_assert_eq!(bits::of(&clipped), bits::of(&plain));
        } else if norm(&gradient) > f64::from(clip) * (1.0 + 1e-6) {
            prop_assert!((norm(&clipped) / f64::from(clip) - 1.0).abs() < 1e-6);
            let factor = norm(&clipped) / norm(&plain);
            let pairs = (0..2).flat_map(|i| plain.tensor(i).iter().zip(clipped.tensor(i)).collect::<Vec<_>>());
            for (p, c) in pairs {
                prop_assert!((f64::from(*p) * factor - f64::from(*c)).abs() <= 1e-6 * f64::from(clip));
            }
        }
    }

    /// To observe a clipped gradient is to step without moving, for rules that remember; a checkpoint is as long as
    /// without.
    #[test]
    fn observing_clips_too(numbers in prop::collection::vec(-4f32..4.0, 20), clip in 0.1f32..4.0) {
        let gradients: Vec<Pair> = numbers.chunks(5).map(pair).collect();
        let rule = Clipped::new(Adam::new(0.1), clip);
        let (_, stepped) = steps(&rule, &pair(&[0.0; 5]), &gradients);
        let mut observed = rule.state(&pair(&[0.0; 5]));
        gradients.iter().for_each(|g| rule.observe(&mut observed, &pair(&[0.0; 5]), g, 1.0));
        prop_assert_eq!(&stepped.inner, &observed.inner);
        prop_assert_eq!(length(&stepped), length(&Adam::new(0.1).state(&pair(&[0.0; 5]))));
    }

    /// Adam with decoupled decay is AdamW: share = rate decay.
    #[test]
    fn adam_that_decays_is_adamw(numbers in prop::collection::vec(-4f32..4.0, 40), from in prop::collection::vec(-4f32..4.0, 5)) {
        let gradients: Vec<Pair> = numbers.chunks(5).map(pair).collect();
        let adamw = AdamW { decay: 0.5, ..AdamW::new(0.1) };
        let expected = steps(&adamw, &pair(&from), &gradients).0;
        let found = steps(&Decayed::new(Adam::new(0.1), 0.05), &pair(&from), &gradients).0;
        prop_assert!(expected.squared_distance(&found).sqrt() < 1e-5, "{found:?} {expected:?}");
        let plain = steps(&Adam::new(0.1), &pair(&from), &gradients).0;
        prop_assert_eq!(bits::of(&steps(&Decayed::new(Adam::new(0.1), 0.0), &pair(&from), &gradients).0), bits::of(&plain));
    }
}

proptest! {
    #![proptest_config(cases!(300, "wrappers"))]

    /// A penalised rule makes the steps of the rule alone on gradients and losses with the penalty, bit for bit; of weight 0, those on the
    /// gradients as they are. To observe is to step without moving, and a checkpoint is as long as without.
    #[test]
    fn a_penalised_rule_sees_loss_and_gradient_with_the_penalty(
        numbers in prop::collection::vec(-4f32..4.0, 20), from in prop::collection::vec(-4f32..4.0, 5), weight in 0f32..2.0,
    ) {
        let gradients: Vec<Pair> = numbers.chunks(5).map(pair).collect();
        let (inner, rule) = (Ngn::new(), Penalized::new(Ngn::new(), weight));
        let (mut w, mut state) = (pair(&from), inner.state(&pair(&from)));
        for g in &gradients {
            let mut sum = *g;
            for i in 0..2 {
                sum.tensor_mut(i).iter_mut().zip(w.tensor(i)).for_each(|(g, &w)| *g += weight * w);
            }
            let loss = 1.0 + 0.5 * weight * w.squares();
            inner.step(&mut state, &mut w, &sum, loss, &mut NoProbe);
        }
        let (found, stepped) = steps(&rule, &pair(&from), &gradients);
        prop_assert_eq!(bits::of(&found), bits::of(&w));
        prop_assert_eq!(&stepped.inner, &state);
        prop_assert_eq!(length(&stepped), length(&state));
        let free = steps(&Penalized::new(Ngn::new(), 0.0), &pair(&from), &gradients).0;
        prop_assert_eq!(bits::of(&free), bits::of(&steps(&inner, &pair(&from), &gradients).0));
        let rule = Penalized::new(Adam::new(0.1), weight);
        let (mut observed, mut moved) = (rule.state(&pair(&from)), rule.state(&pair(&from)));
        rule.observe(&mut observed, &pair(&from), &gradients[0], 1.0);
        rule.step(&mut moved, &mut pair(&from), &gradients[0], 1.0, &mut NoProbe);
        prop_assert_eq!(&observed.inner, &moved.inner);
    }
}

/// The run ends where F + l/2 |w|^2 is least, w_i = h_i m_i / (l + h_i), whatever the rule is, also an averaged one.
#[test]
fn a_penalty_ends_at_the_regularised_minimum() {
    fn ends<R: Rule>(rule: R) {
        let (h, m, weight) = ([1.0, 10.0], [3.0, -1.0], 0.5);
        let objective = Quadratic::new(h, m).unwrap();
        let found = run::rounds(&objective, &Unguarded::new(rule), &mut Exact, &[0.0; 2], 3000).unwrap().params;
        for i in 0..2 {
            let expected = h[i] * m[i] / (weight + h[i]);
            assert!((found[i] - expected).abs() < 1e-2, "{found:?} {expected}");
        }
    }
    ends(Penalized::new(Sgd::new(0.1), 0.5));
    ends(Penalized::new(Momentum::new(0.01), 0.5));
    ends(Penalized::new(Armijo::new(1.0).unwrap(), 0.5));
    ends(Penalized::new(Sgd::new(0.1), 0.5).averaged());
    ends(Penalized::new(Sgd::new(0.1).averaged(), 0.5));
}

/// A rule that searches asks for the loss with the penalty: where the loss itself is level, the parameters shrink.
#[test]
fn a_search_sees_the_penalty() {
    struct Level;
    impl Probe<Pair> for Level {
        fn loss(&mut self, _: &Pair) -> f32 {
            1.0
        }
    }
    let (rule, from) = (Penalized::new(Armijo::new(0.5).unwrap(), 1.0), pair(&[1.0, -2.0, 4.0, 0.0, 8.0]));
    let (mut w, mut state) = (from, rule.state(&from));
    rule.step(&mut state, &mut w, &pair(&[0.0; 5]), 1.0, &mut Level);
    assert!(norm(&w) < 0.9 * norm(&from), "{w:?}");
}

/// Without a gradient (1 - s)^t is left; under gradient descent of rate r the run ends where F + s / (2 r) |w|^2 is
/// least: w_i = r h_i m_i / (s + r h_i).
#[test]
fn decay_ends_at_the_regularised_minimum() {
    let left = steps(&Decayed::new(Sgd::new(0.5), 0.25), &pair(&[1.0, -2.0, 4.0, 0.0, 8.0]), &[pair(&[0.0; 5]); 3]).0;
    assert_eq!(left, pair(&[1.0, -2.0, 4.0, 0.0, 8.0].map(|x| x * 0.421_875)));
    let (h, m, rate, share) = ([1.0, 10.0], [3.0, -1.0], 0.1, 0.05);
    let objective = Quadratic::new(h, m).unwrap();
    let end = |rule| run::rounds(&objective, &Unguarded::new(rule), &mut Exact, &[0.0; 2], 400).unwrap().params;
    let found = end(Decayed::new(Sgd::new(rate), share));
    for i in 0..2 {
        let expected = rate * h[i] * m[i] / (share + rate * h[i]);
        assert!((found[i] - expected).abs() < 1e-5, "{found:?} {expected}");
    }
    assert!((end(Decayed::new(Sgd::new(rate), 0.0))[0] - 3.0).abs() < 1e-5);
}

/// A gradient with a NaN stays one, so that it does not hide; one whose square is no number becomes 0.
#[test]
fn what_is_not_finite_does_not_hide() {
    let step =
        |g: f32| steps(&Clipped::new(Sgd::new(1.0), 1.0), &pair(&[0.0; 5]), &[pair(&[g, 1.0, 0.0, 0.0, 0.0])]).0.0;
    assert!(step(f32::NAN)[0].is_nan() && step(f32::INFINITY)[0].is_nan());
    assert_eq!(step(1e30), [0.0; 2]);
}

/// Both are rules like any other: in a guard, on either side, and refused where their settings are out of range.
#[test]
fn they_are_rules_like_any_other() {
    let objective = small_mlp();
    let from = start(&objective, 1);
    let guard = LossGuard::new(
        Decayed::new(learned::ngn(), 1e-4).averaged(),
        Clipped::new(Decayed::new(Momentum::new(0.3), 1e-4), 1.0).averaged(),
    );
    let data = Data::disk(100, 2);
    let run = data.sampling(8, 3, |source| run::rounds(&objective, &guard, source, &from, 60)).unwrap();
    let losses: Vec<f32> = run.verdicts.iter().map(|verdict| verdict.train_loss).collect();
    let mean = |of: &[f32]| of.iter().sum::<f32>() / of.len() as f32;
    assert!(mean(&losses[50..]) < 0.7 * mean(&losses[..5]), "{losses:?}");
    let bowl = Quadratic::new([1.0], [0.0]).unwrap();
    let refused = |guard: &dyn Fn() -> Option<Error>| assert!(matches!(guard(), Some(Error::InvalidSetting { .. })));
    for bad in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let guard = Unguarded::new(Clipped::new(Sgd::new(0.1), bad));
        refused(&|| run::rounds(&bowl, &guard, &mut Exact, &[1.0], 1).err());
    }
    for bad in [1.0, -0.1, f32::NAN] {
        let guard = Unguarded::new(Decayed::new(Sgd::new(0.1), bad));
        refused(&|| run::rounds(&bowl, &guard, &mut Exact, &[1.0], 1).err());
    }
    for bad in [-0.1, f32::NAN, f32::INFINITY] {
        let guard = Unguarded::new(Penalized::new(Sgd::new(0.1), bad));
        refused(&|| run::rounds(&bowl, &guard, &mut Exact, &[1.0], 1).err());
    }
    let guard = Unguarded::new(Penalized::new(Sgd::new(-0.1), 1.0));
    refused(&|| run::rounds(&bowl, &guard, &mut Exact, &[1.0], 1).err());
    let guard = Unguarded::new(Rotated::new(Sgd::new(-0.1)));
    refused(&|| run::rounds(&bowl, &guard, &mut Exact, &[1.0], 1).err());
    let guard = Unguarded::new(Clipped::new(Sgd::new(-0.1), 1.0));
    refused(&|| run::rounds(&bowl, &guard, &mut Exact, &[1.0], 1).err());
    let all = [
        Sgd::new(0.1).fingerprint(),
        Clipped::new(Sgd::new(0.1), 1.0).fingerprint(),
        Clipped::new(Sgd::new(0.1), 2.0).fingerprint(),
        Decayed::new(Sgd::new(0.1), 0.1).fingerprint(),
        Decayed::new(Sgd::new(0.1), 0.2).fingerprint(),
        Penalized::new(Sgd::new(0.1), 0.1).fingerprint(),
        Penalized::new(Sgd::new(0.1), 0.2).fingerprint(),
        Rotated::new(Sgd::new(0.1)).fingerprint(),
    ];
    assert_eq!(all.iter().collect::<std::collections::BTreeSet<_>>().len(), all.len());
}
