//! Whatever is proposed: parameters stay finite, a NaN is never accepted, and with an exact loss no round ends above
//! the fallback's candidate.

use lgl2o::batch::Batch;
use lgl2o::fault::Adversary;
use lgl2o::guard::{Decision, LossGuard, Unguarded};
use lgl2o::objective::Blank;
use lgl2o::rule::{Armijo, Sgd};
use lgl2o::source::{Exact, Source};
use lgl2o::tensors::Tensors;
use lgl2o::{Rule, Trainer, Verdict, Winner};
use lgl2o_tests::task::{BATCH, BOWL_START, Data, Whole, bowl, small_mlp, start};
use lgl2o_tests::{bits, run};

/// The loss of some parameters as a round would find it, and the loss after the fallback's steps from there.
pub(crate) fn losses<O: Blank>(
    objective: &O,
    params: &O::Params,
    fallback: &impl Rule,
    steps: u32,
    source: &mut (impl Source<O> + Copy),
) -> (f32, f32) {
    let guard = Unguarded::new(fallback);
    let mut memory = run::memory(objective, &guard, params);
    let mut trainer = Trainer::new(objective, &guard, &mut memory);
    let before = trainer.loss(source.train().unwrap()).unwrap();
    for _ in 0..steps {
        trainer.round(source).unwrap();
    }
    (before, trainer.loss(source.train().unwrap()).unwrap())
}

/// A verdict says what has happened.
fn assert_consistent(verdict: &Verdict) {
    assert!(!verdict.standard_error.is_nan(), "{verdict:?}");
    let [learned, fallback] = [verdict.learned_loss, verdict.fallback_loss].map(|loss| loss.expect("both are judged"));
    match verdict.winner {
        Winner::Learned => assert!(learned < fallback, "{verdict:?}"),
        Winner::Fallback => assert!(learned >= fallback, "{verdict:?}"),
        Winner::Neither => panic!("the fallback was finite: {verdict:?}"),
    }
}

/// Each round of each adversary under *full objective*: F(after) = min(F(u), F(v)), to the bit.
fn assert_bounded<O: Blank>(
    objective: &O,
    start: &O::Params,
    fallback: &(impl Rule + Copy),
    source: &mut (impl Source<O> + Copy),
) {
    for (learned, steps) in Adversary::ALL.into_iter().flat_map(|a| [1, 2, 3].map(|n| (a, n))) {
        let guard = LossGuard::paper(learned, *fallback).batches(steps, 1).decision(Decision::FullObjective);
        let mut memory = run::memory(objective, &guard, start);
        for _ in 0..20 {
            // Gradient descent has no state, so its candidate can be computed anew.
            let (_, candidate) = losses(objective, memory.params(), fallback, steps, source);
            let mut trainer = Trainer::new(objective, &guard, &mut memory);
            let verdict = trainer.round(source).unwrap();
            let after = trainer.loss(source.train().unwrap()).unwrap();
            assert!(trainer.params().is_finite());
            assert_consistent(&verdict);
            let [u, v] = [verdict.fallback_loss, verdict.learned_loss].map(|loss| loss.expect("both are judged"));
            assert_eq!(u.to_bits(), candidate.to_bits(), "{learned:?}");
            assert_eq!(after.to_bits(), u.min(v).to_bits(), "{learned:?}");
        }
    }
}

/// On a quadratic with exact loss, at a rate below 2/L and at one above.
#[test]
fn no_round_ends_above_the_fallback_on_a_quadratic() {
    assert_bounded(&bowl(), &BOWL_START, &Sgd::new(0.15), &mut Exact);
    assert_bounded(&bowl(), &BOWL_START, &Sgd::new(0.21), &mut Exact);
}

/// On a perceptron whose objective is one batch.
#[test]
fn no_round_ends_above_the_fallback_on_a_perceptron() {
    let (objective, data) = (small_mlp(), Data::disk(BATCH, 4));
    let batch = Batch::classes(&data.inputs, 2, &data.labels);
    assert_bounded(&objective, &start(&objective, 5), &Sgd::new(0.3), &mut Whole(batch));
}

/// Runs all adversaries on sampled batches.
fn stochastic(decision: Decision, mut each: impl FnMut(Adversary, &Verdict, &[u32])) {
    let (objective, data) = (small_mlp(), Data::disk(96, 6));
    let initial = start(&objective, 7);
    for (learned, steps) in Adversary::ALL.into_iter().flat_map(|a| [1, 3].map(|n| (a, n))) {
        let guard = LossGuard::paper(learned, Sgd::new(0.3)).batches(steps, 2).decision(decision);
        let mut memory = run::memory(&objective, &guard, &initial);
        data.sampling(BATCH, 8, |sampler| {
            let mut trainer = Trainer::new(&objective, &guard, &mut memory);
            for _ in 0..15 {
                let verdict = trainer.round(sampler).unwrap();
                assert!(trainer.params().is_finite(), "{learned:?}, {decision:?}");
                assert_eq!(verdict.steps, steps);
                each(learned, &verdict, &bits::of(trainer.params()));
            }
        });
    }
}

/// With minibatches: parameters stay finite, and *lower* keeps the lower of the two losses that it reports.
#[test]
fn lower_keeps_the_lower_loss() {
    stochastic(Decision::Lower, |_, verdict, _| assert_consistent(verdict));
}

/// A proposal that is not finite never wins, its loss is reported as infinite, and no number in a verdict but the
/// losses that were not needed is a NaN, whatever the decision.
#[test]
fn proposals_that_are_not_finite_never_win() {
    let never = [Adversary::Nan, Adversary::OneNan, Adversary::Infinite];
    let decisions = [
        Decision::Lower,
        Decision::Margin { z: 1.0 },
        Decision::GrowingMargin,
        Decision::FullObjective,
        Decision::SufficientDecrease { kappa: 0.0 },
    ];
    for decision in decisions {
        stochastic(decision, |learned, verdict, _| {
            assert!(!verdict.standard_error.is_nan(), "{learned:?}, {decision:?}: {verdict:?}");
            if never.contains(&learned) {
                assert_eq!(
                    (verdict.winner, verdict.learned_loss),
                    (Winner::Fallback, Some(f32::INFINITY)),
                    "{decision:?}"
                );
            }
        });
    }
}

/// The premise 0 < rate < 2/L and its repair. Above 2/L gradient descent climbs, and a guard that only compares
/// candidates follows the lesser evil uphill; Armijo never does.
#[test]
fn a_fallback_that_climbs_takes_the_run_with_it() {
    let objective = bowl();
    let last = |verdicts: &[Verdict]| verdicts.last().unwrap().train_loss / verdicts[0].train_loss;
    let guard = LossGuard::paper(Adversary::Creep, Sgd::new(0.21)).batches(1, 1).decision(Decision::FullObjective);
    let run = run::rounds(&objective, &guard, &mut Exact, &BOWL_START, 30).unwrap();
    assert!(last(&run.verdicts) > 1.0, "the witness: a rate above 2/L climbs");
    for learned in Adversary::ALL {
        let guard =
            LossGuard::paper(learned, Armijo::new(1.0).unwrap()).batches(1, 1).decision(Decision::FullObjective);
        let run = run::rounds(&objective, &guard, &mut Exact, &BOWL_START, 30).unwrap();
        assert!(run.verdicts.windows(2).all(|v| v[1].train_loss <= v[0].train_loss), "{learned:?}");
        assert!(last(&run.verdicts) < 1e-2, "{learned:?}");
    }
}
