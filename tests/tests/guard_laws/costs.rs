//! What a round costs, in examples: gradients and forward passes, exactly.

use lgl2o::fault::Adversary;
use lgl2o::guard::{Blend, Decision, LossGuard, ResidualGuard, Unguarded};
use lgl2o::oracle::Cost;
use lgl2o::rule::{Adam, Armijo, Sgd};
use lgl2o::source::Exact;
use lgl2o::tensors::Zeroed;
use lgl2o::trainer::Progress;
use lgl2o::{Error, Guard, Rule, Trainer};
use lgl2o_tests::run;
use lgl2o_tests::task::{BATCH, BOWL_START, Data, bowl, small_mlp, start};

/// Examples in the data.
const N: u64 = 90;
const B: u64 = BATCH as u64;

/// What the first round of a guard costs on sampled batches of B; also that a run's bill is the sum of its rounds'.
fn cost(guard: &impl Guard) -> Cost {
    let (objective, data) = (small_mlp(), Data::disk(N as usize, 1));
    let run = data.sampling(BATCH, 2, |s| run::rounds(&objective, guard, s, &start(&objective, 3), 3)).unwrap();
    let mut sum = Cost::ZERO;
    run.verdicts.iter().for_each(|verdict| sum.add(verdict.spent));
    assert_eq!(run.spent, sum);
    run.verdicts[0].spent
}

const LEARNED: Adam = Adam { rate: lgl2o::rule::Rate::Constant(0.01), beta1: 0.9, beta2: 0.999, eps: 1e-8 };

/// LGL2O: 2 n_t - 1 gradients, because the first is shared, and 2 n_c forwards; n_c more with the veto.
#[test]
fn the_loss_guard_shares_the_first_gradient() {
    for (train, check) in [(1, 1), (1, 3), (2, 1), (5, 2)] {
        for decision in [Decision::Lower, Decision::Margin { z: 2.0 }, Decision::GrowingMargin] {
            let guard = LossGuard::paper(LEARNED, Sgd::new(0.1)).batches(train, check).decision(decision);
            let (gradients, forwards) = (B * u64::from(2 * train - 1), B * u64::from(2 * check));
            assert_eq!(cost(&guard), Cost { gradients, forwards });
            let forwards = B * u64::from(3 * check);
            assert_eq!(cost(&guard.veto(true)), Cost { gradients, forwards });
        }
    }
}

/// *Full objective*: two forwards of every example, three with the veto, whatever n_c is.
#[test]
fn the_full_objective_costs_every_example() {
    let guard = LossGuard::paper(LEARNED, Sgd::new(0.1)).batches(2, 7).decision(Decision::FullObjective);
    assert_eq!(cost(&guard), Cost { gradients: 3 * B, forwards: 2 * N });
    assert_eq!(cost(&guard.veto(true)), Cost { gradients: 3 * B, forwards: 3 * N });
}

/// *Sufficient decrease*: 2 n_c forwards (at w and at v), accepted or not.
#[test]
fn sufficient_decrease_costs_two_forwards() {
    fn assert_cost(learned: impl Rule + Copy) {
        let decision = Decision::SufficientDecrease { kappa: 0.0 };
        let guard = LossGuard::paper(learned, Sgd::new(0.1)).batches(1, 2).decision(decision);
        assert_eq!(cost(&guard), Cost { gradients: B, forwards: 4 * B });
        assert_eq!(cost(&guard.batches(3, 1)), Cost { gradients: 5 * B, forwards: 2 * B });
    }
    assert_cost(Sgd::new(0.01));
    assert_cost(Adversary::Creep);
}

/// A side that is no longer finite asks for no more gradients.
#[test]
fn a_lost_side_stands_still() {
    let guard = LossGuard::paper(Adversary::Nan, Sgd::new(0.1)).batches(5, 1);
    assert_eq!(cost(&guard), Cost { gradients: 5 * B, forwards: 2 * B });
}

/// GL2O: two gradients a step, one at w and one at y; only one if y is not finite. Alone or blended: one.
#[test]
fn the_other_guards() {
    assert_eq!(cost(&ResidualGuard::new(LEARNED, Sgd::new(0.1))), Cost { gradients: 2 * B, forwards: 0 });
    assert_eq!(cost(&ResidualGuard::new(Adversary::OneNan, Sgd::new(0.1))), Cost { gradients: B, forwards: 0 });
    assert_eq!(cost(&Blend::new(LEARNED, Sgd::new(0.1), 0.5).unwrap()), Cost { gradients: B, forwards: 0 });
    assert_eq!(cost(&Unguarded::learned(LEARNED)), Cost { gradients: B, forwards: 0 });
}

/// Every trial of Armijo backtracking is on the bill: from rate 1 down to 1/8 or 1/16, the first that is accepted when
/// L = 10 and slope = 0.1 ask for less than 2 (1 - 0.1) / 10 = 0.18 in the steepest direction.
#[test]
fn trials_are_on_the_bill() {
    let run = run::rounds(&bowl(), &Unguarded::new(Armijo::new(1.0).unwrap()), &mut Exact, &BOWL_START, 1).unwrap();
    let moved = run.params.iter().zip(&BOWL_START).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt();
    let steepest = Unguarded::new(Sgd::new(1.0));
    let whole = run::rounds(&bowl(), &steepest, &mut Exact, &BOWL_START, 1).unwrap().params;
    let whole = whole.iter().zip(&BOWL_START).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt();
    let trials = (whole / moved).log2().round() as u64 + 1;
    assert!(trials > 1);
    assert_eq!(run.spent, Cost { gradients: 1, forwards: trials });
}

/// A round that comes to nothing is paid for all the same, and is no round.
#[test]
fn what_was_spent_in_vain_is_on_the_bill() {
    let (objective, data) = (small_mlp(), Data::disk(BATCH, 1));
    // One batch holds all examples, so there is nothing to check with after a round of one step, the shortest there is.
    let guard = LossGuard::paper(LEARNED, Sgd::new(0.1)).batches(20, 1);
    let mut memory = run::memory(&objective, &guard, &start(&objective, 3));
    data.sampling(BATCH, 2, |sampler| {
        let mut trainer = Trainer::new(&objective, &guard, &mut memory);
        assert_eq!(trainer.round(sampler), Err(Error::NothingToCheck));
        assert_eq!(trainer.progress().spent, Cost { gradients: B, forwards: 0 });
        assert_eq!((trainer.progress().rounds, trainer.progress().steps), (0, 0));
    });
}

/// A gradient counts as three forwards.
#[test]
fn one_currency() {
    assert_eq!(Cost { gradients: 5, forwards: 7 }.in_forwards(), 22);
}

/// How much of a run was the learned side's.
#[test]
fn the_learned_share_is_of_rounds() {
    let share = |learned, rounds| Progress { rounds, learned, ..Progress::ZERO }.learned_share();
    assert_eq!([share(0, 0), share(0, 8), share(3, 8), share(8, 8)], [0.0, 0.0, 0.375, 1.0]);
}

/// A fallback that is averaged and alone needs no other gradient than its own.
#[test]
fn an_averaged_fallback_that_is_alone_costs_one_gradient() {
    let guard = LossGuard::new(Adversary::Nan, Sgd::new(0.1).averaged());
    let (objective, data) = (small_mlp(), Data::disk(N as usize, 1));
    let run = data.sampling(BATCH, 2, |s| run::rounds(&objective, &guard, s, &start(&objective, 3), 9)).unwrap();
    let alone: Vec<_> = run.verdicts.iter().filter(|v| v.learned_loss.is_none()).collect();
    assert_eq!(alone.len(), 8);
    // The first of them has made a step of its own before, in the race.
    assert!(alone.iter().all(|v| v.spent == Cost { gradients: B, forwards: 0 }), "{alone:?}");
}
