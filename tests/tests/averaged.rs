//! Iterate averaging against its definition and its theory.

use lgl2o::fault::Adversary;
use lgl2o::guard::{Decision, LossGuard, Unguarded};
use lgl2o::rule::{Adam, Averaged, NoProbe, Sgd};
use lgl2o::source::Exact;
use lgl2o::{Guard, Rng, Rule, Trainer, Winner, learned};
use lgl2o_tests::adversary::Terrible;
use lgl2o_tests::reference::losses::wide;
use lgl2o_tests::task::{BATCH, BOWL_START, Data, bowl, bowl64, small_mlp, start};
use lgl2o_tests::{bits, cases, run};
use proptest::prelude::*;

proptest! {
    #![proptest_config(cases!(256, "averaged"))]

    /// With eta = 1 the parameters are the mean of the fronts z_1 .. z_t with weights 1 .. t, in double precision.
    #[test]
    fn the_parameters_are_the_weighted_mean_of_the_fronts(
        start in -2f32..2.0,
        gradients in prop::collection::vec(-1f32..1.0, 1..60),
    ) {
        let rule = Averaged { eta: 1.0, ..Sgd::new(0.3).averaged() };
        let (mut state, mut x) = (rule.state(&[0.0f32]), [start]);
        let (mut z, mut sum, mut weights) = (f64::from(start), 0.0, 0.0);
        for (i, gradient) in (1..).zip(&gradients) {
            rule.step(&mut state, &mut x, &[*gradient], 0.0, &mut NoProbe);
            z -= f64::from(0.3f32) * f64::from(*gradient);
            (sum, weights) = (sum + f64::from(i) * z, weights + f64::from(i));
            prop_assert!((f64::from(x[0]) - sum / weights).abs() < 1e-4, "{} {}", x[0], sum / weights);
            prop_assert!((f64::from(state.front[0]) - z).abs() < 1e-4);
        }
    }
}

/// On F(w) = w^2 / 2 with noise of variance s^2 on the gradient, the last iterate of SGD has E[z^2] = s^2 rate / (2 -
/// rate) for ever; the mean with weights i has (4 / 3) s^2 / t for large t (Polyak and Juditsky 1992, with the sum of the
/// squared weights).
#[test]
fn noise_cancels_at_the_pace_of_the_theory() {
    const STEPS: u32 = 2000;
    let rule = Averaged { eta: 1.0, ..Sgd::new(0.5).averaged() };
    let (mut last, mut mean) = (0.0, 0.0);
    for seed in 0..400 {
        let mut rng = Rng::new(seed);
        let (mut state, mut x) = (rule.state(&[0.0f32]), [0.0f32]);
        for _ in 0..STEPS {
            let z = rule.gradient_point(&state).unwrap_or(&x)[0];
            // Uniform on (-1, 1): s^2 = 1/3.
            rule.step(&mut state, &mut x, &[z + rng.range(-1.0, 1.0)], 0.0, &mut NoProbe);
        }
        (last, mean) = (last + f64::from(state.front[0]).powi(2) / 400.0, mean + f64::from(x[0]).powi(2) / 400.0);
    }
    // 400 seeds: a mean of squares is off by about 7 % of itself.
    let (of_last, of_mean) = (1.0 / 3.0 / 3.0, 4.0 / 3.0 / 3.0 / f64::from(STEPS));
    assert!((last / of_last - 1.0).abs() < 0.25, "{last} {of_last}");
    assert!((mean / of_mean - 1.0).abs() < 0.25, "{mean} {of_mean}");
}

/// With a larger eta later iterates count for more: of two fronts, the second one's weight is (eta + 1) / (2 + eta).
#[test]
fn eta_is_the_weight_of_the_latest() {
    for (eta, weight) in [(0.0, 0.5), (1.0, 2.0 / 3.0), (8.0, 0.9)] {
        let rule = Averaged { rule: Sgd::new(1.0), eta };
        let (mut state, mut x) = (rule.state(&[0.0f32]), [0.0f32]);
        rule.step(&mut state, &mut x, &[0.0], 0.0, &mut NoProbe);
        rule.step(&mut state, &mut x, &[-1.0], 0.0, &mut NoProbe);
        assert!((x[0] - weight).abs() < 1e-6, "{eta}: {}", x[0]);
    }
}

/// Whatever an averaged adversary proposes, each round makes the fallback's progress: F(after) <= rho F(before).
#[test]
fn the_guarantee_holds_against_averaged_adversaries() {
    let (objective, rate) = (bowl(), 0.15);
    // mu = 1, L = 10.
    let rho = 1.0 - 2.0 * rate * (1.0 - 5.0 * rate);
    for learned in Adversary::ALL {
        for (train, stretch) in [(1, 0), (4, 0), (4, 2)] {
            let guard = LossGuard::new(learned.averaged(), Sgd::new(rate as f32))
                .batches(train, 1)
                .decision(Decision::FullObjective)
                .stride(4)
                .stretch(stretch)
                .gaps(5, 20);
            let mut memory = run::memory(&objective, &guard, &BOWL_START);
            for round in 0..60 {
                let before = bowl64().value(&wide(memory.params()));
                let verdict = Trainer::new(&objective, &guard, &mut memory).round(&mut Exact).unwrap();
                let after = bowl64().value(&wide(memory.params()));
                let limit = rho * before * (1.0 + 1e-5) + 1e-9;
                assert!(after <= limit, "{learned:?}, {train}, round {round}: {after} from {before}: {verdict:?}");
            }
        }
    }
}

/// The bits of a run, and who won its rounds.
fn ran(guard: &impl Guard, rounds: u32) -> (Vec<u32>, Vec<Winner>) {
    let (objective, data) = (small_mlp(), Data::disk(400, 1));
    let initial = start(&objective, 2);
    let run = data.sampling(BATCH, 3, |sampler| run::rounds(&objective, guard, sampler, &initial, rounds).unwrap());
    (bits::of(&run.params), run.verdicts.iter().map(|verdict| verdict.winner).collect())
}

/// A stride is the averaged rule alone, bit for bit: the front outlives the round that it began in.
#[test]
fn accepted_strides_are_the_averaged_rule_alone() {
    let learned = learned::ngn().averaged();
    let guard = LossGuard::new(learned, Terrible { height: 1e4 });
    let guard = guard.batches(3, 1).decision(Decision::Lower).veto(false).gaps(1000, 1000);
    let (objective, data) = (small_mlp(), Data::disk(400, 1));
    let mut memory = run::memory(&objective, &guard, &start(&objective, 2));
    let mut steps = 0;
    data.sampling(BATCH, 3, |sampler| {
        for _ in 0..5 {
            let verdict = Trainer::new(&objective, &guard, &mut memory).round(sampler).unwrap();
            assert_eq!(verdict.winner, Winner::Learned, "{verdict:?}");
            steps += verdict.steps;
        }
    });
    let (alone, _) = ran(&Unguarded::learned(learned), steps);
    assert_eq!(bits::of(memory.params()), alone);
}

/// When the parameters have been moved, the average begins anew from there; the inner rule's state goes on.
#[test]
fn a_lost_round_begins_a_new_average() {
    let rule = Adam::new(0.1).averaged();
    let (mut state, mut x) = (rule.state(&[0.0f32, 0.0]), [1.0f32, 1.0]);
    for _ in 0..5 {
        rule.step(&mut state, &mut x, &[1.0, -1.0], 0.0, &mut NoProbe);
    }
    assert!(rule.gradient_point(&state).is_some_and(|front| front != &x));
    rule.moved(&mut state);
    let inner = state.inner.clone();
    let (mut plain_state, mut plain) = (inner, [5.0f32, 5.0]);
    x = [5.0, 5.0];
    rule.step(&mut state, &mut x, &[1.0, -1.0], 0.0, &mut NoProbe);
    rule.rule.step(&mut plain_state, &mut plain, &[1.0, -1.0], 0.0, &mut NoProbe);
    assert_eq!((x, state.front, state.inner), (plain, plain, plain_state), "the first front is the whole average");
}
