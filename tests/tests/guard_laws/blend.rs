//! The fixed mixture: w <- u + share (v - u).

use lgl2o::fault::Adversary;
use lgl2o::guard::{Blend, Unguarded};
use lgl2o::rule::{Adam, Momentum, Sgd};
use lgl2o::source::Exact;
use lgl2o::{Rule, Verdict, Winner};
use lgl2o_tests::task::{BOWL_START, bowl};
use lgl2o_tests::{bits, run};

fn blended(learned: impl Rule, fallback: impl Rule, share: f32, rounds: u32) -> ([f32; 4], Vec<Verdict>) {
    let guard = Blend::new(learned, fallback, share).unwrap();
    let run = run::rounds(&bowl(), &guard, &mut Exact, &BOWL_START, rounds).unwrap();
    (run.params, run.verdicts)
}

fn alone(rule: impl Rule, rounds: u32) -> [f32; 4] {
    run::rounds(&bowl(), &Unguarded::new(rule), &mut Exact, &BOWL_START, rounds).unwrap().params
}

/// A share of 0 is the fallback alone, bit for bit, for u + 0 (v - u) = u where v - u is finite and u is no -0.
#[test]
fn nothing_of_the_learned_side_is_the_fallback_alone() {
    let fallback = Momentum::new(0.02);
    let (params, _) = blended(Adam::new(0.1), fallback, 0.0, 20);
    assert_eq!(bits::of(&params), bits::of(&alone(fallback, 20)));
}

/// A share of 1 is the learned side alone up to rounding: v - u is rounded, and so is u + (v - u), each to half a unit,
/// so one step is off by at most 2^-24 (|v - u| + |v|).
#[test]
fn all_of_the_learned_side_is_itself_up_to_rounding() {
    let (learned, fallback) = (Sgd::new(0.1), Sgd::new(0.013));
    let (params, verdicts) = blended(learned, fallback, 1.0, 1);
    let (v, u) = (alone(learned, 1), alone(fallback, 1));
    for i in 0..4 {
        let bound = ((v[i] - u[i]).abs() + v[i].abs()) / 16_777_216.0 * 1.01;
        assert!((params[i] - v[i]).abs() <= bound, "{} and {}", params[i], v[i]);
    }
    assert_eq!(verdicts[0].winner, Winner::Learned);
}

/// Half of each is the mean of both steps.
#[test]
fn half_of_each_is_the_mean() {
    let (learned, fallback) = (Sgd::new(0.1), Sgd::new(0.013));
    let (params, _) = blended(learned, fallback, 0.5, 1);
    let (v, u) = (alone(learned, 1), alone(fallback, 1));
    for i in 0..4 {
        assert!((params[i] - 0.5 * (u[i] + v[i])).abs() < 1e-6);
    }
}

/// A side whose step is not finite is left out: what remains is the other one alone, bit for bit.
#[test]
fn a_side_that_is_not_finite_is_left_out() {
    let good = Momentum::new(0.02);
    let expected = bits::of(&alone(good, 10));
    for bad in [Adversary::Nan, Adversary::OneNan, Adversary::Infinite] {
        let (params, verdicts) = blended(bad, good, 0.5, 10);
        assert_eq!(bits::of(&params), expected);
        assert!(verdicts.iter().all(|v| v.winner == Winner::Fallback));
        let (params, verdicts) = blended(good, bad, 0.5, 10);
        assert_eq!(bits::of(&params), expected);
        assert!(verdicts.iter().all(|v| v.winner == Winner::Learned));
        let (params, verdicts) = blended(bad, Adversary::Nan, 0.5, 10);
        assert_eq!(bits::of(&params), bits::of(&BOWL_START));
        assert!(verdicts.iter().all(|v| v.winner == Winner::Neither));
    }
}

/// A mixture has no guarantee: with an adversary in it the loss goes up, where a guard would have refused.
#[test]
fn a_mixture_follows_an_adversary() {
    let (_, verdicts) = blended(Adversary::Creep, Sgd::new(0.001), 0.9, 20);
    assert!(verdicts[19].train_loss > verdicts[0].train_loss);
}

/// The share is between 0 and 1.
#[test]
fn shares_out_of_range_are_refused() {
    for share in [-0.1, 1.1, f32::NAN, f32::INFINITY] {
        assert!(Blend::new(Sgd::new(0.1), Sgd::new(0.1), share).is_err());
    }
}
